"""Many mappings at once, as files carry them: read in pieces, and written in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.companies import list_stores
from queue_store.errors import BadSetting, NotFound, StoreError
from queue_store.ids import new_id
from queue_store.mappings import KINDS, check_value, stored_key
from queue_store.models import Company, Mapping, ShopProduct
from queue_store.operations import audit
from queue_store.product_mappings import (
    BY_SKU_KINDS,
    OPERATOR,
    PRODUCT,
    known_product,
    set_product,
    skus_mapped_anew,
)
from queue_store.shop_products import AT_ONCE, pieces


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One mapping as a file has it."""

    #: Name of the store; "": for all of the company.
    store: str
    key: str
    value: str
    #: For people; not read.
    label: str = ""
    source: str = ""


def export_lines(db: Session, company: Company, kind: str) -> Iterator[MappingLine]:
    """All mappings of a kind, in pieces."""
    names = {store.id: store.name for store in list_stores(db, company.id)}
    if kind == PRODUCT:
        yield from _products(db, company, names)
        return
    after = 0
    while True:
        rows = db.execute(
            select(Mapping.id, Mapping.store_id, Mapping.key, Mapping.list_id, Mapping.label, Mapping.source)
            .where(Mapping.company_id == company.id, Mapping.kind == kind, Mapping.id > after)
            .order_by(Mapping.id)
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            yield MappingLine(names.get(row.store_id, ""), row.key, row.list_id, row.label, row.source)
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].id


def _products(db: Session, company: Company, names: dict[int, str]) -> Iterator[MappingLine]:
    columns = (
        ShopProduct.product_id,
        ShopProduct.list_id,
        ShopProduct.sku,
        ShopProduct.name,
        ShopProduct.matched_by,
    )
    for store_id, name in sorted(names.items()):
        after = 0
        while True:
            rows = db.execute(
                select(*columns)
                .where(
                    ShopProduct.store_id == store_id,
                    ShopProduct.list_id.is_not(None),
                    ~ShopProduct.gone,
                    ShopProduct.product_id > after,
                )
                .order_by(ShopProduct.product_id)
                .limit(AT_ONCE)
            ).all()
            for row in rows:
                label = " ".join(filter(None, (row.sku, row.name)))
                yield MappingLine(name, str(row.product_id), str(row.list_id), label, row.matched_by)
            if len(rows) < AT_ONCE:
                break
            after = rows[-1].product_id


class MappingImport:
    """Checks, and then writes, the lines of one kind for one company."""

    def __init__(self, db: Session, company: Company, kind: str) -> None:
        if kind not in KINDS:
            raise BadSetting("kind", f"{kind!r} is not known. Known are: {', '.join(KINDS)}.")
        self._db, self._company, self._kind = db, company, kind
        self._stores = {store.name: store for store in list_stores(db, company.id)}

    def check(self, lines: Sequence[MappingLine]) -> list[str]:
        """What is wrong with each of these, in a sentence; "" for one that can be written. Writes nothing."""
        return [self._problem(line) for line in lines]

    def identity(self, line: MappingLine) -> tuple[str, str]:
        """What two lines have in common that say something of one record."""
        return (line.store, stored_key(self._kind, line.key))

    def write(self, lines: Sequence[MappingLine], who: str) -> tuple[int, int, int]:
        """Write lines that were checked; how many are new, changed, and were so before."""
        if self._kind == PRODUCT:
            return self._write_products(lines, who)
        counts = [0, 0, 0]
        told: list[str] = []
        for some in pieces(lines):
            known = self._known(some)
            for line in some:
                store_id, key = self._place(line)
                row = known.get((store_id, key))
                if row is not None and row.list_id == line.value:
                    counts[2] += 1
                    continue
                was = "" if row is None else row.list_id
                counts[0 if row is None else 1] += 1
                if row is None:
                    row = Mapping(
                        id=new_id(), company_id=self._company.id, store_id=store_id, kind=self._kind, key=key
                    )
                    self._db.add(row)
                row.list_id, row.source, row.label = line.value, OPERATOR, line.label[:200]
                audit(self._db, self._company.id, who, f"mapping {self._kind} {key}"[:200], was, line.value)
                told.append(key)
            self._db.flush()
            self._db.expunge_all()
            if self._kind in BY_SKU_KINDS:
                skus_mapped_anew(self._db, self._company.id, self._kind, told)
            told.clear()
        return counts[0], counts[1], counts[2]

    def _write_products(self, lines: Sequence[MappingLine], who: str) -> tuple[int, int, int]:
        new = changed = same = 0
        for line in lines:
            store = self._stores[line.store]
            row = known_product(self._db, store, line.key)
            was = row.list_id
            if was == line.value:
                same += 1
                continue
            set_product(self._db, store, row, line.value, who)
            new, changed = new + (was is None), changed + (was is not None)
        self._db.flush()
        return new, changed, same

    def _problem(self, line: MappingLine) -> str:
        try:
            if line.store and line.store not in self._stores:
                raise NotFound("store", line.store, f"Company {self._company.name} has none of this name.")
            key = stored_key(self._kind, line.key)
            if not key or len(key) > 120:
                raise BadSetting("key", f"must have 1 to 120 characters: {KINDS[self._kind]}.")
            if self._kind == PRODUCT:
                if not line.store:
                    raise BadSetting("store", "a product belongs to a store: name it in the column store.")
                known_product(self._db, self._stores[line.store], line.key)
            check_value(self._db, self._company, self._kind, key, line.value)
        except StoreError as error:
            return str(error)
        return ""

    def _place(self, line: MappingLine) -> tuple[int, str]:
        store_id = self._stores[line.store].id if line.store else 0
        return store_id, stored_key(self._kind, line.key)

    def _known(self, lines: Sequence[MappingLine]) -> dict[tuple[int, str], Mapping]:
        keys = {stored_key(self._kind, line.key) for line in lines}
        rows = self._db.scalars(
            select(Mapping).where(
                Mapping.company_id == self._company.id, Mapping.kind == self._kind, Mapping.key.in_(keys)
            )
        )
        return {(row.store_id, row.key): row for row in rows}
