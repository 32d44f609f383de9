"""Point of Sale's own tax: which category and codes a receipt bears, and what they come to.

Point of Sale computes tax itself, from one TaxCategory of the receipt and a
TaxCode on each line (protocol reference 5.5). Which pair stands for which of
the shop's rates is the operator's choice (mappings of kind `tax`); what a pair
comes to is read from the company (TaxRecord of CompanyQuery).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from qbwc_service.flavours.pos.charges import Charge
from qbwc_service.flavours.pos.splitting import CENT
from qbwc_service.flavours.tax_table import TaxTable
from queue_store.settings import Settings

_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)


class TaxBeyond(Exception):
    """QuickBooks' own tax cannot be the shop's. `why` begins with a small letter and ends with a full stop."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class TaxPlan:
    """The category of a receipt, and the code of each of its charges, in order."""

    #: "": none of them is taxed, and the receipt names no category.
    category: str
    codes: tuple[str, ...]
    percents: tuple[Decimal, ...]


def key_of_rates(rates: Iterable[int]) -> str:
    """How a set of the shop's rates is called in mappings: "rates:3+4"."""
    return f"rates:{'+'.join(map(str, sorted(set(rates))))}"


def key_of_class(tax_class: str) -> str:
    """How one of the shop's tax classes is called in mappings; the nameless one is "class:standard"."""
    return f"class:{(tax_class or 'standard').strip().casefold()}"


def plan(charges: Sequence[Charge], table: TaxTable, untaxed: str) -> TaxPlan:
    """Category and codes for `charges`; those without tax get the code `untaxed`. Raises TaxBeyond."""
    pairs = [_pair(charge, table) if _is_taxed(charge) else None for charge in charges]
    unmapped = [
        charge for charge, pair in zip(charges, pairs, strict=True) if pair is None and _is_taxed(charge)
    ]
    if unmapped:
        raise _no_choice(unmapped, table.store)
    categories = dict.fromkeys(pair[0] for pair in pairs if pair)
    if not categories:
        return TaxPlan("", (untaxed,) * len(pairs), (_NOTHING,) * len(pairs))
    if len(categories) > 1:
        names = " and ".join(repr(name) for name in categories)
        raise TaxBeyond(f"its lines need the tax categories {names}, and a receipt has one.")
    category = next(iter(categories))
    percents = table.percents or {}
    codes: list[str] = []
    shares: list[Decimal] = []
    for pair in pairs:
        code = pair[1] if pair else untaxed
        percent = percents.get((category, code))
        if pair and percent is None:
            raise TaxBeyond(
                f"QuickBooks has no tax code {code!r} in the tax category {category!r}: set it up there, or map the "
                "rate to another: qbwoo mapping list --kind tax."
            )
        if not pair and percent:
            raise TaxBeyond(
                f"its untaxed lines bear the tax code {code!r}, which is {percent} % in the tax category {category!r}."
            )
        codes.append(code)
        shares.append(percent or _NOTHING)
    return TaxPlan(category, tuple(codes), tuple(shares))


def _is_taxed(charge: Charge) -> bool:
    return bool(charge.rates) and bool(charge.amount) and not charge.is_liability


def _pair(charge: Charge, table: TaxTable) -> tuple[str, str] | None:
    """The pair chosen for a taxed charge; None where none is."""
    return table.chosen.get(key_of_rates(charge.rates)) or table.chosen.get(key_of_class(charge.tax_class))


def _no_choice(charges: Sequence[Charge], store: str) -> TaxBeyond:
    """Names every set of rates for which a pair must be chosen, each by the first line that bears it."""
    labels: dict[str, str] = {}
    for charge in charges:
        labels.setdefault(key_of_rates(charge.rates), charge.label)
    bearing = " and ".join(
        f"line {label!r} bears the shop's tax rates {key.removeprefix('rates:')}"
        for key, label in labels.items()
    )
    commands = "; ".join(f"qbwoo mapping set tax {key} CATEGORY/CODE --store {store}" for key in labels)
    return TaxBeyond(
        f"{bearing}, and no tax category and code of QuickBooks is chosen for them. Choose: {commands}; then retry."
    )


def predicted(lines: Iterable[tuple[Decimal, Decimal]], company: Settings) -> Decimal:
    """Point of Sale's tax on (amount, percent) lines, rounded as the company's settings say that it rounds."""
    rounding = ROUND_HALF_EVEN if company["tax.half"] == "even" else ROUND_HALF_UP
    taxes = [amount * percent / _HUNDRED for amount, percent in lines if percent]
    if company["tax.rounding"] == "receipt":
        return sum(taxes, _NOTHING).quantize(CENT, rounding)
    return sum((tax.quantize(CENT, rounding) for tax in taxes), _NOTHING)
