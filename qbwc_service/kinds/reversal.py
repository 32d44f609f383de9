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
from queue_store.undo import decode_reversal, reversed_now

#: What look-ups call a receipt that is asked whether it was reversed.
LOOK_UP = "reversal"


def look_up_key(txn_id: str, mark: str) -> str:
    """Key of that look-up: the receipt, and the mark that a copy of it would bear."""
    return f"{txn_id} {mark}"


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    try:
        what = decode_reversal(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"The stored reversal cannot be read ({error}). Cancel it, and undo the activity again."
        ) from error
    return run.spelling.prepare_reversal(what.txn_id)


def _learn(run: Run, activity: Any, record: Record) -> None:
    reversed_now(run.db, get_activity(run.db, activity.id), record.text("ReversalTxnID"))


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    what = decode_reversal(payload)
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
