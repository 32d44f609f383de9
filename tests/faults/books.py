"""What the played QuickBooks has of ours."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from ops_sandbox.pos import PosCompanyFile
from qbwc_service.marks import Mark, read_mark


@dataclass(frozen=True)
class Ours:
    """A document with its mark."""

    mark: Mark
    document: Any


def live_receipts(pos: PosCompanyFile, *, undone: bool = False) -> dict[str, list[Ours]]:
    """Receipts and returns of ours by record id: none that reverses another; `undone`: those that were reversed too.

    Whether QuickBooks shows it or not.
    """
    reversals = pos.reversals()
    dead = {*reversals.values()} if undone else {*reversals, *reversals.values()}
    found = defaultdict(list)
    for receipt in pos.receipts():
        mark = read_mark((receipt.comments or "").split(" ")[0])
        if mark is not None and receipt.txn_id not in dead:
            found[mark.record_id].append(Ours(mark, receipt))
    return found


def web_orders(pos: PosCompanyFile) -> dict[int, list[Ours]]:
    """Sales orders of ours by order."""
    found = defaultdict(list)
    for order in pos.sales_orders():
        mark = read_mark(order.number)
        if mark is not None:
            found[int(mark.record_id)].append(Ours(mark, order))
    return found
