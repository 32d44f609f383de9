"""What a person may do to an activity by hand, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store import drain, operations, waits
from queue_store.activities import add_activity, events_of, get_activity
from queue_store.companies import add_company, add_store
from queue_store.database import Database
from queue_store.models import Activity, AuditEntry, Company, Store
from queue_store.operations import OperationRefused
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState as S

WHO = "command line: jo"
Make = Callable[..., Activity]


@pytest.fixture
def db(database: Database) -> Any:
    with database.write() as db:
        yield db


@pytest.fixture
def company(db: Session) -> Company:
    return add_company(db, name="books", flavour="pos", username="connector", password="pw")


@pytest.fixture
def store(db: Session, company: Company, box: SecretBox) -> Store:
    return add_store(
        db,
        box,
        company=company,
        name="main",
        url="https://shop.example.com",
        consumer_key="ck",
        consumer_secret="cs",
        webhook_secret="ws",
    )


@pytest.fixture
def make(db: Session, company: Company, store: Store) -> Make:
    """Adds an activity."""

    def make(state: S, reference: str = "1", kind: str = "sale", **more: Any) -> Activity:
        activity = Activity(
            company_id=company.id,
            store_id=store.id if kind == "sale" else 0,
            kind=kind,
            record_id=reference,
            reference=reference,
            state=state,
            payload=b"{}",
            **more,
        )
        return add_activity(db, activity, cause="arrived")

    return make


DEEDS = {
    "retry": operations.retry,
    "hold": operations.hold,
    "release": operations.release,
    "cancel": operations.cancel,
}
#: What each may be done to; nothing else.
ALLOWED = {
    "retry": {S.FAILED, S.DELAYED},
    "hold": {S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED},
    "release": {S.HELD, S.CANCELLED},
    "cancel": {S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED},
}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_state_permits_what_the_table_says_and_refuses_the_rest_with_a_sentence(
    db: Session, make: Make, deed: str
) -> None:
    for number, state in enumerate(S):
        activity = make(state, reference=str(number))
        if state in ALLOWED[deed]:
            DEEDS[deed](db, activity, WHO)
            assert activity.state != state or deed == "hold"
        else:
            with pytest.raises(OperationRefused, match=rf"Activity {activity.id} \(sale {number}\) .+"):
                DEEDS[deed](db, activity, WHO)
            assert get_activity(db, activity.id).state == state


@pytest.mark.parametrize("state", [S.SENT, S.IN_DOUBT])
@pytest.mark.parametrize("deed", DEEDS)
def test_what_quickbooks_may_be_writing_is_not_touched(db: Session, make: Make, deed: str, state: S) -> None:
    activity = make(state)
    with pytest.raises(OperationRefused, match="Try again after the next run"):
        DEEDS[deed](db, activity, WHO)


def test_a_retry_forgets_earlier_failures_and_is_audited(db: Session, make: Make) -> None:
    activity = make(
        S.FAILED,
        sentence="no item",
        set_failures=3,
        suspect_size=1,
        suspect_of=7,
        prepared=b"x",
        prepared_with="1.1",
    )
    assert operations.retry(db, activity, WHO) == [activity]
    assert (activity.state, activity.sentence) == (S.PENDING, "")
    assert (activity.set_failures, activity.suspect_size, activity.suspect_of) == (0, 0, None)
    assert (activity.prepared, activity.prepared_with) == (None, "")
    assert events_of(db, activity.id)[-1].cause == f"retry, by {WHO}"
    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.who, entry.what, entry.before, entry.after) == (
        WHO,
        f"activity {activity.id}: retry",
        "failed",
        "pending",
    )


def test_a_failed_prerequisite_goes_again_with_what_failed_because_of_it(db: Session, make: Make) -> None:
    item = make(S.PENDING, "TS-RED-M", kind="add_item")
    first, second = make(S.WAITING, "71", reason="activity"), make(S.WAITING, "72", reason="activity")
    waits.wait_for(db, [(first.id, item.id), (second.id, item.id)])
    drain.change(
        db, [drain.Change(activity_id=item.id, before=S.PENDING, after=S.FAILED, sentence="refused")]
    )
    waits.fail_waiters(db, [(item.id, "refused.")])
    db.expire_all()
    assert (first.state, second.state) == (S.FAILED, S.FAILED)

    moved = operations.retry(db, first, WHO)
    assert {activity.id for activity in moved} == {first.id, second.id, item.id}
    assert (item.state, first.state, second.state) == (S.PENDING, S.WAITING, S.WAITING)
    drain.change(db, [drain.Change(activity_id=item.id, before=S.PENDING, after=S.SENT)])
    drain.change(db, [drain.Change(activity_id=item.id, before=S.SENT, after=S.SUCCEEDED)])
    waits.wake_waiters(db, [item.id])
    db.expire_all()
    assert (first.state, second.state) == (S.PENDING, S.PENDING)


def test_what_failed_for_a_reason_of_its_own_is_not_retried_with_its_prerequisite(
    db: Session, make: Make
) -> None:
    item, order = make(S.FAILED, "TS-RED-M", kind="add_item"), make(S.FAILED, "71", sentence="too long")
    waits.wait_for(db, [(order.id, item.id)])
    assert operations.retry(db, item, WHO) == [item]
    assert order.state == S.FAILED


def test_what_others_wait_for_is_not_cancelled(db: Session, make: Make) -> None:
    item, order = make(S.PENDING, "TS-RED-M", kind="add_item"), make(S.WAITING, "71", reason="activity")
    waits.wait_for(db, [(order.id, item.id)])
    with pytest.raises(OperationRefused, match="is needed by 71"):
        operations.cancel(db, item, WHO)


def test_held_by_hand_and_released_waits_for_what_it_needs(db: Session, make: Make) -> None:
    item, order = make(S.PENDING, "TS-RED-M", kind="add_item"), make(S.WAITING, "71", reason="activity")
    waits.wait_for(db, [(order.id, item.id)])
    operations.hold(db, order, WHO)
    assert (order.state, order.reason) == (S.HELD, "operator")
    assert f"qbwoo activity release {order.id}" in order.sentence
    operations.release(db, order, WHO)
    assert (order.state, order.reason) == (S.WAITING, "activity")


def test_what_the_shop_cancelled_is_not_revived_by_hand(db: Session, make: Make) -> None:
    with pytest.raises(OperationRefused, match="comes back by itself"):
        operations.release(db, make(S.CANCELLED, unwanted=True), WHO)


def test_what_is_held_since_its_store_is_not_live_is_not_released_one_by_one(db: Session, make: Make) -> None:
    with pytest.raises(OperationRefused, match="its store is not live"):
        operations.release(db, make(S.HELD, reason="not live", sentence="Run this."), WHO)


def test_a_pause_holds_all_that_could_still_go_and_nothing_else(
    db: Session, make: Make, store: Store
) -> None:
    going = [make(S.PENDING, "1"), make(S.DELAYED, "2"), make(S.WAITING, "3", reason="activity")]
    others = [
        make(S.WAITING, "4", reason="money"),
        make(S.SENT, "5"),
        make(S.IN_DOUBT, "6"),
        make(S.FAILED, "7"),
        make(S.HELD, "8", reason="operator"),
        make(S.PENDING, "TS-RED-M", kind="add_item"),
    ]
    before = [activity.state for activity in others]
    assert operations.hold_store(db, store, WHO, lambda name: f"{name} is held.") == 3
    db.expire_all()
    assert {(activity.state, activity.reason) for activity in going} == {(S.HELD, "not live")}
    assert going[0].sentence == "Order 1 is held."
    assert [activity.state for activity in others] == before


def test_an_activity_is_found_by_its_mark(db: Session, make: Make, company: Company) -> None:
    activity = make(S.PENDING, "1207")

    def find(head: str, record_id: str = "1207", generation: int = 1) -> list[int]:
        found = operations.activities_of_mark(db, head, record_id, generation, default_prefix="W")
        return [one.id for one in found]

    assert find("WMAIN") == [activity.id]
    assert find("XMAIN") == find("WOTHER") == find("WMAIN", "1208") == find("WMAIN", generation=2) == []
