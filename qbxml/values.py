"""Python values to QuickBooks' text and back, the only place where this happens.

Writing is strict: nothing is rounded, cut or guessed. Reading is tolerant,
since Point of Sale does not keep to its own grammar ("True", blanks, "4.00"
for a whole number).

| simple type | Python |
| --- | --- |
| STRTYPE, UUIDTYPE, TIMEINTERVALTYPE | str |
| ENUMTYPE | str; the words are the caller's to check |
| BOOLTYPE | bool |
| INTTYPE | int |
| AMTTYPE, PRICETYPE, QUANTYPE, PERCENTTYPE, FLOATTYPE | Decimal or int, never float |
| DATETYPE | datetime.date |
| DATETIMETYPE | aware datetime, or `WallClock` |
| IDTYPE, GUIDTYPE, MACROTYPE | str |

Sources: the SDK's qbxmltypes130.xsd, and recorded Point of Sale answers.
Errors raised here have an empty `path`; who knows the place puts it in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TypeAlias

from .errors import OutOfRange, TooPrecise, ValueTooLong, WrongType

ToText: TypeAlias = Callable[[object], str]

#: DATETIMETYPE ends where 32 bits of seconds end; DATETYPE is kept to the same years.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)
_AMOUNT_DIGITS, _QUANTITY_DIGITS = 13, 10
_LONGEST_ID = 36
_ZERO = Decimal(0)

_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}|0")
_MACRO = re.compile(r"(?:TxnID|ListID):[^\s&<>\"']+")
_POS_ID = re.compile(r"-?[0-9]{1,19}")
_INTERVAL = re.compile(r"-?PT(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?")
_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WHOLE_NUMBER = re.compile(r"([+-]?[0-9]+)(?:\.0*)?")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


@dataclass(frozen=True, slots=True)
class WallClock:
    """A moment written without its offset, as the clock of the QuickBooks computer shows it.

    Desktop compares FromModifiedDate with local time and misreads offsets in
    summer. `moment` is aware, in the time zone of that computer.
    """

    moment: datetime


# Writing


def string_text(value: object) -> str:
    """STRTYPE: the text itself."""
    if not isinstance(value, str):
        raise WrongType("", value, "STRTYPE")
    # Of a StrEnum the plain text.
    return value if type(value) is str else str.__str__(value)


def boolean_text(value: object) -> str:
    """BOOLTYPE: `true` or `false`."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    raise WrongType("", value, "BOOLTYPE")


def integer_text(value: object) -> str:
    """INTTYPE: digits."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise WrongType("", value, "INTTYPE")
    return format(value, "d")


def amount_text(value: object) -> str:
    """AMTTYPE: exactly two decimals; a third significant one is refused."""
    number = _number(value, "AMTTYPE")
    text = f"{number:.2f}"
    if Decimal(text) != number:
        raise TooPrecise("", value, 2)
    return _without_minus_zero(text, value, _AMOUNT_DIGITS)


def price_text(value: object) -> str:
    """PRICETYPE, QUANTYPE, PERCENTTYPE: at most five decimals, none added."""
    number = _number(value, "number of at most five decimals")
    text = f"{number:f}"
    if len(text) - text.find(".") > 6 and "." in text:
        text = f"{number:.5f}"
        if Decimal(text) != number:
            raise TooPrecise("", value, 5)
    return _without_minus_zero(text, value, _QUANTITY_DIGITS)


def float_text(value: object) -> str:
    """FLOATTYPE: plain decimal, no exponent."""
    return _without_minus_zero(f"{_number(value, 'FLOATTYPE'):f}", value, _AMOUNT_DIGITS)


def date_text(value: object) -> str:
    """DATETYPE: `2026-01-31`."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise WrongType("", value, "DATETYPE")
    if not _EARLIEST.year <= value.year <= _LATEST.year:
        raise OutOfRange("", value, _EARLIEST.date(), _LATEST.date())
    return value.isoformat()


