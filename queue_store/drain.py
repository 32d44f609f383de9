"""Activities by the hundred: moved from state to state, settled, lost.

The rows read here are locked by the transaction of the call (SQLite: the whole
database; PostgreSQL: FOR UPDATE), so a state read is still true when it is
changed; the change compares it all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Update, bindparam, insert, select, update
from sqlalchemy.orm import Session

from queue_store import meters
from queue_store.activities import QUICKBOOKS
from queue_store.claim import ACTIVITY_COLUMNS
from queue_store.errors import IllegalTransition, LostRace
from queue_store.ids import new_ids
from queue_store.models import Activity, ActivityEvent, Attempt, Exchange, table_of
from queue_store.prebuilt import Prebuilt
from queue_store.states import AT_HOME, TRANSITIONS, ActivityState, AttemptState, ExchangeState

_ACTIVITY = table_of(Activity)
_EVENT = table_of(ActivityEvent)
_ATTEMPT = table_of(Attempt)

_KEEP_EVENTS = Prebuilt(insert(_EVENT))
_SETTLE_ATTEMPTS = Prebuilt(
    update(_ATTEMPT)
    .where(_ATTEMPT.c.activity_id == bindparam("_id"), _ATTEMPT.c.number == bindparam("_number"))
    .values(
        state=bindparam("_state"),
        status_code=bindparam("_code"),
        status_message=bindparam("_message"),
        txn_id=bindparam("_txn_id"),
    )
)
#: Attempts beside their activities.
_ATTEMPTS = (
    select(
        _ATTEMPT.c.number,
        _ATTEMPT.c.state.label("attempt_state"),
        _ATTEMPT.c.fingerprint.label("sent_fingerprint"),
        _ATTEMPT.c.predicted_total,
        _ATTEMPT.c.txn_id.label("attempt_txn_id"),
        _ATTEMPT.c.exchange_id.label("attempt_exchange_id"),
        _ACTIVITY.c.newer_payload,
        _ACTIVITY.c.newer_fingerprint,
        _ACTIVITY.c.unwanted,
        *ACTIVITY_COLUMNS,
    )
    .join(_ACTIVITY, _ACTIVITY.c.id == _ATTEMPT.c.activity_id)
    .with_for_update(of=_ACTIVITY)
)
_ATTEMPTS_IN = Prebuilt(_ATTEMPTS.where(_ATTEMPT.c.exchange_id == bindparam("exchange_id")))
_ATTEMPTS_OF = Prebuilt(
    _ATTEMPTS.where(
        _ACTIVITY.c.company_id == bindparam("company_id"),
        _ATTEMPT.c.activity_id.in_(bindparam("activity_ids", expanding=True)),
    )
)


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


class Outcome(NamedTuple):
    """What came of one attempt."""

    activity_id: int
    number: int
    state: AttemptState
    status_code: int
    status_message: str
    txn_id: str | None


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


def in_books(
    db: Session,
    company_id: int,
    *,
    store_ids: Collection[int],
    kinds: Collection[str],
    record_ids: Collection[str],
) -> Sequence[Activity]:
    """Activities of these records whose document counts as in QuickBooks, locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id.in_(store_ids),
            Activity.kind.in_(kinds),
            Activity.record_id.in_(record_ids),
            Activity.state == ActivityState.SUCCEEDED,
        )
        .order_by(Activity.id)
        .with_for_update()
    ).all()


