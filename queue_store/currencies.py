"""How many decimals amounts in a currency have. Source: ISO 4217, minor units."""

from __future__ import annotations

_WITHOUT = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "UYI",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]
_WITH_THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
_DECIMALS = {**dict.fromkeys(_WITHOUT, 0), **dict.fromkeys(_WITH_THREE, 3)}


def decimals_of(currency: str) -> int:
    """Decimals of amounts in this currency, such as "JPY"; 2 for one that is not known, and for ""."""
    return _DECIMALS.get(currency, 2)
