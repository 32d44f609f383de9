"""Customers, products, quantities and prices sent and fetched because a person says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ops_console import push_customers
from queue_store.companies import get_store
from queue_store.hand_runs import begun
from queue_store.item_orders import decode_item_change
from queue_store.models import HandRun
from queue_store.product_payloads import decode_adjustment
from tests.flows.desk import Qbwoo, begin, qbwoo_on
from tests.flows.shelves import go_live, item_read, know_products, product, quantity, row, shown, writes
from tests.flows.street import Street


@pytest.fixture
def qbwoo(street: Street) -> Qbwoo:
    return qbwoo_on(street)


@pytest.fixture
def stocked(street: Street, qbwoo: Qbwoo) -> Street:
    """TEA-1 and TEA-2, of which QuickBooks has 10 each at 5.00; the shop 10 and 3, the latter at 4.00."""
    for sku, pieces, price in (("TEA-1", 10, "5.00"), ("TEA-2", 3, "4.00")):
        product(street, sku, pieces, price)
        street.house.pos.add_item(f"Item {sku}", alu=sku, price1=Decimal(5), on_hand={1: 10, 2: 0})
    street.house.pos.add_customer("Old", first_name="Bob", email="bob@example.com")
    for key, value in (("pull.items_minutes", "60"), ("pull.customers_minutes", "60"), ("stock.stores", "1")):
        street.house.set(key, value)
    street.house.run_until_quiet()
    qbwoo("mapping", "match", "--store", "main")
    return street


def on_hand(street: Street, sku: str) -> Decimal:
    found: Decimal = next(item for item in street.house.pos.items() if item.alu == sku).on_hand[1]
    return found


# Customers -----------------------------------------------------------------------


def test_accounts_that_quickbooks_lacks_are_added_once_and_known_ones_are_changed(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    dry = qbwoo("push", "customers", "--store", "main", "--dry-run", "--json", "--limit", 2).data
    assert dry["counts"] == {"would go": 12}
    assert "<CustomerID>WMAIN-C2</CustomerID>" in dry["rows"][0]["document"]
    assert stocked.house.activities("add_customer") == []
    qbwoo("push", "customers", "--store", "main", "--ids", "2,3", "--yes")
    stocked.house.run_until_quiet()
    assert stocked.house.states("add_customer") == ["succeeded", "succeeded"]
    done = qbwoo("push", "customers", "--store", "main", "--yes", "--json").data
    assert done["counts"] == {"sent": 12}
    assert len(stocked.house.activities("add_customer")) == 12
    assert [one.record_id for one in stocked.house.activities("change_customer")] == ["2", "3"]
    stocked.house.run_until_quiet()
    again = qbwoo("push", "customers", "--store", "main", "--ids", "2", "--yes", "--json").data
    assert again["counts"] == {"unchanged": 1}
    assert qbwoo("push", "customers", "--store", "main", "--ids", "999", "--yes", code=1)


def test_nobody_is_added_before_quickbooks_customers_are_known(street: Street, qbwoo: Qbwoo) -> None:
    said = qbwoo("push", "customers", "--store", "main", "--ids", "2", "--yes", code=1)
    assert "were not read to their end yet" in said.out
    assert street.house.activities("add_customer") == []


def test_a_push_that_is_broken_off_goes_on_where_it_stood(
    stocked: Street, qbwoo: Qbwoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_customers, "PER_PAGE", 4)
    monkeypatch.setattr(push_customers, "OVERLAP", 1)
    take, pieces = push_customers._take, []

    def stop_in_the_second(*of: Any) -> Any:
        pieces.append(of)
        if len(pieces) == 2:
            raise KeyboardInterrupt
        return take(*of)

    monkeypatch.setattr(push_customers, "_take", stop_in_the_second)
    said = qbwoo("push", "customers", "--store", "main", "--yes", code=1)
    assert "Stopped after 4 records" in said.err
    assert len(stocked.house.activities("add_customer")) == 4
    monkeypatch.setattr(push_customers, "_take", take)
    said = qbwoo("push", "customers", "--store", "main", "--yes", "--json")
    assert (said.data["resumed_after"], said.data["counts"]) == (4, {"sent": 8})
    assert "goes on after 4 records" in said.err
    assert len(stocked.house.activities("add_customer")) == 12
    with stocked.database.read() as db:
        assert db.get(HandRun, (get_store(db, "main").id, "push customers")) is None


def test_a_push_whose_process_is_killed_goes_on_where_it_stood_and_sends_nothing_twice(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    stocked.shop.add_customers(250)
    killed: list[int] = []

    def kill(call: Any) -> None:
        # Its second piece, after the first one was kept.
        if call.query.get("offset") not in (None, "0") and not killed:
            killed.append(process.pid)
            process.kill()

    stocked.shop.before_next("GET", ".*/customers", kill, count=None)
    process = begin(stocked, "push", "customers", "--store", "main", "--yes")
    assert process.wait(300) < 0
    stocked.shop.end_faults()
    sent = [one.record_id for one in stocked.house.activities("add_customer")]
    assert len(sent) == 100
    done = qbwoo("push", "customers", "--store", "main", "--yes", "--json").data
    assert (done["resumed_after"], done["counts"]) == (100, {"sent": 162})
    sent = [one.record_id for one in stocked.house.activities("add_customer")]
    assert len(sent) == len(set(sent)) == 262


def test_another_selection_is_another_run(stocked: Street) -> None:
    from queue_store.hand_runs import keep_place

    with stocked.database.write() as db:
        store_id = get_store(db, "main").id
        keep_place(db, store_id, "push customers", "ids=1", "90:90", 90)
        assert begun(db, store_id, "push customers", "ids=2") is None
        assert begun(db, store_id, "push customers", "ids=1") is not None


def test_customers_without_an_account_are_a_report_and_accounts_only_on_request(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    report = qbwoo("pull", "customers", "--store", "main", "--json").data
    assert [(one["name"], one["outcome"]) for one in report["rows"]] == [
        ("Bob Old <bob@example.com>", "no account")
    ]
    qbwoo("pull", "customers", "--store", "main", "--create", given="n\n", code=1)
    assert len(qbwoo("pull", "customers", "--store", "main", "--json").data["rows"]) == 1
    said = qbwoo("pull", "customers", "--store", "main", "--create", given="y\n")
    assert "WRITES AN E-MAIL" in said.err
    assert qbwoo("pull", "customers", "--store", "main", "--json").data["rows"] == []


# Quantities and prices -----------------------------------------------------------


def test_the_shops_quantity_goes_as_one_adjustment_by_the_difference(stocked: Street, qbwoo: Qbwoo) -> None:
    dry = qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--dry-run", "--json").data
    assert dry["rows"][0]["what"] == "-7.00: the shop has 3, QuickBooks 10.00"
    assert "InventoryQtyAdjustmentAddRq" in dry["rows"][0]["document"]
    assert stocked.house.activities("adjust_stock") == []
    done = qbwoo("push", "inventory", "--store", "main", "--yes", "--json").data
    assert {word: done["counts"][word] for word in ("sent", "unchanged")} == {"sent": 1, "unchanged": 1}
    # Twice is once, before and after it is done.
    assert qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes", "--json").data[
        "counts"
    ] == {"on its way": 1}
    stocked.house.run_until_quiet()
    assert on_hand(stocked, "TEA-2") == 3
    qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes")
    assert len(stocked.house.activities("adjust_stock")) == 1


def test_what_orders_hold_is_no_difference_and_live_shops_stay_as_they_are(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    stocked.house.set_store("stock.edits", "adjust")
    go_live(stocked)
    know_products(stocked)
    stocked.house.run_until_quiet()
    stocked.work()
    stocked.shop.place_order([("TEA-1", 2)])
    # Its webhook has not come: the push reads the order first.
    assert qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-1", "--yes", "--json").data[
        "counts"
    ] == {"unchanged": 1}
    stocked.shop.set_stock("TEA-1", 20)
    qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-1", "--yes")
    [one] = stocked.house.activities("adjust_stock")
    assert decode_adjustment(one.payload).difference == 12
    stocked.settle_down()
    assert on_hand(stocked, "TEA-1") == 20
    assert quantity(stocked, "TEA-1") == 20
    assert len(stocked.house.activities("adjust_stock")) == 1


def test_open_orders_count_for_a_shop_that_is_not_live(stocked: Street, qbwoo: Qbwoo) -> None:
    stocked.shop.place_order([("TEA-1", 2)])
    assert qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-1", "--yes", "--json").data[
        "counts"
    ] == {"unchanged": 1}
    assert qbwoo("pull", "inventory", "--store", "main", "--sku", "TEA-1", "--yes", "--json").data[
        "counts"
    ] == {"unchanged": 1}


def test_a_quantity_beyond_the_limit_and_a_share_are_not_sent(stocked: Street, qbwoo: Qbwoo) -> None:
    stocked.house.set_store("stock.limit", "5")
    said = qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes", code=1)
    assert "--beyond-limit" in said.out
    stocked.house.set_store("stock.share", "50")
    assert (
        "stock.share" in qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes", code=1).out
    )
    stocked.house.set_store("stock.share", "100")
    qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes", "--beyond-limit")
    assert len(stocked.house.activities("adjust_stock")) == 1


def test_a_whole_shop_of_which_nothing_differs_asks_nothing_and_is_done(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    # Most of the shop is no item of QuickBooks: of a whole shop that is no failure, of a named product it is.
    qbwoo("pull", "inventory", "--store", "main", "--yes")
    said = qbwoo("push", "inventory", "--store", "main", "--limit", 1)
    assert "There is nothing to send." in said.err
    named = qbwoo("push", "inventory", "--store", "main", "--sku", "WID-002", "--yes", code=1)
    assert "It is no item of QuickBooks" in named.out


def test_where_quickbooks_has_several_stores_the_one_that_was_counted_must_be_known(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    stocked.house.set("stock.stores", "")
    said = qbwoo("push", "inventory", "--store", "main", "--sku", "TEA-2", "--yes", code=1)
    assert "stores 1, 2" in said.out


def test_prices_go_to_the_level_that_the_shops_prices_are_made_of(stocked: Street, qbwoo: Qbwoo) -> None:
    stocked.house.set_store("prices.percent", "25")
    # 5.00 and a quarter is 6.25: the shop has 5.00, which is 4.00 in QuickBooks.
    qbwoo("push", "prices", "--store", "main", "--sku", "TEA-1", "--yes")
    [one] = stocked.house.activities("change_item")
    assert decode_item_change(one.payload).details.prices == {"1": Decimal("4.00")}
    stocked.house.set_store("prices.ending", ".99")
    said = qbwoo("push", "prices", "--store", "main", "--sku", "TEA-1", "--yes", code=1)
    assert "no price of QuickBooks becomes this one" in said.out
    stocked.house.set_store("prices.ruled_by", "shop")
    stocked.house.set_store("products.price_level", "2")
    dry = qbwoo("push", "prices", "--store", "main", "--sku", "TEA-1", "--dry-run", "--json").data
    assert "<Price2>5.00</Price2>" in dry["rows"][0]["document"]


def test_sync_from_the_shop_is_the_same_push(stocked: Street, qbwoo: Qbwoo) -> None:
    qbwoo("product", "sync", "TEA-2", "--field", "stock", "--from", "shop", "--yes")
    qbwoo("product", "sync", "TEA-2", "--field", "price", "--from", "shop", "--yes")
    stocked.house.run_until_quiet()
    item = next(one for one in stocked.house.pos.items() if one.alu == "TEA-2")
    assert (item.on_hand[1], item.price1) == (3, 4)


def test_a_pull_for_a_shop_that_is_not_live_writes_once_and_nothing_follows(
    stocked: Street, qbwoo: Qbwoo
) -> None:
    dry = qbwoo("pull", "inventory", "--store", "main", "--sku", "TEA-2", "--dry-run", "--json").data
    assert dry["rows"][0]["what"] == "quantity from 3 to 10"
    assert quantity(stocked, "TEA-2") == 3
    said = qbwoo("pull", "inventory", "--store", "main", "--sku", "TEA-2", given="y\n")
    assert "written once, now" in said.err
    assert quantity(stocked, "TEA-2") == 10
    qbwoo("pull", "prices", "--store", "main", "--sku", "TEA-2", "--yes")
    assert shown(stocked, "TEA-2")["regular_price"] == "5.00"
    assert row(stocked, "TEA-2").regular_price == 5
    assert stocked.house.activities("sync_product") == []


def test_a_pull_for_a_live_shop_is_the_workers(stocked: Street, qbwoo: Qbwoo) -> None:
    go_live(stocked)
    know_products(stocked)
    stocked.calls.clear()
    qbwoo("pull", "inventory", "--store", "main", "--sku", "TEA-2", "--yes")
    assert quantity(stocked, "TEA-2") == 3
    stocked.work()
    assert quantity(stocked, "TEA-2") == 10
    assert len(writes(stocked)) == 1


# Products ------------------------------------------------------------------------


def test_named_products_become_items_whatever_the_setting_says(stocked: Street, qbwoo: Qbwoo) -> None:
    dry = qbwoo("push", "products", "--store", "main", "--sku", "DRAFT-1", "--dry-run", "--json").data
    assert "<ALU>DRAFT-1</ALU>" in dry["rows"][0]["document"]
    assert stocked.house.activities("add_item") == []
    qbwoo("push", "products", "--store", "main", "--sku", "DRAFT-1", "--yes")
    # What is an item already becomes no second one.
    same = qbwoo("push", "products", "--store", "main", "--sku", "TEA-1", "--yes", "--json").data
    assert same["counts"] == {"unchanged": 1}
    stocked.house.run_until_quiet()
    assert [item.alu for item in stocked.house.pos.items() if item.alu == "DRAFT-1"] == ["DRAFT-1"]


def test_named_items_become_drafts_whatever_the_rule_says(stocked: Street, qbwoo: Qbwoo) -> None:
    item_read(stocked, "NEW-1", "4", prices={"1": "7.00"})
    dry = qbwoo("pull", "products", "--store", "main", "--sku", "NEW-1", "--dry-run", "--json").data
    assert [one["outcome"] for one in dry["rows"]] == ["would go"]
    assert (
        "not live for products" in qbwoo("pull", "products", "--store", "main", "--sku", "NEW-1", code=1).err
    )
    go_live(stocked, "products")
    qbwoo("pull", "products", "--store", "main", "--sku", "NEW-1", "--yes")
    stocked.work()
    assert shown(stocked, "NEW-1")["status"] == "draft"
    assert (
        qbwoo("pull", "products", "--store", "main", "--sku", "NEW-1", "--yes", "--json").data["rows"] == []
    )
    qbwoo("pull", "products", "--store", "main", "--sku", "NONE", "--yes", code=1)
