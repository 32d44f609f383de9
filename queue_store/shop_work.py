"""The activities addressed to the shop: enqueued here, and settled one by one.

What the worker does is reading, setting absolute values, or writing what it
looks for first, so an activity whose worker died is simply done again.
`queue_store.shop_claim` hands them out.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import SALE, SHOP, add_activity, move, newest_of_record, note
from queue_store.fingerprint import content_digest
from queue_store.intake import Incoming, Taken, take_in
from queue_store.models import Activity, Mapping
from queue_store.states import ActivityState

_DONE = (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED)


def ask_shop(
    db: Session,
    *,
    company_id: int,
    store_id: int,
    kind: str,
    record_id: str,
    payload: bytes,
    order_id: str = "",
    reference: str = "",
    cause: str,
) -> Activity:
    """Put work for the shop into the queue, or re-arm what is there.

    While it is being done, the wish waits beside it and it is done once more.
    """
    activity = newest_of_record(db, company_id=company_id, store_id=store_id, kind=kind, record_id=record_id)
    if activity is None or activity.state in _DONE:
        return add_activity(
            db,
            Activity(
                company_id=company_id,
                store_id=store_id,
                target=SHOP,
                kind=kind,
                record_id=record_id,
                generation=1 if activity is None else activity.generation + 1,
                state=ActivityState.PENDING,
                payload=payload,
                digest=content_digest(payload),
                order_id=order_id,
                reference=reference,
            ),
            cause=cause,
        )
    if activity.state == ActivityState.SENT:
        activity.newer_payload, activity.digest = payload, content_digest(payload)
        note(db, activity.id, activity.state, activity.state, cause)
        db.flush()
    else:
        move(
            db,
            activity,
            ActivityState.PENDING,
            cause=cause,
            payload=payload,
            digest=content_digest(payload),
            attempts=0,
        )
    return activity


def take_in_change(db: Session, incoming: Incoming) -> tuple[Taken, Activity]:
    """Like `take_in`, for records that change again and again: what was done before gets a new generation."""
    done = newest_of_record(
        db,
        company_id=incoming.company_id,
        store_id=incoming.store_id,
        kind=incoming.kind,
        record_id=incoming.record_id,
    )
    if done is None or done.state not in _DONE:
        return take_in(db, incoming)
    if incoming.modified_at and done.modified_at and incoming.modified_at < done.modified_at:
        return Taken.OLDER, done
    if incoming.fingerprint == done.fingerprint:
        return Taken.IN_BOOKS, done
    return Taken.NEW, add_activity(
        db,
        Activity(
            company_id=incoming.company_id,
            store_id=incoming.store_id,
            target=incoming.target,
            kind=incoming.kind,
            record_id=incoming.record_id,
            generation=done.generation + 1,
            state=incoming.state,
            reason=incoming.reason,
            sentence=incoming.sentence,
            priority=incoming.priority,
            payload=incoming.payload,
            digest=content_digest(incoming.payload),
            fingerprint=incoming.fingerprint,
            modified_at=incoming.modified_at,
            reference=incoming.reference,
            order_id=incoming.order_id,
        ),
        cause=incoming.sentence or "arrived from the shop",
    )


def settle_shop_work(db: Session, activity: Activity, *, cause: str, sentence: str = "") -> None:
    """Done: succeeded, or pending once more when it was asked for again meanwhile."""
    if activity.newer_payload is not None:
        move(
            db,
            activity,
            ActivityState.PENDING,
            cause="asked for again while it was done",
            payload=activity.newer_payload,
            newer_payload=None,
            attempts=0,
        )
    else:
        move(db, activity, ActivityState.SUCCEEDED, cause=cause, sentence=sentence)


def waiting_orders(
    db: Session,
    *,
    store_id: int,
    company_id: int,
    reasons: Sequence[str],
    after_id: int,
    limit: int,
    kinds: Sequence[str] = (SALE,),
) -> Sequence[Activity]:
    """Sales (or other `kinds`) that are held or wait for one of `reasons`, oldest first."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id == store_id,
            Activity.kind.in_(kinds),
            Activity.state.in_((ActivityState.HELD, ActivityState.WAITING)),
            Activity.reason.in_(reasons),
            Activity.id > after_id,
        )
        .order_by(Activity.id)
        .limit(limit)
    ).all()


def is_mapped(db: Session, *, company_id: int, store_id: int, kind: str, key: str) -> bool:
    """True if QuickBooks' id of that record is known, for this store or for all of them."""
    return (
        db.scalars(
            select(Mapping.id)
            .where(
                Mapping.company_id == company_id,
                Mapping.store_id.in_((0, store_id)),
                Mapping.kind == kind,
                Mapping.key == key,
            )
            .limit(1)
        ).first()
        is not None
    )
