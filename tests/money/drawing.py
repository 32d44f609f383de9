"""Which orders are tried: such as a real shop makes and that must go, and bad ones that must not.

Bad orders are drawn on purpose, so many of a hundred, and each is labelled here
with what is wrong with it, from the shop's side alone: one that is sent, or is
refused for another reason, is wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from ops_sandbox.shop.random_orders import RandomOrders
from ops_sandbox.shop.wire import Doc
from tests.money.amounts import CENT, shown_sum

ORDERS_PER_SHOP = 100
#: Every so manieth order is a bad one.
BAD_EVERY = 20
#: Price decimals of the shops: most have cents; now and then one shows none, or parts of a cent.
_DECIMALS = (*(2,) * 33, 0, 0, 0, 3, 3, 4, 4)
#: More than any cap: beyond it a difference is no rounding.
_MUCH = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Bad:
    """Why something must be refused, and words that the sentence must have."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """An order with its refunds, newest first; `bad` is about the order, `bad_refund` about the newest refund."""

    order: Doc
    refunds: list[Doc]
    bad: Bad | None = None
    bad_refund: Bad | None = None
    #: How many draws were passed over before it, for being below nothing.
    passed_over: int = 0


class Drawing:
    """The orders of one shop."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.orders = RandomOrders(seed, decimals=_DECIMALS, paid_only=True, other_currency=0)

    @property
    def rules(self) -> Any:
        return self.orders.shop.rules

    def with_foreign(self, share: float) -> None:
        """Some are in the other currency, where the company has a rate for it."""
        self.orders.other_currency = share

    def __getitem__(self, number: int) -> Drawn:
        by_itself = self._bad_by_itself(number)
        if by_itself is not None:
            return by_itself
        drawn = self._good(number)
        if number % BAD_EVERY != BAD_EVERY - 1:
            return drawn
        rng = random.Random(f"{self.seed}/bad/{number}")
        return rng.choice(_SPOILERS)(drawn)

    def _good(self, number: int) -> Drawn:
        """The order of a number, or of one behind all others, that is not below nothing."""
        for further in count():
            found = self.orders[number + ORDERS_PER_SHOP * further]
            if _below(found.order) <= self._little:
                return Drawn(found.order, found.refunds, passed_over=further)
        raise AssertionError("count() has no end")

    @property
    def _little(self) -> Decimal:
        """What rounding alone may do: five of the smallest amounts."""
        return 5 * max(CENT, Decimal(1).scaleb(-self.rules.decimals))

    def _bad_by_itself(self, number: int) -> Drawn | None:
        """The order of a number, if it is below nothing by more than all its roundings together can be."""
        order = self.orders[number].order
        if _below(order) <= 40 * self._little:
            return None
        shown = Decimal(order["total"]) < 0
        words = "has a negative total of" if shown else "does not add up"
        return Drawn(order, [], Bad("below nothing by itself", words))


def _below(order: Doc) -> Decimal:
    """By how much an order comes to less than nothing.

    WooCommerce lets a negative fee through where nothing is left to take it from, and takes tax off with it
    that was never there; the old checkout then shows 0.00 (WC_Abstract_Order::calculate_totals,
    WC_Cart_Totals).
    """
    return -min(Decimal(order["total"]), shown_sum(order))


# What is wrong on purpose ---------------------------------------------------------


def _in_an_unknown_currency(drawn: Drawn) -> Drawn:
    bad = Bad("another currency, without a rate", "is in CHF, the company file is kept in")
    return Drawn({**drawn.order, "currency": "CHF"}, [], bad)


def _in_no_currency(drawn: Drawn) -> Drawn:
    return Drawn({**drawn.order, "currency": "USDX"}, [], Bad("a currency of four letters", "'USDX'"))


def _below_nothing(drawn: Drawn) -> Drawn:
    order = _with_fee(drawn.order, -Decimal(drawn.order["total"]) - _MUCH)
    order["total"] = str(-_MUCH)
    return Drawn(order, [], Bad("a total below nothing", f"has a negative total of {-_MUCH}"))


def _below_nothing_shown_as_nothing(drawn: Drawn) -> Drawn:
    order = _with_fee(drawn.order, -Decimal(drawn.order["total"]) - _MUCH)
    order["total"] = "0.00"
    return Drawn(order, [], Bad("a cart below nothing, which the shop shows as nothing", "does not add up"))


def _not_adding_up(drawn: Drawn) -> Drawn:
    order = {**drawn.order, "total": str(Decimal(drawn.order["total"]) + _MUCH)}
    return Drawn(order, [], Bad("totals that do not add up", "does not add up"))


def _with_goods_coming_back(drawn: Drawn) -> Drawn:
    order = _with_line(drawn.order, name="Brought back", quantity=-1, total="-1.00")
    return Drawn(
        order, [], Bad("a quantity below nothing", "has a quantity of -1, which would put goods back")
    )


def _with_money_for_no_pieces(drawn: Drawn) -> Drawn:
    order = _with_line(drawn.order, name="Nothing", quantity=0, total="5.00")
    return Drawn(order, [], Bad("money for no pieces", "has no quantity but 5.00"))


def _with_an_unknown_product(drawn: Drawn) -> Drawn:
    order = _with_line(drawn.order, name="", product_id=0, variation_id=0, sku=None, total="0.00")
    return Drawn(order, [], Bad("an unknown product", "names no product and has a total of 0.00"))


def _with_text_for_a_total(drawn: Drawn) -> Drawn:
    return Drawn({**drawn.order, "total": "abc"}, [], Bad("a total that is text", "'abc' is not an amount"))


def _with_text_for_a_price(drawn: Drawn) -> Drawn:
    order = _with_line(drawn.order, name="Guess", total="call us")
    return Drawn(order, [], Bad("a price that is text", "'call us' is not an amount"))


def _with_a_large_refund(drawn: Drawn) -> Drawn:
    order, amount = drawn.order, Decimal(drawn.order["total"]) + _MUCH
    refund = {
        "id": order["id"] + 15,
        "amount": str(amount),
        "reason": "Too much",
        "date_created": order["date_modified"],
        "date_created_gmt": order["date_modified_gmt"],
        "line_items": [],
        "shipping_lines": [],
        "fee_lines": [],
    }
    summary = {"id": refund["id"], "reason": refund["reason"], "total": str(-amount)}
    order = {**order, "refunds": [*order["refunds"], summary]}
    bad = Bad("a refund larger than its order", "is larger than its order")
    return Drawn(order, [refund, *drawn.refunds], bad_refund=bad)


def _with_fee(order: Doc, total: Decimal) -> Doc:
    fee = {
        "id": order["id"] * 1000,
        "name": "Deduction",
        "total": str(total),
        "total_tax": "0.00",
        "taxes": [],
    }
    return {**order, "created_via": "checkout", "fee_lines": [*order["fee_lines"], fee]}


def _with_line(order: Doc, **changes: Any) -> Doc:
    line = {
        "id": order["id"] * 1000,
        "product_id": 7,
        "quantity": 1,
        "sku": "SKU-000",
        "subtotal": "0.00",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [],
    }
    return {**order, "line_items": [*order["line_items"], {**line, **changes}]}


_SPOILERS: tuple[Callable[[Drawn], Drawn], ...] = (
    _in_an_unknown_currency,
    _in_no_currency,
    _below_nothing,
    _below_nothing_shown_as_nothing,
    _not_adding_up,
    _with_goods_coming_back,
    _with_money_for_no_pieces,
    _with_an_unknown_product,
    _with_text_for_a_total,
    _with_text_for_a_price,
    _with_a_large_refund,
)
