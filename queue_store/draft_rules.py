"""Which items a store wants as products, and what such a product is made of: pure functions of item and settings."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from queue_store.prices import PriceRules, price_rules, shop_prices
from queue_store.product_payloads import BookItem
from queue_store.settings import Settings

#: Types that are no goods of their own.
_NO_PRODUCTS = frozenset(("Group", "Assembly"))
#: How categories are told apart where a person maps them: "department:shoes", "web:running shoes".
OF_DEPARTMENT, OF_WEB = "department", "web"


@dataclass(frozen=True, slots=True)
class DraftRules:
    """A store's settings about products from QuickBooks."""

    #: "off", "marked" or "rule".
    which: str
    departments: frozenset[str]
    vendors: frozenset[str]
    keywords: frozenset[str]
    #: Fields of an item that hold the SKU: the first that is filled.
    keys: tuple[str, ...]
    name: str
    description: str
    short_description: str
    has_styles: bool
    size_name: str
    attribute_name: str
    #: "": the manufacturer is left out.
    manufacturer_name: str
    categories: str
    new_categories: bool
    price: PriceRules

    @classmethod
    def of(cls, store: Settings, company: Settings) -> DraftRules:
        return cls(
            which=store["products.from_quickbooks"],
            departments=store["products.departments"],
            vendors=store["products.vendors"],
            keywords=store["products.keywords"],
            keys=company["items.keys"],
            name=store["products.name"],
            description=store["products.description"],
            short_description=store["products.short_description"],
            has_styles=store["products.styles"] == "variable",
            size_name=store["products.size_name"],
            attribute_name=store["products.attribute_name"],
            manufacturer_name=store["products.manufacturer_name"],
            categories=store["products.categories"],
            new_categories=store["products.new_categories"],
            price=price_rules(store, company),
        )

    def wants(self, item: BookItem, department: str) -> bool:
        """True if `item` is to be a product; `department` is the name of its department, "" if not known.

        With "rule" every list that names anything must know the item, and one
        of them must name something: an empty rule wants nothing.
        """
        if item.item_type in _NO_PRODUCTS or self.which == "off":
            return False
        if self.which == "marked":
            return item.is_web
        words = {word.casefold() for word in item.keywords.replace(",", " ").replace(";", " ").split()}
        tests = [
            (self.departments, {department.casefold(), item.department_code.casefold()}),
            (self.vendors, {item.vendor_code.casefold()}),
            (self.keywords, words | {item.keywords.strip().casefold()}),
        ]
        asked = [bool(named & (has - {""})) for named, has in tests if named]
        return bool(asked) and all(asked)

    def sku(self, item: BookItem) -> str:
        """The SKU of its product; "" where no field that may hold it is filled."""
        fields = {"ALU": item.alu, "UPC": item.upc, "ITEMNUMBER": item.item_number}
        return next((fields[key] for key in self.keys if fields[key]), "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A product, or a variation, to be made. Texts are plain but for a `description` that is HTML in QuickBooks."""

    list_id: str
    sku: str
    name: str
    description: str = ""
    short_description: str = ""
    weight: Decimal | None = None
    manufacturer: str = ""
    #: ("department" or "web", name).
    categories: tuple[tuple[str, str], ...] = ()
    #: As they are shown: what a person mapped them to.
    size: str = ""
    attribute: str = ""
    #: None: QuickBooks has no price, or tells no stock.
    regular_price: Decimal | None = None
    sale_price: Decimal | None = None
    quantity: int | None = None
    #: None: stock does not flow to this store, or it is not known.
    manage_stock: bool | None = None
    #: False: only a person asked for it, so that it is the person's when the store's rule does not want its item.
    is_ruled: bool = True

    @property
    def called(self) -> str:
        """What a person calls it in a sentence."""
        return f"{self.name!r} ({self.sku})" if self.sku else repr(self.name)


def draft_of(item: BookItem, rules: DraftRules, department: str, *, size: str, attribute: str) -> Draft:
    """What `item` becomes; its stock is not its own to tell."""
    name = (item.description if rules.name == "desc2" else item.name) or item.name or item.description
    texts = {"none": "", "web": item.web_description, "desc2": item.description}
    short = texts[rules.short_description]
    prices = shop_prices(item, rules.price)
    return Draft(
        list_id=item.list_id,
        sku=rules.sku(item),
        name=name,
        description=texts[rules.description],
        short_description="" if short in (name, texts[rules.description]) else short,
        weight=item.weight if item.weight else None,
        manufacturer=item.manufacturer if rules.manufacturer_name else "",
        categories=_categories(item, rules.categories, department),
        size=size,
        attribute=attribute,
        regular_price=prices.regular,
        sale_price=prices.sale,
    )


def _categories(item: BookItem, which: str, department: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    if which in ("department", "both") and department:
        found.append((OF_DEPARTMENT, department))
    if which in ("web", "both"):
        names = item.web_categories.replace(";", ",").replace("\n", ",").split(",")
        found += [(OF_WEB, name.strip()) for name in names if name.strip()]
    return tuple(dict.fromkeys(found))


def style_sku(style_key: str) -> str:
    """The SKU of a style's variable product, by which it is found again: QuickBooks has no record of a style."""
    return f"STYLE-{hashlib.sha256(style_key.encode()).hexdigest()[:12]}"
