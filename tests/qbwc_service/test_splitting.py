"""Amounts are taken apart so that their parts add up exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwc_service.flavours.pos.splitting import CENT, apportion, rounded, split

D = Decimal


@pytest.mark.parametrize(
    ("amount", "quantity", "expected"),
    [
        ("10.00", "3", [("2", "3.33"), ("1", "3.34")]),
        ("0.26", "7", [("2", "0.03"), ("5", "0.04")]),  # 0.0375 each, rounded by the shop
        ("25.00", "3", [("2", "8.33"), ("1", "8.34")]),  # 8.333333333333334 each
        ("12.49", "333", [("83", "0.03"), ("250", "0.04")]),
        ("-10.00", "3", [("2", "-3.33"), ("1", "-3.34")]),
        ("5.00", "2.5", [("2.5", "2.00")]),
        ("0.00", "4", [("4", "0.00")]),
        ("0.02", "7", None),
        ("5.01", "2.5", None),
    ],
)
def test_what_does_not_divide_becomes_two_prices(amount, quantity, expected):
    found = split(D(amount), D(quantity))
    assert found == (None if expected is None else [(D(pieces), D(price)) for pieces, price in expected])


def test_a_currency_without_decimals_is_split_into_whole_prices():
    assert split(D(1000), D(3), D(1)) == [(D(2), D(333)), (D(1), D(334))]


def test_pieces_that_cost_less_than_a_whole_unit_have_prices_in_cents():
    assert split(D(36), D(50), D(1)) == [(D(50), D("0.72"))]
    assert split(D(37), D(48), D(1)) == [(D(44), D("0.77")), (D(4), D("0.78"))]
    assert split(D(1), D(200), D(1)) is None


@given(units=st.integers(-(10**6), 10**6), quantity=st.integers(1, 1000), unit=st.sampled_from([CENT, D(1)]))
def test_what_is_split_multiplies_out_and_no_price_is_nothing_that_was_not(units, quantity, unit):
    pairs = split(units * unit, D(quantity), unit)
    if pairs is None:
        assert 0 < abs(units * unit) < CENT * quantity
        return
    assert sum(pieces * price for pieces, price in pairs) == units * unit
    assert sum(pieces for pieces, _ in pairs) == quantity
    assert all(pieces > 0 and price == rounded(price) for pieces, price in pairs)
    assert all(price or not units for _, price in pairs)


amounts = st.lists(
    st.builds(
        lambda units, places: D(units).scaleb(-places),
        st.integers(-(10**8), 10**8),
        st.integers(0, 6),
    ),
    min_size=1,
    max_size=60,
)


@given(amounts=amounts)
def test_rounded_parts_add_up_to_the_rounded_sum_and_none_is_off_by_a_cent(amounts):
    total = rounded(sum(amounts, D(0)))
    found = apportion(amounts, total)
    assert sum(found) == total
    assert all(abs(part - amount) < CENT for part, amount in zip(found, amounts, strict=True))
    assert all(part == rounded(part) for part in found)


@given(amounts=amounts)
def test_what_is_in_cents_already_stays_as_it_is(amounts):
    cents = [rounded(amount) for amount in amounts]
    assert apportion(cents, sum(cents, D(0))) == cents


@given(amounts=amounts, off=st.integers(-500, 500))
def test_parts_add_up_even_to_a_total_that_is_not_theirs(amounts, off):
    total = rounded(sum(amounts, D(0))) + off * CENT
    assert sum(apportion(amounts, total)) == total


def test_of_equal_remainders_the_earlier_is_rounded_up():
    assert apportion([D("0.005"), D("0.005")], D("0.01")) == [D("0.01"), D("0.00")]
