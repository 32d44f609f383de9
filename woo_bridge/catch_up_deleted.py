"""Asking whether orders are still there: deleting one for good sends nothing, nor does deleting a refund.

Open orders and those changed of late are asked for by id, a hundred at a time.
What the list lacks is asked for alone before it is withdrawn: it may lie in the
trash, or be a draft. A refund that is missing, or a change that was missed, has
the order read again with all its refunds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from queue_store.models import Store
from queue_store.settings import Settings
from queue_store.shop_marks import AskedOrder, orders_to_ask, refunds_known
from queue_store.takings import order_erased
from queue_store.withdraw import Withdrawn
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.errors import NoSuchRecord
from woo_bridge.job import CannotGoOn, Found, Job, Keep, Next, Piece, counted, every
from woo_bridge.orders_since import keep_orders, translate_page
from woo_bridge.paging import PER_PAGE
from woo_bridge.receive import withdraw_order
from woo_bridge.take_refunds import ask_for_refunds

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: If the shop has none of so many orders, it is another shop, or an empty copy of it.
_IMPLAUSIBLE = 20


class _RefundId(msgspec.Struct):
    id: raw.RecordId


class _Listed(msgspec.Struct):
    id: raw.RecordId
    date_modified_gmt: str | None = None
    refunds: raw.Many[_RefundId] = []


class _Answer(NamedTuple):
    """What the shop says of the orders asked for."""

    there: dict[int, _Listed]
    gone: list[int]
    #: Bodies of those that no list shows.
    hidden: list[bytes]


_listed = msgspec.json.Decoder(_Listed)


def _step(piece: Piece) -> Keep:
    after_id = int(piece.place.get("after", 0))
    with piece.read() as (db, store, settings):
        since = piece.now - timedelta(days=settings["catch_up.days"])
        asked = orders_to_ask(db, store, changed_since=since, after_id=after_id, limit=PER_PAGE)
        name = store.name
    if not asked:
        return lambda db, store, settings: Next(None)
    answer = _ask(piece, asked, name)

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        gone = [withdraw_order(db, store, order_id).word for order_id in answer.gone]
        for order_id in answer.gone:
            order_erased(db, store, order_id)
        keep_orders(db, store, settings, translate_page(answer.hidden), moves_mark=False)
        reread = _reread(db, store, asked, answer)
        found = {
            "asked": len(asked),
            "gone": sum(word != Withdrawn.ALREADY for word in gone),
            "reread": reread,
        }
        if len(asked) < PER_PAGE:
            return Next(None, found)
        return Next({"after": asked[-1].activity_id}, found)

    return keep


def _ask(piece: Piece, asked: list[AskedOrder], name: str) -> _Answer:
    ids = list(dict.fromkeys(one.order_id for one in asked))
    rows = piece.client.iter_orders(ids=ids, fields=("date_modified_gmt", "refunds"))
    there = {row.id: row for row in (decoded("GET orders", body, _listed) for body in rows)}
    gone: list[int] = []
    hidden: list[bytes] = []
    for order_id in ids:
        if order_id in there:
            continue
        try:
            hidden.append(piece.client.get_order(order_id))
        except NoSuchRecord:
            gone.append(order_id)
    if len(gone) == len(ids) >= _IMPLAUSIBLE:
        raise CannotGoOn(
            f"The shop has none of {len(ids)} orders asked for, {ids[0]} among them: is {piece.client.url} still "
            f"the shop {name}, or an empty copy of it? None was withdrawn."
        )
    return _Answer(there, gone, hidden)


def _reread(db: Session, store: Store, asked: list[AskedOrder], answer: _Answer) -> int:
    known = refunds_known(db, store, answer.there)
    reread = 0
    for one in asked:
        row = answer.there.get(one.order_id)
        if row is None:
            continue
        listed = {refund.id for refund in raw.each(row.refunds)}
        if listed != known.get(one.order_id, set()):
            cause = f"Order {one.order_id} has other refunds in the shop than were read."
        elif _is_newer(row, one):
            cause = f"Order {one.order_id} was changed in the shop, and no webhook told of it."
        else:
            continue
        ask_for_refunds(db, store, one.order_id, str(one.order_id), cause)
        reread += 1
    return reread


def _is_newer(row: _Listed, one: AskedOrder) -> bool:
    try:
        modified = raw.moment(row.date_modified_gmt)
    except ValueError:
        return False
    return modified is not None and one.modified_at is not None and modified > one.modified_at


def _tell(found: Found) -> str:
    told = f"{counted(found.get('asked', 0), 'order')} asked for"
    gone, reread = found.get("gone", 0), found.get("reread", 0)
    told += f", {counted(gone, 'order')} deleted in the shop" if gone else ", none deleted"
    return told + (f", {counted(reread, 'order')} to be read again." if reread else ".")


CATCH_UP_DELETED = Job(
    name="deleted",
    title="Orders and refunds deleted in the shop",
    when=every("catch_up.deleted_minutes"),
    step=_step,
    tell=_tell,
    live=frozenset({"orders", "stock"}),
)
