"""The shops' products as last read: kept, found again, and marked when they are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import TypeVar

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.models import ShopProduct, Store
from queue_store.payloads import encode
from queue_store.product_payloads import ShopItem, decode_shop_item
from queue_store.tasks import close_tasks, raise_task

T = TypeVar("T")

#: Live kinds for which products are kept.
KEPT_FOR = frozenset(("products", "stock", "prices"))
SKU_EDITED = "sku edited"
#: Rows or ids in one statement.
AT_ONCE = 500


class Kept(StrEnum):
    """What became of a product as it arrived."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    OLDER = "older"  # a newer state is known
    SAME_SECOND = "same second"  # another state of one second is known: read it again


def keeps_products(store: Store) -> bool:
    """True if anything that flows needs to know the store's products."""
    return bool(KEPT_FOR & live_kinds(store))


def products_of(db: Session, store_id: int, product_ids: Collection[int]) -> dict[int, ShopProduct]:
    """What is known of these products and variations of a store, by id."""
    found: dict[int, ShopProduct] = {}
    for some in pieces(sorted(product_ids)):
        rows = db.scalars(
            select(ShopProduct).where(ShopProduct.store_id == store_id, ShopProduct.product_id.in_(some))
        )
        found.update({row.product_id: row for row in rows})
    return found


def products_of_items(db: Session, company_id: int, list_ids: Collection[str]) -> list[ShopProduct]:
    """The products of all shops of the company that are one of these items, and that the shops still have."""
    found: list[ShopProduct] = []
    for some in pieces(sorted(list_ids)):
        found += db.scalars(
            select(ShopProduct)
            .where(ShopProduct.company_id == company_id, ShopProduct.list_id.in_(some), ~ShopProduct.gone)
            .order_by(ShopProduct.store_id, ShopProduct.product_id)
        )
    return found


def matched_products(
    db: Session, store_id: int, *, after_id: int = 0, limit: int = AT_ONCE
) -> Sequence[ShopProduct]:
    """A piece of a store's products that are known to be an item, by id."""
    return db.scalars(
        select(ShopProduct)
        .where(
            ShopProduct.store_id == store_id,
            ShopProduct.product_id > after_id,
            ShopProduct.list_id.is_not(None),
            ~ShopProduct.gone,
        )
        .order_by(ShopProduct.product_id)
        .limit(limit)
    ).all()


def unread_products(
    db: Session, store_id: int, *, before: datetime, after_id: int, limit: int
) -> Sequence[ShopProduct]:
    """A piece of a store's products, by id, that the shop was believed to have and that were read last before then."""
    return db.scalars(
        select(ShopProduct)
        .where(
            ShopProduct.store_id == store_id,
            ShopProduct.product_id > after_id,
            ShopProduct.read_at < before,
            ~ShopProduct.gone,
        )
        .order_by(ShopProduct.product_id)
        .limit(limit)
    ).all()


def keep_products(db: Session, store: Store, items: Sequence[ShopItem], *, read_now: bool) -> dict[int, Kept]:
    """Keep what arrived, the newest date of change first; what became of each, by id.

    `read_now`: just read from the shop, so that it is the truth among states of one second.
    """
    known = products_of(db, store.id, {item.product_id for item in items})
    kept: dict[int, Kept] = {}
    written: list[ShopProduct] = []
    for item in items:
        row = known.get(item.product_id)
        if row is None:
            row = known[item.product_id] = ShopProduct(
                store_id=store.id, product_id=item.product_id, company_id=store.company_id
            )
            _fill(row, item)
            db.add(row)
            kept[item.product_id] = Kept.NEW
            continue
        kept[item.product_id] = word = _verdict(row, item, read_now=read_now)
        if word is Kept.CHANGED:
            _fill(row, item)
        if word in (Kept.CHANGED, Kept.UNCHANGED):
            row.read_at = datetime.now(UTC)
        if word is Kept.CHANGED and row.list_id is not None:
            written.append(row)
    _see_to_skus(db, store, written)
    db.flush()
    return kept


