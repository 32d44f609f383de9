"""Listing the shop's newest refunds, whosever they are, until those that are known.

Every refund moves its order's date, so that reading orders finds it too. This
is the second net: an order may be out of reach of the first, from before the
mark, with a refund made while its webhook was lost.

Source: `/wc/v3/refunds` as recorded from WooCommerce 11 tells each refund's order as `parent_id`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from queue_store.activities import RETURN
from queue_store.models import Store
from queue_store.returns import refund_record_id
from queue_store.settings import Settings
from queue_store.shop_marks import records_with_activity, sales_with_reason
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.disposition import order_rules
from woo_bridge.job import Found, Job, Keep, Next, Piece, counted, every
from woo_bridge.paging import OVERLAP, PER_PAGE
from woo_bridge.take_refunds import UNTRANSLATABLE, ask_for_refunds

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class _Listed(msgspec.Struct):
    id: raw.RecordId
    #: 0 where the order is gone.
    parent_id: raw.RecordId = 0
    date_created_gmt: str | None = None


_rows = msgspec.json.Decoder(list[_Listed])
_QUERY = {"order": "desc", "orderby": "date", "_fields": "id,parent_id,date_created_gmt"}


def _step(piece: Piece) -> Keep:
    start = int(piece.place.get("start", 0))
    query = _QUERY | {"per_page": str(PER_PAGE), "offset": str(start)}
    rows = decoded("GET refunds", piece.client.call("GET", "refunds", query=query).body, _rows)

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        since = order_rules(store, settings).since
        recent = [row for row in rows if since is None or _is_since(row, since)]
        orders = {row.id: row.parent_id for row in recent if row.parent_id}
        records = {number: refund_record_id(order, number) for number, order in orders.items()}
        known = records_with_activity(db, store, RETURN, list(records.values()))
        new = {number for number, record in records.items() if record not in known}
        # Its order cannot be read; what mends that reads its refunds too.
        unreadable = sales_with_reason(db, store, {orders[number] for number in new}, UNTRANSLATABLE)
        wanted = {orders[number] for number in new} - unreadable
        for order_id in sorted(wanted):
            cause = f"Order {order_id} has a refund that was not read yet."
            ask_for_refunds(db, store, order_id, str(order_id), cause)
        found = {"read": len(rows), "new": len(new), "orders": len(wanted)}
        if len(rows) < PER_PAGE or len(recent) < len(rows) or not new:
            return Next(None, found)
        return Next({"start": start + PER_PAGE - OVERLAP}, found)

    return keep


def _is_since(row: _Listed, since: datetime) -> bool:
    """A refund from before that day is of an order from before it: that goes only by push."""
    try:
        created = raw.moment(row.date_created_gmt)
    except ValueError:
        created = None
    return created is None or created >= since


def _tell(found: Found) -> str:
    new = found.get("new", 0)
    if not new:
        return "No refund that was not known."
    return f"{counted(new, 'refund')} not known, of {counted(found.get('orders', 0), 'order')}: read next."


CATCH_UP_REFUNDS = Job(
    name="refunds",
    title="Newest refunds of the shop",
    when=every("catch_up.refunds_minutes"),
    step=_step,
    tell=_tell,
    live=frozenset({"orders"}),
)
