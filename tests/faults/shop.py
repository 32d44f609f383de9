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
#: `orders.documents` of a store that sends web orders.
DOCUMENTS = "on-hold=sales order, processing/cod=sales order, processing=receipt, completed=receipt"
_START = datetime(2026, 11, 1, tzinfo=UTC)
_PLAIN = recorded_order("plain")


def is_wanted(body: Body) -> bool:
    """True if this content of an order asks for a receipt."""
    if body["status"] == "refunded":
        return bool(body["date_paid_gmt"])
    if body["status"] not in WANTED or wants_web_order(body):
        return False
    return bool(body["date_paid_gmt"]) or body["status"] == "completed"


def wants_web_order(body: Body) -> bool:
    """True if this content asks for a web order, where the store sends them."""
    by_status = body["status"] == "on-hold"
    return by_status or (body["status"], body["payment_method"]) == ("processing", "cod")


def total_of(body: Body) -> Decimal:
    return Decimal(body["total"])


class Shop:
    """Orders with all their versions."""

    def __init__(self, skus: Sequence[str], *, web_orders: bool = False) -> None:
        self.skus, self.web_orders = skus, web_orders
        self.versions: dict[int, list[Body]] = {}
        #: Refunds of each order as REST gives them; a deleted one is there no more.
        self.refunds: dict[int, list[Body]] = {}
        #: What each refund gave back, deleted ones too.
        self.amounts: dict[int, Decimal] = {}
        self._seconds = 0

    def ids(self) -> list[int]:
        return list(self.versions)

    def newest(self, order_id: int) -> Body:
        return self.versions[order_id][-1]

    def place_paid(self, rng: random.Random) -> Body:
        """A new order that asks for a receipt."""
        body = self.place(rng)
        self._pay_by(body, "stripe")
        self._status(body, "processing")
        return body

    def place(self, rng: random.Random) -> Body:
        """A new order, mostly paid."""
        order_id = 101 + len(self.versions)
        body = deepcopy(_PLAIN)
        body.update(id=order_id, number=str(order_id))
        self._pay_by(body, "cod" if self.web_orders and rng.random() < 0.3 else "stripe")
        self._buyer(body, rng)
        self._contents(body, rng)
        weights = (6, 2, 1, 4) if self.web_orders else (8, 3, 1, 1)
        self._status(body, rng.choices(("processing", "completed", "pending", "on-hold"), weights)[0])
        self.versions[order_id] = []
        return self._keep(body, rng)

    def change(self, order_id: int, rng: random.Random) -> Body:
        """Another version of an order: another status, another total, or only another note."""
        body = deepcopy(self.newest(order_id))
        what = rng.choices(("status", "contents", "note"), (5, 4, 2))[0]
        if body["status"] == "refunded" or (what == "contents" and body["refunds"]):
            # What money went back for is not edited any more.
            what = "note"
        if what == "status":
            statuses = ("processing", "completed", "on-hold", "cancelled", "pending")
            self._status(body, rng.choices(statuses, (4, 4, 2, 3, 1))[0])
        elif what == "contents":
            self._contents(body, rng)
        else:
            body["customer_note"] = f"note {rng.randrange(1000)}"
        return self._keep(body, rng)

    def refund(self, order_id: int, rng: random.Random) -> Body | None:
        """Money goes back for an order: for a line, for shipping, as an amount or all that is left; None: for nothing."""
        body = deepcopy(self.newest(order_id))
        left = total_of(body) - sum((-Decimal(one["total"]) for one in body["refunds"]), Decimal(0))
        if not body["date_paid_gmt"] or body["status"] not in (*WANTED, "on-hold") or left <= 0:
            return None
        refund_id = 5001 + len(self.amounts)
        refund: Body = {
            "id": refund_id,
            "date_created_gmt": _stamp(self._seconds),
            "reason": rng.choice(("", "Broken", "Late & <b>cold</b>")),
            "line_items": [],
            "shipping_lines": [],
            "fee_lines": [],
        }
        what = rng.choice(("line", "line", "shipping", "amount", "rest"))
        if what == "line":
            line = rng.choice(body["line_items"])
            self._refund_line(
                refund, line, rng.randrange(1, line["quantity"] + 1), put_back=rng.random() < 0.6
            )
        elif what == "shipping" and body["shipping_lines"]:
            refund["shipping_lines"].append(_negative(body["shipping_lines"][0], Decimal(1)))
        elif what == "rest" and not body["refunds"]:
            for line in body["line_items"]:
                self._refund_line(refund, line, line["quantity"], put_back=rng.random() < 0.5)
            for kind in ("shipping_lines", "fee_lines"):
                refund[kind] = [_negative(line, Decimal(1)) for line in body[kind]]
        lines = [line for kind in ("line_items", "shipping_lines", "fee_lines") for line in refund[kind]]
        amount = -sum((Decimal(line["total"]) + Decimal(line["total_tax"]) for line in lines), Decimal(0))
        if not lines:
            amount = left if what == "rest" else min(left, Decimal(rng.randrange(1, 900)) * CENT)
        if amount > left:
            return None
        refund["amount"] = str(amount)
        self.amounts[refund_id] = amount
        self.refunds.setdefault(order_id, []).append(refund)
        body["refunds"].append({"id": refund_id, "reason": refund["reason"], "total": str(-amount)})
        if amount == left:
            self._status(body, "refunded", paid=True)
        return self._keep(body, rng)

    def _refund_line(self, refund: Body, line: Body, pieces: int, *, put_back: bool) -> None:
        refunded = _negative(line, Decimal(pieces) / line["quantity"])
        refund["line_items"].append({**refunded, "quantity": -pieces})
        if put_back:
            meta = {one["key"]: one["value"] for one in line["meta_data"]}
            meta["_restock_refunded_items"] = str(int(meta.get("_restock_refunded_items", 0)) + pieces)
            line["meta_data"] = [{"id": 1, "key": key, "value": value} for key, value in meta.items()]

    def delete_refund(self, order_id: int, rng: random.Random) -> int | None:
        """A refund is deleted: the shop tells nobody, and no date moves; its id."""
        refunds = self.refunds.get(order_id)
        if not refunds:
            return None
        gone: int = refunds.pop(rng.randrange(len(refunds)))["id"]
        body = deepcopy(self.newest(order_id))
        body["refunds"] = [one for one in body["refunds"] if one["id"] != gone]
        self.versions[order_id].append(body)
        return gone

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

    def _pay_by(self, body: Body, gateway: str) -> None:
        title = {"stripe": "Card", "cod": "Cash on delivery"}[gateway]
        body.update(payment_method=gateway, payment_method_title=title)

    def _status(self, body: Body, status: str, *, paid: bool = False) -> None:
        body["status"] = status
        at_the_door = body["payment_method"] == "cod" and status != "completed"
        paid = (
            paid
            or (status in WANTED and not at_the_door)
            or bool(body["date_paid_gmt"] and status != "pending")
        )
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


def _negative(line: Body, share: Decimal) -> Body:
    """The refund's twin of an order's line, or of a share of it."""

    def back(name: str) -> str:
        return str(-(Decimal(line[name]) * share).quantize(CENT, ROUND_HALF_UP))

    meta = [{"id": 1, "key": "_refunded_item_id", "value": str(line["id"])}]
    twin = {**line, "id": 7000 + line["id"], "total": back("total"), "total_tax": back("total_tax")}
    return {**twin, "taxes": [{"id": 1, "total": back("total_tax")}], "meta_data": meta}


def _stamp(seconds: int) -> str:
    return (_START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
