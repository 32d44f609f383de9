"""Cells of CSV files that people open in a spreadsheet: none may begin like a formula."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """`value` as text; with an apostrophe before what a spreadsheet would compute."""
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    match value:
        case None:
            text = ""
        case Decimal():
            # Of digits alone: a negative one is no formula, and is to be added up.
            return format(value, "f")
        case datetime():
            text = value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` made safe, or a person typed, as it was meant."""
    text = text.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULAS) else text
