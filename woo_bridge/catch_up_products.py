"""Reading products again: what changed since the mark, and each night all of them.

A stock that an importer writes straight into the shop's database moves no date,
and deleting a product for good, or a variation at all, sends nothing: only the
nightly reading of everything finds these.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from queue_store.doubting import trust_agreements
from queue_store.models import Store
from queue_store.product_sync import ask_whole_store
from queue_store.settings import Settings
from queue_store.shop_products import mark_gone, unread_products
from woo_bridge.answers import decoded
from woo_bridge.changed_rows import OVERLAP, fetch_changed
from woo_bridge.errors import NotAShop
from woo_bridge.job import CannotGoOn, Found, Job, Keep, Next, Piece, When, counted, every
from woo_bridge.paging import OVERLAP as ROWS_IN_COMMON
from woo_bridge.paging import PER_PAGE
from woo_bridge.product_calls import ALL_FIELDS, read_products
from woo_bridge.read_products import take_in_products

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_LIVE = frozenset({"products", "stock", "prices"})
_FIELDS = {"_fields": ",".join(ALL_FIELDS)}
#: What a store is read back to that was never read: the nightly reading has the rest.
_FIRST = timedelta(days=1)
#: If the shop has none of so many products, it is another shop, or an empty copy of it.
_IMPLAUSIBLE = 20
#: Lists in their order: a product before its variations.
_PRODUCTS, _VARIATIONS, _MISSING, _COMPARED = "products", "variations", "missing", "compared"

_rows = msgspec.json.Decoder(list[msgspec.Raw])


# What changed


def _changed(piece: Piece) -> Keep:
    place = dict(piece.place) or _beginning(piece)
    endpoint = place["list"]
    try:
        rows = fetch_changed(piece.client, endpoint, datetime.fromisoformat(place["after"]), _FIELDS)
    except NotAShop:
        if endpoint == _PRODUCTS:
            raise
        return _too_old

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        take_in_products(db, store.id, rows.bodies)
        found = {"read": len(rows.bodies)}
        if rows.next_after is not None:
            return Next(place | {"after": rows.next_after.isoformat()}, found)
        if endpoint == _PRODUCTS:
            return Next({"list": _VARIATIONS, "after": place["began"], "began": place["began"]}, found)
        trust_agreements(db, store, piece.began_at)
        return Next(None, found)

    return keep


def _beginning(piece: Piece) -> dict[str, Any]:
    with piece.read() as (_, store, _settings):
        mark = store.products_read_until or piece.now - _FIRST
    after = (mark - OVERLAP).isoformat()
    return {"list": _PRODUCTS, "after": after, "began": after}


def _too_old(db: Session, store: Store, settings: Settings) -> Next:
    return Next(None, remark="The shop is too old to list changed variations: these are read each night.")


def _tell_changed(found: Found) -> str:
    return f"{counted(found.get('read', 0), 'product')} read that changed."


# All of them


def _all(piece: Piece) -> Keep:
    place = dict(piece.place) or {"list": _PRODUCTS, "start": 0}
    if place["list"] == _MISSING:
        return _missing(piece, place)
    if place["list"] == _COMPARED:
        return _compared(place, piece.began_at)
    endpoint, start = place["list"], int(place["start"])
    query = _FIELDS | {"order": "asc", "orderby": "id", "per_page": str(PER_PAGE), "offset": str(start)}
    try:
        answer = piece.client.call("GET", endpoint, query=query)
    except NotAShop:
        if endpoint == _PRODUCTS:
            raise
        # Each variation that is known is asked for with what is missing.
        return lambda db, store, settings: Next({"list": _MISSING, "after": 0})
    bodies = [bytes(row) for row in decoded(f"GET {endpoint}", answer.body, _rows)]

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        take_in_products(db, store.id, bodies)
        found = {"read": len(bodies)}
        if len(bodies) == PER_PAGE:
            return Next({"list": endpoint, "start": start + PER_PAGE - ROWS_IN_COMMON}, found)
        if endpoint == _PRODUCTS:
            return Next({"list": _VARIATIONS, "start": 0}, found)
        return Next({"list": _MISSING, "after": 0}, found)

    return keep


def _missing(piece: Piece, place: dict[str, Any]) -> Keep:
    """What no list showed is asked for by id: it may lie in the trash, or be gone."""
    with piece.read() as (db, store, _):
        rows = unread_products(
            db, store.id, before=piece.began_at, after_id=int(place["after"]), limit=PER_PAGE
        )
        parents = {row.product_id: row.parent_id for row in rows}
        name = store.name
    if not parents:
        return lambda db, store, settings: Next({"list": _COMPARED, "after": 0})
    bodies: list[bytes] = []
    gone: list[int] = []
    for number, body in read_products(piece.client, parents, fields=ALL_FIELDS):
        if body is None:
            gone.append(number)
        else:
            bodies.append(body)
    if len(gone) == len(parents) >= _IMPLAUSIBLE:
        raise CannotGoOn(
            f"The shop has none of {len(parents)} products asked for, {min(parents)} among them: is "
            f"{piece.client.url} still the shop {name}, or an empty copy of it? None was taken for deleted."
        )

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        take_in_products(db, store.id, bodies)
        mark_gone(db, store, gone)
        return Next({"list": _MISSING, "after": max(parents)}, {"gone": len(gone)})

    return keep


def _compared(place: dict[str, Any], began_at: datetime) -> Keep:
    def keep(db: Session, store: Store, settings: Settings) -> Next:
        asked, after = ask_whole_store(db, store, cause="nightly comparison", after_id=int(place["after"]))
        if after is None:
            asked += trust_agreements(db, store, began_at)
        return Next(None if after is None else {"list": _COMPARED, "after": after}, {"asked": asked})

    return keep


def _tell_all(found: Found) -> str:
    asked, gone = found.get("asked", 0), found.get("gone", 0)
    told = f"{counted(found.get('read', 0), 'product')} read, {asked or 'none'} to be written"
    return told + (f", {counted(gone, 'product')} gone from the shop." if gone else ".")


def _nightly(db: Session, store: Store, settings: Settings) -> When:
    return When(hour=settings["catch_up.comparison_hour"])


CATCH_UP_PRODUCTS = Job(
    name="products",
    title="Products that changed in the shop",
    when=every("catch_up.products_minutes"),
    step=_changed,
    tell=_tell_changed,
    live=_LIVE,
    at_once=True,
)
COMPARISON = Job(
    name="comparison",
    title="All products of the shop compared",
    when=_nightly,
    step=_all,
    tell=_tell_all,
    live=_LIVE,
)
