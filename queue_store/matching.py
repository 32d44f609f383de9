"""Which item of QuickBooks a shop's product is: by SKU, once; afterwards it holds by the product's id.

One item under the SKU is the item. None is none yet; several, or several
products with the SKU in one shop, are told and never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from queue_store.catalogue import KnownItem, fold, items_by_keys, mappings_of
from queue_store.models import CatalogueItem, Company, OrderTaking, ShopProduct, Store, table_of
from queue_store.product_payloads import decode_shop_item
from queue_store.settings import company_settings
from queue_store.shop_products import AT_ONCE, keeps_products, pieces, products_of

#: `ShopProduct.matched_by`: by the SKU that it bears; made by us for that very item.
BY_SKU, ADDED = "sku", "added"

_TAKING = table_of(OrderTaking)
_LEARN_ITEM = (
    update(_TAKING)
    .where(
        _TAKING.c.store_id == bindparam("_store_id"),
        _TAKING.c.product_id == bindparam("_product_id"),
        _TAKING.c.list_id.is_(None),
    )
    .values(list_id=bindparam("_list_id"))
)


def match_products(db: Session, store: Store, product_ids: Collection[int]) -> list[int]:
    """Match those of these products that are not matched yet.

    Gives the ids of those that are matched now; their takings know their item
    too. What cannot be told says why in `match_problem`.
    """
    matched: list[int] = []
    for some in pieces(sorted(product_ids)):
        matched += _match(db, store, _unmatched(products_of(db, store.id, some).values()))
    return matched


def match_store(db: Session, store: Store, *, after_id: int = 0) -> tuple[list[int], int | None]:
    """The same for a piece of all of the store's products; the product id to go on after too, None at the end."""
    rows = db.scalars(
        select(ShopProduct)
        .where(
            ShopProduct.store_id == store.id,
            ShopProduct.list_id.is_(None),
            ~ShopProduct.gone,
            ShopProduct.product_id > after_id,
        )
        .order_by(ShopProduct.product_id)
        .limit(AT_ONCE)
    ).all()
    return _match(db, store, _unmatched(rows)), rows[-1].product_id if len(rows) == AT_ONCE else None


def match_items(db: Session, company: Company, list_ids: Collection[str]) -> dict[int, list[int]]:
    """After these items were read: match the products of all shops that bear one of their keys; ids by store."""
    fields = company_settings(db, company)["items.keys"]
    item = CatalogueItem
    columns = {"ALU": item.alu_key, "UPC": item.upc_key, "ITEMNUMBER": item.item_number}
    keys: set[str] = set()
    for some in pieces(sorted(list_ids)):
        rows = db.execute(
            select(*(columns[name] for name in fields)).where(
                item.company_id == company.id, item.list_id.in_(some)
            )
        )
        keys.update(fold(key) for row in rows for key in row if key)
    stores = {
        store.id: store
        for store in db.scalars(select(Store).where(Store.company_id == company.id))
        if keeps_products(store)
    }
    by_store: dict[int, list[ShopProduct]] = defaultdict(list)
    for some in pieces(sorted(keys)):
        unmatched = select(ShopProduct).where(
            ShopProduct.store_id.in_(stores),
            ShopProduct.sku_key.in_(some),
            ShopProduct.list_id.is_(None),
            ~ShopProduct.gone,
        )
        for row in db.scalars(unmatched):
            by_store[row.store_id].append(row)
    found = {number: _match(db, stores[number], _unmatched(rows)) for number, rows in by_store.items()}
    return {number: matched for number, matched in found.items() if matched}


def bind_product(db: Session, row: ShopProduct, list_id: str, matched_by: str) -> None:
    """From now on the product is this item, whatever becomes of its SKU; its orders' takings follow."""
    bind_products(db, row.store_id, [(row, list_id, matched_by)])


def bind_products(db: Session, store_id: int, bound: Sequence[tuple[ShopProduct, str, str]]) -> None:
    """The same for many of one store: each row with its ListID and with what it was matched by."""
    for row, list_id, matched_by in bound:
        row.list_id, row.matched_by, row.matched_sku, row.match_problem = list_id, matched_by, row.sku, ""
    db.flush()
    list_ids = {row.product_id: list_id for row, list_id, _ in bound}
    # Where many are matched, most have no order that took of them before they were known.
    with_takings: set[int] = set()
    for some in pieces(sorted(list_ids)):
        with_takings.update(
            db.scalars(
                select(OrderTaking.product_id).where(
                    OrderTaking.store_id == store_id,
                    OrderTaking.product_id.in_(some),
                    OrderTaking.list_id.is_(None),
                )
            )
        )
    if with_takings:
        db.connection().execute(
            _LEARN_ITEM,
            [
                {"_store_id": store_id, "_product_id": number, "_list_id": list_ids[number]}
                for number in sorted(with_takings)
            ],
        )


