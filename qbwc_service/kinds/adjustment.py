"""A change of QuickBooks' stock by so many pieces; QuickBooks takes the new quantity, so the item is read just before.

In doubt it is looked for by its mark. One that is not there goes again with a
quantity computed afresh: never the request that was lost, which would undo what
a till has sold since.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.spelling import Adjusted
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import get_activity
from queue_store.adjustments import ADJUST_STOCK, correct, record_of
from queue_store.books import store_documents
from queue_store.models import Activity
from queue_store.product_payloads import StockAdjustment, decode_adjustment

#: Look-up of an adjustment by its mark.
LOOK_UP = "adjustment"
#: `BookDocument.type` of one.
DOCUMENT_TYPE = "Adjustment"


def mark_of(run: Run, activity_id: int) -> str:
    """First word of its comments, such as "WA-1207"."""
    return f"{run.settings['documents.prefix']}A-{activity_id}"


def take_found(run: Run, mark: str, records: Sequence[Record]) -> int:
    """Adjustments that QuickBooks found for a mark: kept, and put right; gives how many are its own."""
    found = [run.spelling.read_adjustment(record) for record in records]
    own = [one for one in found if one.mark == mark and one.live]
    store_documents(
        run.db,
        [
            {
                "company_id": run.company.id,
                "txn_id": one.txn_id,
                "record_mark": mark,
                "generation": 1,
                "type": DOCUMENT_TYPE,
                "number": one.number,
                "total": None,
                "live": True,
                "time_created": one.time_created,
                "read_at": run.now,
            }
            for one in own
        ],
    )
    activity = run.db.get(Activity, int(mark.rpartition("-")[2]))
    if own and activity is not None and activity.kind == ADJUST_STOCK:
        _put_right(run, activity, own[0])
    return len(own)


def _put_right(run: Run, activity: Activity, adjusted: Adjusted) -> None:
    """What a till sold, or took back, between the read and the adjustment."""
    what = decode_adjustment(activity.payload)
    if what.list_id not in adjusted.quantities:
        return
    before, after = adjusted.quantities[what.list_id]
    presumed = after - what.difference
    if before != presumed:
        correct(run.db, activity, before - presumed, session_id=run.session.id if run.session else None)


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_adjustment(_decoded(payload), mark_of(run, activity.id), run.settings)


def _decoded(payload: bytes) -> StockAdjustment:
    try:
        return decode_adjustment(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(f"The stored adjustment cannot be read ({error}). Cancel it.") from error


def _learn(run: Run, activity: Any, record: Record) -> None:
    _put_right(run, get_activity(run.db, activity.id), run.spelling.read_adjustment(record))


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    return [(LOOK_UP, mark_of(run, activity.id))]


ADJUSTMENT = ActivityKind(
    ADJUST_STOCK,
    is_document=False,
    doubt=Doubt.LOOK_UP,
    prepare=_prepare,
    learn=_learn,
    asked_as=_asked_as,
)

__all__ = ["ADJUSTMENT", "DOCUMENT_TYPE", "LOOK_UP", "mark_of", "record_of", "take_found"]
