"""Reading orders again: what changed in the shop since the mark, and what was put into its trash.

A webhook may be lost: the shop sends each once, and none for some changes. So
the orders that changed are listed, by the shop's clock, and taken in as
webhooks are. What came by webhook already is unchanged then, and nothing.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from queue_store.activities import SALE
from queue_store.bulk_intake import seen_records
from queue_store.intake import Taken
from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.settings import Settings
from queue_store.tasks import close_task, raise_task
from woo_bridge.changed_rows import OVERLAP
from woo_bridge.disposition import order_rules
from woo_bridge.job import Found, Job, Keep, Next, Piece, counted, every
from woo_bridge.orders_since import OrdersPage, fetch_page, from_when, keep_orders

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NAME = "orders"
#: The task about changes that no webhook told of.
LOST_WEBHOOKS = "lost webhooks"

#: What a store is read back to that was never read.
_FIRST = timedelta(days=1)
#: Words of what a webhook would have told.
_NEWS = (
    *(Taken.NEW, Taken.REPLACED, Taken.SAME_SECOND, Taken.BESIDE, Taken.CHANGED_AFTER_SENT),
    "untranslatable",
)


def _step(piece: Piece) -> Keep:
    place = dict(piece.place) or _beginning(piece)
    if place["list"] == "trash":
        return _trash(piece, place)
    after = datetime.fromisoformat(place["after"])
    page = fetch_page(piece.client, after)
    back = None if place.get("put_back") else from_when(page, datetime.fromisoformat(place["mark"]))
    if back is not None:
        place |= {"after": back.isoformat(), "put_back": True}
        return lambda db, store, settings: Next(place)

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        words = keep_orders(db, store, settings, page)
        found = {"read": len(page), "news": sum(words[word] for word in _NEWS), "new": words[Taken.NEW]}
        found["untranslatable"] = words["untranslatable"]
        if page.next_after is not None:
            return Next(place | {"after": page.next_after.isoformat()}, found)
        return Next({"list": "trash", "after": place["trash_after"]}, found)

    return keep


def _beginning(piece: Piece) -> dict[str, Any]:
    with piece.read() as (_, store, settings):
        # A store that is live for stock alone has no such day: its open orders were read when it went live.
        since = order_rules(store, settings).since or piece.now - _FIRST
        mark = store.orders_read_until or since
    trash = piece.memory.get("trash")
    trash_mark = datetime.fromisoformat(trash) if trash else since
    return {
        "list": "orders",
        "after": (mark - OVERLAP).isoformat(),
        "mark": mark.isoformat(),
        "trash_after": (trash_mark - OVERLAP).isoformat(),
    }


def _trash(piece: Piece, place: dict[str, Any]) -> Keep:
    page = fetch_page(piece.client, datetime.fromisoformat(place["after"]), status="trash")

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        # An order that was never seen and lies in the trash is nothing to anybody.
        known = seen_records(
            db,
            company_id=store.company_id,
            store_id=store.id,
            kind=SALE,
            record_ids=[str(order.order_id) for order in page.orders],
        )
        orders: list[Order] = [order for order in page.orders if str(order.order_id) in known]
        words = keep_orders(db, store, settings, OrdersPage(orders), moves_mark=False)
        trashed = sum(words[word] for word in _NEWS)
        memory = dict(piece.memory)
        if page.mark is not None:
            memory["trash"] = page.mark.isoformat()
        found = {"trashed": trashed, "news": trashed}
        if page.next_after is not None:
            return Next(place | {"after": page.next_after.isoformat()}, found, memory=memory)
        total = Counter(piece.found) + Counter(found)
        remark = _unheard(db, store, piece, total, memory)
        return Next(None, found, remark, memory)

    return keep


def _unheard(db: Session, store: Store, piece: Piece, found: Counter[str], memory: dict[str, Any]) -> str:
    """A sentence if webhooks are lost: changes were found by reading, and none told of them since.

    The shop sends within minutes of a change. So changes are remembered that
    this run found, and if no webhook has come until a later one, they are lost.
    """
    last = store.last_webhook_at.isoformat() if store.last_webhook_at else ""
    before = memory.pop("unheard", None)
    remark = ""
    if (
        before is not None
        and before["last"] == last
        and piece.now - _when(before["at"]) >= timedelta(minutes=10)
    ):
        since = f" since {store.last_webhook_at:%Y-%m-%d %H:%M} UTC" if store.last_webhook_at else ""
        remark = (
            f"No webhook of store {store.name} arrived{since}, though {counted(before['count'], 'order')} changed: "
            "webhooks are lost. Nothing else is, as orders are read again. Look at WooCommerce, Status, Scheduled "
            f"Actions, then run: qbwoo store check {store.name}"
        )
        raise_task(db, company_id=store.company_id, kind=LOST_WEBHOOKS, subject=store.name, sentence=remark)
        memory["unheard"] = before | {"count": before["count"] + found["news"]}
        return remark
    if before is not None and before["last"] != last:
        close_task(db, company_id=store.company_id, kind=LOST_WEBHOOKS, subject=store.name)
        before = None
    if before is not None:
        memory["unheard"] = before | {"count": before["count"] + found["news"]}
    elif found["news"] and memory.get("runs"):
        memory["unheard"] = {"at": piece.now.isoformat(), "last": last, "count": found["news"]}
    memory["runs"] = True
    return remark


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _tell(found: Found) -> str:
    news = found.get("news", 0)
    told = f"{counted(found.get('read', 0), 'order')} read, {news or 'nothing'} new or changed."
    if found.get("trashed"):
        told += f" {counted(found['trashed'], 'order')} went into the shop's trash."
    if found.get("untranslatable"):
        told += f" {counted(found['untranslatable'], 'order')} could not be read. See: qbwoo activity list --state failed"
    return told


CATCH_UP_ORDERS = Job(
    name=NAME,
    title="Orders that changed in the shop",
    when=every("catch_up.orders_minutes"),
    step=_step,
    tell=_tell,
    live=frozenset({"orders", "stock"}),
    at_once=True,
)
