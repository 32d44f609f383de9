"""What a document charges for, one thing after the other, before anything is rounded.

An order becomes a `Basket` of charges in the order's own currency; a refund can
become one too. Which item a charge is booked to is decided here: goods by their
SKU, everything else by the items of our own that the settings name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.bundles import arranged
from queue_store.payloads import FeeLine, Order, OrderLine, Redeemed, TaxAmount
from queue_store.settings import Settings

#: What the parts of an order are called in the arithmetic, in that order.
GOODS, SHIPPING, FEES, TIPS, GIFT_CARDS = "for goods", "for shipping", "in fees", "in tips", "in gift cards"


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that is charged for: `amount` for all of `quantity`, without tax."""

    #: "sku" or "line", see `needs.ItemNeed`.
    kind: str
    #: The SKU, or the name of an item of our own.
    key: str
    label: str
    amount: Decimal
    #: One of the words above.
    what: str
    quantity: Decimal = Decimal(1)
    #: The shop's tax rates on it, by id.
    rates: tuple[int, ...] = ()
    tax_class: str = ""
    #: True: the shop keeps parts of a cent of it, which `amount` does not show.
    is_rounded: bool = False

    @property
    def is_liability(self) -> bool:
        """True: money that is owed, not sold, such as a gift card; QuickBooks must not tax it."""
        return self.what == GIFT_CARDS


@dataclass(frozen=True, slots=True)
class Basket:
    """A document's charges, its tax and its total, all in `currency` and as the shop has them."""

    #: "Order 71", for sentences.
    name: str
    currency: str
    charges: tuple[Charge, ...]
    tax: Decimal
    #: What the shop says that it comes to.
    total: Decimal
    #: Gift cards and store credit that paid for a part of it.
    redeemed: tuple[Redeemed, ...] = ()
    #: What its charges do not show of how they were settled, for the log.
    remarks: tuple[str, ...] = ()


def basket_of(order: Order, company: Settings) -> Basket:
    """The basket of `order`. Raises NotSendable for a line that cannot be told."""
    name = f"Order {order.number}"
    charges = list(goods_of(name, order.lines, company))
    charges += [
        Charge(
            "line",
            company["lines.shipping"],
            line.title or "Shipping",
            line.total,
            SHIPPING,
            rates=rates_of(line.taxes),
        )
        for line in order.shipping_lines
        if line.total
    ]
    redeemed = list(order.redeemed)
    for fee in order.fee_lines:
        if is_redeemed(fee, company):
            redeemed.append(Redeemed(amount=-fee.total))
        elif fee.total:
            charges.append(fee_charge(fee, company))
    return Basket(name, order.currency, tuple(charges), order.total_tax, order.total, tuple(redeemed))


def goods_of(name: str, lines: Sequence[OrderLine], company: Settings) -> Iterator[Charge]:
    """The product lines of the document called `name`. Raises NotSendable."""
    for line in arranged(lines, company["bundles"]):
        if line.quantity < 0:
            raise NotSendable(
                f"{name}: line {line.name!r} has a quantity of {line.quantity}, which would put goods back on the shelf. "
                "Correct it in the shop, where goods come back by a refund; or enter it by hand and cancel it here."
            )
        if line.quantity:
            yield _goods(name, line, company)
        elif line.total:
            raise NotSendable(
                f"{name}: line {line.name!r} has no quantity but {line.total}. "
                "Correct it in the shop, or enter it by hand and cancel it here."
            )


def _goods(name: str, line: OrderLine, company: Settings) -> Charge:
    kind, key, what = "sku", line.sku, GOODS
    if is_gift_card(line, company):
        kind, key, what = "line", company["lines.gift_card"], GIFT_CARDS
    elif not key:
        kind, key = "line", _fallback(name, line, company)
    return Charge(
        kind,
        key,
        line.name,
        line.total,
        what,
        line.quantity,
        rates_of(line.taxes),
        line.tax_class,
        line.is_rounded,
    )


def _fallback(name: str, line: OrderLine, company: Settings) -> str:
    if not line.product_id and not line.name and not line.total:
        raise NotSendable(
            f"{name}: line {line.line_id} names no product and has a total of 0.00: the shop did not know the "
            "product that was ordered. Take the line out in the shop, or enter what was sold."
        )
    fallback: str = company["items.fallback"]
    if not fallback:
        why = "its product was deleted from the shop" if not line.product_id else "its product has no SKU"
        raise NotSendable(
            f"{name}: line {line.name!r} cannot be told: {why}. Give the product a SKU, or name an item "
            f"for such lines: qbwoo company set {company.owner} items.fallback ITEM"
        )
    return fallback


def fee_charge(fee: FeeLine, company: Settings) -> Charge:
    """A fee that is no redeemed gift card."""
    tips = company["lines.tip_names"]
    if tips is not None and tips.search(fee.name):
        return Charge("line", company["lines.tip"], fee.name, fee.total, TIPS, rates=rates_of(fee.taxes))
    return Charge("line", company["lines.fee"], fee.name or "Fee", fee.total, FEES, rates=rates_of(fee.taxes))


def is_gift_card(line: OrderLine, company: Settings) -> bool:
    """Whether a product line sells a gift card, by its SKU or its name."""
    skus, names = company["gift_cards.skus"], company["gift_cards.names"]
    return bool(
        (skus is not None and line.sku and skus.fullmatch(line.sku))
        or (names is not None and names.search(line.name))
    )


def is_redeemed(fee: FeeLine, company: Settings) -> bool:
    """Whether a fee is a gift card that pays, by its name."""
    names = company["gift_cards.fees"]
    return fee.total < 0 and names is not None and names.search(fee.name) is not None


def rates_of(taxes: Sequence[TaxAmount]) -> tuple[int, ...]:
    """The ids of the rates that a line bears."""
    return tuple([tax.rate_id for tax in taxes])
