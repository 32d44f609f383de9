"""The conversation with the Web Connector: one method a call, one transaction a method.

Nothing is kept in the process between two calls: any node can answer any call,
and a crash between two commits leaves either what was before the call or what
is after it. Every method bears a repeat.

    authenticate -> (sendRequestXML -> receiveResponseXML)* -> closeConnection

Source: QuickBooks Web Connector Programmer's Guide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple, TypeVar

from sqlalchemy.orm import Session

from qbwc_service import asking, authentication, calibrating, doubt, progress, readings, sending
from qbwc_service.attributing import settle_answer
from qbwc_service.errors import UnreadableAnswer
from qbwc_service.evidence import take_evidence, take_late
from qbwc_service.look_up import refuse_look_ups, take_answers
from qbwc_service.run import Run, exchange_suffix
from qbxml.errors import QbxmlError
from qbxml.hresults import HresultRule, classify_hresult
from qbxml.reader import ResponseSet, read_response
from queue_store import meters
from queue_store.database import Database
from queue_store.doubting import doubt_agreements
from queue_store.log_context import about, noting
from queue_store.models import Exchange
from queue_store.sessions import (
    answer_to_keep,
    distrust_sessions,
    is_outstanding,
    keep_answer,
    keep_session,
    locked_of_ticket,
    outstanding_exchange,
    session_of_ticket,
)
from queue_store.states import ExchangeState, SessionState

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: A session that brings nothing for so many exchanges in a row turns in circles and is ended.
_MOST_FRUITLESS = 12
#: The Web Connector asks for the next set at once. After a longer pause anything may have happened, a
#: database put back to an earlier state too, and nothing that the session learnt before is relied upon.
_LONGEST_PAUSE = timedelta(minutes=1)
_UNKNOWN = "This ticket is not known here: the session ended, or never was. The next run begins a new one."
_NO_ERROR = "No error"


class WebConnectorConversation:
    """See `qbwc_service.conversation.Conversation`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self) -> None:
        """To be called when a service starts: what open sessions have learnt is asked again, and the shops' edits are doubted.

        Whoever puts a backup back stops and starts the service, and the sessions in it know nothing of
        what QuickBooks has written since.
        """

        def work(db: Session) -> None:
            distrust_sessions(db)
            doubt_agreements(db)

        self._database.write_again(work)

    def server_version(self) -> str:
        """Product and version, for the Web Connector's log."""
        try:
            return f"qbwoo {version('qbwoo')}"
        except PackageNotFoundError:
            return "qbwoo"

    def client_version(self, version: str) -> str:
        """Every version will do: a warning would open a dialog that nobody answers."""
        return ""

    def authenticate(self, username: str, password: str, address: str) -> list[str]:
        with about():
            return authentication.authenticate(self._database, username, password, address)

    def send_request_xml(
        self, ticket: str, hcp_response: str, company_file_name: str, country: str, major: int, minor: int
    ) -> str:
        return self._call(lambda db: self._send(db, ticket, company_file_name))

    def receive_response_xml(self, ticket: str, response: str, hresult: str, message: str) -> int:
        try:
            return self._call(lambda db: self._receive(db, ticket, response, hresult, message))
        except (QbxmlError, UnreadableAnswer) as error:
            # Whatever was taken of it is undone with the transaction; the second one keeps that it came.
            unusable = str(error)
        return self._call(lambda db: self._receive(db, ticket, response, hresult, message, unusable=unusable))

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        return self._call(lambda db: _connection_error(db, ticket, hresult, message))

    def get_last_error(self, ticket: str) -> str:
        with self._database.read() as db:
            session = session_of_ticket(db, ticket)
            return (session.last_error or _NO_ERROR) if session else _UNKNOWN

    def close_connection(self, ticket: str) -> str:
        return self._call(lambda db: _close(db, ticket))

    def get_interactive_url(self, ticket: str, session_id: str) -> str:
        """Interactive mode is never asked for, so there is no page for it."""
        return ""

    def interactive_rejected(self, ticket: str, reason: str) -> str:
        return "Interactive mode is not used."

    def interactive_done(self, ticket: str) -> str:
        """Whatever made the Web Connector ask: go on."""
        return "Done"

    def _call(self, work: Callable[[Session], T]) -> T:
        """One call, one transaction; what is logged meanwhile tells what it is about."""
        with about():
            return self._database.write_again(work)

    # sendRequestXML ---------------------------------------------------------

    def _send(self, db: Session, ticket: str, company_file_name: str) -> str:
        run = _run_of(db, ticket)
        if run is None or run.open_session.state != SessionState.OPEN:
            return ""
        session = run.open_session
        outstanding = outstanding_exchange(db, session.id) if is_outstanding(db, session.id) else None
        if run.now - session.last_call_at > _LONGEST_PAUSE:
            session.cursor = None
            _distrust(run)
        if outstanding is not None:
            # It asks again, so our answer did not arrive, or its answer was lost.
            _lose(run, outstanding, "a set was asked for again before this one was answered")
        document = sending.next_set(run)
        if document is None:
            document = sending.parting_set(run)
        session.last_call_at = run.now
        if company_file_name:
            session.company_file_name = company_file_name[:500]
        keep_session(db, session)
        return document

    # receiveResponseXML -----------------------------------------------------

    def _receive(
        self, db: Session, ticket: str, response: str, hresult: str, message: str, *, unusable: str = ""
    ) -> int:
        """Raises QbxmlError, UnreadableAnswer; `unusable` is what they said of this answer before."""
        run = _run_of(db, ticket)
        if run is None:
            # Nothing of the ticket: it may have been one of ours.
            logger.warning("an answer under an unknown ticket")
            return -1
        session = run.open_session
        exchange = outstanding_exchange(db, session.id)
        if exchange is not None:
            noting(exchange=exchange.id)
        if session.state != SessionState.OPEN:
            take_late(run, response)
            return 100
        if exchange is None:
            # A repeated call: its first arrival was taken, and only our answer to it was lost.
            take_late(run, response)
            return progress.percent(run, outstanding=False)
        if hresult:
            if run.now - session.last_call_at > _LONGEST_PAUSE:
                _distrust(run)
            _take_hresult(run, exchange, hresult, message)
        elif unusable:
            _take_unusable(run, exchange, response, unusable)
        else:
            _take_response(run, exchange, response)
        if session.fruitless >= _MOST_FRUITLESS:
            return _give_up(run)
        percent = progress.percent(run, outstanding=exchange.state == ExchangeState.OUTSTANDING)
        keep_session(db, session)
        return percent


