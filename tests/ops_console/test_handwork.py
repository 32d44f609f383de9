"""Go-live, pause and changes by hand, on real orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ops_console import handwork
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.operations import OperationRefused
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState as S
from tests.harness import House, make_house, numbered, recorded_order

WHO = "jo"


@pytest.fixture
def house(database: Database, box: SecretBox) -> House:
    return make_house(database, box)


def order(order_id: int, **changes: object) -> dict[str, object]:
    """A paid order, placed now unless told otherwise."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    dates = {"date_created_gmt": stamp, "date_modified_gmt": stamp}
    return numbered(recorded_order("plain"), order_id, **(dates | changes))


def one(house: House, order_id: int) -> Activity:
    return next(found for found in house.activities() if found.record_id == str(order_id))


def pause(house: House) -> int:
    with house.database.write() as db:
        return handwork.pause(db, get_store(db, "main"), WHO)


def test_a_pause_keeps_what_arrives_and_the_next_go_live_lets_all_of_it_go(house: House) -> None:
    house.take(order(1))
    assert one(house, 1).state == S.PENDING
    assert pause(house) == 1
    house.take(order(2))
    assert [(found.state, found.reason) for found in house.activities()] == [(S.HELD, "not live")] * 2
    assert "qbwoo store live main" in one(house, 1).sentence
    with house.database.read() as db:
        assert handwork.count_released_by_live(db, get_store(db, "main"), ("orders",)) == 2
        assert handwork.count_released_by_live(db, get_store(db, "main"), ("customers",)) == 0
    assert handwork.go_live(house.database, "main", ("customers", "orders"), WHO) == 2
    assert house.states() == [S.PENDING, S.PENDING]


def test_a_go_live_without_orders_holds_what_had_not_gone(house: House) -> None:
    house.take(order(1))
    handwork.go_live(house.database, "main", ("customers",), WHO)
    assert (one(house, 1).state, one(house, 1).reason) == (S.HELD, "not live")


def test_an_order_of_the_very_second_of_the_go_live_flows(house: House) -> None:
    pause(house)
    with house.database.write() as db:
        get_store(db, "main").live_since = None
    house.set_store("orders.since", "")
    handwork.go_live(house.database, "main", ("orders",), WHO)
    with house.database.read() as db:
        since = get_store(db, "main").live_since
    assert since is not None
    house.take(order(1, date_created_gmt=since.strftime("%Y-%m-%dT%H:%M:%S")))
    house.take(order(2, date_created_gmt=(since - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")))
    assert (one(house, 1).state, one(house, 2).reason) == (S.PENDING, "before since")


def test_an_order_from_before_the_day_goes_when_a_person_releases_it(house: House) -> None:
    house.set_store("orders.since", (datetime.now(UTC) + timedelta(days=1)).isoformat())
    house.take(order(1))
    found = one(house, 1)
    assert found.reason == "before since"
    with house.database.write() as db:
        handwork.release(db, [found.id], WHO)
    assert one(house, 1).state == S.PENDING


def test_an_order_that_waits_for_money_waits_again_after_a_hold(house: House) -> None:
    unpaid = {"status": "processing", "date_paid_gmt": None, "date_paid": None, "payment_method": "cod"}
    house.take(order(1, **unpaid))
    found = one(house, 1)
    assert (found.state, found.reason) == (S.WAITING, "money")
    with house.database.write() as db:
        handwork.hold(db, [found.id], WHO)
    with house.database.write() as db:
        handwork.release(db, [found.id], WHO)
    assert (one(house, 1).state, one(house, 1).reason) == (S.WAITING, "money")


def test_nothing_of_a_paused_store_is_released_one_by_one(house: House) -> None:
    house.take(order(1))
    pause(house)
    found = one(house, 1)
    with house.database.write() as db, pytest.raises(OperationRefused, match="not live"):
        handwork.release(db, [found.id], WHO)


def refused(house: House, deed: str, found: Activity) -> str:
    with house.database.write() as db, pytest.raises(OperationRefused) as caught:
        handwork.DEEDS[deed](db, [found.id], WHO)
    return str(caught.value)


def test_an_order_cancelled_in_the_shop_is_not_said_to_need_a_release(house: House) -> None:
    house.take(order(1))
    house.take(order(1, status="cancelled"))
    for deed in ("retry", "release"):
        said = refused(house, deed, one(house, 1))
        assert "comes back by itself when the order's status returns" in said
        assert "qbwoo activity release" not in said


@pytest.mark.parametrize("deed", [handwork.hold, handwork.cancel])
def test_what_retry_advises_is_what_can_be_done(house: House, deed: Callable[..., object]) -> None:
    house.take(order(1))
    with house.database.write() as db:
        deed(db, [one(house, 1).id], WHO)
    assert f"qbwoo activity release {one(house, 1).id}" in refused(house, "retry", one(house, 1))
    with house.database.write() as db:
        handwork.release(db, [one(house, 1).id], WHO)
    assert one(house, 1).state == S.PENDING


def test_what_a_paused_store_holds_is_not_said_to_need_a_release(house: House) -> None:
    house.take(order(1))
    pause(house)
    said = refused(house, "retry", one(house, 1))
    assert "qbwoo store live main" in said
    assert "activity release" not in said


def test_a_changed_setting_lifts_what_waited_for_it(house: House) -> None:
    house.take(order(1, status="on-hold"))
    assert one(house, 1).reason == "status"
    house.set_store("orders.statuses", "processing, completed, wc-on-hold")
    assert handwork.decide_anew(house.database, "main") == 1
    assert one(house, 1).state == S.PENDING
