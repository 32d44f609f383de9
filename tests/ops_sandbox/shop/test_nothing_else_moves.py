"""A write of price or stock changes what it names, what follows from it, and no other byte of a product.

The products are the recorded ones, as a real WooCommerce answered them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data" / "woocommerce"
RECORDED = sorted(path.stem for path in (DATA / "rest").glob("product_*.json"))

DATES = {"date_modified", "date_modified_gmt"}
STOCK = {"stock_quantity", "stock_status", "backordered"}
PRICE = {"regular_price", "sale_price", "price", "price_html", "on_sale", "purchasable"}


def _products():
    for name in RECORDED:
        body = json.loads((DATA / "rest" / f"{name}.json").read_text(encoding="utf-8"))["response"]["body"]
        if body["type"] in ("simple", "external") and not body["parent_id"]:
            yield body["id"]


IDS = sorted(set(_products()))
WRITES = [
    ({"stock_quantity": 4}, STOCK),
    ({"stock_quantity": 0}, STOCK),
    ({"regular_price": "123.45"}, PRICE),
    ({"regular_price": "123.45", "sale_price": "99.00", "stock_quantity": 9}, PRICE | STOCK),
    ({"sale_price": ""}, PRICE),
    ({}, set()),
]


def changed(before, after):
    assert list(after) == list(before)
    return {key for key in before if json.dumps(before[key]) != json.dumps(after[key])}


@pytest.mark.parametrize("product", IDS)
@pytest.mark.parametrize(("body", "may_change"), WRITES)
@pytest.mark.parametrize("by_batch", [False, True])
def test_a_write_to_a_recorded_product_moves_nothing_else(product, body, may_change, by_batch, rest, clock):
    before = rest.get(f"/products/{product}")
    clock.forward(seconds=5)
    if by_batch:
        rest.post("/products/batch", {"update": [{"id": product, **body}]})
    else:
        rest.put(f"/products/{product}", body)
    moved = changed(before, rest.get(f"/products/{product}"))
    assert moved >= DATES
    assert moved - DATES <= may_change
    if before["manage_stock"] and body.get("stock_quantity") == 4:
        assert "stock_quantity" in moved
    if "123.45" in body.values():
        assert "regular_price" in moved


@pytest.mark.parametrize("by_batch", [False, True])
@pytest.mark.parametrize(("parent", "variation"), [(40, 41), (50, 51), (60, 61), (60, 62)])
def test_a_write_to_a_recorded_variation_moves_nothing_else(parent, variation, by_batch, rest, clock):
    path = f"/products/{parent}/variations/{variation}"
    before, parent_before = rest.get(path), rest.get(f"/products/{parent}")
    clock.forward(seconds=5)
    body = {"stock_quantity": 4, "regular_price": "123.45"}
    if by_batch:
        rest.post(f"/products/{parent}/variations/batch", {"update": [{"id": variation, **body}]})
    else:
        rest.put(path, body)
    moved = changed(before, rest.get(path))
    assert DATES <= moved <= DATES | PRICE | STOCK
    assert DATES <= changed(parent_before, rest.get(f"/products/{parent}")) <= DATES | {"price", "price_html"}
    others = [v for v in parent_before["variations"] if v != variation]
    for other in others:
        assert rest.get(f"/products/{other}")["date_modified_gmt"] < "2026-11-22T02:00:00"


#: Deliveries of one recorded product, each after the write that is named beside it.
STEPS = [
    ("11_product_update_price", "12_product_update_stock", STOCK),
    ("12_product_update_stock", "13_product_update_noop", set()),
    ("13_product_update_noop", "14_product_update_meta", {"meta_data"}),
    ("14_product_update_meta", "15_product_update_empty", set()),
]


@pytest.mark.parametrize(("earlier", "later", "may_change"), STEPS)
def test_the_recorded_shop_moved_nothing_else_either(earlier, later, may_change, recorded):
    first, second = (
        json.loads(recorded(f"webhooks/{name}")["deliveries"][-1]["body"]) for name in (earlier, later)
    )
    assert first["id"] == second["id"]
    # Which products are related is drawn by chance at each answer.
    assert changed(first, second) - {"related_ids"} <= DATES | may_change
