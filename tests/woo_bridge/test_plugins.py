"""What plugins add to an order is read in the shapes that are known, and money is never lost in another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from queue_store.payloads import Order, Redeemed, Shipment
from tests.harness import recorded_order
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

D = Decimal


def translated(**changes: Any) -> Order:
    return translate_order(json.dumps({**recorded_order("plain"), **changes}).encode())


def meta(key: str, value: Any) -> dict[str, Any]:
    return {"meta_data": [{"id": 1, "key": key, "value": value}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"gift_cards": [{"id": 1, "code": "AAAA-BBBB-WXYZ", "amount": 5}]}, [("*WXYZ", "5", False)]),
        ({"pw_gift_cards_redeemed": [{"number": "12345678", "amount": "5.00"}]}, [("*5678", "5.00", False)]),
        (
            {"pw_gift_cards_redeemed": {"1": {"number": "12345678", "amount": "5.00"}}},
            [("*5678", "5.00", False)],
        ),
        (
            meta("_ywgc_applied_gift_cards", {"CODE1": 5.5, "CODE2": "1"}),
            [("*ODE1", "5.5", False), ("*ODE2", "1", False)],
        ),
        (meta("smart_coupons_contribution", {"credit": 5}), [("*edit", "5", True)]),
        (meta("acfw_store_credits_order_paid", {"amount": 7.25, "currency": "USD"}), [("", "7.25", False)]),
        (meta("acfw_store_credits_order_paid", "7.25"), [("", "7.25", False)]),
        ({"gift_cards": []}, []),
        (meta("_ywgc_applied_gift_cards", []), []),
        (meta("_ywgc_applied_gift_cards", ""), []),
        ({"gift_cards": [{"code": "X", "amount": "0.00"}]}, []),
    ],
)
def test_gift_cards_are_read_with_the_end_of_their_code_only(changes, expected):
    assert translated(**changes).redeemed == tuple(
        Redeemed(code=code, amount=D(amount), may_be_in_lines=flag) for code, amount, flag in expected
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"gift_cards": "5.00"}, "gift_cards"),
        ({"gift_cards": [{"code": "X"}]}, "gift_cards"),
        ({"gift_cards": [{"code": "X", "amount": "five"}]}, "gift_cards"),
        ({"gift_cards": [{"code": "X", "amount": -5}]}, "gift_cards"),
        ({"gift_cards": [{"code": "X", "amount": [5]}]}, "gift_cards"),
        (meta("_ywgc_applied_gift_cards", "CODE1"), "_ywgc_applied_gift_cards"),
        (meta("acfw_store_credits_order_paid", {"amount": {}}), "acfw_store_credits_order_paid"),
    ],
)
def test_money_in_a_shape_that_is_not_known_is_an_error_that_names_the_field(changes, field):
    with pytest.raises(Untranslatable) as caught:
        translated(**changes)
    assert field in str(caught.value)


def test_parcels_are_read_with_their_carrier_and_day():
    found = translated(
        **meta(
            "_wc_shipment_tracking_items",
            [
                {"tracking_provider": "usps", "tracking_number": "9400", "date_shipped": "1795500000"},
                {
                    "tracking_provider": "",
                    "custom_tracking_provider": "Dropp",
                    "tracking_number": "DR1",
                    "date_shipped": "",
                },
                {"tracking_provider": "usps", "tracking_number": ""},
            ],
        )
    )
    assert found.shipments == (
        Shipment(number="9400", carrier="usps", shipped_at=datetime(2026, 11, 24, 6, 0, tzinfo=UTC)),
        Shipment(number="DR1", carrier="Dropp"),
    )


@pytest.mark.parametrize("value", ["9400", 7, None, {"a": "b"}, [["x"]]])
def test_parcels_in_a_shape_that_is_not_known_are_not_there(value):
    assert translated(**meta("_wc_shipment_tracking_items", value)).shipments == ()


def lines(*each: tuple[int, dict[str, Any]]) -> dict[str, Any]:
    first = recorded_order("plain")["line_items"][0]
    return {
        "line_items": [
            {
                **first,
                "id": line_id,
                "meta_data": [{"key": key, "value": value} for key, value in more.items() if key[0] == "_"],
                **{key: value for key, value in more.items() if key[0] != "_"},
            }
            for line_id, more in each
        ]
    }


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([(1, {"_bundle_cart_key": "k"}), (2, {"_bundled_by": "k"}), (3, {})], [0, 1, 0]),
        ([(1, {"bundled_items": [2]}), (2, {"bundled_by": 1}), (3, {"bundled_by": ""})], [0, 1, 0]),
        ([(1, {"_composite_cart_key": "k"}), (2, {"_composite_parent": "k"})], [0, 1]),
        ([(1, {}), (2, {"_bundled_by": "k"}), (3, {"bundled_by": 99})], [0, 0, 0]),
        ([(1, {"bundled_by": 2}), (2, {"bundled_by": 1}), (3, {"bundled_by": 3})], [0, 0, 0]),
    ],
)
def test_a_line_tells_which_bundle_it_is_a_part_of(each, expected):
    assert [line.bundled_by for line in translated(**lines(*each)).lines] == expected


def test_each_day_has_its_own_distance_from_utc():
    found = translated(
        date_paid="2026-07-01T10:00:00",
        date_paid_gmt="2026-07-01T17:00:00",
        date_completed="2026-12-01T10:00:00",
        date_completed_gmt="2026-12-01T18:00:00",
    )
    assert (found.paid_offset_seconds, found.completed_offset_seconds) == (-7 * 3600, -8 * 3600)
