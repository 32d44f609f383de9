"""Whether the books hold what the shop sold: the shop's orders against the company file's receipts.

Nothing here asks the service what it believes it did, but for the sentence
that says why an order was not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ops_sandbox.pos.views import Receipt

CURRENCY = "USD"
STATUSES = ("processing", "completed")

#: The first word of a receipt's Comments: prefix, store code, order id, generation.
_MARK = re.compile(r"WMAIN-(\d+)/\d+(?: |$)")
_NOT_SENT = frozenset({"waiting", "held", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of an order: its state and the sentence for people."""

    state: str = ""
    sentence: str = ""
    #: True if nothing more happens to the order by itself.
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One order, and what became of it."""

    order: Mapping[str, Any]
    receipts: tuple[Receipt, ...]
    told: Told

    @property
    def order_id(self) -> int:
        return int(self.order["id"])

    @property
    def total(self) -> Decimal:
        """In the order's own currency."""
        return Decimal(self.order["total"])

    @property
    def must_go(self) -> bool:
        """Its status asks for a receipt, its money is there, and the books are kept in its currency."""
        order = self.order
        has_money = order["date_paid_gmt"] is not None or order["status"] == "completed" or self.total == 0
        return order["status"] in STATUSES and order["currency"] == CURRENCY and has_money

    @property
    def problem(self) -> str:
        """What is wrong; empty: nothing."""
        name = f"Order {self.order_id}"
        numbers = ", ".join(str(receipt.number) for receipt in self.receipts)
        if not self.must_go:
            if self.receipts:
                return f"{name} must not be in the company file, but it is: receipt {numbers}."
            if self.told.state not in _NOT_SENT or not self.told.sentence:
                return f"{name} was not sent, and nothing says why (state: {self.told.state or 'unknown'})."
            return ""
        if not self.receipts:
            why = self.told.sentence or f"state: {self.told.state or 'unknown'}"
            return f"{name} is not in the company file ({why})."
        if len(self.receipts) > 1:
            return f"{name} is {len(self.receipts)} times in the company file: receipts {numbers}."
        if self.receipts[0].total != self.total:
            return f"{name}: its total is {self.total} in the shop, {self.receipts[0].total} on receipt {numbers}."
        return ""


def order_id_of(receipt: Receipt) -> int | None:
    """The order that a receipt was written for; None for a sale at the till."""
    found = _MARK.match(receipt.comments)
    return int(found[1]) if found else None


def compare(
    orders: Sequence[Mapping[str, Any]], receipts: Sequence[Receipt], told: Mapping[int, Told]
) -> tuple[list[Line], list[str]]:
    """A line for each order, and everything that is wrong, a sentence each; empty: nothing."""
    by_order: dict[int, list[Receipt]] = {int(order["id"]): [] for order in orders}
    problems = []
    for receipt in receipts:
        order_id = order_id_of(receipt)
        if order_id is None:
            continue
        if order_id not in by_order:
            problems.append(
                f"Receipt {receipt.number} is for order {order_id}, which the shop does not have."
            )
            continue
        by_order[order_id].append(receipt)
    lines = [
        Line(order, tuple(by_order[int(order["id"])]), told.get(int(order["id"]), Told())) for order in orders
    ]
    return lines, problems + [line.problem for line in lines if line.problem]
