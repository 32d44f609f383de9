"""Items and departments that QuickBooks lacks, added before the first sale that names them; and changes of items."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from qbwc_service.item_reads import take_items
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.activities import get_activity
from queue_store.catalogue import bind, fold
from queue_store.item_orders import decode_item_change, follow_change
from queue_store.payloads import Department, Item
from queue_store.products_to_books import begin_stock

_items = msgspec.json.Decoder(Item)
_departments = msgspec.json.Decoder(Department)


def _prepare_item(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_item_add(_items.decode(payload))


def _learn_item(run: Run, activity: Any, record: Record) -> None:
    take_items(run, [record])
    if run.company.tracks_stock:
        begin_stock(run.db, run.company, record.text("ListID") or "")
    kind, _, key = activity.record_id.partition(":")
    if kind == "line":
        bind(
            run.db,
            company_id=run.company.id,
            kind="line",
            key=key,
            list_id=record.text("ListID") or "",
            source="added",
            label=activity.reference,
        )


def _item_asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    # Asked for as the shop spells it: whether QuickBooks' filters tell case is not certain.
    return [("line" if activity.record_id.startswith("line:") else "item", _items.decode(payload).sku)]


def _prepare_change(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_item_mod(decode_item_change(payload))


def _learn_change(run: Run, activity: Any, record: Record) -> None:
    if record.text("ListID"):
        take_items(run, [record])
    following = follow_change(
        run.db, get_activity(run.db, activity.id), cause="asked for while the change before was on its way"
    )
    if following is not None:
        following.session_id = run.open_session.id


def _prepare_department(run: Run, activity: Any, payload: bytes) -> Prepared:
    return run.spelling.prepare_department_add(_departments.decode(payload))


def _learn_department(run: Run, activity: Any, record: Record) -> None:
    bind(
        run.db,
        company_id=run.company.id,
        kind="department",
        key=fold(activity.record_id),
        list_id=record.text("ListID") or "",
        source="added",
        label=activity.record_id,
    )


def _department_asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    return [("department", _departments.decode(payload).name)]


ADD_ITEM = ActivityKind(
    "add_item",
    is_document=False,
    doubt=Doubt.LOOK_UP,
    prepare=_prepare_item,
    learn=_learn_item,
    asked_as=_item_asked_as,
)
CHANGE_ITEM = ActivityKind(
    "change_item", is_document=False, doubt=Doubt.AGAIN, prepare=_prepare_change, learn=_learn_change
)
ADD_DEPARTMENT = ActivityKind(
    "add_department",
    is_document=False,
    doubt=Doubt.LOOK_UP,
    prepare=_prepare_department,
    learn=_learn_department,
    asked_as=_department_asked_as,
)
