"""A played shop for bad days: orders as webhook bodies, each changed as shops change them.

The shop keeps every version of every order, the newest last, and stamps them
with a clock of its own that rises by a second with each change, or, seldom,
does not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.harness import recorded_order

Body = dict[str, Any]

CENT = Decimal("0.01")
#: Two are numbers, as POS numbers its items from 1; the last differs from another in nothing but case.
SKUS = ("1", "2", "WID-001", "tea-50", "RARE-ITEM-0001", "Tea-50")
#: Statuses that ask for a receipt.
WANTED = ("processing", "completed")
ENDED = ("cancelled", "failed")
_START = datetime(2026, 11, 1, tzinfo=UTC)
_PLAIN = recorded_order("plain")


def is_wanted(body: Body) -> bool:
    """True if this content of an order asks for a receipt."""
    if body["status"] not in WANTED:
        return False
    return bool(body["date_paid_gmt"]) or body["status"] == "completed"


def total_of(body: Body) -> Decimal:
    return Decimal(body["total"])


class Shop:
    """Orders with all their versions."""

    def __init__(self, skus: Sequence[str]) -> None:
        self.skus = skus
        self.versions: dict[int, list[Body]] = {}
        self._seconds = 0

    def ids(self) -> list[int]:
        return list(self.versions)

    def newest(self, order_id: int) -> Body:
        return self.versions[order_id][-1]

    def place_paid(self, rng: random.Random) -> Body:
        """A new order that asks for a receipt."""
        body = self.place(rng)
        self._status(body, "processing")
        return body

    def place(self, rng: random.Random) -> Body:
        """A new order, mostly paid."""
        order_id = 101 + len(self.versions)
        body = deepcopy(_PLAIN)
        body.update(id=order_id, number=str(order_id), payment_method="stripe", payment_method_title="Card")
        self._buyer(body, rng)
        self._contents(body, rng)
        self._status(body, rng.choices(("processing", "completed", "pending", "on-hold"), (8, 3, 1, 1))[0])
        self.versions[order_id] = []
        return self._keep(body, rng)

    def change(self, order_id: int, rng: random.Random) -> Body:
        """Another version of an order: another status, another total, or only another note."""
        body = deepcopy(self.newest(order_id))
        what = rng.choices(("status", "contents", "note"), (5, 4, 2))[0]
        if what == "status":
            statuses = ("processing", "completed", "on-hold", "cancelled", "pending")
            self._status(body, rng.choices(statuses, (4, 4, 2, 3, 1))[0])
        elif what == "contents":
            self._contents(body, rng)
        else:
            body["customer_note"] = f"note {rng.randrange(1000)}"
        return self._keep(body, rng)

    def _keep(self, body: Body, rng: random.Random) -> Body:
        # Now and then two versions bear one second, and nobody can tell by it which is the newer.
        if not self.versions[body["id"]] or rng.random() < 0.93:
            self._seconds += 1
        else:
            body["date_modified_gmt"] = self.newest(body["id"])["date_modified_gmt"]
            self.versions[body["id"]].append(body)
            return body
        body["date_modified_gmt"] = _stamp(self._seconds)
        body["date_modified"] = _stamp(self._seconds - 8 * 3600)
        self.versions[body["id"]].append(body)
        return body

    def _status(self, body: Body, status: str) -> None:
        body["status"] = status
        paid = status in WANTED or (body["date_paid_gmt"] and status != "pending")
        for name in ("date_paid", "date_paid_gmt"):
            body[name] = _stamp(0) if paid else None
        for name in ("date_completed", "date_completed_gmt"):
            body[name] = _stamp(0) if status == "completed" else None

    def _buyer(self, body: Body, rng: random.Random) -> None:
        who = rng.randrange(8)
        body["customer_id"] = who if who < 3 and who else 0
        email = "" if who == 7 else f"{'Member' if who < 3 else 'guest'}{who}@Example.net"
        body["billing"] = {**body["billing"], "email": email, "last_name": f"Buyer{who}"}

    def _contents(self, body: Body, rng: random.Random) -> None:
        lines = []
        for number in range(1, rng.choice((1, 1, 2, 3)) + 1):
            line = deepcopy(_PLAIN["line_items"][0])
            sku = "" if rng.random() < 0.06 else rng.choice(self.skus)
            quantity = rng.choice((1, 1, 2, 3))
            total = Decimal(rng.randrange(100, 4000)) * CENT
            line.update(
                id=number,
                sku=sku,
                name=f"Thing {sku}",
                product_id=10 + number,
                quantity=quantity,
                **_taxed(total, Decimal("0.09")),
            )
            lines.append(line)
        shipping = []
        if rng.random() < 0.6:
            one = deepcopy(_PLAIN["shipping_lines"][0])
            amounts = _taxed(Decimal("7.50"), Decimal("0.0825"))
            one.update(id=90, total=amounts["total"], total_tax=amounts["total_tax"], taxes=[])
            shipping.append(one)
        fees = []
        if rng.random() < 0.15:
            fees.append(
                {
                    "id": 95,
                    "name": "Wrapping",
                    "tax_class": "",
                    "tax_status": "none",
                    "total": "1.50",
                    "total_tax": "0.00",
                    "taxes": [],
                    "meta_data": [],
                }
            )
        everything = [*lines, *shipping, *fees]
        tax = sum((Decimal(one["total_tax"]) for one in everything), Decimal(0))
        total = sum((Decimal(one["total"]) for one in everything), Decimal(0)) + tax
        body.update(
            line_items=lines,
            shipping_lines=shipping,
            fee_lines=fees,
            tax_lines=[],
            total=str(total),
            total_tax=str(tax),
            shipping_total=shipping[0]["total"] if shipping else "0.00",
            shipping_tax=shipping[0]["total_tax"] if shipping else "0.00",
            cart_tax=str(sum((Decimal(one["total_tax"]) for one in lines), Decimal(0))),
        )


def _taxed(total: Decimal, rate: Decimal) -> dict[str, Any]:
    tax = (total * rate).quantize(CENT, ROUND_HALF_UP)
    return {
        "total": str(total),
        "total_tax": str(tax),
        "subtotal": str(total),
        "subtotal_tax": str(tax),
        "taxes": [{"id": 1, "total": str(tax), "subtotal": str(tax)}],
    }


def _stamp(seconds: int) -> str:
    return (_START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
