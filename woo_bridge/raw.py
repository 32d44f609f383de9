"""WooCommerce's own JSON shapes, as far as they are wanted, and the values inside them.

Decoding straight into these Structs skips everything else in a body and
validates types on the way. They are lenient where shops differ: an amount may
be a string or a number, a list with holes arrives as an object (PHP's arrays),
a SKU may be null. Source: REST API v3 as recorded from WooCommerce 11.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from queue_store.payloads import Address

T = TypeVar("T")

#: Ids of WordPress are unsigned 64-bit; what JSON can carry exactly everywhere is 53.
RecordId = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
#: Money is a string of the shop's number of decimals; "" on taxes that a rate does not levy.
RawAmount = str | int | float
#: PHP's arrays with holes are written as objects.
Many = list[T] | dict[str, T]


class RawAddress(msgspec.Struct):
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | int | None = None
    country: str | None = None
    email: str | None = None
    phone: str | int | None = None


class RawMeta(msgspec.Struct):
    key: str | int | None = None
    #: Anything at all; decoded only where the key is ours to read.
    value: msgspec.Raw = msgspec.Raw(b"null")


class RawTax(msgspec.Struct):
    id: RecordId | str = 0
    total: RawAmount | None = None


class RawLine(msgspec.Struct):
    id: RecordId
    total: RawAmount
    quantity: Decimal
    subtotal: RawAmount | None = None
    total_tax: RawAmount | None = None
    #: Of one piece, computed by the shop from the total as it keeps it; null where there are no pieces.
    price: object = None
    product_id: RecordId | None = 0
    variation_id: RecordId | None = 0
    sku: str | int | None = None
    name: str | None = None
    tax_class: str | None = None
    taxes: Many[RawTax] = []
    meta_data: Many[RawMeta] = []
    #: Written by bundle plugins: the id of the line that this one is a part of, or "".
    bundled_by: RecordId | str | None = None


class RawShipping(msgspec.Struct):
    id: RecordId
    total: RawAmount
    total_tax: RawAmount | None = None
    method_title: str | None = None
    method_id: str | None = None
    taxes: Many[RawTax] = []


class RawFee(msgspec.Struct):
    id: RecordId
    total: RawAmount
    total_tax: RawAmount | None = None
    name: str | None = None
    tax_status: str | None = None
    taxes: Many[RawTax] = []


class RawCoupon(msgspec.Struct):
    code: str | int | None = None
    discount: RawAmount | None = None
    discount_tax: RawAmount | None = None


class RawTaxLine(msgspec.Struct):
    rate_id: RecordId | str = 0
    rate_code: str | int | None = None
    label: str | None = None
    compound: bool = False
    #: A JSON number; as Decimal it keeps the digits that were written.
    rate_percent: Decimal | None = None
    tax_total: RawAmount | None = None
    shipping_tax_total: RawAmount | None = None


class RawRefund(msgspec.Struct):
    id: RecordId
    total: RawAmount
    reason: str | None = None


class RawRefundedShipping(RawShipping):
    meta_data: Many[RawMeta] = []


class RawRefundedFee(RawFee):
    meta_data: Many[RawMeta] = []


class RawWholeRefund(msgspec.Struct):
    """A refund with its lines, whose totals and quantities are negative; an order lists summaries only."""

    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    #: Positive.
    amount: RawAmount
    date_created: str | None = None
    date_created_gmt: str | None = None
    reason: str | None = None
    line_items: Many[RawLine] = []
    shipping_lines: Many[RawRefundedShipping] = []
    fee_lines: Many[RawRefundedFee] = []


class RawOrder(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    status: str
    currency: str
    total: RawAmount
    line_items: Many[RawLine]
    number: str | int | None = None
    prices_include_tax: bool = False
    date_created: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    date_paid: str | None = None
    date_paid_gmt: str | None = None
    date_completed: str | None = None
    date_completed_gmt: str | None = None
    customer_id: RecordId | None = 0
    billing: RawAddress | list[Any] | None = None
    shipping: RawAddress | list[Any] | None = None
    payment_method: str | None = None
    payment_method_title: str | None = None
    transaction_id: str | int | None = None
    total_tax: RawAmount | None = None
    discount_total: RawAmount | None = None
    discount_tax: RawAmount | None = None
    shipping_total: RawAmount | None = None
    shipping_tax: RawAmount | None = None
    shipping_lines: Many[RawShipping] = []
    fee_lines: Many[RawFee] = []
    coupon_lines: Many[RawCoupon] = []
    tax_lines: Many[RawTaxLine] = []
    refunds: Many[RawRefund] = []
    customer_note: str | None = None
    created_via: str | None = None
    meta_data: Many[RawMeta] = []
    #: Written by gift card plugins, each in its own shape; see `plugins.redeemed`.
    gift_cards: msgspec.Raw = msgspec.Raw(b"null")
    pw_gift_cards_redeemed: msgspec.Raw = msgspec.Raw(b"null")


class RawCustomer(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    billing: RawAddress | list[Any] | None = None
    shipping: RawAddress | list[Any] | None = None
    date_modified_gmt: str | None = None


class RawIdentity(msgspec.Struct):
    """What can be told of any record, also of one that cannot be translated."""

    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None
    number: str | int | None = None
    date_modified_gmt: str | None = None
    #: Present on error objects, which carry no id.
    code: str | int | None = None
    message: str | None = None


_identity = msgspec.json.Decoder(RawIdentity)
_any = msgspec.json.Decoder()

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_BREAKING_TAG = re.compile(r"<(?:br|/p|/div|/li|/tr)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_SPACES = re.compile(r"\s+")
_AMOUNT = re.compile(r"-?\d{1,15}(?:\.\d{1,10})?")
_MOST = Decimal(10) ** 15


def identify(body: bytes) -> RawIdentity | None:
    """Id and stamp of a record whatever its shape is; None if not even those can be read."""
    try:
        return _identity.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def is_json(body: bytes) -> bool:
    """True if `body` is JSON of a sane depth."""
    try:
        _any.decode(body)
    except msgspec.ValidationError:
        return True  # well formed, but a number beyond all bounds
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def line(value: str | int | None) -> str:
    """One line of plain text: no control characters, trimmed."""
    if not value:
        return "" if value is None else str(value)
    if isinstance(value, int):
        return str(value)
    if value.isprintable():
        return value.strip()
    return _CONTROL.sub(" ", value).strip()


@lru_cache(maxsize=4096)
def title(value: str | None) -> str:
    """One line of what the shop keeps as HTML, such as a product's name: `12" pipe &amp; hose <br>`."""
    if not value:
        return ""
    if "<" in value:
        # Tags first: &lt;b&gt; is text that somebody wants to be read.
        value = _TAG.sub("", _BREAKING_TAG.sub(" ", value))
    if "&" in value:
        value = html.unescape(value)
    return _SPACES.sub(" ", _CONTROL.sub(" ", value)).strip()


