"""What is kept for a time only, pruned piece by piece.

Each piece is one short transaction, so that webhooks are hardly held up, and
goes on by id, so that a run can be cut off anywhere. Never touched: what an
open activity or an unanswered exchange needs, and what tells a document in the
books for good (activities, attempts, mappings, documents, accepted differences).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from queue_store.erasures import OVER
from queue_store.ids import id_at
from queue_store.models import (
    Activity,
    ActivityEvent,
    Attempt,
    AuditEntry,
    Exchange,
    KeptBody,
    LoginAttempt,
    Lookup,
    OperatorTask,
    QbwcSession,
    Reconciliation,
    Store,
)
from queue_store.packing import pack
from queue_store.states import ExchangeState, SessionState

#: Rows of one transaction: bodies are large, and overwritten where SQLite lets them go.
_BODIES, _ROWS = 25, 200

#: A query of the ids of a company, of what is older than the moment.
_Find = Callable[[int, datetime], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is kept for a time."""

    name: str
    #: The company's setting that tells for how many days; 0 there: for ever.
    setting: str
    model: Any
    find: _Find
    #: Writes what becomes of these ids.
    prune: Callable[[Session, Sequence[int]], None]
    at_once: int = _ROWS


@dataclass(frozen=True, slots=True)
class Piece:
    """What one short transaction prunes."""

    #: Place in `KINDS`.
    number: int
    ids: Sequence[int]
    #: Where the next one begins: place in `KINDS`, and the id to go on after; None: that is all.
    after: tuple[int, int] | None

    @property
    def kind(self) -> str:
        return KINDS[self.number].name


def find_piece(
    db: Session, company_id: int, place: tuple[int, int], older_than: Callable[[str], datetime | None]
) -> Piece:
    """What the next piece prunes, in a transaction that only reads: a long look holds nobody up.

    `older_than` gives for a setting the moment before which things go; None: none do.
    """
    number, after = place
    kind = KINDS[number]
    before = older_than(kind.setting)
    ids: Sequence[int] = []
    if before is not None:
        query = kind.find(company_id, before).where(kind.model.id > after, kind.model.id < _last_id(before))
        ids = db.scalars(query.order_by(kind.model.id).limit(kind.at_once)).all()
    if len(ids) == kind.at_once:
        return Piece(number, ids, (number, ids[-1]))
    return Piece(number, ids, (number + 1, 0) if number + 1 < len(KINDS) else None)


def prune_piece(
    db: Session, company_id: int, piece: Piece, older_than: Callable[[str], datetime | None]
) -> int:
    """Prune what was found, as far as it still is so; how many."""
    kind = KINDS[piece.number]
    before = older_than(kind.setting)
    if before is None or not piece.ids:
        return 0
    ids = db.scalars(kind.find(company_id, before).where(kind.model.id.in_(piece.ids))).all()
    if ids:
        kind.prune(db, ids)
    return len(ids)


def _last_id(before: datetime) -> int:
    """Ids rise with time, so that what is young is not even looked at; a day for clocks that were put back."""
    return id_at(before + timedelta(days=1))


def _bodies_of_exchanges(company_id: int, before: datetime) -> Any:
    return select(Exchange.id).where(
        Exchange.company_id == company_id,
        Exchange.sent_at < before,
        or_(func.length(Exchange.request) > len(pack(b"")), Exchange.response.is_not(None)),
        *_is_settled(),
    )


def _is_settled() -> tuple[Any, ...]:
    """True of an exchange that is answered or lost, and of whose activities each is over."""
    still_open = exists().where(
        Attempt.exchange_id == Exchange.id,
        Activity.id == Attempt.activity_id,
        Activity.state.not_in(OVER),
    )
    return Exchange.state != ExchangeState.OUTSTANDING, ~still_open


def _kept_bodies(company_id: int, before: datetime) -> Any:
    stores = select(Store.id).where(Store.company_id == company_id)
    return select(KeptBody.id).where(KeptBody.store_id.in_(stores), KeptBody.at < before)


