"""The arithmetic gives what a real WooCommerce gave: every recorded order reckoned again from its inputs."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops_sandbox.shop.money.basket import Basket, Coupon, FeeLine, GoodsLine, ShippingLine, ShopRules
from ops_sandbox.shop.money.carts import by_store_api
from ops_sandbox.shop.money.numbers import trimmed
from ops_sandbox.shop.money.orders import by_order
from ops_sandbox.shop.money.rest import (
    charge_amounts,
    goods_amounts,
    sums_body,
    tax_line_bodies,
    tax_rate_body,
)
from ops_sandbox.shop.money.taxes import TaxRate

FOLDER = Path(__file__).parents[3] / "data" / "woocommerce" / "rest"

BASE = {"country": "US", "state": "CA", "city": "San Francisco"}
#: Sold untaxed by the recorded store.
UNTAXED = {"GIFT-25"}


def body_of(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["response"]["body"]


RATES = tuple(TaxRate.from_rest(rate) for rate in body_of("get_taxes"))
ORDERS = sorted(
    path.stem
    for path in FOLDER.glob("order_*.json")
    if isinstance(body_of(path.stem), dict) and "line_items" in body_of(path.stem)
)


def unrounded(line: dict[str, Any], key: str) -> Decimal:
    """An amount as stored: "price" tells the decimals that the shown amount lost."""
    exact = Decimal(str(line["price"])) * line["quantity"]
    return round(exact, 6) if abs(exact - Decimal(line[key])) < Decimal("0.006") else Decimal(line[key])


def basket_of(order: dict[str, Any]) -> Basket:
    """The inputs of a recorded order; where coupons were used, what they took is left to be found."""
    coupons = order["coupon_lines"]
    goods = []
    for line in order["line_items"]:
        subtotal = unrounded(line, "subtotal")
        goods.append(
            GoodsLine(
                price=subtotal / line["quantity"],
                quantity=Decimal(line["quantity"]),
                tax_class=line["tax_class"],
                taxable=line["sku"] not in UNTAXED,
                given_subtotal=subtotal,
                given_total=None if coupons else unrounded(line, "total"),
            )
        )
    return Basket(
        rules=ShopRules(rates=RATES, base=BASE),
        address=order["shipping"] if order["shipping"]["country"] else BASE,
        goods=goods,
        shipping=[ShippingLine(total=Decimal(line["total"])) for line in order["shipping_lines"]],
        fees=[
            FeeLine(total=Decimal(line["total"]), taxable=line["tax_status"] == "taxable")
            for line in order["fee_lines"]
        ],
        coupons=[
            Coupon(code=c["code"], kind=c["discount_type"], amount=Decimal(str(c["nominal_amount"])))
            for c in coupons
        ],
    )


@pytest.mark.parametrize("name", ORDERS)
def test_a_recorded_order_comes_to_the_recorded_amounts(name: str) -> None:
    order = body_of(name)
    places = 4 if name.endswith("dp4") else 2
    basket = basket_of(order)
    reckon = by_store_api if order["created_via"] == "store-api" else by_order
    sums = reckon(basket)

    assert sums_body(sums, places) == {key: order[key] for key in sums_body(sums, places)}
    for line, recorded in zip(basket.goods, order["line_items"], strict=True):
        amounts = goods_amounts(line, places)
        assert amounts == {key: recorded[key] for key in amounts}
    for key, lines in (("shipping_lines", basket.shipping), ("fee_lines", basket.fees)):
        for line, recorded in zip(lines, order[key], strict=True):
            amounts = charge_amounts(line, places)
            assert amounts == {key: recorded[key] for key in amounts}
    ids = [line["id"] for line in order["tax_lines"]]
    assert tax_line_bodies(sums.cart_taxes, sums.shipping_taxes, RATES, places, ids) == order["tax_lines"]
    for coupon, recorded in zip(basket.coupons, order["coupon_lines"], strict=True):
        assert (trimmed(coupon.discount), trimmed(coupon.discount_tax)) == (
            recorded["discount"],
            recorded["discount_tax"],
        )


def test_tax_rates_are_written_as_recorded() -> None:
    assert [tax_rate_body(rate, "https://localhost:8443") for rate in RATES] == body_of("get_taxes")