def _run_of(db: Session, ticket: str) -> Run | None:
    """The call's view, with company and session locked: calls take turns."""
    found = locked_of_ticket(db, ticket)
    if found is None:
        return None
    company, session = found
    noting(company=company.name, session=session.id)
    return Run(db, company, datetime.now(UTC), session)


def _distrust(run: Run) -> None:
    """Look back again, and ask again, before anything else is added in this session."""
    distrust_sessions(run.db, run.company.id)


def _take_response(run: Run, exchange: Exchange, response: str) -> None:
    session = run.open_session
    answer = read_response(response)
    _check_set(answer)
    if not _is_answer_to(exchange, answer):
        # A repeated call that came late, or an answer gone astray: the true one is still to come.
        logger.warning("exchange %s: an answer to another set", exchange.id)
        session.fruitless += 1
        take_evidence(run, answer, response)
        return
    brought = _take(run, exchange, answer)
    keep_answer(run.db, exchange, response, run.now)
    meters.EXCHANGES.add_after(run.db, run.company.id, exchange.purpose, "answered")
    seconds = max((run.now - exchange.sent_at).total_seconds(), 0.0)
    meters.EXCHANGE_SECONDS.add_after(run.db, run.company.id, value=seconds)
    session.last_call_at = run.now
    session.settled += brought.settled
    session.failed += brought.failed
    if not brought.something:
        session.fruitless += 1
    elif not exchange.purpose.startswith("look "):
        # What is asked in between does not make up for writes that are lost again and again.
        session.fruitless = 0
    progress.adapt_pace(run, exchange)


def _take_unusable(run: Run, exchange: Exchange, response: str, why: str) -> None:
    session = run.open_session
    exchange.response, exchange.received_at = answer_to_keep(run.db, exchange, response), run.now
    logger.error("exchange %s: %s", exchange.id, why)
    session.last_error = f"QuickBooks' answer could not be used: {why}"
    if exchange.purpose == "read":
        readings.give_up(run, why)
    _lose(run, exchange, session.last_error)


def _check_set(answer: ResponseSet) -> None:
    if not answer.responses:
        raise UnreadableAnswer("it holds no responses")


def _is_answer_to(exchange: Exchange, answer: ResponseSet) -> bool:
    """True if any response bears a requestID of this exchange; those of reads get back their plain names."""
    suffix, is_own = exchange_suffix(exchange.id), False
    is_write = exchange.purpose == "write"
    for response in answer.responses:
        if response.request_id and response.request_id.endswith(suffix):
            is_own = True
            if not is_write:
                response.request_id = response.request_id.removesuffix(suffix)
    return is_own


