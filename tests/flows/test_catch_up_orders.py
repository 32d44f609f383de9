"""Orders that no webhook told of come all the same, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState as S
from tests.catching_up import Rig, make_rig
from woo_bridge.catch_up_orders import CATCH_UP_ORDERS


@pytest.fixture
def rig(database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(database, box) as rig:
        yield rig


@pytest.fixture
def small(sqlite_database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(sqlite_database, box) as rig:
        yield rig


def test_an_order_whose_webhooks_were_lost_comes_with_the_next_reading_and_once(rig: Rig) -> None:
    rig.connect()
    scheduler = rig.scheduler()
    rig.run(scheduler)
    heard, lost = rig.order(), rig.order()
    rig.shop.lose_next_deliveries(100)
    rig.pass_time(seconds=1)
    rig.shop.touch_order(lost["id"])
    rig.shop.run_queue()
    rig.shop.lose_next_deliveries(0)
    rig.shop.touch_order(heard["id"])
    rig.shop.run_queue()
    assert list(rig.states()) == [str(heard["id"])]
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.states() == {str(heard["id"]): S.PENDING, str(lost["id"]): S.PENDING}
    before = [(one.id, one.digest, one.updated_at) for one in rig.activities()]
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert [(one.id, one.digest, one.updated_at) for one in rig.activities()] == before


def test_what_was_read_moves_the_mark_by_the_shops_clock_and_an_empty_list_does_not(rig: Rig) -> None:
    rig.shop_ahead = timedelta(hours=-5)
    scheduler = rig.scheduler()
    rig.set("orders.since", (rig.now - timedelta(days=1)).isoformat())
    rig.run(scheduler)
    assert rig.store().orders_read_until is None
    order = rig.order()
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.states() == {str(order["id"]): S.PENDING}
    mark = rig.store().orders_read_until
    assert mark == rig.now - timedelta(hours=5, minutes=15)
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.store().orders_read_until == mark


@pytest.mark.parametrize("hours", [-7, 3, 11])
def test_a_shop_whose_clock_is_hours_off_loses_nothing(
    sqlite_database: Database, box: SecretBox, hours: int
) -> None:
    with make_rig(sqlite_database, box, shop_ahead=timedelta(hours=hours)) as rig:
        scheduler = rig.scheduler()
        placed = []
        for _ in range(4):
            placed.append(str(rig.order()["id"]))
            rig.pass_time(minutes=15)
            rig.run(scheduler)
            assert list(rig.states()) == placed


def test_orders_are_found_after_the_shops_clock_was_put_back(small: Rig) -> None:
    small.shop_ahead = timedelta(hours=6)
    scheduler = small.scheduler()
    first = small.order()
    small.run(scheduler)
    small.shop_ahead = timedelta(0)
    small.pass_time(minutes=15)
    second = small.order()
    small.run(scheduler)
    assert list(small.states()) == [str(first["id"]), str(second["id"])]


def test_no_order_is_missed_where_a_second_holds_more_than_a_page(small: Rig) -> None:
    scheduler = small.scheduler()
    small.run(scheduler)
    placed = [small.order()["id"] for _ in range(30)]
    small.pass_time(seconds=1)
    placed += [small.order()["id"] for _ in range(130)]
    small.pass_time(seconds=1)
    placed += [small.order()["id"] for _ in range(40)]
    small.pass_time(minutes=15)
    small.run(scheduler)
    assert sorted(map(int, small.states())) == placed


@pytest.mark.parametrize("border", [99, 100, 101])
def test_no_order_is_missed_where_a_second_lies_across_two_pages(small: Rig, border: int) -> None:
    scheduler = small.scheduler()
    small.run(scheduler)
    placed = [small.order()["id"] for _ in range(border - 10)]
    small.pass_time(seconds=1)
    placed += [small.order()["id"] for _ in range(20)]
    small.pass_time(minutes=15)
    small.run(scheduler)
    assert sorted(map(int, small.states())) == placed


def test_a_list_that_drifts_while_it_is_read_is_read_whole_and_with_its_newest_content(small: Rig) -> None:
    scheduler = small.scheduler()
    small.run(scheduler)
    placed = []
    for _ in range(230):
        placed.append(small.order()["id"])
        small.pass_time(seconds=1)
    moved = iter(placed[:60])

    def touch(call: str) -> None:
        if call == "GET orders":
            small.pass_time(seconds=1)
            for _ in range(15):
                number = next(moved, None)
                if number is not None:
                    small.shop.set_status(number, "completed")

    small.before_answer = touch
    small.pass_time(minutes=15)
    small.run(scheduler)
    small.before_answer = lambda call: None
    assert sorted(map(int, small.states())) == placed
    small.pass_time(minutes=15)
    small.run(scheduler)
    completed = [one for one in small.activities() if b'"status":"completed"' in one.payload]
    assert len(completed) == sum(order["status"] == "completed" for order in small.shop.orders()) > 0


def test_a_run_that_was_broken_off_goes_on_after_the_last_page_that_was_kept(small: Rig) -> None:
    scheduler = small.scheduler([CATCH_UP_ORDERS])
    small.run(scheduler)
    for _ in range(250):
        small.order()
        small.pass_time(seconds=1)
    small.pass_time(minutes=15)
    assert scheduler.run_once()
    kept = len(small.states())
    assert kept == 100
    mark = small.store().orders_read_until
    small.shop.down = True
    small.run(scheduler)
    assert small.schedule("orders").result == "failed"
    assert "tried again by itself" in small.schedule("orders").sentence
    assert (len(small.states()), small.store().orders_read_until) == (kept, mark)
    small.shop.down = False
    small.calls.clear()
    small.pass_time(minutes=3)
    small.run(small.scheduler())
    assert len(small.states()) == 250
    # Two pages were left, and the trash; then what a start asks for, which is the last page again.
    assert small.calls.count("GET orders") <= 6


def test_a_trashed_order_is_withdrawn_and_one_restored_by_its_status_is_wanted_again(rig: Rig) -> None:
    scheduler = rig.scheduler()
    order, other = rig.order(), rig.order()
    rig.run(scheduler)
    assert set(rig.states().values()) == {S.PENDING}
    rig.pass_time(minutes=1)
    rig.shop.trash_order(order["id"])
    unknown = rig.order()
    rig.shop.trash_order(unknown["id"])
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.states() == {str(order["id"]): S.CANCELLED, str(other["id"]): S.PENDING}
    # Nothing is sent for this, and no other list shows it.
    with rig.open_client() as client:
        client.call("PUT", f"orders/{order['id']}", {"status": "processing"})
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.states()[str(order["id"])] == S.PENDING


def test_an_order_that_cannot_be_read_fails_with_its_body_kept_and_holds_up_no_other(small: Rig) -> None:
    scheduler = small.scheduler()
    bad, good = small.order(), small.order()
    with small.shop.site.store.transaction():
        small.shop.site.table("orders")[bad["id"]]["currency"] = 7
    small.run(scheduler)
    assert small.states() == {str(bad["id"]): S.FAILED, str(good["id"]): S.PENDING}
    assert "could not be read" in small.schedule("orders").sentence


def test_orders_missed_during_a_pause_flow_at_go_live(small: Rig) -> None:
    scheduler = small.scheduler()
    small.run(scheduler)
    small.live()
    missed = small.order()
    small.pass_time(hours=5)
    small.run(scheduler)
    assert (small.states(), small.schedule("orders").next_at) == ({}, None)
    small.live("orders")
    small.pass_time(minutes=1)
    small.run(scheduler)
    assert small.states() == {str(missed["id"]): S.PENDING}


def test_orders_from_before_the_go_live_stay_where_they_are(small: Rig) -> None:
    with small.database.write() as db:
        get_store(db, "main").live_since = small.now + timedelta(hours=1)
    early = small.order()
    small.pass_time(hours=1)
    later = small.order()
    small.pass_time(minutes=15)
    small.run(small.scheduler())
    states = small.states()
    assert states.pop(str(early["id"]), S.HELD) == S.HELD
    assert states == {str(later["id"]): S.PENDING}


def test_a_start_reads_what_fell_while_the_service_was_down(small: Rig) -> None:
    small.run(small.scheduler())
    order = small.order()
    small.pass_time(minutes=2)
    small.run(small.scheduler())
    assert list(small.states()) == [str(order["id"])]


def test_lost_webhooks_are_told_of_until_one_comes(small: Rig) -> None:
    small.connect()
    scheduler = small.scheduler()
    small.run(scheduler)
    small.shop.lose_next_deliveries(1000)
    for _ in range(3):
        assert "lost webhooks" not in small.tasks()
        small.order()
        small.shop.run_queue()
        small.pass_time(minutes=15)
        small.run(scheduler)
        if "lost webhooks" in small.tasks():
            break
    assert "lost webhooks" in small.tasks()
    assert "webhooks are lost" in small.schedule("orders").sentence
    assert len(small.states()) == 2
    small.shop.lose_next_deliveries(0)
    small.order()
    small.shop.run_queue()
    small.pass_time(minutes=15)
    small.run(scheduler)
    assert "lost webhooks" not in small.tasks()


def test_a_quiet_shop_without_changes_has_lost_no_webhooks(small: Rig) -> None:
    small.connect()
    scheduler = small.scheduler()
    for _ in range(6):
        small.pass_time(minutes=15)
        small.run(scheduler)
    assert small.tasks() == []


def test_orders_of_a_store_that_is_live_for_stock_alone_are_read_and_held(small: Rig) -> None:
    small.live("stock")
    with small.database.write() as db:
        get_store(db, "main").live_since = None
    order = small.order()
    small.run(small.scheduler())
    assert small.states() == {str(order["id"]): S.HELD}
    assert small.tasks() == []
