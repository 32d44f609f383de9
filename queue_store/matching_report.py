"""What matching by SKU can tell for certain, what is doubtful, and what is missing on either side. Nothing is guessed.

Case and blanks around a SKU tell nothing apart, neither here nor for the lines
of orders. What differs by blanks inside, by hyphens, dots, slashes or leading
zeros, or bears the same name, is shown to a person as doubtful.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from queue_store.catalogue import KnownItem, fold
from queue_store.matching import bearers_of, items_of_skus
from queue_store.models import CatalogueItem, Company, PullMark, ShopProduct, Store
from queue_store.settings import company_settings
from queue_store.shop_products import AT_ONCE

_BASE_TYPES = frozenset(("variable", "grouped"))
_NO_GOODS = frozenset(("Group", "Assembly"))


class Verdict(StrEnum):
    MATCHED = "matched"  # it was before
    CERTAIN = "certain"  # one item, one product
    DOUBTFUL = "doubtful"
    NO_ITEM = "not in QuickBooks"
    NO_PRODUCT = "not in the shop"


@dataclass(frozen=True, slots=True)
class Match:
    """One product, or one item that no product is; fields are empty where there is none."""

    verdict: Verdict
    product_id: int | None = None
    sku: str = ""
    name: str = ""
    list_id: str = ""
    item_number: str = ""
    item_name: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    list_id: str
    item_number: str
    alu: str
    name: str

    @property
    def called(self) -> str:
        return f"{self.item_number} {self.alu or self.name!r} ({self.list_id})".strip()


def is_catalogue_read(db: Session, company_id: int) -> bool:
    """True if QuickBooks' items were read to their end once."""
    mark = db.get(PullMark, (company_id, "items"))
    return mark is not None and mark.complete


def matches(db: Session, store: Store) -> Iterator[Match]:
    """All products of the store and then the items that no product is, in pieces; writes nothing.

    What is certain was not matched yet: `queue_store.matching.match_products` does it.
    """
    loose = _Loose(db, store)
    #: Items that a product will be; a number for each, since there may be very many.
    certain: set[int] = set()
    for rows in _products(db, store):
        for one in _of_products(db, store, rows, loose):
            if one.verdict is Verdict.CERTAIN:
                certain.add(hash(one.list_id))
            yield one
    yield from _doubled_items(db, store)
    yield from _without_product(db, store, certain)


def loose_key(sku: str) -> str:
    """A SKU without what people type one way or the other; "" if nothing is left."""
    bare = "".join(letter for letter in fold(sku) if letter.isalnum())
    return bare.lstrip("0") or bare[:1]


def _of_products(db: Session, store: Store, rows: Sequence[ShopProduct], loose: _Loose) -> Iterator[Match]:
    skus = {row.sku_key for row in rows if row.list_id is None and row.sku_key}
    items = items_of_skus(db, store, skus)
    bearers = bearers_of(db, store, skus)
    known = _items_by_id(db, store, {str(row.list_id) for row in rows if row.list_id is not None})
    for row in rows:
        about = {"product_id": row.product_id, "sku": row.sku, "name": row.name}
        if row.list_id is not None:
            item = known.get(row.list_id)
            yield Match(
                Verdict.MATCHED,
                **about,  # type: ignore[arg-type]
                list_id=row.list_id,
                item_number=item.item_number if item else "",
                item_name=item.name if item else "",
                why=_how(row) if item else "QuickBooks has this item no more",
            )
            continue
        hits = items.get(row.sku_key, []) if row.sku_key else []
        same = bearers.get(row.sku_key, set()) if row.sku_key else set()
        if row.sku_key and row.product_id not in same:
            continue  # A variation that shows its parent's SKU.
        if row.type in _BASE_TYPES and not hits:
            continue
        if len(same) > 1:
            names = ", ".join(map(str, sorted(same)))
            yield Match(Verdict.DOUBTFUL, **about, why=f"products {names} bear this one SKU")  # type: ignore[arg-type]
        elif len(hits) > 1:
            names = ", ".join(_called(hit) for hit in hits)
            yield Match(Verdict.DOUBTFUL, **about, why=f"it is a key of several items: {names}")  # type: ignore[arg-type]
        elif hits:
            [hit] = hits
            yield Match(
                Verdict.CERTAIN,
                **about,  # type: ignore[arg-type]
                list_id=hit.list_id,
                item_number=hit.item_number,
                item_name=hit.name,
            )
        else:
            why = loose.alike(row)
            if why:
                yield Match(Verdict.DOUBTFUL, **about, why=why)  # type: ignore[arg-type]
            else:
                why = "no item has this SKU" if row.sku_key else "it has no SKU, and no item its name"
                yield Match(Verdict.NO_ITEM, **about, why=why)  # type: ignore[arg-type]


def _how(row: ShopProduct) -> str:
    if row.matched_by == "operator":
        return "by hand"
    edited = fold(row.matched_sku) != row.sku_key
    return f"by its SKU {row.matched_sku!r} of then" if edited else "by its SKU"


def _called(hit: KnownItem) -> str:
    return f"{hit.item_number} {hit.name!r} ({hit.list_id})".strip()


