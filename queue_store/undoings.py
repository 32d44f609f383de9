"""Undoings as the queue knows them: what they carry, and who waits for one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import SALE
from queue_store.models import Activity
from queue_store.payloads import Undoing
from queue_store.states import ActivityState
from queue_store.undo_plan import DELETION, UNDOINGS, WAYS

S = ActivityState

_decoder = msgspec.json.Decoder(Undoing)
#: An undoing in one of these states will not be done.
_NOT_TO_COME = (S.SUCCEEDED, S.SUPERSEDED, S.FAILED, S.CANCELLED)


def decode_undoing(payload: bytes) -> Undoing:
    return _decoder.decode(payload)


def open_undoings(db: Session, company_id: int, rows: Sequence[Any]) -> dict[int, Activity]:
    """Undoings that these activities (rows or models) wait for, by the id of who waits.

    A next generation waits for that of the generation before it, settled or failed;
    a sale besides for the deletion of its web order, while that may still be done.
    """
    waited_for: dict[tuple[str, int, str, int], int] = {
        (WAYS[row.kind].kind, row.store_id, row.record_id, row.generation - 1): row.id
        for row in rows
        if row.generation > 1 and row.kind in WAYS
    }
    sales = {(row.store_id, row.record_id): row.id for row in rows if row.kind == SALE}
    record_ids = {record_id for _, _, record_id, _ in waited_for} | {record_id for _, record_id in sales}
    if not record_ids:
        return {}
    found: dict[int, Activity] = {}
    for one in db.scalars(
        select(Activity).where(
            Activity.company_id == company_id,
            Activity.kind.in_(UNDOINGS),
            Activity.record_id.in_(record_ids),
            Activity.state != S.SUCCEEDED,
        )
    ):
        waiter = waited_for.get((one.kind, one.store_id, one.record_id, one.generation))
        if waiter is None and one.kind == DELETION and one.state not in _NOT_TO_COME:
            waiter = sales.get((one.store_id, one.record_id))
        if waiter is not None:
            found[waiter] = one
    return found


def being_undone(db: Session, company_id: int, activities: Collection[Activity]) -> set[int]:
    """Ids of those of these activities whose undoing was ordered, and is not settled."""
    if not activities:
        return set()
    ordered = {
        (one.kind, one.store_id, one.record_id, one.generation)
        for one in db.scalars(
            select(Activity).where(
                Activity.company_id == company_id,
                Activity.kind.in_(UNDOINGS),
                Activity.record_id.in_({one.record_id for one in activities}),
                Activity.state != S.SUCCEEDED,
            )
        )
    }
    return {
        one.id
        for one in activities
        if one.kind in WAYS and (WAYS[one.kind].kind, one.store_id, one.record_id, one.generation) in ordered
    }


def undoing_of(
    db: Session, kind: str, company_id: int, store_id: int, record_id: str, generation: int
) -> Activity | None:
    """The undoing, of this kind, of one generation of a record; locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id == store_id,
            Activity.kind == kind,
            Activity.record_id == record_id,
            Activity.generation == generation,
        )
        .with_for_update()
    ).first()


def waits_for_undo(db: Session, activity: Activity) -> bool:
    """True for a next generation whose undoing is not settled."""
    return activity.generation > 1 and activity.id in open_undoings(db, activity.company_id, [activity])
