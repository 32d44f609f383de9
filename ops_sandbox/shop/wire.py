"""Values as PHP writes them: JSON text, money strings, numbers.

The text of a webhook body is what its signature covers, so it is rendered as
PHP's json_encode does by default: no blanks, slashes as \\/, and everything
beyond ASCII as \\uXXXX in lower case.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

Doc = dict[str, Any]

CENT = Decimal("0.01")
_BARE = re.compile(r"&(?!(?:[a-z][a-z0-9]{1,19}|#[0-9]{1,7}|#x[0-9a-f]{1,6});)", re.IGNORECASE)


def escape_ampersands(name: str) -> str:
    """Names keep their HTML and its entities, but a bare & is stored as &amp; (recorded; entities from the source)."""
    return _BARE.sub("&amp;", name)


def php_json(value: object) -> bytes:
    """`value` as json_encode renders it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("/", "\\/").encode("ascii")


def php_number(value: float | Decimal) -> int | float:
    """PHP writes a whole float without the point: 12, not 12.0."""
    number = float(value)
    return int(number) if number.is_integer() else number


def money(value: str | Decimal, places: int = 2) -> str:
    """`value` with `places` decimals, halves away from zero; "" counts as 0."""
    amount = value if isinstance(value, Decimal) else Decimal(value or "0")
    return f"{amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"


def cents(value: Decimal) -> Decimal:
    """`value` rounded to cents, halves away from zero, as WooCommerce rounds taxes per line."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def plain_number(value: Decimal) -> str:
    """Without trailing zeros: "2.2", "5"; so do coupon lines carry their discount."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_or(value: object, fallback: Decimal) -> Decimal:
    """The number that a loosely typed request value stands for, or `fallback`."""
    if value is None or isinstance(value, bool):
        return fallback
    try:
        number = Decimal(str(value).strip().replace(",", ""))
    except InvalidOperation:
        return fallback
    return number if number.is_finite() else fallback


def as_int(value: object) -> int:
    """PHP's intval of a request value: "abc" and None are 0, "12.7" is 12."""
    return int(decimal_or(value, Decimal(0)))


def as_bool(value: object) -> bool:
    """WooCommerce's reading of a boolean: true, 1, "yes", "true", "1"."""
    if isinstance(value, str):
        return value.strip().lower() in {"yes", "true", "1", "on"}
    return bool(value)


def as_text(value: object) -> str:
    """A request value as text; None is empty, true is "1"."""
    if value is None or value is False:
        return ""
    return "1" if value is True else str(value)
