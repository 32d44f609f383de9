"""Products as both sides know them: an item of QuickBooks as it was read, a product of the shop as it stands there.

Neither is QuickBooks' XML nor WooCommerce's JSON: what is here, every flavour
and every kind of shop can tell, or leaves empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from queue_store.payloads import Payload

#: Names of price levels beside "1" to "5".
WEB_PRICE, LIST_PRICE = "web", "msrp"


class BookItem(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An item of QuickBooks as last read. Texts are QuickBooks' own, trimmed; "" where it has none."""

    list_id: str
    item_number: str = ""
    alu: str = ""
    upc: str = ""
    name: str = ""
    description: str = ""
    web_description: str = ""
    item_type: str = ""
    #: False: of a type that has no stock (non-inventory, service ...).
    keeps_stock: bool = True
    department_list_id: str = ""
    department_code: str = ""
    vendor_list_id: str = ""
    #: QuickBooks' short name of the vendor.
    vendor_code: str = ""
    size: str = ""
    attribute: str = ""
    tax_code: str = ""
    manufacturer: str = ""
    weight: Decimal | None = None
    keywords: str = ""
    #: As typed in QuickBooks.
    web_categories: str = ""
    #: Marked for the web in QuickBooks.
    is_web: bool = False
    cost: Decimal | None = None
    #: By level: "1" to "5", "web", "msrp". A level without a price is left out.
    prices: Mapping[str, Decimal] = {}
    #: By number of the location (store, site), such as "1". Only locations that exist.
    on_hand: Mapping[str, Decimal] = {}
    #: On customers' orders, by location.
    on_order: Mapping[str, Decimal] = {}
    #: Of the whole company, where QuickBooks tells it.
    on_hand_total: Decimal | None = None
    on_order_total: Decimal | None = None


class StockAdjustment(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """So many pieces more, or fewer, of an item at one location of QuickBooks."""

    list_id: str
    #: For people.
    sku: str = ""
    #: Negative: fewer.
    difference: Decimal
    #: Number of the location (store, site), such as "1"; "": where our documents count, or the only one.
    location: str = ""
    #: Why, in a few words, for whoever reads the adjustment in QuickBooks.
    why: str = ""


class ShopAttribute(Payload, frozen=True, kw_only=True):
    """An attribute of a product, or a variation's value of one."""

    #: 0: of this product alone.
    attribute_id: int = 0
    name: str
    #: Values on a product; the one value of a variation.
    options: tuple[str, ...] = ()
    is_for_variations: bool = False


class ShopCategory(Payload, frozen=True, kw_only=True):
    category_id: int
    name: str


class ShopItem(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A product or variation of the shop as it stood at `modified_at`."""

    #: The variation's own id where it is one: the shop numbers both in one row.
    product_id: int
    #: 0: no variation.
    parent_id: int = 0
    #: "simple", "variable", "variation", "grouped", "external" or a plugin's own.
    type: str
    #: "publish", "draft", "pending", "private" or "trash".
    status: str
    name: str = ""
    sku: str = ""
    #: "yes", "no" or "parent" (a variation that shares its parent's stock).
    manage_stock: str = "no"
    #: None where the shop keeps no stock of it.
    quantity: Decimal | None = None
    stock_status: str = ""
    #: "no", "notify" or "yes".
    backorders: str = "no"
    #: None: the shop has no price.
    regular_price: Decimal | None = None
    sale_price: Decimal | None = None
    #: True: the sale price holds between dates that a person set.
    is_dated_sale: bool = False
    weight: str = ""
    tax_class: str = ""
    description: str = ""
    short_description: str = ""
    #: GTIN, UPC, EAN or ISBN.
    global_unique_id: str = ""
    virtual: bool = False
    categories: tuple[ShopCategory, ...] = ()
    attributes: tuple[ShopAttribute, ...] = ()
    variation_ids: tuple[int, ...] = ()
    #: ListID of the item that we made it for; "": made by somebody else.
    made_for: str = ""
    #: Numbers among its meta data whose key tells of a cost, by key.
    costs: Mapping[str, Decimal] = {}
    modified_at: datetime | None = None

    @property
    def called(self) -> str:
        """What a person calls it in a sentence."""
        what = "variation" if self.parent_id else "product"
        return f"{what} {self.product_id} {self.sku or self.name!r}".strip()


class ShopChange(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be written to a product of the shop; None: left as it is."""

    manage_stock: bool | None = None
    quantity: int | None = None
    regular_price: Decimal | None = None
    sale_price: Decimal | None = None
    #: True: it is to have no sale price.
    ends_sale: bool = False

    def __bool__(self) -> bool:
        return self != _NOTHING

    def of_kind(self, kind: str) -> ShopChange:
        """Its fields that go by this live kind ("stock", "prices"); "": all of them."""
        if not kind:
            return self
        return ShopChange(**{name: getattr(self, name) for name in _FIELDS[kind]})

    @property
    def moves_stock(self) -> bool:
        """True if the shop's number of pieces is written, or begins to count."""
        return self.quantity is not None or self.manage_stock is not None


class SyncProduct(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A product of the shop that is to be held against QuickBooks, and what a limit holds back of it."""

    product_id: int
    #: The live kind ("stock", "prices") whose fields alone are to be written; "": all that flow to the shop.
    only: str = ""
    #: Beyond a limit, waits for a person.
    proposed: ShopChange | None = None
    #: A person let this very change go.
    approved: ShopChange | None = None


class CreateProduct(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A product that a store lacks, of one item or of the items of one style; made of what is known by then."""

    list_id: str = ""
    style_key: str = ""
    #: ListIDs of the items that a person asked for: they are made whatever the store's rule says.
    by_hand: tuple[str, ...] = ()


class RetireProduct(Payload, frozen=True, kw_only=True):
    """A product made by us whose item is gone: it is to be no longer for sale."""

    product_id: int


_NOTHING = ShopChange()
#: Fields of a change that go by each live kind.
_FIELDS = {"stock": ("manage_stock", "quantity"), "prices": ("regular_price", "sale_price", "ends_sale")}
_book_items = msgspec.json.Decoder(BookItem)
_shop_items = msgspec.json.Decoder(ShopItem)
_syncs = msgspec.json.Decoder(SyncProduct)
_creations = msgspec.json.Decoder(CreateProduct)
_adjustments = msgspec.json.Decoder(StockAdjustment)


def decode_book_item(stored: bytes) -> BookItem:
    return _book_items.decode(stored)


def decode_shop_item(stored: bytes) -> ShopItem:
    return _shop_items.decode(stored)


def decode_sync(stored: bytes) -> SyncProduct:
    return _syncs.decode(stored)


def decode_creation(stored: bytes) -> CreateProduct:
    return _creations.decode(stored)


def decode_adjustment(payload: bytes) -> StockAdjustment:
    return _adjustments.decode(payload)
