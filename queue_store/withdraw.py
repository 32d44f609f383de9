"""What the shop wants no more: a record deleted or trashed, a web order whose receipt went or whose status is over."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import WEB_ORDER, expire_activities, move, newest_of_record, note
from queue_store.intake import changed_after_sent, is_dropped_if_missing
from queue_store.models import Activity
from queue_store.returns import follow_sales
from queue_store.states import ABROAD, AT_HOME, ActivityState
from queue_store.waits import wake_waiters


class Withdrawn(StrEnum):
    """What became of it."""

    UNKNOWN = "unknown"  # never seen here: nothing to take back
    ALREADY = "already"  # nothing was wanted of it before
    CANCELLED = "cancelled"  # it had not been sent
    UNWANTED = "unwanted"  # sent or in doubt: decided when that is settled
    CHANGED_AFTER_SENT = "changed after sent"  # in the books: for the operator


def withdraw(
    db: Session, *, company_id: int, store_id: int, kind: str, record_id: str, sentence: str
) -> tuple[Withdrawn, Activity | None]:
    """Cancel what is at home, mark what is abroad, tell the operator of what is in the books.

    What the operator holds or has cancelled stays as it is, marked as unwanted.
    """
    activity = newest_of_record(db, company_id=company_id, store_id=store_id, kind=kind, record_id=record_id)
    if activity is None:
        return Withdrawn.UNKNOWN, None
    with_its_order = activity.state == ActivityState.CANCELLED and activity.reason == "activity"
    if activity.unwanted and not with_its_order:
        return Withdrawn.ALREADY, activity
    state = ActivityState(activity.state)
    if state in AT_HOME:
        by_operator = activity.reason == "operator" and state in (ActivityState.HELD, ActivityState.CANCELLED)
        if by_operator or state is ActivityState.CANCELLED:
            activity.unwanted = True
            if with_its_order:
                activity.reason, activity.sentence = "", sentence
            note(db, activity.id, state, state, sentence)
        else:
            move(db, activity, ActivityState.CANCELLED, cause=sentence, sentence=sentence, unwanted=True)
        db.flush()
        return Withdrawn.CANCELLED, activity
    activity.unwanted = True
    if state in ABROAD:
        note(db, activity.id, state, state, sentence)
        db.flush()
        return Withdrawn.UNWANTED, activity
    changed_after_sent(db, activity)
    return Withdrawn.CHANGED_AFTER_SENT, activity


def sent_as_receipt(sale: Activity) -> str:
    """Why the web order of this sale does not go any more."""
    return f"Order {sale.reference} was sent as a receipt: its web order is not needed any more."


def cancel_unsent_web_order(db: Session, sale: Activity, sentence: str) -> None:
    """The web order of this sale is not wanted now.

    What a person holds or cancelled stays so, and is not released as it is. One
    that QuickBooks may have is dropped if it is not there; if it is, the receipt
    fulfils it, and there is nothing to decide.
    """
    order = web_order_of(db, sale)
    if order is None:
        return
    if order.state in ABROAD:
        _drop_if_missing(db, order, sentence, is_wanted=not sale.unwanted)
    if order.state not in AT_HOME:
        return
    if order.state in (ActivityState.HELD, ActivityState.CANCELLED) and order.reason == "operator":
        if not order.unwanted:
            order.unwanted = True
            note(db, order.id, order.state, order.state, sentence)
            db.flush()
        return
    if order.state == ActivityState.CANCELLED:
        return
    move(db, order, ActivityState.CANCELLED, cause=sentence, sentence=sentence, unwanted=True)
    follow_cancelled(db, [order.id])


def _drop_if_missing(db: Session, order: Activity, sentence: str, *, is_wanted: bool) -> None:
    """Its newest content waits beside it, to be cancelled there.

    Unlike one of a cancelled order it is not unwanted: found with this content, it is simply there.
    """
    was_unwanted = order.unwanted
    if is_wanted:
        # Its order was cancelled and is wanted again: found, the receipt fulfils it all the same.
        order.unwanted = False
    if is_dropped_if_missing(order) and order.unwanted == was_unwanted:
        return
    if order.newer_payload is None:
        order.newer_payload, order.newer_fingerprint = order.payload, order.fingerprint
        order.newer_modified_at = order.modified_at
    order.newer_state, order.newer_reason, order.newer_sentence = ActivityState.CANCELLED, "", sentence
    note(db, order.id, order.state, order.state, sentence)
    db.flush()


def follow_cancelled(db: Session, activity_ids: Collection[int]) -> None:
    """What waits for these goes as they go, which were cancelled before they reached QuickBooks.

    Refunds are cancelled with their sale; a receipt goes without its web order.
    """
    if not activity_ids:
        return
    follow_sales(db, activity_ids)
    orders = db.scalars(
        select(Activity.id).where(Activity.id.in_(activity_ids), Activity.kind == WEB_ORDER)
    ).all()
    if orders:
        wake_waiters(db, orders, cause="its web order is not needed")
        expire_activities(db)


def web_order_of(db: Session, sale: Activity) -> Activity | None:
    """The web order of this sale's order, if it ever had one."""
    return newest_of_record(
        db, company_id=sale.company_id, store_id=sale.store_id, kind=WEB_ORDER, record_id=sale.record_id
    )
