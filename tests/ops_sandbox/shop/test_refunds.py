"""Refunds: of lines, of amounts, with and without the goods."""

from __future__ import annotations

from decimal import Decimal

import pytest


def _without_ids(value):
    if isinstance(value, dict):
        return {
            k: _without_ids(v)
            for k, v in value.items()
            if k not in {"id", "_links"} and not k.startswith("date_created")
        }
    return [_without_ids(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "name",
    [
        "refund_amount_only",
        "refund_full_norestock",
        "refund_full_restock",
        "refund_line_total_without_tax",
        "refund_partial_one_line_qty1_restock",
        "refund_several_1",
        "refund_shipping_only",
    ],
)
def test_a_recorded_refund_made_again_is_the_same(name, rest, recorded):
    exchange = recorded(f"rest/{name}")
    path, body = exchange["request"]["path"], exchange["request"]["body"]
    for refund in rest.get(path.removeprefix("/wp-json/wc/v3")):
        rest.delete(f"{path}/{refund['id']}", force="true")
    made = rest.post(path, body)
    expected = exchange["response"]["body"]
    assert list(made) == list(expected)
    assert _without_ids(made) == _without_ids(expected)


@pytest.fixture
def paid(shop):
    """A paid order of four WID-005 (69.04 + tax) with flat shipping."""
    return shop.place_order([("WID-005", 4)], shipping=Decimal("7.50"))


def _stock(shop):
    return shop.product_by_sku("WID-005")["stock_quantity"]


def test_a_partial_refund_leaves_status_and_total(shop, paid, rest):
    shop.refund(paid["id"], items=[("WID-005", 1)], reason="Broken")
    order = rest.get(f"/orders/{paid['id']}")
    assert (order["status"], order["total"]) == ("processing", paid["total"])
    assert order["refunds"] == [
        {"id": order["refunds"][0]["id"], "reason": "Broken", "total": "-17.51", "total_tax": "-1.52"}
    ]


def test_restocking_moves_the_lines_memory(shop, paid, rest):
    before = _stock(shop)
    shop.refund(paid["id"], items=[("WID-005", 1)])
    line = rest.get(f"/orders/{paid['id']}")["line_items"][0]
    assert {m["key"]: m["value"] for m in line["meta_data"]} == {
        "_reduced_stock": "3",
        "_restock_refunded_items": "1",
    }
    assert _stock(shop) == before + 1


def test_without_restocking_the_goods_stay_sold(shop, paid, rest):
    before = _stock(shop)
    shop.refund(paid["id"], items=[("WID-005", 1)], restock=False)
    assert _stock(shop) == before


def test_a_refund_of_all_makes_the_order_refunded_and_keeps_its_total(shop, paid, rest):
    refund = shop.refund(paid["id"])
    order = rest.get(f"/orders/{paid['id']}")
    assert (order["status"], order["total"], refund["amount"]) == ("refunded", paid["total"], paid["total"])
    assert refund["meta_data"][0]["value"] == "full"
    assert refund["line_items"][0]["quantity"] == -4
    assert refund["line_items"][0]["meta_data"][0]["key"] == "_refunded_item_id"


def test_the_rest_of_an_order_can_be_refunded_later(shop, paid, rest):
    shop.refund(paid["id"], amount="10.00")
    shop.refund(paid["id"])
    order = rest.get(f"/orders/{paid['id']}")
    assert order["status"] == "refunded"
    assert len(order["refunds"]) == 2


def test_more_than_the_rest_is_refused_with_a_bare_500(shop, paid, rest):
    shop.refund(paid["id"], amount="10.00")
    answer = rest("POST", f"/orders/{paid['id']}/refunds", {"amount": paid["total"], "api_refund": False})
    assert (answer.status_code, answer.json()["data"]) == (500, 500)


def test_a_deleted_refund_leaves_the_orders_date(shop, paid, rest, clock):
    refund = shop.refund(paid["id"], amount="1.00")
    clock.forward(seconds=9)
    assert rest("DELETE", f"/orders/{paid['id']}/refunds/{refund['id']}").status_code == 501
    rest.delete(f"/orders/{paid['id']}/refunds/{refund['id']}", force="true")
    order = rest.get(f"/orders/{paid['id']}")
    assert (order["refunds"], order["date_modified_gmt"]) == ([], "2026-11-22T02:00:00")
    assert refund["id"] not in [r["id"] for r in rest.get("/refunds")]


def test_a_refund_through_the_gateway_is_refused(paid, rest):
    assert rest("POST", f"/orders/{paid['id']}/refunds", {"amount": "1.00"}).status_code == 500
