"""What sizes and attributes of QuickBooks are called in a shop: as they are, unless a person mapped them.

A mapping of kind "attribute" has a key such as "size:xl" or "attribute:wine"
and the shop's word as its value; many may lead to one: Red, Rose, Wine to Red.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.catalogue import fold
from queue_store.models import CatalogueItem, Store
from queue_store.models import Mapping as MappingRow
from queue_store.product_payloads import decode_book_item
from queue_store.shop_products import AT_ONCE

ATTRIBUTE = "attribute"
SIZE_KEY, ATTRIBUTE_KEY = "size", "attribute"


class AttributeWords:
    """The shop's words by the mappings of one store; its own go before those for all stores."""

    def __init__(self, rows: Iterable[tuple[int, str, str]]) -> None:
        self._words: dict[str, str] = {}
        for _store_id, key, word in sorted(rows):
            self._words[key] = word

    @classmethod
    def of(cls, db: Session, store: Store) -> AttributeWords:
        rows = db.execute(
            select(MappingRow.store_id, MappingRow.key, MappingRow.list_id).where(
                MappingRow.company_id == store.company_id,
                MappingRow.kind == ATTRIBUTE,
                MappingRow.store_id.in_((0, store.id)),
            )
        )
        return cls((row.store_id, row.key, row.list_id) for row in rows)

    def word(self, which: str, value: str) -> str:
        """The shop's word for a size ("size") or attribute ("attribute") of QuickBooks."""
        return self._words.get(f"{which}:{fold(value)}", value)

    def knows(self, which: str, value: str) -> bool:
        """True if a person said what it is called."""
        return f"{which}:{fold(value)}" in self._words


def unknown_values(db: Session, store: Store) -> Mapping[tuple[str, str], int]:
    """Sizes and attributes of QuickBooks' items that no mapping names, and how many items have each.

    By ("size" or "attribute", the value as QuickBooks first spells it). They go
    to the shop as they are. Reads the catalogue in pieces.
    """
    words = AttributeWords.of(db, store)
    counts: Counter[tuple[str, str]] = Counter()
    spelt: dict[tuple[str, str], str] = {}
    after = ""
    while True:
        rows = db.execute(
            select(CatalogueItem.list_id, CatalogueItem.content)
            .where(
                CatalogueItem.company_id == store.company_id,
                CatalogueItem.list_id > after,
                CatalogueItem.style_key != "",
                ~CatalogueItem.deleted,
            )
            .order_by(CatalogueItem.list_id)
            .limit(AT_ONCE)
        ).all()
        for _list_id, content in rows:
            item = decode_book_item(content)
            for which, value in ((SIZE_KEY, item.size), (ATTRIBUTE_KEY, item.attribute)):
                if value and not words.knows(which, value):
                    spelt.setdefault((which, fold(value)), value)
                    counts[which, fold(value)] += 1
        if len(rows) < AT_ONCE:
            return {(which, spelt[which, key]): counts[which, key] for which, key in sorted(counts)}
        after = rows[-1].list_id
