"""Reading the orders that changed since they were read last, whatever webhooks were lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from queue_store.database import Database
from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.settings import store_settings
from queue_store.takings import orders_read
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.client import ShopClient
from woo_bridge.disposition import order_rules
from woo_bridge.errors import Untranslatable
from woo_bridge.take_orders import take_orders
from woo_bridge.translate_orders import translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: The shop tells whole seconds, and an order may be seen a little after its date.
OVERLAP = timedelta(seconds=60)
#: How far back a store is read that never was.
_FIRST = timedelta(days=1)
_AT_ONCE = 100
_rows = msgspec.json.Decoder(list[raw.RawIdentity])


def read_changed_orders(database: Database, client: ShopClient, store_id: int) -> int:
    """Take in every order changed since `orders_read_until`, and move that on; how many came. Raises ShopError."""
    with database.read() as db:
        mark = db.get_one(Store, store_id).orders_read_until
    since = (mark or datetime.now(UTC) - _FIRST) - OVERLAP
    return take_in_orders(database, store_id, client.iter_orders(modified_after=since), moves_mark=True)


def take_in_orders(
    database: Database, store_id: int, bodies: Iterable[bytes], *, moves_mark: bool = False
) -> int:
    """Take in orders just read from the shop, in pieces that are committed; how many came. Raises ShopError."""
    count = 0
    for some in _pieces(bodies):
        count += len(some)
        database.write_again(lambda db, some=some: _take(db, store_id, some, moves_mark))  # type: ignore[misc]
    return count


def _take(db: Session, store_id: int, bodies: list[bytes], moves_mark: bool) -> None:
    store = db.get_one(Store, store_id)
    orders: list[Order] = []
    for body in bodies:
        try:
            orders.append(translate_order(body))
        except Untranslatable as problem:
            refuse_order(db, store, "reading", body, problem)
    take_orders(db, store, order_rules(store, store_settings(db, store)), orders, read_now=True)
    if moves_mark:
        orders_read(store, max((order.modified_at for order in orders), default=None))
    db.flush()


def _pieces(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(bodies)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def newest_change(client: ShopClient) -> datetime | None:
    """date_modified of the order that changed last; None: the shop has no order. Raises ShopError."""
    query = {"orderby": "modified", "order": "desc", "per_page": "1", "_fields": "id,date_modified_gmt"}
    listed: list[raw.RawIdentity] = decoded(
        "GET orders", client.call("GET", "orders", query=query).body, _rows
    )
    return raw.moment(listed[0].date_modified_gmt) if listed else None
