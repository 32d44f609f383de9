"""A shop that begins to show QuickBooks' products, stock and prices: looked at first, then switched on at once.

Nothing is written to the shop before everything is known that decides: its
products and which items they are, the orders that stand open, and which of
those the books know already.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ops_console.errors import NotDone
from ops_console.handwork import look_at_products
from qbwc_service import moves
from qbwc_service.run import Run
from queue_store.activities import SALE, newest_of_record
from queue_store.companies import get_store, live_kinds, set_live
from queue_store.database import Database
from queue_store.limits import told
from queue_store.locations import stores_problem
from queue_store.models import Company, Store
from queue_store.payloads import Order
from queue_store.product_payloads import ShopChange, ShopItem, decode_shop_item
from queue_store.product_sync import ask_products
from queue_store.returns import returns_of
from queue_store.shop_products import AT_ONCE, matched_products, pieces
from queue_store.showing import change_of, wanted_of
from queue_store.states import ActivityState
from queue_store.takings import begin_takings
from woo_bridge.client import ShopClient
from woo_bridge.read_orders import newest_change
from woo_bridge.read_products import read_all_products
from woo_bridge.translate_orders import translate_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Kinds for which the shop is written to, or its products are kept.
TO_SHOP = frozenset(("products", "stock", "prices"))
#: Statuses in which an order stands open: it may have taken stock, and its receipt may still come.
OPEN_STATUSES = ("pending", "on-hold", "processing")
_LARGEST = 10


@dataclass(slots=True)
class Outlook:
    """What a go-live would find, and change."""

    #: Products and variations that were read.
    products: int = 0
    matched: int = 0
    #: Products that would change.
    differing: int = 0
    #: The largest jumps, in words, the largest first.
    largest: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """What was read of the shop before a go-live."""

    products: int = 0
    #: Orders that stand open; read only where stock goes live.
    orders: list[Order] = field(default_factory=list)
    #: date_modified of the newest order of all, when the reading of orders began.
    newest: datetime | None = None


class _RollBack(Exception):
    """Undoes what a look ahead did to learn what would happen."""


def read_shop(database: Database, client: ShopClient, name: str, kinds: Collection[str]) -> Found:
    """All products, and the open orders if stock goes live now. Raises NotDone, ShopError, Untranslatable."""
    with database.read() as db:
        store = get_store(db, name)
        problem = stores_problem(db, db.get_one(Company, store.company_id)) if "stock" in kinds else ""
        if problem:
            raise NotDone(f"Stock of store {name} does not go live. {problem}")
        store_id, begins_stock = store.id, "stock" in kinds and "stock" not in live_kinds(store)
    found = Found()
    if begins_stock:
        # First of all: what changes from here on is read by the worker.
        found.newest = newest_change(client)
        found.orders = [translate_order(body) for body in client.iter_orders(statuses=OPEN_STATUSES)]
    found.products = read_all_products(database, client, store_id)
    return found


def look_ahead(
    database: Database, name: str, kinds: Sequence[str], found: Found, booked: Collection[str], who: str
) -> Outlook:
    """What would change in the shop. Writes nothing."""
    outlook = Outlook(products=found.products)

    def work(db: Session) -> None:
        store, _ = _switch(db, name, kinds, found, booked, who)
        _look(db, store, outlook)
        raise _RollBack

    with suppress(_RollBack):
        database.write_again(work)
    return outlook


def begin(
    database: Database, name: str, kinds: Sequence[str], found: Found, booked: Collection[str], who: str
) -> int:
    """Switch exactly these kinds on, with all that they need to know; how many products are asked for."""
    concerned = database.write_again(lambda db: _switch(db, name, kinds, found, booked, who)[1])
    asked = look_at_products(database, name, "the shop went live for it")
    # What is promised to this shop's buyers lowers what the other shops may show.
    for some in pieces(sorted(concerned)):
        database.write_again(lambda db, some=some: _ask_others(db, name, some))  # type: ignore[misc]
    return asked


def _ask_others(db: Session, name: str, list_ids: Collection[str]) -> None:
    ask_products(db, get_store(db, name).company_id, list_ids, cause=f"store {name} went live for stock")


def is_booked_by_us(db: Session, store: Store, order: Order) -> bool:
    """True if we wrote its receipt: nobody has to be asked."""
    sale = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=str(order.order_id)
    )
    return sale is not None and sale.state == ActivityState.SUCCEEDED


def records_of(orders: Sequence[Order], numbers: Collection[str]) -> tuple[set[str], list[str]]:
    """The records of these orders, named by number or id, and the names of which none is open."""
    by_name = {str(order.order_id): order for order in orders} | {order.number: order for order in orders}
    known = {str(by_name[name].order_id) for name in numbers if name in by_name}
    return known, [name for name in numbers if name not in by_name]


def _switch(
    db: Session, name: str, kinds: Sequence[str], found: Found, booked: Collection[str], who: str
) -> tuple[Store, set[str]]:
    """The store, and the items of which something else is promised now."""
    store = get_store(db, name)
    concerned: set[str] = set()
    begins_stock = "stock" in kinds and "stock" not in live_kinds(store)
    set_live(db, store, kinds, who=who)
    if begins_stock:
        concerned = begin_takings(db, store, found.orders, booked, found.newest)
        run = Run(db, db.get_one(Company, store.company_id), datetime.now(UTC))
        for order in found.orders:
            _keep_moves(run, store, order)
    db.flush()
    return store, concerned


def _keep_moves(run: Run, store: Store, order: Order) -> None:
    """What documents of ours took that were written before anybody counted."""
    record_id = str(order.order_id)
    sale = newest_of_record(
        run.db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=record_id
    )
    for activity in (sale, *returns_of(run.db, store.company_id, store.id, record_id)):
        if activity is not None and activity.state == ActivityState.SUCCEEDED:
            moves.found(run, activity, None)


def _look(db: Session, store: Store, outlook: Outlook) -> None:
    company = db.get_one(Company, store.company_id)
    jumps: list[tuple[Decimal, str]] = []
    for item, change in _changes(db, company, store, outlook):
        outlook.differing += 1
        entry = (_size(item, change), f"{item.called}: {told(item, change)}")
        (heapq.heappush if len(jumps) < _LARGEST else heapq.heappushpop)(jumps, entry)
    outlook.largest = [text for _, text in sorted(jumps, reverse=True)]


def _changes(
    db: Session, company: Company, store: Store, outlook: Outlook
) -> Iterator[tuple[ShopItem, ShopChange]]:
    after = 0
    while True:
        rows = matched_products(db, store.id, after_id=after)
        outlook.matched += len(rows)
        wanted = wanted_of(db, company, store, rows)
        for row in rows:
            if row.product_id in wanted:
                item = decode_shop_item(row.content)
                change = change_of(item, wanted[row.product_id])
                if change:
                    yield item, change
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].product_id


def _size(item: ShopItem, change: ShopChange) -> Decimal:
    """How large a change is, so that prices and quantities can be set side by side: by what part it moves."""
    sizes = [Decimal(0)]
    for before, after in (
        (item.quantity, change.quantity),
        (item.regular_price, change.regular_price),
        (item.sale_price, change.sale_price),
    ):
        if after is not None:
            sizes.append(abs(after - (before or Decimal(0))) / max(abs(before or Decimal(0)), Decimal(1)))
    return max(sizes)
