"""Activities by the hundred: what the Web Connector's side claims, sends and settles.

One call of the conversation is one transaction, and within it a handful of
statements, however many activities a message set carries. The rows read here
are locked by that transaction (SQLite: the whole database; PostgreSQL: FOR
UPDATE), so a state read is still true when it is changed; the change compares
it all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Row, Update, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import QUICKBOOKS
from queue_store.errors import IllegalTransition, LostRace
from queue_store.ids import new_ids
from queue_store.models import Activity, ActivityEvent, ActivityWait, Attempt, Exchange, table_of
from queue_store.states import AT_HOME, TRANSITIONS, ActivityState, AttemptState, ExchangeState

_ACTIVITY = table_of(Activity)
_EVENT = table_of(ActivityEvent)
_ATTEMPT = table_of(Attempt)
_WAIT = table_of(ActivityWait)

#: What both sides need of an activity.
_ACTIVITY_COLUMNS = (
    Activity.id,
    Activity.store_id,
    Activity.kind,
    Activity.record_id,
    Activity.generation,
    Activity.state,
    Activity.attempts,
    Activity.priority,
    Activity.reference,
    Activity.fingerprint,
    Activity.txn_id,
    Activity.set_failures,
    Activity.suspect_size,
    Activity.suspect_of,
)
#: What the sending side needs; the payload is read only where it is not prepared.
_CANDIDATE = (*_ACTIVITY_COLUMNS, Activity.prepared, Activity.prepared_with)


@dataclass(slots=True, kw_only=True)
class Change:
    """One activity's way from one state to another, with what goes with it."""

    activity_id: int
    before: str
    after: str
    cause: str = ""
    sentence: str = ""
    reason: str = ""
    next_at: datetime | None = None
    #: Further columns of the activity, the same names in every change of one call.
    values: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One activity that leaves with an exchange."""

    activity_id: int
    number: int
    fingerprint: str = ""
    predicted_total: Decimal | None = None


def wake_due(db: Session, company_id: int, now: datetime, *, target: str = QUICKBOOKS) -> None:
    """What was delayed and is due now is pending again."""
    db.execute(
        update(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.target == target,
            Activity.state == ActivityState.DELAYED,
            Activity.next_at <= now,
        )
        .values(state=ActivityState.PENDING, next_at=None)
        .execution_options(synchronize_session=False)
    )


def claimable(company_id: int, *, newest_id: int, session_id: int, target: str = QUICKBOOKS) -> Any:
    """Pending activities in the order of the queue, as a SELECT of the columns of a candidate."""
    return (
        select(*_CANDIDATE)
        .where(
            Activity.company_id == company_id,
            Activity.target == target,
            Activity.state == ActivityState.PENDING,
            # What arrives during a session is the next session's, but for follow-ups of its own work.
            or_(Activity.id <= newest_id, Activity.session_id == session_id),
        )
        .order_by(Activity.priority.desc(), Activity.id)
    )


def candidates(
    db: Session,
    company_id: int,
    *,
    newest_id: int,
    session_id: int,
    limit: int,
    kinds: Collection[str] | None = None,
) -> Sequence[Row[Any]]:
    """Up to `limit` pending activities in the order of the queue, locked."""
    query = claimable(company_id, newest_id=newest_id, session_id=session_id)
    if kinds is not None:
        query = query.where(Activity.kind.in_(kinds))
    return db.execute(query.limit(limit).with_for_update(skip_locked=True)).all()


def has_claimable(
    db: Session, company_id: int, *, newest_id: int, session_id: int, kinds: Collection[str] | None = None
) -> bool:
    """True if `candidates` would find something."""
    query = claimable(company_id, newest_id=newest_id, session_id=session_id)
    if kinds is not None:
        query = query.where(Activity.kind.in_(kinds))
    return db.execute(query.with_only_columns(Activity.id).limit(1)).first() is not None


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


def has_state(db: Session, company_id: int, state: ActivityState) -> bool:
    """True if any activity for QuickBooks stands in `state`."""
    return bool(
        db.execute(
            select(
                exists().where(
                    Activity.company_id == company_id,
                    Activity.target == QUICKBOOKS,
                    Activity.state == state,
                )
            )
        ).scalar()
    )


def in_doubt(db: Session, company_id: int, *, kinds: Collection[str]) -> Sequence[Activity]:
    """Activities of these kinds whose answer was lost, oldest first, locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.target == QUICKBOOKS,
            Activity.state == ActivityState.IN_DOUBT,
            Activity.kind.in_(kinds),
        )
        .order_by(Activity.id)
        .with_for_update()
    ).all()


