"""Orders of the shop since a mark, oldest change first, page by page: what webhooks tell, asked for.

The mark is a date_modified of the shop, never a time of ours: the two clocks
need not agree. A list by date that is read from a date on cannot drift: an
order that changes meanwhile moves to its end, and comes again. So each page
begins where the last one ended, less a second, and nothing is counted off.

Source: REST API v3 as recorded from WooCommerce 11: `modified_after` leaves out
the equal second, equal seconds are common, and a date with "Z" beside
`dates_are_gmt` is shifted twice.
"""

from __future__ import annotations

import email.utils
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.settings import Settings
from queue_store.shop_marks import move_orders_mark
from woo_bridge import raw
from woo_bridge.answers import Answer, decoded
from woo_bridge.client import ShopClient
from woo_bridge.disposition import order_rules
from woo_bridge.errors import NotAShop, Untranslatable
from woo_bridge.paging import PER_PAGE
from woo_bridge.take_orders import take_orders
from woo_bridge.translate_orders import translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Read again before the mark: a change whose commit took the shop long, and servers whose clocks differ a little.
OVERLAP = timedelta(minutes=5)
#: `topic` of bodies kept from here.
CATCH_UP = "catch-up"

_SECOND = timedelta(seconds=1)
_rows = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(slots=True)
class OrdersPage:
    """A page of orders, oldest change first."""

    orders: list[Order] = field(default_factory=list)
    #: Bodies that cannot be translated, each with its problem.
    refused: list[tuple[bytes, Untranslatable]] = field(default_factory=list)
    #: date_modified of the newest order on the page; None: it is empty.
    mark: datetime | None = None
    #: Where the next page begins, as `modified_after`; None: this is the last one.
    next_after: datetime | None = None
    #: The shop's clock when it answered, by its Date header; None: it did not tell.
    shop_now: datetime | None = None

    def __len__(self) -> int:
        return len(self.orders) + len(self.refused)


def fetch_page(client: ShopClient, after: datetime, *, status: str = "") -> OrdersPage:
    """The orders that changed later than the second `after`, a page of them. Raises ShopError.

    `status`: only of that one; "" leaves out what lies in the trash.
    """
    after = after.replace(microsecond=0)
    query = _query(after, status)
    answer = client.call("GET", "orders", query=query | {"per_page": str(PER_PAGE)})
    rows = [bytes(row) for row in decoded("GET orders", answer.body, _rows)]
    page = _page(rows)
    page.shop_now = _told_time(answer)
    if len(rows) < PER_PAGE:
        return page
    if page.mark is None or page.mark <= after:
        # Read on from here we would read the same again, for ever.
        beginning = f"orders that did not change after {after:%Y-%m-%d %H:%M:%S}"
        raise NotAShop("GET orders", answer.status, answer.headers.get("Content-Type", ""), beginning)
    if page.mark - _SECOND > after:
        page.next_after = page.mark - _SECOND
        return page
    # More changed in one second than a page holds. Among themselves these have no certain order, so
    # that second is read whole, as a list.
    second = query | {"modified_before": _stamp(page.mark + _SECOND)}
    whole = _page(list(client.rows("orders", second)))
    whole.next_after, whole.shop_now = page.mark, page.shop_now
    return whole


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
    changed again since the page was fetched stays: the newest date wins.
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


def translate_page(bodies: list[bytes]) -> OrdersPage:
    """Bodies of orders, read one by one, as a page."""
    return _page(bodies)


def _page(rows: list[bytes]) -> OrdersPage:
    page = OrdersPage()
    for body in rows:
        try:
            order = translate_order(body)
        except Untranslatable as problem:
            page.refused.append((body, problem))
            modified = _modified(body)
        else:
            page.orders.append(order)
            modified = order.modified_at
        if modified is not None and (page.mark is None or modified > page.mark):
            page.mark = modified
    return page


def _modified(body: bytes) -> datetime | None:
    known = raw.identify(body)
    try:
        return raw.moment(known.date_modified_gmt) if known is not None else None
    except ValueError:
        return None


def _query(after: datetime, status: str) -> dict[str, str]:
    query = {
        "order": "asc",
        "orderby": "modified",
        "modified_after": _stamp(after),
        "dates_are_gmt": "true",
    }
    return query | {"status": status} if status else query


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _told_time(answer: Answer) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None
