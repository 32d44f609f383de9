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

from qbwc_service.flavours.spelling import FoundDocument
from qbwc_service.run import Run
from qbwc_service.undo_outcomes import succeed, undoing_by_mark
from qbxml.records import Record
from queue_store.activities import SALE
from queue_store.catalogue import AnsweredLookup
from queue_store.models import Activity
from queue_store.payloads import Undoing
from queue_store.settings import set_company_setting
from queue_store.undo_plan import REVERSAL, live_returns


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


def _settle(run: Run, mark: str, reversal_txn_id: str) -> None:
    reversal = undoing_by_mark(run, REVERSAL, mark)
    if reversal is not None:
        cause = "QuickBooks shows the receipt as reversed"
        succeed(run, reversal, reversal_txn_id, cause, reversing=reversal_txn_id)


def hindrance(run: Run, what: Undoing) -> str:
    """A return that came to the books since the undo was ordered."""
    original = run.db.get(Activity, what.activity_id)
    if original is None or what.kind != SALE:
        return ""
    names = live_returns(run.db, original, what.mark)
    if not names:
        return ""
    return f"{' and '.join(names)} hangs on the receipt by now: undo it first, then undo the receipt again"


def refusal(reversal: Any, why: str, what: Undoing) -> str:
    """The sentence for one that cannot be done."""
    return f"{reversal.reference}: {why.rstrip('.')}."


def untold(run: Run, one: Activity, what: Undoing) -> str:
    """What a person is asked where nothing tells whether it was done; "" where QuickBooks shows it."""
    if run.settings["reversals.shown"] != "unknown":
        return ""
    return (
        f"{one.reference}: its answer was lost, and it is not known whether QuickBooks would show that it was done. "
        f"Look at receipt {what.number} in QuickBooks. If it stands, run: qbwoo activity retry {one.id}; if it is "
        f"reversed, run: qbwoo activity undo {what.activity_id} --done"
    )
