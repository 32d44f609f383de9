"""Orders as WooCommerce writes them, by the thousand: a recorded order with other lines and another buyer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

#: The recorded order that all others are made from: a guest's, completed, paid, in US dollars.
_RECORDED_ID = 68
_TAX_PERCENT = Decimal("8.25")
_SHIPPING = Decimal("7.50")
_CENT = Decimal("0.01")
_FIRST_CHANGE = datetime(2026, 11, 22, 1, 0)  # noqa: DTZ001 - WooCommerce writes UTC without saying so


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of a product, at a price each before tax."""

    sku: str
    pieces: int
    price: Decimal


@cache
def _recorded() -> dict[str, Any]:
    orders = json.loads(resources.files("ops_sandbox.shop").joinpath("data/orders.json").read_bytes())
    return next(order for order in orders if order["id"] == _RECORDED_ID)


def make_order(
    order_id: int, lines: Sequence[Line], email: str, *, taxed: bool = True, changes: int = 0
) -> dict[str, Any]:
    """One order. `taxed`: with sales tax and shipping. `changes`: seconds since it was first saved."""
    goods = [line.pieces * line.price for line in lines]
    taxes = [_tax(amount) if taxed else Decimal(0) for amount in goods]
    shipping = _SHIPPING if taxed else Decimal(0)
    shipping_tax = _tax(shipping)
    recorded = _recorded()
    modified = (_FIRST_CHANGE + timedelta(seconds=changes)).isoformat()
    name = email.partition("@")[0].capitalize()
    return {
        **recorded,
        "id": order_id,
        "number": str(order_id),
        "date_modified": modified,
        "date_modified_gmt": modified,
        "shipping_total": _money(shipping),
        "shipping_tax": _money(shipping_tax),
        "cart_tax": _money(sum(taxes, Decimal(0))),
        "total_tax": _money(sum(taxes, shipping_tax)),
        "total": _money(sum(goods, sum(taxes, shipping + shipping_tax))),
        "billing": {**recorded["billing"], "email": email, "last_name": name},
        "shipping": {**recorded["shipping"], "last_name": name},
        "line_items": [
            _line(recorded["line_items"][0], place, line, amount, tax)
            for place, (line, amount, tax) in enumerate(zip(lines, goods, taxes, strict=True), start=1)
        ],
        "tax_lines": [
            {
                **recorded["tax_lines"][0],
                "tax_total": _money(sum(taxes, Decimal(0))),
                "shipping_tax_total": _money(shipping_tax),
            }
        ]
        if taxed
        else [],
        "shipping_lines": [
            {
                **recorded["shipping_lines"][0],
                "total": _money(shipping),
                "total_tax": _money(shipping_tax),
                "taxes": [{"id": 1, "total": _money(shipping_tax), "subtotal": ""}],
            }
        ]
        if taxed
        else [],
    }


def body_of(order: dict[str, Any]) -> bytes:
    """An order's bytes, as PHP writes them."""
    return json.dumps(order, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def _line(recorded: dict[str, Any], place: int, line: Line, amount: Decimal, tax: Decimal) -> dict[str, Any]:
    return {
        **recorded,
        "id": place,
        "name": f"Product {line.sku}",
        "sku": line.sku,
        "quantity": line.pieces,
        "price": float(line.price),
        "subtotal": _money(amount),
        "total": _money(amount),
        "subtotal_tax": _money(tax),
        "total_tax": _money(tax),
        "taxes": [{"id": 1, "total": _money(tax), "subtotal": _money(tax)}] if tax else [],
    }


def _tax(amount: Decimal) -> Decimal:
    return (amount * _TAX_PERCENT / 100).quantize(_CENT)


def _money(amount: Decimal) -> str:
    return str(amount.quantize(_CENT))
