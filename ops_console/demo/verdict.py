"""Whether the books hold what the shop sold: the shop's orders against the company file's receipts.

Nothing here asks the service what it believes it did, but for the sentence
that says why an order was not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ops_sandbox.pos.views import Receipt

CURRENCY = "USD"
#: What was refunded in full was sold before.
STATUSES = ("processing", "completed", "refunded")

#: The first word of a receipt's Comments: prefix, store code, order id, refund id, generation.
_MARK = re.compile(r"WMAIN-(\d+)(?:-R(\d+))?/\d+(?: |$)")
_NOT_SENT = frozenset({"waiting", "held", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of an order: its state and the sentence for people."""

    state: str = ""
    sentence: str = ""
    #: True if nothing more happens to the order by itself.
    is_settled: bool = False
    #: How many of its refunds are so.
    settled_refunds: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One order, and what became of it."""

    order: Mapping[str, Any]
    receipts: tuple[Receipt, ...]
    told: Told
    #: Return receipts, by the shop's refund.
    returns: Mapping[int, tuple[Receipt, ...]] = field(default_factory=dict)

    @property
    def refunds(self) -> Mapping[int, Decimal]:
        """What the shop gave back, by refund; nothing of an order that must not go."""
        return {int(one["id"]): -Decimal(one["total"]) for one in self.order["refunds"] if self.must_go}

    @property
    def is_settled(self) -> bool:
        """True if nothing more happens to the order and its refunds by itself."""
        return self.told.is_settled and self.told.settled_refunds >= len(self.order["refunds"])

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
        return self._problem_of_refunds()

    def _problem_of_refunds(self) -> str:
        for refund_id in {**self.refunds, **self.returns}:
            name, amount = f"Refund {refund_id} of order {self.order_id}", self.refunds.get(refund_id)
            written = self.returns.get(refund_id, ())
            if amount is None:
                return f"{name} is in the company file, and the shop does not have it."
            if len(written) != 1:
                return f"{name} is {len(written)} times in the company file."
            if written[0].type != "Return" or written[0].total != amount:
                return f"{name}: {amount} went back in the shop, {written[0].total} on {written[0].type} {written[0].number}."
        return ""


def record_of(receipt: Receipt) -> tuple[int, int | None] | None:
    """The order that a receipt was written for, and the refund; None for a sale at the till."""
    found = _MARK.match(receipt.comments)
    if found is None:
        return None
    return int(found[1]), int(found[2]) if found[2] else None


def compare(
    orders: Sequence[Mapping[str, Any]], receipts: Sequence[Receipt], told: Mapping[int, Told]
) -> tuple[list[Line], list[str]]:
    """A line for each order, and everything that is wrong, a sentence each; empty: nothing."""
    by_order: dict[int, dict[int | None, list[Receipt]]] = {int(order["id"]): {} for order in orders}
    problems = []
    for receipt in receipts:
        record = record_of(receipt)
        if record is None:
            continue
        order_id, refund_id = record
        if order_id not in by_order:
            problems.append(
                f"Receipt {receipt.number} is for order {order_id}, which the shop does not have."
            )
            continue
        by_order[order_id].setdefault(refund_id, []).append(receipt)
    lines = []
    for order in orders:
        order_id = int(order["id"])
        written = by_order[order_id]
        returns = {refund: tuple(found) for refund, found in written.items() if refund is not None}
        lines.append(Line(order, tuple(written.get(None, ())), told.get(order_id, Told()), returns))
    return lines, problems + [line.problem for line in lines if line.problem]
