"""What a person does to activities by hand: retry, hold, release, cancel. Each is audited.

Nothing here touches what was sent or is in doubt: QuickBooks may be writing it
at this moment, and only its answer, or a look-up, can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from queue_store import adjustments
from queue_store.activities import ORDER_KINDS, RETURN, SALE, called, move
from queue_store.drain import Change, change
from queue_store.errors import StoreError
from queue_store.models import Activity, ActivityWait, AuditEntry, Company, CompanySetting, Store
from queue_store.returns import follow_sale
from queue_store.states import ABROAD, ActivityState

S = ActivityState

#: What waits, or could go at any moment, and so can be stopped by hand.
_STOPPABLE = frozenset({S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED})
_DONE = frozenset({S.SUCCEEDED, S.SUPERSEDED})
#: A fresh start: nothing of earlier failures may slow it down.
_FRESH = {"set_failures": 0, "suspect_size": 0, "suspect_of": None, "prepared": None, "prepared_with": ""}
_AT_ONCE = 500


class OperationRefused(StoreError):
    """What a person asked for cannot be done in the activity's state."""

    def __init__(self, activity: Activity, sentence: str) -> None:
        super().__init__(f"Activity {activity.id} ({activity.kind} {activity.reference}) {sentence}")
        self.activity_id, self.state = activity.id, activity.state


def retry(db: Session, activity: Activity, who: str) -> list[Activity]:
    """Let a failed or delayed activity go again now; gives all that were moved, itself first.

    What it needs and what failed is retried with it, and so is what failed
    because of it. Raises OperationRefused.
    """
    _refuse_abroad(activity, "retried")
    _refuse_unwanted(activity)
    if activity.state in (S.PENDING, S.WAITING, S.HELD):
        hint = {
            S.PENDING: "goes with the next run",
            S.WAITING: "waits",
            S.HELD: f"is held. To let it go run: qbwoo activity release {activity.id}",
        }
        raise OperationRefused(
            activity, f"did not fail; it {hint[S(activity.state)]}. {activity.sentence}".strip()
        )
    if activity.state == S.CANCELLED:
        raise OperationRefused(
            activity, f"was cancelled. To send it after all run: qbwoo activity release {activity.id}"
        )
    if activity.state in _DONE:
        raise OperationRefused(activity, f"is {S(activity.state).shown}: there is nothing to retry.")
    moved: list[Activity] = []
    _retry(db, activity, who, moved)
    return moved


def hold(db: Session, activity: Activity, who: str) -> None:
    """Keep an activity from being sent until it is released. Raises OperationRefused."""
    _refuse_abroad(activity, "held")
    if activity.state not in _STOPPABLE:
        raise OperationRefused(activity, f"is {S(activity.state).shown}: there is nothing to hold.")
    if activity.state == S.HELD and activity.reason == "operator":
        raise OperationRefused(activity, "is held already.")
    sentence = f"Held by hand. It goes when you run: qbwoo activity release {activity.id}"
    _move(db, activity, S.HELD, "hold", who, reason="operator", sentence=sentence)


def release(
    db: Session,
    activity: Activity,
    who: str,
    *,
    to: ActivityState = S.PENDING,
    reason: str = "",
    sentence: str = "",
) -> None:
    """Let go what a person held or cancelled; `to` is where its content belongs now.

    Raises OperationRefused.
    """
    _refuse_abroad(activity, "released")
    _refuse_unwanted(activity)
    if activity.state not in (S.HELD, S.CANCELLED):
        raise OperationRefused(
            activity, f"is {S(activity.state).shown}, not held: there is nothing to release."
        )
    if to is S.PENDING and _open_needs(db, activity):
        to, reason, sentence = S.WAITING, "activity", "Waits for other activities that it needs."
    _move(db, activity, to, "release", who, reason=reason, sentence=sentence, **_FRESH)
    adjustments.count(db, activity, counts=True)
    if activity.kind == SALE:
        follow_sale(db, activity)


def cancel(db: Session, activity: Activity, who: str) -> None:
    """Never send it, unless it is released again. Raises OperationRefused."""
    _refuse_abroad(activity, "cancelled")
    if activity.state not in _STOPPABLE:
        raise OperationRefused(activity, f"is {S(activity.state).shown}: there is nothing to cancel.")
    waiting = db.scalars(
        select(Activity.reference)
        .join(ActivityWait, ActivityWait.activity_id == Activity.id)
        .where(
            ActivityWait.for_id == activity.id,
            Activity.state == S.WAITING,
            # The refunds of an order are cancelled with it.
            Activity.kind != RETURN,
        )
        .limit(4)
    ).all()
    if waiting:
        names = ", ".join(waiting[:3]) + (" and others" if len(waiting) > 3 else "")
        raise OperationRefused(activity, f"is needed by {names}. Cancel or hold these first.")
    _move(
        db,
        activity,
        S.CANCELLED,
        "cancel",
        who,
        reason="operator",
        sentence="Cancelled by hand: it is not sent.",
    )
    adjustments.count(db, activity, counts=False)
    if activity.kind == SALE:
        follow_sale(db, activity)


