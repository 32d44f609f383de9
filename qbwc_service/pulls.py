"""Reading QuickBooks' items and customers into the catalogue, page by page.

Orders never wait for this. The first reading goes through everything; later
ones ask for what was modified since the greatest TimeModified that QuickBooks
itself answered, less two hours. The mark moves only with the last page, never on an
empty answer, and never beyond now and a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.spelling import Page
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import ResponseSet
from qbxml.statuses import classify_status
from queue_store.catalogue import store_customers, store_items
from queue_store.companies import live_kinds
from queue_store.models import PullMark

REQUEST_ID = "P"
KINDS = ("items", "customers")
_OVERLAP = timedelta(hours=2)


class Pull(msgspec.Struct, kw_only=True):
    """How far a reading has come; kept as the session's cursor."""

    kind: str
    filters: dict[str, Any]
    iterator_id: str | None = None
    greatest: datetime | None = None
    what: str = "pull"


_decoder = msgspec.json.Decoder(Pull)


def due(run: Run) -> str | None:
    """The list whose reading is due, or None. Nothing is read before a store is live."""
    if not any(live_kinds(store) for store in run.stores.values()):
        return None
    for kind in KINDS:
        minutes = run.settings[f"pull.{kind}_minutes"]
        mark = run.db.get(PullMark, (run.company.id, kind))
        if minutes and (
            mark is None
            or mark.finished_at is None
            or mark.finished_at <= run.now - timedelta(minutes=minutes)
        ):
            return kind
    return None


def begin(run: Run, kind: str) -> Pull:
    """All of a list, or what changed since the mark."""
    mark = run.db.get(PullMark, (run.company.id, kind))
    if mark is None or not mark.complete or mark.changed_since is None:
        return Pull(kind=kind, filters={})
    return Pull(kind=kind, filters={"changed_since": mark.changed_since.isoformat()})


def request(run: Run, state: Pull, *, iterator: str | None = None) -> str:
    """The next page."""
    page = Page(
        iterator or ("Continue" if state.iterator_id else "Start"),
        state.iterator_id,
        run.settings["pull.page"],
    )
    return run.spelling.pull_request(REQUEST_ID, state.kind, page, state.filters)


def take_page(run: Run, state: Pull, answer: ResponseSet) -> Pull | None:
    """Keep a page; the state to go on with, or None after the last. Raises UnreadableAnswer."""
    response = next((found for found in answer.responses if found.request_id == REQUEST_ID), None)
    if response is None:
        raise UnreadableAnswer(f"the page of {state.kind} is missing from the answer")
    rule = classify_status(response.status_code, response.status_severity, response.status_message)
    if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
        raise UnreadableAnswer(
            f"{state.kind} could not be read: {response.status_message} ({response.status_code})"
        )
    records = [record for record in response.records if record.text("ListID")]
    if state.kind == "items":
        rows = [run.spelling.item_row(record, run.company.id, run.now) for record in records]
        store_items(run.db, rows)
    else:
        rows = [run.spelling.customer_row(record, run.company.id, run.now) for record in records]
        store_customers(run.db, rows)
    modified = [row["time_modified"] for row in rows if row["time_modified"]]
    state.greatest = max([*modified, *filter(None, [state.greatest])], default=None)
    if response.iterator_remaining and response.iterator_id:
        state.iterator_id = response.iterator_id
        return state
    _finish(run, state)
    return None


def _finish(run: Run, state: Pull) -> None:
    mark = run.db.get(PullMark, (run.company.id, state.kind))
    if mark is None:
        mark = PullMark(company_id=run.company.id, kind=state.kind)
        run.db.add(mark)
    if state.greatest is not None and state.greatest <= run.now + timedelta(days=1):
        since = state.greatest - _OVERLAP
        mark.changed_since = max(since, mark.changed_since) if mark.changed_since else since
    mark.complete = True
    mark.finished_at = run.now
    run.db.flush()


def give_up(run: Run, kind: str) -> None:
    """QuickBooks refused this reading: it is due again after its interval, not at once."""
    mark = run.db.get(PullMark, (run.company.id, kind))
    if mark is None:
        mark = PullMark(company_id=run.company.id, kind=kind)
        run.db.add(mark)
    mark.finished_at = run.now
    run.db.flush()


def decode_pull(cursor: str) -> Pull:
    return _decoder.decode(cursor)
