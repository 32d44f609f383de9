"""Schedules in the database: planned, claimed by compare-and-set, kept piece by piece."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from queue_store.errors import LostClaim
from queue_store.ids import new_id
from queue_store.models import Schedule, Store
from queue_store.upsert import upsert

#: Results of a run.
DONE, FAILED = "done", "failed"
#: A claim older than this belongs to a node that died: a piece takes seconds.
CLAIM_ENDS = timedelta(minutes=10)


def add_missing(db: Session, store: Store, names: Iterable[str], now: datetime) -> None:
    """A row for each name that the store has none of yet."""
    rows = [
        {
            "id": new_id(),
            "company_id": store.company_id,
            "store_id": store.id,
            "name": name,
            "claim": 0,
            "result": "",
            "sentence": "",
            "failures": 0,
            "place": "",
            "memory": "",
            "created_at": now,
        }
        for name in names
    ]
    upsert(db, Schedule, rows, ("company_id", "store_id", "name"), replace=False)


def list_schedules(db: Session, store_ids: Collection[int]) -> Sequence[Schedule]:
    """Those of these stores, by store and in the order in which they were made."""
    return db.scalars(
        select(Schedule).where(Schedule.store_id.in_(store_ids)).order_by(Schedule.store_id, Schedule.id)
    ).all()


def find_schedule(db: Session, store: Store, name: str) -> Schedule | None:
    return db.scalars(
        select(Schedule).where(
            Schedule.company_id == store.company_id, Schedule.store_id == store.id, Schedule.name == name
        )
    ).first()


def next_due(
    db: Session,
    names: Collection[str],
    now: datetime,
    *,
    store_id: int = 0,
    but_stores: Collection[int] = (),
) -> Schedule | None:
    """The one of these names that is due longest and that nobody is at; of one store, or of all but these."""
    query = (
        select(Schedule)
        .where(Schedule.next_at <= now, Schedule.name.in_(names), _is_free(now))
        .where(Schedule.store_id.not_in(but_stores))
        .order_by(Schedule.next_at, Schedule.id)
        .limit(1)
    )
    return db.scalars(query.where(Schedule.store_id == store_id) if store_id else query).first()


def stores_due(
    db: Session, names: Collection[str], now: datetime, *, but_stores: Collection[int] = ()
) -> list[int]:
    """The stores of which `next_due` would find one."""
    return list(
        db.scalars(
            select(Schedule.store_id)
            .where(Schedule.next_at <= now, Schedule.name.in_(names), _is_free(now))
            .where(Schedule.store_id.not_in(but_stores))
            .distinct()
            .order_by(Schedule.store_id)
        )
    )


def claim(db: Session, schedule: Schedule, now: datetime) -> int | None:
    """Take it for one node, until `CLAIM_ENDS`; the number of the claim, None if another node was first.

    A run that was begun goes on where its last piece was kept.
    """
    begins: dict[str, Any] = {}
    if schedule.running_since is None:
        begins = {"running_since": now, "began_at": now}
    return db.scalars(
        update(Schedule)
        .where(Schedule.id == schedule.id, Schedule.claim == schedule.claim, _is_free(now))
        .values(claim=Schedule.claim + 1, claimed_until=now + CLAIM_ENDS, **begins)
        .returning(Schedule.claim)
        .execution_options(synchronize_session=False)
    ).first()


def keep_piece(db: Session, schedule_id: int, claimed: int, name: str, **values: Any) -> None:
    """Write what a piece came to, if it is still the claim's. Raises LostClaim: then nothing may be committed."""
    kept = db.execute(
        update(Schedule)
        .where(Schedule.id == schedule_id, Schedule.claim == claimed)
        .values(**values)
        .returning(Schedule.id)
        .execution_options(synchronize_session=False)
    ).first()
    if kept is None:
        raise LostClaim(name)


def plan(db: Session, schedule: Schedule, next_at: datetime | None) -> None:
    """Say when it is due, unless somebody claimed it meanwhile."""
    db.execute(
        update(Schedule)
        .where(Schedule.id == schedule.id, Schedule.claim == schedule.claim)
        .values(next_at=next_at)
        .execution_options(synchronize_session=False)
    )


def hurry(db: Session, store_id: int, names: Collection[str], now: datetime) -> None:
    """Have these of a store run now, once more if they are running; those that never run by themselves stay so."""
    db.execute(
        update(Schedule)
        .where(Schedule.store_id == store_id, Schedule.name.in_(names), Schedule.next_at.is_not(None))
        .values(wanted_at=now, next_at=now, failures=0)
        .execution_options(synchronize_session=False)
    )


def _is_free(now: datetime) -> Any:
    return or_(Schedule.claimed_until.is_(None), Schedule.claimed_until < now)
