"""An order that is not to be a receipt yet, which becomes one sales order of type WebOrder."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import update

from qbwc_service.kinds.kind import ORDER_MARK, ActivityKind, Doubt, LookUp
from qbwc_service.kinds.sale import decode_order
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import SALE
from queue_store.books import SALES_ORDER, store_documents
from queue_store.models import Activity
from queue_store.states import AT_HOME


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    order = decode_order(run, activity, payload)
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    store_id = activity.store_id
    return run.spelling.prepare_web_order(
        order, mark, run.settings, run.store_settings(store_id), run.taxes(store_id)
    )


def _learn(run: Run, activity: Any, record: Record) -> None:
    """The receipt that fulfils it names it, also in this session."""
    document = run.spelling.read_document(record)
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    store_documents(
        run.db,
        [
            {
                "company_id": run.company.id,
                "txn_id": document.txn_id,
                "record_mark": mark.record_mark,
                "generation": activity.generation,
                "type": SALES_ORDER,
                "number": document.number[:36],
                "total": document.total,
                "live": True,
                "time_created": document.time_created,
                "read_at": run.now,
            }
        ],
    )
    run.db.execute(
        update(Activity)
        .where(
            Activity.company_id == run.company.id,
            Activity.store_id == activity.store_id,
            Activity.kind == SALE,
            Activity.record_id == activity.record_id,
            # What was sent stays as it was sent: its returns are written by it.
            Activity.state.in_(AT_HOME),
        )
        .values(prepared=None)
        .execution_options(synchronize_session=False)
    )


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    return [(ORDER_MARK, run.mark(activity.store_id, activity.record_id, activity.generation).record_mark)]


WEB_ORDER = ActivityKind(
    "web_order",
    is_document=True,
    doubt=Doubt.LOOK_BACK,
    prepare=_prepare,
    learn=_learn,
    asked_as=_asked_as,
    document_type=SALES_ORDER,
)
