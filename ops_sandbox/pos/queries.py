"""Queries: filters, MaxReturned, iterators, metaData and IncludeRetElement.

Source: protocol reference 5.4; iterators live as long as the session.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import RequestRefused, invalid_value
from ops_sandbox.pos.filters import conditions_of, select
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import shape_of
from ops_sandbox.pos.store import Record


@dataclass(slots=True)
class _Iterator:
    #: What was asked; Continue has to ask the same.
    asked: str
    #: Records not yet given out, last first, as they were at the start.
    remaining: list[Record]


class Iterators:
    """The open iterators of one session."""

    def __init__(self) -> None:
        self._open: dict[str, _Iterator] = {}

    def start(self, asked: str, records: list[Record]) -> str:
        """Keep the records for the Continues to come; the new iteratorID."""
        iterator_id = "{" + str(uuid.uuid4()) + "}"
        self._open[iterator_id] = _Iterator(asked, records[::-1])
        return iterator_id

    def take(self, iterator_id: str, asked: str, count: int) -> tuple[list[Record], int]:
        """The next records, and how many are left after them."""
        iterator = self._find(iterator_id)
        if iterator.asked != asked:
            raise invalid_value("The iterator was started with another request.")
        taken = [iterator.remaining.pop() for _ in range(min(count, len(iterator.remaining)))]
        return taken, len(iterator.remaining)

    def stop(self, iterator_id: str) -> int:
        """Forget it; how many records it had left."""
        remaining = len(self._find(iterator_id).remaining)
        del self._open[iterator_id]
        return remaining

    def _find(self, iterator_id: str) -> _Iterator:
        if iterator_id not in self._open:
            raise invalid_value(f'The iterator "{iterator_id}" is not valid in this session.')
        return self._open[iterator_id]


def query(books: Books, request: Request, iterators: Iterators) -> Answer:
    """Answer any `...QueryRq` that has filters."""
    kind = request.name.removesuffix("QueryRq")
    iterator = request.attrs.get("iterator")
    iterator_id = request.attrs.get("iteratorID", "")
    if iterator == "Stop":
        remaining = iterators.stop(iterator_id)
        return Answer(
            extra={"retCount": "0", "iteratorRemainingCount": str(remaining), "iteratorID": iterator_id}
        )
    values = request.values
    limit: int | None = values.get("MaxReturned")
    if limit is not None and limit < 1:
        raise invalid_value(f"MaxReturned must be at least 1, not {limit}.")
    # MaxReturned may differ from page to page.
    asked = repr((kind, [(name, value) for name, value in values.items() if name != "MaxReturned"]))
    if iterator == "Continue":
        assert limit is not None
        found, remaining = iterators.take(iterator_id, asked, limit)
        if books.dialect.iterator_pages == "live":
            found = [now for record in found if (now := books.store.find(kind, record.id)) is not None]
        paging = {"iteratorRemainingCount": str(remaining), "iteratorID": iterator_id}
        return _answer(books, request, kind, found, paging)

    records = _matches(books, request, kind)
    if request.attrs.get("metaData") == "MetaDataOnly":
        return Answer(extra={"retCount": str(len(records))})
    if not records:
        return _no_match(books, request, iterator)
    paging = {}
    if iterator == "Start":
        assert limit is not None
        iterator_id = iterators.start(asked, records)
        _, remaining = iterators.take(iterator_id, asked, limit)
        paging = {"iteratorRemainingCount": str(remaining), "iteratorID": iterator_id}
    return _answer(books, request, kind, records[:limit], paging)


def _matches(books: Books, request: Request, kind: str) -> list[Record]:
    id_field = "ListID" if "ListID" in shape_of(kind).simple else "TxnID"
    conditions = conditions_of(request.values, books.keys)
    if books.dialect.several_filters == "first_only":
        conditions = conditions[:1]
    records = select(books.store, kind, id_field, conditions, books.keys)
    if not records and id_field in request.values and books.dialect.unknown_id_query == "status_500":
        text = f'The query request has not been fully completed. There was a required element ("{id_field}") not found.'
        raise RequestRefused(500, text)
    return records


def _no_match(books: Books, request: Request, iterator: str | None) -> Answer:
    form = books.dialect.no_match
    extra = {} if form.endswith("no_retcount") else {"retCount": "0"}
    if iterator == "Start" and extra:
        extra["iteratorRemainingCount"] = "0"
    if form.startswith("status_1"):
        return Answer(1, "A query request did not find a matching object in QuickBooks POS", extra)
    return Answer(extra=extra)


def _answer(
    books: Books, request: Request, kind: str, records: list[Record], extra: dict[str, str]
) -> Answer:
    shape, only = shape_of(kind), frozenset(request.values.get("IncludeRetElement", ()))
    body = "".join(books.writer.element(f"{kind}Ret", shape, record.fields, only) for record in records)
    return Answer(extra={**extra, "retCount": str(len(records))}, body=body)