def note(value: str | None) -> str:
    """Text that keeps its line breaks."""
    if not value or value.isprintable():
        return value or ""
    return _CONTROL_BUT_BREAKS.sub("", value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


@lru_cache(maxsize=16384)
def amount(value: RawAmount | None) -> Decimal:
    """An amount or quantity; "" and null are nothing. Raises ValueError."""
    if isinstance(value, str):
        if _AMOUNT.fullmatch(value):
            return Decimal(value)
        if not value.strip():
            return Decimal(0)
    elif value is None:
        return Decimal(0)
    try:
        # repr is the shortest text that means this float, which is what PHP wrote.
        number = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        raise ValueError(f"{_shown(value)} is not an amount") from None
    return bounded(number)


def bounded(number: Decimal) -> Decimal:
    """`number` with at most 10 decimals (PHP's floats leave dust behind). Raises ValueError."""
    if not number.is_finite() or abs(number) >= _MOST:
        raise ValueError(f"{_shown(number)} is not an amount")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and (exponent < -10 or exponent > 0):
        return round(number, 10).normalize() + 0
    return number


def moment(value: str | None) -> datetime | None:
    """A GMT stamp of the shop ("2026-11-22T00:26:22", without zone) as aware UTC. Raises ValueError."""
    if not value:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{_shown(value)} is not a date") from None
    if not MINYEAR < parsed.year < MAXYEAR:
        # Its day elsewhere would be beyond the calendar.
        raise ValueError(f"{_shown(value)} is not a date")
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def utc_offset(local: str | None, gmt: str | None) -> int:
    """Seconds east of UTC, from one moment written both ways; 0 where that cannot be told."""
    if not local or not gmt:
        return 0
    try:
        first, second = datetime.fromisoformat(local), datetime.fromisoformat(gmt)
        seconds = int((first.replace(tzinfo=None) - second.replace(tzinfo=None)).total_seconds())
    except ValueError:
        return 0
    return seconds if abs(seconds) <= 15 * 3600 else 0


def each(many: list[T] | dict[str, T]) -> Iterable[T]:
    """The members of a list, which PHP may have written as an object."""
    return many if isinstance(many, list) else many.values()


def rate_id(value: int | str) -> int:
    """The id of a tax rate; 0 for what a tax plugin names by words."""
    if isinstance(value, int):
        return value
    return int(value) if value.isascii() and value.isdigit() and len(value) < 17 else 0


def address(raw: RawAddress | list[Any] | None) -> Address:
    """A billing or shipping address. Names and companies are plain text in the shop, never HTML."""
    if not isinstance(raw, RawAddress):
        return Address()
    return Address(
        first_name=line(raw.first_name),
        last_name=line(raw.last_name),
        company=line(raw.company),
        line1=line(raw.address_1),
        line2=line(raw.address_2),
        city=line(raw.city),
        state=line(raw.state),
        postcode=line(raw.postcode),
        country=line(raw.country),
        email=line(raw.email),
        phone=line(raw.phone),
    )


def _shown(value: object) -> str:
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "...")
