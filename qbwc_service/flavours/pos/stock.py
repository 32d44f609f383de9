"""What documents of Point of Sale take from its stock, and adjustments of it.

An adjustment names the new quantity, so it overwrites what the tills sold since
it was read; its answer tells the old one. Source: protocol reference 5.8.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lxml import etree

from qbwc_service.errors import NotSendable, UnreadableAnswer
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.flavours.spelling import Adjusted
from qbwc_service.needs import Gaps, Prepared, StockNeed
from qbxml.errors import QbxmlError
from qbxml.grammar import load_grammar
from qbxml.records import Record
from qbxml.writer import render_request
from queue_store.product_payloads import StockAdjustment
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")
_COMMENTS = 300
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


def sold(receipt: Record) -> set[str]:
    """ListIDs on a SalesReceiptRet."""
    return {list_id for line in receipt.children("SalesReceiptItemRet") if (list_id := line.text("ListID"))}


def prepare_adjustment(adjustment: StockAdjustment, mark: str, company: Settings) -> Prepared:
    """InventoryQtyAdjustmentAdd with gaps for the new quantity and the store. Raises NotSendable."""
    name = f"Adjustment of {adjustment.sku or adjustment.list_id}"
    fitting, gaps = Fitting(name), Gaps()
    body = {
        "Comments": fitting.text("Comments", f"{mark} {adjustment.why}".strip(), _COMMENTS),
        "Reason": fitting.text("Reason", company["stock.reason"], 8) or "Web shop",
        "StoreNumber": 1,
        "InventoryQtyAdjustmentItemAdd": [
            {"ListID": adjustment.list_id, "NewQuantity": Decimal(0)},
        ],
    }
    request = {"InventoryQtyAdjustmentAdd": body}
    try:
        text = render_request(
            _GRAMMAR, "InventoryQtyAdjustmentAddRq", request, {"requestID": gaps.gap("request")}
        )
    except QbxmlError as error:
        raise NotSendable(f"{name} cannot be written: {error}") from error
    # No gap fits into numbers as short as these are; no text of ours can look like an element.
    for element, name in (("StoreNumber", "location"), ("NewQuantity", "quantity")):
        text = re.sub(f"<{element}>[^<]*<", f"<{element}>{gaps.gap(name)}<", text)
    location = adjustment.location or str(company["documents.store_number"] or "")
    return Prepared(
        parts=gaps.cut(text),
        stock=StockNeed(list_id=adjustment.list_id, location=location, difference=adjustment.difference),
        remarks=fitting.remarks,
    )


def read_adjustment(record: Record) -> Adjusted:
    """An InventoryQtyAdjustmentRet. Raises UnreadableAnswer without its id."""
    txn_id = record.text("TxnID")
    if not txn_id:
        raise UnreadableAnswer(f"{record.name} holds no TxnID")
    quantities = {}
    for line in record.children("InventoryQtyAdjustmentItemRet"):
        list_id, old, new = line.text("ListID"), line.decimal("OldQuantity"), line.decimal("NewQuantity")
        if list_id and old is not None and new is not None:
            quantities[list_id] = (old, new)
    words = (record.text("Comments") or "").split(maxsplit=1)
    return Adjusted(
        txn_id=txn_id,
        number=record.text("InventoryAdjustmentNumber") or "",
        mark=words[0] if words else "",
        live=(record.text("HistoryDocStatus") or "Regular") == "Regular",
        time_created=record.moment("TimeCreated"),
        quantities=quantities,
    )
