"""Numbers as PHP and WooCommerce round, keep and write them.

WooCommerce reckons in binary floats. PHP's `round` (up to 8.3) first takes a
float back to 15 significant digits, so what was meant as 1.005 rounds as 1.005;
decimals rounded to 15 digits first give the same.
"""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)
HUNDRED = Decimal(100)

#: The significant digits that PHP's round trusts in a float.
_TRUSTED = Context(prec=15)
#: WC_ROUNDING_PRECISION: the decimals that amounts of lines are kept with, at least.
_LEAST_PRECISION = 6

_STEPS = {places: Decimal(1).scaleb(-places) for places in range(13)}


def php_round(value: Decimal, places: int = 0, *, half_down: bool = False) -> Decimal:
    """`value` with `places` decimals; halves away from zero, or towards it with `half_down`."""
    return _TRUSTED.plus(value).quantize(_STEPS[places], ROUND_HALF_DOWN if half_down else ROUND_HALF_UP)


def rounding_precision(decimals: int) -> int:
    """wc_get_rounding_precision for a shop whose prices have `decimals` decimals."""
    return max(_LEAST_PRECISION, decimals + 2)


def kept(value: Decimal, decimals: int) -> Decimal:
    """`value` as wc_format_decimal writes a float into the database."""
    return value.quantize(_STEPS[rounding_precision(decimals)], ROUND_HALF_UP)


def written(value: Decimal, places: int) -> str:
    """`value` as number_format writes it: "12.50"; never a negative zero."""
    rounded = php_round(value, places)
    return f"{rounded or abs(rounded):f}"


def trimmed(value: Decimal) -> str:
    """`value` without trailing zeros: "2.2", "5"."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text
