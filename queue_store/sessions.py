"""Web Connector sessions and their exchanges."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from queue_store.models import Company, Erasure, Exchange, LoginAttempt, Lookup, QbwcSession, table_of
from queue_store.prebuilt import Prebuilt
from queue_store.redacting import without_anybody
from queue_store.secrets import ticket_digest
from queue_store.states import ExchangeState, SessionState

_SESSION = select(QbwcSession).where(QbwcSession.ticket_hash == bindparam("ticket_hash"))
_COMPANY_AND_SESSION = (
    select(Company, QbwcSession)
    .join(QbwcSession, QbwcSession.company_id == Company.id)
    .where(QbwcSession.ticket_hash == bindparam("ticket_hash"))
    # PostgreSQL locks in this order, and gives what stands there once it has the lock.
    .with_for_update(of=[Company, QbwcSession])
)
_OUTSTANDING = (
    select(Exchange)
    .where(Exchange.session_id == bindparam("session_id"), Exchange.state == ExchangeState.OUTSTANDING.value)
    .order_by(Exchange.id.desc())
    .limit(1)
)


_ANY_OUTSTANDING = Prebuilt(_OUTSTANDING.with_only_columns(Exchange.id))
_ANY_ERASURE = Prebuilt(select(Erasure.id).where(Erasure.company_id == bindparam("company_id")).limit(1))
_HAND_OUT = Prebuilt(insert(table_of(Exchange)))
_UNANSWERED = {
    "state": ExchangeState.OUTSTANDING.value,
    "response": None,
    "hresult": "",
    "message": "",
    "received_at": None,
}
_ANSWERED = Prebuilt(
    update(table_of(Exchange))
    .where(table_of(Exchange).c.id == bindparam("_id"))
    .values(
        state=ExchangeState.ANSWERED.value,
        response=bindparam("_response"),
        received_at=bindparam("_received_at"),
    )
)
#: What a call may change of its session.
_CHANGING = (
    *("state", "company_file_name", "settled", "failed", "percent", "looked_back", "cursor"),
    *("connection_errors", "exchanges", "fruitless", "last_error", "last_call_at", "ended_at"),
)
_KEEP_SESSION = Prebuilt(
    update(table_of(QbwcSession))
    .where(table_of(QbwcSession).c.id == bindparam("_id"))
    .values({name: bindparam(f"_v_{name}") for name in _CHANGING})
)


def session_of_ticket(db: Session, ticket: str) -> QbwcSession | None:
    """The session that holds, or held, this ticket; to read only."""
    return db.scalars(_SESSION, {"ticket_hash": ticket_digest(ticket)}).first()


def locked_of_ticket(db: Session, ticket: str) -> tuple[Company, QbwcSession] | None:
    """The company and the session of this ticket, locked, in this order everywhere: calls take turns."""
    found = db.execute(_COMPANY_AND_SESSION, {"ticket_hash": ticket_digest(ticket)}).first()
    return None if found is None else (found[0], found[1])


def open_session(db: Session, company_id: int) -> QbwcSession | None:
    """The company's open session; there is at most one."""
    return db.scalars(
        select(QbwcSession)
        .where(QbwcSession.company_id == company_id, QbwcSession.state == SessionState.OPEN)
        .order_by(QbwcSession.id.desc())
        .limit(1)
        .with_for_update()
    ).first()


def has_worked(db: Session, company_id: int) -> bool:
    """True if a Web Connector was ever handed a message set for this company."""
    return db.scalar(select(Exchange.id).where(Exchange.company_id == company_id).limit(1)) is not None


def outstanding_exchange(db: Session, session_id: int) -> Exchange | None:
    """What was handed out in this session and not answered yet."""
    return db.scalars(_OUTSTANDING, {"session_id": session_id}).first()


def keep_handed_out(db: Session, exchange: Mapping[str, Any]) -> None:
    """A message set that leaves now; `exchange` has the columns of Exchange but what its answer brings."""
    _HAND_OUT.run(db, {**_UNANSWERED, **exchange})


def is_outstanding(db: Session, session_id: int) -> bool:
    """True if `outstanding_exchange` would find one."""
    return bool(_ANY_OUTSTANDING.rows(db, {"session_id": session_id}))


def answer_to_keep(db: Session, exchange: Exchange, response: str) -> bytes:
    """The answer as it may be kept, after it was taken.

    QuickBooks goes on telling of people who were erased here. An answer to a
    reading holds hundreds of records, and nothing asks for its names again: where
    anybody was erased, it is kept without any. So is a late answer, whose person may have been erased meanwhile.
    """
    is_late = exchange.state == ExchangeState.LOST
    if (exchange.purpose != "write" or is_late) and _ANY_ERASURE.rows(
        db, {"company_id": exchange.company_id}
    ):
        response = without_anybody(response)
    return response.encode("utf-8", "replace")


def keep_answer(db: Session, exchange: Exchange, response: str, now: datetime) -> None:
    """The answer to this exchange was taken."""
    kept = answer_to_keep(db, exchange, response)
    _ANSWERED.run(db, {"_id": exchange.id, "_response": kept, "_received_at": now})
    set_committed_value(exchange, "state", ExchangeState.ANSWERED)


