"""Those who keep the shop's goods: what they do on its admin pages while nobody calls its API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ops_sandbox.shop import load, products
from ops_sandbox.shop.checkout import find_by_key
from ops_sandbox.shop.product_view import product_body
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.stock import stock_keeper
from ops_sandbox.shop.wire import Doc, money


class Shopkeeper:
    """Products entered, changed, trashed and deleted at the moment that the shop's clock shows.

    A product is named by its SKU in any case, or by its id; variations too. Each deed queues the webhooks
    that it would on a real shop, and gives the product's REST body. Raises `NoSuchRecord`, and `RestError`
    for what the shop refuses, such as a SKU that is taken.
    """

    def __init__(self, site: Site) -> None:
        self.site = site

    @property
    def home_url(self) -> str:
        """Where the shop believes it is; OAuth requests are signed over it."""
        return self.site.home_url

    # Goods

    def add_product(
        self,
        name: str,
        *,
        sku: str = "",
        price: Decimal | str = "",
        stock: int | None = None,
        **fields: object,
    ) -> Doc:
        """Enter a product, published; `stock` None leaves its stock unmanaged.

        Further fields go by their REST names: `status="draft"`, `sale_price="5.00"`, `backorders="notify"`.
        """
        body = _goods(sku, price, stock) | {"name": name, **fields}
        with self.site.store.transaction():
            return self._body(products.create_product(self.site, body))

    def add_variable_product(
        self,
        name: str,
        options: Mapping[str, Sequence[str]],
        variations: Sequence[Mapping[str, object]],
        *,
        sku: str = "",
        **fields: object,
    ) -> Doc:
        """Enter a product with variations. `options` are the values of each attribute: {"Size": ["S", "M"]}.

        A variation is {"sku", "price", "stock", "options": {"Size": "S"}} and further fields by their REST
        names. Gives the parent's body; its "variations" are their ids, in this order.
        """
        attributes = [
            {"name": key, "options": list(values), "visible": True, "variation": True}
            for key, values in options.items()
        ]
        body: Doc = {"name": name, "type": "variable", "sku": sku, "attributes": attributes, **fields}
        with self.site.store.transaction():
            parent = products.create_product(self.site, body)
            for given in variations:
                rest = dict(given)
                chosen: Mapping[str, str] = rest.pop("options", {})  # type: ignore[assignment]
                goods = _goods(rest.pop("sku", ""), rest.pop("price", ""), rest.pop("stock", None))
                picked = [{"name": key, "option": value} for key, value in chosen.items()]
                products.create_variation(self.site, parent, goods | {"attributes": picked, **rest})
            return self._body(self.site.table("products")[parent["id"]])

    def edit_product(self, key: str | int, **fields: object) -> Doc:
        """Save a product's or variation's page with these fields changed, by their REST names.

        `edit_product("TEA-50", regular_price="8.00", stock_quantity=3, name="Tea", sku="TEA-51")`. Moves
        the date, a variation's the parent's too, and queues product.updated, also when nothing differs.
        """
        with self.site.store.transaction():
            product = find_by_key(self.site, key)
            update = products.update_variation if product["type"] == "variation" else products.update_product
            return self._body(update(self.site, product, fields))

    def trash_product(self, key: str | int) -> Doc:
        """To the trash on the admin page: product.deleted alone."""
        with self.site.store.transaction():
            product = find_by_key(self.site, key)
            products.trash_product(self.site, product, by_rest=False)
            return self._body(product)

    def untrash_product(self, product_id: int) -> None:
        """Out of the trash by the admin page's Restore link."""
        with self.site.store.transaction():
            products.untrash_product(self.site, products.find_product(self.site, product_id))

    def delete_product(self, key: str | int) -> None:
        """Delete a product or a variation for good: fires nothing."""
        with self.site.store.transaction():
            products.erase_product(self.site, find_by_key(self.site, key))

    def set_stock(self, key: str | int, quantity: int) -> None:
        """Another plugin sets the stock: product.updated."""
        with self.site.store.transaction():
            products.set_stock_by_plugin(self.site, find_by_key(self.site, key), quantity)

    def write_stock_to_database(self, key: str | int, quantity: int) -> None:
        """An importer writes past WooCommerce: no webhook, no newer date, but REST shows the number."""
        with self.site.store.transaction():
            product = find_by_key(self.site, key)
            product["stock_quantity"] = quantity
            self.site.store.save("products", product)

    # Reading

    def stock(self, key: str | int) -> int | None:
        """The number of pieces that counts for a product, its parent's where that keeps it; None unmanaged."""
        with self.site.store.transaction():
            keeper = stock_keeper(self.site, find_by_key(self.site, key))
            return None if keeper is None else int(keeper["stock_quantity"] or 0)

    def stocks(self) -> dict[str, int]:
        """Pieces by SKU of everything that has a SKU and manages its own stock, trash left out."""
        with self.site.store.transaction():
            return {
                p["sku"]: int(p["stock_quantity"] or 0)
                for p in self.site.table("products").values()
                if p["sku"] and p["manage_stock"] and p["status"] != "trash"
            }

    def products(self) -> list[Doc]:
        """All products' bodies by id, variations among them."""
        with self.site.store.transaction():
            table = self.site.table("products")
            return [product_body(self.site, table[key], self.home_url) for key in sorted(table)]

    def product_by_sku(self, sku: str) -> Doc:
        """A product's or variation's body."""
        with self.site.store.transaction():
            return self._body(find_by_key(self.site, sku))

    # Load

    def add_products(self, count: int, *, prefix: str = "LOAD", stock: int = 1_000_000) -> list[str]:
        """`count` published products with managed stock. Gives their SKUs."""
        with self.site.store.transaction():
            return load.add_products(self.site, count, prefix, stock)

    def add_customers(self, count: int, *, domain: str = "load.example") -> list[int]:
        """`count` registered customers in San Francisco. Gives their ids."""
        with self.site.store.transaction():
            return load.add_customers(self.site, count, domain)

    def _body(self, product: Doc) -> Doc:
        return product_body(self.site, product, self.home_url)


def _goods(sku: object, price: object, stock: object) -> Doc:
    """What a new product or variation is given; a price in any number of decimals."""
    text = money(price) if isinstance(price, Decimal) else str(price)
    goods: Doc = {"sku": sku, "regular_price": text}
    return goods if stock is None else goods | {"manage_stock": True, "stock_quantity": stock}
