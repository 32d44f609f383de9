"""Look-back: reading which of our documents are in the books before any is added.

With a look-back mark, every receipt created since is read. Without one, and
for a store whose documents were never counted, every receipt that carries the
store's head in its Comments is read, whatever its age (the census): no clock of
ours decides. No document leaves before the last page is settled; only that
page's commit moves the mark. See docs/decisions/0002-census-by-prefix.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.spelling import FoundDocument, Page
from qbwc_service.run import Run
from qbwc_service.undone_elsewhere import suspects
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.statuses import classify_status
from queue_store.allocation import reversed_by_hand
from queue_store.books import SALES_ORDER, LiveDocument, store_documents
from queue_store.tasks import raise_task

#: requestID of a page; the number of its reading follows.
REQUEST_ID = "B"
#: Pages become at most so many times twice as long.
_MOST_GROWTH = 4


class Step(msgspec.Struct, kw_only=True):
    """One reading: all receipts (or sales orders) since a moment, or all that carry a store's head."""

    since: datetime | None = None
    head: str | None = None
    orders: bool = False
    iterator_id: str | None = None
    #: True once its last page is in.
    done: bool = False


class LookBack(msgspec.Struct, kw_only=True):
    """How far the look-back of a session has come; kept as the session's cursor.

    Its readings go side by side, a page of each in a set: a session may not live
    long enough for one after the other.
    """

    steps: list[Step]
    #: Receipts in one page.
    page: int
    #: Greatest TimeCreated that QuickBooks answered so far.
    greatest: datetime | None = None
    #: Record marks of ours of which one was reversed, or may reverse another, see `undone_elsewhere`.
    suspects: set[str] = set()
    what: str = "look back"


_decoder = msgspec.json.Decoder(LookBack)


def begin(run: Run) -> LookBack:
    """What this session has to read."""
    mark = run.company.look_back_mark
    steps = [Step(since=mark)] if mark is not None else []
    unread = [store for store in run.stores.values() if mark is None or not store.census_done]
    steps += [Step(head=run.head(store.id)) for store in unread]
    # Sales orders are read only where there may be web orders: not every edition of Point of Sale has them.
    with_orders = run.web_order_stores
    if with_orders and mark is not None:
        steps.append(Step(since=mark, orders=True))
    steps += [Step(head=run.head(store.id), orders=True) for store in unread if store.id in with_orders]
    # Sessions that were lost one after another may all have been lost before the last page.
    growth = min(run.open_session.setbacks, _MOST_GROWTH)
    return LookBack(steps=steps, page=run.settings["pull.page"] << growth)


def requests(run: Run, state: LookBack) -> list[str]:
    """The next page of each reading."""
    return [
        _request(run, state, number, "Continue" if step.iterator_id else "Start")
        for number, step in enumerate(state.steps)
        if not step.done
    ]


def stop_requests(run: Run, state: LookBack) -> list[str]:
    """Give the iterators back when the session has to end."""
    return [
        _request(run, state, number, "Stop")
        for number, step in enumerate(state.steps)
        if step.iterator_id and not step.done
    ]


def _request(run: Run, state: LookBack, number: int, iterator: str) -> str:
    step = state.steps[number]
    page = Page(iterator, step.iterator_id, state.page)
    request_id = run.request_id(f"{REQUEST_ID}{number}")
    return run.spelling.look_back_request(
        request_id, page, head=step.head, since=step.since, orders=step.orders
    )


def take_page(run: Run, state: LookBack, answer: ResponseSet) -> LookBack | None:
    """Keep a page of each reading; the state to go on with, or None when the last page was read.

    Raises UnreadableAnswer where QuickBooks refused one or answered something else.
    """
    responses = {response.request_id: response for response in answer.responses}
    for number, step in enumerate(state.steps):
        if step.done:
            continue
        response = responses.get(f"{REQUEST_ID}{number}")
        if response is None:
            raise UnreadableAnswer("a page of receipts is missing from the answer")
        documents = read_documents(run, response)
        keep(run, documents)
        state.suspects |= suspects(run, documents)
        created = [document.time_created for document in documents if document.time_created]
        state.greatest = max([*created, *filter(None, [state.greatest])], default=None)
        step.iterator_id = response.iterator_id if response.iterator_remaining else None
        step.done = step.iterator_id is None
    if not all(step.done for step in state.steps):
        return state
    _finish(run, state)
    return None


