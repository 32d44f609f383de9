"""Adjustments of QuickBooks' stock: ordered with what they take from the shop's side, put right, withdrawn.

An adjustment by d counts as a taking of -d from the moment that it is ordered,
and as a move of -d from the moment that it leaves: until it is in the books the
shop shows the quantity that it will have then. See `queue_store.levels`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from queue_store.activities import add_activity, newest_of_record
from queue_store.closing import reopen
from queue_store.fingerprint import content_digest
from queue_store.ids import new_id
from queue_store.models import Activity, CatalogueItem, OrderTaking
from queue_store.payloads import encode
from queue_store.product_payloads import StockAdjustment, decode_adjustment
from queue_store.states import ActivityState

ADJUST_STOCK = "adjust_stock"
#: After documents, whose receipts are to be in the stock that is read for it.
_PRIORITY = -1


def record_of(activity_id: int) -> str:
    """`OrderTaking.record` and `StockMove.record` of an adjustment."""
    return f"A{activity_id}"


def order_adjustment(
    db: Session,
    *,
    company_id: int,
    store_id: int,
    adjustment: StockAdjustment,
    cause: str,
    product_id: int = 0,
    record_id: str = "",
    session_id: int | None = None,
) -> Activity:
    """Put an adjustment into the queue, with its taking.

    `product_id` is the shop's product whose quantity a person has changed already, so that its gross stays what
    it was; 0: the shop's quantity has still to follow. `session_id` is that of the session that made it.
    """
    activity_id = new_id()
    payload = encode(adjustment)
    activity = add_activity(
        db,
        Activity(
            id=activity_id,
            company_id=company_id,
            store_id=store_id,
            kind=ADJUST_STOCK,
            record_id=record_id or str(activity_id),
            state=ActivityState.PENDING,
            priority=_PRIORITY,
            payload=payload,
            digest=content_digest(payload),
            reference=(adjustment.sku or adjustment.list_id)[:120],
            session_id=session_id,
        ),
        cause=cause,
    )
    db.add(
        OrderTaking(
            store_id=store_id,
            record=record_of(activity_id),
            line_id=0,
            company_id=company_id,
            product_id=product_id,
            sku_key=adjustment.sku.strip().casefold()[:120],
            list_id=adjustment.list_id,
            quantity=-adjustment.difference,
            modified_at=datetime.now(UTC),
        )
    )
    db.flush()
    return activity


def unseen_adjustments(db: Session, company_id: int, list_ids: Collection[str]) -> dict[str, Activity]:
    """The newest adjustment of each of these items that the item's last read does not show.

    It is on its way, failed, or was done after that read. What was cancelled is none.
    """
    found: dict[str, Activity] = {}
    rows = db.execute(
        select(OrderTaking.list_id, OrderTaking.record, CatalogueItem.read_at)
        .join(
            CatalogueItem,
            (CatalogueItem.company_id == OrderTaking.company_id)
            & (CatalogueItem.list_id == OrderTaking.list_id),
        )
        .where(
            OrderTaking.company_id == company_id,
            OrderTaking.list_id.in_(list_ids),
            OrderTaking.record.like("A%"),
        )
    ).all()
    read_at = {record: (list_id, at) for list_id, record, at in rows}
    numbers = [int(record[1:]) for record in read_at]
    for activity in db.scalars(select(Activity).where(Activity.id.in_(numbers)).order_by(Activity.id)):
        list_id, at = read_at[record_of(activity.id)]
        is_over = activity.state in (ActivityState.CANCELLED, ActivityState.SUPERSEDED)
        if not is_over and not (activity.state == ActivityState.SUCCEEDED and activity.updated_at < at):
            found[str(list_id)] = activity
    return found


def correct(db: Session, original: Activity, by: Decimal, *, session_id: int | None) -> Activity | None:
    """QuickBooks' stock had moved by `by` when `original` overwrote it: that is put right. Once, however often told."""
    return follow(
        db,
        original,
        "C",
        by,
        why=f"put right after {record_of(original.id)}",
        cause=f"the stock of {original.reference} had moved by {by} when it was adjusted",
        session_id=session_id,
    )


def follow(
    db: Session,
    original: Activity,
    letter: str,
    difference: Decimal,
    *,
    why: str,
    cause: str,
    session_id: int | None,
) -> Activity | None:
    """Another adjustment of the same item, by what it is to `original` ("C", "U"); None: there is one already."""
    record_id = f"{original.id}{letter}"
    known = newest_of_record(
        db,
        company_id=original.company_id,
        store_id=original.store_id,
        kind=ADJUST_STOCK,
        record_id=record_id,
    )
    if known is not None:
        return None
    content = decode_adjustment(original.payload)
    return order_adjustment(
        db,
        company_id=original.company_id,
        store_id=original.store_id,
        adjustment=StockAdjustment(
            list_id=content.list_id,
            sku=content.sku,
            difference=difference,
            location=content.location,
            why=why,
        ),
        cause=cause,
        record_id=record_id,
        session_id=session_id,
    )


def count(db: Session, activity: Activity, *, counts: bool) -> None:
    """An adjustment that a person cancels is not promised to anybody any more; one that is let go again is."""
    if activity.kind != ADJUST_STOCK:
        return
    reopen(db, activity.store_id, [record_of(activity.id)])
    db.execute(
        update(OrderTaking)
        .where(OrderTaking.store_id == activity.store_id, OrderTaking.record == record_of(activity.id))
        .values(booked=not counts)
        .execution_options(synchronize_session=False)
    )
