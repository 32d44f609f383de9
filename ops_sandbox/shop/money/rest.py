"""Amounts and lines as REST answers write them; `places` is the decimals asked for with `dp`, else the shop's.

Stored amounts have more decimals than those shown, so a line's "price" can
tell what its "total" does not, and shown lines need not add up to a shown sum.
A coupon's discount is written as it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ops_sandbox.shop.money.basket import Coupon, FeeLine, GoodsLine, ShippingLine, ShopRules, Sums
from ops_sandbox.shop.money.numbers import ZERO, trimmed, written
from ops_sandbox.shop.money.taxes import Taxes, TaxRate
from ops_sandbox.shop.wire import Doc, php_json, php_number


def sums_body(sums: Sums, places: int) -> dict[str, str]:
    """The amounts of the order itself."""
    return {
        "discount_total": written(sums.discount_total, places),
        "discount_tax": written(sums.discount_tax, places),
        "shipping_total": written(sums.shipping_total, places),
        "shipping_tax": written(sums.shipping_tax, places),
        "cart_tax": written(sums.cart_tax, places),
        "total": written(sums.total, places),
        "total_tax": written(sums.total_tax, places),
    }


def goods_amounts(line: GoodsLine, places: int) -> Doc:
    """The amounts of a line of goods, "taxes" and "price" with them."""
    return {
        "subtotal": written(line.subtotal, places),
        "subtotal_tax": written(line.subtotal_tax, places),
        "total": written(line.total, places),
        "total_tax": written(line.total_tax, places),
        "taxes": [
            {
                "id": rate_id,
                "total": written(tax, places),
                "subtotal": written(line.subtotal_taxes[rate_id], places),
            }
            for rate_id, tax in line.taxes.items()
        ],
        "price": line_price(line.total, line.quantity),
    }


def line_price(total: Decimal, quantity: Decimal) -> int | float:
    """Total by quantity in binary floats: 8.333333333333334."""
    return php_number(float(total) / float(quantity)) if quantity else 0


def charge_amounts(line: ShippingLine | FeeLine, places: int) -> Doc:
    """The amounts of a shipping or fee line; their taxes have no subtotal."""
    return {
        "total": written(line.total, places),
        "total_tax": written(line.total_tax, places),
        "taxes": charge_taxes(line.taxes, places),
    }


def charge_taxes(taxes: Taxes, places: int) -> list[Doc]:
    """The "taxes" of a shipping or fee line."""
    return [{"id": r, "total": written(tax, places), "subtotal": ""} for r, tax in taxes.items()]


def coupon_body(coupon: Coupon, coupon_id: int, line_id: int, meta_id: int) -> Doc:
    """A line of "coupon_lines"; WooCommerce leaves its default kind out of the note."""
    nominal = php_number(coupon.amount)
    kind = None if coupon.kind == "fixed_cart" else coupon.kind
    info = php_json([coupon_id, coupon.code, kind, nominal]).decode()
    return {
        "id": line_id,
        "code": coupon.code,
        "discount": trimmed(coupon.discount),
        "discount_tax": trimmed(coupon.discount_tax),
        "meta_data": [meta_body(meta_id, "coupon_info", info)],
        "discount_type": coupon.kind,
        "nominal_amount": nominal,
        "free_shipping": False,
    }


def tax_line_bodies(
    cart_taxes: Taxes, shipping_taxes: Taxes, rates: Iterable[TaxRate], places: int, ids: Iterable[int]
) -> list[Doc]:
    """ "tax_lines": one a rate, goods and fees in "tax_total"."""
    known = {rate.id: rate for rate in rates}
    return [
        {
            "id": line_id,
            "rate_code": known[rate_id].code,
            "rate_id": rate_id,
            "label": known[rate_id].name,
            "compound": known[rate_id].compound,
            "tax_total": written(cart_taxes.get(rate_id, ZERO), places),
            "shipping_tax_total": written(shipping_taxes.get(rate_id, ZERO), places),
            "rate_percent": php_number(known[rate_id].percent),
            "meta_data": [],
        }
        for rate_id, line_id in zip({**cart_taxes, **shipping_taxes}, ids, strict=False)
    ]


def meta_body(meta_id: int, key: str, value: str, shown: tuple[str, str] | None = None) -> Doc:
    """An entry of a line's "meta_data"; `shown` is how people read key and value."""
    display_key, display_value = shown or (key, value)
    return {
        "id": meta_id,
        "key": key,
        "value": value,
        "display_key": display_key,
        "display_value": display_value,
    }


def tax_rate_body(rate: TaxRate, home: str) -> Doc:
    """An element of GET taxes."""
    root = f"{home}/wp-json/wc/v3/taxes"
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return {
        "id": rate.id,
        "country": rate.country,
        "state": rate.state,
        "postcode": "",
        "city": rate.city,
        "rate": f"{rate.percent:.4f}",
        "name": rate.name,
        "priority": rate.priority,
        "compound": rate.compound,
        "shipping": rate.shipping,
        "order": rate.order,
        "class": rate.tax_class or "standard",
        "postcodes": [],
        "cities": [rate.city] if rate.city else [],
        "_links": {
            "self": [{"href": f"{root}/{rate.id}", "targetHints": {"allow": methods}}],
            "collection": [{"href": root}],
        },
    }


def shown(rules: ShopRules, value: Decimal) -> str:
    """`value` in the shop's own decimals."""
    return written(value, rules.decimals)
