"""The activities addressed to the shop, handed out to workers: claimed many at once, and given back by those that died.

A claim ends by itself after ten minutes: whatever a worker does for a shop may be done again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from queue_store.activities import SHOP
from queue_store.drain import Change, change
from queue_store.models import Activity
from queue_store.states import ActivityState

#: A claim older than this belongs to a worker that died.
CLAIM_ENDS = timedelta(minutes=10)


def claim_shop_work(
    db: Session,
    company_id: int,
    now: datetime,
    limit: int,
    *,
    kind: str = "",
    store_id: int = 0,
    but: Collection[str] = (),
    but_stores: Collection[int] = (),
) -> Sequence[Activity]:
    """Up to `limit` activities that are due, now marked as sent, oldest first.

    Of one `kind` and store where these are given, and of none of the kinds in `but`, nor of these stores.
    """
    conditions = [_is_due(now)]
    if kind:
        conditions.append(Activity.kind == kind)
    if store_id:
        conditions.append(Activity.store_id == store_id)
    if but_stores:
        conditions.append(Activity.store_id.not_in(but_stores))
    if but:
        conditions.append(Activity.kind.not_in(but))
    due = db.execute(
        select(Activity.id, Activity.state, Activity.attempts)
        .where(Activity.company_id == company_id, Activity.target == SHOP, *conditions)
        .order_by(Activity.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    late = [row.id for row in due if row.state == ActivityState.DELAYED]
    change(
        db,
        [
            Change(
                activity_id=number,
                before=ActivityState.DELAYED,
                after=ActivityState.PENDING,
                cause="due again",
            )
            for number in late
        ],
    )
    change(
        db,
        [
            Change(
                activity_id=row.id,
                before=ActivityState.PENDING,
                after=ActivityState.SENT,
                cause="taken by a worker",
                values={"attempts": row.attempts + 1},
            )
            for row in due
        ],
    )
    return _loaded(db, [row.id for row in due])


def _loaded(db: Session, activity_ids: Collection[int]) -> Sequence[Activity]:
    """As they stand now, whatever of them was loaded before."""
    if not activity_ids:
        return []
    query = select(Activity).where(Activity.id.in_(activity_ids)).order_by(Activity.id)
    return db.scalars(query.execution_options(populate_existing=True)).all()


def still_claimed(db: Session, attempts: Mapping[int, int]) -> dict[int, Activity]:
    """Those of these activities, each with the number of its attempt, that are still sent by that very attempt.

    By id; locked against other writers until the commit.
    """
    rows = db.scalars(
        select(Activity)
        .where(Activity.id.in_(attempts), Activity.state == ActivityState.SENT)
        .order_by(Activity.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows if row.attempts == attempts[row.id]}


def free_abandoned(db: Session, company_id: int, now: datetime) -> int:
    """Give back what a worker claimed more than 10 minutes ago and never settled; how many."""
    stale = db.scalars(
        select(Activity.id)
        .where(
            Activity.company_id == company_id,
            Activity.target == SHOP,
            Activity.state == ActivityState.SENT,
            Activity.updated_at < now - CLAIM_ENDS,
        )
        .order_by(Activity.id)
        .with_for_update(skip_locked=True)
    ).all()
    change(
        db,
        [
            Change(
                activity_id=number,
                before=ActivityState.SENT,
                after=ActivityState.PENDING,
                cause="its worker did not finish; doing it again is harmless",
            )
            for number in stale
        ],
    )
    return len(stale)


def has_shop_work(
    db: Session, company_id: int, now: datetime, *, store_id: int = 0, but_stores: Collection[int] = ()
) -> bool:
    """True if anything is due, or was claimed by a worker that died; of one store where it is given."""
    of_store = [Activity.store_id == store_id] if store_id else []
    if but_stores:
        of_store.append(Activity.store_id.not_in(but_stores))
    return (
        db.scalars(
            select(Activity.id)
            .where(
                Activity.company_id == company_id,
                Activity.target == SHOP,
                *of_store,
                or_(
                    Activity.state == ActivityState.PENDING,
                    (Activity.state == ActivityState.DELAYED) & (Activity.next_at <= now),
                    (Activity.state == ActivityState.SENT) & (Activity.updated_at < now - CLAIM_ENDS),
                ),
            )
            .limit(1)
        ).first()
        is not None
    )


def stores_with_work(db: Session, company_id: int, kind: str, now: datetime) -> list[int]:
    """The stores for which something of this kind is due."""
    return list(
        db.scalars(
            select(Activity.store_id)
            .where(
                Activity.company_id == company_id,
                Activity.target == SHOP,
                Activity.kind == kind,
                _is_due(now),
            )
            .distinct()
            .order_by(Activity.store_id)
        )
    )


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(
        Activity.state == ActivityState.PENDING,
        (Activity.state == ActivityState.DELAYED) & (Activity.next_at <= now),
    )
