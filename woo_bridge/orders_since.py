"""Orders of the shop since a mark, oldest change first, page by page: what webhooks tell, asked for.

The mark is a date_modified of the shop, never a time of ours: the two clocks
need not agree. Schedules read a page at a time, and a product pass all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from queue_store.database import Database
from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.settings import Settings, store_settings
from queue_store.shop_marks import move_orders_mark
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.changed_rows import OVERLAP, fetch_changed
from woo_bridge.client import ShopClient
from woo_bridge.disposition import order_rules
from woo_bridge.errors import Untranslatable
from woo_bridge.take_orders import take_orders
from woo_bridge.translate_orders import translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: `topic` of bodies kept from here.
CATCH_UP = "catch-up"

#: Where a list by date begins that is read whole.
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
#: The shop's clock stands before the mark: it was put back. Then so much is read again, since stamps may lie anywhere.
_PUT_BACK = timedelta(minutes=1)
_AFTER_PUT_BACK = timedelta(days=1)
_identities = msgspec.json.Decoder(list[raw.RawIdentity])


@dataclass(slots=True)
class OrdersPage:
    """A page of orders, oldest change first."""

    orders: list[Order] = field(default_factory=list)
    #: Bodies that cannot be translated, each with its problem.
    refused: list[tuple[bytes, Untranslatable]] = field(default_factory=list)
    #: See `ChangedRows`, also for what follows.
    mark: datetime | None = None
    next_after: datetime | None = None
    shop_now: datetime | None = None

    def __len__(self) -> int:
        return len(self.orders) + len(self.refused)


def fetch_page(client: ShopClient, after: datetime, *, status: str = "") -> OrdersPage:
    """The orders that changed later than the second `after`, a page of them. Raises ShopError.

    `status`: only of that one; "" leaves out what lies in the trash.
    """
    rows = fetch_changed(client, "orders", after, {"status": status} if status else {})
    page = translate_page(rows.bodies)
    page.mark, page.next_after, page.shop_now = rows.mark, rows.next_after, rows.shop_now
    return page


def from_when(page: OrdersPage, mark: datetime) -> datetime | None:
    """From when to read instead if the shop's clock was put back behind the mark; None: it was not."""
    if page.shop_now is None or page.shop_now >= mark - _PUT_BACK:
        return None
    return page.shop_now - _AFTER_PUT_BACK


def fetch_orders_since(client: ShopClient, mark: datetime | None) -> Iterator[OrdersPage]:
    """All pages since a store's mark. Keep each by `keep_orders`, which moves the mark. Raises ShopError.

    No mark: the shop had no order when that was last looked at, so that each
    order that it has now is new.
    """
    page = fetch_page(client, _BEGINNING if mark is None else mark - OVERLAP)
    back = None if mark is None else from_when(page, mark)
    if back is not None:
        page = fetch_page(client, back)
    yield page
    while page.next_after is not None:
        page = fetch_page(client, page.next_after)
        yield page


def read_changed_orders(database: Database, client: ShopClient, store_id: int) -> None:
    """Take in every order changed since the store's mark, page by page, each committed with the mark moved on.

    They are the truth of this moment, also beside a webhook of the same second. Raises ShopError.
    """
    with database.read() as db:
        mark = db.get_one(Store, store_id).orders_read_until

    def keep(db: Session, page: OrdersPage) -> None:
        store = db.get_one(Store, store_id)
        keep_orders(db, store, store_settings(db, store), page, read_now=True)

    for page in fetch_orders_since(client, mark):
        database.write_again(lambda db, page=page: keep(db, page))  # type: ignore[misc]


def newest_change(client: ShopClient) -> datetime | None:
    """date_modified of the order that changed last; None: the shop has no order. Raises ShopError."""
    query = {"orderby": "modified", "order": "desc", "per_page": "1", "_fields": "id,date_modified_gmt"}
    listed: list[raw.RawIdentity] = decoded(
        "GET orders", client.call("GET", "orders", query=query).body, _identities
    )
    return raw.moment(listed[0].date_modified_gmt) if listed else None


def keep_orders(
    db: Session,
    store: Store,
    settings: Settings,
    page: OrdersPage,
    *,
    moves_mark: bool = True,
    read_now: bool = False,
) -> Counter[str]:
    """Take a page in as webhooks are taken in, and move the store's mark; what became of it, in words.

    What cannot be translated becomes a failed activity, its body kept. What was
    changed again since the page was fetched stays: the newest date wins, and
    an equal one with other content is read again, unless `read_now` says that the page is the truth.
    """
    words: Counter[str] = Counter()
    for body, problem in page.refused:
        refuse_order(db, store, CATCH_UP, body, problem)
        words["untranslatable"] += 1
    for taken, _ in take_orders(db, store, order_rules(store, settings), page.orders, read_now=read_now):
        words[taken.value] += 1
    if moves_mark and page.mark is not None:
        move_orders_mark(db, store, page.mark)
    return words


def translate_page(bodies: Iterable[bytes]) -> OrdersPage:
    """Bodies of orders as a page."""
    page = OrdersPage()
    for body in bodies:
        try:
            page.orders.append(translate_order(body))
        except Untranslatable as problem:
            page.refused.append((body, problem))
    return page
