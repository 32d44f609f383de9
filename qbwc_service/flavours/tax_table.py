"""What is known of tax for one store, whatever the flavour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TaxTable:
    """The pairs that were chosen for the shop's rates, and what QuickBooks says that they come to."""

    #: (tax category, tax code) by key of the shop: "rates:3+4", "class:reduced-rate".
    chosen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    #: Percent by (tax category, tax code); None: QuickBooks was never asked.
    percents: Mapping[tuple[str, str], Decimal] | None = None
    #: The shop's name, for sentences.
    store: str = "STORE"


NO_TAXES = TaxTable()
