"""Products of a shop on their way to QuickBooks: new ones become items, and fields that the shop rules follow it.

A product that no item bears the SKU of becomes the activity `add_item`, which
QuickBooks is asked for by key before it leaves; the item is matched to the
product when it is there. A change is told by what QuickBooks has and by what
was sent last, so that what we wrote ourselves ends here.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.allocation import gross_takings
from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.departments import department_keys
from queue_store.draft_plan import catalogue_items
from queue_store.item_orders import CHANGE_ITEM, decode_item_change, order_item, order_item_change
from queue_store.models import Activity, Company, ShopProduct, Store
from queue_store.payloads import Item, ItemChange, ItemDetails
from queue_store.product_payloads import BookItem, ShopItem, decode_shop_item
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.shop_products import pieces, products_of
from queue_store.states import ActivityState

_TYPES = frozenset(("simple", "variation"))
_ON_SALE = frozenset(("publish", "private"))
_TAG = re.compile(r"<[^>]*>")
#: GTIN-8 to GTIN-14; ISBN may be typed with hyphens.
_GTIN = re.compile(r"[0-9]{8,14}")
#: Changes of one item that are looked through for what was sent last.
_MOST_CHANGES = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """What would go, or went, for one product."""

    product_id: int
    #: Set where the product becomes an item, or where one changes.
    item: Item | None = None
    change: ItemChange | None = None
    #: Why it does not go, in a sentence.
    problem: str = ""


def send_products(
    db: Session,
    store: Store,
    product_ids: Collection[int],
    *,
    cause: str,
    dry_run: bool = False,
    by_hand: bool = False,
) -> list[Sent]:
    """These products arrived: those without an item become one, and what the shop rules follows.

    A variable product brings its variations. `dry_run`: it is told, and nothing is written.
    `by_hand`: new ones become items whatever the settings say, drafts too.
    """
    sending = _Sending(db, store, by_hand=by_hand)
    if not product_ids or not sending.is_wanted:
        return []
    found = sending.look_at(product_ids)
    if not dry_run:
        for one in found:
            if one.item is not None:
                order_item(db, company_id=store.company_id, item=one.item, cause=cause)
            elif one.change is not None:
                order_item_change(db, company_id=store.company_id, change=one.change, cause=cause)
        problems = {one.product_id: one.problem for one in found if one.problem}
        for number, row in products_of(db, store.id, problems).items():
            row.match_problem = problems[number]
        db.flush()
    return found


def begin_stock(db: Session, company: Company, list_id: str) -> None:
    """An item was just made for a product: QuickBooks has none of it, whatever the shop has.

    Where a person's quantities in the shop go to QuickBooks, so do the pieces
    that the product had: both sides agree on none from the beginning.
    """
    rows = [
        row
        for row in db.scalars(
            select(ShopProduct).where(
                ShopProduct.company_id == company.id, ShopProduct.list_id == list_id, ~ShopProduct.gone
            )
        )
        if row.manage_stock == "yes" and row.agreed_gross is None
    ]
    # The same goods in two shops are there once: which number is right nobody can tell.
    if len(rows) != 1:
        return
    store = db.get_one(Store, rows[0].store_id)
    if "stock" in live_kinds(store) and store_settings(db, store)["stock.edits"] == "adjust":
        rows[0].agreed_gross = gross_takings(db, store.id, [rows[0].product_id])[rows[0].product_id]
        db.flush()


class _Sending:
    def __init__(self, db: Session, store: Store, *, by_hand: bool = False) -> None:
        self.db, self.store, self.by_hand = db, store, by_hand
        self.settings: Settings = store_settings(db, store)
        live = live_kinds(store)
        self.adds = by_hand or ("products" in live and bool(self.settings["products.to_quickbooks"]))
        self.rules: frozenset[str] = (
            self.settings["products.shop_rules"] if "products" in live else frozenset()
        )
        self.prices = "prices" in live and self.settings["prices.ruled_by"] == "shop"
        self.is_wanted = self.adds or bool(self.rules) or self.prices

    def look_at(self, product_ids: Collection[int]) -> list[Sent]:
        rows = self._with_variations(products_of(self.db, self.store.id, product_ids))
        parents = {
            number: decode_shop_item(row.content)
            for number, row in products_of(
                self.db, self.store.id, {row.parent_id for row in rows if row.parent_id}
            ).items()
        }
        company = self.db.get_one(Company, self.store.company_id)
        self.company: Settings = company_settings(self.db, company)
        self.departments = department_keys(self.db, company.id)
        books = catalogue_items(self.db, company.id, {row.list_id for row in rows if row.list_id})
        self.last = self._sent_last({row.list_id for row in rows if row.list_id})
        found: list[Sent] = []
        for row in rows:
            item = decode_shop_item(row.content)
            parent = parents.get(row.parent_id)
            one: Sent | None = None
            if row.list_id is None:
                one = self._new(row, item, parent) if self.adds else None
            elif row.list_id in books:
                one = self._changed(item, parent, books[row.list_id][0])
            if one is not None:
                found.append(one)
        return found

    def _with_variations(self, rows: Mapping[int, ShopProduct]) -> list[ShopProduct]:
        """A parent that is published now takes its variations along; its name and categories are theirs."""
        variable = [number for number, row in rows.items() if row.type == "variable"]
        found = dict(rows)
        for some in pieces(sorted(variable)):
            for row in self.db.scalars(
                select(ShopProduct).where(
                    ShopProduct.store_id == self.store.id, ShopProduct.parent_id.in_(some)
                )
            ):
                found[row.product_id] = row
        return [found[number] for number in sorted(found) if not found[number].gone]

    # -- new ones

    def _new(self, row: ShopProduct, item: ShopItem, parent: ShopItem | None) -> Sent | None:
        if item.type not in _TYPES or row.match_problem or not self._is_shown(item, parent):
            return None
        if not item.sku or (parent is not None and fold(item.sku) == fold(parent.sku)):
            return Sent(
                item.product_id,
                problem=f"{item.called.capitalize()} of store {self.store.name} has no SKU of its own: it cannot become an "
                "item of QuickBooks. Give it one in the shop.",
            )
        price = item.regular_price or Decimal(0)
        return Sent(
            item.product_id,
            item=Item(
                sku=item.sku,
                name=self._name(item, parent),
                item_type="NonInventory" if item.virtual else "Inventory",
                price=price,
                tax_code=self.company["items.new_tax_code"],
                department=self._department(item, parent) or self.company["items.department"],
                details=self._details(item, parent),
            ),
        )

    def _is_shown(self, item: ShopItem, parent: ShopItem | None) -> bool:
        """True for what is for sale, or a draft that is to be sent. A variation goes as its parent does."""
        if item.parent_id and parent is None:
            # Its parent is read before it, or comes by itself and takes it along.
            return False
        states = {item.status} | ({parent.status} if parent is not None else set())
        allowed = _ON_SALE | (
            {"draft", "pending"} if self.by_hand or self.settings["products.send_drafts"] else set()
        )
        return states <= allowed

    # -- what an item is told

    def _name(self, item: ShopItem, parent: ShopItem | None) -> str:
        """All of a style bear one name: size and attribute tell them apart."""
        return parent.name if parent is not None and parent.name else item.name

    def _department(self, item: ShopItem, parent: ShopItem | None) -> str:
        """The first category that is, or is mapped to, a department of QuickBooks; "" for none."""
        names = [one.name for one in (parent or item).categories]
        return next((name for name in names if fold(name) in self.departments), "")

    def _details(self, item: ShopItem, parent: ShopItem | None) -> ItemDetails:
        prices: dict[str, Decimal] = {}
        if item.regular_price:
            prices[self.settings["products.price_level"]] = item.regular_price
        level = self.settings["prices.sale_level"]
        if level and item.sale_price and not item.is_dated_sale:
            prices.setdefault(level, item.sale_price)
        whole = parent or item
        return ItemDetails(
            size=self._value(item, self.settings["products.size_name"]),
            attribute=self._value(item, self.settings["products.attribute_name"]),
            prices=prices,
            cost=item.costs.get(self.settings["products.cost_meta"]),
            upc=upc_of(item.global_unique_id),
            description=plain_text(whole.short_description),
            web_description=whole.description.strip(),
            is_web=True,
            manufacturer=self._value(whole, self.settings["products.manufacturer_name"]),
            weight=_number(item.weight) or _number(whole.weight),
        )

    def _value(self, item: ShopItem, name: str) -> str:
        """The one value of an attribute; "" where it has none, or a choice of several."""
        options = [one.options for one in item.attributes if name and fold(one.name) == fold(name)]
        return options[0][0] if options and len(options[0]) == 1 else ""

    # -- changes

    def _changed(self, item: ShopItem, parent: ShopItem | None, book: BookItem) -> Sent | None:
        """Fields that the shop rules, that QuickBooks has otherwise, and that were not sent like this last."""
        details = self._details(item, parent)
        wanted: dict[str, Any] = {}
        for field in self.rules - {"name", "department"}:
            value = getattr(details, field)
            if value and value != getattr(book, field):
                wanted[field] = value
        if self.prices:
            prices = {
                level: price for level, price in details.prices.items() if book.prices.get(level) != price
            }
            if prices:
                wanted["prices"] = prices
        name = department = ""
        if "name" in self.rules and self._name(item, parent) != book.name:
            name = self._name(item, parent)
        if "department" in self.rules:
            department = self._department(item, parent)
            if self.departments.get(fold(department)) in (None, book.department_list_id):
                department = ""
        change = ItemChange(
            list_id=book.list_id,
            sku=item.sku,
            name=name,
            department=department,
            details=ItemDetails(**wanted),
        )
        change = _news(change, self.last.get(book.list_id, {}))
        if not (change.name or change.department or change.details != ItemDetails()):
            return None
        return Sent(item.product_id, change=change)

    def _sent_last(self, list_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """The value of each field that was sent last, by ListID; prices as "prices:<level>"."""
        found: dict[str, dict[str, Any]] = {}
        if not (self.rules or self.prices):
            return found
        for some in pieces(sorted(list_ids)):
            rows = self.db.execute(
                select(Activity.record_id, Activity.payload, Activity.newer_payload)
                .where(
                    Activity.company_id == self.store.company_id,
                    Activity.store_id == 0,
                    Activity.kind == CHANGE_ITEM,
                    Activity.record_id.in_(some),
                    Activity.state.not_in((ActivityState.FAILED, ActivityState.CANCELLED)),
                )
                .order_by(Activity.record_id, Activity.generation.desc())
            )
            times: dict[str, int] = {}
            for record_id, payload, newer in rows:
                times[record_id] = times.get(record_id, 0) + 1
                if times[record_id] > _MOST_CHANGES:
                    continue
                known = found.setdefault(record_id, {})
                for stored in (newer, payload):
                    if stored is not None:
                        for field, value in _flat(decode_item_change(stored)).items():
                            known.setdefault(field, value)
        return found


def _news(change: ItemChange, last: Mapping[str, Any]) -> ItemChange:
    """Without the fields that went with this very value last."""
    old = {field for field, value in _flat(change).items() if last.get(field) == value}
    prices = {level: price for level, price in change.details.prices.items() if f"prices:{level}" not in old}
    empty = {field: getattr(ItemDetails(), field) for field in old if field in ItemDetails.__struct_fields__}
    return msgspec.structs.replace(
        change,
        name="" if "name" in old else change.name,
        department="" if "department" in old else change.department,
        details=msgspec.structs.replace(change.details, **empty | {"prices": prices}),
    )


def _flat(change: ItemChange) -> dict[str, Any]:
    details = {field: getattr(change.details, field) for field in ItemDetails.__struct_fields__}
    prices = details.pop("prices")
    found = {"name": change.name, "department": change.department, **details}
    found |= {f"prices:{level}": price for level, price in prices.items()}
    return {field: value for field, value in found.items() if value not in ("", None)}


def upc_of(text: str) -> str:
    """A GTIN, UPC, EAN or ISBN as QuickBooks' UPC; "" for what is none."""
    digits = text.replace("-", "").replace(" ", "")
    return digits if _GTIN.fullmatch(digits) else ""


def plain_text(markup: str) -> str:
    """The shop's HTML as one line of text."""
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())


def _number(text: str) -> Decimal | None:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        return None
    return Decimal(text) or None
