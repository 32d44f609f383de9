"""What is not as it should be with a company: each cause once, with its sentence.

Read from what the queue, the tasks and the Web Connector's calls say already;
nothing is written here. However much is wrong, a look reads a bounded piece of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import QUICKBOOKS, SHOP, called
from queue_store.models import Company, Exchange, OperatorTask
from queue_store.queue_depth import MOST_LOOKED_AT, Overdue, at_work_since, failed, in_doubt_since
from queue_store.quoting import quoted
from queue_store.sessions import last_call, newest_session, outstanding_exchange
from queue_store.settings import Settings, company_settings

#: Of each sort of cause so many are told of by name; the rest is counted.
MOST_NAMED = 200
#: Topics of tasks by their kind; those of other kinds are "tasks".
TASK_TOPICS: Mapping[str, str] = {
    "total differs": "totals",
    "total refused": "totals",
    "doubled": "doubled",
    "webhooks": "webhooks",
    "lost webhooks": "webhooks",
    "schedule": "schedules",
    "reconciliation": "reconciliation",
}


class Cause(NamedTuple):
    """One thing that is not as it should be."""

    #: Stays the same as long as it is the same thing; at most 200 characters.
    key: str
    topic: str
    sentence: str


def causes_of(db: Session, company: Company, now: datetime) -> list[Cause]:
    """The causes of a company that its setting `alerts.about` names, the gravest topics first."""
    settings = company_settings(db, company)
    about: frozenset[str] = settings["alerts.about"]
    found = [
        *_connector(db, company, settings, now),
        *_stopped(company, settings),
        *_failed(db, company),
        *_waiting(db, company, settings, now),
        *_in_doubt(db, company, settings, now),
        *_tasks(db, company, about),
    ]
    return [cause for cause in found if cause.topic in about]


def _connector(db: Session, company: Company, settings: Settings, now: datetime) -> Iterator[Cause]:
    intervals: int = settings["alerts.connector_intervals"]
    called_at = last_call(db, company)
    # One that never came is still being set up, and `qbwoo check` says so.
    if (
        not intervals
        or called_at is None
        or now - called_at <= timedelta(minutes=intervals * settings["qwc.minutes"])
    ):
        return
    session = newest_session(db, company.id)
    at_work: Exchange | None = outstanding_exchange(db, session.id) if session is not None else None
    busy = (
        f" The message set that it took at {_clock(at_work.sent_at, settings)} has no answer yet: QuickBooks may still be at "
        "work on it, or a window waits for a click."
        if at_work is not None
        else ""
    )
    yield Cause(
        "connector",
        "connector",
        f"The Web Connector of company {company.name} has not come since {_clock(called_at, settings)}. Nothing reaches "
        f"QuickBooks until it does.{busy} Look at its computer: that it runs, that somebody is logged in, that the Web "
        "Connector is open with Auto-Run on, and what its log says.",
    )


def _stopped(company: Company, settings: Settings) -> Iterator[Cause]:
    if settings["documents.stopped"]:
        yield Cause(
            "stopped",
            "stopped",
            f"Company {company.name} sends no documents: they are stopped. When the cause is mended (see: qbwoo task list), "
            f"run: qbwoo company set {quoted(company.name)} documents.stopped false",
        )


def _failed(db: Session, company: Company) -> Iterator[Cause]:
    rows = failed(db, company.id, MOST_NAMED + 1)
    for row in rows[:MOST_NAMED]:
        sentence = row.sentence or f"{called(row)} failed. See: qbwoo activity show {row.id}"
        yield Cause(f"failed {row.id}", "failed", sentence)
    if len(rows) > MOST_NAMED:
        yield Cause(
            "failed more",
            "failed",
            f"More than {MOST_NAMED} activities of company {company.name} have failed. See: qbwoo activity list --state failed",
        )


def _waiting(db: Session, company: Company, settings: Settings, now: datetime) -> Iterator[Cause]:
    minutes: int = settings["alerts.waiting_minutes"]
    if not minutes:
        return
    for target, whom in ((QUICKBOOKS, "QuickBooks"), (SHOP, "the shop")):
        late = at_work_since(db, company.id, target, now - timedelta(minutes=minutes))
        if late:
            yield Cause(
                f"waiting {target}",
                "waiting",
                f"{_number(late)} for {whom} of company {company.name} {'has' if len(late) == 1 else 'have'} waited for more "
                f"than {minutes} minutes, the longest since {_clock(late[0].since, settings)}. See: qbwoo activity show "
                f"{late[0].activity_id}",
            )


def _in_doubt(db: Session, company: Company, settings: Settings, now: datetime) -> Iterator[Cause]:
    minutes: int = settings["alerts.doubt_minutes"]
    if not minutes:
        return
    late = in_doubt_since(db, company.id, now - timedelta(minutes=minutes))
    if late:
        yield Cause(
            "doubt",
            "doubt",
            f"{_number(late)} of company {company.name} {'is' if len(late) == 1 else 'are'} in doubt for more than {minutes} "
            "minutes: sent to QuickBooks, and not clearly answered. The next run of the Web Connector looks for them before "
            f"anything goes again. See: qbwoo activity show {late[0].activity_id}",
        )


def _tasks(db: Session, company: Company, about: frozenset[str]) -> Iterator[Cause]:
    query = select(OperatorTask).where(OperatorTask.company_id == company.id, OperatorTask.open)
    if "tasks" not in about:
        query = query.where(OperatorTask.kind.in_(TASK_TOPICS))
    rows = db.scalars(query.order_by(OperatorTask.id).limit(MOST_NAMED + 1)).all()
    for task in rows[:MOST_NAMED]:
        key = f"task {task.kind} {task.subject}"[:200]
        yield Cause(key, TASK_TOPICS.get(task.kind, "tasks"), task.sentence)
    if len(rows) > MOST_NAMED:
        yield Cause(
            "tasks more",
            "tasks",
            f"Company {company.name} has more than {MOST_NAMED} open tasks. See: qbwoo task list",
        )


def _number(late: Sequence[Overdue]) -> str:
    if len(late) >= MOST_LOOKED_AT:
        return f"{MOST_LOOKED_AT} activities or more"
    return "An activity" if len(late) == 1 else f"{len(late)} activities"


def _clock(moment: datetime, settings: Settings) -> str:
    zone = settings["alerts.time_zone"]
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}" if zone else f"{moment:%Y-%m-%d %H:%M} UTC"
