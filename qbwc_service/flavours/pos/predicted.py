"""What a predicted receipt holds: its lines, its total, and how it is taxed and paid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of a receipt: `quantity` pieces at `price`."""

    #: "sku" or "line", see `needs.ItemNeed`.
    kind: str
    key: str
    quantity: Decimal
    price: Decimal
    label: str
    #: The code that QuickBooks taxes it by.
    tax_code: str
    #: What that comes to, in percent.
    percent: Decimal = _NOTHING
    #: Only a non-stock item may carry it: the quantity here is not the true one.
    one_piece: bool = False
    #: The shop's unit price, for an item that has to be added.
    unit_price: Decimal = _NOTHING

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Receipt:
    """A predicted receipt; `total` is what QuickBooks must answer."""

    lines: tuple[ReceiptLine, ...]
    total: Decimal
    #: The difference that the rounding line carries.
    rounding: Decimal
    #: "line" or "flavour": what it was computed in, whatever the setting says later.
    tax_mode: str = "line"
    #: TaxCategory that it names; "": none.
    tax_category: str = ""
    #: Tax that QuickBooks will compute; 0 in mode `line`.
    tax: Decimal = _NOTHING
    #: What gift cards pay of `total`, by code; the rest is the gateway's.
    gifts: tuple[tuple[str, Decimal], ...] = ()
    #: What was settled otherwise than expected, for the log.
    remarks: tuple[str, ...] = ()
