"""A refund as SalesReceiptAdd of type Return, computed to the cent before it is sent.

Goods that went back on the shelf are returned at the price refunded. All else
that the buyer gets (goods that were not put back, shipping, fees, an amount
alone) is a line of the item for refunds, so that no stock moves; its tax goes
as that of its sale did. Where the buyer gets less than the lines come to, a
negative line of that item takes back the difference. Source: protocol
reference 5.5; the signs of a Return are not documented there, so they are a
setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import CAP, CAP_PER_ROUNDING, balance
from qbwc_service.flavours.pos.charges import (
    FEES,
    GIFT_CARDS,
    GOODS,
    SHIPPING,
    Basket,
    Charge,
    is_gift_card,
    rates_of,
)
from qbwc_service.flavours.pos.customers import customer_need
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.flavours.pos.header import COMMENTS_LENGTH
from qbwc_service.flavours.pos.money import last_place, money_of
from qbwc_service.flavours.pos.predicted import Receipt
from qbwc_service.flavours.pos.receipts import Draft, with_stock, write_receipt
from qbwc_service.flavours.pos.splitting import CENT, rounded
from qbwc_service.flavours.pos.tenders import paid_back, paid_by, tenders_of
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared, Tender
from queue_store.payloads import FeeLine, OrderLine, Refund, RefundLine, ShippingLine
from queue_store.settings import Settings

_NOTHING = Decimal(0)
#: What the line says by which a refund gives back less than its lines come to, such as after an amount alone.
LESS_THAN_LINES = "Given back less than listed"


def prepare_return(
    refund: Refund,
    mark: Mark,
    sale: Prepared | None,
    company: Settings,
    store: Settings,
    taxes: TaxTable = NO_TAXES,
) -> Prepared:
    """The request that writes `refund`; `sale` is what was sent for its order. Raises NotSendable."""
    return with_stock(partial(_return, refund, mark, sale, company, store, taxes))


def _return(
    refund: Refund,
    mark: Mark,
    sale: Prepared | None,
    company: Settings,
    store: Settings,
    taxes: TaxTable,
    in_pieces: bool,
) -> Prepared:
    name = _name(refund)
    tax_mode = sale.tax_mode if sale else ""
    predicted = predict_return(refund, company, taxes, tax_mode=tax_mode, in_pieces=in_pieces)
    sign = -1 if company["returns.signs"] == "negative" else 1
    draft = Draft(name, mark, _signed(predicted, sign))
    money = money_of(name, refund.order.currency, company)
    paid = sale.tenders if sale else ()
    body = {
        **_header(refund, mark, company, store, draft.fitting),
        **paid_back(
            paid or _expected_tenders(refund, company, draft.fitting),
            money.in_books(_earlier(refund)),
            predicted.total,
            sign,
        ),
    }
    customer = customer_need(refund.order, company, store, mark.head)
    return write_receipt(draft, "Return", body, customer, company)


def predict_return(
    refund: Refund,
    company: Settings,
    taxes: TaxTable = NO_TAXES,
    *,
    tax_mode: str = "",
    in_pieces: bool = False,
) -> Receipt:
    """The return of `refund` with the signs of a sale, in `tax_mode` ("": the company's).

    Raises NotSendable with the arithmetic where it does not come out.
    """
    _check_against_order(refund)
    basket = basket_of_refund(refund, company)
    return balance(basket, company, taxes, tax_mode=tax_mode, in_pieces=in_pieces)


def basket_of_refund(refund: Refund, company: Settings) -> Basket:
    """What the buyer gets back. Raises NotSendable where that is nothing."""
    item: str = company["lines.refund"]
    charges = [charge for line in refund.lines for charge in _goods(line, company)]
    charges += [
        Charge("line", item, line.title or "Shipping", line.total, SHIPPING, rates=rates_of(line.taxes))
        for line in refund.shipping_lines
        if line.total
    ]
    charges += [
        Charge("line", item, line.name or "Fee", line.total, FEES, rates=rates_of(line.taxes))
        for line in refund.fee_lines
        if line.total
    ]
    listed = sum((charge.amount for charge in charges), _NOTHING)
    rest = refund.amount - listed - refund.total_tax
    roundings = sum(len(charge.rates) for charge in charges)
    cap = (CAP + CAP_PER_ROUNDING * roundings) * max(CENT, last_place(refund.amount))
    remarks: tuple[str, ...] = ()
    if rest < -cap:
        _check_lines(refund, charges, cap)
        charges.append(Charge("line", item, LESS_THAN_LINES, rest, GOODS))
        remarks = (
            f"{_name(refund)}: its lines and tax come to {refund.amount - rest}, the shop gave back {refund.amount}: "
            f"{rest} went to {item}",
        )
    if rest > 0 and ((not charges and not refund.total_tax) or rest > cap):
        # Typed as an amount, beside the lines or without any.
        charges.append(Charge("line", item, " ".join(refund.reason.split()) or "Refund", rest, GOODS))
    if not charges and not refund.total_tax:
        raise NotSendable(f"{_name(refund)} gives nothing back: there is nothing to write. Cancel it here.")
    name, currency = _name(refund), refund.order.currency
    return Basket(name, currency, tuple(charges), refund.total_tax, refund.amount, remarks=remarks)


def _goods(line: RefundLine, company: Settings) -> Iterator[Charge]:
    """Pieces put back on the shelf, at the price refunded; the rest as an amount."""
    rates = rates_of(line.taxes)
    sold = OrderLine(
        line_id=line.line_id,
        product_id=0,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        subtotal=line.total,
        total=line.total,
        total_tax=line.total_tax,
    )
    if is_gift_card(sold, company):
        yield Charge("line", company["lines.gift_card"], line.name, line.total, GIFT_CARDS, rates=rates)
        return
    back = min(line.restocked, line.quantity) if line.sku else _NOTHING
    amount = line.total
    if back > 0:
        if back != line.quantity:
            amount = rounded(line.total * back / line.quantity)
        yield Charge("sku", line.sku, line.name, amount, GOODS, back, rates)
        amount = line.total - amount
    if amount:
        yield Charge("line", company["lines.refund"], line.name or "Refund", amount, GOODS, rates=rates)


def _check_against_order(refund: Refund) -> None:
    name, order, earlier = _name(refund), refund.order, _earlier(refund)
    if refund.amount < 0:
        raise NotSendable(f"{name} has a negative amount of {refund.amount}. Enter it by hand.")
    if earlier + refund.amount > order.total:
        before = f" after {earlier} that was given back before" if earlier else ""
        raise NotSendable(
            f"{name} is larger than its order: {refund.amount}{before}, of an order of {order.total}. "
            "Correct it in the shop, or enter it by hand and cancel this activity."
        )


def _check_lines(refund: Refund, charges: Sequence[Charge], slack: Decimal) -> None:
    """Raises NotSendable where a refund's lines come to more than was ever sold."""
    order = refund.order
    listed = sum((charge.amount for charge in charges if charge.amount > 0), refund.total_tax)
    parts: list[OrderLine | ShippingLine | FeeLine] = [*order.lines, *order.shipping_lines, *order.fee_lines]
    sold = sum((max(part.total, _NOTHING) for part in parts), order.total_tax)
    if listed > sold + slack:
        raise NotSendable(
            f"{_name(refund)} lists more than was sold: its lines and tax come to {listed}, those of the order to "
            f"{sold}. Delete the refund in the shop and make it anew, or enter it by hand and cancel this activity."
        )


def _header(
    refund: Refund, mark: Mark, company: Settings, store: Settings, fitting: Fitting
) -> dict[str, Any]:
    told = f"{mark} Refund {refund.refund_id} of order {store['orders.number_prefix']}{refund.number}"
    if refund.reason:
        told += f": {refund.reason}"
    return {
        "Associate": fitting.text("Associate", company["documents.associate"], 40),
        "Cashier": fitting.text("Cashier", company["documents.cashier"], 16),
        "Comments": fitting.text("Comments", told, COMMENTS_LENGTH),
        "StoreNumber": company["documents.store_number"],
        "TrackingNumber": str(mark),
        # The day as the shop's own clock showed it.
        "TxnDate": (refund.created_at + timedelta(seconds=refund.utc_offset_seconds)).date(),
        "Workstation": company["documents.workstation"],
    }


def _expected_tenders(refund: Refund, company: Settings, fitting: Fitting) -> tuple[Tender, ...]:
    """How a sale that was not sent from here must have been paid."""
    order, name = refund.order, _name(refund)
    total = money_of(name, order.currency, company).in_books(order.total)
    return paid_by(tenders_of(name, order.payment_method, order.transaction_id, total, (), company, fitting))


def _signed(receipt: Receipt, sign: int) -> Receipt:
    lines = tuple(replace(line, quantity=line.quantity * sign) for line in receipt.lines)
    return replace(receipt, lines=lines, total=receipt.total * sign)


def _earlier(refund: Refund) -> Decimal:
    """What the refunds before this one gave back."""
    return sum((-one.total for one in refund.order.refunds if one.refund_id < refund.refund_id), _NOTHING)


def _name(refund: Refund) -> str:
    return f"Refund {refund.refund_id} of order {refund.number}"
