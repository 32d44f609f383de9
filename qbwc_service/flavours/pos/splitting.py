"""Amounts taken apart so that the parts add up exactly.

Point of Sale multiplies Price (two decimals) by Qty and adds the lines up. What
does not divide by its quantity becomes two prices; amounts with more decimals
than the books have are rounded so that their sum is right, not each for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def rounded(amount: Decimal, unit: Decimal = CENT) -> Decimal:
    """`amount` in whole `unit`s, halves away from zero."""
    return amount.quantize(unit, ROUND_HALF_UP)


def split(amount: Decimal, quantity: Decimal, unit: Decimal = CENT) -> list[tuple[Decimal, Decimal]] | None:
    """`amount` as (quantity, price) pairs that multiply out exactly; prices are whole `unit`s.

    3 for 10.00 are 2 at 3.33 and 1 at 3.34. None where that cannot be: a
    quantity with decimals, or a price that would be 0.00 though it was not.
    `amount` is a whole number of units, `quantity` is not 0. Where the unit is
    more than a cent and a piece costs less than one, prices are whole cents:
    50 for 36 yen are 50 at 0.72.
    """
    pairs = _whole(amount, quantity, unit)
    return _whole(amount, quantity, CENT) if pairs is None and unit > CENT else pairs


def _whole(amount: Decimal, quantity: Decimal, unit: Decimal) -> list[tuple[Decimal, Decimal]] | None:
    price = rounded(amount / quantity, unit)
    if price * quantity == amount and (price or not amount):
        return [(quantity, price)]
    if quantity != quantity.to_integral_value() or quantity <= 0:
        return None
    units, pieces = int(amount / unit), int(quantity)
    # Towards zero, so that negative amounts split like positive ones.
    low, dearer = divmod(abs(units), pieces)
    if low == 0:
        return None
    sign = 1 if units > 0 else -1
    cheap = pieces - dearer
    return [(Decimal(cheap), unit * low * sign), (Decimal(dearer), unit * (low + 1) * sign)]


def apportion(amounts: Sequence[Decimal], total: Decimal, unit: Decimal = CENT) -> list[Decimal]:
    """`amounts` rounded to whole `unit`s whose sum is `total`, by largest remainder.

    Each is off by less than one unit where `total` is their sum, rounded. Of equal
    remainders the earlier is rounded up. `total` is a whole number of units.
    """
    floors = [amount.quantize(unit, ROUND_FLOOR) for amount in amounts]
    missing = int((total - sum(floors, Decimal(0))) / unit)
    if not missing:
        return floors
    every, some = divmod(missing, len(floors))
    remainders = sorted(range(len(floors)), key=lambda n: floors[n] - amounts[n])
    for place, n in enumerate(remainders):
        floors[n] += unit * (every + (place < some))
    return floors
