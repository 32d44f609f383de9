"""What each product of a shop should show, and what would have to be written for it.

Reads everything that decides: QuickBooks' item as last read, what is promised,
the settings. The sums are `queue_store.levels`' and `queue_store.prices`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.allocation import Promised, promised_of
from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.levels import LevelRules, allocation, basis, locations_of, shop_quantity
from queue_store.models import CatalogueItem, Company, ShopProduct, Store
from queue_store.models import Mapping as MappingRow
from queue_store.prices import PriceRules, price_rules, shop_prices
from queue_store.product_payloads import BookItem, ShopChange, ShopItem, decode_book_item, decode_shop_item
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.shop_products import pieces

#: Types whose stock, and whose prices, are never a product's own.
_WITHOUT_STOCK = frozenset(("grouped", "external"))
_WITHOUT_PRICE = frozenset(("grouped", "variable"))
LOCATION = "location"
_NONE: Mapping[str, Decimal] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a product should show; None: left as it is."""

    manage_stock: bool | None = None
    quantity: int | None = None
    regular_price: Decimal | None = None
    sale_price: Decimal | None = None
    ends_sale: bool = False
    #: What could not be done, in a sentence.
    remark: str = ""


_NONE_LEFT = Wanted(manage_stock=True, quantity=0)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What flows to a store, and how."""

    stock: bool
    prices: bool
    levels: LevelRules
    price: PriceRules
    locations: tuple[str, ...]
    available: bool
    #: True: a product of ours whose item is gone shows no stock.
    ends_gone: bool

    @classmethod
    def of(cls, live: Collection[str], settings: Settings, company: Settings) -> _Rules:
        return cls(
            stock="stock" in live,
            prices="prices" in live and settings["prices.ruled_by"] == "quickbooks",
            levels=LevelRules(settings["stock.share"], settings["stock.buffer"], settings["stock.threshold"]),
            price=price_rules(settings, company),
            locations=company["stock.stores"],
            available=company["stock.basis"] == "available",
            ends_gone=settings["products.when_gone"] == "out_of_stock",
        )


@dataclass(frozen=True, slots=True)
class Reckoned:
    """How what a product should show comes about."""

    wanted: Wanted
    #: QuickBooks' item as last read, and the company's turn in which it was asked for; None: it has it no more.
    item: BookItem | None
    asked_turn: int
    #: Pieces of the chosen locations; None: QuickBooks tells nothing of them, or stock was not asked for.
    there: Decimal | None
    #: Pieces that are promised, and that the books still show as there.
    allocation: Decimal
    sides: Promised
    #: The basis is "available".
    holds_orders: bool


def wanted_of(
    db: Session,
    company: Company,
    store: Store,
    rows: Iterable[ShopProduct],
    *,
    as_if_live: Collection[str] = (),
) -> dict[int, Wanted]:
    """What those of `rows` should show that are matched and free to be written; by product id.

    `as_if_live`: kinds that count as live, for a look ahead.
    """
    open_rows = [row for row in rows if is_open(row)]
    found = reckon(db, company, store, open_rows, as_if_live=as_if_live)
    return {number: reckoned.wanted for number, reckoned in found.items()}


def reckon(
    db: Session,
    company: Company,
    store: Store,
    rows: Iterable[ShopProduct],
    *,
    as_if_live: Collection[str] = (),
    also_promised: Mapping[str, Decimal] = _NONE,
) -> dict[int, Reckoned]:
    """What those of `rows` should show that are an item of QuickBooks, and how that comes about; by product id.

    `also_promised`: pieces by ListID that are promised beside what is known here.
    """
    live = live_kinds(store) | set(as_if_live)
    rules = _Rules.of(live, store_settings(db, store), company_settings(db, company))
    if not (rules.stock or rules.prices):
        return {}
    rows = [row for row in rows if row.list_id is not None]
    list_ids = {str(row.list_id) for row in rows}
    items = _book_items(db, company.id, list_ids)
    promised = promised_of(db, company.id, list_ids) if rules.stock else {}
    overrides = overrides_of(db, store) if rules.stock else {}
    reckoned: dict[int, Reckoned] = {}
    for row in rows:
        known = items.get(str(row.list_id))
        is_ended = rules.stock and rules.ends_gone and row.retired
        if known is None:
            if is_ended:
                reckoned[row.product_id] = Reckoned(
                    _NONE_LEFT, None, 0, None, Decimal(0), Promised(), holds_orders=rules.available
                )
            continue
        item, asked_turn = known
        shown = decode_shop_item(row.content)
        sides = promised.get(item.list_id) or Promised()
        found, there, taken = Wanted(), None, Decimal(0)
        if rules.stock:
            locations = locations_of(rules.locations, overrides, fold(row.matched_sku or row.sku))
            there = basis(item, locations, available=rules.available)
            taken = allocation(sides.takings, sides.moves, asked_turn, holds_orders=rules.available)
            taken += also_promised.get(item.list_id, Decimal(0))
            free = None if there is None else there - taken
            found = _NONE_LEFT if is_ended else _stock(shown, item, free, rules.levels)
        if rules.prices and shown.type not in _WITHOUT_PRICE:
            made = shop_prices(item, rules.price)
            found = Wanted(
                found.manage_stock, found.quantity, made.regular, made.sale, made.ends_sale, made.remark
            )
        reckoned[row.product_id] = Reckoned(
            found, item, asked_turn, there, taken, sides, holds_orders=rules.available
        )
    return reckoned


def is_open(row: ShopProduct) -> bool:
    """True if it may be written at all: matched, in the shop, and not held by a person."""
    return row.list_id is not None and not row.gone and not row.held and row.status != "trash"


def change_of(item: ShopItem, wanted: Wanted) -> ShopChange:
    """What must be written for `item` to show what is wanted; nothing that already stands there."""
    manage = wanted.manage_stock
    if manage is not None and (item.manage_stock == "yes") == manage:
        manage = None
    quantity = wanted.quantity
    if quantity is not None and manage is None and item.quantity == quantity:
        quantity = None
    regular = wanted.regular_price
    if regular is not None and item.regular_price == regular:
        regular = None
    sale, ends = wanted.sale_price, wanted.ends_sale
    if item.is_dated_sale:
        # A person planned it.
        sale, ends = None, False
    if sale is not None and item.sale_price == sale:
        sale = None
    if ends and item.sale_price is None:
        ends = False
    return ShopChange(
        manage_stock=manage, quantity=quantity, regular_price=regular, sale_price=sale, ends_sale=ends
    )


def with_quantity(item: ShopItem, quantity: Decimal | None) -> ShopItem:
    """The same product, as if it showed another quantity."""
    return msgspec.structs.replace(item, quantity=quantity)


def _stock(shown: ShopItem, item: BookItem, free: Decimal | None, rules: LevelRules) -> Wanted:
    if shown.type in _WITHOUT_STOCK or shown.manage_stock == "parent":
        return Wanted()
    if not item.keeps_stock:
        return Wanted(manage_stock=False)
    if shown.type == "variable" and shown.manage_stock != "yes":
        # Its variations have the stock.
        return Wanted()
    if free is None:
        return Wanted()
    owed = shown.backorders in ("notify", "yes")
    return Wanted(manage_stock=True, quantity=shop_quantity(free, rules, may_be_negative=owed))


def _book_items(db: Session, company_id: int, list_ids: Iterable[str]) -> dict[str, tuple[BookItem, int]]:
    found: dict[str, tuple[BookItem, int]] = {}
    for some in pieces(sorted(list_ids)):
        rows = db.execute(
            select(CatalogueItem.list_id, CatalogueItem.content, CatalogueItem.asked_turn).where(
                CatalogueItem.company_id == company_id,
                CatalogueItem.list_id.in_(some),
                ~CatalogueItem.deleted,
            )
        )
        found.update({row.list_id: (decode_book_item(row.content), row.asked_turn) for row in rows})
    return found


def overrides_of(db: Session, store: Store) -> dict[str, tuple[str, ...]]:
    """Locations of single SKUs, as a person mapped them: "1+2"; a store's own go before those for all stores."""
    rows = db.execute(
        select(MappingRow.store_id, MappingRow.key, MappingRow.list_id).where(
            MappingRow.company_id == store.company_id,
            MappingRow.kind == LOCATION,
            MappingRow.store_id.in_((0, store.id)),
        )
    )
    found = sorted((row.store_id, row.key, row.list_id) for row in rows)
    return {key: tuple(value.split("+")) for _store_id, key, value in found}
