"""Reading the refunds of an order, since its body lists no more than their ids and amounts.

The order is read with them: only its lines tell what was put back on the shelf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from queue_store.models import Activity, Store
from queue_store.settings import Settings
from queue_store.takings import order_erased
from woo_bridge import raw
from woo_bridge.client import ShopClient
from woo_bridge.disposition import order_rules
from woo_bridge.errors import NoSuchRecord, ShopError, Untranslatable
from woo_bridge.kinds.kind import Done, ShopKind
from woo_bridge.receive import withdraw_order
from woo_bridge.take_orders import take_order
from woo_bridge.take_refunds import READ_REFUNDS as NAME
from woo_bridge.take_refunds import ReadRefunds, take_refunds
from woo_bridge.translate_orders import translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_payload = msgspec.json.Decoder(ReadRefunds)
#: How often both are read anew when a refund is made between the two readings.
_MOST_READINGS = 3


class OrderAndRefunds(msgspec.Struct, frozen=True):
    """What the shop answered."""

    order: bytes
    refunds: list[bytes]


def _call(client: ShopClient, payload: bytes) -> OrderAndRefunds | None:
    """The order with all its refunds; None when the shop has no such order any more."""
    order_id = _payload.decode(payload).order_id
    try:
        for _ in range(_MOST_READINGS):
            found = OrderAndRefunds(client.get_order(order_id), client.get_refunds(order_id))
            if _belong_together(found):
                break
    except NoSuchRecord:
        return None
    return found


def _belong_together(found: OrderAndRefunds) -> bool:
    try:
        listed = {refund.refund_id for refund in translate_order(found.order).refunds}
    except Untranslatable:
        return True
    known = [raw.identify(body) for body in found.refunds]
    return listed == {one.id for one in known if one is not None}


def _settle(
    db: Session, store: Store, settings: Settings, activity: Activity, answer: OrderAndRefunds | None
) -> Done:
    if answer is None:
        withdraw_order(db, store, int(activity.record_id))
        order_erased(db, store, int(activity.record_id))
        return Done("the shop has no such order any more")
    try:
        order = translate_order(answer.order)
    except Untranslatable as problem:
        refuse_order(db, store, NAME, answer.order, problem)
        return Done(str(problem))
    taken, sale = take_order(
        db, store, order_rules(store, settings), order, read_now=True, with_refunds=False
    )
    returns = take_refunds(db, store, order, sale, answer.refunds)
    return Done(f"read: order {taken.value}, {len(returns)} refunds")


def _without_answer(
    db: Session, store: Store, settings: Settings, activity: Activity, error: ShopError
) -> None:
    """The sale does not wait for its refunds; they are read as soon as the shop answers."""


READ_REFUNDS = ShopKind(name=NAME, call=_call, settle=_settle, without_answer=_without_answer)
