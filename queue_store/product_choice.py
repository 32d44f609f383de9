"""Which products of a store come next, when a person has many of them gone through."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from queue_store.models import ShopProduct


def next_products(
    db: Session,
    store_id: int,
    *,
    after_id: int,
    ids: Collection[int] = (),
    since: datetime | None = None,
    limit: int,
) -> list[int]:
    """Ids of the next products that the store still has, of those named or changed since; the named ones known or not."""
    if ids:
        return [number for number in sorted(ids) if number > after_id][:limit]
    query = (
        select(ShopProduct.product_id)
        .where(
            ShopProduct.store_id == store_id,
            ShopProduct.product_id > after_id,
            ~ShopProduct.gone,
            ShopProduct.status != "trash",
        )
        .order_by(ShopProduct.product_id)
        .limit(limit)
    )
    if since is not None:
        query = query.where(or_(ShopProduct.modified_at.is_(None), ShopProduct.modified_at >= since))
    return list(db.scalars(query))
