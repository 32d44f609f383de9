"""Which settings fit which Point of Sale: the right switches of a dialect, and wrong ones."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ops_sandbox.pos import PosDialect
from ops_sandbox.shop.money.basket import ShopRules
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.settings import Settings
from queue_store.store_setting_list import STORE_SETTINGS


def switches_of(dialect: PosDialect) -> dict[str, str]:
    """Settings by key, as calibration would find them."""
    return {
        "lines.negative": "quantity" if dialect.negative_line == "negative_qty" else "price",
        "returns.signs": dialect.return_signs,
        "tax.rounding": dialect.tax_rounding,
        "tax.half": "even" if dialect.tax_half == "half_even" else "up",
    }


def wrong_switches(dialect: PosDialect, mode: str) -> dict[str, str]:
    """Settings under which the prediction is not what Point of Sale computes.

    In mode `line` lines are taxed that must not be; in `flavour` tax is rounded in another place.
    """
    if mode == "line":
        return {"lines.tax_code": "Tax"}
    return {"tax.rounding": "line" if dialect.tax_rounding == "receipt" else "receipt"}


def company_settings(
    rules: ShopRules, mode: str, switches: Mapping[str, str], exchange: tuple[str, Decimal] | None = None
) -> Settings:
    """The settings of a company that takes the orders of a shop."""
    stored = {
        "currency": rules.currency,
        "items.fallback": "Online Goods",
        "tax.mode": mode,
        **switches,
    }
    if exchange is not None:
        stored["currency.rates"] = f"{exchange[0]}={exchange[1]}"
    return Settings(COMPANY_SETTINGS, stored, 1)


def exchange_rate(rules: ShopRules, seed: int) -> tuple[str, Decimal] | None:
    """The currency that some orders of a shop are in beside its own, and its rate; None where none is set."""
    if seed % 2:
        return None
    return "EUR" if rules.currency == "USD" else "USD", Decimal(5003 + seed * 7919 % 15000) / 10000


def store_settings() -> Settings:
    """The defaults."""
    return Settings(STORE_SETTINGS, {}, 1)
