"""What orders took from the shops' stock: `OrderTaking`, kept while a store is live for stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import SALE, newest_of_record
from queue_store.catalogue import fold
from queue_store.closing import reopen
from queue_store.companies import live_kinds
from queue_store.matching import items_of_skus
from queue_store.models import Activity, OrderTaking, ShopProduct, Store
from queue_store.payloads import Order, OrderLine
from queue_store.product_sync import ask_products, ask_store_products
from queue_store.shop_marks import move_orders_mark
from queue_store.shop_products import pieces, products_of
from queue_store.states import ABROAD, ActivityState

_order = msgspec.json.Decoder(Order)
#: A sale in one of these is not known to be in the books, and is not over.
_TO_GO = (
    *(ActivityState.PENDING, ActivityState.DELAYED, ActivityState.WAITING, ActivityState.HELD),
    *(ActivityState.FAILED, ActivityState.SENT, ActivityState.IN_DOUBT),
)


def keeps_takings(store: Store) -> bool:
    """True if the store shows QuickBooks' stock; every other store costs nothing here."""
    return "stock" in live_kinds(store)


def take_stock(db: Session, store: Store, orders: Sequence[Order], *, read_now: bool = False) -> set[str]:
    """Keep what these orders took, and ask for the products concerned in all shops; gives the items concerned.

    `orders` as the queue took them in: none of them older than what it had. To
    be called in the same transaction. Nothing at all is done for a store that
    is not live for stock.
    """
    if not keeps_takings(store) or not orders:
        return set()
    changed = keep_takings(db, store, orders)
    if not changed:
        return set()
    since: dict[tuple[int, int], datetime] = {}
    doubtful: set[int] = set()
    for row, was_at in changed:
        key = (store.id, row.product_id)
        since[key] = min(row.modified_at, since.get(key, row.modified_at))
        if was_at == row.modified_at and not read_now:
            # Two states of one second: only the shop knows which is the newer.
            doubtful.add(row.product_id)
    list_ids = {row.list_id for row, _ in changed if row.list_id is not None}
    ask_products(db, store.company_id, list_ids, cause="orders took of it, or gave back", since=since)
    if doubtful:
        ask_store_products(db, store, doubtful, cause="an order of it came twice in one second", always=True)
    return list_ids


def keep_takings(
    db: Session, store: Store, orders: Iterable[Order], *, are_open: bool = False
) -> list[tuple[OrderTaking, datetime | None]]:
    """Write the orders' takings down; those that changed, each with the date that was known of it before.

    `are_open`: orders that stand open at the go-live; each line of theirs is
    kept, also one that took nothing so far. Of an order from before the go-live
    that did not stand open then the books know already: it counts as booked.
    """
    newest: dict[str, Order] = {}
    for order in orders:
        record = str(order.order_id)
        if record not in newest or order.modified_at >= newest[record].modified_at:
            newest[record] = order
    known: dict[str, dict[int, OrderTaking]] = defaultdict(dict)
    for some in pieces(sorted(newest)):
        rows = db.scalars(
            select(OrderTaking).where(OrderTaking.store_id == store.id, OrderTaking.record.in_(some))
        )
        for found in rows:
            known[found.record][found.line_id] = found
    lines = [
        line
        for order in newest.values()
        for line in order.lines
        if are_open or line.reduced_stock is not None
    ]
    products = products_of(
        db, store.id, {number for line in lines for number in (line.product_id, line.variation_id) if number}
    )
    items = _Items(db, store, lines, products)
    changed: list[tuple[OrderTaking, datetime | None]] = []
    for record, order in newest.items():
        rows_of_order = known[record]
        latest = max((row.modified_at for row in rows_of_order.values()), default=None)
        if latest is not None and order.modified_at < latest:
            continue
        took = {line.line_id: line for line in order.lines if are_open or line.reduced_stock is not None}
        is_booked = (
            not are_open
            and not rows_of_order
            and store.stock_since is not None
            and order.created_at < store.stock_since
        )
        for line_id in rows_of_order.keys() | took.keys():
            line, row = took.get(line_id), rows_of_order.get(line_id)
            quantity = (
                line.reduced_stock if line is not None and line.reduced_stock is not None else Decimal(0)
            )
            if row is None:
                assert line is not None
                row = _new(store, order, line, products, items, quantity)
                row.booked = is_booked
                db.add(row)
                changed.append((row, latest))
            elif row.quantity != quantity:
                row.quantity = quantity
                changed.append((row, latest))
            row.modified_at = order.modified_at
    db.flush()
    # Also the documents of an order of which no taking was known.
    reopen(db, store.id, {row.record for row, _ in changed})
    return changed


def _new(
    store: Store,
    order: Order,
    line: OrderLine,
    products: dict[int, ShopProduct],
    items: _Items,
    quantity: Decimal,
) -> OrderTaking:
    return OrderTaking(
        store_id=store.id,
        record=str(order.order_id),
        line_id=line.line_id,
        company_id=store.company_id,
        product_id=_keeper(line, products),
        sku_key=fold(line.sku)[:120],
        list_id=items.of(line),
        quantity=quantity,
        modified_at=order.modified_at,
        booked=False,
        closed=False,
    )


