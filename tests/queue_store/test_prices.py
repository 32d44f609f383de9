"""Prices that a shop asks are made by rule from QuickBooks' levels, and never become nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_store.currencies import decimals_of
from queue_store.prices import PriceRules, ShopPrices, shop_prices
from queue_store.product_payloads import BookItem


def item(**prices: str) -> BookItem:
    return BookItem(list_id="1", prices={name.lstrip("_"): Decimal(price) for name, price in prices.items()})


def made(rules: PriceRules, **prices: str) -> ShopPrices:
    return shop_prices(item(**prices), rules)


def test_the_first_level_that_an_item_has_is_the_regular_price() -> None:
    assert made(PriceRules(), web="4.00", _1="5.00").regular == 4
    assert made(PriceRules(), _1="5.00").regular == 5
    assert made(PriceRules(levels=("msrp", "3")), _1="5.00", _3="3.00").regular == 3


@pytest.mark.parametrize("prices", [{}, {"_2": "4.00"}, {"web": "0.00"}, {"_1": "0"}])
def test_a_missing_level_leaves_the_shops_price_alone(prices: dict[str, str]) -> None:
    assert made(PriceRules(sale_level="3"), **prices) == ShopPrices()


@pytest.mark.parametrize(
    ("price", "percent", "ending", "shop"),
    [
        ("10.00", "10", None, "11.00"),
        ("10.00", "10", "0.99", "10.99"),
        ("10.50", "0", "0.99", "10.99"),
        ("10.48", "0", "0.99", "9.99"),
        ("10.49", "0", "0.99", "10.99"),
        ("0.20", "0", "0.99", "0.99"),
        ("0.30", "0", "0", "1.00"),
        ("3.33", "-50", None, "1.67"),
        ("0.01", "-99", None, "0.01"),
    ],
)
def test_percent_and_ending(price: str, percent: str, ending: str | None, shop: str) -> None:
    rules = PriceRules(percent=Decimal(percent), ending=None if ending is None else Decimal(ending))
    assert made(rules, web=price).regular == Decimal(shop)


def test_a_sale_price_stands_below_the_regular_one_or_not_at_all() -> None:
    rules = PriceRules(sale_level="2")
    assert made(rules, web="5.00", _2="4.00") == ShopPrices(Decimal(5), Decimal(4))
    assert made(rules, web="5.00") == ShopPrices(Decimal(5), ends_sale=True)
    found = made(rules, web="5.00", _2="5.00")
    assert (found.sale, found.ends_sale) == (None, True)
    assert "not below" in found.remark


def test_an_ending_may_bring_both_prices_together_and_that_is_told() -> None:
    found = made(PriceRules(sale_level="2", ending=Decimal("0.99")), web="5.20", _2="4.70")
    assert (found.regular, found.sale, bool(found.remark)) == (Decimal("4.99"), None, True)


def test_decimals_are_the_currencys() -> None:
    assert [decimals_of(name) for name in ("USD", "EUR", "JPY", "KWD", "")] == [2, 2, 0, 3, 2]
    assert made(PriceRules(decimals=0), web="100.50").regular == 101


@given(
    st.decimals(Decimal("0.01"), Decimal(99999), places=2),
    st.decimals(Decimal(-99), Decimal(1000), places=2),
    st.one_of(st.none(), st.decimals(Decimal(0), Decimal("0.99"), places=2)),
    st.sampled_from([0, 2, 3]),
)
def test_no_price_becomes_nothing_or_has_too_many_decimals(
    price: Decimal, percent: Decimal, ending: Decimal | None, decimals: int
) -> None:
    rules = PriceRules(percent=percent, ending=ending, decimals=decimals)
    found = shop_prices(BookItem(list_id="1", prices={"web": price}), rules).regular
    assert found is not None
    assert found > 0
    assert found == round(found, decimals)
