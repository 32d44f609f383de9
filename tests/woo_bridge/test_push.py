"""Orders sent because somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.activities import move
from queue_store.models import Activity
from queue_store.states import ActivityState as S
from woo_bridge.client import ShopClient
from woo_bridge.push import push_orders


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create(seed=True)
    with shop.serve():
        yield shop
    shop.close()


@pytest.fixture
def bridge(sqlite_database, bridge_on, shop):
    bridge = bridge_on(sqlite_database, shop.home_url)
    bridge.live()
    bridge.set("orders.since", "2099-01-01")
    return bridge


@pytest.fixture
def push(bridge, shop):
    def run(**what):
        with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET) as client:
            return list(push_orders(bridge.database, client, "main", **what))

    return run


def test_a_push_by_id_asks_neither_for_go_live_nor_for_the_date(bridge, shop, push):
    order = shop.place_order([("WID-001", 1)])
    bridge.receive("order.created", order)
    assert bridge.sale(order["id"]).state == S.HELD
    [result] = push(ids=[order["id"]])
    assert (result.name, result.outcome, result.state) == (f"Order {order['number']}", "replaced", S.PENDING)
    assert bridge.sale(order["id"]).state == S.PENDING
    assert push(ids=[order["id"]])[0].outcome == "unchanged"


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(bridge, shop, push):
    order = shop.place_order([("WID-001", 1)])
    [result] = push(ids=[order["id"]], dry_run=True)
    assert (result.outcome, result.state, result.order.order_id) == ("new", S.PENDING, order["id"])
    assert bridge.count() == 0


def test_an_order_that_waits_for_money_still_waits(shop, push):
    order = shop.place_order([("WID-001", 1)], paid=False, payment_method="bacs")
    [result] = push(ids=[order["id"]])
    assert result.state is S.WAITING
    assert "waits" in result.sentence


def test_a_trashed_order_is_told_and_a_missing_one_too(shop, push):
    order = shop.place_order([("WID-001", 1)])
    shop.trash_order(order["id"])
    trashed, missing = push(ids=[order["id"], 999_999])
    assert trashed.state is S.CANCELLED
    assert "trash" in trashed.sentence
    assert (missing.outcome, missing.activity_id) == ("not in the shop", None)


def test_without_statuses_those_that_become_receipts_are_read(bridge, shop, push):
    begin = datetime.now(UTC).replace(microsecond=0)
    paid = shop.place_order([("WID-001", 1)])
    shop.place_order([("WID-001", 1)], paid=False, payment_method="bacs")
    assert [result.name for result in push(since=begin)] == [f"Order {paid['number']}"]


def test_orders_of_a_status_are_read_whatever_their_day(shop, push):
    order = shop.place_order([("WID-001", 1)])
    shop.set_status(order["id"], "cancelled")
    results = push(statuses=["cancelled"])
    assert f"Order {order['number']}" in {result.name for result in results}
    assert {result.state for result in results} == {S.CANCELLED}


def test_what_is_in_the_books_stays_there(bridge, shop, push):
    order = shop.place_order([("WID-001", 1)])
    push(ids=[order["id"]])
    with bridge.database.write() as db:
        activity = db.get(Activity, bridge.sale(order["id"]).id)
        move(db, activity, S.SENT, cause="test")
        move(db, activity, S.SUCCEEDED, cause="test", txn_number="1207")
    [result] = push(ids=[order["id"]])
    assert result.state is S.SUCCEEDED
    assert result.sentence.endswith("is in the books already, as receipt 1207.")


def test_without_any_word_of_which_orders_nothing_is_pushed(push):
    with pytest.raises(ValueError, match="which orders"):
        push()


def completed_later(shop, order):
    """Its body when it is completed, some seconds after everything else."""
    return {**shop.set_status(order["id"], "completed"), "date_modified_gmt": "2098-01-01T00:00:00"}


def test_a_pushed_order_that_waited_goes_when_its_money_comes_whatever_its_date(bridge, shop, push):
    bridge.live("orders")
    order = shop.place_order([("WID-001", 1)], payment_method="cod")
    [result] = push(ids=[order["id"]])
    assert (result.state, bridge.sale(order["id"]).reason) == (S.WAITING, "money")
    bridge.receive("order.updated", completed_later(shop, order))
    assert bridge.sale(order["id"]).state == S.PENDING


def test_a_pushed_order_that_waited_is_held_when_its_store_is_not_live(bridge, shop, push):
    order = shop.place_order([("WID-001", 1)], payment_method="cod")
    push(ids=[order["id"]])
    bridge.receive("order.updated", completed_later(shop, order))
    assert (bridge.sale(order["id"]).state, bridge.sale(order["id"]).reason) == (S.HELD, "not live")


def test_an_old_order_that_nobody_pushed_is_held_when_its_money_comes(bridge, shop):
    bridge.live("orders")
    order = shop.place_order([("WID-001", 1)], payment_method="cod")
    bridge.receive("order.created", order)
    assert bridge.sale(order["id"]).state == S.WAITING
    bridge.receive("order.updated", completed_later(shop, order))
    assert (bridge.sale(order["id"]).state, bridge.sale(order["id"]).reason) == (S.HELD, "before since")


def test_a_pushed_order_that_waited_goes_when_its_status_comes(bridge, shop, push):
    bridge.live("orders")
    order = shop.place_order([("WID-001", 1)], payment_method="cod")
    push(ids=[order["id"]])
    bridge.set("orders.paid_later", "bacs")
    bridge.set("orders.documents", "processing=sales order, completed=receipt")
    push(ids=[order["id"]])
    assert bridge.sale(order["id"]).reason == "status"
    bridge.receive("order.updated", completed_later(shop, order))
    assert bridge.sale(order["id"]).state == S.PENDING
