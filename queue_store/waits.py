"""Activities that wait for other activities."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from queue_store.activities import RETURN, called
from queue_store.drain import Change, change
from queue_store.models import Activity, ActivityWait, table_of
from queue_store.prebuilt import Prebuilt
from queue_store.states import ActivityState

_WAIT = table_of(ActivityWait)
#: Where a refund may have gone with its sale, beside waiting for it.
_ENDED_WITH_IT = (ActivityState.WAITING, ActivityState.CANCELLED, ActivityState.FAILED)
_WAITERS = Prebuilt(
    select(_WAIT.c.activity_id).where(_WAIT.c.for_id.in_(bindparam("for_ids", expanding=True)))
)


def wait_for(db: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Each (activity, other): the activity waits until the other has succeeded, and for nothing else any more."""
    wanted = set(pairs)
    if not wanted:
        return
    known = {
        (row.activity_id, row.for_id)
        for row in db.execute(
            select(ActivityWait.activity_id, ActivityWait.for_id).where(
                ActivityWait.activity_id.in_({activity_id for activity_id, _ in wanted})
            )
        )
    }
    for activity_id, for_id in known - wanted:
        # Its content has changed since: what it no longer needs must not keep it.
        db.execute(
            delete(ActivityWait)
            .where(ActivityWait.activity_id == activity_id, ActivityWait.for_id == for_id)
            .execution_options(synchronize_session=False)
        )
    fresh = [{"activity_id": activity_id, "for_id": for_id} for activity_id, for_id in wanted - known]
    if fresh:
        db.connection().execute(insert(_WAIT), fresh)


def wake_waiters(
    db: Session,
    done: Collection[int],
    *,
    exchange_id: int | None = None,
    cause: str = "what it waited for is in QuickBooks",
) -> None:
    """What waited for nothing but these is pending again."""
    waiting = _waiters(db, done)
    if not waiting:
        return
    db.execute(
        delete(ActivityWait).where(ActivityWait.for_id.in_(done)).execution_options(synchronize_session=False)
    )
    # One that a person cancelled will not come: its waiters are resolved anew when they are claimed.
    still = set(
        db.scalars(
            select(ActivityWait.activity_id)
            .join(Activity, Activity.id == ActivityWait.for_id)
            .where(ActivityWait.activity_id.in_(waiting), Activity.state != ActivityState.CANCELLED)
        )
    )
    free = [row for row in _rows(db, set(waiting) - still) if _goes_on(row)]
    wanted = [row.id for row in free if row.state == ActivityState.CANCELLED]
    if wanted:
        db.execute(
            update(Activity)
            .where(Activity.id.in_(wanted))
            .values(unwanted=False)
            .execution_options(synchronize_session=False)
        )
    change(
        db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.PENDING,
                cause=cause,
            )
            for row in free
        ],
        exchange_id=exchange_id,
    )


def fail_waiters(
    db: Session, failed: Collection[tuple[int, str]], *, exchange_id: int | None = None
) -> list[int]:
    """What waits for a failed activity fails with its sentence, and so on; (activity, sentence) each.

    Gives the ids of all that failed, the first ones among them.
    """
    open_ends = list(failed)
    ids = [activity_id for activity_id, _ in failed]
    while open_ends:
        for_id, why = open_ends.pop()
        rows = [row for row in _rows(db, _waiters(db, [for_id])) if _waits_for_activity(row)]
        # Its own waiters hear the same cause: an item fails with its department, and the order with both.
        open_ends += [(row.id, why) for row in rows]
        ids += [row.id for row in rows]
        change(
            db,
            [
                Change(
                    activity_id=row.id,
                    before=row.state,
                    after=ActivityState.FAILED,
                    reason="activity",
                    sentence=f"{called(row)} cannot be sent: {why} Mend that, then retry.",
                )
                for row in rows
            ],
            exchange_id=exchange_id,
        )
    return ids


def _waiters(db: Session, for_ids: Collection[int]) -> set[int]:
    if not for_ids:
        return set()
    return {row.activity_id for row in _WAITERS.rows(db, {"for_ids": list(for_ids)})}


def _waits_for_activity(row: Any) -> bool:
    """Not one that has come to wait for money or a status since: other things decide on that."""
    return bool(row.state == ActivityState.WAITING and row.reason == "activity")


def _goes_on(row: Any) -> bool:
    """What waited; and a refund, which was held, cancelled or failed with its sale only."""
    if row.kind != RETURN:
        return _waits_for_activity(row)
    return bool(
        (row.reason == "activity" and row.state in _ENDED_WITH_IT)
        or (row.reason == "before since" and row.state == ActivityState.HELD)
    )


def _rows(db: Session, activity_ids: Collection[int]) -> Sequence[Any]:
    if not activity_ids:
        return []
    return db.execute(
        select(Activity.id, Activity.state, Activity.kind, Activity.reference, Activity.reason)
        .where(Activity.id.in_(activity_ids))
        .with_for_update()
    ).all()
