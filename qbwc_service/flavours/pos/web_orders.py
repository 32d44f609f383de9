"""An order as SalesOrderAdd of type WebOrder, with the very lines that its receipt will have.

A sales order carries no tender: its money enters with the receipt that fulfils
it. Source: protocol reference 5.7.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import predict
from qbwc_service.flavours.pos.customers import customer_need
from qbwc_service.flavours.pos.header import header
from qbwc_service.flavours.pos.receipts import Draft, item_lines, with_stock
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import MARK_LENGTH, Mark
from qbwc_service.needs import Gaps, Prepared
from qbxml.errors import QbxmlError
from qbxml.grammar import load_grammar
from qbxml.writer import render_request
from queue_store.payloads import Order
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")
#: What a sales order has in common with a receipt.
_SHARED = ("Associate", "Cashier", "PriceLevelNumber", "PromoCode", "TxnDate", "ShippingInformation")


def prepare_web_order(
    order: Order, mark: Mark, company: Settings, store: Settings, taxes: TaxTable = NO_TAXES
) -> Prepared:
    """The request that writes `order` before it is sold. Raises NotSendable."""
    return with_stock(partial(_web_order, order, mark, company, store, taxes))


def _web_order(
    order: Order, mark: Mark, company: Settings, store: Settings, taxes: TaxTable, in_pieces: bool
) -> Prepared:
    name = f"Web order {order.number}"
    if len(str(mark)) > MARK_LENGTH:
        raise NotSendable(
            f"{name}: its mark {mark} would be longer than {MARK_LENGTH} characters. Tell support."
        )
    predicted = predict(order, company, taxes, in_pieces=in_pieces)
    draft = Draft(name, mark, predicted)
    shared = header(order, mark, company, store, draft.fitting)
    body: dict[str, Any] = {
        **{field: shared[field] for field in _SHARED},
        "CustomerListID": draft.gaps.gap("customer"),
        # As on receipts: the mark is the first word.
        "Instructions": shared["Comments"],
        "SalesOrderNumber": str(mark),
        "SalesOrderType": "WebOrder",
        "TaxCategory": predicted.tax_category or None,
        "SalesOrderItemAdd": item_lines(draft, predicted.lines, company),
    }
    try:
        text = render_request(
            _GRAMMAR, "SalesOrderAddRq", {"SalesOrderAdd": body}, {"requestID": draft.gaps.gap("request")}
        )
    except QbxmlError as error:
        raise NotSendable(f"{name} cannot be written as a sales order: {error}") from error
    return Prepared(
        parts=draft.gaps.cut(text),
        items=tuple(draft.needs.values()),
        customer=customer_need(order, company, store, mark.head),
        predicted_total=predicted.total,
        tax_mode=predicted.tax_mode,
        tax_category=predicted.tax_category,
        remarks=(*draft.fitting.remarks, *predicted.remarks),
    )


def prepare_deletion(txn_id: str) -> Prepared:
    """The request that deletes the sales order `txn_id`. Raises NotSendable."""
    gaps = Gaps()
    body = {"ListDelType": "SalesOrder", "ListID": txn_id}
    try:
        text = render_request(_GRAMMAR, "ListDelRq", body, {"requestID": gaps.gap("request")})
    except QbxmlError as error:
        raise NotSendable(f"Sales order {txn_id} cannot be deleted: {error}") from error
    return Prepared(parts=gaps.cut(text))
