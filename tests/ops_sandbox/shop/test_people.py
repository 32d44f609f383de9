"""What shoppers and shopkeepers do without a call, and what the API then shows and the webhooks tell."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ops_sandbox.shop import NoSuchRecord, RestError


def reduced(order):
    return [
        meta["value"]
        for line in order["line_items"]
        for meta in line["meta_data"]
        if meta["key"] == "_reduced_stock"
    ]


@pytest.fixture
def tea(shop):
    return shop.add_product("Tea & Co", sku="TEA-50", price=Decimal("7.5"), stock=10)


def test_a_product_is_entered_as_by_the_api(shop, rest, tea):
    shown = rest.get(f"/products/{tea['id']}")
    assert (shown["name"], shown["sku"], shown["price"], shown["stock_quantity"], shown["status"]) == (
        "Tea &amp; Co",
        "TEA-50",
        "7.50",
        10,
        "publish",
    )


def test_an_order_takes_and_remembers_its_stock_and_gives_it_back(shop, rest, tea):
    order = shop.place_order([("tea-50", 2), (11, 1)])
    assert (order["status"], reduced(order)) == ("processing", ["2", "1"])
    assert shop.stock("TEA-50") == 8
    assert reduced(shop.complete(order["id"])) == ["2", "1"]
    assert reduced(shop.cancel(order["id"])) == []
    assert shop.stock("TEA-50") == 10


@pytest.mark.parametrize(
    ("status", "left"),
    [("pending", 10), ("failed", 10), ("on-hold", 8), ("processing", 8), ("completed", 8), ("cancelled", 10)],
)
def test_stock_is_taken_by_the_status_of_an_order(shop, tea, status, left):
    shop.place_order([("TEA-50", 2)], paid=False, status=status)
    assert shop.stock("TEA-50") == left


def test_a_failed_payment_that_is_paid_later_takes_stock_then(shop, tea):
    order = shop.place_order([("TEA-50", 2)], paid=False, status="failed")
    assert shop.stock("TEA-50") == 10
    assert shop.pay(order["id"])["status"] == "processing"
    assert shop.stock("TEA-50") == 8
    # From taken to failed gives nothing back; to pending does.
    shop.set_status(order["id"], "failed")
    assert shop.stock("TEA-50") == 8
    shop.set_status(order["id"], "pending")
    assert shop.stock("TEA-50") == 10


@pytest.mark.parametrize(("restock", "left", "kept"), [(True, 9, "1"), (False, 8, "2")])
def test_a_refund_gives_stock_back_only_where_it_is_told_to(shop, rest, tea, restock, left, kept):
    order = shop.place_order([("TEA-50", 2)])
    refund = shop.refund(order["id"], items=[("TEA-50", 1)], restock=restock)
    assert shop.stock("TEA-50") == left
    assert reduced(rest.get(f"/orders/{order['id']}")) == [kept]
    shop.delete_refund(order["id"], refund["id"])
    assert shop.stock("TEA-50") == left
    # What was restocked is not given back a second time.
    shop.cancel(order["id"])
    assert shop.stock("TEA-50") == 10


def test_a_person_edits_a_product_and_it_fires(shop, rest, fires, tea, clock):
    fires()
    clock.forward(minutes=1)
    shop.edit_product("TEA-50", regular_price="8.00", stock_quantity=3, name="Black tea", sku="TEA-51")
    assert fires() == [("product.updated", tea["id"])]
    shown = rest.get(f"/products/{tea['id']}")
    assert (shown["price"], shown["stock_quantity"], shown["name"], shown["sku"]) == (
        "8.00",
        3,
        "Black tea",
        "TEA-51",
    )
    assert shown["date_modified_gmt"] == "2026-11-22T02:01:00"
    with pytest.raises(NoSuchRecord):
        shop.stock("TEA-50")


def test_a_taken_sku_is_refused_to_a_person_too(shop, tea):
    with pytest.raises(RestError, match="duplicated SKU"):
        shop.edit_product(11, sku="tea-50")


def test_a_variable_product_is_entered_with_its_variations(shop, rest):
    parent = shop.add_variable_product(
        "Hat",
        {"Size": ["S", "M"]},
        [
            {"sku": "HAT-S", "price": "20.00", "stock": 4, "options": {"Size": "S"}},
            {"sku": "HAT-M", "price": "22.00", "stock": 2, "options": {"Size": "M"}, "status": "private"},
        ],
    )
    small, medium = rest.get(f"/products/{parent['id']}/variations", order="asc")
    assert (small["sku"], small["name"], small["stock_quantity"], small["status"]) == (
        "HAT-S",
        "S",
        4,
        "publish",
    )
    assert (medium["name"], medium["status"]) == ("M", "private")
    assert (parent["type"], parent["price"], parent["variations"]) == (
        "variable",
        "20.00",
        [small["id"], medium["id"]],
    )
    shop.place_order([("HAT-S", 1)])
    assert (shop.stock("HAT-S"), shop.stock("HAT-M")) == (3, 2)
    assert shop.stocks()["HAT-S"] == 3


def test_the_trash_of_the_admin_page_fires_deleted_alone(shop, fires, tea):
    fires()
    shop.trash_product("TEA-50")
    assert fires() == [("product.deleted", tea["id"])]
    shop.delete_product(tea["id"])
    assert fires() == []


def test_an_order_erased_fires_nothing_and_gives_no_stock_back(shop, rest, fires, tea):
    order = shop.place_order([("TEA-50", 2)])["id"]
    fires()
    shop.erase_order(order)
    assert fires() == []
    assert rest("GET", f"/orders/{order}").status_code == 404
    assert shop.stock("TEA-50") == 8
