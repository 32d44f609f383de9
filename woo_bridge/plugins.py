"""What widely used plugins add to an order: gift cards redeemed, parcels, bundles.

Each writes in a shape of its own, and shapes change with versions. What is
money is read or the order is refused: nobody may lose a payment because a
plugin was updated. A parcel or a bundle that cannot be read is not there.

Shapes: Gift Cards (`gift_cards`: code, amount), PW Gift Cards
(`pw_gift_cards_redeemed`: number, amount), YITH Gift Cards and Smart Coupons
(meta, amount by code), Advanced Coupons (meta, amount); Shipment Tracking (meta
`_wc_shipment_tracking_items`); Product Bundles (meta `_bundled_by`,
`_bundle_cart_key`, and `bundled_by`), Composite Products.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from queue_store.payloads import Redeemed, Shipment
from woo_bridge import raw

_any = msgspec.json.Decoder()

#: Meta data of an order that holds amounts by code, and whether the lines' totals may hold them already.
_BY_CODE = {"_ywgc_applied_gift_cards": False, "smart_coupons_contribution": True}
#: Meta data of an order that holds one amount of store credit, bare or as `amount`.
_CREDIT = "acfw_store_credits_order_paid"
_SHIPMENTS = "_wc_shipment_tracking_items"
#: Meta data of lines: what a bundle is called, and what its parts call it.
_BUNDLE_KEYS = ("_bundle_cart_key", "_composite_cart_key")
_PART_KEYS = ("_bundled_by", "_composite_parent")
_MOST = 100


class Unreadable(Exception):
    """A plugin's field about money has an unknown shape. Attributes: `field`, `problem`."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def redeemed(order: raw.RawOrder) -> tuple[Redeemed, ...]:
    """What gift cards and store credit paid, zeros left out. Raises Unreadable."""
    found = [
        *_listed("gift_cards", order.gift_cards, "code"),
        *_listed("pw_gift_cards_redeemed", order.pw_gift_cards_redeemed, "number"),
    ]
    for meta in raw.each(order.meta_data):
        key = meta.key if isinstance(meta.key, str) else ""
        if key in _BY_CODE:
            found += _by_code(key, _value(key, meta.value), may_be_in_lines=_BY_CODE[key])
        elif key == _CREDIT:
            credit = _value(key, meta.value)
            amount = credit.get("amount") if isinstance(credit, dict) else credit
            found.append(Redeemed(amount=_amount(key, amount)))
    return tuple(card for card in found if card.amount)


def _listed(field: str, value: msgspec.Raw, code: str) -> Iterator[Redeemed]:
    if bytes(value) in (b"null", b"[]"):
        return
    for card in _members(field, _value(field, value)):
        if not isinstance(card, dict) or "amount" not in card:
            raise Unreadable(field, "a gift card has no amount")
        yield Redeemed(code=_masked(card.get(code)), amount=_amount(field, card["amount"]))


def _by_code(field: str, value: Any, *, may_be_in_lines: bool) -> Iterator[Redeemed]:
    if not value:
        return
    if not isinstance(value, dict):
        raise Unreadable(field, "amounts by code are expected")
    for code, amount in value.items():
        yield Redeemed(code=_masked(code), amount=_amount(field, amount), may_be_in_lines=may_be_in_lines)


def _members(field: str, value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list):
        return value
    raise Unreadable(field, "a list is expected")


def _value(field: str, value: msgspec.Raw) -> Any:
    try:
        return _any.decode(value)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable(field, "it cannot be read") from error


def _amount(field: str, value: object) -> Decimal:
    if value is not None and not isinstance(value, str | int | float):
        raise Unreadable(field, "an amount is expected")
    try:
        amount = raw.amount(value)
    except ValueError as error:
        raise Unreadable(field, str(error)) from error
    if amount < 0:
        raise Unreadable(field, f"{amount} is negative")
    return amount


def _masked(code: object) -> str:
    text = raw.line(code if isinstance(code, str | int) else "")
    return f"*{text[-4:]}" if text else ""


def shipments(order: raw.RawOrder) -> tuple[Shipment, ...]:
    """The parcels with a number, in the plugin's order."""
    for meta in raw.each(order.meta_data):
        if meta.key == _SHIPMENTS:
            try:
                value = _any.decode(meta.value)
            except (msgspec.DecodeError, RecursionError):
                return ()
            members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            parcels = [_shipment(one) for one in list(members)[:_MOST] if isinstance(one, dict)]
            return tuple(parcel for parcel in parcels if parcel.number)
    return ()


def _shipment(one: Mapping[str, Any]) -> Shipment:
    carrier = _text(one.get("tracking_provider")) or _text(one.get("custom_tracking_provider"))
    return Shipment(
        number=_text(one.get("tracking_number")),
        carrier=carrier,
        shipped_at=_unix(one.get("date_shipped")),
    )


def _text(value: object) -> str:
    return raw.line(value) if isinstance(value, str | int) else ""


def _unix(value: object) -> datetime | None:
    """Seconds since 1970, as a number or a text."""
    text = _text(value)
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 10):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def bundles(order: raw.RawOrder) -> Mapping[int, int]:
    """The line id of its bundle for every line that is a part of one; no line is a part of itself."""
    lines = list(raw.each(order.line_items))
    names: dict[str, int] = {}
    parts: dict[int, str] = {}
    found: dict[int, int] = {}
    ids = {line.id for line in lines}
    for line in lines:
        bundle = _id(line.bundled_by)
        if bundle in ids and bundle != line.id:
            found[line.id] = bundle
        for meta in raw.each(line.meta_data):
            if meta.key in _BUNDLE_KEYS:
                names[_name(meta)] = line.id
            elif meta.key in _PART_KEYS:
                parts[line.id] = _name(meta)
    for line_id, name in parts.items():
        bundle = names.get(name, 0) if name else 0
        if bundle and bundle != line_id:
            found.setdefault(line_id, bundle)
    return {line_id: bundle for line_id, bundle in found.items() if not _turns_round(line_id, found)}


def _turns_round(line_id: int, found: Mapping[int, int]) -> bool:
    """True where the way up from a line has no end."""
    above: int | None = line_id
    for _ in range(len(found) + 1):
        above = found.get(above) if above is not None else None
    return above is not None


def _id(value: int | str | None) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 17 else 0


def _name(meta: raw.RawMeta) -> str:
    try:
        return _text(_any.decode(meta.value))
    except (msgspec.DecodeError, RecursionError):
        return ""
