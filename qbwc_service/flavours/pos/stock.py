"""What documents of Point of Sale take from its stock."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from qbxml.records import Record

#: The aggregate of a document, and that of its lines.
_DOCUMENTS = (("SalesReceiptAdd", "SalesReceiptItemAdd"), ("SalesOrderAdd", "SalesOrderItemAdd"))


def moves_of_request(request: str) -> dict[str, Decimal]:
    """Pieces by ListID that leave the stock, negative where they come back; nothing of other requests.

    A receipt of type Return puts back whatever the signs are that this Point of
    Sale wants on it, see the setting `returns.signs`. No line of ours that
    moves stock goes the other way than its document.
    """
    record = Record(etree.fromstring(request))
    moves: dict[str, Decimal] = {}
    for name, line_name in _DOCUMENTS:
        for document in record.children(name):
            sign = -1 if document.text("SalesReceiptType") == "Return" else 1
            for line in document.children(line_name):
                quantity = line.decimal("Qty")
                pieces = sign * abs(Decimal(1) if quantity is None else quantity)
                list_id = line.text("ListID") or ""
                moves[list_id] = moves.get(list_id, Decimal(0)) + pieces
    return moves
