"""Whatever becomes of orders, stock on the shelf and stock that orders hold come to the same sum."""

from __future__ import annotations

import random

import pytest

from ops_sandbox.shop import Shop


def held(shop, product):
    return sum(
        int(meta["value"])
        for order in shop.orders()
        for line in order["line_items"]
        if product in (line["product_id"], line["variation_id"])
        for meta in line["meta_data"]
        if meta["key"] == "_reduced_stock"
    )


@pytest.mark.parametrize("seed", range(6))
def test_stock_and_reduced_stock_come_to_the_same_sum(seed, clock):
    shop = Shop.create(seed=False, clock=clock)
    rng = random.Random(seed)
    parent = shop.add_variable_product(
        "Hat", {"Size": ["S"]}, [{"sku": "HAT-S", "price": "20.00", "stock": 50, "options": {"Size": "S"}}]
    )
    tea = shop.add_product("Tea", sku="TEA", price="5.00", stock=50)["id"]
    hat = parent["variations"][0]
    placed = []
    for _ in range(60):
        deed = rng.random()
        if deed < 0.4 or not placed:
            items = [(rng.choice(("TEA", "HAT-S")), rng.randint(1, 3))]
            status = rng.choice((None, "pending", "on-hold", "failed", "cancelled", "completed"))
            placed.append(shop.place_order(items, status=status)["id"])
        elif deed < 0.75:
            shop.set_status(
                rng.choice(placed), rng.choice(("pending", "processing", "completed", "cancelled", "failed"))
            )
        elif deed < 0.9:
            order = rng.choice(placed)
            body = next(o for o in shop.orders() if o["id"] == order)
            line = body["line_items"][0]
            if body["status"] in ("processing", "completed") and not body["refunds"]:
                key = line["variation_id"] or line["product_id"]
                shop.refund(order, items=[(key, 1)], restock=rng.random() < 0.6)
        else:
            shop.touch_order(rng.choice(placed))
        assert shop.stock(tea) + held(shop, tea) == 50
        assert shop.stock(hat) + held(shop, hat) == 50
    shop.close()


def test_an_importer_can_give_one_sku_to_two_products(shop, rest):
    shop.add_product("One", sku="ONE")
    second = shop.add_product("Two", sku="TWO")
    shop.write_to_database("TWO", sku="ONE")
    assert len(rest.get("/products", sku="one")) == 2
    assert rest.get(f"/products/{second['id']}")["date_modified_gmt"] == second["date_modified_gmt"]


def test_a_webhook_can_be_disabled_for_a_while(shop, rest, receiver):
    hook = shop.add_webhook("product.updated", f"{receiver.url}/hook", "s")
    shop.set_webhook_status(hook, "disabled")
    rest.put("/products/11", {})
    shop.set_webhook_status(hook, "active")
    rest.put("/products/12", {})
    shop.run_queue()
    assert shop.webhook_status(hook) == "active"
    assert receiver.fired == [("product.updated", 12)]


def test_a_shop_found_again_knows_its_skus_variations_and_terms(tmp_path, clock):
    shop = Shop.create(tmp_path / "shop.sqlite", seed=False, clock=clock)
    parent = shop.add_variable_product(
        "Hat", {"Size": ["S"]}, [{"sku": "HAT-S", "stock": 5, "options": {"Size": "S"}}]
    )
    shop.close()
    again = Shop.create(tmp_path / "shop.sqlite", clock=clock)
    assert again.stock("hat-s") == 5
    assert again.product_by_sku("HAT-S")["parent_id"] == parent["id"]
    assert again.edit_product(parent["id"], categories=[])["categories"][0]["id"] == 15
    again.close()
