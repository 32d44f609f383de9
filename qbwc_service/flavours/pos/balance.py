"""The receipt that an order becomes, computed to the cent before it is sent.

`predict` is pure: payload and settings in, the exact receipt out. Only what is
certain about Point of Sale is used: Price with two decimals, Qty, TaxCode.
Coupons are in the lines' totals already; shipping, fees and the shop's exact
tax (tax mode `line`) are lines of items of our own, which QuickBooks does not
tax. So the total is the sum of Price times Qty, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from qbwc_service.errors import NotSendable
from queue_store.payloads import Order, OrderLine
from queue_store.settings import Settings

CENT = Decimal("0.01")
#: A remaining difference up to this goes to the rounding item ...
CAP = Decimal("0.05")
#: ... and this more for each taxed line and rate, since each may have been rounded by itself.
CAP_PER_TAX = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of a receipt: `quantity` pieces at `price`."""

    #: "sku" or "line", see `needs.ItemNeed`.
    kind: str
    key: str
    quantity: Decimal
    price: Decimal
    label: str
    #: Only a non-stock item may carry it: the quantity here is not the true one.
    one_piece: bool = False
    #: The shop's unit price, for an item that has to be added.
    unit_price: Decimal = Decimal(0)

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Receipt:
    """A predicted receipt; `total` is what QuickBooks must answer."""

    lines: tuple[ReceiptLine, ...]
    total: Decimal
    #: The difference that the rounding line carries.
    rounding: Decimal


def predict(order: Order, settings: Settings) -> Receipt:
    """The receipt of `order`. Raises NotSendable with the arithmetic where it does not come out."""
    name = f"Order {order.number}"
    currency = settings["currency"]
    if currency and order.currency != currency:
        raise NotSendable(
            f"{name} is in {order.currency}, the company file is kept in {currency}: it is not sent. "
            "Enter it by hand, or set the company's currency if that is wrong."
        )
    if order.total < 0:
        raise NotSendable(
            f"{name} has a negative total of {order.total}: a receipt cannot. Enter it by hand."
        )
    total = _cents(order.total)
    if total != order.total:
        raise NotSendable(
            f"{name} has a total of {order.total}, which is not in whole cents: it is not sent. "
            "Enter it by hand."
        )
    lines: list[ReceiptLine] = []
    for line in order.lines:
        lines += _product_lines(name, line, settings)
    for shipping in order.shipping_lines:
        lines += _own_line(settings["lines.shipping"], shipping.total, shipping.title or "Shipping", settings)
    for fee in order.fee_lines:
        lines += _own_line(settings["lines.fee"], fee.total, fee.name or "Fee", settings)
    lines += _own_line(settings["lines.tax"], order.total_tax, "Sales tax", settings)
    rounding = total - sum((line.amount for line in lines), Decimal(0))
    if rounding:
        _check_cap(name, order, rounding)
        lines += _own_line(settings["lines.rounding"], rounding, "Rounding", settings)
    if not lines:
        raise NotSendable(f"{name} has no lines at all: there is nothing to write. Cancel it here.")
    return Receipt(tuple(lines), total, rounding)


def _product_lines(name: str, line: OrderLine, settings: Settings) -> list[ReceiptLine]:
    kind, key = "sku", line.sku
    if not key:
        key = settings["items.fallback"]
        kind = "line"
        if not key:
            why = "its product was deleted from the shop" if not line.product_id else "its product has no SKU"
            raise NotSendable(
                f"{name}: line {line.name!r} cannot be told: {why}. Give the product a SKU, or name an item "
                "for such lines: qbwoo company set NAME items.fallback ITEM"
            )
    if not line.quantity:
        if line.total:
            raise NotSendable(
                f"{name}: line {line.name!r} has no quantity but {line.total}. Correct it in the shop."
            )
        return []
    amount = _cents(line.total)
    one = ReceiptLine(kind, key, Decimal(1), amount, line.name, unit_price=_cents(line.total / line.quantity))
    pieces = split(amount, line.quantity)
    if pieces is None:
        return [replace(one, label=f"{_plain(line.quantity)} x {line.name}", one_piece=True)]
    return [replace(one, quantity=quantity, price=price) for quantity, price in pieces]


def split(amount: Decimal, quantity: Decimal) -> list[tuple[Decimal, Decimal]] | None:
    """`amount` as (quantity, price) pairs that multiply out exactly; prices have two decimals.

    3 for 10.00 are 2 at 3.33 and 1 at 3.34. None where that cannot be: a
    quantity with decimals, or a price that would be 0.00 though it was not.
    """
    price = _cents(amount / quantity)
    if price * quantity == amount and (price or not amount):
        return [(quantity, price)]
    if quantity != quantity.to_integral_value() or quantity <= 0:
        return None
    cents, pieces = int(amount / CENT), int(quantity)
    # Towards zero, so that negative amounts split like positive ones.
    low, dearer = divmod(abs(cents), pieces)
    if low == 0:
        return None
    sign = 1 if cents > 0 else -1
    cheap = pieces - dearer
    return [(Decimal(cheap), CENT * low * sign), (Decimal(dearer), CENT * (low + 1) * sign)]


def _own_line(item: str, amount: Decimal, label: str, settings: Settings) -> list[ReceiptLine]:
    amount = _cents(amount)
    if not amount:
        return []
    quantity = Decimal(1)
    if amount < 0 and settings["lines.negative"] == "quantity":
        quantity, amount = Decimal(-1), -amount
    return [ReceiptLine("line", item, quantity, amount, label)]


def _check_cap(name: str, order: Order, rounding: Decimal) -> None:
    rates = (
        sum(len(line.taxes) for line in order.lines)
        + sum(len(line.taxes) for line in order.shipping_lines)
        + sum(len(line.taxes) for line in order.fee_lines)
    )
    cap = CAP + CAP_PER_TAX * rates
    if abs(rounding) <= cap:
        return
    parts = [f"{_sum(line.total for line in order.lines)} for goods"]
    parts += (
        [f"{_sum(line.total for line in order.shipping_lines)} for shipping"] if order.shipping_lines else []
    )
    parts += [f"{_sum(line.total for line in order.fee_lines)} in fees"] if order.fee_lines else []
    parts += [f"{order.total_tax} tax"] if order.total_tax else []
    raise NotSendable(
        f"{name} does not add up: {' + '.join(parts)} is {order.total - rounding}, the shop says {order.total} "
        f"(difference {rounding}, allowed {cap}). Save the order once more in the shop, or enter it by hand."
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
