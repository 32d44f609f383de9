"""How a pass ended for one product, where nothing was written, or not all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_store.limits import told
from queue_store.models import ShopProduct, Store
from queue_store.payloads import encode
from queue_store.product_payloads import ShopChange, ShopItem, SyncProduct
from queue_store.product_sync import LIMIT
from queue_store.showing import is_open
from queue_store.tasks import raise_task
from woo_bridge.kinds.kind import Done, Held, Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def subject_of(store: Store, product_id: int) -> str:
    """What tasks about a product are told apart by."""
    return f"{store.id}:{product_id}"


def left_alone(row: ShopProduct | None) -> Done:
    """Nothing is to be written to it, and why."""
    if row is None:
        return Done("the shop has no such product")
    if row.held:
        return Done("held by hand")
    if not is_open(row):
        return Done(row.match_problem or "it is no item of QuickBooks yet", row.match_problem)
    return Done("QuickBooks has no such item any more")


def not_taken(item: ShopItem, left: ShopChange) -> Refused:
    """It was written, answered for, and shows something else."""
    return Refused(
        f"{_named(item)} was written, and the shop shows something else: {told(item, left)} is missing. "
        "Look at it in the shop, and at plugins that change it."
    )


def held(
    db: Session, store: Store, item: ShopItem, held_back: ShopChange, activity_id: int, *, only: str = ""
) -> Held:
    """It would move beyond the limit: a person decides, and a task says so. `only`: see `SyncProduct`."""
    # What is held back beside the fields that were asked for is to go as well, once it is let go.
    kept = only if held_back.of_kind(only) == held_back else ""
    sentence = (
        f"{_named(item)} of store {store.name} would move beyond the limit: {told(item, held_back)}. "
        f"If that is right, let exactly it go: qbwoo activity release {activity_id}"
    )
    raise_task(
        db,
        company_id=store.company_id,
        kind=LIMIT,
        subject=subject_of(store, item.product_id),
        sentence=sentence,
        activity_id=activity_id,
    )
    return Held(
        LIMIT, sentence, encode(SyncProduct(product_id=item.product_id, only=kept, proposed=held_back))
    )


def _named(item: ShopItem) -> str:
    return item.called[:1].upper() + item.called[1:]
