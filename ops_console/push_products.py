"""Products of a shop that become items of QuickBooks by hand, whatever the store's settings say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ops_console.by_hand import NOT_SENT, ON_ITS_WAY, SENT, UNCHANGED, HandRun, Line
from ops_console.chosen_products import pieces_of
from queue_store.activities import newest_of_record
from queue_store.item_orders import ADD_ITEM, CHANGE_ITEM, item_record_id
from queue_store.matching import match_products
from queue_store.models import Activity, Company, ShopProduct, Store
from queue_store.payloads import Item
from queue_store.product_payloads import decode_shop_item
from queue_store.products_to_books import Sent, send_products
from queue_store.shop_products import products_of
from queue_store.states import ABROAD
from woo_bridge.client import ShopClient

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def push_products(run: HandRun, client: ShopClient) -> Iterator[list[Line]]:
    """One piece of lines after the other. Raises ShopError."""
    for ids, place in pieces_of(run, client):

        def work(db: Session, store: Store, company: Company, ids: Sequence[int] = ids) -> list[Line]:
            return list(_send(db, store, ids, run.cause))

        yield run.piece(work, place, len(ids))
    run.finish()


def _send(db: Session, store: Store, ids: Sequence[int], cause: str) -> Iterator[Line]:
    # What has an item already must not become another one.
    match_products(db, store, ids)
    found = {one.product_id: one for one in send_products(db, store, ids, cause=cause, by_hand=True)}
    rows = products_of(db, store.id, found.keys() | set(ids))
    for number in sorted(found.keys() | set(ids)):
        row, one = rows.get(number), found.get(number)
        if row is None or row.gone:
            yield Line(f"product {number}", NOT_SENT, sentence="The shop has no product of this id.")
        elif one is not None:
            yield _line(db, store, row, one)
        elif row.list_id is not None:
            yield Line(decode_shop_item(row.content).called, UNCHANGED)
        elif row.match_problem:
            yield Line(decode_shop_item(row.content).called, NOT_SENT, sentence=row.match_problem)


def _line(db: Session, store: Store, row: ShopProduct, one: Sent) -> Line:
    name = decode_shop_item(row.content).called
    if one.item is not None:
        activity = _newest(db, store, ADD_ITEM, item_record_id("sku", one.item.sku))
        outcome = ON_ITS_WAY if activity is not None and activity.state in ABROAD else SENT
        return Line(name, outcome, _told(one.item), activity_id=activity.id if activity else None)
    if one.change is not None:
        activity = _newest(db, store, CHANGE_ITEM, one.change.list_id)
        return Line(name, SENT, "changed fields", activity_id=activity.id if activity else None)
    return Line(name, NOT_SENT, sentence=one.problem)


def _newest(db: Session, store: Store, kind: str, record_id: str) -> Activity | None:
    return newest_of_record(db, company_id=store.company_id, store_id=0, kind=kind, record_id=record_id)


def _told(item: Item) -> str:
    of = item.details
    parts = [f"new item {item.sku}", f"at {item.price:f}", item.department and f"in {item.department}"]
    if of is not None:
        parts.append(" ".join(filter(None, (of.size, of.attribute))))
    return " ".join(part for part in parts if part)