def at_home(
    db: Session,
    company_id: int,
    *,
    store_ids: Collection[int],
    kinds: Collection[str],
    record_ids: Collection[str],
) -> Sequence[Activity]:
    """Activities of these records that nobody outside has, oldest first, locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id.in_(store_ids),
            Activity.kind.in_(kinds),
            Activity.record_id.in_(record_ids),
            Activity.state.in_(AT_HOME),
        )
        .order_by(Activity.id)
        .with_for_update()
    ).all()


def payloads_of(db: Session, activity_ids: Collection[int]) -> dict[int, bytes]:
    """Payloads by activity id."""
    if not activity_ids:
        return {}
    rows = db.execute(select(Activity.id, Activity.payload).where(Activity.id.in_(activity_ids)))
    return {row.id: row.payload for row in rows}


def change(db: Session, changes: Sequence[Change], *, exchange_id: int | None = None) -> None:
    """Move many activities at once, each by compare-and-set, each with an event.

    Raises IllegalTransition, and LostRace if any of them was not in the state
    that its change starts from; then nothing of this call may be committed.
    """
    if not changes:
        return
    now = datetime.now(UTC)
    names = sorted(changes[0].values or ())
    rows, events = [], []
    for item, event_id in zip(changes, new_ids(len(changes)), strict=True):
        if ActivityState(item.after) not in TRANSITIONS[ActivityState(item.before)]:
            raise IllegalTransition(item.activity_id, item.before, item.after)
        rows.append(
            {
                "_id": item.activity_id,
                "_before": item.before,
                "_after": item.after,
                "_sentence": item.sentence,
                "_reason": item.reason,
                "_next_at": item.next_at,
                "_now": now,
                **{f"_v_{name}": (item.values or {})[name] for name in names},
            }
        )
        events.append(
            {
                "id": event_id,
                "activity_id": item.activity_id,
                "at": now,
                "from_state": item.before,
                "to_state": item.after,
                "cause": item.cause or item.sentence,
                "exchange_id": exchange_id,
            }
        )
    statement = _change_statement(tuple(names))
    connection = db.connection()
    changed = connection.execute(statement, rows)
    if changed.rowcount != len(rows):
        raise LostRace(changes[0].activity_id, changes[0].before)
    connection.execute(insert(_EVENT), events)


@cache
def _change_statement(names: tuple[str, ...]) -> Update:
    """The compare-and-set of `change`, with further columns."""
    return (
        update(_ACTIVITY)
        .where(_ACTIVITY.c.id == bindparam("_id"), _ACTIVITY.c.state == bindparam("_before"))
        .values(
            state=bindparam("_after"),
            sentence=bindparam("_sentence"),
            reason=bindparam("_reason"),
            next_at=bindparam("_next_at"),
            updated_at=bindparam("_now"),
            **{name: bindparam(f"_v_{name}") for name in names},
        )
    )


def record_attempts(db: Session, exchange_id: int, sendings: Sequence[Sending]) -> None:
    """What leaves with an exchange, one attempt each."""
    if not sendings:
        return
    db.connection().execute(
        insert(_ATTEMPT),
        [
            {
                "activity_id": sending.activity_id,
                "number": sending.number,
                "exchange_id": exchange_id,
                "state": AttemptState.SENT,
                "fingerprint": sending.fingerprint,
                "predicted_total": sending.predicted_total,
                "status_message": "",
            }
            for sending in sendings
        ],
    )


def settle_attempts(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Outcomes of attempts: dicts of activity_id, number, state, status_code, status_message, txn_id."""
    if not rows:
        return
    statement = (
        update(_ATTEMPT)
        .where(_ATTEMPT.c.activity_id == bindparam("_id"), _ATTEMPT.c.number == bindparam("_number"))
        .values(
            state=bindparam("_state"),
            status_code=bindparam("_code"),
            status_message=bindparam("_message"),
            txn_id=bindparam("_txn_id"),
        )
    )
    db.connection().execute(
        statement,
        [
            {
                "_id": row["activity_id"],
                "_number": row["number"],
                "_state": row["state"],
                "_code": row["status_code"],
                "_message": row["status_message"],
                "_txn_id": row["txn_id"],
            }
            for row in rows
        ],
    )


def attempts_in(db: Session, exchange_id: int) -> Sequence[Any]:
    """Each attempt of an exchange beside its activity as it stands now, locked."""
    return db.execute(_attempts().where(Attempt.exchange_id == exchange_id)).all()


