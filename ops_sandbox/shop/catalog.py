"""Look-ups into the products, so that a shop of many thousand answers as fast as one of a few."""

from __future__ import annotations

from ops_sandbox.shop.wire import Doc


class Catalog:
    """Products by SKU and variations by parent. The store tells of each product that it keeps or forgets.

    A product in the trash has no claim on its SKU (from WooCommerce's source).
    """

    def __init__(self) -> None:
        self._by_sku: dict[str, dict[int, Doc]] = {}
        self._children: dict[int, dict[int, Doc]] = {}
        self._entered: dict[int, tuple[str, int]] = {}

    def put(self, product: Doc) -> None:
        """Enter a product as it is now."""
        number: int = product["id"]
        sku = "" if product["status"] == "trash" else product["sku"].lower()
        entry = (sku, product["parent_id"] if product["type"] == "variation" else 0)
        if self._entered.get(number) != entry:
            self.drop(number)
            self._entered[number] = entry
        if entry[0]:
            self._by_sku.setdefault(entry[0], {})[number] = product
        if entry[1]:
            self._children.setdefault(entry[1], {})[number] = product

    def drop(self, number: int) -> None:
        """Forget a product."""
        sku, parent = self._entered.pop(number, ("", 0))
        self._by_sku.get(sku, {}).pop(number, None)
        self._children.get(parent, {}).pop(number, None)

    def by_sku(self, sku: str) -> Doc | None:
        """The product or variation of a SKU in any case; the oldest, where an import left two."""
        rows = self._by_sku.get(sku.lower(), {})
        return rows[min(rows)] if rows else None

    def all_by_sku(self, skus: set[str]) -> list[Doc]:
        """All products and variations of these SKUs, given in lower case."""
        return [product for sku in skus for product in self._by_sku.get(sku, {}).values()]

    def children(self, parent_id: int) -> list[Doc]:
        """The variations of a product, by id."""
        rows = self._children.get(parent_id, {})
        return [rows[number] for number in sorted(rows)]