def keep_session(db: Session, session: QbwcSession) -> None:
    """What a call changed of its session, as the last thing that it does with it.

    Every call does this, and the ORM would take five times as long to find out what has changed.
    """
    values = {f"_v_{name}": getattr(session, name) for name in _CHANGING}
    _KEEP_SESSION.run(db, {"_id": session.id, **values})
    db.expunge(session)


def newest_session(db: Session, company_id: int) -> QbwcSession | None:
    """The company's last session, open or over."""
    return db.scalars(
        select(QbwcSession)
        .where(QbwcSession.company_id == company_id)
        .order_by(QbwcSession.id.desc())
        .limit(1)
    ).first()


#: A Web Connector may log in each minute, and writing costs a flush of the disk.
_NOTED_EVERY = timedelta(minutes=1)


def note_call(company: Company, now: datetime) -> None:
    """The company's Web Connector has logged in."""
    before = company.called_at
    if before is None or not timedelta(0) <= now - before < _NOTED_EVERY:
        company.called_at = now


def last_call(db: Session, company: Company) -> datetime | None:
    """When the company's Web Connector called last, to the minute; None: never."""
    newest = newest_session(db, company.id)
    called = [company.called_at, newest.last_call_at if newest is not None else None]
    return max((one for one in called if one is not None), default=None)


def newest_exchange(db: Session, session_id: int) -> Exchange | None:
    """What was handed out last in a session."""
    return db.scalars(
        select(Exchange).where(Exchange.session_id == session_id).order_by(Exchange.id.desc()).limit(1)
    ).first()


def exchanges_by_id(db: Session, company_id: int, exchange_ids: Collection[int]) -> dict[int, Exchange]:
    """Those of these exchanges that are known here."""
    if not exchange_ids:
        return {}
    found = db.scalars(
        select(Exchange).where(Exchange.company_id == company_id, Exchange.id.in_(exchange_ids))
    )
    return {exchange.id: exchange for exchange in found}


def look_back_again(db: Session, company_id: int) -> None:
    """Whatever the company's open session has read, it reads again before the next document leaves."""
    for session in _open_sessions(db, company_id):
        session.looked_back = False
    db.flush()


def distrust_sessions(db: Session, company_id: int | None = None) -> None:
    """Nothing that open sessions have learnt of QuickBooks holds: of one company, else of all.

    Of the queries that are still out, only what they find will count.
    """
    for session in _open_sessions(db, company_id):
        session.looked_back = False
        outstanding = outstanding_exchange(db, session.id)
        if outstanding is not None and outstanding.purpose in ("look back", "look up"):
            outstanding.state = ExchangeState.LOST
            outstanding.message = "what it asked may be outdated, and is asked again"
        if outstanding is None or outstanding.purpose == "look back":
            session.cursor = None
    db.execute(
        delete(Lookup) if company_id is None else delete(Lookup).where(Lookup.company_id == company_id)
    )
    db.flush()


def _open_sessions(db: Session, company_id: int | None) -> Sequence[QbwcSession]:
    query = select(QbwcSession).where(QbwcSession.state == SessionState.OPEN)
    if company_id is not None:
        query = query.where(QbwcSession.company_id == company_id)
    return db.scalars(query.order_by(QbwcSession.id).with_for_update()).all()


def list_sessions(
    db: Session, *, company_id: int | None = None, limit: int | None = 20
) -> Sequence[QbwcSession]:
    """Newest first."""
    query = select(QbwcSession).order_by(QbwcSession.id.desc()).limit(limit)
    return db.scalars(
        query if company_id is None else query.where(QbwcSession.company_id == company_id)
    ).all()


def exchanges_of(db: Session, session_id: int) -> Sequence[Exchange]:
    """Oldest first."""
    return db.scalars(select(Exchange).where(Exchange.session_id == session_id).order_by(Exchange.id)).all()


def is_locked(db: Session, username: str, address: str, now: datetime) -> bool:
    """True while this user name is locked for this address."""
    attempt = db.get(LoginAttempt, (username, address))
    return attempt is not None and attempt.locked_until is not None and attempt.locked_until > now


def recent_failures(db: Session, since: datetime) -> int:
    """Wrong passwords since a moment, of all names and addresses."""
    return (
        db.execute(
            select(func.sum(LoginAttempt.failures)).where(LoginAttempt.last_failure_at >= since)
        ).scalar()
        or 0
    )


def note_failure(db: Session, username: str, address: str, now: datetime, *, most: int, minutes: int) -> None:
    """Count a wrong password; after `most` in a row the pair is locked for `minutes`."""
    attempt = db.get(LoginAttempt, (username, address))
    if attempt is None:
        attempt = LoginAttempt(username=username, address=address, failures=0, last_failure_at=now)
        db.add(attempt)
    elif attempt.last_failure_at < now - timedelta(minutes=minutes):
        attempt.failures = 0
    attempt.failures += 1
    attempt.last_failure_at = now
    if attempt.failures >= most:
        attempt.locked_until = now + timedelta(minutes=minutes)
    # Names are what strangers send: old ones go, so that the table stays small.
    db.execute(delete(LoginAttempt).where(LoginAttempt.last_failure_at < now - timedelta(days=1)))
    db.flush()


def forget_failures(db: Session, username: str, address: str) -> None:
    """The right password came."""
    db.execute(delete(LoginAttempt).where(LoginAttempt.username == username, LoginAttempt.address == address))
