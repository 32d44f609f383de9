"""Reading an order again: the queue has two contents of one second, and only the shop knows the newer.

The sale waits meanwhile. If the shop does not answer, arrival decides and the
sale goes; the reading is tried again all the same, so that a difference shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from queue_store.activities import SALE, newest_of_record
from queue_store.models import Activity, Store
from queue_store.settings import Settings
from queue_store.takings import order_erased
from woo_bridge.client import ShopClient
from woo_bridge.disposition import order_rules
from woo_bridge.errors import NoSuchRecord, ShopError, Untranslatable
from woo_bridge.kinds.kind import Done, ShopKind
from woo_bridge.receive import withdraw_order
from woo_bridge.take_orders import RereadOrder, let_go, take_order
from woo_bridge.translate_orders import translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_payload = msgspec.json.Decoder(RereadOrder)


def _call(client: ShopClient, payload: bytes) -> bytes | None:
    """The order's JSON; None when the shop has no such order any more."""
    try:
        return client.get_order(_payload.decode(payload).order_id)
    except NoSuchRecord:
        return None


def _settle(db: Session, store: Store, settings: Settings, activity: Activity, body: bytes | None) -> Done:
    if body is None:
        withdraw_order(db, store, int(activity.record_id))
        order_erased(db, store, int(activity.record_id))
        return Done("the shop has no such order any more")
    try:
        order = translate_order(body)
    except Untranslatable as problem:
        refuse_order(db, store, REREAD_ORDER.name, body, problem)
        return Done(str(problem))
    taken, _ = take_order(db, store, order_rules(store, settings), order, read_now=True)
    _let_go(db, store, settings, activity)
    return Done(f"read again: {taken.value}")


def _without_answer(
    db: Session, store: Store, settings: Settings, activity: Activity, error: ShopError
) -> None:
    _let_go(db, store, settings, activity)


def _let_go(db: Session, store: Store, settings: Settings, activity: Activity) -> None:
    """The order's documents go where their content belongs, if they still wait for this reading."""
    sale = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=activity.record_id
    )
    if sale is not None:
        let_go(db, sale, order_rules(store, settings))


REREAD_ORDER = ShopKind(name="reread_order", call=_call, settle=_settle, without_answer=_without_answer)