class _Brought(NamedTuple):
    """What an answer brought to its session."""

    #: True if it brought it on.
    something: bool
    settled: int = 0
    failed: int = 0


def _take(run: Run, exchange: Exchange, answer: ResponseSet) -> _Brought:
    """Hand the answer to whom it concerns."""
    run.asked_turn = exchange.turn
    if exchange.purpose == "look back":
        readings.take_look_back(run, exchange, answer)
        return _Brought(True)
    if exchange.purpose == "read":
        readings.take_read(run, answer)
        return _Brought(True)
    if exchange.purpose == "look up":
        answered = take_answers(run, exchange, answer)
        asking.settle_what_was_asked(run)
        return _Brought(answered > 0)
    if exchange.purpose == "write":
        settled = settle_answer(run, exchange, answer)
        if settled.unanswered:
            run.open_session.looked_back = False
        return _Brought(settled.settled > 0 or settled.again > 0, settled.settled, len(settled.failed))
    if exchange.purpose == "calibrate":
        calibrating.take(run, answer)
        return _Brought(True)
    # A parting query brings nothing on: a session that only parts must come to its end.
    return _Brought(exchange.purpose == "stop")


def _take_hresult(run: Run, exchange: Exchange, hresult: str, message: str) -> None:
    """The request processor failed: nothing of the set can be assumed executed, or not executed."""
    session = run.open_session
    rule = classify_hresult(hresult)
    exchange.hresult, exchange.message, exchange.received_at = hresult[:32], message, run.now
    logger.error("exchange %s: %s %s", exchange.id, hresult, message)
    session.last_error = f"QuickBooks failed: {message or rule.meaning} ({hresult}). {rule.advice}"
    if exchange.reads and rule.is_parse_refusal:
        refuse_look_ups(run, exchange, hresult)
    run.company.set_size = max(1, min(sending.set_size(run), exchange.requests) // 2)
    if exchange.purpose == "read":
        readings.give_up(run, f"{message or rule.meaning} ({hresult}).")
    _lose(run, exchange, f"{message or rule.meaning} ({hresult})", rule)


def _lose(run: Run, exchange: Exchange, cause: str, rule: HresultRule | None = None) -> None:
    session = run.open_session
    session.fruitless += 1
    # An iterator does not outlive what broke: a reading begins again.
    session.cursor = None
    doubt.lose(run, exchange, cause, rule)
    run.db.flush()


def _give_up(run: Run) -> int:
    session = run.open_session
    session.last_error = (
        f"The session was ended: {session.fruitless} message sets in a row came to nothing. "
        f"{session.last_error or 'See the log of the service.'} What was not done waits for the next run."
    )
    logger.error("session %s: %s", session.id, session.last_error)
    return -1


def _connection_error(db: Session, ticket: str, hresult: str, message: str) -> str:
    run = _run_of(db, ticket)
    if run is None:
        return "done"
    session = run.open_session
    rule = classify_hresult(hresult)
    session.connection_errors += 1
    session.last_call_at = run.now
    session.last_error = (
        f"QuickBooks could not be opened: {message or rule.meaning} ({hresult}). {rule.advice}"
    )
    logger.error("session %s: %s", session.id, session.last_error)
    # Never "": that would open whatever file happens to be open. Without a company file there is
    # no other name to try.
    if session.connection_errors <= 2 and run.company.company_file and session.state == SessionState.OPEN:
        return run.company.company_file
    if session.state == SessionState.OPEN:
        outstanding = outstanding_exchange(db, session.id)
        if outstanding is not None:
            _lose(run, outstanding, "QuickBooks could not be opened before its answer came")
        session.state, session.ended_at = SessionState.CLOSED, run.now
    return "done"


def _close(db: Session, ticket: str) -> str:
    run = _run_of(db, ticket) if ticket else None
    if run is None:
        return "OK"
    session = run.open_session
    if session.state == SessionState.OPEN:
        outstanding = outstanding_exchange(db, session.id)
        if outstanding is not None:
            _lose(run, outstanding, "the session was closed before its answer came")
        session.state, session.ended_at = SessionState.CLOSED, run.now
    if session.connection_errors and not session.exchanges:
        return session.last_error
    done = session.settled - session.failed
    parts = [f"{done} done"]
    if session.failed:
        parts.append(f"{session.failed} failed (see: qbwoo activity list --state failed)")
    return "Finished: " + ", ".join(parts)