class _Loose:
    """Items that are nearly what an unmatched product's SKU or name says.

    Holds what unmatched products ask for, and the few items that answer to it:
    memory grows with what is not matched, not with the catalogue.
    """

    def __init__(self, db: Session, store: Store) -> None:
        keys: set[int] = set()
        names: set[int] = set()
        for rows in _products(db, store, unmatched=True):
            # What a SKU says for certain needs no second look.
            told = items_of_skus(db, store, {row.sku_key for row in rows if row.sku_key})
            for row in rows:
                if row.sku_key in told:
                    continue
                if row.sku_key:
                    keys.add(hash(loose_key(row.sku)))
                else:
                    names.add(hash(fold(row.name)))
        self._by_key: dict[str, list[_Item]] = defaultdict(list)
        self._by_name: dict[str, list[_Item]] = defaultdict(list)
        if not keys and not names:
            return
        after = ""
        item = CatalogueItem
        while True:
            found = db.execute(
                select(item.list_id, item.item_number, item.alu_key, item.upc_key, item.name)
                .where(item.company_id == store.company_id, ~item.deleted, item.list_id > after)
                .order_by(item.list_id)
                .limit(AT_ONCE)
            ).all()
            for list_id, number, alu, upc, name in found:
                one = _Item(list_id, number, alu, name)
                for key in {loose_key(alu), loose_key(upc), loose_key(number)} - {""}:
                    if hash(key) in keys:
                        self._by_key[key].append(one)
                if name and hash(fold(name)) in names:
                    self._by_name[fold(name)].append(one)
            if len(found) < AT_ONCE:
                return
            after = found[-1].list_id

    def alike(self, row: ShopProduct) -> str:
        """What is nearly it, in words; "": nothing."""
        if row.sku_key:
            hits, what = self._by_key.get(loose_key(row.sku), []), "its SKU is nearly that of"
        else:
            hits, what = self._by_name.get(fold(row.name), []), "it has no SKU; its name is that of"
        if not hits:
            return ""
        named = ", ".join(hit.called for hit in hits[:3]) + (" and others" if len(hits) > 3 else "")
        return f"{what} {named}"


def _doubled_items(db: Session, store: Store) -> Iterator[Match]:
    """Keys that several items share: no product can be matched by them."""
    company = db.get_one(Company, store.company_id)
    item = CatalogueItem
    columns = {"ALU": item.alu_key, "UPC": item.upc_key, "ITEMNUMBER": item.item_number}
    for name in company_settings(db, company)["items.keys"]:
        column = columns[name]
        doubled = (
            select(column, func.count(), func.min(item.list_id), func.max(item.list_id))
            .where(item.company_id == company.id, column != "", ~item.deleted)
            .group_by(column)
            .having(func.count() > 1)
            .order_by(column)
        )
        for key, count, first, last in db.execute(doubled).all():
            why = f"{count} items of QuickBooks have this {name}, among them {first} and {last}"
            yield Match(Verdict.DOUBTFUL, sku=key, why=why)


def _without_product(db: Session, store: Store, certain: Collection[int]) -> Iterator[Match]:
    item = CatalogueItem
    after = ""
    while True:
        found = db.execute(
            select(item.list_id, item.item_number, item.alu_key, item.name, item.item_type, item.is_web)
            .where(item.company_id == store.company_id, ~item.deleted, item.list_id > after)
            .order_by(item.list_id)
            .limit(AT_ONCE)
        ).all()
        # Asked for beside and not within: a database that looks through the store's products for each item
        # takes a time that grows with the square of them.
        with_product = set(
            db.scalars(
                select(ShopProduct.list_id).where(
                    ShopProduct.company_id == store.company_id,
                    ShopProduct.list_id.in_([row.list_id for row in found]),
                    ShopProduct.store_id == store.id,
                    ~ShopProduct.gone,
                )
            )
        )
        for row in found:
            is_there = row.list_id in with_product or hash(row.list_id) in certain
            if not is_there and row.item_type not in _NO_GOODS:
                yield Match(
                    Verdict.NO_PRODUCT,
                    sku=row.alu_key,
                    list_id=row.list_id,
                    item_number=row.item_number,
                    item_name=row.name,
                    why="marked for the web" if row.is_web else "",
                )
        if len(found) < AT_ONCE:
            return
        after = found[-1].list_id


def _products(db: Session, store: Store, *, unmatched: bool = False) -> Iterator[Sequence[ShopProduct]]:
    after = 0
    while True:
        query = (
            select(ShopProduct)
            .where(
                ShopProduct.store_id == store.id,
                ~ShopProduct.gone,
                ShopProduct.status != "trash",
                ShopProduct.product_id > after,
            )
            .order_by(ShopProduct.product_id)
            .limit(AT_ONCE)
        )
        rows = db.scalars(query.where(ShopProduct.list_id.is_(None)) if unmatched else query).all()
        yield rows
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].product_id


def _items_by_id(db: Session, store: Store, list_ids: set[str]) -> dict[str, _Item]:
    item = CatalogueItem
    rows = db.execute(
        select(item.list_id, item.item_number, item.alu_key, item.name).where(
            item.company_id == store.company_id, item.list_id.in_(list_ids), ~item.deleted
        )
    )
    return {row.list_id: _Item(*row) for row in rows}
