"""What an order's amounts come to, reckoned from the shop's own JSON."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ops_sandbox.shop.wire import Doc

CENT = Decimal("0.01")


def shown_sum(order: Doc) -> Decimal:
    """What an order's lines and tax come to."""
    lines = (line for key in ("line_items", "shipping_lines", "fee_lines") for line in order[key])
    return sum((Decimal(line["total"]) for line in lines), Decimal(order["total_tax"]))


def in_whole_cents_a_piece(line: Doc) -> Decimal:
    """A line's total, or a cent for each of its pieces where they cost less (or less than nothing) and are not free."""
    total, quantity = Decimal(line["total"]), Decimal(str(line["quantity"]))
    return max(total, CENT * quantity) if total and not quantity % 1 else total


def in_cents(amounts: Any) -> Decimal:
    return sum((Decimal(amount).quantize(CENT, ROUND_HALF_UP) for amount in amounts), Decimal(0))
