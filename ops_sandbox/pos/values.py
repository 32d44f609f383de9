"""Simple values of qbposXML: how they are read from a request and written in an answer.

In requests the grammar is taken at its word; answers are looser, as recorded:
booleans "True"/"False", quantities with two decimals, percents without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

#: Values by element name: str, int, bool, Decimal, date, datetime, `MacroUse`, the fields of an
#: aggregate, or a list of these where the element repeats. Which one, the grammar says, not Python.
Fields: TypeAlias = dict[str, Any]

_INTEGER = re.compile(r"-?[0-9]+")
_AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{2}")
_QUANTITY = re.compile(r"-?[0-9]+(\.[0-9]{1,5})?")
_FLOAT = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([+-][0-9]{2}:[0-9]{2})?")
_GUID = re.compile(r"0|\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_MACRO = re.compile(r"(TxnID|ListID):\S+")


class MalformedId(ValueError):
    """An IDTYPE that is no signed 64-bit integer."""


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(text)
    return text


def _identity(text: str) -> str:
    if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise MalformedId(text)
    return text


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _token(text: str) -> str:
    if len(text) > 50:
        raise ValueError(text)
    return text


#: Reader by simple type; each raises ValueError for text that is not of the type.
READERS: Mapping[str, Callable[[str], Any]] = {
    "STRTYPE": str,
    "ENUMTYPE": str,
    "BOOLTYPE": _boolean,
    "INTTYPE": lambda text: int(_matching(_INTEGER, text)),
    "AMTTYPE": lambda text: Decimal(_matching(_AMOUNT, text)),
    "PRICETYPE": lambda text: Decimal(_matching(_QUANTITY, text)),
    "QUANTYPE": lambda text: Decimal(_matching(_QUANTITY, text)),
    "PERCENTTYPE": lambda text: Decimal(_matching(_QUANTITY, text)),
    "FLOATTYPE": lambda text: Decimal(_matching(_FLOAT, text)),
    "DATETYPE": lambda text: date.fromisoformat(_matching(_DATE, text)),
    "DATETIMETYPE": lambda text: datetime.fromisoformat(_matching(_STAMP, text)),
    "IDTYPE": _identity,
    "GUIDTYPE": lambda text: _matching(_GUID, text),
    "UUIDTYPE": _token,
    "MACROTYPE": lambda text: _matching(_MACRO, text),
}


def plain(number: Decimal) -> str:
    """Without exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _quantity(number: Decimal) -> str:
    short = f"{number:.2f}"
    return short if Decimal(short) == number else plain(number)


#: Writer by simple type. Date-times are written by `Moments`, which knows the offset.
WRITERS: Mapping[str, Callable[[Any], str]] = {
    "STRTYPE": str,
    "ENUMTYPE": str,
    "BOOLTYPE": lambda value: "True" if value else "False",
    "INTTYPE": str,
    "AMTTYPE": lambda value: f"{value:.2f}",
    "PRICETYPE": _quantity,
    "QUANTYPE": _quantity,
    "PERCENTTYPE": plain,
    "FLOATTYPE": plain,
    "DATETYPE": lambda value: value.isoformat(),
    "IDTYPE": str,
    "GUIDTYPE": str,
    "UUIDTYPE": str,
}

#: Reader by simple type of what the store has put into JSON.
STORED: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("AMTTYPE", "PRICETYPE", "QUANTYPE", "PERCENTTYPE", "FLOATTYPE"), Decimal),
    "DATETYPE": date.fromisoformat,
    "DATETIMETYPE": datetime.fromisoformat,
}
