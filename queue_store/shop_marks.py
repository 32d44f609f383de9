"""How far a shop's lists have been read, by the shop's own clock, and what of them is asked for again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import CALLED_OFF, RETURN, SALE
from queue_store.models import Activity, Mapping, OrderTaking, Store
from queue_store.states import ActivityState


def move_orders_mark(db: Session, store: Store, to: datetime) -> None:
    """Orders were read up to `to`, and are committed with this. The mark never moves back."""
    db.execute(
        update(Store)
        .where(Store.id == store.id, or_(Store.orders_read_until.is_(None), Store.orders_read_until < to))
        .values(orders_read_until=to)
        .execution_options(synchronize_session=False)
    )
    db.refresh(store, ["orders_read_until"])


class AskedOrder(NamedTuple):
    """An order of the queue that the shop is asked for again."""

    activity_id: int
    order_id: int
    modified_at: datetime | None


def orders_to_ask(
    db: Session, store: Store, *, changed_since: datetime, after_id: int, limit: int
) -> list[AskedOrder]:
    """Orders that are not in the books yet and wanted, and those changed since then; by activity id, a piece.

    Also those withdrawn ones that hold pieces of the shop's stock: an order in the
    trash does, until the shop empties that, which nothing tells of.
    """
    holds_pieces = (
        select(OrderTaking.line_id)
        .where(
            OrderTaking.store_id == store.id,
            OrderTaking.record == Activity.record_id,
            OrderTaking.quantity != 0,
            ~OrderTaking.booked,
            ~OrderTaking.closed,
        )
        .exists()
    )
    done = (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED, ActivityState.CANCELLED)
    rows = db.execute(
        select(Activity.id, Activity.record_id, Activity.modified_at)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == SALE,
            Activity.reason != CALLED_OFF,
            Activity.id > after_id,
            or_(
                and_(Activity.state.not_in(done), Activity.unwanted.is_(False)),
                and_(Activity.modified_at >= changed_since, Activity.unwanted.is_(False)),
                and_(Activity.unwanted, holds_pieces),
            ),
        )
        .order_by(Activity.id)
        .limit(limit)
    )
    return [AskedOrder(row.id, int(row.record_id), row.modified_at) for row in rows]


def refunds_known(db: Session, store: Store, order_ids: Collection[int]) -> dict[int, set[int]]:
    """Refunds that the queue has of these orders and does not know as deleted, by order."""
    newest = (
        select(Activity.record_id, func.max(Activity.generation).label("generation"))
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == RETURN,
            Activity.order_id.in_([str(one) for one in order_ids]),
            Activity.reason != CALLED_OFF,
        )
        .group_by(Activity.record_id)
        .subquery()
    )
    rows = db.execute(
        select(Activity.record_id, Activity.order_id, Activity.unwanted, Activity.reason)
        .join(
            newest,
            and_(Activity.record_id == newest.c.record_id, Activity.generation == newest.c.generation),
        )
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == RETURN,
        )
    )
    found: dict[int, set[int]] = {}
    for row in rows:
        # Cancelled with its order is not deleted.
        if not row.unwanted or row.reason == "activity":
            found.setdefault(int(row.order_id), set()).add(int(row.record_id.rpartition("-R")[2]))
    return found


def sales_with_reason(db: Session, store: Store, order_ids: Collection[int], reason: str) -> set[int]:
    """Those of these orders whose sale stands with this reason."""
    rows = db.scalars(
        select(Activity.record_id).where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == SALE,
            Activity.record_id.in_([str(one) for one in order_ids]),
            Activity.reason == reason,
        )
    )
    return {int(one) for one in rows}


def mapped_keys(db: Session, store: Store, kind: str, keys: Sequence[str]) -> dict[str, datetime]:
    """When each of these keys that QuickBooks' id is known of was mapped."""
    rows = db.execute(
        select(Mapping.key, Mapping.created_at).where(
            Mapping.company_id == store.company_id,
            Mapping.store_id.in_((0, store.id)),
            Mapping.kind == kind,
            Mapping.key.in_(keys),
        )
    )
    return {row.key: row.created_at for row in rows}


def records_with_activity(db: Session, store: Store, kind: str, record_ids: Collection[str]) -> set[str]:
    """Those of these records of which the queue has an activity of this kind."""
    rows = db.scalars(
        select(Activity.record_id).where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == kind,
            Activity.record_id.in_(record_ids),
        )
    )
    return set(rows)
