"""Shoppers, tills, shopkeepers: what they do in a day, spread over it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ops_sandbox.shop import Shop
from ops_sandbox.shop import orders as shop_orders
from tests.day.ledger import ZERO, Edit, reduced_of
from tests.day.world import World

_NAMES = ("north", "south")


class People:
    """Everybody. Each deed looks at the world as it is when its moment comes."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng
        self.refunds: list[tuple[str, int, int, datetime]] = []
        self.deleted_refunds: set[tuple[str, int, int]] = set()
        self.erased: set[tuple[str, int]] = set()
        #: The day is over.
        self.are_home = False

    def plan(self, begin: datetime, end: datetime) -> None:
        """Put the whole day into the world's clock."""
        size = self.world.plot.size
        deeds: list[tuple[int, Callable[[], object]]] = [
            (size.orders, self.order),
            (size.sales, self.sell),
            (size.returns, self.refund),
            (size.prices, self.change_price),
            (size.edits, self.edit),
            (max(2, size.edits // 4), self.overwritten_edit),
            (max(2, size.sales // 20), self.goods),
            (max(2, size.orders // 40), self.delete_refund),
            (max(2, size.orders // 100), self.erase),
        ]
        if self.world.plot.basis == "available":
            deeds.append((max(2, size.sales // 10), self.customers_order))
        seconds = (end - begin).total_seconds()
        for count, deed in deeds:
            for _ in range(count):
                self.world.clock.at(begin + timedelta(seconds=self.rng.uniform(0, seconds)), deed)

    def _later(self, minutes: float, deed: Callable[[], object]) -> None:
        """What is not done by the evening is left."""
        self.world.clock.after(timedelta(minutes=minutes), lambda: None if self.are_home else deed())

    def _list_id(self) -> str:
        return self.world.list_ids[self._sku()]

    def _sku(self) -> str:
        everything = self.rng.random() < 0.1
        return self.rng.choice(list(self.world.list_ids) if everything else self.world.hot)

    def _shop(self) -> tuple[str, Shop]:
        name = self.rng.choice(_NAMES)
        return name, self.world.shops[name]

    # In the shops

    def order(self, name: str = "", sku: str = "") -> dict[str, Any] | None:
        """Somebody orders what the shop shows as there."""
        if not name:
            name = self.rng.choice(_NAMES)
        shop, rng = self.world.shops[name], self.rng
        sold = set(self.world.items[name].values())
        lines: dict[str, int] = {}
        for wanted in [sku] if sku else [self._sku() for _ in range(rng.choice((1, 1, 2, 3)))]:
            if self.world.list_ids[wanted] not in sold or wanted in lines:
                continue
            product = shop.product_by_sku(wanted)
            pieces = rng.choice((1, 1, 1, 2, 3))
            owed = product["backorders"] != "no"
            there = int(product["stock_quantity"] or 0)
            if there >= pieces or (owed and there > -4):
                lines[wanted] = pieces
        if not lines:
            return None
        method = rng.choices(("stripe", "cod", "bacs"), (7, 2, 2))[0]
        buyer = rng.randrange(150)
        order = shop.place_order(
            list(lines.items()),
            f"buyer{buyer}@example.net",
            # Some Points of Sale take no name twice.
            billing={"first_name": "Sho", "last_name": f"Pper {buyer}"},
            payment_method=method,
            shipping=Decimal("5.00") if rng.random() < 0.5 else None,
        )
        self._touch(order)
        self._later(rng.uniform(2, 150), lambda: self._follow(name, order["id"]))
        if method == "bacs" and rng.random() < 0.4:
            self._later(rng.uniform(1, 30), lambda: self._edit_order(name, order["id"]))
        return order

    def _touch(self, order: dict[str, Any]) -> None:
        for line in order["line_items"]:
            if line["sku"] in self.world.list_ids:
                self.world.ledger.touched.add(self.world.list_ids[line["sku"]])

    def _follow(self, name: str, order_id: int) -> None:
        """What becomes of an order: paid, shipped, cancelled, thrown away."""
        shop, rng = self.world.shops[name], self.rng
        table = shop.site.table("orders")
        if order_id not in table:
            return
        status = table[order_id]["status"]
        if status == "on-hold":
            word = rng.choices(("pay", "cancel", "trash"), (6, 3, 1))[0]
        elif status == "processing":
            word = rng.choices(("complete", "cancel", "trash", "wait"), (14, 2, 0.4, 2))[0]
        elif status == "cancelled":
            # Somebody changed their mind.
            word = "again" if rng.random() < 0.2 else ""
        else:
            return
        if word == "pay":
            self._touch(shop.pay(order_id))
        elif word == "complete":
            self._touch(shop.complete(order_id))
        elif word == "cancel":
            self._touch(shop.cancel(order_id))
        elif word == "again":
            order = next((one for one in shop.orders() if one["id"] == order_id), None)
            stocks = shop.stocks()
            if order and all(stocks.get(one["sku"], 0) >= one["quantity"] for one in order["line_items"]):
                self._touch(shop.set_status(order_id, "processing"))
        elif word == "trash":
            shop.trash_order(order_id)
        if word in ("pay", "wait", "cancel"):
            self._later(rng.uniform(5, 120), lambda: self._follow(name, order_id))

    def _edit_order(self, name: str, order_id: int) -> None:
        """A person changes the quantity of the first line of an order that is on hold."""
        shop = self.world.shops[name]
        with shop.site.store.transaction():
            order = shop.site.table("orders").get(order_id)
            if order is None or order["status"] != "on-hold":
                return
            line = order["line_items"][0]
            body = {"line_items": [{"id": line["id"], "quantity": max(1, line["quantity"] - 1)}]}
            shop_orders.update_order(shop.site, order, body)
            keeper = line["variation_id"] or line["product_id"]
        self.world.ledger.touched.add(self.world.items[name][keeper])
        self.world.count("order edited in the shop")

    def refund(self) -> None:
        """Goods come back, or only money."""
        name, shop = self._shop()
        rng = self.rng
        orders = [one for one in shop.orders() if one["status"] in ("completed", "processing")]
        if not orders:
            return
        order = rng.choice(orders)
        if order["payment_method"] == "cod" and order["status"] != "completed":
            return
        left = Decimal(order["total"]) - sum((-Decimal(one["total"]) for one in order["refunds"]), Decimal(0))
        if left <= 0:
            return
        restock = rng.random() < 0.6
        if rng.random() < 0.3 or order["refunds"]:
            if order["refunds"]:
                amount = min(left, Decimal("0.50"))
                refund = shop.refund(order["id"], amount=amount)
            else:
                refund = shop.refund(order["id"], restock=restock)
        else:
            line = rng.choice(order["line_items"])
            refund = shop.refund(order["id"], items=[(line["sku"], 1)], restock=restock)
        self.world.count("refund, put back" if restock else "refund, not put back")
        self.refunds.append((name, order["id"], refund["id"], self.world.clock.now))
        self._touch(order)

    def delete_refund(self) -> None:
        """A refund that was a mistake is deleted."""
        open_ones = [one for one in self.refunds if (*one[:3],) not in self.deleted_refunds]
        if not open_ones:
            return
        name, order_id, refund_id, _ = self.rng.choice(open_ones)
        shop = self.world.shops[name]
        if order_id not in shop.site.table("orders") or refund_id not in shop.site.table("refunds"):
            return
        shop.delete_refund(order_id, refund_id)
        self.deleted_refunds.add((name, order_id, refund_id))
        self.world.count("refund deleted")

    def erase(self) -> None:
        """An order is deleted for good, without a word.

        What the service was never told of it has left the shop's number as by a person's hand, and counts as such:
        no trace is left that could tell more.
        """
        name, shop = self._shop()
        with shop.site.store.transaction():
            found = [
                one["id"]
                for one in shop.site.table("orders").values()
                if one["status"] in ("on-hold", "trash")
            ]
        if found:
            order_id = self.rng.choice(found)
            untold = self._untold(name, order_id)
            if untold and not self._may_edit(name, untold):
                return
            shop.erase_order(order_id)
            self.erased.add((name, order_id))
            # Nothing of it is promised any more; until the service notices, it shows too few.
            known = self.world.ledger.told[name].get(order_id)
            if known is not None:
                known.erased = True
            if name == "north":
                edits = self.world.ledger.edits
                edits += [Edit(name, list_id, -pieces) for list_id, pieces in sorted(untold.items())]
            self.world.count("order erased")

    def _untold(self, name: str, order_id: int) -> dict[str, Decimal]:
        """Pieces by item that an order has of the shop's stock, and that the shop has not told of."""
        order = self.world.shops[name].site.table("orders")[order_id]
        reduced, _ = reduced_of(order, self.world.items[name])
        known = self.world.ledger.told[name].get(order_id)
        told = known.reduced if known is not None else {}
        left = {one: reduced.get(one, ZERO) - told.get(one, ZERO) for one in reduced.keys() | told.keys()}
        return {list_id: pieces for list_id, pieces in left.items() if pieces}

    def _may_edit(self, name: str, list_ids: Iterable[str]) -> bool:
        """False where an edit cannot be told from a writing of ours: see docs/stock.md."""
        if name != "north":
            return True
        busy = {self.world.items[name].get(number) for number in self.world.busy(name)}
        return name not in self.world.no_edits and not self.world.doubts(name) and busy.isdisjoint(list_ids)

    def edit(self) -> None:
        """A person changes a quantity in the shop whose edits go to QuickBooks."""
        world, shop = self.world, self.world.shops["north"]
        sku = self._sku()
        product = shop.product_by_sku(sku)
        before = int(product["stock_quantity"] or 0)
        after = max(0, before + self.rng.choice((-3, -2, -1, 1, 2, 5, 8)))
        if after == before or not self._may_edit("north", [world.list_ids[sku]]):
            return
        shop.edit_product(sku, stock_quantity=after)
        world.ledger.edits.append(Edit("north", world.list_ids[sku], Decimal(after - before)))
        world.ledger.touched.add(world.list_ids[sku])
        world.count("quantity edited, for QuickBooks")

    def overwritten_edit(self) -> None:
        """A person changes a quantity in the shop whose edits count for nothing."""
        world, shop = self.world, self.world.shops["south"]
        sku = self.rng.choice(world.hot)
        product = shop.product_by_sku(sku)
        shop.edit_product(sku, stock_quantity=int(product["stock_quantity"] or 0) + self.rng.choice((-1, 4)))
        world.ledger.strange.add(("south", product["id"]))
        world.count("quantity edited, for nothing")

    # In the stores

    def sell(self, list_id: str = "") -> None:
        """The till sells what lies on its shelf."""
        world, rng = self.world, self.rng
        store = rng.choices(world.pos.stores, (4, 1))[0]
        wanted = [list_id] if list_id else [self._list_id() for _ in range(rng.choice((1, 1, 2)))]
        lines = [(one, 1) for one in dict.fromkeys(wanted) if world.pos.stock(one, store) >= 1]
        if lines:
            ids = [one for one, _ in lines]
            world.ledger.by_staff(ids, lambda: world.pos.sell_in_store(lines, store=store))

    def goods(self) -> None:
        """Goods come in, go over, come back, are counted."""
        world, rng, pos = self.world, self.rng, self.world.pos
        one = self._list_id()
        word = rng.choice(("receive", "return", "count", "transfer", "vendor"))
        there = pos.stock(one, 1)
        if word == "receive":
            deed: Callable[[], object] = lambda: pos.receive([(one, rng.randrange(1, 6))], store=1)  # noqa: E731
        elif word == "return":
            deed = lambda: pos.return_in_store([(one, 1)], store=1)  # noqa: E731
        elif word == "count":
            deed = lambda: pos.count_stock({one: max(Decimal(0), there + rng.choice((-1, 2)))}, store=1)  # noqa: E731
        elif word == "transfer" and there >= 1:
            deed = lambda: pos.transfer([(one, 1)], source=1, target=2)  # noqa: E731
        elif word == "vendor" and there >= 1:
            deed = lambda: pos.return_to_vendor([(one, 1)], store=1)  # noqa: E731
        else:
            return
        world.ledger.by_staff([one], deed)
        world.count(f"goods: {word}")

    def customers_order(self) -> None:
        """A customer in the store orders, or fetches what was ordered."""
        world, pos, rng = self.world, self.world.pos, self.rng
        open_ones = [one for one in pos.sales_orders() if one.type == "SalesOrder" and one.status != "Closed"]
        if open_ones and rng.random() < 0.5:
            order = rng.choice(open_ones)
            ids = [line.list_id for line in order.lines]
            word = rng.choice((pos.hand_out_order, pos.close_order))
            world.ledger.by_staff(ids, lambda: word(order.txn_id))
            return
        customer = next((one for one in pos.customers() if one.last_name == "Regular"), None)
        if customer is None:
            customer = pos.add_customer("Regular")
        one = self._list_id()
        world.ledger.by_staff([one], lambda: pos.take_order([(one, 1)], customer.list_id))

    def change_price(self) -> None:
        """A price changes a little; seldom by so much that it has to wait for a person."""
        world, rng = self.world, self.rng
        one = self._list_id()
        price = world.pos.item(one).price1
        factor = Decimal(rng.choice(("0.9", "1.1", "1.25", "0.8", "3")))
        world.pos.change_prices(one, Price1=(price * factor).quantize(Decimal("0.01")))
        if rng.random() < 0.15:
            world.pos.change_prices(one, WebPrice=(price * Decimal("0.95")).quantize(Decimal("0.01")))
        world.count("price changed by a lot" if factor == 3 else "price changed")
