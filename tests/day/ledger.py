"""What the oracle has seen of the day: deeds of staff, what QuickBooks told when, what the shops told of orders.

It listens on the wires and stands beside the people; it never asks the service
or its database for anything.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lxml import etree

from ops_sandbox.pos import PosCompanyFile

ZERO = Decimal(0)
#: (ListID, pieces) by line of one order, by order.
Reduced = dict[str, Decimal]


@dataclass
class Told:
    """An order as the service was told of it last."""

    modified: str
    reduced: Reduced
    lines: dict[int, str]
    #: It was erased from the shop, of which nobody is told.
    erased: bool = False


@dataclass
class Edit:
    """A person's change of a quantity in a shop that goes to QuickBooks."""

    shop: str
    list_id: str
    pieces: Decimal
    #: The service has read the product since.
    told: bool = False


@dataclass
class Ledger:
    """See the module. Moments are numbers that only grow."""

    pos: PosCompanyFile
    #: Stores whose stock counts, and whether orders of customers come off it.
    stores: tuple[int, ...]
    available: bool
    now: int = 0
    #: Pieces that staff moved, by item, each with its moment.
    staff: dict[str, list[tuple[int, Decimal]]] = field(default_factory=lambda: defaultdict(list))
    #: As of which moment the service knows each item.
    read_at: dict[str, int] = field(default_factory=dict)
    told: dict[str, dict[int, Told]] = field(default_factory=lambda: defaultdict(dict))
    edits: list[Edit] = field(default_factory=list)
    #: Items of which something has changed since the oracle looked.
    touched: set[str] = field(default_factory=set)
    #: Products (shop, id) whose number a person has just changed for nothing: not by a write of ours.
    strange: set[tuple[str, int]] = field(default_factory=set)
    _as_of: dict[str, int] = field(default_factory=dict)
    _iterators: dict[str, int] = field(default_factory=dict)

    def listen(self) -> None:
        """From now on it is noted when QuickBooks reads items."""
        self.pos.after_next("ItemInventoryQueryRq", self._read, count=None)

    # What there is

    def there(self, list_id: str) -> Decimal:
        """Pieces in the stores that count, now."""
        item = self.pos.item(list_id)
        pieces = sum((item.on_hand.get(number, ZERO) for number in self.stores), ZERO)
        return pieces - item.on_customer_order if self.available else pieces

    def by_staff(self, list_ids: Iterable[str], deed: Callable[[], Any]) -> Any:
        """Do it, and note what it moved."""
        concerned = sorted(set(list_ids))
        before = {one: self.there(one) for one in concerned}
        done = deed()
        self.now += 1
        for one in concerned:
            moved = self.there(one) - before[one]
            if moved:
                self.staff[one].append((self.now, moved))
                self.touched.add(one)
        return done

    def unseen(self, list_id: str) -> Decimal:
        """What staff moved since the state that the service was told last."""
        seen = self.read_at.get(list_id, -1)
        return sum((pieces for at, pieces in self.staff[list_id] if at > seen), ZERO)

    # What QuickBooks told

    def _read(self, request: Any) -> None:
        self.now += 1
        number = request.get("requestID")
        at = self.now
        if self.pos.dialect.iterator_pages == "as_started" and request.get("iterator") == "Continue":
            at = self._iterators.get(request.get("iteratorID"), at)
        self._as_of[number] = at

    def answered(self, response: str) -> None:
        """This answer has come to the service."""
        if "<ItemInventoryQueryRs" not in response:
            return
        clean = re.sub(r"&#x?[0-9A-Fa-f]+;", "", response)
        root = etree.fromstring(clean.encode("windows-1252", "replace"), etree.XMLParser(recover=True))
        for answer in root.iter("ItemInventoryQueryRs"):
            at = self._as_of.get(answer.get("requestID"), 0)
            if answer.get("iteratorID"):
                self._iterators.setdefault(answer.get("iteratorID"), at)
            for found in answer.findall("ItemInventoryRet"):
                list_id = found.findtext("ListID")
                if at > self.read_at.get(list_id, -1):
                    self.read_at[list_id] = at
                    self.touched.add(list_id)

    # What the shops told

    def heard(self, shop: str, bodies: bytes, items: dict[int, str], *, by_rest: bool) -> None:
        """This JSON has come to the service: orders, or products."""
        try:
            found = json.loads(bodies)
        except ValueError:
            return
        if isinstance(found, dict) and "update" in found:
            found = found["update"]
        for body in found if isinstance(found, list) else [found]:
            if not isinstance(body, dict):
                continue
            if "line_items" in body and "order_key" in body:
                self._order(shop, body, items)
            elif "stock_quantity" in body and body.get("id") in items:
                list_id = items[body["id"]]
                if by_rest:
                    self.strange.discard((shop, body["id"]))
                for edit in self.edits:
                    if by_rest and edit.shop == shop and edit.list_id == list_id:
                        edit.told = True
                self.touched.add(list_id)

    def _order(self, shop: str, body: dict[str, Any], items: dict[int, str]) -> None:
        known = self.told[shop].get(body["id"])
        if known is not None and body["date_modified_gmt"] < known.modified:
            return
        reduced, lines = reduced_of(body, items)
        self.told[shop][body["id"]] = Told(
            body["date_modified_gmt"], reduced, {**(known.lines if known else {}), **lines}
        )
        self.touched.update(reduced, known.reduced if known else ())

    def forgotten(self, moment: int) -> None:
        """The service's database was put back: of what was told later it knows nothing."""
        self.read_at = {one: at for one, at in self.read_at.items() if at <= moment}


def reduced_of(body: dict[str, Any], items: dict[int, str]) -> tuple[Reduced, dict[int, str]]:
    """What an order has of the shop's stock by item, and the lines that have any. `items` are ListIDs by product."""
    reduced: Reduced = defaultdict(lambda: ZERO)
    lines: dict[int, str] = {}
    for line in body["line_items"]:
        list_id = items.get(line.get("variation_id") or line["product_id"])
        for meta in line["meta_data"]:
            if meta["key"] == "_reduced_stock" and list_id is not None:
                reduced[list_id] += Decimal(str(meta["value"]))
                lines[line["id"]] = list_id
    return dict(reduced), lines
