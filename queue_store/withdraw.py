"""A record that the shop wants no more: deleted or trashed, with nothing but its id told."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from queue_store.activities import move, newest_of_record, note
from queue_store.intake import changed_after_sent
from queue_store.models import Activity
from queue_store.states import ABROAD, AT_HOME, ActivityState


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
