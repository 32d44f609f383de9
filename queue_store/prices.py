"""What a shop should ask for an item: a pure function of QuickBooks' prices and the shop's rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from queue_store.currencies import decimals_of
from queue_store.product_payloads import BookItem
from queue_store.settings import Settings


@dataclass(frozen=True, slots=True)
class PriceRules:
    """How a store makes its prices; all of them settings but the decimals, which are the currency's."""

    #: Levels for the regular price: the first that an item has.
    levels: tuple[str, ...] = ("web", "1")
    #: "": the shop's sale prices are its own.
    sale_level: str = ""
    percent: Decimal = Decimal(0)
    #: Such as 0.99; None: prices stay as they come.
    ending: Decimal | None = None
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class ShopPrices:
    """None: QuickBooks has no price for it, and the shop's stays."""

    regular: Decimal | None = None
    sale: Decimal | None = None
    #: True: QuickBooks rules the sale price, and has none.
    ends_sale: bool = False
    #: What could not be done, in a sentence.
    remark: str = ""


def price_rules(store: Settings, company: Settings) -> PriceRules:
    """The rules of a store; `store` and `company` are settings."""
    return PriceRules(
        levels=store["prices.levels"],
        sale_level=store["prices.sale_level"],
        percent=store["prices.percent"],
        ending=store["prices.ending"],
        decimals=decimals_of(company["currency"]),
    )


def shop_prices(item: BookItem, rules: PriceRules) -> ShopPrices:
    """Regular and sale price of `item`. A level without a price, or with 0, counts as missing.

    Worked: 10.00, percent 10, ending .99: 11.00 becomes 10.99.
    """
    regular = next((item.prices[level] for level in rules.levels if item.prices.get(level, 0) > 0), None)
    if regular is None:
        return ShopPrices()
    regular = _made(regular, rules)
    if not rules.sale_level:
        return ShopPrices(regular)
    sale = item.prices.get(rules.sale_level)
    if sale is None or sale <= 0:
        return ShopPrices(regular, ends_sale=True)
    sale = _made(sale, rules)
    if sale < regular:
        return ShopPrices(regular, sale)
    remark = f"Its sale price {sale} is not below its regular price {regular}: it has no sale price."
    return ShopPrices(regular, ends_sale=True, remark=remark)


def _made(price: Decimal, rules: PriceRules) -> Decimal:
    smallest = Decimal(1).scaleb(-rules.decimals)
    price *= 1 + rules.percent / 100
    if rules.ending is not None:
        price = _nearest(price, rules.ending)
    return max(smallest, price.quantize(smallest, ROUND_HALF_UP))


def _nearest(price: Decimal, ending: Decimal) -> Decimal:
    """The nearest price above 0 with this ending; the higher one of two that are equally near."""
    below = (price - ending).to_integral_value(ROUND_FLOOR) + ending
    nearest = below if price - below < below + 1 - price else below + 1
    while nearest <= 0:
        nearest += 1
    return nearest
