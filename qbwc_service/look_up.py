"""Asking QuickBooks for what is missing, by key, many in a set; and taking the answers.

A look-up may take several queries (one for each field that may hold the key).
"Not there" is believed for the session in which it was said, and no longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from qbwc_service import reversals
from qbwc_service.kinds.reversal import LOOK_UP as REVERSAL_LOOK_UP
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.records import Record
from qbxml.statuses import classify_status
from queue_store.catalogue import (
    AnsweredLookup,
    bind,
    fold,
    keep_lookups,
    refusals_of,
    store_customers,
    store_items,
)
from queue_store.models import Exchange

_encode = msgspec.json.encode
#: So often a key may be refused alone before it is taken to be the cause.
_MOST_REFUSALS = 3
_decoder = msgspec.json.Decoder(dict[str, tuple[str, str]])


def look_up_set(
    run: Run, wanted: Iterable[tuple[str, str]], size: int
) -> tuple[list[str], dict[str, tuple[str, str]]]:
    """Requests for as many of `wanted` as fit into `size`, and what each is for by requestID."""
    requests: list[str] = []
    reads: dict[str, tuple[str, str]] = {}
    for kind, key in dict.fromkeys(wanted):
        bodies = run.spelling.look_up_requests(kind, key, run.settings)
        if requests and len(requests) + len(bodies) > size:
            break
        for body in bodies:
            request_id = f"L{len(requests)}"
            requests.append(run.spelling.look_up_request(kind, body, run.request_id(request_id)))
            reads[request_id] = (kind, key)
    return requests, reads


def encode_reads(reads: dict[str, tuple[str, str]]) -> str:
    return _encode(reads).decode()


def take_answers(run: Run, exchange: Exchange, answer: ResponseSet) -> int:
    """Keep what was found and what was not; gives how many look-ups were answered."""
    asked: dict[tuple[str, str], set[str]] = {}
    for request_id, look_up in _decoder.decode(exchange.reads).items():
        asked.setdefault(look_up, set()).add(request_id)
    by_id = {response.request_id: response for response in answer.responses}
    answered: dict[tuple[str, str], AnsweredLookup] = {}
    for look_up, request_ids in asked.items():
        responses = [by_id[request_id] for request_id in request_ids if request_id in by_id]
        if len(responses) == len(request_ids):
            answered[look_up] = _take_answer(run, look_up, responses)
    keep_lookups(run.db, run.company.id, run.open_session.id, answered)
    return sum(not answer.problem for answer in answered.values())


def refuse_look_ups(run: Run, exchange: Exchange, hresult: str) -> None:
    """QuickBooks could not read a set of look-ups. Only a key that is refused alone, again and again, is at fault."""
    looked_up = set(_decoder.decode(exchange.reads).values())
    if len(looked_up) != 1:
        return  # The next set is smaller.
    ((kind, key),) = looked_up
    refusals = refusals_of(run.db, run.company.id, run.open_session.id, kind, key) + 1
    answer = AnsweredLookup(-1, refusals=refusals)
    if refusals >= _MOST_REFUSALS:
        sentence = f"QuickBooks could not read the look-up of {key!r} ({hresult}). Change that SKU or e-mail, then retry."
        answer = AnsweredLookup(0, sentence, refusals=refusals)
    keep_lookups(run.db, run.company.id, run.open_session.id, {(kind, key): answer})


def _take_answer(run: Run, look_up: tuple[str, str], responses: Collection[Response]) -> AnsweredLookup:
    kind, key = look_up
    documents: list[Record] = []
    found: dict[str, Record] = {}
    for response in responses:
        rule = classify_status(response.status_code, response.status_severity, response.status_message)
        if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
            return AnsweredLookup(
                0,
                f'QuickBooks could not look up "{key}": {response.status_message} '
                f"(status {response.status_code}). {rule.advice}",
                passing=rule.outcome is Outcome.RETRY,
            )
        documents += response.records
        for record in response.records:
            list_id = record.text("ListID")
            if list_id:
                found[list_id] = record
    if kind == REVERSAL_LOOK_UP:
        return reversals.take_look(run, key, documents)
    records = list(found.values())
    if kind in ("item", "line"):
        store_items(run.db, [run.spelling.item_row(record, run.company.id, run.now) for record in records])
    elif kind in ("customer", "customer id"):
        store_customers(
            run.db, [run.spelling.customer_row(record, run.company.id, run.now) for record in records]
        )
    if kind in ("line", "department") and found:
        if len(found) > 1:
            numbers = " and ".join(record.text("ItemNumber") or list_id for list_id, record in found.items())
            return AnsweredLookup(
                len(found),
                f"{len(found)} records in QuickBooks are called {key!r} ({numbers}). Rename all but one, or map it: "
                f"qbwoo mapping set {kind} {key!r} -- LISTID; then retry.",
            )
        bind(
            run.db,
            company_id=run.company.id,
            kind=kind,
            key=fold(key),
            list_id=next(iter(found)),
            source="matched",
            label=key,
        )
    return AnsweredLookup(len(found))
