"""Orders come to what they came to on the recorded shop."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

ORDERS = json.loads(
    (Path(__file__).parents[3] / "ops_sandbox" / "shop" / "data" / "orders.json").read_text(encoding="utf-8")
)
TOTALS = (
    "discount_total",
    "discount_tax",
    "shipping_total",
    "shipping_tax",
    "cart_tax",
    "total",
    "total_tax",
)


def _comparable(order):
    """Amounts of every line without ids."""
    return {
        **{key: order[key] for key in TOTALS},
        "lines": [
            (
                x["quantity"],
                x["subtotal"],
                x["subtotal_tax"],
                x["total"],
                x["total_tax"],
                x["taxes"],
                x["price"],
            )
            for x in order["line_items"]
        ],
        "taxes": [
            (
                t["rate_id"],
                t["rate_code"],
                t["label"],
                t["rate_percent"],
                t["tax_total"],
                t["shipping_tax_total"],
            )
            for t in order["tax_lines"]
        ],
        "shipping": [(x["total"], x["total_tax"], x["taxes"]) for x in order["shipping_lines"]],
        "fees": [(x["total"], x["total_tax"], x["taxes"]) for x in order["fee_lines"]],
        "coupons": [(c["code"], c["discount"], c["discount_tax"]) for c in order["coupon_lines"]],
    }


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: str(order["id"]))
def test_a_recorded_order_placed_again_comes_to_the_same(order, rest):
    lines = []
    for line in order["line_items"]:
        total = Decimal(line["total"])
        if line["product_id"] == 30:  # sold at a fraction of a cent
            total = Decimal("0.0375") * line["quantity"]
        wanted = {
            "product_id": line["product_id"],
            "variation_id": line["variation_id"],
            "quantity": line["quantity"],
            "subtotal": line["subtotal"] if line["subtotal"] != line["total"] else str(total),
            "total": str(total),
        }
        if line["product_id"] == 0:
            wanted["product_id"] = 10
        lines.append(wanted)
    made = rest.post(
        "/orders",
        {
            "billing": order["billing"],
            "shipping": order["shipping"],
            "line_items": lines,
            "shipping_lines": [
                {"method_id": x["method_id"], "method_title": x["method_title"], "total": x["total"]}
                for x in order["shipping_lines"]
            ],
            "fee_lines": [
                {"name": x["name"], "total": x["total"], "tax_status": x["tax_status"]}
                for x in order["fee_lines"]
            ],
            "coupon_lines": [{"code": c["code"]} for c in order["coupon_lines"]],
        },
    )
    assert _comparable(made) == _comparable(order)


def test_money_has_as_many_decimals_as_asked_for(rest):
    order_id = rest.post(
        "/orders",
        {
            "billing": {"country": "US", "state": "CA", "city": "Los Angeles"},
            "line_items": [
                {"product_id": 30, "quantity": 7},
                {"product_id": 10, "quantity": 3, "total": "11.97"},
            ],
            "shipping_lines": [{"method_id": "flat_rate", "total": "7.50"}],
        },
    )["id"]
    order = rest.get(f"/orders/{order_id}", dp=4)
    assert order["line_items"][0]["total"] == "0.2625"
    assert order["line_items"][0]["total_tax"] == "0.0200"
    assert order["line_items"][0]["taxes"] == [{"id": 1, "total": "0.0217", "subtotal": "0.0217"}]
    assert order["line_items"][1]["taxes"][0]["total"] == "0.9875"
    assert order["cart_tax"] == "1.0100"
    assert order["total"] == "21.3600"


def test_a_shopper_order_is_priced_and_taxed_where_it_goes(shop):
    order = shop.place_order([("WID-002", 2)], ship_to={"country": "CA", "state": "QC", "city": "Montréal"})
    assert [(t["rate_id"], t["tax_total"]) for t in order["tax_lines"]] == [(5, "0.70"), (6, "1.39")]
    assert order["total"] == "16.07"


def test_a_percentage_is_rounded_down_per_line_and_made_up_on_the_cheapest(shop):
    order = shop.place_order([("WID-010", 2), ("SALE-1", 1)], coupon="TENPCT", shipping=Decimal("7.50"))
    assert order["coupon_lines"][0]["discount"] == "10.19"
    assert [line["total"] for line in order["line_items"]] == ["55.79", "35.95"]


def test_a_fixed_amount_is_spread_over_all_pieces(shop):
    order = shop.place_order([("WID-002", 2), ("WID-004", 1)], coupon="fiveoff")
    assert order["discount_total"] == "5.00"
    assert sum(Decimal(line["total"]) for line in order["line_items"]) == Decimal("21.97")
