"""Orders and settings made for tests, said in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.payloads import FeeLine, Order, OrderLine, ShippingLine, TaxAmount
from queue_store.settings import Settings
from queue_store.store_setting_list import STORE_SETTINGS

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)


def company(**changes: str) -> Settings:
    """Company settings; `tax__mode="flavour"` sets `tax.mode`."""
    return Settings(COMPANY_SETTINGS, {key.replace("__", "."): value for key, value in changes.items()}, 1)


def store(**changes: str) -> Settings:
    """Store settings, spelt like `company`'s."""
    return Settings(STORE_SETTINGS, {key.replace("__", "."): value for key, value in changes.items()}, 1)


def line(
    total: str, quantity: str = "1", *, tax: str = "0", rates: Sequence[int] = (), **more: Any
) -> OrderLine:
    """A product line; `rates` share `tax` in no particular way."""
    number = more.pop("line_id", 1)
    return OrderLine(
        **{
            "line_id": number,
            "product_id": number,
            "sku": f"S{number}",
            "name": f"Thing {number}",
            "quantity": Decimal(quantity),
            "subtotal": Decimal(total),
            "total": Decimal(total),
            "total_tax": Decimal(tax),
            "taxes": _taxes(tax, rates),
            **more,
        }
    )


def shipping(total: str, *, tax: str = "0", rates: Sequence[int] = (), title: str = "Post") -> ShippingLine:
    return ShippingLine(
        line_id=90, title=title, total=Decimal(total), total_tax=Decimal(tax), taxes=_taxes(tax, rates)
    )


def fee(name: str, total: str, *, tax: str = "0", rates: Sequence[int] = ()) -> FeeLine:
    return FeeLine(
        line_id=91, name=name, total=Decimal(total), total_tax=Decimal(tax), taxes=_taxes(tax, rates)
    )


def order(*lines: OrderLine, total: str, tax: str = "0", **more: Any) -> Order:
    return Order(
        **{
            "order_id": 71,
            "number": "71",
            "status": "completed",
            "currency": "USD",
            "created_at": MOMENT,
            "modified_at": MOMENT,
            "total": Decimal(total),
            "total_tax": Decimal(tax),
            "lines": lines,
            **more,
        }
    )


def _taxes(tax: str, rates: Sequence[int]) -> tuple[TaxAmount, ...]:
    return tuple(
        TaxAmount(rate_id=rate, amount=Decimal(tax) if n == 0 else Decimal(0)) for n, rate in enumerate(rates)
    )
