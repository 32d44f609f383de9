"""Orders of the shop since a mark, oldest change first, page by page: what webhooks tell, asked for.

The mark is a date_modified of the shop, never a time of ours: the two clocks
need not agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.settings import Settings
from queue_store.shop_marks import move_orders_mark
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


def fetch_orders_since(
    client: ShopClient, mark: datetime, *, overlap: timedelta = OVERLAP, status: str = ""
) -> Iterator[OrdersPage]:
    """All pages since a store's mark. Keep each by `keep_orders`, which moves the mark. Raises ShopError."""
    after: datetime | None = mark - overlap
    while after is not None:
        page = fetch_page(client, after, status=status)
        yield page
        after = page.next_after


def keep_orders(
    db: Session, store: Store, settings: Settings, page: OrdersPage, *, moves_mark: bool = True
) -> Counter[str]:
    """Take a page in as webhooks are taken in, and move the store's mark; what became of it, in words.

    What cannot be translated becomes a failed activity, its body kept. What was
    changed again since the page was fetched stays: the newest date wins, and
    an equal one with other content is read again.
    """
    words: Counter[str] = Counter()
    for body, problem in page.refused:
        refuse_order(db, store, CATCH_UP, body, problem)
        words["untranslatable"] += 1
    for taken, _ in take_orders(db, store, order_rules(store, settings), page.orders):
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
