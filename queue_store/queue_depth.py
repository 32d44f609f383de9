"""How much stands in the queue, and since when: counted in an index, company by company, state by state.

What is finished is never counted: it grows for ever, and nobody has to see to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import Session

from queue_store.activities import QUICKBOOKS, SHOP
from queue_store.ids import id_at, made_at
from queue_store.models import Activity, ActivityEvent, table_of
from queue_store.prebuilt import Prebuilt
from queue_store.states import ActivityState as S

_ACTIVITY = table_of(Activity)
_EVENT = table_of(ActivityEvent)
TARGETS = (QUICKBOOKS, SHOP)
#: States that somebody, or something, has still to see to.
UNFINISHED = (S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.SENT, S.IN_DOUBT, S.FAILED)
#: States in which an activity stands still with good reason: what left one of them begins to wait anew.
_AT_REST = ("", S.WAITING.value, S.HELD.value, S.FAILED.value, S.CANCELLED.value)
#: States in which an activity is on its way.
_AT_WORK = (S.PENDING, S.DELAYED, S.SENT)
#: So many of the first in line are looked at closely.
MOST_LOOKED_AT = 200

_IN_STATE = (
    _ACTIVITY.c.company_id == bindparam("company_id"),
    _ACTIVITY.c.target == bindparam("target"),
    _ACTIVITY.c.state == bindparam("state"),
)
#: Both from the index of the claim alone: no row is read.
DEPTH = select(func.count().label("number"), func.min(_ACTIVITY.c.id).label("oldest")).where(*_IN_STATE)
#: In the order of the queue, as the index has it.
FIRST_OLD = (
    select(_ACTIVITY.c.id)
    .where(*_IN_STATE, _ACTIVITY.c.id < bindparam("before"))
    .order_by(_ACTIVITY.c.priority.desc(), _ACTIVITY.c.id)
    .limit(bindparam("limit", type_=Integer))
)
SINCE = (
    select(_EVENT.c.activity_id, func.max(_EVENT.c.at).label("since"))
    .where(
        _EVENT.c.activity_id.in_(bindparam("ids", expanding=True)),
        _EVENT.c.from_state != _EVENT.c.to_state,
    )
    .group_by(_EVENT.c.activity_id)
)
_LEFT_REST = SINCE.where(_EVENT.c.from_state.in_(_AT_REST))
_CAME_IN_DOUBT = SINCE.where(_EVENT.c.to_state == S.IN_DOUBT.value)
_DEPTH, _FIRST_OLD = Prebuilt(DEPTH), Prebuilt(FIRST_OLD)


class Depth(NamedTuple):
    """What stands in one state, for one target."""

    target: str
    state: S
    number: int
    #: When the oldest of them was made; None: there are none.
    oldest_at: datetime | None


class Overdue(NamedTuple):
    """An activity that has been at work for too long."""

    activity_id: int
    since: datetime


def queue_depth(db: Session, company_id: int) -> list[Depth]:
    """Every target and every state of `UNFINISHED`."""
    found: list[Depth] = []
    for target in TARGETS:
        for state in UNFINISHED:
            (row,) = _DEPTH.rows(db, _values(company_id, target, state))
            found.append(Depth(target, state, row.number, made_at(row.oldest) if row.oldest else None))
    return found


def at_work_since(db: Session, company_id: int, target: str, before: datetime) -> list[Overdue]:
    """Activities on their way that came, or last left a state of rest, before a moment; the longest first.

    Of each state the first 200 in line are looked at: what they wait for, the rest waits for too.
    """
    return _overdue(db, company_id, target, _AT_WORK, before, _LEFT_REST)


def in_doubt_since(db: Session, company_id: int, before: datetime) -> list[Overdue]:
    """Activities that came into doubt before a moment and still are; the longest first, 200 at most."""
    return _overdue(db, company_id, QUICKBOOKS, (S.IN_DOUBT,), before, _CAME_IN_DOUBT)


def _overdue(
    db: Session, company_id: int, target: str, states: Iterable[S], before: datetime, began: Select[Any]
) -> list[Overdue]:
    ids: list[int] = []
    for state in states:
        values = {**_values(company_id, target, state), "before": id_at(before), "limit": MOST_LOOKED_AT}
        ids += [row.id for row in _FIRST_OLD.rows(db, values)]
    if not ids:
        return []
    rows = db.execute(began, {"ids": ids})
    since: dict[int, datetime] = {row.activity_id: row.since for row in rows}
    late = [Overdue(one, since.get(one) or made_at(one)) for one in ids]
    return sorted((one for one in late if one.since < before), key=lambda one: one.since)


def failed(db: Session, company_id: int, most: int) -> list[Any]:
    """Rows with id, kind, reference and sentence of failed activities, up to `most`, in the order of the queue."""
    rows: list[Any] = []
    for target in TARGETS:
        query = (
            select(Activity.id, Activity.kind, Activity.reference, Activity.sentence)
            .where(Activity.company_id == company_id, Activity.target == target, Activity.state == S.FAILED)
            .order_by(Activity.priority.desc(), Activity.id)
            .limit(most - len(rows))
        )
        rows += db.execute(query)
    return rows


def _values(company_id: int, target: str, state: S) -> dict[str, int | str]:
    return {"company_id": company_id, "target": target, "state": state.value}