def change(db: Session, changes: Sequence[Change], *, exchange_id: int | None = None) -> None:
    """Move many activities at once, each by compare-and-set, each with an event.

    Raises IllegalTransition, and LostRace if any of them was not in the state
    that its change starts from; then nothing of this call may be committed.
    """
    if not changes:
        return
    ways = {(item.before, item.after): item for item in changes}
    for (before, after), item in ways.items():
        if ActivityState(after) not in TRANSITIONS[ActivityState(before)]:
            raise IllegalTransition(item.activity_id, before, after)
    now = datetime.now(UTC)
    names = tuple(sorted(changes[0].values or ()))
    ids = [item.activity_id for item in changes]
    from_states, to_states = [item.before for item in changes], [item.after for item in changes]
    each: dict[str, list[Any]] = {
        "_before": from_states,
        "_after": to_states,
        "_sentence": [item.sentence for item in changes],
        "_reason": [item.reason for item in changes],
        "_next_at": [item.next_at for item in changes],
        **{f"_v_{name}": [(item.values or {})[name] for item in changes] for name in names},
    }
    same = {name: values[0] for name, values in each.items() if values.count(values[0]) == len(values)}
    if len(same) == len(each):
        changed = _alike_statement(names).run(db, {**same, "_now": now, "_ids": ids})
    else:
        others = {name: values for name, values in each.items() if name not in same}
        changed = _change_statement(names).run_many(db, {**same, "_now": now}, {"_id": ids, **others})
    if changed != len(changes):
        raise LostRace(changes[0].activity_id, changes[0].before)
    _KEEP_EVENTS.run_many(
        db,
        {"at": now, "exchange_id": exchange_id},
        {
            "id": new_ids(len(changes)),
            "activity_id": ids,
            "from_state": from_states,
            "to_state": to_states,
            "cause": [item.cause or item.sentence for item in changes],
        },
    )


@cache
def _change_statement(names: tuple[str, ...]) -> Prebuilt:
    """The compare-and-set of `change`, with further columns."""
    return Prebuilt(_compare_and_set(names).where(_ACTIVITY.c.id == bindparam("_id")))


@cache
def _alike_statement(names: tuple[str, ...]) -> Prebuilt:
    """The same where all activities change alike, as those that leave together do."""
    return Prebuilt(_compare_and_set(names).where(_ACTIVITY.c.id.in_(bindparam("_ids", expanding=True))))


def _compare_and_set(names: tuple[str, ...]) -> Update:
    return (
        update(_ACTIVITY)
        .where(_ACTIVITY.c.state == bindparam("_before"))
        .values(
            state=bindparam("_after"),
            sentence=bindparam("_sentence"),
            reason=bindparam("_reason"),
            next_at=bindparam("_next_at"),
            updated_at=bindparam("_now"),
            **{name: bindparam(f"_v_{name}") for name in names},
        )
    )


def settle_attempts(db: Session, rows: Sequence[Outcome]) -> None:
    """What came of these attempts."""
    if not rows:
        return
    _SETTLE_ATTEMPTS.run_many(
        db,
        {},
        {
            "_id": [row.activity_id for row in rows],
            "_number": [row.number for row in rows],
            "_state": [row.state for row in rows],
            "_code": [row.status_code for row in rows],
            "_message": [row.status_message for row in rows],
            "_txn_id": [row.txn_id for row in rows],
        },
    )


def attempts_in(db: Session, exchange_id: int) -> Sequence[Any]:
    """Each attempt of an exchange beside its activity as it stands now, locked."""
    return _ATTEMPTS_IN.rows(db, {"exchange_id": exchange_id})


def attempts_by_number(db: Session, company_id: int, wanted: Collection[tuple[int, int]]) -> list[Any]:
    """The same for (activity, number) pairs of one company, whatever exchange carried them."""
    if not wanted:
        return []
    values = {"company_id": company_id, "activity_ids": sorted({activity for activity, _ in wanted})}
    return [row for row in _ATTEMPTS_OF.rows(db, values) if (row.id, row.number) in wanted]


def without_clear_answer(db: Session, activity_ids: Collection[int]) -> set[int]:
    """Those of these activities of which some attempt was never answered, or not clearly."""
    if not activity_ids:
        return set()
    unclear = (AttemptState.SENT, AttemptState.LOST)
    return set(
        db.scalars(
            select(Attempt.activity_id).where(
                Attempt.activity_id.in_(activity_ids), Attempt.state.in_(unclear)
            )
        )
    )


def lose_exchange(db: Session, exchange: Exchange, cause: str, *, reason: str = "lost") -> list[Any]:
    """Nobody will answer this exchange: it is lost, and what it carried is in doubt. Gives those rows."""
    exchange.state = ExchangeState.LOST
    exchange.message = exchange.message or cause
    outcome = "hresult" if exchange.hresult else "unusable" if exchange.received_at else "lost"
    meters.EXCHANGES.add_after(db, exchange.company_id, exchange.purpose, outcome)
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
