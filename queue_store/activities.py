"""Activities one at a time: finding them, and moving them from state to state.

Every move is a compare-and-set and leaves an event with its cause. What the
Web Connector's side does with hundreds at once stands in `queue_store.drain`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from queue_store.errors import IllegalTransition, LostRace, NotFound
from queue_store.models import Activity, ActivityEvent, Attempt
from queue_store.states import TRANSITIONS, ActivityState

QUICKBOOKS = "quickbooks"
SHOP = "shop"
#: Kinds that a shop's orders become in QuickBooks.
SALE = "sale"
RETURN = "return"
WEB_ORDER = "web_order"
ORDER_KINDS = (SALE, RETURN, WEB_ORDER)
#: `Activity.reason` of a next generation whose undo was called off, see `queue_store.undo`: it counts as not
#: there, the generation before it stands.
CALLED_OFF = "undo cancelled"
#: `reason` of a sale or return in the books whose receipt was reversed there, and nothing here undid it.
REVERSED = "reversed"


def called(activity: Any) -> str:
    """What a sentence calls an activity (row or model): "Order 1207", "Refund 1209 of order 1207", "TEA-50"."""
    if activity.kind == SALE:
        return f"Order {activity.reference}"
    return f"Web order {activity.reference}" if activity.kind == WEB_ORDER else str(activity.reference)


def get_activity(db: Session, activity_id: int) -> Activity:
    """Raises NotFound."""
    activity = db.get(Activity, activity_id)
    if activity is None:
        raise NotFound("activity", activity_id, "See: qbwoo activity list")
    return activity


_NEWEST = (
    select(Activity)
    .where(
        Activity.company_id == bindparam("company_id"),
        Activity.store_id == bindparam("store_id"),
        Activity.kind == bindparam("kind"),
        Activity.record_id == bindparam("record_id"),
        Activity.reason != CALLED_OFF,
    )
    .order_by(Activity.generation.desc())
    .limit(1)
    .with_for_update()
)


def newest_of_record(
    db: Session, *, company_id: int, store_id: int, kind: str, record_id: str
) -> Activity | None:
    """The activity of the newest generation of a record, locked against other writers."""
    identity = {"company_id": company_id, "store_id": store_id, "kind": kind, "record_id": record_id}
    return db.scalars(_NEWEST, identity).first()


def failed_additions(db: Session, company_id: int, kind: str, record_ids: Collection[str]) -> dict[str, str]:
    """Sentences of the company's own activities of these records that failed, by record."""
    if not record_ids:
        return {}
    rows = db.execute(
        select(Activity.record_id, Activity.sentence).where(
            Activity.company_id == company_id,
            Activity.store_id == 0,
            Activity.kind == kind,
            Activity.record_id.in_(record_ids),
            Activity.state == ActivityState.FAILED,
        )
    )
    return {row.record_id: row.sentence for row in rows}


def add_activity(db: Session, activity: Activity, *, cause: str) -> Activity:
    """Put a new activity into the queue, with its first event."""
    db.add(activity)
    db.flush()
    note(db, activity.id, "", activity.state, cause)
    return activity


def move(db: Session, activity: Activity, to: ActivityState, *, cause: str, **changes: Any) -> None:
    """Change the state (and columns) of one activity.

    `cause` is kept with the event; give `sentence` in `changes` when a person
    has to read it, else the old one is cleared. Raises IllegalTransition, and
    LostRace if somebody changed the state since `activity` was loaded.
    """
    before = ActivityState(activity.state)
    if to not in TRANSITIONS[before] and to is not before:
        raise IllegalTransition(activity.id, before, to)
    changes.setdefault("sentence", "")
    changes.setdefault("reason", "")
    if to is not ActivityState.DELAYED:
        changes.setdefault("next_at", None)
    moved = db.execute(
        update(Activity)
        .where(Activity.id == activity.id, Activity.state == before)
        .values(state=to, updated_at=datetime.now(UTC), **changes)
        .returning(Activity.id)
        .execution_options(synchronize_session=False)
    ).first()
    if moved is None:
        raise LostRace(activity.id, before)
    db.refresh(activity)
    note(db, activity.id, before, to, cause)


def expire_activities(db: Session) -> None:
    """Forget loaded activities, after statements over many rows: what is used next is read again."""
    for known in db:
        if isinstance(known, Activity):
            db.expire(known)


def note(
    db: Session, activity_id: int, before: str, after: str, cause: str, exchange_id: int | None = None
) -> None:
    """Keep one event of an activity's history."""
    db.add(
        ActivityEvent(
            activity_id=activity_id, from_state=before, to_state=after, cause=cause, exchange_id=exchange_id
        )
    )


def events_of(db: Session, activity_id: int) -> Sequence[ActivityEvent]:
    """The history, oldest first."""
    return db.scalars(
        select(ActivityEvent).where(ActivityEvent.activity_id == activity_id).order_by(ActivityEvent.id)
    ).all()


def attempts_of(db: Session, activity_id: int) -> Sequence[Attempt]:
    """What was sent, oldest first."""
    return db.scalars(
        select(Attempt).where(Attempt.activity_id == activity_id).order_by(Attempt.number)
    ).all()


def list_activities(
    db: Session,
    *,
    company_id: int | None = None,
    states: Iterable[str] = (),
    kind: str | None = None,
    store_id: int | None = None,
    limit: int | None = 50,
) -> Sequence[Activity]:
    """Newest first. `states` are the words people see: "pending" includes what is delayed."""
    query = select(Activity).order_by(Activity.id.desc())
    wanted = set(states)
    if ActivityState.PENDING in wanted:
        wanted.add(ActivityState.DELAYED)
    conditions: list[ColumnElement[bool]] = []
    if company_id is not None:
        conditions.append(Activity.company_id == company_id)
    if wanted:
        conditions.append(Activity.state.in_(wanted))
    if kind:
        conditions.append(Activity.kind == kind)
    if store_id is not None:
        conditions.append(Activity.store_id == store_id)
    return db.scalars(query.where(*conditions).limit(limit)).all()


def find_activities(db: Session, text: str) -> Sequence[Activity]:
    """By id, order id or reference, as a person would type it; newest first."""
    conditions = [Activity.reference == text, Activity.order_id == text, Activity.txn_id == text]
    if text.isdigit() and len(text) < 20:
        conditions.append(Activity.id == int(text))
    return db.scalars(select(Activity).where(or_(*conditions)).order_by(Activity.id.desc())).all()


def count_by_state(db: Session, company_id: int | None = None) -> dict[str, int]:
    """How many activities stand in each state, by the word people see."""
    query = select(Activity.state, func.count()).group_by(Activity.state)
    if company_id is not None:
        query = query.where(Activity.company_id == company_id)
    counts: dict[str, int] = {}
    for state, count in db.execute(query):
        shown = ActivityState(state).shown
        counts[shown] = counts.get(shown, 0) + count
    return counts
