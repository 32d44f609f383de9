"""Asking QuickBooks for what is missing, by key, many in a set; and taking the answers.

A look-up may take several queries (one for each field that may hold the key).
"Not there" is believed for the session in which it was said, and no longer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec

from qbwc_service import deletions, look_back, reversals
from qbwc_service.item_reads import forget_items, take_items
from qbwc_service.kinds.adjustment import LOOK_UP as ADJUSTMENT_LOOK_UP
from qbwc_service.kinds.adjustment import take_found
from qbwc_service.kinds.deletion import ORDER_LOOK_UP, RECEIPTS_LOOK_UP
from qbwc_service.kinds.kind import ITEM_ID, MARKS, LookUp
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
)
from queue_store.models import Exchange
from queue_store.tax_rates import store_tax_rates

_encode = msgspec.json.encode
#: So often a key may be refused alone before it is taken to be the cause.
_MOST_REFUSALS = 3
_decoder = msgspec.json.Decoder(dict[str, tuple[str, str]])


def look_up_set(run: Run, wanted: Iterable[LookUp], size: int) -> tuple[list[str], dict[str, LookUp]]:
    """Requests for as many of `wanted` as fit into `size`, and what each is for by requestID."""
    requests: list[str] = []
    reads: dict[str, LookUp] = {}
    for kind, key in dict.fromkeys(wanted):
        bodies = run.spelling.look_up_requests(kind, key, run.settings)
        if requests and len(requests) + len(bodies) > size:
            break
        for body in bodies:
            request_id = f"L{len(requests)}"
            requests.append(run.spelling.look_up_request(kind, body, run.request_id(request_id)))
            reads[request_id] = (kind, key)
    return requests, reads


def encode_reads(reads: dict[str, LookUp]) -> str:
    """What the reads of an exchange are for, as it is kept."""
    return _encode(reads).decode() if reads else ""


def decode_reads(reads: str) -> dict[str, LookUp]:
    """The look-ups by requestID; a request of a set that is not among them is something else."""
    return _decoder.decode(reads) if reads else {}


def take_answers(run: Run, exchange: Exchange, answer: ResponseSet) -> int:
    """Keep what was found and what was not; gives how many look-ups were answered."""
    asked: dict[LookUp, set[str]] = {}
    for request_id, look_up in decode_reads(exchange.reads).items():
        asked.setdefault(look_up, set()).add(request_id)
    by_id = {response.request_id: response for response in answer.responses}
    answered: dict[LookUp, AnsweredLookup] = {}
    for look_up, request_ids in asked.items():
        responses = [by_id[request_id] for request_id in request_ids if request_id in by_id]
        if len(responses) == len(request_ids):
            answered[look_up] = _take_answer(run, look_up, responses)
    keep_lookups(run.db, run.company.id, run.open_session.id, answered)
    return sum(not answer.problem for answer in answered.values())


def take_late_answers(run: Run, exchange: Exchange, responses: Collection[Response]) -> None:
    """What a set of look-ups found is known, if nothing newer is; that something is not there is no longer true."""
    reads = decode_reads(exchange.reads)
    run.asked_turn = exchange.turn
    for response in responses:
        look_up = reads.get(response.request_id or "")
        if look_up is not None:
            _take_answer(run, look_up, [response], asked_at=exchange.sent_at)


def refuse_look_ups(run: Run, exchange: Exchange, hresult: str) -> None:
    """QuickBooks could not read a set of look-ups. Only a key that is refused alone, again and again, is at fault."""
    looked_up = decode_reads(exchange.reads)
    wanted = set(looked_up.values())
    if wanted and all(kind in MARKS for kind, _ in wanted):
        # They are of our own making, so QuickBooks does not take such queries: look-back alone must do.
        refused = AnsweredLookup(0, f"QuickBooks could not read the look-up by mark ({hresult}).")
        keep_lookups(run.db, run.company.id, run.open_session.id, dict.fromkeys(wanted, refused))
        return
    if len(wanted) != 1 or exchange.requests > len(looked_up):
        return  # The next set is smaller, or holds less.
    ((kind, key),) = wanted
    refusals = refusals_of(run.db, run.company.id, run.open_session.id, kind, key) + 1
    answer = AnsweredLookup(-1, refusals=refusals)
    if refusals >= _MOST_REFUSALS:
        sentence = f"QuickBooks could not read the look-up of {key!r} ({hresult}). Change that SKU or e-mail, then retry."
        answer = AnsweredLookup(0, sentence, refusals=refusals)
    keep_lookups(run.db, run.company.id, run.open_session.id, {(kind, key): answer})


def _take_answer(
    run: Run, look_up: LookUp, responses: Collection[Response], *, asked_at: datetime | None = None
) -> AnsweredLookup:
    kind, key = look_up
    read_at, is_late = asked_at or run.now, asked_at is not None
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
        if kind == "tax rates":
            return _take_tax_rates(run, response.records)
        for record in response.records:
            list_id = record.text("ListID")
            if list_id:
                found[list_id] = record
    if kind == REVERSAL_LOOK_UP:
        return reversals.take_look(run, key, [one for answer in responses for one in answer.records])
    if kind in (ORDER_LOOK_UP, RECEIPTS_LOOK_UP):
        read = [one for answer in responses for one in answer.records]
        if kind == RECEIPTS_LOOK_UP:
            return deletions.take_receipts(run, read)
        return deletions.take_order(run, key, read, is_late=is_late)
    if kind == ADJUSTMENT_LOOK_UP:
        return AnsweredLookup(take_found(run, key, [one for answer in responses for one in answer.records]))
    if kind in MARKS:
        documents = [run.spelling.read_document(one) for answer in responses for one in answer.records]
        look_back.keep(run, documents, asked_at=asked_at)
        return AnsweredLookup(len(documents))
    records = list(found.values())
    if kind in ("item", "line", ITEM_ID):
        take_items(run, records, read_at=read_at, unknown_only=is_late)
        if kind == ITEM_ID and not found and not is_late:
            forget_items(run, {key})
    elif kind in ("customer", "customer id"):
        people = [run.spelling.customer_row(record, run.company.id, read_at) for record in records]
        store_customers(run.db, people, unknown_only=is_late)
    if kind in ("line", "department") and found and not is_late:
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


def _take_tax_rates(run: Run, records: Collection[Record]) -> AnsweredLookup:
    percents = {
        pair: percent for record in records for pair, percent in run.spelling.read_tax_rates(record).items()
    }
    store_tax_rates(run.db, run.company, percents, run.now)
    return AnsweredLookup(len(percents))
