"""Asking QuickBooks for what is missing, by key, many in a set; and taking the answers.

A look-up may take several queries (one for each field that may hold the key).
"Not there" is believed for the session in which it was said, and no longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.records import Record
from qbxml.statuses import classify_status
from queue_store.catalogue import AnsweredLookup, bind, fold, keep_lookups, store_customers, store_items
from queue_store.models import Exchange

_encode = msgspec.json.encode
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
    return len(answered)


def refuse_look_ups(run: Run, exchange: Exchange, sentence: str) -> None:
    """QuickBooks refuses to be asked this: whoever needs it fails with the sentence."""
    looked_up = set(_decoder.decode(exchange.reads).values())
    keep_lookups(
        run.db,
        run.company.id,
        run.open_session.id,
        {look_up: AnsweredLookup(0, sentence) for look_up in looked_up},
    )


def _take_answer(run: Run, look_up: tuple[str, str], responses: Collection[Response]) -> AnsweredLookup:
    kind, key = look_up
    found: dict[str, Record] = {}
    for response in responses:
        rule = classify_status(response.status_code, response.status_severity, response.status_message)
        if rule.outcome not in (Outcome.DONE, Outcome.EMPTY):
            return AnsweredLookup(
                0,
                f'QuickBooks could not look up "{key}": {response.status_message} '
                f"(status {response.status_code}). {rule.advice}",
            )
        for record in response.records:
            list_id = record.text("ListID")
            if list_id:
                found[list_id] = record
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
    return AnsweredLookup(len(found), "")
