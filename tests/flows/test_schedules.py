"""What runs by itself runs once, on one node, whatever becomes of the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState as S
from tests.catching_up import Rig, make_rig
from woo_bridge.catch_up_orders import CATCH_UP_ORDERS
from woo_bridge.scheduler import NotNow

ORDERS = (CATCH_UP_ORDERS,)


@pytest.fixture
def rig(database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(database, box) as rig:
        yield rig


@pytest.fixture
def small(sqlite_database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(sqlite_database, box) as rig:
        yield rig


class Died(BaseException):
    """The node's end, in the middle of a piece."""


def test_two_nodes_run_a_schedule_once(rig: Rig) -> None:
    rig.run(rig.scheduler(ORDERS))
    nodes = [rig.scheduler(ORDERS) for _ in range(2)]
    for node in nodes:
        node._looked_at = rig.now  # Neither has just been started.
    for minutes in range(4):
        rig.order()
        rig.pass_time(minutes=15)
        rig.calls.clear()
        together = threading.Barrier(2)

        def run(node: int, together: threading.Barrier = together) -> None:
            for _ in range(6):
                together.wait(20)
                nodes[node].run_once()

        threads = [threading.Thread(target=run, args=(node,)) for node in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        # One list of orders, one of the trash.
        assert rig.calls == ["GET orders", "GET orders"], minutes
        assert rig.schedule("orders").claimed_until is None
    assert len(rig.states()) == 4


def test_a_run_whose_node_died_is_gone_on_with_by_another_after_its_claim_has_ended(rig: Rig) -> None:
    rig.run(rig.scheduler(ORDERS))
    for _ in range(150):
        rig.order()
        rig.pass_time(seconds=1)
    rig.pass_time(minutes=15)
    first = rig.scheduler(ORDERS)
    first._looked_at = rig.now
    assert first.run_once() == 1
    assert len(rig.states()) == 100

    def die(call: str) -> None:
        raise Died

    rig.before_answer = die
    with pytest.raises(Died):
        first.run_once()
    rig.before_answer = lambda call: None
    second = rig.scheduler(ORDERS)
    second._looked_at = rig.now
    rig.calls.clear()
    rig.pass_time(seconds=50)
    assert second.run_once() == 0
    assert rig.schedule("orders").running_since is not None
    rig.pass_time(minutes=10)
    rig.run(second)
    assert len(rig.states()) == 150
    assert rig.schedule("orders").running_since is None
    # The first page is not read a second time.
    assert len(rig.calls) == 2


def test_a_node_that_was_taken_for_dead_commits_nothing(rig: Rig) -> None:
    rig.run(rig.scheduler(ORDERS))
    order = rig.order()
    rig.pass_time(minutes=15)
    slow, other = rig.scheduler(ORDERS), rig.scheduler(ORDERS)
    slow._looked_at = rig.now
    overtaken = []

    def overtake(call: str) -> None:
        if not overtaken:
            overtaken.append(call)
            rig.pass_time(minutes=11)
            other._looked_at = rig.now
            while other.run_once():
                pass
            overtaken.append(rig.schedule("orders").finished_at)
            rig.shop.set_status(order["id"], "cancelled")

    rig.before_answer = overtake
    assert slow.run_once() == 1
    row = rig.schedule("orders")
    assert (row.finished_at, row.result) == (overtaken[1], "done")
    assert rig.states() == {str(order["id"]): S.PENDING}
    assert len(rig.activities()) == 1


def test_webhooks_are_served_between_two_pieces(small: Rig) -> None:
    small.connect()
    small.run(small.scheduler(ORDERS))
    for _ in range(250):
        small.order()
        small.pass_time(seconds=1)
    small.pass_time(minutes=15)
    scheduler = small.scheduler(ORDERS)
    scheduler._looked_at = small.now
    assert scheduler.run_once() == 1
    row = small.schedule("orders")
    assert (row.claimed_until, row.next_at, len(small.states())) == (None, small.now, 100)


def test_quiet_hours_by_the_shops_clock_put_a_run_off_and_a_hand_does_not_mind(small: Rig) -> None:
    small.set("catch_up.time_zone", "America/Los_Angeles")
    small.set("catch_up.quiet", "22-6")
    zone = ZoneInfo("America/Los_Angeles")
    small.now = small.now.astimezone(zone).replace(hour=21, minute=50).astimezone(small.now.tzinfo)
    scheduler = small.scheduler(ORDERS)
    small.run(scheduler)
    order = small.order()
    small.pass_time(minutes=15)
    small.run(scheduler)
    assert small.states() == {}
    next_at = small.schedule("orders").next_at
    assert next_at is not None
    assert (next_at.astimezone(zone).hour, next_at.astimezone(zone).minute) == (6, 0)
    small.read_again("orders")
    assert list(small.states()) == [str(order["id"])]
    second = small.order()
    small.now = next_at
    small.run(scheduler)
    assert list(small.states()) == [str(order["id"]), str(second["id"])]


def test_a_shorter_interval_counts_at_once_and_0_means_never(small: Rig) -> None:
    small.set("catch_up.orders_minutes", "1440")
    scheduler = small.scheduler(ORDERS)
    small.run(scheduler)
    began = small.schedule("orders").began_at
    assert began is not None
    assert small.schedule("orders").next_at == began + timedelta(days=1)
    small.set("catch_up.orders_minutes", "30")
    small.pass_time(minutes=1)
    small.run(scheduler)
    assert small.schedule("orders").next_at == began + timedelta(minutes=30)
    small.set("catch_up.orders_minutes", "0")
    small.pass_time(hours=2)
    small.run(scheduler)
    assert small.schedule("orders").next_at is None
    small.read_again("orders")
    assert small.schedule("orders").next_at is None


def test_a_shop_that_is_down_is_tried_later_and_a_person_is_told_when_it_stays_so(small: Rig) -> None:
    scheduler = small.scheduler(ORDERS)
    small.run(scheduler)
    small.shop.down = True
    small.pass_time(minutes=15)
    for failures in range(1, 5):
        small.run(scheduler)
        row = small.schedule("orders")
        assert (row.failures, row.result) == (failures, "failed")
        assert row.next_at == small.now + timedelta(minutes=2**failures)
        assert small.tasks() == (["schedule"] if failures == 4 else [])
        small.pass_time(minutes=2**failures)
    small.shop.down = False
    small.run(scheduler)
    assert (small.schedule("orders").result, small.tasks()) == ("done", [])


def test_what_another_process_runs_is_not_run_a_second_time_by_hand(small: Rig) -> None:
    small.run(small.scheduler(ORDERS))
    small.order()
    run = small.scheduler(ORDERS).run_now("orders", "main")
    next(run)
    with pytest.raises(NotNow, match="by another process since"):
        next(small.scheduler(ORDERS).run_now("orders", "main"))
    list(run)
    list(small.scheduler(ORDERS).run_now("orders", "main"))


def test_a_store_that_is_not_live_runs_nothing(small: Rig) -> None:
    small.live()
    scheduler = small.scheduler()
    small.pass_time(days=2)
    small.run(scheduler)
    assert small.calls == []
    with pytest.raises(NotNow, match="not live"):
        next(scheduler.run_now("orders", "main"))
