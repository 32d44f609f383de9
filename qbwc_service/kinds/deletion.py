"""Undoing a web order, by ListDel of its sales order."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.kinds.reversal import look_up_key, read_undoing
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import get_activity
from queue_store.undo import undone_now
from queue_store.undoings import decode_undoing

#: What look-ups call a sales order that is to be deleted, and the receipts that name it.
ORDER_LOOK_UP, RECEIPTS_LOOK_UP = "deletion", "order receipts"


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_deletion(read_undoing(payload).txn_id)


def _learn(run: Run, activity: Any, record: Record) -> None:
    undone_now(run.db, get_activity(run.db, activity.id), None)


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    what = decode_undoing(payload)
    return [(ORDER_LOOK_UP, look_up_key(what.txn_id, what.mark)), (RECEIPTS_LOOK_UP, what.txn_id)]


DELETION = ActivityKind(
    "deletion",
    # It goes also while documents are stopped, as a reversal does.
    is_document=False,
    doubt=Doubt.STATUS,
    prepare=_prepare,
    learn=_learn,
    asked_as=_asked_as,
)
