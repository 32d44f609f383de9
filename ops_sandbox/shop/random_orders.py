"""Orders drawn by chance, true to WooCommerce to the cent, as GET orders/ID answers with them.

    orders = RandomOrders(7)
    drawn = orders[0]            # drawn.order, drawn.refunds
    orders.rest_tax_rates()      # what GET taxes answers

One seed is one shop (settings, tax rates, products, people); its orders follow
from the seed and their number alone, so that any of them can be had again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ops_sandbox.shop.dates import SiteTime, system_clock
from ops_sandbox.shop.money.basket import Basket, Coupon, CouponKind, FeeLine, GoodsLine, ShippingLine, Sums
from ops_sandbox.shop.money.carts import by_cart, by_store_api
from ops_sandbox.shop.money.numbers import ZERO, php_round
from ops_sandbox.shop.money.orders import by_order
from ops_sandbox.shop.money.rest import tax_rate_body
from ops_sandbox.shop.random_order_body import OrderFacts, order_body
from ops_sandbox.shop.random_refunds import add_refunds
from ops_sandbox.shop.random_shop import Customer, Product, RandomShop, random_shop
from ops_sandbox.shop.wire import Doc

HOME = "https://shop.example.net"
_FIRST = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
#: Pacific standard time, all year.
_TIME = SiteTime(system_clock, -8)

_RECKON = {
    "rest-api": by_order,
    "admin": by_order,
    "store-api": by_store_api,
    "checkout": by_cart,
}
_GATEWAYS = (
    ("cod", "Cash on delivery"),
    ("bacs", "Direct bank transfer"),
    ("cheque", "Check payments"),
    ("stripe", "Credit card (Stripe)"),
    ("ppcp-gateway", "PayPal"),
    ("", ""),
)


@dataclass(frozen=True, slots=True)
class DrawnOrder:
    """An order, and its refunds as GET orders/ID/refunds gives them: newest first."""

    order: Doc
    refunds: list[Doc]


class RandomOrders:
    """The orders of one random shop.

    `decimals`: one of these is the shop's number of price decimals. `without_sku`: some products
    have no SKU. `paid_only`: every order is paid (processing, completed, or refunded since).
    `other_currency`: the share of orders in a currency that is not the shop's.
    """

    def __init__(
        self,
        seed: int,
        *,
        decimals: Sequence[int] = (2, 2, 2, 2, 2, 2, 2, 2, 0, 3, 4),
        without_sku: bool = False,
        paid_only: bool = False,
        other_currency: float = 0.02,
        tax_inclusive: bool | None = None,
    ) -> None:
        self.seed = seed
        self.paid_only = paid_only
        self.other_currency = other_currency
        self.shop: RandomShop = random_shop(
            _rng(seed, "shop"), decimals=decimals, without_sku=without_sku, tax_inclusive=tax_inclusive
        )

    def rest_tax_rates(self) -> list[Doc]:
        """The shop's tax rates as GET taxes answers."""
        return [tax_rate_body(rate, HOME) for rate in self.shop.rules.rates]

    def __iter__(self) -> Iterator[DrawnOrder]:
        number = 0
        while True:
            yield self[number]
            number += 1

    def __getitem__(self, number: int) -> DrawnOrder:
        """The order of a number, from 0."""
        rng = _rng(self.seed, str(number))
        rules, customer = self.shop.rules, rng.choice(self.shop.customers)
        created_via = rng.choice(("rest-api", "rest-api", "admin", "store-api", "checkout", "checkout"))
        chosen, basket = self._basket(rng, created_via)
        sums = _RECKON[created_via](basket)
        currency = rules.currency
        if rng.random() < self.other_currency:
            currency = "EUR" if currency == "USD" else "USD"
        status = self._status(rng, sums)
        facts = OrderFacts(
            id=1000 + 20 * number,
            line_id=1 + 400 * number,
            created_via=created_via,
            currency=currency,
            status=status,
            gateway=rng.choice(_GATEWAYS),
            created=_FIRST + timedelta(minutes=37 * number),
            customer=customer,
            products=chosen,
            note=rng.choice(("", "", "", "Ring twice.\nLeave <b>there</b> 🙂")),
            home=HOME,
            time=_TIME,
        )
        order = order_body(facts, basket, sums)
        refunds: list[Doc] = []
        if status in ("processing", "completed") and sums.total > 0 and rng.random() < 0.25:
            refunds = add_refunds(rng, facts, basket, sums, order)
        return DrawnOrder(order, refunds)

    def _status(self, rng: random.Random, sums: Sums) -> str:
        if self.paid_only or rng.random() < 0.8:
            return rng.choice(("processing", "completed", "completed"))
        return rng.choice(("pending", "on-hold", "cancelled", "failed"))

    def _basket(self, rng: random.Random, created_via: str) -> tuple[list[Product], Basket]:
        rules = self.shop.rules
        address = self.shop.addresses[rng.choices((0, 1, 2), (85, 8, 7))[0]]
        chosen = rng.sample(self.shop.products, min(_line_count(rng), len(self.shop.products)))
        free = rng.random() < 0.01
        if free:
            chosen = [product for product in self.shop.products if not product.price][:3] or chosen[:1]
        by_hand = created_via in ("rest-api", "admin")
        goods = [_goods_line(rng, product, by_hand=by_hand) for product in chosen]
        basket = Basket(rules=rules, address=address, goods=goods, vat_exempt=rng.random() < 0.03)
        for _ in range(0 if free else rng.choices((0, 1, 2, 3), (25, 63, 9, 3))[0]):
            cost = rules.money(Decimal(rng.choice(("0", "4.95", "7.5", "7.50", "19.99", "3.333", "12"))))
            basket.shipping.append(ShippingLine(total=cost, taxable=rng.random() < 0.9))
        for _ in range(0 if free else rng.choices((0, 1, 2, 3), (72, 18, 7, 3))[0]):
            basket.fees.append(_fee(rng, basket))
        for number in range(rng.choices((0, 1, 2, 3), (62, 26, 9, 3))[0]):
            basket.coupons.append(_coupon(rng, basket, number))
        return chosen, basket


