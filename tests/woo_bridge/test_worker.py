"""The worker of the shop's side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.activities import events_of, move
from queue_store.models import Activity
from queue_store.payloads import Order
from queue_store.shop_work import ask_shop
from queue_store.states import ActivityState as S
from woo_bridge.client import ShopClient
from woo_bridge.errors import BadStoreUrl, UnknownHost
from woo_bridge.worker import Worker


class Clock:
    now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
def worker(bridge, box, clock) -> Worker:
    def make_client(store, _box):
        return ShopClient(store.url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)

    return Worker(bridge.database, box, make_client=make_client, now=clock)


@pytest.fixture
def twice(bridge, shop):
    """An order that arrived twice with one stamp: once as it is, then with another total."""
    order = shop.place_order([("WID-001", 2)])
    bridge.receive("order.created", order)
    bridge.receive("order.updated", order | {"total": "999.00"})
    assert bridge.sale(order["id"]).reason == "re-read"
    return order


def total(bridge, order_id):
    return msgspec.json.decode(bridge.sale(order_id).payload, type=Order).total


def reread(bridge, order):
    return bridge.activity(str(order["id"]), "reread_order")


def test_an_order_is_read_again_and_goes_as_the_shop_has_it(bridge, worker, twice):
    assert worker.run_once() == 1
    sale = bridge.sale(twice["id"])
    assert (sale.state, sale.reason) == (S.PENDING, "")
    assert str(total(bridge, twice["id"])) == twice["total"]
    assert reread(bridge, twice).state == S.SUCCEEDED
    assert worker.run_once() == 0


def test_an_order_that_is_gone_from_the_shop_is_cancelled(bridge, worker, shop):
    order = shop.place_order([("WID-001", 1)]) | {"id": 999_999, "number": "999999"}
    bridge.receive("order.created", order)
    bridge.receive("order.updated", order | {"total": "999.00"})
    worker.run_once()
    assert bridge.sale(999_999).state == S.CANCELLED


def test_when_the_shop_is_down_arrival_decides_and_the_reading_is_tried_again(
    bridge, worker, shop, twice, clock
):
    shop.down = True
    assert worker.run_once() == 1
    assert bridge.sale(twice["id"]).state == S.PENDING
    assert str(total(bridge, twice["id"])) == "999.00"
    assert (reread(bridge, twice).state, reread(bridge, twice).next_at) == (
        S.DELAYED,
        clock.now + timedelta(seconds=120),
    )
    assert worker.run_once() == 0
    clock.now += timedelta(seconds=121)
    shop.down = False
    assert worker.run_once() == 1
    assert str(total(bridge, twice["id"])) == twice["total"]


def test_waits_double_up_to_an_hour(bridge, worker, shop, twice, clock):
    shop.down = True
    waits = []
    for _ in range(7):
        assert worker.run_once() == 1
        next_at = reread(bridge, twice).next_at
        waits.append((next_at - clock.now) / timedelta(minutes=1))
        clock.now = next_at
    assert waits == [2, 4, 8, 16, 32, 60, 60]


def test_what_the_shop_refuses_fails_with_a_sentence_and_the_sale_goes(bridge, box, twice, clock):
    def make_client(store, _box):
        return ShopClient(store.url, "ck_wrong", "cs_wrong", max_tries=1)

    Worker(bridge.database, box, make_client=make_client, now=clock).run_once()
    activity = reread(bridge, twice)
    assert activity.state == S.FAILED
    assert (
        f"Reread order {twice['number']}: GET orders/{twice['id']}: the shop refused (401"
        in activity.sentence
    )
    assert f"qbwoo activity retry {activity.id}" in activity.sentence
    assert bridge.sale(twice["id"]).state == S.PENDING


@pytest.mark.parametrize(
    ("error", "state"), [(BadStoreUrl, S.FAILED), (UnknownHost, S.DELAYED)], ids=["private", "unknown"]
)
def test_a_shop_whose_name_leads_where_it_must_not_is_not_called_and_says_so(
    bridge, box, twice, clock, error, state
):
    def make_client(store, _box):
        raise error(store.url, "leads to 10.0.0.1, an address of a private network.")

    assert Worker(bridge.database, box, make_client=make_client, now=clock).run_once() == 1
    activity = reread(bridge, twice)
    assert activity.state == state
    assert "the shop was not called: The store's URL http://127.0.0.1" in activity.sentence
    assert "leads to 10.0.0.1, an address of a private network." in activity.sentence


def test_a_claim_that_was_never_settled_is_done_again(bridge, worker, twice, clock):
    with bridge.database.write() as db:
        move(db, db.get(Activity, reread(bridge, twice).id), S.SENT, cause="a worker that dies", attempts=1)
    clock.now = datetime.now(UTC)
    assert worker.run_once() == 0
    clock.now += timedelta(minutes=11)
    assert worker.run_once() == 1
    assert reread(bridge, twice).state == S.SUCCEEDED


def test_what_is_asked_for_again_while_it_is_done_is_done_once_more(bridge, worker, twice):
    payload = reread(bridge, twice).payload
    with bridge.database.write() as db:
        activity = db.get(Activity, reread(bridge, twice).id)
        company_id = activity.company_id

    def ask():
        with bridge.database.write() as db:
            ask_shop(
                db,
                company_id=company_id,
                store_id=bridge.store_id,
                kind="reread_order",
                record_id=str(twice["id"]),
                payload=payload,
                cause="again",
            )

    class Asking(ShopClient):
        def get_order(self, order_id):
            if not asked:
                asked.append(order_id)
                ask()
            return super().get_order(order_id)

    asked: list[int] = []
    worker._make_client = lambda store, box: Asking(store.url, CONSUMER_KEY, CONSUMER_SECRET)
    assert [worker.run_once(), worker.run_once(), worker.run_once()] == [1, 1, 0]
    assert reread(bridge, twice).generation == 1


def test_a_finished_reading_that_is_asked_for_again_gets_a_new_generation(bridge, worker, twice):
    worker.run_once()
    bridge.receive("order.updated", twice | {"total": "1.00"})
    assert (reread(bridge, twice).generation, reread(bridge, twice).state) == (2, S.PENDING)
    worker.run_once()
    assert str(total(bridge, twice["id"])) == twice["total"]
    with bridge.database.read() as db:
        assert [event.to_state for event in events_of(db, reread(bridge, twice).id)] == [
            "pending",
            "sent",
            "succeeded",
        ]


def test_an_unknown_kind_fails_with_a_sentence(bridge, worker):
    with bridge.database.write() as db:
        ask_shop(
            db,
            company_id=bridge.store(db).company_id,
            store_id=bridge.store_id,
            kind="set_moon",
            record_id="1",
            payload=b"{}",
            cause="test",
        )
    assert worker.run_once() == 1
    assert bridge.activity("1", "set_moon").state == S.FAILED
