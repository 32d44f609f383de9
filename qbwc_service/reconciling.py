"""Reading the receipts of a period, for a reconciliation: page by page, in windows of days.

Each page is committed. A window that does not fit a session begins again in
the next one, half as long. What is read is compared by the worker: here
nothing is judged.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.spelling import Page
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import ResponseSet
from qbxml.statuses import classify_status
from queue_store.models import Reconciliation
from queue_store.reconciliations import ASKED, FAILED, MARGIN, READ, keep_receipts, next_asked
from queue_store.tasks import raise_task

REQUEST_ID = "R"
#: Whole receipts are long: fewer to a page than of other lists.
_PAGE = 100
_MOST_TRIES = 3


class Period(msgspec.Struct, kw_only=True):
    """How far a reading has come; kept as the session's cursor."""

    reconciliation_id: int
    since: date
    until: date
    iterator_id: str | None = None
    what: str = "reconcile"


_decoder = msgspec.json.Decoder(Period)
_encode = msgspec.json.encode


def is_period(cursor: str) -> bool:
    return '"reconcile"' in cursor


def decode_period(cursor: str) -> Period:
    return _decoder.decode(cursor)


def is_due(run: Run) -> bool:
    """True if a reconciliation waits for its receipts."""
    return _next(run) is not None


def _next(run: Run) -> Reconciliation | None:
    return next_asked(run.db, run.company.id, run.session.id if run.session else 0)


def begin(run: Run) -> Period | None:
    """The next window of the oldest reconciliation that waits; None if none does."""
    asked = _next(run)
    return None if asked is None else _window(asked)


def _window(asked: Reconciliation) -> Period:
    since = date.fromisoformat(asked.window_from)
    last = date.fromisoformat(asked.until) + MARGIN
    return Period(
        reconciliation_id=asked.id,
        since=since,
        until=min(last, since + timedelta(days=asked.window_days - 1)),
    )


def request(run: Run, state: Period) -> str:
    """The next page."""
    page = Page("Continue" if state.iterator_id else "Start", state.iterator_id, _size(run))
    return run.spelling.period_request(run.request_id(REQUEST_ID), page, state.since, state.until)


def stop_request(run: Run, state: Period) -> str:
    """Gives the iterator back, when the session has to end in the middle."""
    page = Page("Stop", state.iterator_id, _size(run))
    return run.spelling.period_request(run.request_id(REQUEST_ID), page, state.since, state.until)


def _size(run: Run) -> int:
    return min(_PAGE, int(run.settings["pull.page"]))


def cut_short(run: Run, state: Period) -> None:
    """This window did not fit its session: the next one is half as long."""
    asked = run.db.get(Reconciliation, state.reconciliation_id)
    if asked is not None:
        asked.window_days = max(1, asked.window_days // 2)
        run.db.flush()


def take_page(run: Run, state: Period, answer: ResponseSet) -> Period | None:
    """Keep a page; the state to go on with, or None after the last. Raises UnreadableAnswer."""
    response = next((found for found in answer.responses if found.request_id == REQUEST_ID), None)
    if response is None:
        raise UnreadableAnswer("the page of receipts is missing from the answer")
    rule = classify_status(response.status_code, response.status_severity, response.status_message)
    if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
        raise UnreadableAnswer(
            f"receipts could not be read: {response.status_message} ({response.status_code})"
        )
    asked = run.db.get(Reconciliation, state.reconciliation_id)
    if asked is None or asked.state != ASKED or asked.store_id not in run.stores:
        return None
    head = run.head(asked.store_id)
    rows = []
    for record in response.records:
        document = run.spelling.read_document(record)
        if document.mark is None or document.mark.head != head:
            continue
        rows.append(
            {
                "reconciliation_id": asked.id,
                "txn_id": document.txn_id,
                "record_mark": document.mark.record_mark,
                "generation": document.mark.generation,
                "type": document.type,
                "number": document.number,
                "total": document.total,
                "live": document.live,
                "figures": _encode(run.spelling.read_figures(record)),
            }
        )
    keep_receipts(run.db, rows)
    asked.tries = 0
    if response.iterator_remaining and response.iterator_id:
        state.iterator_id = response.iterator_id
        return state
    following = state.until + timedelta(days=1)
    if following > date.fromisoformat(asked.until) + MARGIN:
        asked.state, asked.read_at = READ, run.now
        run.db.flush()
        return None
    asked.window_from = following.isoformat()
    run.db.flush()
    return _window(asked)


def give_up(run: Run, state: Period, why: str) -> None:
    """QuickBooks could not answer: it is asked again, and after the third time a person is told."""
    asked = run.db.get(Reconciliation, state.reconciliation_id)
    if asked is None or asked.state != ASKED:
        return
    asked.tries, asked.given_up_in = asked.tries + 1, run.open_session.id
    asked.sentence = f"The receipts of {asked.since} to {asked.until} could not be read: {why}"
    if asked.tries >= _MOST_TRIES:
        asked.state, asked.finished_at = FAILED, run.now
        raise_task(
            run.db,
            company_id=run.company.id,
            kind="reconciliation",
            subject=str(asked.store_id),
            sentence=f"{asked.sentence} Ask for it again: qbwoo reconcile orders --store "
            f"{run.stores[asked.store_id].name} --since {asked.since} --until {asked.until}",
        )
    run.db.flush()
