"""The wish that the shops' products be held against QuickBooks' items again: one activity for each product."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.companies import list_stores, live_kinds
from queue_store.models import Company, ShopProduct
from queue_store.payloads import Payload, encode
from queue_store.shop_wishes import AT_ONCE, Wish, ask_shop_many

#: What a store must be live for to show anything of QuickBooks' items.
SHOWN_KINDS = frozenset({"stock", "prices"})
SYNC_PRODUCT = "sync_product"


class ProductWish(Payload, frozen=True, kw_only=True):
    """A product or variation whose stock and prices are to be looked at."""

    product_id: int
    #: 0: no variation.
    parent_id: int = 0


def items_changed(
    db: Session, company: Company, list_ids: Collection[str], *, cause: str = "its item changed in QuickBooks"
) -> int:
    """Ask for the products of these items, in every store that shows them; gives how many.

    A few statements for each 500 items, however many of them have products.
    """
    stores = {store.id for store in list_stores(db, company.id) if live_kinds(store) & SHOWN_KINDS}
    asked = 0
    ids = iter(sorted(list_ids) if stores else ())
    while some := list(islice(ids, AT_ONCE)):
        rows = db.execute(
            select(ShopProduct.store_id, ShopProduct.product_id, ShopProduct.parent_id, ShopProduct.sku)
            .where(
                ShopProduct.company_id == company.id,
                ShopProduct.list_id.in_(some),
                ShopProduct.store_id.in_(stores),
                ~ShopProduct.gone,
            )
            .order_by(ShopProduct.store_id, ShopProduct.product_id)
        )
        wishes = [
            Wish(
                store_id=row.store_id,
                record_id=str(row.product_id),
                payload=encode(ProductWish(product_id=row.product_id, parent_id=row.parent_id)),
                reference=row.sku,
            )
            for row in rows
        ]
        ask_shop_many(db, company_id=company.id, kind=SYNC_PRODUCT, wishes=wishes, cause=cause)
        asked += len(wishes)
    return asked
