"""What stands at the head of a receipt: comments, days, shipping, who and where."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.marks import Mark
from queue_store.payloads import Address, Order
from queue_store.settings import Settings

COMMENTS_LENGTH = 2000
_PROMO_CODE = 10
_TRACKING_NUMBER = 50


def header(order: Order, mark: Mark, company: Settings, store: Settings, fitting: Fitting) -> dict[str, Any]:
    """All of a sale's fields before its lines, but for its customer and its tax category."""
    return {
        "Associate": fitting.text("Associate", company["documents.associate"], 40),
        "Cashier": fitting.text("Cashier", company["documents.cashier"], 16),
        "Comments": comments(order, mark, company, store, fitting),
        "PriceLevelNumber": company["documents.price_level"] or None,
        "PromoCode": promo_code(order, fitting),
        "ShipDate": ship_date(order, company["documents.ship_date"]),
        "StoreNumber": company["documents.store_number"],
        "TrackingNumber": tracking_number(order, mark, fitting),
        "TxnDate": day_of(order, company["documents.date"]),
        "Workstation": company["documents.workstation"],
        "ShippingInformation": shipping_information(order, company, fitting),
    }


def comments(order: Order, mark: Mark, company: Settings, store: Settings, fitting: Fitting) -> str | None:
    """The mark first, by which the receipt is found again; then what a person wants to know."""
    said = [f"{mark} Order {store['orders.number_prefix']}{order.number}"]
    codes = [coupon.code for coupon in order.coupon_lines if coupon.code]
    if codes:
        said.append(f"{'Coupon' if len(codes) == 1 else 'Coupons'} {', '.join(codes)}")
    most = company["documents.note_length"]
    note = fitting.text("customer_note", order.customer_note.strip(), most) if most else None
    if note:
        said.append(f"Note: {note}")
    return fitting.text("Comments", "; ".join(said), COMMENTS_LENGTH)


def promo_code(order: Order, fitting: Fitting) -> str | None:
    """The code of the order's only coupon, where the field has room for all of it."""
    codes = [coupon.code for coupon in order.coupon_lines if coupon.code]
    if len(codes) != 1 or len(codes[0]) > _PROMO_CODE:
        return None
    fitted = fitting.text("PromoCode", codes[0], _PROMO_CODE)
    return fitted if fitted == codes[0] else None


def tracking_number(order: Order, mark: Mark, fitting: Fitting) -> str:
    """The shop's own where a plugin notes one, several if they fit; else the mark."""
    numbers = [parcel.number for parcel in order.shipments]
    if not numbers:
        return str(mark)
    several = ", ".join(numbers)
    shown = several if len(several) <= _TRACKING_NUMBER else numbers[0]
    return fitting.text("TrackingNumber", shown, _TRACKING_NUMBER) or str(mark)


def day_of(order: Order, which: str) -> date:
    """The day on which it was "ordered", "paid" or "completed", as the shop's own clock showed it."""
    moments: dict[str, tuple[datetime | None, int]] = {
        "ordered": (order.created_at, order.utc_offset_seconds),
        "paid": (order.paid_at, order.paid_offset_seconds),
        "completed": (order.completed_at, order.completed_offset_seconds),
    }
    moment, offset = moments[which]
    if moment is None:
        moment, offset = order.created_at, order.utc_offset_seconds
    return (moment + timedelta(seconds=offset)).date()


def ship_date(order: Order, which: str) -> date | None:
    """The day of shipping by the setting; None where it is not known yet."""
    if which == "shipped":
        shipped = next((parcel.shipped_at for parcel in order.shipments if parcel.shipped_at), None)
        if shipped is not None:
            # Shipment Tracking keeps the day that was typed as midnight in UTC, wherever the shop is.
            return shipped.date()
        which = "completed"
    known = {"ordered": order.created_at, "paid": order.paid_at, "completed": order.completed_at}
    return day_of(order, which) if known.get(which) else None


def ship_by(order: Order, which: str) -> str:
    """The shop's shipping methods, or the carrier of its parcels."""
    if which == "none":
        return ""
    methods = ", ".join(line.title for line in order.shipping_lines if line.title)
    if which == "method":
        return methods
    carriers = dict.fromkeys(parcel.carrier for parcel in order.shipments if parcel.carrier)
    return ", ".join(carriers) or methods


def shipping_information(order: Order, company: Settings, fitting: Fitting) -> Mapping[str, object] | None:
    """Where it goes, or None where the order names nowhere."""
    address: Address = order.shipping
    name = f"{address.first_name} {address.last_name}".strip()
    if not (address.line1 or address.city or address.postcode or name):
        return None
    return {
        "City": fitting.text("City", address.city, 31),
        "CompanyName": fitting.text("CompanyName", address.company, 41),
        "Country": fitting.text("Country", address.country, 32),
        "FullName": fitting.text("FullName", name, 40),
        "Phone": fitting.text("Phone", address.phone or order.billing.phone, 40),
        "PostalCode": fitting.text("PostalCode", address.postcode, 10),
        "ShipBy": fitting.text("ShipBy", ship_by(order, company["documents.ship_by"]), 50),
        "State": fitting.text("State", address.state, 21),
        "Street": fitting.text("Street", address.line1, 41),
        "Street2": fitting.text("Street2", address.line2, 41),
    }
