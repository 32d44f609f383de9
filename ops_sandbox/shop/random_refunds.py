"""Refunds drawn by chance on a drawn order, as wc_create_refund makes them.

A refund's amount is what the shop gives back; its lines tell what for and need
not come to as much. The admin page offers a line's share with the decimals the
line is kept with, and its taxes rounded as taxes are; programs send whole cents.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Literal

from ops_sandbox.shop.money.basket import Basket, FeeLine, GoodsLine, ShippingLine, ShopRules, Sums
from ops_sandbox.shop.money.numbers import ZERO, written
from ops_sandbox.shop.money.rest import charge_taxes, line_price, meta_body, tax_line_bodies
from ops_sandbox.shop.money.taxes import Taxes, add_taxes
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.random_order_body import OrderFacts
from ops_sandbox.shop.wire import Doc, php_number

Kind = Literal["full", "rest_as_amount", "pieces", "amount", "shipping", "without_tax", "money_of_lines"]

_KINDS: tuple[Kind, ...] = (
    "full", "full", "rest_as_amount", "pieces", "pieces", "pieces", "amount", "shipping", "without_tax", "money_of_lines",
)  # fmt: skip


@dataclass(slots=True)
class _Left:
    """What of an order line can still be given back."""

    body: Doc
    line: GoodsLine | ShippingLine | FeeLine
    group: Literal["line_items", "shipping_lines", "fee_lines"]
    quantity: Decimal
    total: Decimal
    taxes: Taxes


@dataclass(slots=True)
class _Share:
    """What a refund gives back of a line, in positive numbers."""

    left: _Left
    quantity: Decimal
    total: Decimal
    taxes: Taxes = field(default_factory=dict)

    def take(self) -> None:
        self.left.quantity -= self.quantity
        self.left.total -= self.total
        for rate, tax in self.taxes.items():
            self.left.taxes[rate] -= tax


def add_refunds(rng: random.Random, facts: OrderFacts, basket: Basket, sums: Sums, order: Doc) -> list[Doc]:
    """One to four refunds; writes what an order tells of them into `order`. Newest first."""
    lines = list(_all_left(basket, order))
    rest, refunds = sums.total, list[Doc]()
    ids = count(facts.line_id + 200)
    for number in range(rng.choices((1, 2, 3, 4), (70, 18, 8, 4))[0]):
        kind = rng.choice(_KINDS)
        shares = list(_shares(rng, kind, lines, basket.rules))
        exact = sum((s.total + sum(s.taxes.values(), ZERO) for s in shares), ZERO)
        amount = basket.rules.money(exact)
        if kind in ("full", "rest_as_amount"):
            amount = rest
        elif kind == "amount":
            amount = basket.rules.money(rest * Decimal(rng.choice(("0.1", "0.333", "0.5"))))
        if not 0 < amount <= rest:
            continue
        rest -= amount
        for share in shares:
            share.take()
        if shares and rng.random() < 0.5:
            _restock(facts, shares, ids)
        refunds.insert(0, _refund(facts, basket, number, amount, shares, ids, is_full=rest == 0))
        order["refunds"].append(_summary(basket, refunds[0], shares))
        if rest == 0:
            order["status"] = "refunded"
            break
    if refunds:
        modified = facts.created + timedelta(hours=len(refunds))
        order.update(facts.stamps("date_modified", modified))
    return refunds


def _all_left(basket: Basket, order: Doc) -> Iterator[_Left]:
    for body, goods in zip(order["line_items"], basket.goods, strict=True):
        yield _Left(body, goods, "line_items", goods.quantity, goods.total, dict(goods.taxes))
    for body, shipping in zip(order["shipping_lines"], basket.shipping, strict=True):
        yield _Left(body, shipping, "shipping_lines", ZERO, shipping.total, dict(shipping.taxes))
    for body, fee in zip(order["fee_lines"], basket.fees, strict=True):
        yield _Left(body, fee, "fee_lines", ZERO, fee.total, dict(fee.taxes))


def _shares(rng: random.Random, kind: Kind, lines: list[_Left], rules: ShopRules) -> Iterator[_Share]:
    goods = [left for left in lines if left.group == "line_items" and left.quantity > 0]
    if kind == "full":
        for left in lines:
            taxes = {rate: rules.line_tax(tax) for rate, tax in left.taxes.items()}
            yield _Share(left, left.quantity, left.total, taxes)
    elif kind == "shipping":
        for left in lines:
            if left.group == "shipping_lines" and left.total > 0:
                yield _Share(left, ZERO, left.total, {r: rules.line_tax(t) for r, t in left.taxes.items()})
    elif kind in ("pieces", "without_tax", "money_of_lines") and goods:
        by_program = rng.random() < 0.5
        for left in rng.sample(goods, rng.randint(1, min(3, len(goods)))):
            share = _pieces(rng, left, rules, by_program=by_program)
            if kind == "without_tax":
                share.taxes = {}
            if kind == "money_of_lines":
                share.quantity = ZERO
            yield share


def _pieces(rng: random.Random, left: _Left, rules: ShopRules, *, by_program: bool) -> _Share:
    """Some pieces of a line, all of them at times, for their share of what is left of its money."""
    whole = left.quantity == left.quantity.to_integral_value()
    quantity = Decimal(rng.randint(1, int(left.quantity))) if whole else left.quantity
    part = quantity / left.quantity
    total = left.total * part
    taxes = {rate: rules.line_tax(rules.kept(tax * part)) for rate, tax in left.taxes.items()}
    if by_program:
        return _Share(left, quantity, rules.money(total), {r: rules.money(t) for r, t in taxes.items()})
    return _Share(left, quantity, rules.kept(total), taxes)


def _restock(facts: OrderFacts, shares: list[_Share], ids: Iterator[int]) -> None:
    """Puts pieces back: the order's line tells how many were, over all refunds, and how many are still out."""
    for share in shares:
        metas = {meta["key"]: meta for meta in share.left.body["meta_data"]}
        if "_reduced_stock" not in metas or not share.quantity:
            continue
        out = Decimal(metas["_reduced_stock"]["value"]) - share.quantity
        _set_meta(metas["_reduced_stock"], out)
        back = metas.get("_restock_refunded_items")
        if back is None:
            back = meta_body(1000 * next(ids), "_restock_refunded_items", "0")
            share.left.body["meta_data"].append(back)
        _set_meta(back, Decimal(back["value"]) + share.quantity)