def _keeper(line: OrderLine, products: dict[int, ShopProduct]) -> int:
    """Whose number fell: the variation's, or its parent's where it shares that."""
    variation = products.get(line.variation_id)
    if line.variation_id and (variation is None or variation.manage_stock != "parent"):
        return line.variation_id
    return line.product_id


class _Items:
    """QuickBooks' items of some lines: the product's, else by SKU."""

    def __init__(
        self, db: Session, store: Store, lines: Sequence[OrderLine], products: dict[int, ShopProduct]
    ) -> None:
        self._products = products
        unknown = {line.sku for line in lines if self._of_product(line) is None}
        self._by_sku = items_of_skus(db, store, unknown) if unknown else {}

    def of(self, line: OrderLine) -> str | None:
        found = self._of_product(line)
        if found is None:
            hits = self._by_sku.get(fold(line.sku), [])
            found = hits[0].list_id if len(hits) == 1 else None
        return found

    def _of_product(self, line: OrderLine) -> str | None:
        for number in (line.variation_id, line.product_id):
            row = self._products.get(number)
            if number and row is not None and row.list_id is not None:
                return row.list_id
        return None


def begin_takings(
    db: Session, store: Store, orders: Sequence[Order], booked: Collection[str], since: datetime | None
) -> set[str]:
    """Stock goes live: these orders stand open in the shop, and of those `booked` the books know already.

    Orders that stand open no more, but whose receipt has still to go from here, count like open ones.

    Gives the items of which something else is promised now than before, to all shops of the company.

    `since`: when the newest of all orders was changed, as the reading began. All
    that changed later is read by the worker.

    Whatever an earlier time of being live left behind counts no more, nor do
    both sides' agreements of that time.
    """
    records = {str(order.order_id) for order in orders}
    unsent = [order for order in _unsent_orders(db, store) if str(order.order_id) not in records]
    orders = [*orders, *unsent]
    records |= {str(order.order_id) for order in unsent}
    before = _promised_items(db, store)
    db.execute(
        update(OrderTaking)
        .where(OrderTaking.store_id == store.id, ~OrderTaking.booked)
        .values(booked=True)
        .execution_options(synchronize_session=False)
    )
    db.execute(
        update(ShopProduct)
        .where(
            ShopProduct.store_id == store.id,
            or_(ShopProduct.agreed_gross.is_not(None), ShopProduct.doubted_gross.is_not(None)),
        )
        .values(agreed_gross=None, doubted_gross=None)
        .execution_options(synchronize_session=False)
    )
    db.expire_all()
    store.stock_since = since
    if since is not None and store.orders_read_until is None:
        # An older mark stays: what was missed since is still to be read, and what of it was not open is booked.
        move_orders_mark(db, store, since)
    keep_takings(db, store, orders, are_open=True)
    reopen(db, store.id, records)
    for some in pieces(sorted(records - set(booked))):
        db.execute(
            update(OrderTaking)
            .where(OrderTaking.store_id == store.id, OrderTaking.record.in_(some))
            .values(booked=False)
            .execution_options(synchronize_session=False)
        )
    name_booked(db, store, booked)
    db.expire_all()
    return before | _promised_items(db, store)


def _unsent_orders(db: Session, store: Store) -> list[Order]:
    """Orders as last heard of whose receipt is going to QuickBooks, or may be there: not those that go by push only."""
    payload = func.coalesce(Activity.newer_payload, Activity.payload)
    rows = db.scalars(
        select(payload)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == SALE,
            Activity.state.in_(_TO_GO),
            Activity.reason.not_in(("before since", "untranslatable")),
        )
        .order_by(Activity.id)
    )
    return [_order.decode(row) for row in rows]


def _promised_items(db: Session, store: Store) -> set[str]:
    found = select(OrderTaking.list_id).where(
        OrderTaking.store_id == store.id,
        OrderTaking.list_id.is_not(None),
        ~OrderTaking.booked,
        ~OrderTaking.closed,
    )
    return {str(list_id) for list_id in db.scalars(found.distinct())}


def name_booked(db: Session, store: Store, records: Collection[str]) -> set[str]:
    """A person says that these orders are in the books already: nothing of them is promised; the items concerned."""
    concerned: set[str] = set()
    for some in pieces(sorted(records)):
        rows = db.scalars(
            select(OrderTaking).where(OrderTaking.store_id == store.id, OrderTaking.record.in_(some))
        )
        for row in rows:
            row.booked = True
            if row.list_id is not None:
                concerned.add(row.list_id)
    db.flush()
    return concerned


def order_erased(db: Session, store: Store, order_id: int) -> None:
    """The shop has this order no more, not even in its trash: nothing of it is promised to anybody.

    What it took stays a part of the products' gross, since the shop's quantity
    did not move; its documents count with it, on neither side. One that is out
    at this moment holds its pieces until that is settled and it is asked again.
    """
    if not keeps_takings(store):
        return
    sale = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=str(order_id)
    )
    if sale is not None and sale.state in ABROAD:
        return
    concerned = name_booked(db, store, {str(order_id)})
    ask_products(db, store.company_id, concerned, cause=f"order {order_id} was erased in the shop")
