"""What each shop may show, from the sentences of the design alone: independent of how the service computes it.

Truth for an item is what stands in the chosen stores of the played company at
this moment (less what customers have ordered there, where the basis is
"available"), less what the buyers of all shops have been promised and the books
have not taken, plus what persons changed in a shop and the books do not have
yet; of that the shop's share, less its buffer.

**During the day** no shop may show more than this after a pass has ended, with
just these allowances, each for what nobody could have known:

- What staff moved after the state of the item that QuickBooks told last (the
  played company notes for each delivered answer as of which moment it is) does not
  count: a sale at the till after the last read is not our fault. Goods received
  after it do not count either, so that this is no more lenient than it must be.
- Orders, and persons' edits, count as their shop has told them last, by webhook or by
  REST; the oracle hears every answer. What changed in the shop itself since then has
  moved the shop's number without us, and is taken out of it again. An order
  that fell between our reading and our writing, and was overwritten, is not
  excused by that: the shop's number then lacks nothing that could be taken out.
- A product that still has work of its own open (the shop was down, or orders
  kept falling) is looked at when that has ended.

**In the evening**, when everything was read, there are no allowances: every
product of both shops shows this number, no more and no less.

Three things are for a person. A web order whose receipt took
less, since the shop's order was changed after it was written, stays open in
QuickBooks, and holds the rest until somebody closes it there. And an edit that the service
had not read when its shop was paused counts for nothing: QuickBooks' number takes its place
at the go-live. So does an edit that falls while the service doubts, after a start, what the product
showed: nobody edits then.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tests.day.ledger import ZERO, Told, reduced_of
from tests.day.world import World

#: Share in percent and buffer of each shop, as the day sets them.
RULES = {"north": (Decimal(100), ZERO), "south": (Decimal(50), Decimal(2))}


@dataclass
class Oracle:
    """Looks at the shops of a world."""

    world: World
    #: Orders of which nothing is promised: they stood before the go-live and were not open then. By shop.
    before: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    #: Shops that do not show QuickBooks' stock at this time, with what they had told when they were paused: that
    #: stays promised, and nothing later is.
    paused: dict[str, dict[int, Told]] = field(default_factory=dict)
    looks: int = 0
    #: Lines that have taken of an item at any time: (shop, order) -> {line: item}.
    _lines: dict[tuple[str, int], dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    _receipts: dict[tuple[str, int], dict[str, Decimal]] = field(default_factory=dict)
    _ordered: dict[tuple[str, int], dict[str, Decimal]] = field(default_factory=dict)
    _adjusted: dict[str, Decimal] = field(default_factory=dict)

    # The two sides of what is promised

    def _read_books(self) -> None:
        """What our receipts, sales orders and adjustments have taken."""
        pos, codes = self.world.pos, {name.upper()[:8]: name for name in self.world.shops}
        reversals = pos.reversals()
        dead = {*reversals, *reversals.values()}
        self._receipts, self._ordered, self._adjusted = {}, {}, {}
        for receipt in pos.receipts():
            mark = marked((receipt.comments or "").split(" ")[0], codes)
            if mark is None or receipt.txn_id in dead:
                continue
            taken = self._receipts.setdefault(mark[:2], defaultdict(lambda: ZERO))
            for line in receipt.lines:
                taken[line.list_id] += -abs(line.qty) if receipt.type == "Return" else abs(line.qty)
        if self.world.ledger.available:
            for order in pos.sales_orders():
                mark = marked(order.number, codes)
                if mark is not None:
                    held = self._ordered.setdefault(mark[:2], defaultdict(lambda: ZERO))
                    for list_id, pieces in _kept(pos, order):
                        held[list_id] += pieces
        for adjustment in pos.adjustments():
            if adjustment.comments.startswith("WA-"):
                for line in adjustment.lines:
                    moved = line.new_quantity - line.old_quantity
                    self._adjusted[line.list_id] = self._adjusted.get(line.list_id, ZERO) + moved

    def _true_orders(self) -> dict[str, dict[int, dict[str, Decimal]]]:
        found: dict[str, dict[int, dict[str, Decimal]]] = {}
        for name, shop in self.world.shops.items():
            with shop.site.store.transaction():
                table = list(shop.site.table("orders").values())
                found[name] = {}
                for order in table:
                    reduced, lines = reduced_of(order, self.world.items[name])
                    found[name][order["id"]] = reduced
                    self._lines[name, order["id"]].update(lines)
        return found

    def promised(self, *, as_told: bool) -> dict[str, Decimal]:
        """Pieces by item that buyers have, and the books not; as told, or in truth."""
        promised: dict[str, Decimal] = defaultdict(lambda: ZERO)
        true = self._true_orders()
        told = {name: self.paused.get(name, self.world.ledger.told[name]) for name in self.world.shops}
        for name in self.world.shops:
            if not as_told:
                orders, lines = true[name], self._lines
            else:
                orders = {number: one.reduced for number, one in told[name].items()}
                lines = {(name, number): one.lines for number, one in told[name].items()}
            for number, reduced in orders.items():
                if number in self.before[name]:
                    continue
                taken = self._receipts.get((name, number), {})
                held = self._ordered.get((name, number), {})
                for list_id in set(lines.get((name, number), {}).values()):
                    pieces = reduced.get(list_id, ZERO) - taken.get(list_id, ZERO)
                    if as_told or list_id not in taken:
                        # What a receipt left open of it is nobody's, so that a shop may show it: but need not.
                        pieces -= held.get(list_id, ZERO)
                    if as_told and told[name][number].erased:
                        # It is promised to nobody. But where its sales order holds more than it took, and the service
                        # has not asked yet whether it is still there, it counts the rest as free: which it is.
                        pieces = min(pieces, ZERO)
                    promised[list_id] += pieces
        return promised

    def story(self, list_id: str) -> str:
        """Who has what of an item, for people."""
        true, parts = self._true_orders(), []
        for name in self.world.shops:
            for number, reduced in true[name].items():
                key = (name, number)
                if list_id in self._lines[key].values():
                    told = self.world.ledger.told[name].get(number)
                    parts.append(
                        f"{name} {number}: took {reduced.get(list_id, ZERO)} (told "
                        f"{told and told.reduced.get(list_id, ZERO)}), receipts {self._receipts.get(key, {}).get(list_id, ZERO)}"
                        f", on order {self._ordered.get(key, {}).get(list_id, ZERO)}"
                        f"{', before the go-live' if number in self.before[name] else ''}"
                    )
        return "; ".join(parts)

    def _untold(self, name: str) -> dict[str, Decimal]:
        """By how much a shop's numbers were moved since it told of its orders, and of edits."""
        moved: dict[str, Decimal] = defaultdict(lambda: ZERO)
        told = self.world.ledger.told[name]
        for number, reduced in self._true_orders()[name].items():
            known = told[number].reduced if number in told else {}
            # Erasing moves no number, and an erased order is not in the table.
            for list_id in reduced.keys() | known.keys():
                moved[list_id] += known.get(list_id, ZERO) - reduced.get(list_id, ZERO)
        for edit in self.world.ledger.edits:
            if edit.shop == name and not edit.told:
                moved[edit.list_id] += edit.pieces
        return moved

    def _edited(self, list_id: str, *, as_told: bool) -> Decimal:
        """What persons changed in a shop, less what came to the books of it."""
        wanted = sum(
            (
                edit.pieces
                for edit in self.world.ledger.edits
                if edit.list_id == list_id and (edit.told or not as_told)
            ),
            ZERO,
        )
        return wanted - self._adjusted.get(list_id, ZERO)

    def open_edits(self) -> bool:
        """True if a person has changed a quantity that the books do not have yet."""
        self._read_books()
        list_ids = {edit.list_id for edit in self.world.ledger.edits} | set(self._adjusted)
        return any(self._edited(list_id, as_told=False) for list_id in list_ids)

    # The numbers

    def shows(self, shop: str, list_id: str, free: Decimal, *, owed: bool) -> int:
        """The number for a shop of what is free."""
        share, buffer = RULES[shop]
        pieces = free * share / 100 if free > 0 else free
        number = int((pieces - buffer).to_integral_value(rounding=ROUND_FLOOR))
        if number <= 0 and not owed:
            return 0
        return number

    def _looked_at(self, list_ids: Collection[str] | None, name: str) -> Iterator[tuple[int, str, Any]]:
        with self.world.shops[name].site.store.transaction():
            table = self.world.shops[name].site.table("products")
            found = [
                (number, list_id, table[number])
                for number, list_id in self.world.items[name].items()
                if number in table and (list_ids is None or list_id in list_ids)
            ]
        for number, list_id, product in found:
            if product["status"] != "trash" and product["manage_stock"] is True:
                yield number, list_id, product

    def look(self) -> list[str]:
        """After a pass: products of which something has changed that show more than they may."""
        ledger = self.world.ledger
        touched, ledger.touched = set(ledger.touched), set()
        if not touched:
            return []
        self._read_books()
        broken = []
        promised = self.promised(as_told=True)
        for name in self.world.shops:
            if name in self.paused:
                continue
            untold, busy = self._untold(name), self.world.busy(name)
            for number, list_id, product in self._looked_at(touched, name):
                if number in busy or (name, number) in ledger.strange:
                    ledger.touched.add(list_id)
                    continue
                self.looks += 1
                there, unseen = ledger.there(list_id), ledger.unseen(list_id)
                edited = self._edited(list_id, as_told=True)
                free = there - unseen - promised.get(list_id, ZERO) + edited
                most = self.shows(name, list_id, free, owed=product["backorders"] != "no")
                shown = int(product["stock_quantity"] or 0) - untold.get(list_id, ZERO)
                if shown > most:
                    broken.append(
                        f"{name} shows {product['stock_quantity']} (of our writing {shown}) of {self.world.skus[list_id]} (product {number}), at "
                        f"most {most} may be shown: {there} there, of it {unseen} moved unseen, "
                        f"{promised.get(list_id, ZERO)} promised, {edited} edited [{self.story(list_id)}]"
                    )
        return broken

    def evening(self) -> list[str]:
        """Products that do not show just what they should; no allowance."""
        self._read_books()
        promised = self.promised(as_told=False)
        broken = []
        for name in self.world.shops:
            for number, list_id, product in self._looked_at(None, name):
                there = self.world.ledger.there(list_id)
                free = there - promised.get(list_id, ZERO)
                right = self.shows(name, list_id, free, owed=product["backorders"] != "no")
                if int(product["stock_quantity"] or 0) != right:
                    broken.append(
                        f"{name} shows {product['stock_quantity']} of {self.world.skus[list_id]} (product {number}) and "
                        f"should show {right}: {there} there, {promised.get(list_id, ZERO)} promised [{self.story(list_id)}]"
                    )
        for list_id in {edit.list_id for edit in self.world.ledger.edits} | set(self._adjusted):
            left = self._edited(list_id, as_told=False)
            if left:
                broken.append(f"{left} pieces of {self.world.skus[list_id]} were edited and not adjusted")
        return broken

    def pause(self, name: str) -> None:
        """A shop shows QuickBooks' stock no more."""
        self.paused[name] = copy.deepcopy(self.world.ledger.told[name])
        edits = self.world.ledger.edits
        edits[:] = [edit for edit in edits if edit.shop != name or edit.told]

    def gone_live(self, name: str, open_then: Collection[int]) -> None:
        """Orders of before that were not open then count no more."""
        self.paused.pop(name, None)
        with self.world.shops[name].site.store.transaction():
            self._read_books()
            # What the service was told of, and has still to write, is promised like what stands open.
            table = self.world.shops[name].site.table("orders")
            unsent = {
                number
                for number in self.world.ledger.told[name]
                if number in table
                and table[number]["status"] in ("completed", "refunded")
                and (name, number) not in self._receipts
            }
            self.before[name] = set(table) - set(open_then) - unsent


def marked(text: str | None, codes: dict[str, str]) -> tuple[str, int, int] | None:
    """(shop, order, refund or 0) of a mark such as "WNORTH-17-R20/1"; None for what is none of ours."""
    head, _, rest = (text or "").partition("-")
    name = codes.get(head.removeprefix("W"))
    record = rest.partition("/")[0]
    if name is None or not head.startswith("W") or not rest.partition("/")[2]:
        return None
    order, _, refund = record.partition("-R")
    return name, int(order), int(refund or 0)


def _kept(pos: Any, order: Any) -> Iterator[tuple[str, Decimal]]:
    """What an open sales order still keeps from others."""
    fields = pos._known("SalesOrder", order.txn_id).fields
    if fields.get("SalesOrderStatusDesc", "Open") == "Closed":
        return
    for line in fields.get("SalesOrderItemRet", []):
        yield line["ListID"], max(line["Qty"] - line["QtySold"], ZERO)