def _set_meta(meta: Doc, quantity: Decimal) -> None:
    meta["value"] = meta["display_value"] = str(php_number(quantity))


def _tax_sums(rules: ShopRules, shares: list[_Share]) -> tuple[Taxes, Taxes]:
    """The refund's tax lines, of goods and fees, and of shipping; negative."""
    cart: Taxes = {}
    shipping: Taxes = {}
    for share in shares:
        sums = shipping if share.left.group == "shipping_lines" else cart
        add_taxes(sums, {rate: -rules.line_tax(tax) for rate, tax in share.taxes.items() if tax})
    return cart, shipping


def _summary(basket: Basket, refund: Doc, shares: list[_Share]) -> Doc:
    """What the order tells of a refund."""
    rules = basket.rules
    tax = sum((sum(taxes.values(), ZERO) for taxes in _tax_sums(rules, shares)), ZERO)
    return {
        "id": refund["id"],
        "reason": refund["reason"],
        "total": f"-{refund['amount']}",
        "total_tax": written(rules.money(tax), rules.decimals),
    }


def _refund(
    facts: OrderFacts,
    basket: Basket,
    number: int,
    amount: Decimal,
    shares: list[_Share],
    ids: Iterator[int],
    *,
    is_full: bool,
) -> Doc:
    rules, refund_id = basket.rules, facts.id + 1 + number
    stamps = facts.stamps("date_created", facts.created + timedelta(hours=1 + number))
    body: Doc = {
        "id": refund_id,
        **stamps,
        "amount": written(amount, rules.decimals),
        "reason": ("", "Goodwill", "Broken")[number % 3],
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [
            {"id": 10 * refund_id, "key": "_refund_type", "value": "full" if is_full else "partial"}
        ],
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    }
    for share in shares:
        if share.quantity or share.total or any(share.taxes.values()):
            body[share.left.group].append(_line(rules, share, next(ids)))
    cart, shipping = _tax_sums(rules, shares)
    body["tax_lines"] = tax_line_bodies(cart, shipping, rules.rates, rules.decimals, ids)
    parent = f"/orders/{facts.id}"
    body["_links"] = links(
        facts.home, f"{parent}/refunds/{refund_id}", f"{parent}/refunds", ["GET", "DELETE"]
    )
    body["_links"]["up"] = [{"href": f"{facts.home}/wp-json/wc/v3{parent}"}]
    return body


def _line(rules: ShopRules, share: _Share, line_id: int) -> Doc:
    places, body = rules.decimals, dict(share.left.body)
    taxes = {rate: -tax for rate, tax in share.taxes.items() if tax}
    total = written(-share.total, places)
    total_tax = written(sum(map(rules.line_tax, taxes.values()), ZERO), places)
    body |= {
        "id": line_id,
        "total": total,
        "total_tax": total_tax,
        "taxes": charge_taxes(taxes, places),
        "meta_data": [meta_body(1000 * line_id, "_refunded_item_id", str(share.left.body["id"]))],
    }
    if share.left.group == "line_items":
        body |= {
            "quantity": php_number(-share.quantity),
            "subtotal": total,
            "subtotal_tax": total_tax,
            "taxes": [{**tax, "subtotal": tax["total"]} for tax in body["taxes"]],
            "price": line_price(-share.total, -share.quantity),
        }
    return body
