"""What stands at the head of a receipt, by the settings."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from lxml import etree

from qbwc_service.marks import Mark
from queue_store.payloads import Address, CouponLine, Order, Shipment
from queue_store.settings import Settings
from tests.making_orders import company, line, order, shipping, store
from tests.writing_receipts import prepare_receipt


def head(found: Order, settings: Settings | None = None, shop: Settings | None = None) -> dict[str, str]:
    """The receipt's own fields, by name."""
    prepared = prepare_receipt(found, Mark("WMAIN", "71", 1), settings or company(), shop or store())
    (receipt,) = etree.fromstring(prepared.fill(dict.fromkeys(prepared.parts[1::2], "1")))
    fields = {child.tag: child.text or "" for child in receipt if not len(child)}
    for child in (
        receipt.find("ShippingInformation") if receipt.find("ShippingInformation") is not None else ()
    ):
        fields[child.tag] = child.text or ""
    return fields


SOLD = order(line("10.00"), total="10.00")


def sold(**more: object) -> Order:
    return order(line("10.00"), total="10.00", **more)


def test_only_what_is_certain_is_written_by_default():
    assert head(SOLD) == {
        "Comments": "WMAIN-71/1 Order 71",
        "CustomerListID": "1",
        "SalesReceiptType": "Sales",
        "TrackingNumber": "WMAIN-71/1",
        "TxnDate": "2026-11-22",
    }


def test_settings_name_store_workstation_cashier_associate_and_price_level():
    found = head(
        SOLD,
        company(
            documents__store_number="2",
            documents__workstation="7",
            documents__cashier="Web",
            documents__associate="Web Shop",
            documents__price_level="3",
        ),
        store(orders__number_prefix="NY-"),
    )
    assert found["StoreNumber"] == "2"
    assert found["Workstation"] == "7"
    assert found["Cashier"] == "Web"
    assert found["Associate"] == "Web Shop"
    assert found["PriceLevelNumber"] == "3"
    assert found["Comments"] == "WMAIN-71/1 Order NY-71"


def coupons(*codes: str) -> tuple[CouponLine, ...]:
    return tuple(CouponLine(code=code, discount=Decimal(1)) for code in codes)


@pytest.mark.parametrize(
    ("codes", "comments", "promo_code"),
    [
        (("tenpct",), "; Coupon tenpct", "tenpct"),
        (("tenpct", "item2"), "; Coupons tenpct, item2", None),
        (("elevenchars",), "; Coupon elevenchars", None),
        (("скидка",), "; Coupon skidka", None),
    ],
)
def test_coupon_codes_are_in_the_comments_and_a_single_short_one_is_the_promo_code(
    codes, comments, promo_code
):
    found = head(sold(coupon_lines=coupons(*codes)))
    assert found["Comments"] == f"WMAIN-71/1 Order 71{comments}"
    assert found.get("PromoCode") == promo_code


def test_a_customers_note_is_in_the_comments_as_far_as_the_setting_goes():
    found = sold(customer_note="Ring twice\r\nbeware of the dog ")
    assert head(found)["Comments"] == "WMAIN-71/1 Order 71; Note: Ring twice beware of the dog"
    assert head(found, company(documents__note_length="10"))["Comments"].endswith("; Note: Ring twice")
    assert head(found, company(documents__note_length="0"))["Comments"] == "WMAIN-71/1 Order 71"


def test_comments_never_grow_beyond_the_field_and_the_mark_stays_first():
    long = sold(customer_note="x" * 1500, coupon_lines=coupons(*("c" * 90 for _ in range(20))))
    found = head(long, company(documents__note_length="1500"))["Comments"]
    assert len(found) == 2000
    assert found.startswith("WMAIN-71/1 ")


PARCELS = (
    Shipment(number="1Z999", carrier="UPS", shipped_at=datetime(2026, 11, 24, 7, tzinfo=UTC)),
    Shipment(number="1Z998", carrier="UPS"),
)


def test_the_shops_tracking_number_stands_where_the_mark_would():
    assert head(sold(shipments=PARCELS))["TrackingNumber"] == "1Z999, 1Z998"
    many = tuple(Shipment(number=f"PARCEL-{n:020}") for n in range(3))
    assert head(sold(shipments=many))["TrackingNumber"] == f"PARCEL-{0:020}"
    assert head(sold(shipments=PARCELS))["Comments"].split()[0] == "WMAIN-71/1"


def test_days_are_those_of_the_shops_own_clock_at_that_time():
    # 30 minutes after midnight in UTC are still the day before in New York, in summer and in winter.
    found = sold(
        created_at=datetime(2026, 10, 31, 4, 30, tzinfo=UTC),
        utc_offset_seconds=-4 * 3600,
        paid_at=datetime(2026, 11, 2, 4, 30, tzinfo=UTC),
        paid_offset_seconds=-5 * 3600,
    )
    assert head(found)["TxnDate"] == "2026-10-31"
    assert head(found, company(documents__date="paid"))["TxnDate"] == "2026-11-01"
    assert head(found, company(documents__date="completed"))["TxnDate"] == "2026-10-31"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("none", None),
        ("ordered", date(2026, 11, 22)),
        ("paid", None),
        ("completed", date(2026, 11, 23)),
        ("shipped", date(2026, 11, 24)),
    ],
)
def test_the_day_of_shipping_is_named_where_it_is_known(setting, expected):
    found = sold(completed_at=datetime(2026, 11, 23, 12, tzinfo=UTC), shipments=PARCELS)
    shown = head(found, company(documents__ship_date=setting)).get("ShipDate")
    assert shown == (expected.isoformat() if expected else None)


@pytest.mark.parametrize(
    ("setting", "expected"), [("none", None), ("method", "Post, Insurance"), ("carrier", "UPS")]
)
def test_the_way_of_shipping_is_the_method_or_the_carrier(setting, expected):
    found = order(
        line("10.00"),
        total="17.00",
        shipping=Address(city="Austin"),
        shipping_lines=(shipping("5.00"), shipping("2.00", title="Insurance")),
        shipments=PARCELS,
    )
    assert head(found, company(documents__ship_by=setting)).get("ShipBy") == expected


def test_the_address_is_cut_to_the_receipts_own_lengths():
    address = Address(
        first_name="A" * 30,
        last_name="B" * 30,
        line1="S" * 50,
        city="Łódź",
        postcode="1234567890123",
        country="PL",
    )
    found = head(sold(shipping=address))
    assert found["FullName"] == f"{'A' * 30} {'B' * 9}"
    assert (found["Street"], found["PostalCode"], found["City"]) == ("S" * 41, "1234567890", "Lódz")
