"""When each schedule is due, from its row, its store's settings and the shop's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from queue_store.models import Schedule, Store
from queue_store.settings import Settings, store_settings
from queue_store.timetable import Timetable, retry_at
from woo_bridge.job import Job
from woo_bridge.shop_clock import shop_zone

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule as people see it."""

    schedule: Schedule
    store: Store
    job: Job
    timetable: Timetable
    #: Why it does not run, in a sentence; "": it does.
    idle: str


def planned(
    db: Session, row: Schedule, store: Store, job: Job, zones: dict[int, tzinfo] | None = None
) -> Planned:
    """A schedule under the settings of now.

    `zones` keeps what was found out of each store's clock, where many are asked for.
    """
    settings = store_settings(db, store)
    timetable = _timetable(db, store, settings, job, {} if zones is None else zones)
    idle = job.idle(store)
    if not idle and not timetable.minutes and timetable.hour is None:
        idle = "Switched off by its setting."
    return Planned(row, store, job, timetable, idle)


def _timetable(
    db: Session, store: Store, settings: Settings, job: Job, zones: dict[int, tzinfo]
) -> Timetable:
    when = job.when(db, store, settings)
    quiet = settings["catch_up.quiet"]
    if store.id not in zones and (quiet or when.hour is not None):
        zones[store.id] = shop_zone(db, store, settings)
    return Timetable(
        minutes=when.minutes,
        hour=when.hour,
        quiet=quiet,
        zone=zones.get(store.id, UTC),
        at_once=job.at_once,
    )


def due_at(one: Planned, now: datetime) -> datetime | None:
    """When it is due, perhaps in the past; None: not by itself."""
    row, timetable = one.schedule, one.timetable
    if one.idle:
        return None
    if row.next_at is None and one.job.at_once:
        # The store went live (again), or the setting was off: what was missed meanwhile is read at once.
        return timetable.after_quiet(now)
    if row.running_since is not None:
        # Between two pieces.
        due: datetime | None = row.next_at or now
    elif row.wanted_at is not None:
        due = row.wanted_at
    elif row.failures and row.finished_at is not None:
        due = retry_at(row.finished_at, row.failures)
    else:
        due = timetable.next_run(known_since=row.created_at, began_at=row.began_at)
    if due is None:
        return None
    soonest = max(due, now)
    quiet_until = timetable.after_quiet(soonest)
    return due if quiet_until == soonest else quiet_until