def _rng(seed: int, part: str) -> random.Random:
    return random.Random(f"{seed}/{part}")  # noqa: S311


def _line_count(rng: random.Random) -> int:
    least, most = rng.choices(((1, 3), (4, 8), (9, 20), (21, 60)), (62, 25, 10, 3))[0]
    return rng.randint(least, most)


def _goods_line(rng: random.Random, product: Product, *, by_hand: bool) -> GoodsLine:
    """Some pieces; orders made by hand may have a price of their own and a discount without a coupon."""
    quantity = Decimal(rng.choice((1, 1, 1, 2, 2, 3, 4, 7, 12)))
    if product.price and product.price < 1:
        quantity = Decimal(rng.choice((1, 3, 7, 50, 333)))
    if product.fractions and rng.random() < 0.6:
        quantity = Decimal(rng.choice(("0.5", "1.25", "2.75", "0.333", "1.1")))
    line = GoodsLine(
        price=product.price, quantity=quantity, tax_class=product.tax_class, taxable=product.taxable
    )
    if by_hand and rng.random() < 0.06:
        line.given_subtotal = php_round(product.price * quantity, 2)
        line.given_total = php_round(line.given_subtotal * Decimal(rng.choice(("0.9", "0.6667", "0"))), 2)
    return line


def _fee(rng: random.Random, basket: Basket) -> FeeLine:
    """A fixed fee, a share of the goods as surcharge plugins reckon it, unrounded, or a deduction."""
    rules, kind = basket.rules, rng.random()
    goods = sum((line.price * line.quantity for line in basket.goods), ZERO)
    if kind < 0.45:
        total = rules.money(Decimal(rng.choice(("3", "1.50", "0.3", "25", "0"))))
    elif kind < 0.6:
        total = rules.kept(goods * Decimal("0.029") + Decimal("0.3"))
    elif kind < 0.9:
        total = -rules.money(min(goods, Decimal(rng.choice(("2", "0.75", "10", "5.55")))))
    else:
        total = -rules.money(goods * Decimal(rng.choice(("0.1", "0.333", "1.5"))))
    return FeeLine(
        total=total, tax_class=rng.choice(("", "", "", "reduced-rate")), taxable=rng.random() < 0.7
    )


def _coupon(rng: random.Random, basket: Basket, number: int) -> Coupon:
    kind: CouponKind = rng.choice(("percent", "percent", "fixed_cart", "fixed_product"))
    amounts = {
        "percent": ("10", "15", "33.33", "7.5", "57", "100"),
        "fixed_cart": ("5", "10", "0.99", "25.55", "1000"),
        "fixed_product": ("2", "0.5", "1.23", "0.05"),
    }
    amount = Decimal(rng.choice(amounts[kind]))
    if kind != "percent":
        amount = basket.rules.money(amount) or Decimal(1)
    return Coupon(code=f"{kind.replace('_', '')}{number}", kind=kind, amount=amount)


__all__ = ["HOME", "Customer", "DrawnOrder", "RandomOrders"]
