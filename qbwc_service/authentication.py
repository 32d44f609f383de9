"""Who may talk to us as a company's Web Connector, and which of two sessions goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from qbwc_service import calibrating, doubt, pull_times, reconciling, rereading, sending
from qbwc_service.run import Run
from queue_store import claim
from queue_store.database import Database
from queue_store.ids import new_id
from queue_store.log_context import noting
from queue_store.models import Company, QbwcSession
from queue_store.secrets import decoy_hash, new_ticket, password_fits, ticket_digest
from queue_store.sessions import (
    forget_failures,
    is_locked,
    newest_exchange,
    newest_session,
    note_call,
    note_failure,
    open_session,
    outstanding_exchange,
    recent_failures,
)
from queue_store.states import ActivityState, ExchangeState, SessionState

logger = logging.getLogger(__name__)

#: Wrong passwords of one user from one address before the pair is locked ...
_MOST_FAILURES = 10
#: ... for so long.
_LOCK_MINUTES = 15
#: Wrong passwords a minute, of everybody together, above which strangers are not checked at all.
_MOST_PER_MINUTE = 120
#: Counting what waits stops here: it is only for the percentage.
_COUNT_MOST = 20_000

NOT_VALID = "nvu"
NOTHING_TO_DO = "none"
BUSY = "busy"


@dataclass(frozen=True, slots=True)
class _Account:
    company_id: int
    password_hash: str


def authenticate(database: Database, username: str, password: str, address: str) -> list[str]:
    """The array for authenticate: ticket and "", a company, "none", "nvu" or "busy"."""
    now = datetime.now(UTC)
    account, barred = _account(database, username, address, now)
    # The check takes milliseconds on purpose, so it stands outside of any transaction. Who is barred
    # is checked against nothing, so that the time taken does not tell.
    hashed = decoy_hash() if account is None or barred else account.password_hash
    fits = password_fits(password, hashed)
    if barred:
        # Not counted as wrong: a Web Connector that goes on polling would never come in again.
        logger.warning("user %r from %s is %s", username[:64], address, barred)
        return [new_ticket(), NOT_VALID]
    if account is None or not fits:
        _refuse(database, username, address, now)
        return [new_ticket(), NOT_VALID]
    return database.write_again(lambda db: _begin(db, account.company_id, username, address))


def _account(database: Database, username: str, address: str, now: datetime) -> tuple[_Account | None, str]:
    """The account of that name, and why its password is not looked at now ("": it is)."""
    with database.read() as db:
        company = db.scalars(select(Company).where(Company.username == username)).first()
        account = _Account(company.id, company.password_hash) if company else None
        if is_locked(db, username[:64], address[:64], now):
            return account, "locked"
        if recent_failures(db, now - timedelta(minutes=1)) <= _MOST_PER_MINUTE:
            return account, ""
        # Somebody is guessing; whoever came in before from this address still may.
        came_before = account is not None and db.scalar(
            select(QbwcSession.id)
            .where(QbwcSession.company_id == account.company_id, QbwcSession.address == address)
            .limit(1)
        )
        return account, "" if came_before else "not checked, since too many passwords were wrong in a minute"


def _refuse(database: Database, username: str, address: str, now: datetime) -> None:
    logger.warning("wrong user or password for %r from %s", username[:64], address)
    database.write_again(
        lambda db: note_failure(
            db, username[:64], address[:64], now, most=_MOST_FAILURES, minutes=_LOCK_MINUTES
        )
    )


def _begin(db: Session, company_id: int, username: str, address: str) -> list[str]:
    company = db.get_one(Company, company_id, with_for_update=True)
    noting(company=company.name)
    run = Run(db, company, datetime.now(UTC))
    note_call(company, run.now)
    forget_failures(db, username[:64], address[:64])
    current = open_session(db, company_id)
    if current is not None:
        outstanding = outstanding_exchange(db, current.id)
        if outstanding is not None and current.address != address:
            patience = timedelta(minutes=run.settings["session.takeover_minutes"])
            if run.now - outstanding.sent_at < patience:
                logger.warning(
                    "company %s: another Web Connector is at work since %s", company.name, current.address
                )
                return [new_ticket(), BUSY]
        run.session = current
        if outstanding is not None:
            doubt.lose(run, outstanding, "a new session began before its answer came")
        current.state, current.ended_at = SessionState.TAKEN_OVER, run.now
        current.last_error = current.last_error or "The session was taken over by a newer one."
        run.session = None
    setbacks = _setbacks(db, company_id)
    claim.wake_due(db, company_id, run.now)
    # Ids rise with time: what gets a greater one comes after this session began.
    newest = new_id()
    pending = claim.count_pending(db, company_id, most=_COUNT_MOST)
    if not _has_work(run, pending, newest):
        return [new_ticket(), NOTHING_TO_DO]
    ticket = new_ticket()
    session = QbwcSession(
        company_id=company_id,
        ticket_hash=ticket_digest(ticket),
        state=SessionState.OPEN,
        address=address[:64],
        newest_activity_id=newest,
        work_at_start=pending,
        setbacks=setbacks,
        started_at=run.now,
        last_call_at=run.now,
    )
    db.add(session)
    db.flush()
    noting(session=session.id)
    logger.info("company %s: session %s begins, %d activities wait", company.name, session.id, pending)
    return [ticket, company.company_file]


def _setbacks(db: Session, company_id: int) -> int:
    """How many sessions in a row were lost in the middle, whoever or whatever did it."""
    before = newest_session(db, company_id)
    if before is None:
        return 0
    last = newest_exchange(db, before.id)
    if last is None:
        return before.setbacks
    if last.state != ExchangeState.LOST:
        return 0
    # One that lost its very first set may have asked for too much in it.
    return before.setbacks + 1 if before.exchanges > 1 else max(1, before.setbacks - 1)


def _has_work(run: Run, pending: int, newest: int) -> bool:
    kinds = sending.kinds_that_may_leave(run)
    if pending and (
        kinds is None
        or claim.has_claimable(run.db, run.company.id, newest_id=newest, session_id=0, kinds=kinds)
    ):
        return True
    return (
        claim.has_state(run.db, run.company.id, ActivityState.IN_DOUBT)
        or pull_times.due(run) is not None
        or bool(rereading.items_to_read(run, 1))
        or reconciling.is_due(run)
        or calibrating.is_due(run)
    )
