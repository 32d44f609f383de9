"""WooCommerce's order JSON to `Order`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from queue_store.payloads import Order, encode
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

REST = Path(__file__).parent.parent / "data" / "woocommerce" / "rest"
# order_failed is the recording of a call that found no order, order_modified_list a list of dates.
ORDERS = sorted(
    path.stem
    for path in REST.glob("order_*.json")
    if path.stem not in ("order_failed", "order_modified_list")
)


def translate(found) -> Order:
    return translate_order(json.dumps(found).encode())


@pytest.mark.parametrize("name", ORDERS)
def test_every_recorded_order_is_translated_and_adds_up(recorded, name):
    order = translate(recorded(name))
    parts = [*order.lines, *order.shipping_lines, *order.fee_lines]
    assert abs(sum((part.total + part.total_tax for part in parts), Decimal(0)) - order.total) <= Decimal(
        "0.02"
    )
    assert msgspec.json.decode(encode(order), type=Order) == order
    assert order.modified_at.tzinfo is UTC
    assert order.utc_offset_seconds == -8 * 3600


def test_amounts_keep_the_shops_decimals(recorded):
    assert translate(recorded("order_frac_dp4")).lines[0].total == Decimal("0.2625")
    assert str(translate(recorded("order_plain")).shipping_total) == "7.50"


def test_a_coupon_discount_may_have_one_decimal(recorded):
    assert [c.discount for c in translate(recorded("order_twocoupons")).coupon_lines] == [
        Decimal("11.4"),
        Decimal("6"),
    ]


def test_tax_rates_keep_the_digits_that_were_written(recorded):
    assert {str(t.percent) for t in translate(recorded("order_qc")).tax_lines} == {"5", "9.975"}


def test_a_partly_refunded_line_tells_what_was_restocked(recorded):
    order = translate(recorded("order_rpart"))
    assert [(line.reduced_stock, line.restocked) for line in order.lines] == [
        (Decimal(3), Decimal(1)),
        (Decimal(2), Decimal(0)),
    ]
    assert [(r.refund_id, r.total) for r in order.refunds] == [(110, Decimal("-47.08"))]


def test_reduced_stock_is_none_where_the_line_never_showed_it(deliveries):
    [body, _] = [
        body for _, body in deliveries("51_order_created_then_trashed_before_delivery") if len(body) > 99
    ]
    assert [line.reduced_stock for line in translate_order(body).lines] == [None]


def test_the_line_of_a_deleted_product_has_product_0_and_no_sku(recorded):
    lines = translate(recorded("order_with_deleted_product")).lines
    assert (0, "") in {(line.product_id, line.sku) for line in lines}
    assert all(line.name for line in lines)


def test_names_of_lines_lose_html_and_names_of_people_stay_plain(order):
    found = order()
    found["line_items"][0]["name"] = "12\" pipe &amp; 3' hose <br> <b>x &lt; y</b>"
    found["billing"] |= {"company": 'O\'Brien & Sons "NY" <LLC>', "first_name": " A\x00nn\n"}
    translated = translate(found)
    assert translated.lines[0].name == "12\" pipe & 3' hose x < y"
    assert translated.billing.company == 'O\'Brien & Sons "NY" <LLC>'
    assert translated.billing.first_name == "A nn"


def test_a_note_keeps_line_breaks_and_loses_control_characters(order):
    assert translate(order(customer_note="one\r\ntwo\x07 🎁")).customer_note == "one\ntwo 🎁"


def test_stamps_become_aware_utc(recorded):
    order = translate(recorded("order_twocoupons"))
    assert order.created_at == datetime(2026, 11, 22, 0, 26, 23, tzinfo=UTC)
    assert order.paid_at == order.completed_at == order.created_at


def test_a_line_whose_price_tells_of_parts_of_a_cent_counts_as_rounded(order):
    """WooCommerce shows a line's total in cents and keeps more; its price is of what it keeps."""

    def rounded(**line):
        found = order()
        found["line_items"] = [{**found["line_items"][0], **line}]
        return translate(found).lines[0].is_rounded

    assert rounded(quantity=7, total="0.00", price=0.0006021428571428572)
    assert rounded(quantity=3, total="10.00", price=3.33366)
    assert not rounded(quantity=3, total="10.00", price=3.3333333333333335)
    assert not rounded(quantity=2, total="24.52", price="12.26")
    for price in (None, "", {}, float(10**14)):
        assert not rounded(quantity=1, total="0.00", price=price)


@pytest.mark.parametrize("quantity", ["1.5", "2", "333"])
def test_quantities_may_be_whole_or_decimal(order, quantity):
    body = json.dumps(order()).encode()
    first = order()["line_items"][0]["quantity"]
    body = body.replace(f'"quantity": {first}'.encode(), f'"quantity": {quantity}'.encode(), 1)
    assert translate_order(body).lines[0].quantity == Decimal(quantity)


def test_lists_with_holes_which_php_writes_as_objects_are_read(order):
    found = order()
    found["line_items"] = {"3": found["line_items"][0]}
    found["line_items"]["3"]["meta_data"] = {"1": {"id": 9, "key": "_reduced_stock", "value": 2}}
    found["billing"] = []
    translated = translate(found)
    assert translated.lines[0].reduced_stock == 2
    assert translated.billing.city == ""


def test_the_dust_of_floats_is_no_problem(order):
    found = order()
    found["coupon_lines"] = [{"code": "x", "discount": "4.4408920985006E-16", "discount_tax": 0}]
    assert translate(found).coupon_lines[0].discount == 0


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        ({"total": "abc"}, "total", "'abc' is not an amount"),
        ({"total": "NaN"}, "total", "'NaN' is not an amount"),
        ({"total": "1e999999"}, "total", "is not an amount"),
        ({"total": None}, "total", "it is empty (null), not a number or text"),
        ({"currency": ""}, "currency", "is not a currency"),
        ({"status": ""}, "status", "it is empty"),
        ({"line_items": None}, "line_items", "it is empty (null), not an object or a list"),
        ({"line_items": [{"id": 7, "total": "x", "quantity": 1}]}, "line_items[7].total", "'x' is not"),
        ({"line_items": [{"id": 7, "total": "1"}]}, "line_items[7].quantity", "it is missing"),
        ({"line_items": [{"total": "1", "quantity": 1}]}, "line_items[0].id", "it is missing"),
        (
            {"line_items": [{"id": 7, "total": "1", "quantity": "two"}]},
            "line_items[7].quantity",
            "it is not a number",
        ),
        (
            {"line_items": [{"id": 7, "total": "1", "quantity": 1, "price": "free"}]},
            "line_items[7].price",
            "'free' is not",
        ),
        (
            {"line_items": {"3": {"id": 7, "total": "1", "quantity": []}}},
            "line_items[...].quantity",
            "it is a list, not a number",
        ),
        ({"date_paid_gmt": "yesterday"}, "date_paid_gmt", "'yesterday' is not a date"),
        ({"date_created_gmt": None, "date_modified_gmt": None}, "date_modified_gmt", "there is no date"),
    ],
)
def test_a_bad_shape_is_told_with_order_and_place(order, change, path, problem):
    with pytest.raises(Untranslatable) as caught:
        translate(order(id=71, number="71", **change))
    assert caught.value.record == "Order 71"
    assert caught.value.path == path
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"{", b"[" * 100_000, b"[]", b'{"id": 1' + b"0" * 5000 + b"}"]
)
def test_what_is_no_order_at_all_is_untranslatable(body):
    with pytest.raises(Untranslatable):
        translate_order(body)
