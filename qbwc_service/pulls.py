"""Reading QuickBooks' items and customers into the catalogue, page by page; `pull_times` says when.

Orders never wait for this. The first reading goes through everything; if it
does not fit a session it goes on in windows of TimeCreated, each committed by
itself, and smaller ones if need be. Later readings ask for what was modified since
the greatest TimeModified that QuickBooks itself answered, less two hours, and
for what was deleted. The mark moves only with the last page, never on an empty
answer, and never beyond now and a day.

For shops that show QuickBooks' stock, all items are read each night besides, in
the same windows; what was not seen is asked for by its ListID, and is deleted
if QuickBooks has it no more. And as long as it is not known that a sale makes
QuickBooks tell its items as changed, receipts are read for what they sold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.spelling import Page
from qbwc_service.item_reads import forget_items, take_items
from qbwc_service.pull_times import DEPARTMENTS, SALES, STOCK, mark_of
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.records import Record
from qbxml.statuses import classify_status
from queue_store.catalogue import store_customers
from queue_store.departments import keep_departments
from queue_store.drafts import ask_to_find_drafts
from queue_store.models import PullMark
from queue_store.rereading import want_items, want_unseen

REQUEST_ID = "P"
DELETED_ID = "D"
_OVERLAP = timedelta(hours=2)
#: Windows begin here; what is older is the first window. Point of Sale is younger.
_FIRST_WINDOW = datetime(2005, 1, 1, tzinfo=UTC)
_FIRST_DAYS = 365
_SMALLEST_DAYS = 1


class Pull(msgspec.Struct, kw_only=True):
    """How far a reading has come; kept as the session's cursor."""

    kind: str
    filters: dict[str, str]
    iterator_id: str | None = None
    greatest: datetime | None = None
    #: Turn of the set that began the iterator; its later pages may show the records as they were then.
    turn: int | None = None
    what: str = "pull"

    @property
    def is_of_changes(self) -> bool:
        return "changed_since" in self.filters

    @property
    def list(self) -> str:
        """The list of QuickBooks that is read."""
        return "items" if self.kind == STOCK else self.kind


_decoder = msgspec.json.Decoder(Pull)


def decode_pull(cursor: str) -> Pull:
    return _decoder.decode(cursor)


def begin(run: Run, kind: str) -> Pull:
    """What changed since the mark; without one all of a list, or its next window."""
    mark = mark_of(run, kind)
    if kind == DEPARTMENTS:
        # They are few, and nothing tells which were deleted: all of them each time.
        return Pull(kind=kind, filters={})
    if kind == SALES:
        return Pull(kind=kind, filters={"created_from": _sales_since(run, mark).isoformat()})
    if mark.begun_at is None and (kind == STOCK or not mark.complete):
        # The set that carries its first page begins the next turn.
        mark.begun_at, mark.begun_turn, mark.complete = run.now, run.company.turn + 1, False
    if mark.complete and mark.changed_since is not None:
        return Pull(kind=kind, filters={"changed_since": mark.changed_since.isoformat()})
    return Pull(kind=kind, filters=_window(run, mark))


def _sales_since(run: Run, mark: PullMark) -> datetime:
    """At first what was sold lately: all items are read besides before a shop shows anything."""
    return mark.changed_since or run.company.look_back_mark or run.now - timedelta(days=2)


def _window(run: Run, mark: PullMark) -> dict[str, str]:
    if not mark.window_days:
        return {}
    if mark.window_from is None:
        return {"created_to": _FIRST_WINDOW.isoformat()}
    end = mark.window_from + timedelta(days=mark.window_days)
    if end > run.now:
        # The last one is open: QuickBooks' clock may be ahead of ours.
        return {"created_from": mark.window_from.isoformat()}
    return {"created_from": mark.window_from.isoformat(), "created_to": end.isoformat()}


def requests(run: Run, state: Pull) -> list[str]:
    """The next page, and with the first page of changes also what was deleted."""
    page = Page("Continue" if state.iterator_id else "Start", state.iterator_id, run.settings["pull.page"])
    wanted = [run.spelling.pull_request(run.request_id(REQUEST_ID), state.list, page, state.filters)]
    if state.is_of_changes and not state.iterator_id:
        since = datetime.fromisoformat(state.filters["changed_since"])
        wanted.append(run.spelling.deleted_request(run.request_id(DELETED_ID), state.kind, since))
    return wanted


def stop_request(run: Run, state: Pull) -> str:
    """Gives the iterator back, when the session has to end in the middle."""
    page = Page("Stop", state.iterator_id, run.settings["pull.page"])
    return run.spelling.pull_request(run.request_id(REQUEST_ID), state.list, page, state.filters)


