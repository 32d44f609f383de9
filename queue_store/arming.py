"""Wishes that a shop be seen to, many at once: one activity for each record, put in anew or brought back, never doubled.

Which of them are to be armed is their kind's to say; how, stands here, in a few statements for 500 of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from queue_store.activities import SHOP, expire_activities, note
from queue_store.drain import Change, change
from queue_store.fingerprint import content_digest
from queue_store.ids import new_ids
from queue_store.models import Activity, ActivityEvent, Store, table_of
from queue_store.shop_products import pieces
from queue_store.states import ActivityState


@dataclass(frozen=True, slots=True)
class Wish:
    """One record that the shop is to be seen to for, and the newest activity of it; None: there is none."""

    record_id: str
    payload: bytes
    #: For people.
    reference: str
    before: Activity | None = None


def newest_of_records(
    db: Session, store: Store, kind: str, record_ids: Collection[str]
) -> dict[str, Activity]:
    """The newest activity of each of these records of a store, locked against other writers."""
    found: dict[str, Activity] = {}
    for some in pieces(sorted(record_ids)):
        rows = db.scalars(
            select(Activity)
            .where(
                Activity.company_id == store.company_id,
                Activity.store_id == store.id,
                Activity.kind == kind,
                Activity.record_id.in_(some),
            )
            .order_by(Activity.generation)
            .with_for_update()
        )
        found.update({row.record_id: row for row in rows})
    return found


def put_in(db: Session, store: Store, kind: str, wishes: Sequence[Wish], cause: str) -> None:
    """A new generation of each, due now; what was there before is done."""
    if not wishes:
        return
    db.flush()
    now, connection = datetime.now(UTC), db.connection()
    ids = new_ids(len(wishes))
    rows = [
        {
            "id": number,
            "company_id": store.company_id,
            "store_id": store.id,
            "target": SHOP,
            "kind": kind,
            "record_id": wish.record_id,
            "generation": 1 if wish.before is None else wish.before.generation + 1,
            "state": ActivityState.PENDING,
            "payload": wish.payload,
            "digest": content_digest(wish.payload),
            "reference": wish.reference,
            "created_at": now,
            "updated_at": now,
        }
        for number, wish in zip(ids, wishes, strict=True)
    ]
    connection.execute(insert(table_of(Activity)), rows)
    events = [
        {
            "id": event_id,
            "activity_id": number,
            "at": now,
            "from_state": "",
            "to_state": ActivityState.PENDING,
            "cause": cause,
        }
        for event_id, number in zip(new_ids(len(wishes)), ids, strict=True)
    ]
    connection.execute(insert(table_of(ActivityEvent)), events)


def bring_back(db: Session, wishes: Sequence[Wish], cause: str) -> None:
    """What is there already is due again, as it is wished now, as if it had never been tried."""
    changes: list[Change] = []
    for wish in wishes:
        activity = wish.before
        assert activity is not None
        values = {
            "payload": wish.payload,
            "digest": content_digest(wish.payload),
            "attempts": 0,
            "reference": wish.reference,
        }
        if activity.state == ActivityState.PENDING:
            for name, value in values.items():
                setattr(activity, name, value)
            note(db, activity.id, activity.state, activity.state, cause)
            continue
        changes.append(
            Change(
                activity_id=activity.id,
                before=activity.state,
                after=ActivityState.PENDING,
                cause=cause,
                values=values,
            )
        )
    db.flush()
    change(db, changes)
    if changes:
        expire_activities(db)