def _verdict(row: ShopProduct, item: ShopItem, *, read_now: bool) -> Kept:
    if row.modified_at is not None and item.modified_at is not None:
        if item.modified_at < row.modified_at:
            return Kept.OLDER
        same = not row.gone and row.content == encode(item)
        if same:
            return Kept.UNCHANGED
        if item.modified_at == row.modified_at and not read_now:
            # A variation is told in two shapes; only what is written decides.
            return Kept.UNCHANGED if _is_alike(row, item) else Kept.SAME_SECOND
    return Kept.CHANGED


def _is_alike(row: ShopProduct, item: ShopItem) -> bool:
    return not row.gone and (
        row.quantity,
        row.regular_price,
        row.sale_price,
        row.status,
        row.manage_stock,
    ) == (
        item.quantity,
        item.regular_price,
        item.sale_price,
        item.status,
        item.manage_stock,
    )


def _fill(row: ShopProduct, item: ShopItem) -> None:
    row.parent_id = item.parent_id
    row.type, row.status = item.type[:32], item.status[:16]
    row.sku, row.sku_key = item.sku[:120], fold(item.sku)[:120]
    row.name = item.name[:200]
    row.manage_stock, row.quantity = item.manage_stock, item.quantity
    row.regular_price, row.sale_price = item.regular_price, item.sale_price
    row.content = encode(item)
    row.modified_at = item.modified_at
    row.gone = False


def _see_to_skus(db: Session, store: Store, rows: Sequence[ShopProduct]) -> None:
    """A SKU that was edited in the shop is reported once; stock and prices go on by the product's id."""
    as_matched: list[str] = []
    for row in rows:
        subject = f"{store.id}:{row.product_id}"
        if row.matched_by != "sku" or fold(row.matched_sku) == row.sku_key:
            as_matched.append(subject)
            continue
        raise_task(
            db,
            company_id=store.company_id,
            kind=SKU_EDITED,
            subject=subject,
            sentence=(
                f"Product {row.product_id} of store {store.name} was matched by its SKU {row.matched_sku!r} and bears "
                f"{row.sku!r} in the shop now. Its stock and prices still follow the same item of QuickBooks. "
                "Its orders look for an item with the new SKU: change it back, or give QuickBooks' item the new one."
            ),
        )
    for some in pieces(as_matched):
        close_tasks(db, store.company_id, SKU_EDITED, subjects=some)


def mark_gone(db: Session, store: Store, product_ids: Collection[int]) -> None:
    """The shop has these no more."""
    for row in products_of(db, store.id, product_ids).values():
        row.gone, row.differs_since = True, None
    db.flush()


def forget_agreement(db: Session, store_id: int, product_ids: Collection[int]) -> None:
    """A quantity of ours is about to be written to these: what both sides agreed on holds no more."""
    for some in pieces(sorted(product_ids)):
        db.execute(
            update(ShopProduct)
            .where(ShopProduct.store_id == store_id, ShopProduct.product_id.in_(some))
            .values(agreed_gross=None, doubted_gross=None)
        )


def mark_trashed(db: Session, store: Store, product_id: int) -> bool:
    """It lies in the shop's trash, as far as a webhook tells that names nothing but its id; False: not known."""
    row = db.get(ShopProduct, (store.id, product_id))
    if row is None:
        return False
    row.status, row.differs_since = "trash", None
    # The date of its trashing is not told: whatever is read next counts.
    row.content = encode(msgspec.structs.replace(decode_shop_item(row.content), status="trash"))
    db.flush()
    return True


def pieces(things: Sequence[T], size: int = AT_ONCE) -> Iterator[list[T]]:
    """`things` in lists of at most `size`."""
    rest = iter(things)
    while some := list(islice(rest, size)):
        yield some