def cut_short(run: Run, state: Pull) -> None:
    """This reading did not fit its session: the next one goes in windows, or in smaller ones."""
    if state.is_of_changes or state.kind in (SALES, DEPARTMENTS):
        return
    mark = mark_of(run, state.kind)
    mark.window_days = max(_SMALLEST_DAYS, mark.window_days // 2) if mark.window_days else _FIRST_DAYS
    run.db.flush()


def take_page(run: Run, state: Pull, answer: ResponseSet) -> Pull | None:
    """Keep a page; the state to go on with, or None after the last. Raises UnreadableAnswer."""
    by_id = {response.request_id: response for response in answer.responses}
    response = _checked(by_id.get(REQUEST_ID), state.kind)
    records = [record for record in response.records if record.text("ListID")]
    if state.kind == SALES:
        return _take_sales(run, state, response)
    if state.kind == DEPARTMENTS:
        _take_departments(run, records)
        return _next_page(run, state, response)
    if state.turn is None:
        state.turn = run.asked_turn
    if state.list == "items":
        rows = take_items(run, records, asked_turn=state.turn)
    else:
        rows = [run.spelling.customer_row(record, run.company.id, run.now) for record in records]
        store_customers(run.db, rows)
    if DELETED_ID in by_id:
        deleted = _checked(by_id[DELETED_ID], f"deleted {state.kind}")
        forget_items(run, {found for r in deleted.records if (found := r.text("ListID"))})
    modified = [row["time_modified"] for row in rows if row["time_modified"]]
    state.greatest = max([*modified, *filter(None, [state.greatest])], default=None)
    return _next_page(run, state, response)


def _take_sales(run: Run, state: Pull, response: Response) -> Pull | None:
    """Whatever was sold is read again, if a shop shows it."""
    sold: set[str] = set()
    for record in response.records:
        created, list_ids = run.spelling.read_sold(record)
        state.greatest = max(filter(None, (created, state.greatest)), default=None)
        sold.update(list_ids)
    want_items(run.db, run.company.id, sold, matched_only=True)
    return _next_page(run, state, response)


def _take_departments(run: Run, records: Sequence[Record]) -> None:
    """What departments are called; a name that is new may be the one that a shop's rule waits for."""
    names = dict(map(run.spelling.read_department, records))
    if keep_departments(run.db, run.company.id, names):
        for store in run.stores.values():
            ask_to_find_drafts(run.db, store, cause="departments of QuickBooks are called otherwise")


def _next_page(run: Run, state: Pull, response: Response) -> Pull | None:
    if response.iterator_remaining and response.iterator_id:
        state.iterator_id = response.iterator_id
        return state
    return _end_of_window(run, state)


def _checked(response: Response | None, what: str) -> Response:
    if response is None:
        raise UnreadableAnswer(f"the page of {what} is missing from the answer")
    rule = classify_status(response.status_code, response.status_severity, response.status_message)
    if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
        raise UnreadableAnswer(
            f"{what} could not be read: {response.status_message} ({response.status_code})"
        )
    return response


def _end_of_window(run: Run, state: Pull) -> Pull | None:
    """The mark moves; a first reading in windows goes on with the next one."""
    mark = mark_of(run, state.kind)
    if state.greatest is not None and state.greatest <= run.now + timedelta(days=1):
        since = state.greatest - _OVERLAP
        mark.changed_since = max(since, mark.changed_since) if mark.changed_since else since
    if "created_to" in state.filters:
        mark.window_from = datetime.fromisoformat(state.filters["created_to"])
        run.db.flush()
        return Pull(kind=state.kind, filters=_window(run, mark))
    if mark.begun_at is not None and mark.changed_since is not None:
        # What was read first may have changed while the rest was read.
        mark.changed_since -= max(run.now - mark.begun_at, timedelta(0))
    mark.complete, mark.finished_at, mark.window_from, mark.begun_at = True, run.now, None, None
    if state.kind == STOCK:
        # It will not fit a session tomorrow either, so its windows stay.
        _everything_was_read(run, mark)
    else:
        mark.window_days = 0
    run.db.flush()
    return None


def _everything_was_read(run: Run, mark: PullMark) -> None:
    want_unseen(run.db, run.company.id, before_turn=mark.begun_turn)
    changes = mark_of(run, "items")
    if not changes.complete:
        # The first reading of the items is this one.
        changes.complete, changes.changed_since, changes.finished_at = True, mark.changed_since, run.now
        changes.window_days, changes.window_from, changes.begun_at = 0, None, None


def give_up(run: Run, kind: str) -> None:
    """QuickBooks refused this reading: it is due again after its interval, not at once."""
    mark_of(run, kind).finished_at = run.now
    run.db.flush()
