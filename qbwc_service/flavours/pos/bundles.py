"""Bundles: as the shop lists them, as one line with the price of all, or as priced parts.

Where a plugin sells a bundle the order holds a line for it and one for each of
its parts, and either may bear the price. Nothing of the price is lost: what one
line hands over, another takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from qbwc_service.flavours.pos.splitting import CENT, apportion
from queue_store.payloads import OrderLine, TaxAmount

_NOTHING = Decimal(0)


def arranged(lines: Sequence[OrderLine], mode: str) -> Sequence[OrderLine]:
    """`lines` with their bundles by `mode` ("lines", "parent" or "parts"), each in its first line's place."""
    if mode == "lines" or not any(line.bundled_by for line in lines):
        return lines
    parents = {line.line_id: line.bundled_by for line in lines}
    groups: dict[int, list[OrderLine]] = {}
    for line in lines:
        groups.setdefault(_root(line.line_id, parents), []).append(line)
    found: list[OrderLine] = []
    for root, group in groups.items():
        if len(group) == 1:
            found += group
        elif mode == "parent":
            found.append(_as_one(root, group))
        else:
            found += _as_parts(group)
    return found


def _root(line_id: int, parents: Mapping[int, int]) -> int:
    # No line is a part of itself, however far up: see where the payload is made.
    while (above := parents[line_id]) in parents:
        line_id = above
    return line_id


def _as_one(root: int, group: Sequence[OrderLine]) -> OrderLine:
    head = next(line for line in group if line.line_id == root)
    return msgspec.structs.replace(
        head,
        subtotal=_sum(line.subtotal for line in group),
        total=_sum(line.total for line in group),
        total_tax=_sum(line.total_tax for line in group),
        taxes=_taxes(group),
        is_rounded=any(line.is_rounded for line in group),
    )


def _as_parts(group: Sequence[OrderLine]) -> list[OrderLine]:
    wholes = {line.bundled_by for line in group} - {0}
    parts = [line for line in group if line.line_id not in wholes]
    heads = [line for line in group if line.line_id in wholes]
    # By what the parts cost by themselves; where the bundle alone has a price, by pieces.
    weights = [max(part.subtotal, _NOTHING) for part in parts]
    if not any(weights):
        weights = [max(part.quantity, _NOTHING) for part in parts]
    if not any(weights):
        weights = [Decimal(1)] * len(parts)
    totals = _shares(_sum(line.total for line in heads), weights)
    subtotals = _shares(_sum(line.subtotal for line in heads), weights)
    taxes = _shares(_sum(line.total_tax for line in heads), weights)
    return [
        msgspec.structs.replace(
            part,
            total=part.total + total,
            subtotal=part.subtotal + subtotal,
            total_tax=part.total_tax + tax,
            taxes=part.taxes or _taxes(heads),
        )
        for part, total, subtotal, tax in zip(parts, totals, subtotals, taxes, strict=True)
    ]


def _shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    whole = _sum(weights)
    exponent = amount.as_tuple().exponent
    unit = min(CENT, Decimal(1).scaleb(exponent)) if isinstance(exponent, int) else CENT
    return apportion([amount * weight / whole for weight in weights], amount.quantize(unit), unit)


def _taxes(lines: Iterable[OrderLine]) -> tuple[TaxAmount, ...]:
    """The rates of all the lines, each once, with their sums."""
    amounts: dict[int, Decimal] = {}
    for line in lines:
        for tax in line.taxes:
            amounts[tax.rate_id] = amounts.get(tax.rate_id, _NOTHING) + tax.amount
    return tuple(TaxAmount(rate_id=rate_id, amount=amount) for rate_id, amount in amounts.items())


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _NOTHING)
