"""What people see of products and do to them: lists, one product's whole story, held, booked, asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from ops_console.errors import NotDone, WrongUsage
from queue_store.activities import SALE, newest_of_record
from queue_store.companies import get_store, list_stores, live_kinds
from queue_store.database import Database
from queue_store.errors import NotFound
from queue_store.models import ShopProduct, Store
from queue_store.operations import audit
from queue_store.product_status import Differing, ProductStatus, Status, products_called, statuses
from queue_store.product_story import item_read_at, look_events, orders_called
from queue_store.product_sync import ask_products, ask_store_products
from queue_store.shop_products import AT_ONCE, pieces
from queue_store.states import ActivityState
from queue_store.takings import name_booked

#: `--field` of commands, and the live kind that it goes by.
FIELDS = {"stock": "stock", "price": "prices"}
#: States of a receipt in which it is not on its way to QuickBooks.
_AT_REST = frozenset((ActivityState.CANCELLED, ActivityState.FAILED))


def as_row(one: ProductStatus, store: Store) -> dict[str, Any]:
    """One product in plain values; amounts are Decimals, None where there is none."""
    should, item = one.should, one.item
    return {
        "store": store.name,
        "id": one.row.product_id,
        "parent_id": one.row.parent_id or None,
        "sku": one.row.sku,
        "name": one.row.name,
        "type": one.shown.type,
        "shop_status": one.row.status,
        "status": one.status.value,
        "list_id": one.row.list_id,
        "item_number": item.item_number if item else None,
        "item_name": item.name if item else None,
        "shop_quantity": one.shown.quantity if one.shown.manage_stock == "yes" else None,
        "quickbooks_quantity": one.there if item and item.keeps_stock else None,
        "promised": one.allocation,
        "should_quantity": should.quantity,
        "shop_price": one.shown.regular_price,
        "should_price": should.regular_price,
        "shop_sale_price": one.shown.sale_price,
        "should_sale_price": should.sale_price,
        "differs": [difference_as_json(found) for found in one.fields],
        "since": one.since,
        "why": one.why,
        "orders": [
            {
                "name": holder.name,
                "taken": holder.sides.taken,
                "in_books": holder.sides.booked,
                "holds": holder.sides.promised,
                "receipt": holder.state,
            }
            for holder in one.holders
        ],
        "activity": None if one.activity_id is None else str(one.activity_id),
    }


def difference_as_json(one: Differing) -> dict[str, Any]:
    return {"field": one.field, "shop": one.shop, "should": one.should}


def told(one: ProductStatus) -> str:
    """What differs and why, for a table: "stock 3, should be 8: waits for the worker"."""
    parts = [
        f"{found.field} {_told_value(found.shop)}, should be {_told_value(found.should)}"
        for found in one.fields
    ]
    return ": ".join(filter(None, ("; ".join(parts), one.why)))


def _told_value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:f}"


def listed(
    db: Session, stores: Iterable[Store], *, status: str | None = None, names: Sequence[str] = ()
) -> Iterator[tuple[Store, ProductStatus]]:
    """The products of these stores, store by store; of one status, or those called so. Raises NotFound."""
    stores = list(stores)
    ids: dict[int, set[int]] | None = None
    if names:
        ids = {store.id: set() for store in stores}
        for row in called(db, stores, names):
            ids[row.store_id].add(row.product_id)
    for store in stores:
        for one in statuses(db, store, product_ids=None if ids is None else ids[store.id]):
            if status is None or one.status == status:
                yield store, one


def looked_at(db: Session, store: Store, product_ids: Collection[int]) -> list[ProductStatus]:
    """How these products of a store stand."""
    return list(statuses(db, store, product_ids=product_ids))


def called(db: Session, stores: Sequence[Store], names: Iterable[str]) -> list[ShopProduct]:
    """The products of these names (SKU or id), each once. Raises NotFound for a name that is none."""
    found: dict[tuple[int, int], ShopProduct] = {}
    for name in names:
        rows = products_called(db, [store.id for store in stores], name)
        if not rows:
            raise NotFound("product", name, "See: qbwoo product list")
        found.update({(row.store_id, row.product_id): row for row in rows})
    return [found[key] for key in sorted(found)]


def stores_of(db: Session, name: str | None) -> list[Store]:
    """The store of this name, or all of them. Raises NotFound."""
    return [get_store(db, name)] if name else list(list_stores(db))


def the_store(db: Session, name: str | None) -> Store:
    """The store of this name, or the only one. Raises NotFound, WrongUsage."""
    found = stores_of(db, name)
    if len(found) != 1:
        names = ", ".join(store.name for store in found)
        raise WrongUsage(f"Say which store: --store NAME. There are: {names or 'none'}.")
    return found[0]


# One product ---------------------------------------------------------------------


def last_looks(db: Session, store: Store, product_id: int, limit: int = 10) -> list[dict[str, Any]]:
    """What was done about a product lately, newest first: when, how it ended, what was written."""
    return [
        {"at": event.at, "result": ActivityState(event.to_state).shown, "what": event.cause}
        for event in look_events(db, store, product_id, limit)
    ]


def read_ages(db: Session, one: ProductStatus) -> dict[str, Any]:
    """When each side was read last."""
    return {
        "shop_read_at": one.row.read_at,
        "quickbooks_read_at": item_read_at(db, one.row.company_id, one.row.list_id),
    }


# Deeds ---------------------------------------------------------------------------


def set_held(db: Session, rows: Iterable[ShopProduct], who: str, *, held: bool) -> int:
    """Hold products, so that nothing of them is written, or let them go; how many changed."""
    changed: dict[int, list[int]] = {}
    for row in rows:
        if row.held != held:
            row.held = held
            word = "hold" if held else "release"
            audit(db, row.company_id, who, f"product {row.product_id}: {word}", str(not held), str(held))
            changed.setdefault(row.store_id, []).append(row.product_id)
    db.flush()
    if not held:
        for store_id, ids in changed.items():
            ask_store_products(db, db.get_one(Store, store_id), ids, cause=f"released by hand ({who})")
    return sum(map(len, changed.values()))


def book_order(db: Session, store: Store, name: str, who: str) -> tuple[str, int]:
    """A person says that an order is in the books: it holds nothing any more. Its name, and how many items it held.

    Raises NotFound; NotDone while its receipt may still go, which would put it into the books twice.
    """
    records = orders_called(db, store, name)
    if len(records) > 1:
        raise WrongUsage(f"{name} names several orders; give the id of one: {', '.join(sorted(records))}.")
    if not records:
        raise NotFound("order that holds stock", name, "See: qbwoo product list --status 'in orders'")
    [record] = records
    sale = newest_of_record(db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=record)
    if sale is not None and sale.state == ActivityState.SUCCEEDED:
        raise NotDone(
            f"Order {name} is in the books as our receipt {sale.txn_number or sale.txn_id}: it holds nothing."
        )
    if sale is not None and sale.state not in _AT_REST:
        raise NotDone(
            f"The receipt of order {name} is {ActivityState(sale.state).shown} and would still go: then it were in the "
            f"books twice. First run: qbwoo activity cancel {sale.id}"
        )
    concerned = name_booked(db, store, {record})
    audit(db, store.company_id, who, f"order {record} of store {store.name}: booked", "False", "True")
    ask_products(db, store.company_id, concerned, cause=f"order {name} is in the books, says {who}")
    return record, len(concerned)


def ask_again(
    database: Database, store_name: str, product_ids: Collection[int], who: str, *, field: str
) -> int:
    """Have the worker bring these products in step in one of `FIELDS`, in pieces; how many were asked for."""
    asked = 0
    for some in pieces(sorted(product_ids), AT_ONCE):

        def work(db: Session, some: list[int] = some) -> int:
            store = get_store(db, store_name)
            return ask_store_products(
                db, store, some, cause=f"{field} asked for by hand ({who})", always=True, only=FIELDS[field]
            )

        asked += database.write_again(work)
    return asked


def hindrance(store: Store, one: ProductStatus, field: str) -> str:
    """Why QuickBooks' `field` ("stock", "price") cannot go to this product, in a sentence; "" if it can."""
    kind = FIELDS[field]
    if one.status in (Status.UNMATCHED, Status.BASE, Status.HELD):
        return f"{one.status.value}: {one.why}"
    if one.is_stopped:
        return f"stopped by hand: qbwoo activity release {one.activity_id}"
    if kind not in live_kinds(store):
        return f"store {store.name} is not live for {kind}. Once, by hand: qbwoo pull {'prices' if field == 'price' else 'inventory'}"
    return ""