def moment_text(value: object) -> str:
    """DATETIMETYPE: `2026-01-31T13:05:00+00:00`, fractions cut off.

    Cutting moves a moment back by less than a second, so that a lower bound
    in a filter still includes what it should.
    """
    moment = value.moment if isinstance(value, WallClock) else value
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise WrongType("", value, "DATETIMETYPE with a time zone")
    if not _EARLIEST <= moment <= _LATEST:
        raise OutOfRange("", moment, _EARLIEST.isoformat(), _LATEST.isoformat())
    text = moment.replace(tzinfo=None, microsecond=0).isoformat()
    if isinstance(value, WallClock):
        return text
    minutes = round((moment.utcoffset() or _EARLIEST - _EARLIEST).total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{text}{sign}{minutes // 60:02}:{minutes % 60:02}"


def desktop_id_text(value: object) -> str:
    """IDTYPE of Desktop: like `80000001-1234567890`, 36 characters at most, or `-1`."""
    if not isinstance(value, str) or not value:
        raise WrongType("", value, "IDTYPE")
    if len(value) > _LONGEST_ID:
        raise ValueTooLong("", value, _LONGEST_ID)
    return value


def pos_id_text(value: object) -> str:
    """IDTYPE of Point of Sale: a signed 64-bit integer, as text, often negative."""
    if not isinstance(value, str) or not _POS_ID.fullmatch(value):
        raise WrongType("", value, "IDTYPE of Point of Sale (a whole number as text)")
    if not -(2**63) <= int(value) < 2**63:
        raise OutOfRange("", value, -(2**63), 2**63 - 1)
    return value


def guid_text(value: object) -> str:
    """GUIDTYPE: in braces, or `0`."""
    return _matching(value, _GUID, "GUIDTYPE")


def macro_text(value: object) -> str:
    """MACROTYPE: `TxnID:name` or `ListID:name`."""
    return _matching(value, _MACRO, "MACROTYPE")


def interval_text(value: object) -> str:
    """TIMEINTERVALTYPE: `PT1H30M`."""
    return _matching(value, _INTERVAL, "TIMEINTERVALTYPE")


_BOTH: Mapping[str, ToText] = {
    "STRTYPE": string_text,
    "UUIDTYPE": string_text,
    "ENUMTYPE": string_text,
    "BOOLTYPE": boolean_text,
    "INTTYPE": integer_text,
    "AMTTYPE": amount_text,
    "PRICETYPE": price_text,
    "QUANTYPE": price_text,
    "PERCENTTYPE": price_text,
    "FLOATTYPE": float_text,
    "DATETYPE": date_text,
    "DATETIMETYPE": moment_text,
    "GUIDTYPE": guid_text,
    "MACROTYPE": macro_text,
    "TIMEINTERVALTYPE": interval_text,
}

#: How each simple type is written, by dialect.
TO_TEXT: Mapping[str, Mapping[str, ToText]] = MappingProxyType(
    {
        "qbposxml": MappingProxyType({**_BOTH, "IDTYPE": pos_id_text}),
        "qbxml": MappingProxyType({**_BOTH, "IDTYPE": desktop_id_text}),
    }
)


def _number(value: object, type: str) -> Decimal:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise WrongType("", value, type)
        if not value:
            return _ZERO
        # Formatting 1E+999999 would take a megabyte before it could be refused.
        if value.adjusted() >= _AMOUNT_DIGITS:
            raise ValueTooLong("", value, _AMOUNT_DIGITS)
        if value.adjusted() < -_AMOUNT_DIGITS:
            raise TooPrecise("", value, _AMOUNT_DIGITS)
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    raise WrongType("", value, type)


def _without_minus_zero(text: str, value: object, digits: int) -> str:
    if text[0] == "-" and not text.strip("-0."):
        text = text[1:]
    if len(text) > digits and len(text.lstrip("-").partition(".")[0]) > digits:
        raise ValueTooLong("", value, digits)
    return text


def _matching(value: object, pattern: re.Pattern[str], type: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise WrongType("", value, type)
    return value


# Reading


def decimal_value(text: str) -> Decimal:
    """A number of any numeric type; blanks around it are ignored, an exponent is refused."""
    stripped = text.strip()
    if not _PLAIN_NUMBER.fullmatch(stripped):
        raise WrongType("", text, "number")
    try:
        return Decimal(stripped)
    except InvalidOperation as error:  # more digits than the context can hold
        raise WrongType("", text, "number") from error


def integer_value(text: str) -> int:
    """A whole number; "4.00" is one."""
    found = _WHOLE_NUMBER.fullmatch(text.strip())
    if not found or len(text) > 100:
        raise WrongType("", text, "INTTYPE")
    return int(found[1])


def boolean_value(text: str) -> bool:
    """True for `true`, `True` and `1`. Point of Sale answers "True", against its own grammar."""
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise WrongType("", text, "BOOLTYPE")


def date_value(text: str) -> date:
    """A date; of a date-time the date as it is written."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError as error:
        raise WrongType("", text, "DATETYPE") from error


def moment_value(text: str, zone: tzinfo = UTC) -> datetime:
    """A moment in UTC; `zone` is assumed where the text carries no offset."""
    stripped = text.strip()
    try:
        moment = datetime.fromisoformat(stripped)
        if len(stripped) <= 10:
            raise ValueError(stripped)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongType("", text, "DATETIMETYPE") from error
