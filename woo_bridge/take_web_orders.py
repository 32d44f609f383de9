"""Web orders into the queue: what an order is in QuickBooks between its placing and its receipt.

Only where the store's settings say so. The receipt fulfils the web order that
is in the books; one that was not sent by then is not needed any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_store.activities import SALE, WEB_ORDER, move, newest_of_record
from queue_store.fingerprint import order_fingerprint
from queue_store.intake import Incoming, take_in
from queue_store.models import Activity, Store
from queue_store.payloads import Order, encode
from queue_store.states import ABROAD, ActivityState
from queue_store.waits import wait_for
from queue_store.withdraw import cancel_unsent_web_order, sent_as_receipt, web_order_of, withdraw
from woo_bridge.disposition import ENDED, Disposition, OrderRules, decide, decide_web_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: `Activity.reason` of what waits until its order was read from the shop again.
REREAD = "re-read"


def take_web_order(
    db: Session, store: Store, rules: OrderRules, order: Order, sale: Activity, *, pushed: bool = False
) -> None:
    """Bring the web order of an order to where it belongs now, after its `sale` was."""
    record_id = str(order.order_id)
    by_hand = sale.state == ActivityState.CANCELLED and sale.reason == "operator"
    if order.status in ENDED or (sale.state == ActivityState.CANCELLED and not by_hand):
        withdraw(
            db,
            company_id=store.company_id,
            store_id=store.id,
            kind=WEB_ORDER,
            record_id=record_id,
            sentence=decide(order, rules).sentence if order.status in ENDED else sale.sentence,
        )
        return
    make_way(db, sale)
    wanted = decide_web_order(order, rules, pushed=pushed)
    if _is_past(sale):
        cancel_unsent_web_order(db, sale, sent_as_receipt(sale))
        return
    if wanted is None:
        sentence = f"Order {order.number} is {order.status}, which is no web order any more: nothing to send."
        cancel_unsent_web_order(db, sale, sentence)
        return
    if wanted.state is ActivityState.HELD and _is_pending(db, store, record_id):
        # Pushed, or in the queue from before a pause: newer content does not take it back.
        wanted = Disposition(ActivityState.PENDING)
    _, activity = take_in(
        db,
        Incoming(
            company_id=store.company_id,
            store_id=store.id,
            kind=WEB_ORDER,
            record_id=record_id,
            order_id=record_id,
            reference=order.number[:120],
            payload=encode(order),
            fingerprint=order_fingerprint(order),
            modified_at=order.modified_at,
            state=wanted.state,
            reason=wanted.reason,
            sentence=wanted.sentence,
        ),
    )
    if sale.reason == REREAD and activity.state == ActivityState.PENDING:
        # The sale waits until the shop was asked what the newest is, and so does this.
        move(db, activity, ActivityState.WAITING, cause=sale.sentence, sentence=sale.sentence, reason=REREAD)


def make_way(db: Session, sale: Activity) -> None:
    """A sale that may go now: its unsent web order is not needed, and one on its way is waited for."""
    if sale.kind != SALE or sale.state != ActivityState.PENDING:
        return
    order = web_order_of(db, sale)
    cancel_unsent_web_order(
        db, sale, f"Order {sale.reference} goes as a receipt at once: its web order is not needed."
    )
    if order is not None and order.state in ABROAD:
        sentence = f"Order {sale.reference} waits for its web order, which is on its way."
        move(db, sale, ActivityState.WAITING, cause=sentence, sentence=sentence, reason="activity")
        wait_for(db, [(sale.id, order.id)])


def _is_past(sale: Activity) -> bool:
    """True once a receipt of the order was sent: there is nothing left that a web order could announce."""
    sent = sale.state in ABROAD or sale.state in (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED)
    return sent or sale.generation > 1


def redecide_web_order(db: Session, activity: Activity, order: Order, rules: OrderRules) -> bool:
    """Move a web order that is held to where it belongs now; True if it moved."""
    wanted = decide_web_order(order, rules)
    if wanted is None:
        sentence = f"Order {order.number} becomes no web order any more, as orders.documents says."
        wanted = Disposition(ActivityState.CANCELLED, sentence=sentence)
    if (activity.state, activity.reason) == (wanted.state, wanted.reason):
        return False
    move(
        db,
        activity,
        wanted.state,
        cause=wanted.sentence or "what held it is over",
        sentence=wanted.sentence,
        reason=wanted.reason,
        unwanted=wanted.state is ActivityState.CANCELLED,
    )
    return True


def _is_pending(db: Session, store: Store, record_id: str) -> bool:
    order = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=WEB_ORDER, record_id=record_id
    )
    return order is not None and order.state in (
        ActivityState.PENDING,
        ActivityState.DELAYED,
        ActivityState.FAILED,
    )