def stores_with_all_orders(run: Run, state: LookBack) -> set[int]:
    """Stores of which this look-back read all sales orders, not only those since the mark."""
    heads = {step.head for step in state.steps if step.orders and step.head}
    return {store_id for store_id in run.stores if run.head(store_id) in heads}


def read_documents(run: Run, response: Response) -> list[FoundDocument]:
    """The documents in a page. Raises UnreadableAnswer where QuickBooks refused it."""
    rule = classify_status(response.status_code, response.status_severity, response.status_message)
    if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
        why = f"{response.status_message} ({response.status_code})"
        if response.name == "SalesOrderQueryRs":
            raise UnreadableAnswer(
                f"sales orders could not be read: {why}. If this edition of QuickBooks has none, take them out of "
                "the store's setting orders.documents"
            )
        raise UnreadableAnswer(f"receipts could not be read: {why}")
    return [run.spelling.read_document(record) for record in response.records]


def keep(run: Run, documents: Collection[FoundDocument], *, asked_at: datetime | None = None) -> None:
    """Every receipt with a mark of one of our stores, also of records not known here.

    `asked_at`: an answer that came late, of which only what is not known here counts.
    """
    heads = {run.head(store_id) for store_id in run.stores}
    rows = [
        {
            "company_id": run.company.id,
            "txn_id": document.txn_id,
            "record_mark": document.mark.record_mark,
            "generation": document.mark.generation,
            "type": document.type,
            "number": document.number,
            "total": document.total,
            "live": document.live,
            "time_created": document.time_created,
            "read_at": asked_at or run.now,
        }
        for document in documents
        if document.mark is not None and document.mark.head in heads
    ]
    store_documents(run.db, rows, unknown_only=asked_at is not None)
    if run.company.tracks_stock and asked_at is None:
        _give_back(run, documents)


def _give_back(run: Run, documents: Collection[FoundDocument]) -> None:
    """Receipts that a person reversed take nothing from the stock any more."""
    stores = {run.head(store_id): store_id for store_id in run.stores}
    for document in documents:
        mark = document.mark
        if document.status == "Reversed" and mark is not None and mark.head in stores:
            reversed_by_hand(
                run.db,
                run.company,
                stores[mark.head],
                mark.record_id,
                mark.generation,
                document.txn_id,
            )


def _finish(run: Run, state: LookBack) -> None:
    """The last page is in: the mark may move, and what is there twice is told."""
    run.open_session.looked_back = True
    if state.greatest is not None:
        # Our clock can only lower it: a till whose clock ran ahead for a while must not hide what is
        # written after it was put right.
        mark = min(state.greatest, run.now) - timedelta(days=1)
        if run.company.look_back_mark is None or mark > run.company.look_back_mark:
            run.company.look_back_mark = mark
    if run.company.look_back_mark is not None:
        for store in run.stores.values():
            store.census_done = True
    run.db.flush()


def doubled(run: Run, documents: Sequence[LiveDocument], name: str, activity_id: int) -> None:
    """Tell the operator of several live receipts, or sales orders, with one mark."""
    record_mark = documents[0].record_mark
    are_orders = documents[0].type == SALES_ORDER
    what, deed = ("sales orders", "Delete") if are_orders else ("receipts", "Reverse")
    numbers = " and ".join(document.number or document.txn_id for document in documents)
    raise_task(
        run.db,
        company_id=run.company.id,
        kind="doubled",
        subject=f"{record_mark} {what}" if are_orders else record_mark,
        sentence=f"{name} is in QuickBooks {len(documents)} times ({what} {numbers}), with one mark "
        f"{record_mark}. {deed} all but one of them in QuickBooks.",
        activity_id=activity_id,
    )


def decode_look_back(cursor: str) -> LookBack:
    return _decoder.decode(cursor)
