"""The sending side: what is due, who goes next, what leaves.

One call of the conversation is one transaction, and within it a handful of
statements, however many activities a message set carries.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, func, insert, literal_column, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import QUICKBOOKS
from queue_store.models import Activity, Attempt, table_of
from queue_store.prebuilt import Prebuilt
from queue_store.states import ActivityState, AttemptState

_ACTIVITY = table_of(Activity)
_ATTEMPT = table_of(Attempt)

#: What both sides need of an activity.
ACTIVITY_COLUMNS = tuple(
    _ACTIVITY.c[name]
    for name in (
        "id",
        "store_id",
        "kind",
        "record_id",
        "generation",
        "state",
        "attempts",
        "priority",
        "reference",
        "fingerprint",
        "txn_id",
        "set_failures",
        "suspect_size",
        "suspect_of",
    )
)

_WAKE_DUE = Prebuilt(
    update(_ACTIVITY)
    .where(
        _ACTIVITY.c.company_id == bindparam("_company_id"),
        _ACTIVITY.c.target == bindparam("_target"),
        # Spelt out, or SQLite would not see that its index of what is delayed will do.
        _ACTIVITY.c.state == literal_column(f"'{ActivityState.DELAYED.value}'"),
        _ACTIVITY.c.next_at <= bindparam("_now"),
    )
    .values(state=ActivityState.PENDING.value, next_at=None)
)
#: Pending activities in the order of the queue; the payload is read only where nothing is prepared.
CLAIMABLE = (
    select(*ACTIVITY_COLUMNS, _ACTIVITY.c.prepared, _ACTIVITY.c.prepared_with)
    .where(
        _ACTIVITY.c.company_id == bindparam("company_id"),
        _ACTIVITY.c.target == QUICKBOOKS,
        _ACTIVITY.c.state == ActivityState.PENDING.value,
        # What arrives during a session is the next session's, but for follow-ups of its own work.
        or_(_ACTIVITY.c.id <= bindparam("newest_id"), _ACTIVITY.c.session_id == bindparam("session_id")),
    )
    .order_by(_ACTIVITY.c.priority.desc(), _ACTIVITY.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_OF_KINDS = _ACTIVITY.c.kind.in_(bindparam("kinds", expanding=True))
_LOCKED = CLAIMABLE.with_for_update(skip_locked=True)
_CANDIDATES, _CANDIDATES_OF_KINDS = Prebuilt(_LOCKED), Prebuilt(_LOCKED.where(_OF_KINDS))
_ANY = CLAIMABLE.with_only_columns(_ACTIVITY.c.id)
_ANY_CLAIMABLE, _ANY_CLAIMABLE_OF_KINDS = Prebuilt(_ANY), Prebuilt(_ANY.where(_OF_KINDS))
_RECORD_ATTEMPTS = Prebuilt(insert(_ATTEMPT))
_ANY_IN_STATE = Prebuilt(
    select(_ACTIVITY.c.id)
    .where(
        _ACTIVITY.c.company_id == bindparam("company_id"),
        _ACTIVITY.c.target == QUICKBOOKS,
        _ACTIVITY.c.state == bindparam("state"),
    )
    .limit(1)
)


class Sending(NamedTuple):
    """One activity that leaves with an exchange."""

    activity_id: int
    number: int
    fingerprint: str = ""
    predicted_total: Decimal | None = None


def wake_due(db: Session, company_id: int, now: datetime, *, target: str = QUICKBOOKS) -> None:
    """What was delayed and is due now is pending again."""
    _WAKE_DUE.run(db, {"_company_id": company_id, "_target": target, "_now": now})


def candidates(
    db: Session,
    company_id: int,
    *,
    newest_id: int,
    session_id: int,
    limit: int,
    kinds: Collection[str] | None = None,
) -> Sequence[Any]:
    """Up to `limit` pending activities in the order of the queue, locked."""
    values = {"company_id": company_id, "newest_id": newest_id, "session_id": session_id, "limit": limit}
    if kinds is None:
        return _CANDIDATES.rows(db, values)
    return _CANDIDATES_OF_KINDS.rows(db, {**values, "kinds": sorted(kinds)})


def has_claimable(
    db: Session, company_id: int, *, newest_id: int, session_id: int, kinds: Collection[str] | None = None
) -> bool:
    """True if `candidates` would find something."""
    values = {"company_id": company_id, "newest_id": newest_id, "session_id": session_id, "limit": 1}
    if kinds is None:
        return bool(_ANY_CLAIMABLE.rows(db, values))
    return bool(_ANY_CLAIMABLE_OF_KINDS.rows(db, {**values, "kinds": sorted(kinds)}))


def has_state(db: Session, company_id: int, state: ActivityState) -> bool:
    """True if any activity for QuickBooks stands in `state`."""
    return bool(_ANY_IN_STATE.rows(db, {"company_id": company_id, "state": state.value}))


def count_pending(db: Session, company_id: int, *, most: int) -> int:
    """Pending activities of a company, counted up to `most`."""
    rows = (
        select(Activity.id)
        .where(
            Activity.company_id == company_id,
            Activity.target == QUICKBOOKS,
            Activity.state == ActivityState.PENDING,
        )
        .limit(most)
        .subquery()
    )
    return db.execute(select(func.count()).select_from(rows)).scalar_one()


def payloads_of(db: Session, activity_ids: Collection[int]) -> dict[int, bytes]:
    """Payloads by activity id."""
    if not activity_ids:
        return {}
    rows = db.execute(select(Activity.id, Activity.payload).where(Activity.id.in_(activity_ids)))
    return {row.id: row.payload for row in rows}


def record_attempts(db: Session, exchange_id: int, sendings: Sequence[Sending]) -> None:
    """What leaves with an exchange, one attempt each."""
    if not sendings:
        return
    _RECORD_ATTEMPTS.run_many(
        db,
        {
            "exchange_id": exchange_id,
            "state": AttemptState.SENT,
            "status_code": None,
            "status_message": "",
            "txn_id": None,
        },
        {
            "activity_id": [sending.activity_id for sending in sendings],
            "number": [sending.number for sending in sendings],
            "fingerprint": [sending.fingerprint for sending in sendings],
            "predicted_total": [sending.predicted_total for sending in sendings],
        },
    )
