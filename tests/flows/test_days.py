"""A receipt bears the day of the shop's own calendar: around midnight, and where its clock is set forward or back."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.harness import House, numbered, recorded_order
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

#: Moments in UTC around both changes of the clock and around a midnight of each zone, at the second.
_BERLIN = ("2026-03-28T22:59:59", "2026-03-28T23:00:00", "2026-03-29T00:59:59", "2026-03-29T01:00:00",
           "2026-03-29T21:59:59", "2026-03-29T22:00:00", "2026-10-24T21:59:59", "2026-10-24T22:00:00",
           "2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-25T22:59:59", "2026-10-25T23:00:00")  # fmt: skip
_NEW_YORK = ("2026-03-08T04:59:59", "2026-03-08T05:00:00", "2026-03-08T06:59:59", "2026-03-08T07:00:00",
             "2026-03-09T03:59:59", "2026-03-09T04:00:00", "2026-11-01T03:59:59", "2026-11-01T04:00:00",
             "2026-11-01T05:30:00", "2026-11-01T06:30:00", "2026-11-02T04:59:59", "2026-11-02T05:00:00")  # fmt: skip
_KOLKATA = ("2026-12-31T18:29:59", "2026-12-31T18:30:00", "2028-02-28T18:29:59", "2028-02-29T18:30:00")  # fmt: skip
_MOMENTS = {"Europe/Berlin": _BERLIN, "America/New_York": _NEW_YORK, "Asia/Kolkata": _KOLKATA}
_STAMPS = {"ordered": "date_created", "paid": "date_paid", "completed": "date_completed"}


def stamps(name: str, moment: datetime | None, zone: ZoneInfo) -> dict[str, str | None]:
    """A date as WooCommerce writes it: in the shop's time, and in GMT, neither with a zone."""
    if moment is None:
        return {name: None, f"{name}_gmt": None}
    local = moment.astimezone(zone).replace(tzinfo=None)
    return {name: local.isoformat(), f"{name}_gmt": moment.replace(tzinfo=None).isoformat()}


def written(house: House, order: dict[str, Any]) -> Any:
    """The receipt of an order, as it stands in the books."""
    house.take(order)
    house.run_until_quiet()
    assert house.states() == ["succeeded"], house.activities()[0].sentence
    (receipt,) = house.our_receipts()
    return receipt


@pytest.mark.parametrize("zone", _MOMENTS)
def test_days_are_those_of_the_shops_own_calendar(house: House, zone: str) -> None:
    there, expected = ZoneInfo(zone), {}
    for which, name in _STAMPS.items():
        house.set("documents.date", which)
        house.set("documents.ship_date", which)
        for moment in _MOMENTS[zone]:
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            order = numbered(recorded_order("plain"), 1000 + len(expected), status="completed")
            for other in (*_STAMPS.values(), "date_modified"):
                # The others lie half a year away, where the clock differs by an hour.
                order |= stamps(other, at if other == name else at - timedelta(days=180), there)
            house.take(order)
            expected[f"WMAIN-{order['id']}/1"] = at.astimezone(there).date()
        house.run_until_quiet()
    receipts = house.our_receipts()
    assert {one.comments.split()[0]: one.txn_date for one in receipts} == expected
    assert {one.comments.split()[0]: one.ship_date for one in receipts} == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata"])
def test_the_day_of_shipping_is_the_one_that_was_typed_into_the_tracking_plugin(
    house: House, zone: str
) -> None:
    """Shipment Tracking keeps a day as midnight in UTC, wherever the shop is."""
    typed = datetime(2026, 11, 25, tzinfo=UTC)
    parcel = {
        "tracking_provider": "ups",
        "tracking_number": "1Z1",
        "date_shipped": str(int(typed.timestamp())),
    }
    order = {
        **recorded_order("plain"),
        **stamps("date_created", datetime(2026, 11, 24, 12, tzinfo=UTC), ZoneInfo(zone)),
    }
    order["meta_data"] = [{"id": 1, "key": "_wc_shipment_tracking_items", "value": [parcel]}]
    house.set("documents.ship_date", "shipped")
    assert written(house, order).ship_date == date(2026, 11, 25)


@pytest.mark.parametrize(("zone", "day"), [("America/New_York", 24), ("Asia/Kolkata", 25)])
def test_an_order_whose_gmt_date_is_missing_has_the_day_that_the_shop_shows(
    house: House, zone: str, day: int
) -> None:
    there = ZoneInfo(zone)
    order = recorded_order("plain") | stamps("date_paid", datetime(2026, 11, 25, 2, tzinfo=UTC), there)
    order |= stamps("date_created", datetime(2026, 11, 25, 2, tzinfo=UTC), there)
    order["date_created_gmt"] = None
    assert written(house, order).txn_date == date(2026, 11, day)


def test_a_day_that_quickbooks_cannot_hold_fails_its_order_and_no_other(house: House) -> None:
    days = ("1969-12-30T12:00:00", "2039-02-01T00:00:00", "9998-12-31T23:59:59")
    house.set_store("orders.since", "1960-01-01")
    for n, moment in enumerate(days):
        house.take(numbered(recorded_order("plain"), 900 + n, date_created_gmt=moment, date_created=moment))
    house.take(recorded_order("plain"))
    house.run_until_quiet()
    *failed, sent = house.activities()
    assert sent.state == "succeeded"
    for one in failed:
        assert one.state == "failed"
        assert one.payload
        assert "TxnDate" in one.sentence


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59", "0000-00-00T00:00:00", "soon"]
)
def test_a_moment_that_no_calendar_can_hold_names_its_field(moment: str) -> None:
    order = recorded_order("plain") | {"date_created_gmt": moment}
    with pytest.raises(Untranslatable, match=f"date_created_gmt: '{moment}' is not a date"):
        translate_order(json.dumps(order).encode())
