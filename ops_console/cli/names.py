"""What people type for a record, and which record it is."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ops_console.errors import WrongUsage
from qbwc_service.marks import read_mark
from queue_store.activities import find_activities
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.errors import NotFound
from queue_store.models import Activity
from queue_store.operations import activities_of_mark

#: Greatest id that the database can hold.
_MOST = 2**63 - 1


def number(text: str, what: str) -> int:
    """An id. Raises NotFound, since what is no number is the id of nothing."""
    if not (text.isascii() and text.isdigit() and len(text) < 30 and int(text) <= _MOST):
        raise NotFound(what, text, f"See: qbwoo {what} list")
    return int(text)


def activities_called(db: Session, text: str) -> list[Activity]:
    """By id, order number, order id, QuickBooks' id or mark, newest first. Raises NotFound."""
    mark = read_mark(text)
    if mark is not None:
        found = activities_of_mark(
            db,
            mark.head,
            mark.record_id,
            mark.generation,
            default_prefix=COMPANY_SETTINGS["documents.prefix"].default,
        )
    else:
        found = find_activities(db, text)
    if not found:
        raise NotFound("activity", text, "See: qbwoo activity list")
    return list(found)


def activity_called(db: Session, text: str) -> Activity:
    """The one activity that `text` names. Raises NotFound, WrongUsage."""
    found = activities_called(db, text)
    if len(found) > 1:
        ids = ", ".join(f"{activity.id} ({activity.kind} {activity.reference})" for activity in found[:5])
        raise WrongUsage(f"{text} names {len(found)} activities; give the id of one: {ids}.")
    return found[0]
