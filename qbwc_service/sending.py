"""The next message set: what leaves, in which order.

1. the look-back that is under way goes on;
2. what is in doubt is looked for: documents by look-back, the rest by key;
3. look-back before the first document of a session;
4. what candidates lack is asked for by key, many in a set;
5. what QuickBooks lacks is added, then documents, in the order of the queue;
6. lists whose reading is due; one that is late gets every fifth set before that.

Whatever leaves is committed as sent before its bytes do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from qbwc_service import calibrating, doubt, look_back, pulls, reconciling, reversals
from qbwc_service.binding import request_id_of
from qbwc_service.errors import NotSendable
from qbwc_service.kinds import DOCUMENTS, KINDS
from qbwc_service.look_up import encode_reads, look_up_set
from qbwc_service.needs import Prepared, encode_prepared
from qbwc_service.preparing import current_prepared, prepare
from qbwc_service.resolving import Verdict, resolve
from qbwc_service.run import Run
from qbwc_service.setting_aside import fail, set_aside, set_unclear_aside
from queue_store import claim, drain
from queue_store.books import live_documents, of_generation
from queue_store.claim import Sending
from queue_store.drain import Change, change
from queue_store.models import Activity, Exchange
from queue_store.states import ActivityState, ExchangeState

logger = logging.getLogger(__name__)

#: How far the queue is searched for further look-ups while a set of them has room.
_LOOK_AHEAD = 1000
#: Rounds of resolving in one call: each moves candidates on, so that the next sees others.
_MOST_ROUNDS = 12
#: A long reading that is late gets one set in so many while documents wait.
_READING_TURN = 5


def next_set(run: Run) -> str | None:
    """The next document to hand out, or None when there is nothing left to do in this session."""
    session = run.open_session
    if is_out_of_time(run):
        return _stop_reading(run)
    claim.wake_due(run.db, run.company.id, run.now)
    calibration = calibrating.requests(run)
    if calibration is not None:
        return _hand_out(run, "calibrate", calibration)
    if session.cursor and (_is_look_back(session.cursor) or _is_turn_of_reading(run)):
        return _go_on_reading(run)
    if claim.has_state(run.db, run.company.id, ActivityState.IN_DOUBT):
        found = _resolve_doubt(run)
        if found is not None:
            return found
    if not session.cursor and _is_turn_of_reading(run):
        late = pulls.due(run)
        if late and pulls.overdue(run, late):
            return _begin_reading(run, late)
    if not session.looked_back and _wants_documents(run):
        # A reading that is under way begins again: one iterator at a time.
        return _begin_look_back(run)
    written = _write_or_look_up(run)
    if written is not None:
        return written
    if session.cursor:
        return _go_on_reading(run)
    kind = pulls.due(run)
    return _begin_reading(run, kind) if kind else _begin_period(run)


def is_out_of_time(run: Run) -> bool:
    """True after the longest time that a session may take."""
    return run.now - run.open_session.started_at > timedelta(minutes=run.settings["session.minutes"])


def has_more(run: Run) -> bool:
    """True if `next_set` would find something to do."""
    session = run.open_session
    if is_out_of_time(run):
        return bool(session.cursor)
    return bool(
        session.cursor
        or _has_claimable(run)
        or (claim.has_state(run.db, run.company.id, ActivityState.IN_DOUBT) and _can_be_settled(run))
        or pulls.due(run)
        or reconciling.is_due(run)
        or calibrating.is_due(run)
    )


def _can_be_settled(run: Run) -> bool:
    return doubt.can_be_settled(run) or reversals.can_be_settled(run)


def parting_set(run: Run) -> str:
    """A harmless query, for when work vanished before it was sent: "" would not end the session cleanly."""
    return _hand_out(run, "company", [run.spelling.company_request(run.request_id("C"))])


# Reading -------------------------------------------------------------------


def _is_look_back(cursor: str) -> bool:
    return '"look back"' in cursor


def _is_turn_of_reading(run: Run) -> bool:
    """Every fifth set: so that a backlog of documents cannot starve the catalogue, nor it them."""
    return run.open_session.exchanges % _READING_TURN == _READING_TURN - 1


def _begin_reading(run: Run, kind: str) -> str:
    state = pulls.begin(run, kind)
    run.open_session.cursor = encode_state(state)
    return _hand_out(run, "read", pulls.requests(run, state))


def _begin_period(run: Run) -> str | None:
    state = reconciling.begin(run)
    if state is None:
        return None
    run.open_session.cursor = encode_state(state)
    return _hand_out(run, "read", [reconciling.request(run, state)])


def _go_on_reading(run: Run) -> str:
    cursor = run.open_session.cursor or ""
    if _is_look_back(cursor):
        return _hand_out(run, "look back", [look_back.request(run, look_back.decode_look_back(cursor))])
    if reconciling.is_period(cursor):
        return _hand_out(run, "read", [reconciling.request(run, reconciling.decode_period(cursor))])
    return _hand_out(run, "read", pulls.requests(run, pulls.decode_pull(cursor)))


def _stop_reading(run: Run) -> str | None:
    cursor, run.open_session.cursor = run.open_session.cursor, None
    if not cursor:
        return None
    if _is_look_back(cursor):
        state = look_back.decode_look_back(cursor)
        request = look_back.stop_request(run, state) if state.iterator_id else None
    elif reconciling.is_period(cursor):
        period = reconciling.decode_period(cursor)
        reconciling.cut_short(run, period)
        request = reconciling.stop_request(run, period) if period.iterator_id else None
    else:
        pull = pulls.decode_pull(cursor)
        pulls.cut_short(run, pull)
        request = pulls.stop_request(run, pull) if pull.iterator_id else None
    return _hand_out(run, "stop", [request]) if request else None


def _begin_look_back(run: Run) -> str:
    state = look_back.begin(run)
    run.open_session.cursor = encode_state(state)
    return _hand_out(run, "look back", [look_back.request(run, state)])


def encode_state(state: look_back.LookBack | pulls.Pull | reconciling.Period) -> str:
    """A reading's state as the session keeps it."""
    return msgspec.json.encode(state).decode()