def items_of_skus(db: Session, store: Store, skus: Iterable[str]) -> dict[str, list[KnownItem]]:
    """The items that each SKU may mean, by folded SKU; a person's mapping, or an earlier match, comes first."""
    keys = {fold(sku) for sku in skus} - {""}
    company = db.get_one(Company, store.company_id)
    fields = company_settings(db, company)["items.keys"]
    found: dict[str, list[KnownItem]] = {}
    for some in pieces(sorted(keys)):
        mapped = mappings_of(db, company.id, {("item", key) for key in some})
        by_key: dict[tuple[str, str], list[KnownItem]] = defaultdict(list)
        for item in items_by_keys(db, company.id, some, fields):
            for name in fields:
                by_key[name, _key(item, name)].append(item)
        for key in some:
            list_id = mapped.get((store.id, "item", key)) or mapped.get((0, "item", key))
            if list_id is not None:
                found[key] = [KnownItem(list_id, "", "", "", "", "")]
                continue
            # The first of the fields that knows the key decides, as for the lines of orders.
            for name in fields:
                hits = by_key.get((name, key))
                if hits:
                    found[key] = sorted(hits, key=lambda item: item.list_id)
                    break
    return found


def _key(item: KnownItem, field: str) -> str:
    if field == "ALU":
        return item.alu_key
    return item.upc_key if field == "UPC" else fold(item.item_number)


def _unmatched(rows: Iterable[ShopProduct]) -> list[ShopProduct]:
    return [row for row in rows if row.list_id is None and not row.gone and row.status != "trash"]


def _match(db: Session, store: Store, rows: list[ShopProduct]) -> list[int]:
    wanted = [row for row in rows if row.sku_key]
    if not wanted:
        return []
    items = items_of_skus(db, store, {row.sku_key for row in wanted})
    bearers = bearers_of(db, store, {row.sku_key for row in wanted})
    bound: list[tuple[ShopProduct, str, str]] = []
    for row in wanted:
        same = bearers[row.sku_key]
        if row.product_id not in same:
            # A variation without a SKU of its own shows its parent's.
            continue
        hits = items.get(row.sku_key, [])
        if len(same) > 1:
            names = ", ".join(map(str, sorted(same)))
            row.match_problem = (
                f"Products {names} of store {store.name} bear one SKU, {row.sku!r}: which of them is QuickBooks' "
                "item cannot be told. Give each its own SKU in the shop."
            )
        elif len(hits) > 1:
            names = ", ".join(f"{item.item_number} {item.name!r}".strip() for item in hits)
            row.match_problem = (
                f"SKU {row.sku!r} of product {row.product_id} is a key of several items in QuickBooks: {names}. "
                f"Give it to one of them alone, or run: qbwoo mapping set item {row.sku} LIST_ID"
            )
        elif hits:
            ours = decode_shop_item(row.content).made_for == hits[0].list_id
            bound.append((row, hits[0].list_id, ADDED if ours else BY_SKU))
        else:
            row.match_problem = ""
    bind_products(db, store.id, bound)
    return [row.product_id for row, _, _ in bound]


def bearers_of(db: Session, store: Store, keys: Collection[str]) -> dict[str, set[int]]:
    """Who bears each SKU in a shop, without variations that show their parent's."""
    rows: list[Any] = []
    for some in pieces(sorted(keys)):
        rows += db.execute(
            select(ShopProduct.product_id, ShopProduct.parent_id, ShopProduct.sku_key).where(
                ShopProduct.store_id == store.id,
                ShopProduct.sku_key.in_(some),
                ~ShopProduct.gone,
                ShopProduct.status != "trash",
            )
        ).all()
    everyone: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        everyone[row.sku_key].add(row.product_id)
    bearers: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.parent_id not in everyone[row.sku_key]:
            bearers[row.sku_key].add(row.product_id)
    return bearers
