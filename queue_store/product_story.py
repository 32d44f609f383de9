"""What happened to one product lately, and to the orders that hold it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from queue_store.models import Activity, ActivityEvent, CatalogueItem, OrderTaking, Store
from queue_store.product_sync import SYNC_PRODUCT
from queue_store.states import ActivityState

#: Ends of a look at a product; what lies between them tells nobody anything.
_ENDS = (
    ActivityState.SUCCEEDED,
    ActivityState.FAILED,
    ActivityState.HELD,
    ActivityState.CANCELLED,
    ActivityState.DELAYED,
)


def look_events(db: Session, store: Store, product_id: int, limit: int) -> Sequence[ActivityEvent]:
    """How the last looks at a product ended, newest first."""
    return db.scalars(
        select(ActivityEvent)
        .join(Activity, Activity.id == ActivityEvent.activity_id)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == SYNC_PRODUCT,
            Activity.record_id == str(product_id),
            ActivityEvent.to_state.in_(_ENDS),
        )
        .order_by(ActivityEvent.id.desc())
        .limit(limit)
    ).all()


def item_read_at(db: Session, company_id: int, list_id: str | None) -> datetime | None:
    """When an item of QuickBooks was read last."""
    return db.scalars(
        select(CatalogueItem.read_at).where(
            CatalogueItem.company_id == company_id, CatalogueItem.list_id == list_id
        )
    ).first()


def oldest_read(db: Session, company_id: int) -> datetime | None:
    """When the item that was not read for the longest time was read; None: there is none."""
    return db.scalars(
        select(CatalogueItem.read_at)
        .where(CatalogueItem.company_id == company_id, ~CatalogueItem.deleted)
        .order_by(CatalogueItem.read_at)
        .limit(1)
    ).first()


def orders_called(db: Session, store: Store, name: str) -> set[str]:
    """Records of orders that hold stock and are not said to be in the books, by number or id."""
    numbered = (
        select(Activity.record_id)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            or_(Activity.reference == name, Activity.order_id == name),
        )
        .distinct()
    )
    held = select(OrderTaking.record).where(OrderTaking.store_id == store.id, ~OrderTaking.booked)
    found = set(db.scalars(held.where(OrderTaking.record.in_(numbered)).distinct()))
    return found or set(db.scalars(held.where(OrderTaking.record == name).distinct()))
