"""Refunds from a played shop over REST into the queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from ops_console import handwork
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.activities import move
from queue_store.models import Activity
from queue_store.payloads import Refund
from queue_store.settings import store_settings
from queue_store.states import ActivityState as S
from queue_store.tasks import open_tasks
from woo_bridge.client import ShopClient
from woo_bridge.kinds.read_refunds import READ_REFUNDS, OrderAndRefunds
from woo_bridge.worker import Worker


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create()
    with shop.serve():
        yield shop
    shop.close()


@pytest.fixture
def bridge(sqlite_database, bridge_on, shop):
    return bridge_on(sqlite_database, shop.home_url)


@pytest.fixture
def worker(bridge, box) -> Worker:
    def make_client(store, _box):
        return ShopClient(store.url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)

    return Worker(bridge.database, box, make_client=make_client)


@pytest.fixture
def order(bridge, shop):
    placed = shop.place_order([("WID-001", 4), ("WID-002", 2)], shipping=Decimal("7.50"))
    bridge.receive("order.created", placed)
    return placed


def body(shop, order):
    return next(one for one in shop.orders() if one["id"] == order["id"])


def back(bridge, order, refund) -> Activity:
    return bridge.activity(f"{order['id']}-R{refund['id']}", "return")


def payload(bridge, order, refund) -> Refund:
    return msgspec.json.decode(back(bridge, order, refund).payload, type=Refund)


def drain(worker):
    """An order changed twice within a second is read again too."""
    while worker.run_once():
        pass


def readings(bridge, order) -> int:
    """How often the refunds of an order were asked for."""
    return bridge.activity(str(order["id"]), "read_refunds").generation


def written(bridge, *activities):
    """As if these were in QuickBooks."""
    with bridge.database.write() as db:
        for one in activities:
            activity = db.get_one(Activity, one.id)
            if activity.state == S.WAITING:
                move(db, activity, S.PENDING, cause="test")
            move(db, activity, S.SUCCEEDED, cause="test", txn_id="1", txn_number="7")


def test_an_order_without_refunds_asks_the_shop_for_nothing(bridge, worker, order):
    assert worker.run_once() == 0


def test_a_refund_is_read_from_the_shop_and_waits_for_its_sale(bridge, worker, shop, order):
    refund = shop.refund(order["id"], items=[("WID-001", 1)], reason="Broken")
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    found = back(bridge, order, refund)
    assert (found.state, found.reason, found.order_id) == (S.WAITING, "activity", str(order["id"]))
    assert found.reference == f"Refund {refund['id']} of order {order['number']}"
    read = payload(bridge, order, refund)
    assert (read.amount, read.reason) == (Decimal(refund["amount"]), "Broken")
    assert [(line.sku, line.quantity, line.restocked) for line in read.lines] == [("WID-001", 1, 1)]
    assert read.order.order_id == order["id"]


def test_the_same_order_again_asks_for_nothing_more(bridge, worker, shop, order):
    shop.refund(order["id"], amount="1.00")
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    bridge.receive("order.updated", body(shop, order))
    shop.touch_order(order["id"])
    bridge.receive("order.updated", body(shop, order))
    assert readings(bridge, order) == 1


def test_goods_put_back_are_told_apart_over_several_refunds(bridge, worker, shop, order):
    first = shop.refund(order["id"], items=[("WID-001", 1)], restock=True)
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    written(bridge, bridge.sale(order["id"]), back(bridge, order, first))
    second = shop.refund(order["id"], items=[("WID-001", 1)], restock=False)
    third = shop.refund(order["id"], items=[("WID-001", 2)], restock=False)
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    taken = [payload(bridge, order, one).lines[0].restocked for one in (first, second, third)]
    assert taken == [1, 0, 0]
    assert back(bridge, order, second).state == S.PENDING


def test_an_unreachable_shop_is_asked_again_and_the_sale_does_not_wait(bridge, worker, shop, order):
    shop.refund(order["id"], amount="1.00")
    refunded = body(shop, order)
    shop.down = True
    bridge.receive("order.updated", refunded)
    worker.run_once()
    assert bridge.sale(order["id"]).state == S.PENDING
    assert bridge.activity(str(order["id"]), "read_refunds").state == S.DELAYED


def test_a_refund_deleted_in_the_shop_is_missed_when_its_order_is_read_again(bridge, worker, shop, order):
    kept, deleted = shop.refund(order["id"], amount="1.00"), shop.refund(order["id"], amount="2.00")
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET) as client:
        client.call("DELETE", f"orders/{order['id']}/refunds/{deleted['id']}", query={"force": "true"})
    # The shop tells nobody and moves no date; only the order's body is another.
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    assert back(bridge, order, kept).state == S.WAITING
    assert back(bridge, order, deleted).state == S.CANCELLED
    assert "was deleted in the shop" in back(bridge, order, deleted).sentence


def test_a_refund_deleted_after_its_return_was_written_is_for_a_decision(bridge, worker, shop, order):
    refund = shop.refund(order["id"], amount="2.00")
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    written(bridge, bridge.sale(order["id"]), back(bridge, order, refund))
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET) as client:
        client.call("DELETE", f"orders/{order['id']}/refunds/{refund['id']}", query={"force": "true"})
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    with bridge.database.read() as db:
        (task,) = open_tasks(db)
    assert task.kind == "changed after sent"
    assert "was deleted in the shop after its return 7 was written" in task.sentence
    # Told once: the same order again asks for nothing.
    shop.touch_order(order["id"])
    bridge.receive("order.updated", body(shop, order))
    assert readings(bridge, order) == 2


def test_an_order_erased_in_the_shop_takes_its_refunds_along(bridge, worker, shop, order):
    refund = shop.refund(order["id"], amount="2.00")
    bridge.receive("order.updated", body(shop, order))
    drain(worker)
    shop.refund(order["id"], amount="1.00")
    bridge.receive("order.updated", body(shop, order))
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET) as client:
        client.call("DELETE", f"orders/{order['id']}", query={"force": "true"})
    drain(worker)
    assert bridge.sale(order["id"]).state == back(bridge, order, refund).state == S.CANCELLED


def test_a_refund_that_cannot_be_read_fails_and_is_read_again_on_retry(bridge, worker, shop, order):
    refund = shop.refund(order["id"], amount="2.00")
    bridge.receive("order.updated", body(shop, order))
    broken = {**refund, "amount": "two"}
    with bridge.database.write() as db:
        (asked,) = (one for one in db.query(Activity) if one.kind == "read_refunds")
        move(db, asked, S.SENT, cause="test")
        answer = OrderAndRefunds(json.dumps(body(shop, order)).encode(), [json.dumps(broken).encode()])
        READ_REFUNDS.settle(db, bridge.store(db), store_settings(db, bridge.store(db)), asked, answer)
        move(db, asked, S.SUCCEEDED, cause="test")
    found = back(bridge, order, refund)
    assert (found.state, found.reason) == (S.FAILED, "untranslatable")
    assert "amount: 'two' is not an amount" in found.sentence
    with bridge.database.write() as db:
        handwork.retry(db, [found.id], "test")
    drain(worker)
    assert back(bridge, order, refund).state == S.WAITING
