"""Closing, each night, what orders and documents took and that is over: `queue_store.closing`, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_store.closing import close_documents, close_orders, tracks_stock
from queue_store.models import Store
from queue_store.settings import Settings
from woo_bridge.job import Found, Job, Keep, Next, Piece, When, counted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_ORDERS, _DOCUMENTS = "orders", "documents"


def _step(piece: Piece) -> Keep:
    place = dict(piece.place) or {"list": _ORDERS, "after": ""}

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        if not tracks_stock(db, store):
            return Next(None)
        if place["list"] == _ORDERS:
            closed, after = close_orders(db, store, str(place["after"]))
            then = {"list": _DOCUMENTS, "after": 0} if after is None else {"list": _ORDERS, "after": after}
            return Next(then, {"orders": closed})
        closed, last = close_documents(db, store, int(place["after"]))
        return Next(None if last is None else {"list": _DOCUMENTS, "after": last}, {"documents": closed})

    return keep


def _tell(found: Found) -> str:
    orders, documents = found.get("orders", 0), found.get("documents", 0)
    if not orders and not documents:
        return "Nothing to close."
    return f"{counted(orders, 'order')} closed whose stock is even, {counted(documents, 'line')} of documents beside."


def _nightly(db: Session, store: Store, settings: Settings) -> When:
    return When(hour=settings["catch_up.comparison_hour"])


CLOSING = Job(
    name="closing",
    title="Orders whose stock is even for good",
    when=_nightly,
    step=_step,
    tell=_tell,
    live=frozenset({"orders", "stock"}),
)
