"""The refunds of one random order, as returns in the played Point of Sale, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ops_sandbox.shop.wire import Doc
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.returns import prepare_return
from qbwc_service.flavours.tax_table import TaxTable
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared
from queue_store.payloads import Refund
from queue_store.settings import Settings
from tests.money.company import Answer, PlayedCompany
from tests.money.switches import store_settings
from woo_bridge.translate_orders import translate_order
from woo_bridge.translate_refunds import allocate_restocked, translate_refund

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Given:
    """One refund: written, or refused before sending with a sentence."""

    refund: Refund
    prepared: Prepared | None
    answer: Answer | None = None
    refusal: str = ""


def give_back(
    order: Doc,
    bodies: Sequence[Doc],
    sale: Prepared,
    settings: Settings,
    taxes: TaxTable,
    company: PlayedCompany,
) -> Iterator[Given]:
    """Each refund of an order, the oldest first, in a message set of its own."""
    sold = translate_order(json.dumps(order).encode())
    refunds = [translate_refund(json.dumps(body).encode(), sold) for body in bodies]
    for refund in allocate_restocked(sold, refunds, {}):
        mark = Mark("WMAIN", f"{refund.order_id}-R{refund.refund_id}", 1)
        try:
            prepared = prepare_return(refund, mark, sale, settings, store_settings(), taxes)
        except NotSendable as refusal:
            yield Given(refund, None, refusal=refusal.sentence)
            continue
        chosen = company.known(prepared)
        if chosen is None:
            yield Given(refund, prepared, refusal="a stock item's pieces go as one")
            continue
        prepared = chosen
        (answer,) = company.send([company.fill(prepared, "1")])
        yield Given(refund, prepared, answer)


def faults_of_return(
    given: Given,
    settings: Settings,
    stocked: Mapping[str, bool],
    items: Mapping[tuple[str, str], str],
    tax_item: str,
    in_books: Callable[[Decimal], Decimal],
) -> Iterator[str]:
    """What is wrong with a return that was written.

    `tax_item` is the ListID of the item of the tax; `in_books` gives amounts in the company's currency.
    """
    refund, prepared, answer = given.refund, given.prepared, given.answer
    assert prepared is not None
    assert answer is not None
    sign = -1 if settings["returns.signs"] == "negative" else 1
    wanted = in_books(refund.amount) * sign
    if answer.status or answer.total is None:
        yield f"refund {refund.refund_id} refused by QuickBooks: {answer.status} {answer.message}"
        return
    if answer.total != wanted:
        yield f"return {answer.total}, the shop gave back {wanted}"
    if prepared.predicted_total != answer.total:
        yield f"return {answer.total}, predicted {prepared.predicted_total}"
    if answer.tenders != wanted:
        yield f"paid back {answer.tenders}, the shop gave back {wanted}"
    if prepared.tax_mode == "line":
        if answer.tax:
            yield f"TaxAmount {answer.tax} on a return, QuickBooks was to tax nothing"
        tax, wanted = answer.amounts.get(tax_item, Decimal(0)) * sign, in_books(refund.total_tax)
        if abs(tax - wanted) > _slack(refund, settings):
            yield f"tax of {tax} given back, the shop says {wanted}"
    back: dict[str, Decimal] = {}
    for line in refund.lines:
        if line.sku and line.restocked:
            list_id = items["sku", line.sku]
            back[list_id] = back.get(list_id, Decimal(0)) + line.restocked
    for list_id, pieces in answer.quantities.items():
        if stocked[list_id] and pieces * sign != back.get(list_id, Decimal(0)):
            yield f"{pieces} pieces on the shelf again, the shop put back {back.get(list_id, 0)}"


def _slack(refund: Refund, settings: Settings) -> Decimal:
    """What the tax may differ by: parts of cents are rounded so that the sum is right, and so is what is converted."""
    if refund.order.currency != settings["currency"]:
        return Decimal(1) if settings["currency"] == "JPY" else _CENT
    return _CENT if refund.total_tax != refund.total_tax.quantize(_CENT) else Decimal(0)
