"""How coupons are spread over the lines of an order, cent by cent (WC_Discounts).

Amounts here are in the smallest unit of the shop's money ("cents"), with
fractions. Floors are taken of floats, as PHP takes them: 0.57 * 100 is 56.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from ops_sandbox.shop.money.basket import Coupon
from ops_sandbox.shop.money.numbers import HUNDRED, ZERO, php_round


@dataclass(slots=True)
class Discounted:
    """A line to discount: `price` is that of the whole line."""

    price: Decimal
    quantity: Decimal


@dataclass(slots=True)
class Discounts:
    """What each coupon takes off each line; lines are known by their place in `lines`."""

    lines: list[Discounted]
    decimals: int
    by_coupon: list[dict[int, Decimal]]

    def taken(self, place: int) -> Decimal:
        """All coupons' discount on a line."""
        return sum((shares[place] for shares in self.by_coupon), ZERO)

    def left(self, place: int) -> Decimal:
        """What a line still costs, in whole cents."""
        return abs(php_round(self.lines[place].price - self.taken(place)))


def spread(lines: list[Discounted], coupons: list[Coupon], decimals: int) -> Discounts:
    """Applies `coupons` in their order, each to the lines' full prices, the dearest piece first."""
    discounts = Discounts(lines, decimals, [])
    dearest_first = sorted(
        range(len(lines)),
        key=lambda p: lines[p].price / lines[p].quantity if lines[p].quantity else ZERO,
        reverse=True,
    )
    for coupon in coupons:
        discounts.by_coupon.append(dict.fromkeys(range(len(lines)), ZERO))
        places = [p for p in dearest_first if discounts.left(p) != 0 and lines[p].quantity > 0]
        amount = coupon.amount.scaleb(decimals)
        if coupon.kind == "percent":
            _percent(discounts, places, coupon.amount)
        elif coupon.kind == "fixed_product":
            _fixed_product(discounts, places, amount)
        else:
            _fixed_cart(discounts, places, amount)
    return discounts


def _percent(discounts: Discounts, places: list[int], percent: Decimal) -> None:
    shares, total, given = discounts.by_coupon[-1], ZERO, ZERO
    for place in places:
        price = php_round(discounts.lines[place].price)
        share = Decimal(math.floor(float(price) * (float(percent) / 100)))
        share = php_round(min(discounts.left(place), share), half_down=True)
        shares[place] += share
        given += share
        total += price
    whole = php_round(total * percent / HUNDRED, half_down=True)
    if given < whole:
        _remainder(discounts, places, whole - given)


def _fixed_product(discounts: Discounts, places: list[int], amount: Decimal) -> Decimal:
    shares, given = discounts.by_coupon[-1], ZERO
    for place in places:
        share = min(discounts.left(place), amount * discounts.lines[place].quantity)
        shares[place] += share
        given += share
    return given


def _fixed_cart(discounts: Discounts, places: list[int], amount: Decimal) -> Decimal:
    places = [place for place in places if discounts.left(place) > 0]
    pieces = sum((discounts.lines[place].quantity for place in places), ZERO)
    if not pieces or amount <= 0:
        return ZERO
    each = Decimal(int(amount / pieces))
    if each <= 0:
        return _remainder(discounts, places, amount)
    given = _fixed_product(discounts, places, each)
    if 0 < given < amount:
        given += _fixed_cart(discounts, places, amount - given)
    return given


def _remainder(discounts: Discounts, places: list[int], amount: Decimal) -> Decimal:
    """A cent a piece until `amount` is spent or every piece had its turn."""
    shares, given = discounts.by_coupon[-1], ZERO
    for place in places:
        for _ in range(math.ceil(discounts.lines[place].quantity)):
            share = min(discounts.left(place), Decimal(1))
            given += share
            shares[place] += share
            if given >= amount:
                return given
    return given
