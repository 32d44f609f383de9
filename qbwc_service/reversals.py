"""A receipt is reversed once: asked before a reversal leaves, and again where its answer was lost.

QuickBooks is asked for the receipt and for all that bear its mark. What its
HistoryDocStatus says is true; but not every Point of Sale may set it, so a
Regular receipt tells nothing until this company's has shown how reversals are
seen there (setting `reversals.shown`). Then a copy with the opposite total is
looked for, and where neither tells, a person is asked: never a second TxnReverse.

Source: protocol reference 5.5, which marks HistoryDocStatus uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qbwc_service.binding import back_off, bound_change
from qbwc_service.doubt import CONDEMNED, HRESULT
from qbwc_service.flavours.spelling import FoundDocument, Written
from qbwc_service.kinds.reversal import LOOK_UP, look_up_key
from qbwc_service.marks import read_mark
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import SALE, called
from queue_store.catalogue import AnsweredLookup, answered_lookups
from queue_store.claim import payloads_of
from queue_store.drain import Change, change, in_doubt
from queue_store.models import Activity
from queue_store.settings import set_company_setting
from queue_store.states import ActivityState
from queue_store.tasks import raise_task
from queue_store.undo import (
    decode_reversal,
    open_reversals,
    reversal_of,
    reversed_now,
)
from queue_store.undo_plan import REVERSAL, live_returns
from queue_store.waits import fail_waiters, wait_for, wake_waiters

#: `Activity.reason` of a reversal that QuickBooks refused: was it done before?
REFUSED = "refused"


def take_look(run: Run, key: str, records: Sequence[Record]) -> AnsweredLookup:
    """What QuickBooks says of a receipt; its reversal is settled at once where it was reversed."""
    txn_id, _, mark = key.partition(" ")
    documents = {found.txn_id: found for found in map(run.spelling.read_document, records)}
    original = documents.get(txn_id)
    if original is None:
        return AnsweredLookup(0, "the receipt is not in QuickBooks any more")
    same = [one for one in documents.values() if str(one.mark) == mark and one.type == original.type]
    if original.status == "Reversing":
        return AnsweredLookup(0, "the receipt itself reverses another one")
    if original.status == "Reversed":
        _learn(run, "status")
        reversing = next((one for one in same if one.status == "Reversing"), None)
        _settle(run, mark, "" if reversing is None else reversing.txn_id)
        return AnsweredLookup(1)
    if any(one.status != "Regular" for one in same):
        # Another receipt of this mark was reversed, and shows it.
        _learn(run, "status")
    if run.settings["reversals.shown"] == "status":
        return AnsweredLookup(0)
    return _by_copies(run, original, same, mark)


def _by_copies(run: Run, original: FoundDocument, same: Sequence[FoundDocument], mark: str) -> AnsweredLookup:
    if not original.total:
        return AnsweredLookup(0)
    equal = [one for one in same if one.total == original.total] or [original]
    opposite = [one for one in same if one.total == -original.total]
    if not opposite:
        return AnsweredLookup(0)
    if len(opposite) < len(equal):
        return AnsweredLookup(
            0,
            f"{len(equal)} receipts bear the mark {mark}, and one of them was reversed: which, cannot be told",
        )
    _learn(run, "copy")
    _settle(run, mark, opposite[0].txn_id)
    return AnsweredLookup(1)


def _learn(run: Run, shown: str) -> None:
    if run.settings["reversals.shown"] == "unknown":
        set_company_setting(run.db, run.company, "reversals.shown", shown, who="qbwoo")
        run.__dict__.pop("settings", None)


def _settle(run: Run, text: str, reversal_txn_id: str) -> None:
    mark = read_mark(text)
    store_id = next((one for one in run.stores if mark and run.head(one) == mark.head), 0)
    if mark is None:
        return
    reversal = reversal_of(run.db, run.company.id, store_id, mark.record_id, mark.generation)
    if reversal is None or reversal.state in (ActivityState.SUCCEEDED, ActivityState.CANCELLED):
        return
    _succeed(run, reversal, reversal_txn_id, "QuickBooks shows the receipt as reversed")


def _succeed(run: Run, reversal: Activity, reversal_txn_id: str, cause: str) -> None:
    change(run.db, [bound_change(reversal, Written(reversal_txn_id), "", cause=cause)])
    run.db.refresh(reversal)
    run.open_session.settled += 1
    reversed_now(run.db, reversal, reversal_txn_id)
    wake_waiters(run.db, [reversal.id])


def without_waiting(run: Run, candidates: Sequence[Any]) -> Sequence[Any]:
    """A next generation whose reversal is not settled waits, whatever woke it; the others go on."""
    later = [(row.store_id, row.record_id, row.generation) for row in candidates if row.generation > 1]
    waiting = open_reversals(run.db, run.company.id, later)
    if not waiting:
        return candidates
    rest: list[Any] = []
    for row in candidates:
        reversal = waiting.get((row.store_id, row.record_id, row.generation))
        if reversal is None or row.kind != decode_reversal(reversal.payload).kind:
            rest.append(row)
            continue
        hopeless = reversal.state in (ActivityState.FAILED, ActivityState.CANCELLED)
        sentence = (
            f"{called(row)} cannot be sent: {reversal.sentence or 'its undo was cancelled.'} Undo it again, or "
            f"retry: qbwoo activity retry {reversal.id}"
            if hopeless
            else f"{called(row)} waits until {reversal.reference} is settled."
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
        wait_for(run.db, [(row.id, reversal.id)])
    return rest


def without_settled(run: Run, candidates: Sequence[Any]) -> tuple[list[Any], list[tuple[str, str]]]:
    """Candidates without reversals that may not leave yet, and the receipts to ask for first."""
    rows = [row for row in candidates if row.kind == REVERSAL]
    if not rows:
        return list(candidates), []
    payloads = payloads_of(run.db, [row.id for row in rows])
    asked = {row.id: _asked(payloads[row.id]) for row in rows}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, set(asked.values()))
    to_ask: list[tuple[str, str]] = []
    rest: list[Any] = []
    for row in candidates:
        pair = asked.get(row.id)
        if pair is None:
            rest.append(row)
        elif pair not in answered:
            to_ask.append(pair)
        elif answered[pair].problem and answered[pair].passing:
            _to(run, row, ActivityState.DELAYED, f"{row.reference}: {answered[pair].problem}", again=True)
        elif hindrance := answered[pair].problem or _hindrance(run, payloads[row.id]):
            _fail(run, row, payloads[row.id], f"{row.reference}: {hindrance}.")
        else:
            rest.append(row)
    return rest, to_ask


def _asked(payload: bytes) -> tuple[str, str]:
    what = decode_reversal(payload)
    return LOOK_UP, look_up_key(what.txn_id, what.mark)


def _hindrance(run: Run, payload: bytes) -> str:
    """A return that came to the books since the undo was ordered."""
    what = decode_reversal(payload)
    original = run.db.get(Activity, what.activity_id)
    if original is None or what.kind != SALE:
        return ""
    names = live_returns(run.db, original, what.mark)
    if not names:
        return ""
    return f"{' and '.join(names)} hangs on the receipt by now: undo it first, then undo the receipt again"


def settle_in_doubt(run: Run) -> list[tuple[str, str]]:
    """Reversals in doubt whose receipts were asked are settled; gives the receipts still to ask for."""
    to_ask: list[tuple[str, str]] = []
    reversals = in_doubt(run.db, run.company.id, kinds=(REVERSAL,))
    asked = {one.id: _asked(one.payload) for one in reversals}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, set(asked.values()))
    for one in reversals:
        if asked[one.id] not in answered:
            to_ask.append(asked[one.id])
            continue
        answer = answered[asked[one.id]]
        if one.txn_id:
            # A late answer bound it meanwhile.
            _succeed(run, one, one.txn_id, "an earlier attempt was executed")
        elif answer.problem and not answer.passing:
            _fail(run, one, one.payload, f"{one.reference}: {answer.problem}.")
        elif not answer.problem:
            _not_reversed(run, one)
    run.db.flush()
    return to_ask


def _not_reversed(run: Run, one: Activity) -> None:
    what = decode_reversal(one.payload)
    if one.reason == REFUSED:
        _fail(run, one, one.payload, one.sentence)
    elif run.settings["reversals.shown"] == "unknown":
        _fail(
            run,
            one,
            one.payload,
            f"{one.reference}: its answer was lost, and it is not known whether QuickBooks would show that it was done. "
            f"Look at receipt {what.number} in QuickBooks. If it stands, run: qbwoo activity retry {one.id}; if it is "
            f"reversed, run: qbwoo activity undo {what.activity_id} --done",
        )
    elif one.reason == CONDEMNED:
        _fail(
            run,
            one,
            one.payload,
            f"{one.reference}: QuickBooks could not read its request even alone, without saying why. Reverse receipt "
            f"{what.number} in QuickBooks, then run: qbwoo activity undo {what.activity_id} --done",
        )
    elif one.reason == HRESULT:
        sentence = f"{one.reference}: QuickBooks failed while it was sent, and it was not done. It is tried again by itself."
        _to(run, one, ActivityState.DELAYED, sentence, again=True)
    else:
        _to(run, one, ActivityState.PENDING, cause="the receipt was not reversed: it may go again")


def _fail(run: Run, row: Any, payload: bytes, sentence: str) -> None:
    what = decode_reversal(payload)
    _to(run, row, ActivityState.FAILED, sentence)
    fail_waiters(run.db, [(row.id, sentence)])
    raise_task(
        run.db,
        company_id=run.company.id,
        kind="undo",
        subject=str(what.activity_id),
        sentence=sentence,
        activity_id=row.id,
    )
    run.open_session.failed += 1
    run.open_session.settled += 1


def _to(
    run: Run, row: Any, after: ActivityState, sentence: str = "", *, cause: str = "", again: bool = False
) -> None:
    change(
        run.db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=after,
                sentence=sentence,
                cause=cause,
                next_at=run.now + back_off(run, max(row.attempts, 1)) if again else None,
            )
        ],
    )
    if isinstance(row, Activity):
        run.db.refresh(row)


def can_be_settled(run: Run) -> bool:
    """True if a reversal in doubt can still be cleared up in this session."""
    asked = [_asked(one.payload) for one in in_doubt(run.db, run.company.id, kinds=(REVERSAL,))]
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, set(asked))
    return any(pair not in answered or not answered[pair].problem for pair in asked)
