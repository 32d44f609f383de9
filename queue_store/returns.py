"""Refunds beside the sale of their order: each goes after it, waits with it, and ends with it.

Where a refund belongs follows from where its sale stands, and from nothing
else that changes. So it is worked out anew whenever the sale moves at home;
what moves the sale in QuickBooks wakes, fails or cancels what waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from queue_store.activities import CALLED_OFF, RETURN, REVERSED, SALE, move, newest_of_record
from queue_store.companies import live_kinds
from queue_store.models import Activity, ActivityWait, Store
from queue_store.states import AT_HOME, TRANSITIONS, ActivityState
from queue_store.waits import wait_for

S = ActivityState
DONE = (S.SUCCEEDED, S.SUPERSEDED)


class Place(NamedTuple):
    """Where a refund belongs, and why."""

    state: ActivityState
    reason: str = ""
    sentence: str = ""


def refund_record_id(order_id: int, refund_id: int) -> str:
    """record_id of a refund: "1207-R1209"."""
    return f"{order_id}-R{refund_id}"


def refund_reference(refund_id: int, number: str) -> str:
    """What people call a refund."""
    return f"Refund {refund_id} of order {number}"[:120]


def sale_of(db: Session, company_id: int, store_id: int, order_id: str) -> Activity | None:
    """The sale of an order, locked against other writers."""
    return newest_of_record(db, company_id=company_id, store_id=store_id, kind=SALE, record_id=order_id)


def prepared_sale(db: Session, company_id: int, store_id: int, order_id: str) -> bytes | None:
    """What was made ready for the sale of an order; not locked: a refund is prepared while others settle."""
    return db.scalars(
        select(Activity.prepared)
        .where(
            Activity.company_id == company_id,
            Activity.store_id == store_id,
            Activity.kind == SALE,
            Activity.record_id == order_id,
            Activity.reason != CALLED_OFF,
        )
        .order_by(Activity.generation.desc())
        .limit(1)
    ).first()


def returns_of(db: Session, company_id: int, store_id: int, order_id: str) -> Sequence[Activity]:
    """The refunds of an order, the newest generation of each, oldest first."""
    rows = db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id == store_id,
            Activity.order_id == order_id,
            Activity.kind == RETURN,
            Activity.reason != CALLED_OFF,
        )
        .order_by(Activity.generation, Activity.id)
        .with_for_update()
    )
    return sorted({row.record_id: row for row in rows}.values(), key=lambda row: row.id)


def place_beside(sale: Activity, name: str, store: Store) -> Place:
    """Where the refund called `name` belongs, as its sale stands now."""
    state = S(sale.state)
    if state is S.SUCCEEDED and sale.reason == REVERSED:
        # There is nothing in the books to give back for, until a person has said what is to become of the sale.
        return Place(S.FAILED, "activity", f"{name} cannot be sent: {sale.sentence}")
    if state in DONE:
        if "orders" in live_kinds(store):
            return Place(S.PENDING)
        sentence = (
            f"{name} is held: store {store.name} is not live for orders. It goes when you run: "
            f"qbwoo store live {store.name}"
        )
        return Place(S.HELD, "not live", sentence)
    if state is S.CANCELLED and sale.reason == "operator":
        sentence = (
            f"{name} is cancelled with its order, which was cancelled by hand. If you entered the order in "
            f"QuickBooks, enter this refund too. To send both: qbwoo activity release {sale.id}"
        )
        return Place(S.CANCELLED, "activity", sentence)
    if state is S.CANCELLED:
        return Place(S.CANCELLED, "activity", f"{name} is cancelled with its order: {sale.sentence}")
    if state is S.FAILED:
        return Place(S.FAILED, "activity", f"{name} cannot be sent: {sale.sentence} Mend that, then retry.")
    if state is S.HELD and sale.reason != "operator":
        return Place(S.HELD, sale.reason, f"{name} is held with its order: {sale.sentence}")
    return Place(S.WAITING, "activity", f"{name} goes after its order. {sale.sentence}".strip())


def follow_sale(db: Session, sale: Activity) -> None:
    """Bring the refunds of an order to where its sale stands now."""
    for one in returns_of(db, sale.company_id, sale.store_id, sale.record_id):
        follow(db, one, sale)


def follow_sales(db: Session, sale_ids: Collection[int]) -> None:
    """`follow_sale` for several, by id; those that are no sales are passed over."""
    if not sale_ids:
        return
    for sale in db.scalars(select(Activity).where(Activity.id.in_(sale_ids), Activity.kind == SALE)).all():
        follow_sale(db, sale)


def follow(db: Session, one: Activity, sale: Activity) -> bool:
    """Bring one refund to where its sale stands; True if it moved."""
    if not _follows(one):
        return False
    store = db.get_one(Store, one.store_id)
    place = place_beside(sale, one.reference, store)
    if place.state is S.PENDING:
        if one.state in (S.PENDING, S.DELAYED) or (one.state == S.WAITING and _lacks_more(db, one, sale)):
            return False
        db.execute(
            delete(ActivityWait)
            .where(ActivityWait.activity_id == one.id, ActivityWait.for_id == sale.id)
            .execution_options(synchronize_session=False)
        )
    else:
        wait_for(db, [(one.id, sale.id)])
    if (one.state, one.reason) == (place.state, place.reason):
        if one.sentence != place.sentence:
            one.sentence = place.sentence
            db.flush()
        return False
    if place.state not in TRANSITIONS[S(one.state)]:
        move(db, one, S.PENDING, cause="its order is wanted again", unwanted=False)
    move(
        db,
        one,
        place.state,
        cause=place.sentence or "its sale is in QuickBooks",
        sentence=place.sentence,
        reason=place.reason,
        unwanted=place.state is S.CANCELLED,
    )
    return True


def _follows(one: Activity) -> bool:
    """Not what a person held or cancelled, what was sent, what failed by itself, or was deleted in the shop."""
    if one.state not in AT_HOME or one.reason == "operator":
        return False
    return one.state not in (S.FAILED, S.CANCELLED) or one.reason == "activity"


def _lacks_more(db: Session, one: Activity, sale: Activity) -> bool:
    """True if it waits for something else than its sale: an item that is added first."""
    others = select(ActivityWait.for_id).where(
        ActivityWait.activity_id == one.id, ActivityWait.for_id != sale.id
    )
    return db.scalars(others.limit(1)).first() is not None
