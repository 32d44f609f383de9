"""Tax rates of a shop, which of them hold where, and what they come to (WC_Tax)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ops_sandbox.shop.money.numbers import HUNDRED, ZERO, php_round

Taxes = dict[int, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A row of WooCommerce's tax tables; `percent` is 8.25 for 8.25 %, `tax_class` "" the standard one."""

    id: int
    name: str
    percent: Decimal
    country: str = ""
    state: str = ""
    city: str = ""
    priority: int = 1
    compound: bool = False
    shipping: bool = True
    order: int = 0
    tax_class: str = ""

    @property
    def code(self) -> str:
        """As on tax lines: "US-CA-CA STATE TAX-1"."""
        parts = (self.country, self.state, self.name or "TAX", str(self.priority))
        return "-".join(part for part in parts if part).upper()

    @classmethod
    def from_rest(cls, body: Mapping[str, Any]) -> TaxRate:
        """From an element of GET taxes."""
        return cls(
            id=body["id"],
            name=body["name"],
            percent=Decimal(body["rate"]),
            country=body["country"],
            state=body["state"],
            city=(body["cities"] or [""])[0],
            priority=body["priority"],
            compound=body["compound"],
            shipping=body["shipping"],
            order=body["order"],
            tax_class="" if body["class"] == "standard" else body["class"],
        )

    def holds_at(self, address: Mapping[str, str]) -> bool:
        """Whether the rate is due at `address` (keys country, state, city)."""
        return (
            self.country in ("", address.get("country", ""))
            and self.state in ("", address.get("state", ""))
            and self.city in ("", address.get("city", "").upper())
        )


def matching(rates: Iterable[TaxRate], address: Mapping[str, str], tax_class: str) -> list[TaxRate]:
    """The rates of a class at an address, one a priority: the most particular of each (find_rates)."""
    if not address.get("country"):
        return []
    found: dict[int, TaxRate] = {}
    for rate in sorted(rates, key=lambda r: (r.priority, not r.country, not r.state, not r.city, r.id)):
        if rate.tax_class == tax_class and rate.holds_at(address):
            found.setdefault(rate.priority, rate)
    return list(found.values())


def taxes_on(price: Decimal, rates: Sequence[TaxRate], places: int) -> Taxes:
    """What comes on top of `price`, by rate id, each with `places` decimals (calc_exclusive_tax).

    Compound rates take the other taxes, and the compound ones before them, with the price.
    """
    taxes = {rate.id: price * rate.percent / HUNDRED for rate in rates if not rate.compound}
    for rate in rates:
        if rate.compound:
            taxes[rate.id] = (price + sum(taxes.values(), ZERO)) * rate.percent / HUNDRED
    return {rate_id: php_round(tax, places) for rate_id, tax in taxes.items()}


def taxes_in(price: Decimal, rates: Sequence[TaxRate], places: int) -> Taxes:
    """What of `price` is tax, by rate id: compound rates are taken out first, the last of them first."""
    taxes: Taxes = {rate.id: ZERO for rate in rates}
    rest = price
    for rate in reversed(rates):
        if rate.compound:
            tax = rest - rest / (1 + rate.percent / HUNDRED)
            taxes[rate.id] = tax
            rest -= tax
    simple = [rate for rate in rates if not rate.compound]
    whole = 1 + sum((rate.percent for rate in simple), ZERO) / HUNDRED
    for rate in simple:
        taxes[rate.id] = rate.percent / HUNDRED / whole * rest
    return {rate_id: php_round(tax, places) for rate_id, tax in taxes.items()}


def add_taxes(sums: Taxes, more: Taxes) -> None:
    """Adds `more` to `sums`, rate by rate."""
    for rate_id, tax in more.items():
        sums[rate_id] = sums.get(rate_id, ZERO) + tax
