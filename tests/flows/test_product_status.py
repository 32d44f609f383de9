"""Where each product stands beside its item, and why; what a person does about it."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from queue_store.companies import get_store
from tests.flows.desk import Qbwoo, qbwoo_on, second_shop
from tests.flows.shelves import (
    edit,
    go_live,
    item_read,
    know_products,
    product,
    quantity,
    row,
    sync_of,
    syncs,
    variable_product,
    writes,
)
from tests.flows.street import Street


@pytest.fixture
def qbwoo(street: Street) -> Qbwoo:
    return qbwoo_on(street)


def listed(qbwoo: Qbwoo, sku: str, *more: str) -> dict[str, Any]:
    found = qbwoo("product", "list", "--sku", sku, "--json", *more).data
    assert len(found) == 1, found
    one: dict[str, Any] = found[0]
    return one


def told(one: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(found["field"], found["shop"], found["should"]) for found in one["differs"]]


def test_a_product_is_out_of_sync_with_both_values_and_the_reason_until_it_is_written(
    street: Street, qbwoo: Qbwoo
) -> None:
    product(street, "TEA-1", 3, "4.00")
    item_read(street, "TEA-1", "10", prices={"1": "4.50"})
    qbwoo("mapping", "match", "--store", "main")
    one = listed(qbwoo, "TEA-1")
    assert one["status"] == "out of sync"
    assert told(one) == [("stock", "3", "10"), ("price", "4.00", "4.50")]
    assert one["why"] == "store main is not live for stock; store main is not live for prices"
    go_live(street)
    know_products(street)
    assert "not asked for yet" in listed(qbwoo, "TEA-1")["why"]
    item_read(street, "TEA-1", "11", turn=2, prices={"1": "4.50"})
    waiting = listed(qbwoo, "TEA-1")
    assert waiting["why"] == "waits for the worker"
    assert waiting["since"] is not None
    street.work()
    one = listed(qbwoo, "TEA-1")
    assert (one["status"], one["shop_quantity"], one["differs"], one["since"]) == ("in sync", "11", [], None)


def test_a_shop_that_is_down_a_limit_and_a_cancelled_look_are_each_the_reason(
    street: Street, qbwoo: Qbwoo
) -> None:
    product(street, "TEA-1", 3, "4.00")
    go_live(street)
    know_products(street)
    item_read(street, "TEA-1", "10", prices={"1": "4.00"})
    with street.database.write() as db:
        store = get_store(db, "main")
        url, store.url = store.url, "http://127.0.0.1:9"
    street.work()
    assert "It is tried again by itself" in listed(qbwoo, "TEA-1")["why"]
    with street.database.write() as db:
        get_store(db, "main").url = url
    street.house.set_store("stock.limit", "5")
    street.ahead += timedelta(minutes=10)
    street.work()
    held = sync_of(street, "TEA-1")
    assert listed(qbwoo, "TEA-1")["why"] == f"beyond the limit: qbwoo activity release {held.id}"
    qbwoo("activity", "cancel", held.id, "--yes")
    assert "cancelled by hand" in listed(qbwoo, "TEA-1")["why"]
    stuck = qbwoo("product", "sync", "TEA-1", "--field", "stock", "--from", "quickbooks", code=1)
    assert f"qbwoo activity release {held.id}" in stuck.out


def test_what_orders_hold_is_in_orders_with_the_orders_that_hold_it(street: Street, qbwoo: Qbwoo) -> None:
    product(street, "TEA-1", 10)
    street.house.set("documents.store_number", "1")
    street.house.pos.add_item("Tea", alu="TEA-1", price1=5, on_hand={1: 10, 2: 0})
    street.house.set("stock.stores", "1")
    street.house.set("pull.items_minutes", "60")
    go_live(street)
    know_products(street)
    street.house.run_until_quiet()
    street.work()
    order = street.shop.place_order([("TEA-1", 2)])
    street.deliver()
    street.work()
    one = listed(qbwoo, "TEA-1")
    assert (one["status"], one["shop_quantity"], one["promised"]) == ("in orders", "8", "2")
    assert one["orders"][0] | {"receipt": ""} == {
        "name": f"order {order['number']}",
        "taken": "2",
        "in_books": "0",
        "holds": "2",
        "receipt": "",
    }
    assert [found["sku"] for found in qbwoo("product", "list", "--status", "in orders", "--json").data] == [
        "TEA-1"
    ]
    street.settle_down()
    after = listed(qbwoo, "TEA-1")
    assert (after["status"], after["shop_quantity"], after["promised"]) == ("in sync", "8", "0")
    story = qbwoo("product", "show", "TEA-1", "--json").data
    assert story["updates"][0]["result"] == "succeeded"
    assert story["quickbooks_read_at"] is not None


def test_an_order_that_a_person_cancelled_here_holds_its_pieces_until_he_says_it_is_booked(
    street: Street, qbwoo: Qbwoo
) -> None:
    product(street, "TEA-1", 10)
    go_live(street)
    know_products(street)
    item_read(street, "TEA-1", "10")
    street.work()
    order = street.shop.place_order([("TEA-1", 2)])
    street.deliver()
    sale = street.house.activities()[-1]
    said = qbwoo("product", "booked", "--store", "main", "--order", order["number"], "--yes", code=1)
    assert f"qbwoo activity cancel {sale.id}" in said.err
    qbwoo("activity", "cancel", sale.id, "--yes")
    street.work()
    assert quantity(street, "TEA-1") == 8
    qbwoo("product", "booked", "--store", "main", "--order", order["number"], "--yes")
    # A person entered it: QuickBooks shows two fewer when it is read again.
    item_read(street, "TEA-1", "8", turn=2)
    street.work()
    assert quantity(street, "TEA-1") == 8
    assert listed(qbwoo, "TEA-1")["status"] == "in sync"
    qbwoo("product", "booked", "--store", "main", "--order", "9999", "--yes", code=1)


def test_parents_are_base_and_what_has_no_item_is_unmatched(street: Street, qbwoo: Qbwoo) -> None:
    variable_product(street, "SH", ["SH-1"])
    item_read(street, "SH-1", "3")
    qbwoo("mapping", "match", "--store", "main")
    assert listed(qbwoo, "SH")["status"] == "base"
    unmatched = listed(qbwoo, "WID-002")
    assert (unmatched["status"], unmatched["why"]) == ("unmatched", "no item of QuickBooks has its SKU")


def test_a_held_product_is_left_alone_until_it_is_released(street: Street, qbwoo: Qbwoo) -> None:
    product(street, "TEA-1", 3)
    go_live(street)
    know_products(street)
    item_read(street, "TEA-1", "10")
    assert qbwoo("product", "hold", "TEA-1", "--json").data[0]["status"] == "held"
    street.work()
    assert quantity(street, "TEA-1") == 3
    qbwoo("product", "release", "TEA-1")
    street.work()
    assert quantity(street, "TEA-1") == 10


def test_sync_from_quickbooks_asks_for_what_differs_and_a_dry_run_for_nothing(
    street: Street, qbwoo: Qbwoo
) -> None:
    for sku in ("TEA-1", "TEA-2"):
        product(street, sku, 3)
        item_read(street, sku, "10")
    qbwoo("mapping", "match", "--store", "main")
    stuck = qbwoo("product", "sync", "TEA-1", "--field", "stock", "--from", "quickbooks", code=1)
    assert "not live for stock" in stuck.out
    go_live(street)
    plan = qbwoo(
        "product", "sync", "--all", "--field", "stock", "--from", "quickbooks", "--dry-run", "--json"
    ).data
    assert [(one["sku"], one["shop"], one["should"]) for one in plan] == [
        ("TEA-1", "3", "10"),
        ("TEA-2", "3", "10"),
    ]
    assert syncs(street) == []
    qbwoo(
        "product", "sync", "--status", "out of sync", "--field", "stock", "--from", "quickbooks", given="y\n"
    )
    street.work()
    assert (quantity(street, "TEA-1"), quantity(street, "TEA-2")) == (10, 10)
    street.calls.clear()
    # One that is named is looked at in any case; nothing is written that stands there.
    qbwoo("product", "sync", "TEA-1", "--field", "stock", "--from", "quickbooks")
    street.work()
    assert writes(street) == []
    qbwoo("product", "sync", "--field", "stock", "--from", "quickbooks", code=2)
    qbwoo("product", "sync", "NONE", "--field", "stock", "--from", "quickbooks", code=1)


def test_the_drift_report_reads_the_shop_now_and_tells_what_flows(
    street: Street, qbwoo: Qbwoo, tmp_path: Path
) -> None:
    product(street, "TEA-1", 10, "4.00")
    go_live(street, "stock")
    know_products(street)
    item_read(street, "TEA-1", "10", prices={"1": "9.00"})
    street.work()
    # A price differs, and prices do not flow: no drift.
    assert "Every product shows what it should." in qbwoo("reconcile", "products", "--store", "main").err
    all_of_it = qbwoo("reconcile", "products", "--store", "main", "--all", "--limit", 0, "--json").data
    assert [one["field"] for one in all_of_it["rows"] if one["sku"] == "TEA-1"] == ["price"]
    # Its webhook is lost.
    edit(street, "TEA-1", stock_quantity=2)
    file = tmp_path / "drift.csv"
    found = qbwoo("reconcile", "products", "--store", "main", "--json", "--csv", file).data
    assert [(one["sku"], one["shop"], one["should"]) for one in found["rows"]] == [("TEA-1", "2", "10")]
    with file.open(encoding="utf-8", newline="") as lines:
        assert [line["sku"] for line in csv.DictReader(lines)] == ["TEA-1"]
    street.work()
    assert qbwoo("reconcile", "products", "--store", "main", "--json").data["rows"] == []


def test_a_fresh_drift_report_waits_until_quickbooks_was_read(street: Street, qbwoo: Qbwoo) -> None:
    street.house.set("pull.items_minutes", "60")
    go_live(street)
    street.house.run_until_quiet()
    before = qbwoo("reconcile", "products", "--store", "main", "--json").data
    assert before["quickbooks_changes_read_at"] is not None
    said = qbwoo("reconcile", "products", "--store", "main", "--fresh", "--wait", 1, code=1)
    assert "did the Web Connector come" in said.err
    street.house.run_until_quiet()
    after = qbwoo("reconcile", "products", "--store", "main", "--json").data
    assert after["quickbooks_all_read_at"] is not None
    qbwoo("reconcile", "products", "--store", "main", "--wait", 1, code=2)


def test_two_shops_of_one_company_share_by_their_own_rules_and_hold_for_each_other(
    street: Street, qbwoo: Qbwoo
) -> None:
    product(street, "TEA-1", 10)
    item_read(street, "TEA-1", "10")
    with second_shop(street) as shop:
        shop.add_product("Tea", sku="TEA-1", stock=4)
        qbwoo("store", "set", "second", "stock.buffer", "2")
        qbwoo("store", "set", "second", "stock.share", "50")
        for store in ("main", "second"):
            qbwoo("mapping", "match", "--store", store)
            qbwoo("store", "live", store, "--only", "stock,orders", "--yes")
        street.work()
        assert (quantity(street, "TEA-1"), shop.product_by_sku("TEA-1")["stock_quantity"]) == (10, 3)
        order = street.shop.place_order([("TEA-1", 2)])
        street.deliver()
        street.work()
        assert (quantity(street, "TEA-1"), shop.product_by_sku("TEA-1")["stock_quantity"]) == (8, 2)
        both = qbwoo("product", "list", "--sku", "TEA-1", "--json").data
        assert [(one["store"], one["orders"][0]["name"]) for one in both] == [
            ("main", f"order {order['number']}"),
            ("second", f"order {order['number']}"),
        ]
        # Which of the two is meant has to be said.
        assert "--store NAME" in qbwoo("product", "hold", "TEA-1", code=2).err
        qbwoo("product", "hold", "TEA-1", "--store", "second")
        assert row(street, "TEA-1").held is False
