"""The next message set: what leaves, in which order.

1. the look-back that is under way goes on;
2. what is in doubt is looked for: documents by look-back and mark, the rest by key;
3. look-back before the first document of a session, with look-ups in the same set;
4. what candidates lack is asked for by key, many in a set;
5. what QuickBooks lacks is added, then documents, in the order of the queue;
6. the items whose stock they moved are read again, by ListID;
7. lists whose reading is due; one that is late gets every fifth set before that.

Whatever leaves is committed as sent before its bytes do.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from qbwc_service import asking, calibrating, moves, pull_times, readings, reconciling, rereading, undoings
from qbwc_service.binding import request_id_of
from qbwc_service.doubt_documents import documents_can_be_settled, without_known_documents
from qbwc_service.doubt_elements import without_known_elements
from qbwc_service.errors import NotSendable
from qbwc_service.kinds import DOCUMENTS, KINDS
from qbwc_service.kinds.kind import MARKS, LookUp
from qbwc_service.look_up import encode_reads, look_up_set
from qbwc_service.needs import Prepared, encode_prepared
from qbwc_service.preparing import known_prepared, prepare
from qbwc_service.resolving import Verdict, resolve
from qbwc_service.run import Run
from qbwc_service.setting_aside import fail, set_aside, set_unclear_aside
from queue_store import claim
from queue_store.allocation import settle_moves
from queue_store.claim import Sending
from queue_store.drain import Change, change
from queue_store.log_context import noting
from queue_store.models import Activity
from queue_store.sessions import keep_handed_out
from queue_store.states import ActivityState

logger = logging.getLogger(__name__)

#: How far the queue is searched for further look-ups while a set of them has room.
_LOOK_AHEAD = 1000
#: The same for what may travel with a look-back; most sessions lack nothing.
_LOOK_AHEAD_OF_LOOK_BACK = 200
#: Queries that go with a look-back, however small sets are: so many it may take to know that one item is to
#: be added, or to settle one customer in doubt.
_LEAST_LOOK_UPS = 3
#: Rounds of resolving in one call: each moves candidates on, so that the next sees others.
_MOST_ROUNDS = 12


def next_set(run: Run) -> str | None:
    """The next document to hand out, or None when there is nothing left to do in this session."""
    session = run.open_session
    if is_out_of_time(run):
        requests = readings.stop(run)
        return _hand_out(run, "stop", requests) if requests else None
    claim.wake_due(run.db, run.company.id, run.now)
    calibration = calibrating.requests(run)
    if calibration is not None:
        return _hand_out(run, "calibrate", calibration)
    if session.cursor and (readings.looks_back(run) or readings.is_turn(run)):
        return _hand_out(run, *readings.go_on(run))
    if claim.has_state(run.db, run.company.id, ActivityState.IN_DOUBT):
        found = _resolve_doubt(run)
        if found is not None:
            return found
    if not session.cursor and readings.is_turn(run):
        late = pull_times.due(run)
        if late and pull_times.overdue(run, late):
            return _hand_out(run, "read", readings.begin_pull(run, late))
    if not session.looked_back and _wants_documents(run):
        # A reading that is under way begins again: one iterator at a time.
        return _begin_look_back(run, ())
    written = _write_or_look_up(run)
    if written is not None:
        return written
    touched = rereading.items_to_read(run, set_size(run))
    if touched:
        return _look_up(run, touched)
    if session.cursor:
        return _hand_out(run, *readings.go_on(run))
    kind = pull_times.due(run)
    if kind:
        return _hand_out(run, "read", readings.begin_pull(run, kind))
    requests = readings.begin_period(run)
    return _hand_out(run, "read", requests) if requests else None


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
        or (claim.has_state(run.db, run.company.id, ActivityState.IN_DOUBT) and asking.can_be_settled(run))
        or rereading.items_to_read(run, 1)
        or pull_times.due(run)
        or reconciling.is_due(run)
        or calibrating.is_due(run)
    )


def parting_set(run: Run) -> str:
    """A harmless query, for when work vanished before it was sent: "" would not end the session cleanly."""
    return _hand_out(run, "company", [run.spelling.company_request(run.request_id("C"))])


# Looking -------------------------------------------------------------------


def _begin_look_back(run: Run, to_ask: Sequence[LookUp]) -> str:
    """Look-back, and in the same set what there is to look up: a line that breaks often may carry no second one."""
    requests = readings.begin_look_back(run)
    if run.open_session.fruitless:
        # A look-up may be what QuickBooks could not take; marks are of our own making.
        wanted = [pair for pair in to_ask if pair[0] in MARKS]
    else:
        wanted = [*to_ask, *_lacking(run, set_size(run))]
    marks = sum(kind in MARKS for kind, _ in wanted)
    room = max(_LEAST_LOOK_UPS, set_size(run) - len(requests), min(marks, run.settings["pace.most"]))
    asked, reads = look_up_set(run, wanted, room)
    return _hand_out(run, "look back", [*requests, *asked], reads=encode_reads(reads))


def _lacking(run: Run, size: int) -> list[LookUp]:
    """What the next candidates lack, as far as that can be told before look-back; nothing is decided yet."""
    for reach in (size, _LOOK_AHEAD_OF_LOOK_BACK):
        lacking = _lacking_of(run, _candidates(run, reach, kinds=kinds_that_may_leave(run)))
        if len(lacking) >= size:
            break
    return lacking


def _lacking_of(run: Run, candidates: Sequence[Any]) -> list[LookUp]:
    candidates, marks, _ = without_known_documents(run, candidates)
    _, elements, _ = without_known_elements(run, candidates)
    verdicts = _resolved(run, candidates, fail_refused=False)
    lacking = [*elements, *(pair for verdict in verdicts for pair in verdict.look_ups)]
    # Departments first: an item that is to be added waits for its own.
    return [*marks, *sorted(lacking, key=lambda pair: pair[0] != "department")]


def _resolve_doubt(run: Run) -> str | None:
    session = run.open_session
    to_ask = asking.still_to_ask(run)
    documents = documents_can_be_settled(run)
    # After a session that was lost, look-back goes with whatever is asked first: the next set may be lost.
    if not session.looked_back and (documents or _wants_documents(run) or (to_ask and session.setbacks)):
        return _begin_look_back(run, to_ask)
    if to_ask:
        return _look_up(run, to_ask)
    # They have come into doubt since the look-back.
    return _begin_look_back(run, to_ask) if documents else None


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
    session = run.open_session
    size = set_size(run)
    reach = size
    for _ in range(_MOST_ROUNDS):
        candidates = _candidates(run, reach, kinds=_kinds_for_now(run))
        if not candidates:
            return None
        candidates, marks, unclear = without_known_documents(run, undoings.without_waiting(run, candidates))
        set_unclear_aside(run, unclear)
        candidates, look_ups, unclear = without_known_elements(run, candidates)
        set_unclear_aside(run, unclear)
        candidates, undone_to_ask = undoings.without_settled(run, candidates)
        look_ups += undone_to_ask
        verdicts = _resolved(run, candidates)
        look_ups = [*marks, *look_ups, *(pair for verdict in verdicts for pair in verdict.look_ups)]
        # After a session that was lost, whatever can be written is, before the rest is asked for: where
        # every second set is lost, nothing would ever be written else.
        if look_ups and not session.setbacks and not _grows_stale(verdicts, marks):
            return _look_up(run, look_ups, ahead=True)
        if not set_aside(run, verdicts):
            ready = [verdict for verdict in verdicts if verdict.is_ready]
            if ready:
                return _write(run, _together(ready)[:size])
            if look_ups:
                return _look_up(run, look_ups, ahead=True)
        # Some were bound, refused, or wait now for an addition that is in the queue itself: look again,
        # further, since a long row of the same kind may follow.
        reach = _LOOK_AHEAD
    # So many were set aside that this answer would take too long: go on with the next call.
    return parting_set(run)


def _together(ready: Sequence[Verdict]) -> Sequence[Verdict]:
    """Adjustments leave by themselves: whatever sells or takes back before them in a set would be overwritten."""
    others = [verdict for verdict in ready if verdict.prepared.stock is None]
    if others:
        return others
    # So would one adjustment of an item by another one.
    once: dict[str, Verdict] = {}
    for verdict in ready:
        if verdict.prepared.stock is not None:
            once.setdefault(verdict.prepared.stock.list_id, verdict)
    return list(once.values())


def _grows_stale(verdicts: Sequence[Verdict], marks: Sequence[Any]) -> bool:
    """Adjustments are ready whose items were read in the set before, and only other adjustments ask for something.

    To read the others' items first would make these stale, and then the other way round, for ever.
    """
    asking = [verdict for verdict in verdicts if verdict.look_ups]
    return (
        not marks
        and all(verdict.prepared.stock is not None for verdict in asking)
        and any(verdict.is_ready and verdict.prepared.stock is not None for verdict in verdicts)
    )


def _kinds_for_now(run: Run) -> frozenset[str] | None:
    kinds = kinds_that_may_leave(run)
    if run.open_session.looked_back:
        return kinds
    # A document may have become claimable since `_wants_documents`: it waits for the next call.
    return frozenset(KINDS if kinds is None else kinds) - DOCUMENTS


def _candidates(run: Run, size: int, *, kinds: frozenset[str] | None) -> Sequence[Any]:
    session = run.open_session
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


def _resolved(run: Run, candidates: Sequence[Any], *, fail_refused: bool = True) -> list[Verdict]:
    """Candidates with everything known of them; what cannot be prepared fails here, or is left out."""
    prepared: list[tuple[Any, Prepared]] = []
    known = known_prepared(run, candidates)
    payloads = claim.payloads_of(run.db, [row.id for row, current in known if current is None])
    for row, current in known:
        if current is None:
            try:
                current = prepare(run, row, payloads[row.id])
            except NotSendable as refusal:
                if fail_refused:
                    fail(run, [(row, refusal.sentence, "")])
                continue
            activity = run.db.get_one(Activity, row.id)
            activity.prepared, activity.prepared_with = (
                encode_prepared(current),
                run.prepared_with(row.store_id),
            )
        prepared.append((row, current))
    if payloads:
        run.db.flush()
    return resolve(run, prepared)


def _look_up(run: Run, wanted: Sequence[LookUp], *, ahead: bool = False) -> str:
    """A set of look-ups; with `ahead`, filled with what candidates further back in the queue lack."""
    size = set_size(run)
    if ahead and len(wanted) < size:
        verdicts = _resolved(run, _candidates(run, _LOOK_AHEAD, kinds=_kinds_for_now(run)))
        wanted = [*wanted, *(pair for verdict in verdicts for pair in verdict.look_ups)]
    requests, reads = look_up_set(run, wanted, size)
    return _hand_out(run, "look up", requests, reads=encode_reads(reads))


def _write(run: Run, ready: Sequence[Verdict]) -> str:
    """Hand out these: committed as sent before the bytes leave."""
    requests, sendings, changes = [], [], []
    for verdict in ready:
        row = verdict.activity
        number = row.attempts + 1
        requests.append(
            verdict.prepared.fill(
                {**verdict.values, "request": request_id_of(row.id, number, run.exchange_id)}
            )
        )
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
    document = _hand_out(run, "write", requests)
    if run.company.tracks_stock:
        moves.record(run, [verdict.activity for verdict in ready], requests)
    return document


# Handing out ---------------------------------------------------------------


def _hand_out(run: Run, purpose: str, requests: Sequence[str], *, reads: str = "") -> str:
    """Keep the set as it leaves, under the id that its requests bear already."""
    document = run.spelling.message_set(requests)
    if run.company.tracks_stock:
        # What is in the books by now is seen by all that this set reads.
        settle_moves(run.db, run.company)
        run.company.turn += 1
    keep_handed_out(
        run.db,
        {
            "id": run.exchange_id,
            "company_id": run.company.id,
            "session_id": run.open_session.id,
            "purpose": purpose,
            "turn": run.company.turn,
            "requests": len(requests),
            "request": document.encode(),
            "reads": reads,
            "sent_at": run.now,
        },
    )
    run.open_session.exchanges += 1
    noting(exchange=run.exchange_id)
    logger.info("exchange %s: %s, %d requests", run.exchange_id, purpose, len(requests))
    return document