def _resolve_doubt(run: Run) -> str | None:
    doubt.settle_repeatable(run)
    to_ask = doubt.settle_list_elements(run) + reversals.settle_in_doubt(run)
    if to_ask:
        return _look_up(run, to_ask)
    if drain.in_doubt(run.db, run.company.id, kinds=DOCUMENTS):
        # Also after a look-back: they have come into doubt since.
        return _begin_look_back(run)
    return None


# Writing -------------------------------------------------------------------


def kinds_that_may_leave(run: Run) -> frozenset[str] | None:
    """Kinds that may leave now; None: all."""
    return frozenset(KINDS) - DOCUMENTS if run.settings["documents.stopped"] else None


def _has_claimable(run: Run) -> bool:
    session = run.open_session
    return claim.has_claimable(
        run.db,
        run.company.id,
        newest_id=session.newest_activity_id,
        session_id=session.id,
        kinds=kinds_that_may_leave(run),
    )


def _wants_documents(run: Run) -> bool:
    if run.settings["documents.stopped"]:
        return False
    session = run.open_session
    return claim.has_claimable(
        run.db, run.company.id, newest_id=session.newest_activity_id, session_id=session.id, kinds=DOCUMENTS
    )


def set_size(run: Run) -> int:
    """How many requests the next set may hold."""
    most: int = run.settings["pace.most"]
    return max(1, min(run.company.set_size or run.settings["pace.start"], most))


def _write_or_look_up(run: Run) -> str | None:
    size = set_size(run)
    reach = size
    for _ in range(_MOST_ROUNDS):
        candidates = _candidates(run, reach)
        if not candidates:
            return None
        candidates = _without_found(run, reversals.without_waiting(run, candidates))
        candidates, look_ups, unclear = doubt.without_known_elements(run, candidates)
        set_unclear_aside(run, unclear)
        candidates, receipts_to_ask = reversals.without_settled(run, candidates)
        look_ups += receipts_to_ask
        verdicts = _resolved(run, candidates)
        look_ups += [pair for verdict in verdicts for pair in verdict.look_ups]
        if look_ups:
            return _look_up(run, look_ups, ahead=True)
        if not set_aside(run, verdicts):
            ready = [verdict for verdict in verdicts if verdict.is_ready]
            if ready:
                return _write(run, ready[:size])
        # Some were bound, refused, or wait now for an addition that is in the queue itself: look again,
        # further, since a long row of the same kind may follow.
        reach = _LOOK_AHEAD
    # So many were set aside that this answer would take too long: go on with the next call.
    return parting_set(run)


