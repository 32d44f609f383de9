"""A person's change of a quantity in the shop, on its way to QuickBooks as an adjustment."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from queue_store.activities import add_activity, newest_of_record
from queue_store.catalogue import fold
from queue_store.models import Activity, OrderTaking, ShopProduct, Store
from queue_store.payloads import encode
from queue_store.product_payloads import StockAdjustment
from queue_store.product_sync import ask_products
from queue_store.states import ActivityState

ADJUST_STOCK = "adjust_stock"


def record_of(activity_id: int) -> str:
    """The record under which an adjustment's taking and moves are kept."""
    return f"A{activity_id}"


def send_edit(db: Session, store: Store, row: ShopProduct, difference: Decimal) -> Activity:
    """Enqueue the adjustment of an edit by `difference` pieces, with its taking, in this transaction.

    The taking has the opposite sign, and is a part of the product's gross: so
    that is the agreed one again, and the edit is seen once.
    """
    assert row.list_id is not None
    record_id = str(row.product_id)
    before = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=ADJUST_STOCK, record_id=record_id
    )
    sku = row.sku or row.name
    payload = StockAdjustment(
        list_id=row.list_id,
        sku=row.sku,
        difference=difference,
        why=f"changed by {difference:+f} in store {store.name}",
    )
    activity = add_activity(
        db,
        Activity(
            company_id=store.company_id,
            store_id=store.id,
            kind=ADJUST_STOCK,
            record_id=record_id,
            generation=1 if before is None else before.generation + 1,
            state=ActivityState.PENDING,
            payload=encode(payload),
            reference=f"{sku} {difference:+f}"[:120],
        ),
        cause="a person changed the quantity in the shop",
    )
    db.add(
        OrderTaking(
            store_id=store.id,
            record=record_of(activity.id),
            line_id=0,
            company_id=store.company_id,
            product_id=row.product_id,
            sku_key=fold(row.sku)[:120],
            list_id=row.list_id,
            quantity=-difference,
            modified_at=row.modified_at or datetime.now(UTC),
        )
    )
    db.flush()
    ask_products(db, store.company_id, [row.list_id], cause="a person changed the quantity in a shop")
    return activity
