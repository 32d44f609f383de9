"""Undoing a receipt that was our mistake, by TxnReverse."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import get_activity
from queue_store.payloads import Undoing
from queue_store.undo import undone_now
from queue_store.undoings import decode_undoing

#: What look-ups call a receipt that is asked whether it was reversed.
LOOK_UP = "reversal"


def look_up_key(txn_id: str, mark: str) -> str:
    """Key of that look-up: the receipt, and the mark that a copy of it would bear."""
    return f"{txn_id} {mark}"


def read_undoing(payload: bytes) -> Undoing:
    """The stored undoing. Raises NotSendable where the payload is none."""
    try:
        return decode_undoing(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"What is to be undone cannot be read ({error}). Cancel it, and undo the activity again."
        ) from error


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_reversal(read_undoing(payload).txn_id)


def _learn(run: Run, activity: Any, record: Record) -> None:
    undone_now(run.db, get_activity(run.db, activity.id), record.text("ReversalTxnID"))


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    what = decode_undoing(payload)
    return [(LOOK_UP, look_up_key(what.txn_id, what.mark))]


REVERSAL = ActivityKind(
    "reversal",
    # It goes also while documents are stopped: undoing them may be what the stop is for.
    is_document=False,
    doubt=Doubt.STATUS,
    prepare=_prepare,
    learn=_learn,
    asked_as=_asked_as,
)
