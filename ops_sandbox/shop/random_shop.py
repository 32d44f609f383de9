"""A shop drawn by chance: settings, tax rates, products and people, for `random_orders`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ops_sandbox.shop.money.basket import ShopRules
from ops_sandbox.shop.money.numbers import ZERO
from ops_sandbox.shop.money.taxes import TaxRate
from ops_sandbox.shop.wire import Doc

#: Where shops are: base address and the currency they are likely to have.
_PLACES: tuple[tuple[Doc, str], ...] = (
    ({"country": "US", "state": "CA", "city": "San Francisco", "postcode": "94105"}, "USD"),
    ({"country": "US", "state": "NY", "city": "New York", "postcode": "10001"}, "USD"),
    ({"country": "CA", "state": "QC", "city": "Montréal", "postcode": "H2X 1Y4"}, "CAD"),
    ({"country": "DE", "state": "DE-BE", "city": "Berlin", "postcode": "10115"}, "EUR"),
    ({"country": "GB", "state": "", "city": "London", "postcode": "SW1A 1AA"}, "GBP"),
)
_NO_DECIMALS: tuple[Doc, str] = (
    {"country": "JP", "state": "JP13", "city": "Tokyo", "postcode": "100-0001"},
    "JPY",
)
_ABROAD: Doc = {"country": "AU", "state": "NSW", "city": "Sydney", "postcode": "2000"}

_PERCENTS = (
    "8.25", "1.25", "8.875", "19", "5", "9.975", "20", "7", "6.625", "0.375", "10", "21", "25", "12.5", "4.4375", "2.9",
)  # fmt: skip
_NAMES = ("State Tax", "City Tax", "District Tax", "VAT", "GST", "QST", "MwSt", "")
_WORDS = (
    "Widget",
    "Mug",
    "Lamp",
    "Bolt",
    "Scarf",
    "Tea",
    "Chair",
    "Cable",
    "Poster",
    "Soap",
    "Größe",
    "Kit &amp; Case",
)
_COLORS = ("Red", "Green", "Blue")
_SIZES = ("S", "M", "XL")
_PEOPLE = (
    ("Gina", "Guest", ""), ("Björn", "Größenwahn-Ångström", ""), ("太郎", "山田", ""), ("Ann", "O'Neil", "O'Neil & Sons"),
    ("", "", "Acme Inc."), ("Prince", "", ""), ("Maximiliana Wilhelmina Friederike", "von und zu Hohenstein-Waldenburg", ""),
    ("Ann", "Lee", ""), ("Ann", "Lee", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something sold; `id` is a variation's own id where `parent_id` is set.

    `stocked`: its stock is managed. `fractions`: sold by parts of a piece, never stocked.
    `deleted`: gone from the shop since, so that its lines name no product.
    """

    id: int
    name: str
    sku: str
    price: Decimal
    tax_class: str = ""
    taxable: bool = True
    stocked: bool = True
    fractions: bool = False
    deleted: bool = False
    parent_id: int = 0
    parent_name: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who orders; `id` 0 is a guest."""

    id: int
    first_name: str
    last_name: str
    company: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomShop:
    """A shop: the rules its amounts follow, what it sells and to whom."""

    rules: ShopRules
    products: tuple[Product, ...]
    customers: tuple[Customer, ...]
    #: Where orders go to, the shop's own place first.
    addresses: tuple[Doc, ...]


def random_shop(
    rng: random.Random, *, decimals: Sequence[int], without_sku: bool, tax_inclusive: bool | None = None
) -> RandomShop:
    """A shop with one of the `decimals` for its money; `without_sku` lets some products lack a SKU."""
    places = rng.choice(decimals)
    base, currency = _NO_DECIMALS if places == 0 else rng.choice(_PLACES)
    inclusive = rng.random() < 0.3 if tax_inclusive is None else tax_inclusive
    rules = ShopRules(
        currency=currency,
        decimals=places,
        prices_include_tax=inclusive,
        round_at_subtotal=rng.random() < 0.25,
        shipping_tax_class=rng.choice(("inherit", "inherit", "inherit", "", "reduced-rate", "zero-rate")),
        rates=tuple(_rates(rng, base)),
        base=base,
    )
    return RandomShop(
        rules=rules,
        products=tuple(_products(rng, rules, without_sku=without_sku)),
        customers=tuple(_customers(rng)),
        addresses=(base, {**base, "city": "Elsewhere", "state": ""}, _ABROAD),
    )


def _rates(rng: random.Random, base: Doc) -> list[TaxRate]:
    """0 to 3 standard rates, of one priority each, later ones perhaps compound; reduced and zero classes."""
    rates: list[TaxRate] = []
    for tax_class, most, likely in (("", 3, 1.0), ("reduced-rate", 2, 0.6), ("zero-rate", 1, 0.3)):
        for priority in range(1, 1 + (rng.randint(0, most) if rng.random() < likely else 0)):
            percent = "0" if tax_class == "zero-rate" else rng.choice(_PERCENTS)
            rates.append(
                TaxRate(
                    id=len(rates) + 1,
                    name=f"{tax_class.title()} {rng.choice(_NAMES)}".strip(),
                    percent=Decimal(percent),
                    country=base["country"],
                    state=rng.choice((base["state"], "")),
                    city=base["city"].upper() if priority == 2 and rng.random() < 0.5 else "",
                    priority=priority,
                    compound=priority > 1 and rng.random() < 0.35,
                    shipping=rng.random() < 0.75,
                    tax_class=tax_class,
                )
            )
    return rates


def _products(rng: random.Random, rules: ShopRules, *, without_sku: bool) -> list[Product]:
    products: list[Product] = []
    for number in range(50):
        stocked = rng.random() < 0.7
        lacks_sku = without_sku and rng.random() < 0.1
        product = Product(
            id=100 + len(products),
            name=f"{rng.choice(_WORDS)} {number:02d}",
            sku="" if lacks_sku else f"SKU-{number:03d}",
            price=random_price(rng, rules),
            tax_class=rng.choice(("", "", "", "", "reduced-rate", "zero-rate")),
            taxable=rng.random() < 0.9,
            stocked=stocked,
            fractions=not stocked and rng.random() < 0.4,
            deleted=rng.random() < 0.03,
        )
        if number % 8 == 7:
            products.extend(_variations(rng, rules, product))
        else:
            products.append(product)
    return products


def _variations(rng: random.Random, rules: ShopRules, parent: Product) -> list[Product]:
    return [
        Product(
            id=parent.id + place,
            name=f"{parent.name} - {color}, {size}",
            sku=f"{parent.sku}-{color[0]}-{size}" if parent.sku else "",
            price=random_price(rng, rules),
            tax_class=parent.tax_class,
            taxable=parent.taxable,
            stocked=parent.stocked,
            parent_id=parent.id + 1000,
            parent_name=parent.name,
            options=(color, size),
        )
        for place, (color, size) in enumerate((c, s) for c in _COLORS[:2] for s in _SIZES[:2])
    ]


def random_price(rng: random.Random, rules: ShopRules) -> Decimal:
    """A price with 0 to 4 decimals, mostly those of the shop's money; some are nothing."""
    kind = rng.random()
    if kind < 0.03:
        return ZERO
    if rules.decimals == 0 and kind < 0.9:
        return Decimal(rng.randint(1, 20000))
    places = rng.choice((0, 1, 2, 2, 2, 2, 2, 2, 3, 4))
    highest = rng.choice((1, 20, 20, 20, 100, 100, 1000))
    return Decimal(rng.randint(1, highest * 10**places)).scaleb(-places)


def _customers(rng: random.Random) -> list[Customer]:
    return [
        Customer(
            id=0 if rng.random() < 0.5 else number + 2,
            first_name=first,
            last_name=last,
            company=company,
            email=f"person{number}@example.net",
        )
        for number, (first, last, company) in enumerate(_PEOPLE)
    ]