def _events(company_id: int, before: datetime) -> Any:
    """But the last of each activity: it tells why that stands as it does."""
    later = aliased(ActivityEvent)
    return select(ActivityEvent.id).where(
        ActivityEvent.at < before,
        # No join: it would be begun with the activities, and all their events sorted for each piece.
        exists().where(
            Activity.id == ActivityEvent.activity_id,
            Activity.company_id == company_id,
            Activity.state.in_(OVER),
        ),
        exists().where(later.activity_id == ActivityEvent.activity_id, later.id > ActivityEvent.id),
    )


def _exchanges(company_id: int, before: datetime) -> Any:
    return select(Exchange.id).where(
        Exchange.company_id == company_id,
        Exchange.sent_at < before,
        *_is_settled(),
    )


def _sessions(company_id: int, before: datetime) -> Any:
    """But the newest: the next one goes by how that ended."""
    newest = select(func.max(QbwcSession.id)).where(QbwcSession.company_id == company_id).scalar_subquery()
    return select(QbwcSession.id).where(
        QbwcSession.company_id == company_id,
        QbwcSession.last_call_at < before,
        QbwcSession.state != SessionState.OPEN,
        QbwcSession.id != newest,
        ~exists().where(Exchange.session_id == QbwcSession.id),
    )


def _audit(company_id: int, before: datetime) -> Any:
    return select(AuditEntry.id).where(AuditEntry.company_id == company_id, AuditEntry.at < before)


def _tasks(company_id: int, before: datetime) -> Any:
    return select(OperatorTask.id).where(
        OperatorTask.company_id == company_id,
        OperatorTask.updated_at < before,
        ~OperatorTask.open,
    )


def _reconciliations(company_id: int, before: datetime) -> Any:
    """But the last of each store that came to its end."""
    later = aliased(Reconciliation)
    return select(Reconciliation.id).where(
        Reconciliation.company_id == company_id,
        Reconciliation.finished_at < before,
        Reconciliation.state.in_(("done", "failed")),
        exists().where(
            later.company_id == company_id,
            later.store_id == Reconciliation.store_id,
            later.id > Reconciliation.id,
            later.state == "done",
        ),
    )


def _empty_exchanges(db: Session, ids: Sequence[int]) -> None:
    db.execute(
        update(Exchange)
        .where(Exchange.id.in_(ids))
        .values(request=b"", response=None)
        .execution_options(synchronize_session=False)
    )


def _drop(model: Any) -> Callable[[Session, Sequence[int]], None]:
    def prune(db: Session, ids: Sequence[int]) -> None:
        db.execute(delete(model).where(model.id.in_(ids)).execution_options(synchronize_session=False))

    return prune


MESSAGES, HISTORY = "privacy.messages_days", "privacy.history_days"

KINDS: Sequence[Kind] = (
    Kind("message sets emptied", MESSAGES, Exchange, _bodies_of_exchanges, _empty_exchanges, _BODIES),
    Kind("webhook bodies", MESSAGES, KeptBody, _kept_bodies, _drop(KeptBody), _BODIES),
    Kind("events", HISTORY, ActivityEvent, _events, _drop(ActivityEvent)),
    Kind("message sets", HISTORY, Exchange, _exchanges, _drop(Exchange), _BODIES),
    Kind("sessions", HISTORY, QbwcSession, _sessions, _drop(QbwcSession)),
    Kind("audit entries", HISTORY, AuditEntry, _audit, _drop(AuditEntry)),
    Kind("closed tasks", HISTORY, OperatorTask, _tasks, _drop(OperatorTask)),
    Kind("reconciliations", HISTORY, Reconciliation, _reconciliations, _drop(Reconciliation), _BODIES),
)


def prune_small(db: Session, company_id: int, before: datetime) -> None:
    """Look-ups that were believed for a session long over, and addresses of wrong passwords: few rows, no count."""
    db.execute(
        delete(Lookup)
        .where(and_(Lookup.company_id == company_id, Lookup.answered_at < before, Lookup.found >= 0))
        .execution_options(synchronize_session=False)
    )
    db.execute(
        delete(LoginAttempt)
        .where(LoginAttempt.last_failure_at < before)
        .execution_options(synchronize_session=False)
    )
