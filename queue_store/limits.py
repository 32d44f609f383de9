"""Jumps of prices and quantities that wait for a person: a pure function."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from queue_store.product_payloads import ShopChange, ShopItem
from queue_store.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """By how much a change may move a product; 0: by any amount."""

    pieces: Decimal = Decimal(0)
    price_percent: Decimal = Decimal(0)

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Of a store."""
        return cls(settings["stock.limit"], settings["prices.limit_percent"])


def divide(
    item: ShopItem, change: ShopChange, limits: Limits, approved: ShopChange | None
) -> tuple[ShopChange, ShopChange | None]:
    """What may go, and what is held back (None: nothing).

    A product that had no price or no quantity is filled, which is no jump. What
    a person approved goes if it is this very value. Quantity and prices are
    held back each by itself: a price that waits must not let the shop sell what
    is not there.
    """
    back: dict[str, object] = {}
    if limits.pieces and _moves_by(item.quantity, change.quantity) > limits.pieces:
        back["quantity"] = change.quantity
    for name, before in (("regular_price", item.regular_price), ("sale_price", item.sale_price)):
        after = getattr(change, name)
        if limits.price_percent and before and _moves_by(before, after) > before * limits.price_percent / 100:
            back[name] = after
    if approved is not None:
        back = {name: value for name, value in back.items() if getattr(approved, name) != value}
    if not back:
        return change, None
    if "regular_price" in back or "sale_price" in back:
        # One without the other could be a sale price above the regular one.
        back |= {
            "regular_price": change.regular_price,
            "sale_price": change.sale_price,
            "ends_sale": change.ends_sale,
        }
    kept: dict[str, object] = {name: False if name == "ends_sale" else None for name in back}
    return msgspec.structs.replace(change, **kept), ShopChange(**back)  # type: ignore[arg-type] # fields of its own


def _moves_by(before: Decimal | None, after: Decimal | int | None) -> Decimal:
    """How far; 0 where there was nothing, or nothing changes."""
    return Decimal(0) if before is None or after is None else abs(after - before)


def told(item: ShopItem, change: ShopChange) -> str:
    """What a change would do, for people: "quantity from 3 to 5000, price from 3.99 to 39.90"."""
    parts = []
    if change.quantity is not None:
        parts.append(f"quantity from {_shown(item.quantity)} to {change.quantity}")
    if change.manage_stock is not None and change.quantity is None:
        parts.append("stock kept" if change.manage_stock else "no stock kept")
    if change.regular_price is not None:
        parts.append(f"price from {_shown(item.regular_price)} to {change.regular_price}")
    if change.sale_price is not None:
        parts.append(f"sale price from {_shown(item.sale_price)} to {change.sale_price}")
    if change.ends_sale:
        parts.append(f"sale price from {_shown(item.sale_price)} to none")
    return ", ".join(parts)


def _shown(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"
