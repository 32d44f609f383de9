"""What open orders of a shop took of its stock, where nobody keeps that yet: the shop is not live for stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from ops_console.going_live import OPEN_STATUSES, is_booked_by_us
from queue_store.companies import live_kinds
from queue_store.database import Database
from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.shop_products import products_of
from woo_bridge.client import ShopClient
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order


def promised_by_open_orders(database: Database, client: ShopClient, store_id: int) -> Mapping[str, Decimal]:
    """Pieces by ListID that orders took whose receipt is not in the books by us; nothing where takings are kept.

    What a person wrote into the books by hand cannot be told. Raises ShopError.
    """
    promised: dict[str, Decimal] = defaultdict(Decimal)
    with database.read() as db:
        if "stock" in live_kinds(db.get_one(Store, store_id)):
            return promised
    for body in client.iter_orders(statuses=OPEN_STATUSES):
        try:
            order = translate_order(body)
        except Untranslatable:
            continue
        for product_id, pieces in _taken(order).items():
            with database.read() as db:
                if is_booked_by_us(db, db.get_one(Store, store_id), order):
                    break
                row = products_of(db, store_id, [product_id]).get(product_id)
                if row is not None and row.manage_stock == "parent":
                    row = products_of(db, store_id, [row.parent_id]).get(row.parent_id)
                if row is not None and row.list_id is not None:
                    promised[row.list_id] += pieces
    return promised


def _taken(order: Order) -> Mapping[int, Decimal]:
    taken: dict[int, Decimal] = defaultdict(Decimal)
    for line in order.lines:
        if line.reduced_stock:
            taken[line.variation_id or line.product_id] += line.reduced_stock
    return taken
