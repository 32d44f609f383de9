"""Undoings on their way: asked for before they leave, and again where their answer was lost.

What is asked and what the answer means is the matter of each: `reversals`,
`deletions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qbwc_service import deletions, reversals
from qbwc_service.doubt import CONDEMNED, HRESULT
from qbwc_service.kinds import KINDS
from qbwc_service.kinds.kind import LookUp
from qbwc_service.run import Run
from qbwc_service.undo_outcomes import fail, succeed, to
from queue_store.activities import SALE, called
from queue_store.catalogue import AnsweredLookup, answered_lookups
from queue_store.claim import payloads_of
from queue_store.drain import Change, change, in_doubt
from queue_store.models import Activity
from queue_store.payloads import Undoing
from queue_store.states import ActivityState
from queue_store.undo_plan import DELETION, REVERSAL, UNDOINGS, WAYS
from queue_store.undoings import decode_undoing, open_undoings
from queue_store.waits import wait_for

#: `Activity.reason` of an undoing that QuickBooks refused: was it done before?
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Manner:
    """What one kind of undoing has of its own."""

    #: What has come in its way since it was ordered; "": nothing.
    hindrance: Callable[[Run, Undoing], str]
    #: The sentence for one that cannot be done: the activity (row or model), why, what it undoes.
    refusal: Callable[[Any, str, Undoing], str]
    #: What a person is asked where nothing tells whether it was done; "": QuickBooks tells.
    untold: Callable[[Run, Activity, Undoing], str] = lambda _run, _activity, _what: ""


_MANNERS: Mapping[str, _Manner] = {
    REVERSAL: _Manner(reversals.hindrance, reversals.refusal, reversals.untold),
    DELETION: _Manner(deletions.hindrance, deletions.refusal),
}


def without_waiting(run: Run, candidates: Sequence[Any]) -> Sequence[Any]:
    """What waits for an undoing that is not settled waits, whatever woke it; the others go on."""
    # A receipt of a store without web orders names none.
    may_wait = [
        row
        for row in candidates
        if row.generation > 1 or (row.kind == SALE and row.store_id in run.web_order_stores)
    ]
    waiting = open_undoings(run.db, run.company.id, may_wait)
    if not waiting:
        return candidates
    rest: list[Any] = []
    for row in candidates:
        undoing = waiting.get(row.id)
        if undoing is None:
            rest.append(row)
            continue
        hopeless = undoing.state in (ActivityState.FAILED, ActivityState.CANCELLED)
        sentence = (
            f"{called(row)} cannot be sent: {undoing.sentence or 'its undo was cancelled.'} Undo it again, or "
            f"retry: qbwoo activity retry {undoing.id}"
            if hopeless
            else f"{called(row)} waits until activity {undoing.id} is settled: {undoing.reference}."
        )
        change(
            run.db,
            [
                Change(
                    activity_id=row.id,
                    before=row.state,
                    after=ActivityState.FAILED if hopeless else ActivityState.WAITING,
                    sentence=sentence,
                    reason="activity",
                )
            ],
        )
        wait_for(run.db, [(row.id, undoing.id)])
    return rest


def without_settled(run: Run, candidates: Sequence[Any]) -> tuple[list[Any], list[LookUp]]:
    """Candidates without undoings that may not leave yet, and what is to be asked first."""
    rows = [row for row in candidates if row.kind in UNDOINGS]
    if not rows:
        return list(candidates), []
    payloads = payloads_of(run.db, [row.id for row in rows])
    asked = {row.id: KINDS[row.kind].asked_as(run, row, payloads[row.id]) for row in rows}
    answered = _answered(run, asked.values())
    to_ask: list[LookUp] = []
    rest: list[Any] = []
    for row in candidates:
        pairs = asked.get(row.id)
        if pairs is None:
            rest.append(row)
            continue
        if missing := [pair for pair in pairs if pair not in answered]:
            to_ask += missing
            continue
        problems = [answered[pair] for pair in pairs if answered[pair].problem]
        if problems and any(one.passing for one in problems):
            to(run, row, ActivityState.DELAYED, f"{row.reference}: {problems[0].problem}", again=True)
            continue
        what = decode_undoing(payloads[row.id])
        manner = _MANNERS[row.kind]
        why = problems[0].problem if problems else manner.hindrance(run, what)
        if why:
            fail(run, row, payloads[row.id], manner.refusal(row, why, what))
        else:
            rest.append(row)
    return rest, to_ask


def settle_in_doubt(run: Run) -> list[LookUp]:
    """Undoings in doubt that QuickBooks was asked for are settled; gives what is still to ask."""
    to_ask: list[LookUp] = []
    doubtful = in_doubt(run.db, run.company.id, kinds=UNDOINGS)
    asked = {one.id: KINDS[one.kind].asked_as(run, one, one.payload) for one in doubtful}
    answered = _answered(run, asked.values())
    for one in doubtful:
        if missing := [pair for pair in asked[one.id] if pair not in answered]:
            to_ask += missing
            continue
        problems = [answered[pair] for pair in asked[one.id] if answered[pair].problem]
        what = decode_undoing(one.payload)
        if one.txn_id:
            # A late answer bound it meanwhile.
            reversing = one.txn_id if one.kind == REVERSAL else ""
            succeed(run, one, one.txn_id, "an earlier attempt was executed", reversing=reversing)
        elif any(not answer.passing for answer in problems):
            why = next(answer.problem for answer in problems if not answer.passing)
            fail(run, one, one.payload, _MANNERS[one.kind].refusal(one, why, what))
        elif not problems:
            _not_done(run, one)
    run.db.flush()
    return to_ask


def _not_done(run: Run, one: Activity) -> None:
    what = decode_undoing(one.payload)
    way = WAYS[what.kind]
    if one.reason == REFUSED:
        fail(run, one, one.payload, one.sentence)
    elif sentence := _MANNERS[one.kind].untold(run, one, what):
        fail(run, one, one.payload, sentence)
    elif one.reason == CONDEMNED:
        sentence = (
            f"{one.reference}: QuickBooks could not read its request even alone, without saying why. "
            f"{way.verb.capitalize()} {way.document} {what.number} in QuickBooks, then run: qbwoo activity undo "
            f"{what.activity_id} --done"
        )
        fail(run, one, one.payload, sentence)
    elif one.reason == HRESULT:
        sentence = f"{one.reference}: QuickBooks failed while it was sent, and it was not done. It is tried again by itself."
        to(run, one, ActivityState.DELAYED, sentence, again=True)
    else:
        to(run, one, ActivityState.PENDING, cause=f"the {way.document} was not {way.done}: it may go again")


def can_be_settled(run: Run) -> bool:
    """True if an undoing in doubt can still be cleared up in this session."""
    doubtful = in_doubt(run.db, run.company.id, kinds=UNDOINGS)
    asked = [KINDS[one.kind].asked_as(run, one, one.payload) for one in doubtful]
    answered = _answered(run, asked)
    return any(pair not in answered or not answered[pair].problem for pairs in asked for pair in pairs)


def _answered(run: Run, asked: Collection[Collection[LookUp]]) -> Mapping[LookUp, AnsweredLookup]:
    wanted = {pair for pairs in asked for pair in pairs}
    return answered_lookups(run.db, run.company.id, run.open_session.id, wanted)