def attempts_by_number(db: Session, company_id: int, wanted: Collection[tuple[int, int]]) -> list[Any]:
    """The same for (activity, number) pairs of one company, whatever exchange carried them."""
    if not wanted:
        return []
    rows = db.execute(
        _attempts().where(
            Activity.company_id == company_id, Attempt.activity_id.in_({activity for activity, _ in wanted})
        )
    )
    return [row for row in rows if (row.id, row.number) in wanted]


def _attempts() -> Any:
    return (
        select(
            Attempt.number,
            Attempt.state.label("attempt_state"),
            Attempt.fingerprint.label("sent_fingerprint"),
            Attempt.predicted_total,
            Attempt.txn_id.label("attempt_txn_id"),
            Attempt.exchange_id.label("attempt_exchange_id"),
            Activity.newer_payload,
            Activity.newer_fingerprint,
            Activity.unwanted,
            *_ACTIVITY_COLUMNS,
        )
        .join(Activity, Activity.id == Attempt.activity_id)
        .with_for_update(of=Activity)
    )


def lose_exchange(db: Session, exchange: Exchange, cause: str, *, reason: str = "lost") -> list[Any]:
    """Nobody will answer this exchange: it is lost, and what it carried is in doubt. Gives those rows."""
    exchange.state = ExchangeState.LOST
    exchange.message = exchange.message or cause
    sent = [
        row
        for row in attempts_in(db, exchange.id)
        if row.state == ActivityState.SENT and row.attempts == row.number
    ]
    change(
        db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.IN_DOUBT,
                cause=cause,
                sentence=f"{row.reference}: the answer was lost ({cause}). QuickBooks is asked before it goes again.",
                reason=reason,
            )
            for row in sent
        ],
        exchange_id=exchange.id,
    )
    db.execute(
        update(Attempt)
        .where(Attempt.exchange_id == exchange.id, Attempt.state == AttemptState.SENT)
        .values(state=AttemptState.LOST)
        .execution_options(synchronize_session=False)
    )
    db.flush()
    return sent


def suspect(db: Session, activity_ids: Collection[int], *, failures: int, size: int, of: int | None) -> None:
    """How these may travel from now on, see `Activity.suspect_size`."""
    db.execute(
        update(Activity)
        .where(Activity.id.in_(activity_ids))
        .values(set_failures=failures, suspect_size=size, suspect_of=of)
        .execution_options(synchronize_session=False)
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


def wake_waiters(db: Session, done: Collection[int], *, exchange_id: int | None = None) -> None:
    """What waited for nothing but these is pending again."""
    waiting = _waiters(db, done)
    if not waiting:
        return
    db.execute(
        delete(ActivityWait).where(ActivityWait.for_id.in_(done)).execution_options(synchronize_session=False)
    )
    still = set(db.scalars(select(ActivityWait.activity_id).where(ActivityWait.activity_id.in_(waiting))))
    free = [row for row in _rows(db, set(waiting) - still) if _waits_for_activity(row)]
    change(
        db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.PENDING,
                cause="what it waited for is in QuickBooks",
            )
            for row in free
        ],
        exchange_id=exchange_id,
    )


def fail_waiters(db: Session, failed: Collection[tuple[int, str]], *, exchange_id: int | None = None) -> None:
    """What waits for a failed activity fails with its sentence, and so on; (activity, sentence) each."""
    open_ends = list(failed)
    while open_ends:
        for_id, why = open_ends.pop()
        rows = [row for row in _rows(db, _waiters(db, [for_id])) if _waits_for_activity(row)]
        # Its own waiters hear the same cause: an item fails with its department, and the order with both.
        open_ends += [(row.id, why) for row in rows]
        change(
            db,
            [
                Change(
                    activity_id=row.id,
                    before=row.state,
                    after=ActivityState.FAILED,
                    reason="activity",
                    sentence=f"{'Order ' if row.kind == 'sale' else ''}{row.reference} cannot be sent: {why} "
                    "Mend that, then retry.",
                )
                for row in rows
            ],
            exchange_id=exchange_id,
        )


def _waiters(db: Session, for_ids: Collection[int]) -> set[int]:
    return set(db.scalars(select(ActivityWait.activity_id).where(ActivityWait.for_id.in_(for_ids))))


def _waits_for_activity(row: Any) -> bool:
    """Not one that has come to wait for money or a status since: other things decide on that."""
    return bool(row.state == ActivityState.WAITING and row.reason == "activity")


def _rows(db: Session, activity_ids: Collection[int]) -> Sequence[Any]:
    if not activity_ids:
        return []
    return db.execute(
        select(Activity.id, Activity.state, Activity.kind, Activity.reference, Activity.reason)
        .where(Activity.id.in_(activity_ids))
        .with_for_update()
    ).all()
