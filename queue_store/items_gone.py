"""Products whose item was deleted in QuickBooks: a person is told, since their quantity stands still from now on.

Those that we made are seen to by `products.when_gone`.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import CatalogueItem, Company, OperatorTask, ShopProduct, Store
from queue_store.shop_products import pieces
from queue_store.tasks import close_tasks, raise_task

ITEM_GONE = "item gone"


def tell_of_gone(db: Session, company: Company, list_ids: Collection[str]) -> None:
    """Open a task for each product of these items that are deleted; close those of items that are back."""
    told = select(OperatorTask.id).where(
        OperatorTask.company_id == company.id, OperatorTask.kind == ITEM_GONE, OperatorTask.open
    )
    any_told = db.scalars(told.limit(1)).first() is not None
    item = CatalogueItem
    for some in pieces(sorted(list_ids)):
        query = (
            select(
                ShopProduct.product_id, ShopProduct.sku, ShopProduct.name, ShopProduct.retired, item.deleted
            )
            .add_columns(Store.id.label("store_id"), Store.name.label("store"))
            .join(Store, Store.id == ShopProduct.store_id)
            .join(item, (item.company_id == ShopProduct.company_id) & (item.list_id == ShopProduct.list_id))
            .where(ShopProduct.company_id == company.id, ShopProduct.list_id.in_(some), ~ShopProduct.gone)
        )
        # Only where somebody was told may there be something to take back.
        rows = db.execute(query if any_told else query.where(item.deleted)).all()
        back = [f"{row.store_id}:{row.product_id}" for row in rows if not row.deleted]
        if back:
            close_tasks(db, company.id, ITEM_GONE, subjects=back)
        for row in rows:
            if row.deleted and not row.retired:
                raise_task(
                    db,
                    company_id=company.id,
                    kind=ITEM_GONE,
                    subject=f"{row.store_id}:{row.product_id}",
                    sentence=f"Product {row.product_id} {row.sku or repr(row.name)} of store {row.store}: its item was "
                    "deleted in QuickBooks, so its quantity and price in the shop stand still. Take it out of the shop, "
                    f"or map it to another item: qbwoo mapping set product {row.product_id} --store {row.store} -- LISTID",
                )
