"""Reading products of a shop into what is known of them here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from queue_store.database import Database
from queue_store.matching import match_products
from queue_store.models import Store
from queue_store.product_payloads import ShopItem
from queue_store.product_sync import ask_store_products
from queue_store.products_to_books import send_products
from queue_store.shop_products import Kept, keep_products, keeps_products
from queue_store.tasks import raise_task
from queue_store.webhook_log import keep_body
from woo_bridge import raw
from woo_bridge.client import ShopClient
from woo_bridge.errors import Untranslatable
from woo_bridge.product_calls import list_products
from woo_bridge.translate_products import translate_product

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_AT_ONCE = 100


def read_all_products(
    database: Database, client: ShopClient, store_id: int, *, modified_after: datetime | None = None
) -> int:
    """Read every product and variation, or those changed since; how many. In pieces that are committed.

    They are matched, and those that differ from what they should show are asked
    for. Raises ShopError.
    """
    count = 0
    for some in _pieces(list_products(client, modified_after=modified_after)):
        count += len(some)
        database.write_again(lambda db, some=some: take_in_products(db, store_id, some))  # type: ignore[misc]
    return count


def know_products(database: Database, client: ShopClient, store_id: int) -> Iterator[int]:
    """Read every product and variation, and keep them; how many, piece by piece. Raises ShopError.

    Of a store for which products flow it is `read_all_products`; of any other, nothing is matched.
    """
    for some in _pieces(list_products(client)):
        database.write_again(lambda db, some=some: take_in_products(db, store_id, some, only_known=True))  # type: ignore[misc]
        yield len(some)


def take_in_products(
    db: Session, store_id: int, bodies: Iterable[bytes], *, only_known: bool = False
) -> None:
    """Keep products just read from the shop, in this transaction.

    `only_known`: what nothing flows of is not matched.
    """
    store = db.get_one(Store, store_id)
    items: list[ShopItem] = []
    for body in bodies:
        try:
            items.append(translate_product(body))
        except Untranslatable as problem:
            refuse_product(db, store, "reading", body, problem)
    kept = keep_products(db, store, items, read_now=True)
    if only_known and not keeps_products(store):
        return
    see_to_products(db, store, kept, cause="read from the shop")
    latest = max((item.modified_at for item in items if item.modified_at is not None), default=None)
    if latest is not None and (store.products_read_until is None or latest > store.products_read_until):
        store.products_read_until = latest
    db.flush()


def see_to_products(db: Session, store: Store, kept: dict[int, Kept], *, cause: str) -> int:
    """Match what arrived, and ask for what differs from what it should show; how many were asked for."""
    arrived = [number for number, word in kept.items() if word in (Kept.NEW, Kept.CHANGED)]
    match_products(db, store, arrived)
    send_products(db, store, arrived, cause=cause)
    asked = ask_store_products(db, store, arrived, cause=cause)
    doubtful = [number for number, word in kept.items() if word is Kept.SAME_SECOND]
    if doubtful:
        asked += ask_store_products(
            db, store, doubtful, cause="two states of one second: read again", always=True
        )
    return asked


def refuse_product(db: Session, store: Store, topic: str, body: bytes, problem: Untranslatable) -> None:
    """A product that cannot be read: its body is kept, and a task says so."""
    keep_body(db, store_id=store.id, topic=topic, reason=str(problem), body=body)
    known = raw.identify(body)
    raise_task(
        db,
        company_id=store.company_id,
        kind="product unreadable",
        subject=f"{store.id}:{known.id if known is not None else ''}",
        sentence=f"{problem} Nothing of it is written. Mend it in store {store.name}, and save it there.",
    )


def _pieces(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(bodies)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
