"""A receipt's total is known to the cent before it is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import predict, split
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.payloads import FeeLine, Order, OrderLine, ShippingLine
from queue_store.settings import Settings
from tests.harness import RECORDED, recorded_order
from woo_bridge.translate_orders import translate_order

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)


def settings(**changes: str) -> Settings:
    stored = {
        "items.fallback": "Online Item",
        **{key.replace("__", "."): value for key, value in changes.items()},
    }
    return Settings(COMPANY_SETTINGS, stored, 1)


def order(lines: list[tuple[str, str]], total: str, **more: Any) -> Order:
    """An order of (quantity, line total) pairs."""
    return Order(
        order_id=1,
        number="1",
        status="completed",
        currency="USD",
        created_at=MOMENT,
        modified_at=MOMENT,
        total=Decimal(total),
        total_tax=Decimal(more.pop("tax", "0")),
        lines=tuple(
            OrderLine(
                line_id=n,
                product_id=n,
                sku=f"S{n}",
                name=f"Thing {n}",
                quantity=Decimal(quantity),
                subtotal=Decimal(amount),
                total=Decimal(amount),
                total_tax=Decimal(0),
            )
            for n, (quantity, amount) in enumerate(lines, 1)
        ),
        **more,
    )


def pairs(receipt: Any) -> list[tuple[str, str]]:
    return [(str(line.quantity), str(line.price)) for line in receipt.lines]


@pytest.mark.parametrize("path", sorted(RECORDED.glob("order_*.json")), ids=lambda path: path.stem)
def test_every_recorded_order_comes_out_at_its_total(path: Any) -> None:
    bodies = json.loads(path.read_text())["response"]["body"]
    for body in bodies if isinstance(bodies, list) else [bodies]:
        if "total" not in body:
            continue
        found = translate_order(json.dumps(body).encode())
        if found.currency != "USD":
            with pytest.raises(NotSendable, match="is in EUR, the company file is kept in USD"):
                predict(found, settings())
            continue
        receipt = predict(found, settings())
        assert receipt.total == Decimal(body["total"])
        assert sum(line.amount for line in receipt.lines) == receipt.total
        assert receipt.rounding == 0


def test_three_for_ten_are_two_prices_that_add_up() -> None:
    assert split(Decimal("10.00"), Decimal(3)) == [
        (Decimal(2), Decimal("3.33")),
        (Decimal(1), Decimal("3.34")),
    ]


def test_what_divides_stays_one_line() -> None:
    assert split(Decimal("10.00"), Decimal(4)) == [(Decimal(4), Decimal("2.50"))]


def test_nothing_is_split_into_a_price_of_zero() -> None:
    assert split(Decimal("0.02"), Decimal(7)) is None
    receipt = predict(order([("70", "0.02")], "0.02"), settings())
    (line,) = receipt.lines
    assert line.one_piece
    assert line.label == "70 x Thing 1"
    assert (line.quantity, line.price) == (1, Decimal("0.02"))


def test_pieces_below_a_cent_are_a_cent_each_and_the_rounding_item_takes_it_back() -> None:
    receipt = predict(order([("7", "0.02"), ("1", "5.00")], "5.02"), settings())
    assert [(line.key, str(line.quantity), str(line.price)) for line in receipt.lines] == [
        ("S1", "7", "0.01"),
        ("S2", "1", "5.00"),
        ("Online Rounding", "1", "-0.05"),
    ]
    assert not any(line.one_piece for line in receipt.lines)
    assert receipt.total == Decimal("5.02")


def test_pieces_below_a_cent_and_the_shops_own_difference_share_one_cap() -> None:
    beyond = predict(order([("7", "0.02")], "0.01"), settings())
    assert [(line.label, str(line.price)) for line in beyond.lines] == [
        ("7 x Thing 1", "0.02"),
        ("Rounding", "-0.01"),
    ]
    evened = predict(order([("7", "0.02")], "0.06"), settings())
    assert pairs(evened) == [("7", "0.01"), ("1", "-0.01")]


def test_where_yen_do_not_divide_a_price_has_cents() -> None:
    receipt = predict(
        msgspec.structs.replace(order([("50", "36"), ("3", "1000")], "1036"), currency="JPY"),
        settings(currency="JPY"),
    )
    assert pairs(receipt) == [("50", "0.72"), ("2", "333"), ("1", "334")]
    assert (receipt.total, receipt.rounding) == (1036, 0)


def test_a_line_that_is_free_in_the_shop_is_free_here() -> None:
    assert pairs(predict(order([("2", "0.00")], "0.00"), settings())) == [("2", "0.00")]


def test_a_quantity_with_decimals_goes_as_one_piece_unless_it_divides() -> None:
    assert split(Decimal("5.00"), Decimal("2.5")) == [(Decimal("2.5"), Decimal("2.00"))]
    assert split(Decimal("5.01"), Decimal("2.5")) is None


@given(
    cents=st.integers(min_value=-(10**9), max_value=10**9),
    quantity=st.integers(min_value=1, max_value=10**5),
)
def test_a_split_multiplies_out_exactly(cents: int, quantity: int) -> None:
    amount = Decimal(cents) / 100
    found = split(amount, Decimal(quantity))
    if found is None:
        assert abs(cents) < quantity
        return
    assert sum(pieces * price for pieces, price in found) == amount
    assert sum(pieces for pieces, _ in found) == quantity
    assert all(price == price.quantize(Decimal("0.01")) for _, price in found)
    assert amount == 0 or all(price for _, price in found)


@given(
    lines=st.lists(
        st.tuples(st.integers(1, 500), st.integers(0, 10**6)).map(
            lambda p: (str(p[0]), str(Decimal(p[1]) / 100))
        ),
        min_size=1,
        max_size=30,
    ),
    shipping=st.integers(0, 10**5),
    tax=st.integers(0, 10**5),
    fee=st.integers(-100, 10**4),
)
def test_any_order_that_adds_up_is_predicted_to_the_cent(
    lines: list[tuple[str, str]], shipping: int, tax: int, fee: int
) -> None:
    cents = sum(int(Decimal(amount) * 100) for _, amount in lines) + shipping + tax + fee
    if cents < 0:
        return
    found = predict(
        order(
            lines,
            f"{Decimal(cents) / 100:.2f}",
            tax=str(Decimal(tax) / 100),
            shipping_lines=(
                ShippingLine(line_id=90, title="Post", total=Decimal(shipping) / 100, total_tax=Decimal(0)),
            ),
            fee_lines=(FeeLine(line_id=91, name="Fee", total=Decimal(fee) / 100, total_tax=Decimal(0)),),
        ),
        settings(),
    )
    assert sum(line.amount for line in found.lines) == Decimal(cents) / 100
    lifted = Decimal(0)
    for n, (quantity, amount) in enumerate(lines, 1):
        booked = sum(line.amount for line in found.lines if line.key == f"S{n}")
        if booked != Decimal(amount):
            assert 0 < Decimal(amount) < booked == Decimal(quantity) / 100
            lifted += booked - Decimal(amount)
    assert found.rounding == -lifted >= Decimal("-0.05")


def test_a_small_difference_goes_to_the_rounding_item() -> None:
    receipt = predict(order([("1", "10.00")], "10.03"), settings())
    assert receipt.rounding == Decimal("0.03")
    assert receipt.lines[-1].key == "Online Rounding"
    assert receipt.lines[-1].amount == Decimal("0.03")


def test_a_large_difference_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(
        NotSendable, match=r"10\.00 for goods is 10\.00, the shop says 11\.00 \(difference 1\.00"
    ):
        predict(order([("1", "10.00")], "11.00"), settings())


def test_the_cap_grows_with_each_line_that_the_shop_rounded_and_with_no_other() -> None:
    found = order([("2", "0.00")] * 12, "0.06")
    with pytest.raises(NotSendable, match=r"difference 0\.06, allowed 0\.05"):
        predict(found, settings())
    rounded = tuple(msgspec.structs.replace(line, is_rounded=line.line_id in (3, 7)) for line in found.lines)
    assert predict(msgspec.structs.replace(found, lines=rounded), settings()).rounding == Decimal("0.06")


@pytest.mark.parametrize("total", ["2E+3", "2000.00"])
def test_a_total_that_is_written_with_an_exponent_has_no_wider_cap_than_a_whole_one(total: str) -> None:
    with pytest.raises(NotSendable, match="does not add up"):
        predict(order([("1", "1990.00")], total), settings())


def test_an_order_of_one_free_thing_goes_with_its_line_of_nothing() -> None:
    """Also one of a deleted product, which is a line of the item for such."""
    found = order([("1", "0.00")], "0.00")
    nameless = msgspec.structs.replace(found.lines[0], sku="", product_id=0)
    for lines in (found.lines, (nameless,)):
        receipt = predict(msgspec.structs.replace(found, lines=lines), settings())
        assert pairs(receipt) == [("1", "0.00")]
        assert (receipt.total, receipt.rounding) == (0, 0)
    assert receipt.lines[0].key == "Online Item"


def test_a_negative_fee_is_one_piece_with_a_negative_price_or_quantity() -> None:
    fee = (FeeLine(line_id=9, name="Friends", total=Decimal("-2.00"), total_tax=Decimal(0)),)
    assert pairs(predict(order([("1", "10.00")], "8.00", fee_lines=fee), settings()))[-1] == ("1", "-2.00")
    by_quantity = settings(lines__negative="quantity")
    assert pairs(predict(order([("1", "10.00")], "8.00", fee_lines=fee), by_quantity))[-1] == ("-1", "2.00")


def test_a_negative_total_is_refused() -> None:
    with pytest.raises(NotSendable, match="negative total"):
        predict(order([("1", "1.00")], "-1.00"), settings())


def test_a_deleted_product_needs_a_fallback_item() -> None:
    found = translate_order(json.dumps(recorded_order("with_deleted_product")).encode())
    with pytest.raises(NotSendable, match="was deleted from the shop"):
        predict(found, settings(items__fallback=""))
