"""The wish that products of the shops be held against QuickBooks: one activity each, re-armed, never doubled.

A product is asked for only where what the shop showed last differs from what
it should show, so that the queue grows with changes and not with items. One
that a worker has at this moment is always asked for again: nobody can tell
what it saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from sqlalchemy.orm import Session

from queue_store.allocation import gross_takings
from queue_store.arming import Wish, bring_back, newest_of_records, put_in
from queue_store.companies import live_kinds
from queue_store.fingerprint import content_digest
from queue_store.models import Activity, Company, ShopProduct, Store
from queue_store.payloads import encode
from queue_store.product_payloads import ShopChange, SyncProduct, decode_shop_item, decode_sync
from queue_store.settings import store_settings
from queue_store.shop_products import AT_ONCE, matched_products, products_of, products_of_items
from queue_store.showing import Wanted, change_of, is_open, wanted_of, with_quantity
from queue_store.states import ActivityState

SYNC_PRODUCT = "sync_product"
#: Reason of one that is held since a change of it is beyond a limit.
LIMIT = "limit"
S = ActivityState

#: When an order was changed that took of a product, by the shop's clock; by (store, product).
Since = Mapping[tuple[int, int], datetime]


def ask_products(
    db: Session, company_id: int, list_ids: Collection[str], *, cause: str, since: Since | None = None
) -> int:
    """These items, or what is promised of them, changed: ask for their products in all shops; how many were asked for.

    `since`: the orders that took of a product of their own shop; the shop's
    quantity has fallen by itself, and is not written for that alone.
    """
    by_store: dict[int, list[ShopProduct]] = defaultdict(list)
    for row in products_of_items(db, company_id, list_ids):
        by_store[row.store_id].append(row)
    asked = 0
    for store_id, rows in by_store.items():
        store = db.get_one(Store, store_id)
        asked += _ask(db, store, [row for row in rows if is_open(row)], cause, since or {})
    return asked


def ask_store_products(
    db: Session,
    store: Store,
    product_ids: Collection[int],
    *,
    cause: str,
    always: bool = False,
    only: str = "",
) -> int:
    """These products of a store arrived, or are wanted to be looked at; how many were asked for.

    `always`: also where what is known shows no difference, since it may be out
    of date; then `only` may name the one live kind whose fields are to be written.
    """
    if always:
        return _arm(db, store, dict.fromkeys(product_ids), cause, only=only)
    rows = [row for row in products_of(db, store.id, product_ids).values() if is_open(row)]
    return _ask(db, store, rows, cause, {})


def ask_whole_store(db: Session, store: Store, *, cause: str, after_id: int = 0) -> tuple[int, int | None]:
    """A piece of all matched products of a store: those that differ are asked for.

    After a change of settings, a go-live, and each night. Gives how many were
    asked for, and the product id to go on after, None at the end.
    """
    rows = matched_products(db, store.id, after_id=after_id)
    asked = _ask(db, store, [row for row in rows if is_open(row)], cause, {})
    return asked, rows[-1].product_id if len(rows) == AT_ONCE else None


def _ask(db: Session, store: Store, rows: Collection[ShopProduct], cause: str, since: Since) -> int:
    if not rows or not live_kinds(store) & {"stock", "prices"}:
        return 0
    company = db.get_one(Company, store.company_id)
    wanted = wanted_of(db, company, store, rows)
    gross = gross_takings(db, store.id, [row.product_id for row in rows])
    # A person's edit is told from the agreement of both sides: one that is missing has to be made first.
    needs_agreement = "stock" in live_kinds(store) and store_settings(db, store)["stock.edits"] == "adjust"
    differing: dict[int, ShopChange | None] = {}
    unchanged: list[int] = []
    for row in rows:
        if row.product_id not in wanted:
            continue
        change = difference(row, wanted[row.product_id], gross[row.product_id], since)
        if change:
            differing[row.product_id] = change
            row.differs_since = row.differs_since or datetime.now(UTC)
        else:
            row.differs_since = None
            # Without it, an order of its own has moved the shop's number to where nobody can tell, too.
            in_doubt = needs_agreement or (row.store_id, row.product_id) in since
            if in_doubt and row.agreed_gross is None and wanted[row.product_id].quantity is not None:
                differing[row.product_id] = None
            else:
                unchanged.append(row.product_id)
    asked = _arm(db, store, differing, cause)
    return asked + _arm(db, store, dict.fromkeys(unchanged), cause, only_abroad=True)


def difference(row: ShopProduct, wanted: Wanted, taken: Decimal, since: Since) -> ShopChange:
    """What would have to be written, as far as is known here; nothing: the shop shows what it should.

    Known are the quantity last read and the one that orders, which leave the
    gross alone, must have left of the agreed one. Either of them differing is
    enough, but right after an order of its own the former is out of date.
    """
    item = decode_shop_item(row.content)
    change = change_of(item, wanted)
    if row.agreed_gross is None or wanted.quantity is None or item.quantity is None:
        return change
    left = change_of(with_quantity(item, row.agreed_gross - taken), wanted)
    ordered = since.get((row.store_id, row.product_id))
    if ordered is not None and row.modified_at is not None and ordered > row.modified_at:
        return left
    return change or left


def _arm(
    db: Session,
    store: Store,
    changes: Mapping[int, ShopChange | None],
    cause: str,
    *,
    only_abroad: bool = False,
    only: str = "",
) -> int:
    """Each of these products has one activity that is due; what a person holds or cancelled stays so."""
    known = newest_of_records(db, store, SYNC_PRODUCT, [str(number) for number in changes])
    fresh: list[Wish] = []
    back: list[Wish] = []
    beside = 0
    for product_id, change in changes.items():
        activity = known.get(str(product_id))
        payload = encode(SyncProduct(product_id=product_id, only=only))
        wish = Wish(str(product_id), payload, f"product {product_id}", activity)
        if activity is None or activity.state in (S.SUCCEEDED, S.SUPERSEDED):
            if not only_abroad:
                fresh.append(wish)
        elif activity.state == S.SENT:
            beside += activity.newer_payload is None
            activity.newer_payload = _both(activity.newer_payload, payload)
        elif only_abroad or activity.reason == "operator":
            continue
        elif activity.state in (S.PENDING, S.DELAYED):
            # Of what is delayed the time comes: the shop is down, or it was refused.
            _widen(activity, only)
        elif activity.state != S.HELD or change is None or not _is_held_back(activity, change):
            back.append(wish)
    bring_back(db, back, cause)
    put_in(db, store, SYNC_PRODUCT, fresh, cause)
    db.flush()
    return beside + len(back) + len(fresh)


def _widen(activity: Activity, only: str) -> None:
    """What waits for fewer fields than are wished for now is done for all of them."""
    waits = decode_sync(activity.payload)
    if waits.only and waits.only != only:
        activity.payload = encode(msgspec.structs.replace(waits, only=""))
        activity.digest = content_digest(activity.payload)


def _both(newer: bytes | None, payload: bytes) -> bytes:
    """What waits beside one that a worker has, with another wish added."""
    if newer is None or decode_sync(newer).only == decode_sync(payload).only:
        return payload if newer is None else newer
    return encode(msgspec.structs.replace(decode_sync(newer), only=""))


def _is_held_back(activity: Activity, change: ShopChange) -> bool:
    """True if all that differs is what waits for a person already."""
    return activity.reason == LIMIT and decode_sync(activity.payload).proposed == change


def approve(db: Session, activity: Activity) -> None:
    """A person let go what a limit held back: exactly that, and nothing else, may be written."""
    payload = decode_sync(activity.payload)
    if payload.proposed is not None:
        released = SyncProduct(product_id=payload.product_id, approved=payload.proposed, only=payload.only)
        activity.payload = encode(released)
        db.flush()
