"""The categories and global attributes of a shop that products which are made go into; each asked for once in a pass."""

from __future__ import annotations

from collections.abc import Mapping

from queue_store.catalogue import fold
from queue_store.draft_rules import Draft
from woo_bridge.client import ShopClient
from woo_bridge.draft_calls import find_category, global_attributes


class ShopTerms:
    """What a shop calls categories and attributes. Its methods raise ShopError."""

    def __init__(self, client: ShopClient) -> None:
        self._client = client
        self._mapped: Mapping[str, int] = {}
        self._makes_new = False
        self._categories: dict[tuple[str, str], int | None] = {}
        self._attributes: dict[str, int] | None = None

    def rule(self, mapped: Mapping[str, int], *, makes_new: bool) -> None:
        """What a person mapped, by key such as "department:shoes" (0: no category); whether new ones are made."""
        self._mapped, self._makes_new = mapped, makes_new

    def attributes(self) -> Mapping[str, int]:
        """Ids of the global attributes by folded name."""
        if self._attributes is None:
            self._attributes = global_attributes(self._client)
        return self._attributes

    def categories_of(self, draft: Draft) -> list[int]:
        """Ids of the categories of a draft, as they are mapped, found or made."""
        found: list[int] = []
        for which, name in draft.categories:
            number = self._mapped.get(f"{which}:{fold(name)}")
            if number is None:
                number = self._find(which, name)
            if number and number not in found:
                found.append(number)
        return found

    def _find(self, which: str, name: str) -> int | None:
        if (which, name) not in self._categories:
            self._categories[which, name] = find_category(self._client, name, make=self._makes_new)
        return self._categories[which, name]
