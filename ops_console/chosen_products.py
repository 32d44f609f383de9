"""The products that a push or pull by hand goes through: named ones, changed ones or all, each read again just before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from ops_console.by_hand import HandRun, Selection
from ops_console.products import called
from queue_store.companies import get_store, live_kinds
from queue_store.database import Database
from queue_store.models import Store
from queue_store.product_choice import next_products
from queue_store.product_payloads import ShopItem, decode_shop_item
from queue_store.shop_products import keep_products, mark_gone, products_of
from woo_bridge.client import ShopClient
from woo_bridge.errors import Untranslatable
from woo_bridge.orders_since import read_changed_orders
from woo_bridge.product_calls import ALL_FIELDS, read_products
from woo_bridge.read_products import know_products
from woo_bridge.translate_products import translate_product

#: Products in one piece: as many as one call reads.
AT_ONCE = 100


def name_products(database: Database, store_name: str, selection: Selection) -> Selection:
    """The same with ids instead of SKUs. Raises NotFound for a SKU that is none."""
    if not selection.skus:
        return selection
    with database.read() as db:
        rows = called(db, [get_store(db, store_name)], selection.skus)
        ids = {row.product_id for row in rows}
    return Selection(ids=tuple(sorted(ids | set(selection.ids))), since=selection.since)


def read_first(run: HandRun, client: ShopClient) -> Iterator[int]:
    """Learn which products there are, unless they are named or a run goes on; how many, piece by piece."""
    if not run.selection.ids and not run.place:
        yield from know_products(run.database, client, run.store_id)


def pieces_of(run: HandRun, client: ShopClient) -> Iterator[tuple[list[int], str]]:
    """The ids of a piece, just read from the shop, and the place after it. Raises ShopError."""
    while True:
        with run.database.read() as db:
            ids = next_products(
                db,
                run.store_id,
                after_id=int(run.place or 0),
                ids=run.selection.ids,
                since=run.selection.since,
                limit=AT_ONCE,
            )
        if not ids:
            return
        read_now(run, client, ids)
        yield ids, str(ids[-1])


def read_now(run: HandRun, client: ShopClient, ids: Sequence[int]) -> None:
    """Read these products as they stand now, with the orders before them where stock flows. Raises ShopError."""
    with run.database.read() as db:
        store = db.get_one(Store, run.store_id)
        flows = "stock" in live_kinds(store)
        known = {
            number: decode_shop_item(row.content) for number, row in products_of(db, store.id, ids).items()
        }
    if flows:
        read_changed_orders(run.database, client, run.store_id)
    parents = {number: known[number].parent_id if number in known else 0 for number in ids}
    items: list[ShopItem] = []
    gone: list[int] = []
    for number, body in read_products(client, parents, fields=ALL_FIELDS):
        if body is None:
            gone.append(number)
            continue
        try:
            items.append(translate_product(body, known=known.get(number), parent_id=parents[number]))
        except Untranslatable:
            # What is known of it stays; reading the whole shop tells a task of it.
            continue

    def keep(db: Session) -> None:
        store = db.get_one(Store, run.store_id)
        mark_gone(db, store, gone)
        keep_products(db, store, items, read_now=True)

    run.database.write_again(keep)
