"""What a change of QuickBooks' items asks of the shops' products."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from queue_store.companies import list_stores, live_kinds
from queue_store.drafts import ask_drafts
from queue_store.matching import match_items
from queue_store.models import Company
from queue_store.product_sync import ask_products

#: What a store must be live for to show anything of QuickBooks' items.
SHOWN_KINDS = frozenset({"stock", "prices"})
#: What a store must be live for to be told of a change of an item at all.
FED_KINDS = SHOWN_KINDS | {"products"}


def items_changed(
    db: Session, company: Company, list_ids: Collection[str], *, cause: str = "its item changed in QuickBooks"
) -> int:
    """Match the shops' products to these items, and ask for those that show something else now, and for
    products that a store lacks; how many.

    A few statements for each 500 items, however many of them have products.
    """
    stores = list_stores(db, company.id)
    if not any(live_kinds(store) & FED_KINDS for store in stores):
        return 0
    match_items(db, company, list_ids)
    asked = ask_products(db, company.id, list_ids, cause=cause)
    return asked + sum(ask_drafts(db, company, store, list_ids, cause=cause) for store in stores)
