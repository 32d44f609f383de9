"""A house whose shop shows QuickBooks' stock: what it would show, held against what may be sold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from queue_store.allocation import promised_of
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.levels import allocation, basis
from queue_store.models import Activity, CatalogueItem, OrderTaking, PullMark, QbwcSession, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import ShopItem, decode_book_item
from queue_store.upsert import upsert
from tests.harness import House

#: Pieces of each item at the beginning.
STOCKED = Decimal(10)


class Stockroom:
    """One house with items of some SKUs, each matched to a product of the shop."""

    def __init__(self, house: House, skus: dict[str, int]) -> None:
        """`skus` are product ids by SKU."""
        self.house = house
        self.list_ids: dict[str, str] = {}
        for sku in skus:
            item = house.pos.add_item(f"Item {sku}", alu=sku, price1=Decimal(5), on_hand={1: STOCKED})
            self.list_ids[sku] = item.list_id
        with house.database.write() as db:
            store = get_store(db, "main")
            store.live_kinds = "customers orders stock"
            get_company(db, "books").tracks_stock = True
            for sku, product_id in skus.items():
                db.add(
                    ShopProduct(
                        store_id=store.id,
                        product_id=product_id,
                        company_id=store.company_id,
                        sku=sku,
                        sku_key=sku.lower(),
                        content=encode(
                            ShopItem(
                                product_id=product_id, type="simple", status="publish", manage_stock="yes"
                            )
                        ),
                        list_id=self.list_ids[sku],
                    )
                )

    @property
    def database(self) -> Database:
        return self.house.database

    def take(self, order: dict[str, Any], **taken: int) -> None:
        """An order arrives; `taken` are other quantities than its lines tell, by SKU with _ for -."""
        self.house.take(order)
        self.takings(order, **taken)

    def takings(self, order: dict[str, Any], **taken: int) -> None:
        """What an order took from the shop's stock, as its lines tell it now."""
        with self.database.write() as db:
            store = get_store(db, "main")
            rows = [
                {
                    "store_id": store.id,
                    "record": str(order["id"]),
                    "line_id": line["id"],
                    "company_id": store.company_id,
                    "product_id": line["product_id"],
                    "sku_key": line["sku"].lower(),
                    "list_id": self.list_ids.get(line["sku"]),
                    "quantity": Decimal(taken.get(line["sku"].replace("-", "_"), line["quantity"])),
                    "modified_at": datetime.now(UTC),
                    "booked": False,
                    "closed": False,
                }
                for line in order["line_items"]
            ]
            upsert(db, OrderTaking, rows, ("store_id", "record", "line_id"))

    def shown(self, sku: str) -> Decimal | None:
        """Pieces that the shop may show now, as far as is known here; None: the item was never read."""
        list_id = self.list_ids[sku]
        with self.database.read() as db:
            row = db.scalars(select(CatalogueItem).where(CatalogueItem.list_id == list_id)).first()
            if row is None:
                return None
            there = basis(decode_book_item(row.content), (), available=False)
            assert there is not None
            promised = promised_of(db, row.company_id, [list_id])[list_id]
            return there - allocation(promised.takings, promised.moves, row.asked_turn, holds_orders=False)

    def free(self, sku: str) -> Decimal:
        """Pieces that nobody has: on the shelf, less what orders took whose receipts are not in the books."""
        list_id = self.list_ids[sku]
        with self.database.read() as db:
            taken = db.scalars(select(OrderTaking.quantity).where(OrderTaking.list_id == list_id)).all()
        in_books = sum(
            (
                (-1 if receipt.type == "Return" else 1) * abs(line.qty)
                for receipt in self.house.our_receipts()
                for line in receipt.lines
                if line.list_id == list_id
            ),
            Decimal(0),
        )
        return self.house.pos.item(list_id).quantity_on_hand - sum(taken, Decimal(0)) + in_books

    def check(self) -> None:
        """No shop shows more than there is."""
        for sku in self.list_ids:
            shown = self.shown(sku)
            assert shown is None or shown <= self.free(sku), (sku, shown, self.free(sku))

    def run(self, **hooks: Any) -> None:
        """A session, looked at before and after each set; `hooks` as for the house."""
        on_set, on_answer = hooks.get("on_set"), hooks.get("on_answer")

        def before(number: int, request: str) -> None:
            self.check()
            if on_set:
                on_set(number, request)

        def after(number: int, ticket: str, request: str, response: str) -> None:
            self.check()
            if on_answer:
                on_answer(number, ticket, request, response)

        self.house.run(on_set=before, on_answer=after)
        self.check()

    def run_until_quiet(self) -> None:
        """Sessions until there is nothing to do, each looked at; then the shop shows what is free."""
        for _ in range(20):
            ticket, says = self.house.begin()
            self.house.conversation.close_connection(ticket)
            if says == "none":
                break
            self.run()
        else:
            raise AssertionError("the queue is not drained")
        for sku in self.list_ids:
            assert self.shown(sku) == self.free(sku), sku

    def read_everything(self) -> None:
        """All items are read by a session of their own, as at the first go-live."""
        self.house.set("pull.items_minutes", "60")
        self.run()
        self.house.set("pull.items_minutes", "0")
        self.answer_products()

    def show_nothing(self) -> None:
        """The shop stops showing QuickBooks' stock."""
        with self.database.write() as db:
            get_store(db, "main").live_kinds = "customers orders"
            get_company(db, "books").tracks_stock = False

    def make_pulls_due(self) -> None:
        with self.database.write() as db:
            db.execute(update(PullMark).values(finished_at=datetime(2020, 1, 1, tzinfo=UTC)))

    def let_session_age(self) -> None:
        """The session under way has had its time."""
        with self.database.write() as db:
            db.execute(update(QbwcSession).values(started_at=datetime(2020, 1, 1, tzinfo=UTC)))

    def asked(self) -> list[str]:
        """Products that the worker is asked to look at, by id."""
        with self.database.read() as db:
            return sorted(
                db.scalars(
                    select(Activity.record_id).where(
                        Activity.kind == "sync_product", Activity.state == "pending"
                    )
                )
            )

    def answer_products(self) -> None:
        """The worker has seen to all that it was asked for."""
        with self.database.write() as db:
            db.execute(update(Activity).where(Activity.kind == "sync_product").values(state="succeeded"))