def hold_store(db: Session, store: Store, who: str, sentence: Callable[[str], str]) -> int:
    """Hold what of a paused store could still be sent, with the reason "not live"; how many.

    `sentence` makes the sentence of one from what it is called.
    """
    # One that waits for another activity would go as soon as that has succeeded.
    condition = Activity.state.in_((S.PENDING, S.DELAYED)) | (
        (Activity.state == S.WAITING) & (Activity.reason == "activity")
    )
    rows = db.execute(
        select(Activity.id, Activity.kind, Activity.state, Activity.reference)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind.in_(ORDER_KINDS),
            condition,
        )
        .order_by(Activity.id)
        .with_for_update()
    ).all()
    changes = [
        Change(
            activity_id=row.id,
            before=row.state,
            after=S.HELD,
            reason="not live",
            sentence=sentence(called(row)),
        )
        for row in rows
    ]
    for start in range(0, len(changes), _AT_ONCE):
        change(db, changes[start : start + _AT_ONCE])
    audit(db, store.company_id, who, f"store {store.name}: pause", "", f"{len(changes)} held")
    return len(changes)


def activities_of_mark(
    db: Session, head: str, record_id: str, generation: int, *, default_prefix: str
) -> Sequence[Activity]:
    """The activities whose document carries this mark; `head` is the company's prefix and the store's code."""
    found: list[Activity] = []
    rows = db.execute(
        select(Store.id, Store.company_id, Store.code, CompanySetting.value)
        .join(Company, Company.id == Store.company_id)
        .outerjoin(
            CompanySetting,
            (CompanySetting.company_id == Company.id) & (CompanySetting.key == "documents.prefix"),
        )
    )
    for row in rows:
        if (row.value or default_prefix) + row.code == head:
            found += db.scalars(
                select(Activity).where(
                    Activity.company_id == row.company_id,
                    Activity.store_id == row.id,
                    Activity.record_id == record_id,
                    Activity.generation == generation,
                )
            )
    return found


def audit(db: Session, company_id: int, who: str, what: str, before: str, after: str) -> None:
    """Keep who changed what by hand."""
    db.add(AuditEntry(company_id=company_id, who=who, what=what[:200], before=before, after=after))
    db.flush()


def _retry(db: Session, activity: Activity, who: str, moved: list[Activity]) -> None:
    if activity.state == S.DELAYED:
        _move(db, activity, S.PENDING, "retry", who, **_FRESH)
        moved.append(activity)
        return
    needs = _open_needs(db, activity)
    if needs:
        sentence = f"Waits for {', '.join(need.reference or need.kind for need in needs[:3])}."
        _move(db, activity, S.WAITING, "retry", who, reason="activity", sentence=sentence, **_FRESH)
    else:
        db.execute(
            delete(ActivityWait)
            .where(ActivityWait.activity_id == activity.id)
            .execution_options(synchronize_session=False)
        )
        _move(db, activity, S.PENDING, "retry", who, **_FRESH)
    moved.append(activity)
    broken_by_it = db.scalars(
        select(Activity)
        .join(ActivityWait, ActivityWait.activity_id == Activity.id)
        .where(ActivityWait.for_id == activity.id, Activity.state == S.FAILED, Activity.reason == "activity")
        .order_by(Activity.id)
        .with_for_update(of=Activity)
    ).all()
    for other in (*(need for need in needs if need.state == S.FAILED), *broken_by_it):
        if other.state == S.FAILED:
            _retry(db, other, who, moved)


def _open_needs(db: Session, activity: Activity) -> Sequence[Activity]:
    """What it waits for and what has not succeeded."""
    return db.scalars(
        select(Activity)
        .join(ActivityWait, ActivityWait.for_id == Activity.id)
        .where(ActivityWait.activity_id == activity.id, Activity.state.not_in(_DONE | {S.CANCELLED}))
        .order_by(Activity.id)
        .with_for_update(of=Activity)
    ).all()


def _move(db: Session, activity: Activity, to: ActivityState, what: str, who: str, **changes: object) -> None:
    before = S(activity.state)
    move(db, activity, to, cause=f"{what}, by {who}", **changes)
    audit(db, activity.company_id, who, f"activity {activity.id}: {what}", before, to)


def _refuse_unwanted(activity: Activity) -> None:
    """What no person can let go one by one."""
    if activity.state == S.CANCELLED and activity.unwanted:
        raise OperationRefused(
            activity,
            "was cancelled because the shop wants nothing of it any more. It comes back by itself when the "
            "order's status returns.",
        )
    if activity.state == S.HELD and activity.reason == "not live":
        raise OperationRefused(activity, f"is held because its store is not live. {activity.sentence}")


def _refuse_abroad(activity: Activity, what: str) -> None:
    if activity.state not in ABROAD:
        return
    where = (
        "was sent and not answered yet"
        if activity.state == S.SENT
        else "is in doubt: its answer was lost, and QuickBooks is asked for it in the next run"
    )
    raise OperationRefused(activity, f"{where}; it cannot be {what} now. Try again after the next run.")
