"""Much work for the shop put into the queue at once: `queue_store.shop_work.ask_shop` by the hundred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from queue_store.activities import CALLED_OFF, SHOP
from queue_store.drain import Change, change
from queue_store.fingerprint import content_digest
from queue_store.ids import new_ids
from queue_store.models import Activity, ActivityEvent
from queue_store.states import ActivityState

#: Records in one statement.
AT_ONCE = 500
_DONE = (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One record that the worker is to see to."""

    store_id: int
    record_id: str
    payload: bytes
    #: What people call it.
    reference: str = ""


def ask_shop_many(db: Session, *, company_id: int, kind: str, wishes: Sequence[Wish], cause: str) -> None:
    """Put all of `wishes` into the queue, or re-arm what is there; what is pending already stays as it is.

    What a person holds stays held; what is being done is done once more afterwards.
    """
    every = iter({(wish.store_id, wish.record_id): wish for wish in wishes}.values())
    while some := list(islice(every, AT_ONCE)):
        _ask(db, company_id, kind, some, cause)


def _ask(db: Session, company_id: int, kind: str, wishes: Sequence[Wish], cause: str) -> None:
    db.flush()
    rows = db.execute(
        select(
            Activity.id,
            Activity.store_id,
            Activity.record_id,
            Activity.generation,
            Activity.state,
            Activity.reason,
            Activity.digest,
        )
        .where(
            Activity.company_id == company_id,
            Activity.store_id.in_({wish.store_id for wish in wishes}),
            Activity.kind == kind,
            Activity.record_id.in_([wish.record_id for wish in wishes]),
            Activity.reason != CALLED_OFF,
        )
        # In one order everywhere, so that two callers do not wait for each other.
        .order_by(Activity.id)
        .with_for_update()
    )
    newest: dict[tuple[int, str], Any] = {}
    for row in rows:
        key = (row.store_id, row.record_id)
        if key not in newest or row.generation > newest[key].generation:
            newest[key] = row
    new: list[tuple[Wish, int]] = []
    again: list[Change] = []
    beside: list[tuple[Wish, int]] = []
    for wish in wishes:
        known = newest.get((wish.store_id, wish.record_id))
        if known is None or known.state in _DONE:
            new.append((wish, 1 if known is None else known.generation + 1))
        elif known.state == ActivityState.SENT:
            beside.append((wish, known.id))
        elif not _is_asked(known, wish):
            again.append(_rearmed(known.id, known.state, wish, cause))
    _add(db, company_id, kind, new, cause)
    # From pending to pending is no change of state.
    pending = [one for one in again if one.before == ActivityState.PENDING]
    change(db, [one for one in again if one.before != ActivityState.PENDING])
    for one in pending:
        _set(db, one.activity_id, payload=(one.values or {})["payload"], digest=(one.values or {})["digest"])
    for wish, activity_id in beside:
        _set(db, activity_id, newer_payload=wish.payload, digest=content_digest(wish.payload))


def _is_asked(known: Any, wish: Wish) -> bool:
    """It is in the queue already, or a person keeps it there."""
    if known.state == ActivityState.HELD:
        return bool(known.reason == "operator")
    return bool(known.state == ActivityState.PENDING and known.digest == content_digest(wish.payload))


def _rearmed(activity_id: int, state: str, wish: Wish, cause: str) -> Change:
    values = {"payload": wish.payload, "digest": content_digest(wish.payload), "attempts": 0}
    return Change(
        activity_id=activity_id, before=state, after=ActivityState.PENDING, cause=cause, values=values
    )


def _set(db: Session, activity_id: int, **values: object) -> None:
    db.execute(
        update(Activity)
        .where(Activity.id == activity_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _add(db: Session, company_id: int, kind: str, new: Sequence[tuple[Wish, int]], cause: str) -> None:
    if not new:
        return
    ids = new_ids(len(new))
    db.execute(
        insert(Activity),
        [
            {
                "id": activity_id,
                "company_id": company_id,
                "store_id": wish.store_id,
                "target": SHOP,
                "kind": kind,
                "record_id": wish.record_id,
                "generation": generation,
                "state": ActivityState.PENDING,
                "payload": wish.payload,
                "digest": content_digest(wish.payload),
                "reference": wish.reference,
            }
            for activity_id, (wish, generation) in zip(ids, new, strict=True)
        ],
    )
    db.execute(
        insert(ActivityEvent),
        [{"activity_id": one, "to_state": ActivityState.PENDING, "cause": cause} for one in ids],
    )
