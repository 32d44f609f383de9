"""A document as SalesReceiptAdd, made ready but for QuickBooks' ids.

`prepare_receipt` writes an order. `item_lines` and `write_receipt` are what any
receipt needs, a Return too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import predict
from qbwc_service.flavours.pos.customers import customer_need
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.flavours.pos.header import header
from qbwc_service.flavours.pos.predicted import Receipt, ReceiptLine
from qbwc_service.flavours.pos.tenders import paid_by, tenders_of
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import MARK_LENGTH, Mark
from qbwc_service.needs import CustomerNeed, Gaps, ItemNeed, Prepared
from qbxml.errors import QbxmlError
from qbxml.grammar import load_grammar
from qbxml.writer import render_request
from queue_store.payloads import Item, Order
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")
#: More lines than any shop's order has; what is longer is refused, not sent to see what happens.
MOST_LINES = 2000


def prepare_receipt(
    order: Order,
    mark: Mark,
    company: Settings,
    store: Settings,
    taxes: TaxTable = NO_TAXES,
    *,
    sales_order: str = "",
) -> Prepared:
    """The request that writes `order`; `sales_order` is the TxnID of what it fulfils. Raises NotSendable."""
    return with_stock(partial(_receipt, order, mark, company, store, taxes, sales_order))


def with_stock(prepare: Callable[[bool], Prepared]) -> Prepared:
    """What `prepare` makes ready, and beside it how that goes in pieces where an item keeps stock."""
    prepared = prepare(False)
    if not any(need.one_piece for need in prepared.items):
        return prepared
    return msgspec.structs.replace(prepared, for_stock=prepare(True))


def _receipt(
    order: Order,
    mark: Mark,
    company: Settings,
    store: Settings,
    taxes: TaxTable,
    sales_order: str,
    in_pieces: bool,
) -> Prepared:
    name = f"Order {order.number}"
    receipt = predict(order, company, taxes, in_pieces=in_pieces)
    draft = Draft(name, mark, receipt)
    body = {
        **header(order, mark, company, store, draft.fitting),
        "SalesOrderTxnID": sales_order or None,
        **tenders_of(
            name,
            order.payment_method,
            order.transaction_id,
            receipt.total,
            receipt.gifts,
            company,
            draft.fitting,
        ),
    }
    customer = customer_need(order, company, store, mark.head)
    return write_receipt(draft, "Sales", body, customer, company)


@dataclass(slots=True)
class Draft:
    """A predicted receipt that is being written."""

    #: "Order 71", for sentences.
    name: str
    mark: Mark
    receipt: Receipt
    fitting: Fitting = field(init=False)
    gaps: Gaps = field(default_factory=Gaps)
    needs: dict[tuple[str, str], ItemNeed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fitting = Fitting(self.name)


def write_receipt(
    draft: Draft, receipt_type: str, body: Mapping[str, Any], customer: CustomerNeed, company: Settings
) -> Prepared:
    """The request for `draft`, with `body` around its lines. Raises NotSendable where it cannot be written."""
    receipt = draft.receipt
    if len(str(draft.mark)) > MARK_LENGTH:
        raise NotSendable(
            f"{draft.name}: its mark {draft.mark} would be longer than {MARK_LENGTH} characters. Tell support."
        )
    if len(receipt.lines) > MOST_LINES:
        raise NotSendable(
            f"{draft.name} would have {len(receipt.lines)} lines in QuickBooks, more than {MOST_LINES}: it is not "
            "sent. Enter it by hand."
        )
    written = {
        **body,
        "CustomerListID": draft.gaps.gap("customer"),
        "SalesReceiptType": receipt_type,
        "TaxCategory": receipt.tax_category or None,
        "SalesReceiptItemAdd": item_lines(draft, receipt.lines, company),
    }
    try:
        text = render_request(
            _GRAMMAR,
            "SalesReceiptAddRq",
            {"SalesReceiptAdd": written},
            {"requestID": draft.gaps.gap("request")},
        )
    except QbxmlError as error:
        raise NotSendable(f"{draft.name} cannot be written as a receipt: {error}") from error
    return Prepared(
        parts=draft.gaps.cut(text),
        items=tuple(draft.needs.values()),
        customer=customer,
        predicted_total=receipt.total,
        tax_mode=receipt.tax_mode,
        tax_category=receipt.tax_category,
        sales_order=body.get("SalesOrderTxnID") or "",
        tenders=paid_by(body),
        remarks=(*draft.fitting.remarks, *receipt.remarks),
    )


def prepare_reversal(txn_id: str) -> Prepared:
    """The request that reverses the receipt `txn_id`. Raises NotSendable."""
    gaps = Gaps()
    body = {"TxnReverseType": "SalesReceipt", "TxnID": txn_id}
    try:
        text = render_request(_GRAMMAR, "TxnReverseRq", body, {"requestID": gaps.gap("request")})
    except QbxmlError as error:
        raise NotSendable(f"Receipt {txn_id} cannot be reversed: {error}") from error
    return Prepared(parts=gaps.cut(text))


def item_lines(draft: Draft, lines: Sequence[ReceiptLine], company: Settings) -> list[Mapping[str, object]]:
    """`lines` as SalesReceiptItemAdd, with gaps for their items; what they need is noted in `draft`."""
    return [_line(draft, line, company) for line in lines]


def _line(draft: Draft, line: ReceiptLine, company: Settings) -> Mapping[str, object]:
    known = draft.needs.get((line.kind, line.key))
    if known is None or (line.one_piece and not known.one_piece):
        draft.needs[line.kind, line.key] = _need(line, company)
    return {
        "ListID": draft.gaps.gap(f"{line.kind}:{line.key}"),
        "Desc1": draft.fitting.text("Desc1", line.label, 30),
        "Price": line.price,
        "Qty": line.quantity,
        "TaxCode": line.tax_code,
    }


def _need(line: ReceiptLine, company: Settings) -> ItemNeed:
    own = line.kind == "line"
    return ItemNeed(
        kind=line.kind,
        key=line.key,
        item=Item(
            sku=line.key,
            name=line.key if own else line.label,
            item_type="NonInventory" if own else "Inventory",
            price=Decimal(0) if own else max(line.unit_price, Decimal(0)),
            tax_code=company["lines.tax_code"] if own else company["items.new_tax_code"],
            department=company["items.department"],
        ),
        one_piece=line.one_piece,
        label=f"{line.label} for {abs(line.amount)}" if line.one_piece else line.label,
    )