def _candidates(run: Run, size: int) -> Sequence[Any]:
    session = run.open_session
    kinds = kinds_that_may_leave(run)
    if not session.looked_back:
        # One may have become claimable since `_wants_documents`: it waits for the next call.
        kinds = frozenset(KINDS if kinds is None else kinds) - DOCUMENTS
    rows = claim.candidates(
        run.db,
        run.company.id,
        newest_id=session.newest_activity_id,
        session_id=session.id,
        limit=size,
        kinds=kinds,
    )
    if not rows:
        return rows
    first = rows[0]
    if first.suspect_size:
        # Suspects of one failed set travel together, in ever smaller parts, and with nobody else.
        return [row for row in rows if row.suspect_of == first.suspect_of][: first.suspect_size]
    return [row for row in rows if not row.suspect_size]


def _without_found(run: Run, candidates: Sequence[Any]) -> Sequence[Any]:
    """Documents that look-back found in the books are bound; the others go on."""
    marks = {
        row.id: run.mark(row.store_id, row.record_id, row.generation).record_mark
        for row in candidates
        if row.kind in DOCUMENTS
    }
    found = live_documents(run.db, run.company.id, set(marks.values()))
    if not found:
        return candidates
    rest = []
    for row in candidates:
        documents = of_generation(found.get(marks.get(row.id, ""), []), row.generation)
        if documents:
            doubt.bind_found(run, row, documents, marks[row.id])
        else:
            rest.append(row)
    return rest


def _resolved(run: Run, candidates: Sequence[Any]) -> list[Verdict]:
    """Candidates with everything known of them; what cannot be prepared fails here."""
    prepared: list[tuple[Any, Prepared]] = []
    payloads: dict[int, bytes] = {}
    stale = [row.id for row in candidates if current_prepared(run, row) is None]
    if stale:
        payloads = claim.payloads_of(run.db, stale)
    for row in candidates:
        current = current_prepared(run, row)
        if current is None:
            try:
                current = prepare(run, row, payloads[row.id])
            except NotSendable as refusal:
                fail(run, [(row, refusal.sentence, "")])
                continue
            activity = run.db.get_one(Activity, row.id)
            activity.prepared, activity.prepared_with = (
                encode_prepared(current),
                run.prepared_with(row.store_id),
            )
        prepared.append((row, current))
    run.db.flush()
    return resolve(run, prepared)


def _look_up(run: Run, wanted: Sequence[tuple[str, str]], *, ahead: bool = False) -> str:
    """A set of look-ups; with `ahead`, filled with what candidates further back in the queue lack."""
    size = set_size(run)
    if ahead and len(wanted) < size:
        verdicts = _resolved(run, _candidates(run, _LOOK_AHEAD))
        wanted = [*wanted, *(pair for verdict in verdicts for pair in verdict.look_ups)]
    requests, reads = look_up_set(run, wanted, size)
    return _hand_out(run, "look up", requests, reads=encode_reads(reads))


def _write(run: Run, ready: Sequence[Verdict]) -> str:
    """Hand out these: committed as sent before the bytes leave."""
    requests, sendings, changes = [], [], []
    for verdict in ready:
        row = verdict.activity
        number = row.attempts + 1
        requests.append(verdict.prepared.fill({**verdict.values, "request": request_id_of(row.id, number)}))
        sendings.append(
            Sending(
                activity_id=row.id,
                number=number,
                fingerprint=row.fingerprint,
                predicted_total=verdict.prepared.predicted_total,
            )
        )
        changes.append(
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.SENT,
                cause=f"sent in exchange {run.exchange_id}",
                values={"attempts": number, "exchange_id": run.exchange_id},
            )
        )
    change(run.db, changes, exchange_id=run.exchange_id)
    claim.record_attempts(run.db, run.exchange_id, sendings)
    return _hand_out(run, "write", requests)


# Handing out ---------------------------------------------------------------


def _hand_out(run: Run, purpose: str, requests: Sequence[str], *, reads: str = "") -> str:
    """Keep the set as it leaves, under the id that its requests bear already."""
    document = run.spelling.message_set(requests)
    run.db.add(
        Exchange(
            id=run.exchange_id,
            company_id=run.company.id,
            session_id=run.open_session.id,
            purpose=purpose,
            state=ExchangeState.OUTSTANDING,
            requests=len(requests),
            request=document.encode(),
            reads=reads,
            sent_at=run.now,
        )
    )
    run.open_session.exchanges += 1
    run.db.flush()
    logger.info("exchange %s: %s, %d requests", run.exchange_id, purpose, len(requests))
    return document
