"""Erasing a person: everything that tells who it was goes, what the books and the never-doubling need stays.

In three steps, so that nothing slips in between: what is open is found out; the
erasure is remembered, after which the shop's bodies come in without the person;
then every table is gone through, in small transactions. A run that is cut off
is begun again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from queue_store.activities import called
from queue_store.database import Database
from queue_store.erasures import OVER, email_digest, emails_in
from queue_store.ids import new_id
from queue_store.models import Activity, Attempt, Company, Erasure, ErasureRest, Exchange
from queue_store.person import Person, find_activities, find_person
from queue_store.person_rows import Found, read_again, rows_of
from queue_store.states import ActivityState, ExchangeState

#: Rows that one transaction changes: a webhook waits for it.
_PER_COMMIT = 10
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Left:
    """An activity that is not over yet, and so keeps its person for now."""

    activity_id: int
    company_id: int
    #: What it is called, where it stands, and what ends it.
    sentence: str


@dataclass(slots=True)
class Erased:
    """What an erasure came to."""

    #: Rows, by table.
    rows: Counter[str] = field(default_factory=Counter)
    left: list[Left] = field(default_factory=list)
    #: QuickBooks' customers that stay there: (company, ListID).
    customers: set[tuple[int, str]] = field(default_factory=set)


def look_for(database: Database, email: str) -> tuple[Person, Erased]:
    """What `erase` would do. Writes nothing."""
    person = find_person(database, email)
    with database.read() as db:
        left = _open_ones(db, person.activity_ids)
    open_ids = {one.activity_id for one in left}
    rows = Counter(found.table.name for found in rows_of(database, person, open_ids))
    return person, Erased(rows, left, person.customers)


def erase(database: Database, email: str, *, who: str, now: datetime, asked: bool = True) -> Erased:
    """Erase the person of this address in every company; begun again, it goes on.

    `asked`: a person asks for it now, so that everything up to `now` is meant;
    else an earlier erasure is brought to its end.
    """
    person = find_person(database, email)

    def remember(db: Session) -> list[Left]:
        left = _open_ones(db, person.activity_ids)
        for company_id in db.scalars(select(Company.id).order_by(Company.id)).all():
            _remember(
                db, company_id, email, who, now, [one for one in left if one.company_id == company_id], asked
            )
        return left

    left = database.write_again(remember)
    # What came in while the first look went on.
    find_activities(database, person)
    left = database.write_again(remember)
    open_ids = {one.activity_id for one in left}
    erased = Erased(left=left, customers=person.customers)
    piece: list[Found] = []
    for found in rows_of(database, person, open_ids):
        piece.append(found)
        if len(piece) == _PER_COMMIT:
            erased.rows += _change(database, piece, person, open_ids)
            piece = []
    erased.rows += _change(database, piece, person, open_ids)
    database.write_again(lambda db: _finish(db, email, now))
    _leave_no_copy(database)
    return erased


def finish_erasures(database: Database, now: datetime) -> tuple[int, int]:
    """Erase what was open when its person was erased and is over now: activities that were left, and still are."""
    with database.read() as db:
        rows = db.execute(
            select(ErasureRest.activity_id, Erasure.id, Erasure.company_id, Erasure.digest)
            .join(Erasure, Erasure.id == ErasureRest.erasure_id)
            .order_by(ErasureRest.activity_id)
        ).all()
    before, done = len(rows), set()
    for row in rows:
        with database.read() as db:
            activity = db.get(Activity, row.activity_id)
            if activity is None or row.activity_id in done or _open_ones(db, [row.activity_id]):
                continue
            contents = [activity.payload, activity.newer_payload or b""]
        emails = {email for content in contents for email in emails_in(content)}
        email = next((one for one in sorted(emails) if email_digest(row.company_id, one) == row.digest), None)
        if email is not None:
            erase(database, email, who="", now=now, asked=False)
            done |= {one.activity_id for one in rows if one.digest == row.digest}
            continue
        # The shop told of it without the person since.
        database.write_again(partial(_forget_rest, row.id, row.activity_id, now))
    with database.read() as db:
        after = len(db.scalars(select(ErasureRest.activity_id)).all())
    return before - after, after


def _open_ones(db: Session, activity_ids: Collection[int]) -> list[Left]:
    left = []
    ordered = sorted(activity_ids)
    for start in range(0, len(ordered), _IDS_AT_ONCE):
        piece = ordered[start : start + _IDS_AT_ONCE]
        unsettled = set(
            db.scalars(
                select(Attempt.activity_id)
                .join(Exchange, Exchange.id == Attempt.exchange_id)
                .where(Attempt.activity_id.in_(piece), Exchange.state == ExchangeState.OUTSTANDING)
            )
        )
        rows = db.execute(
            select(
                *(Activity.id, Activity.company_id, Activity.kind, Activity.state, Activity.reason),
                *(Activity.reference, Activity.record_id),
            )
            .where(Activity.id.in_(piece))
            .order_by(Activity.id)
        )
        for row in rows:
            why = _why_open(row, row.id in unsettled)
            if why:
                left.append(Left(row.id, row.company_id, f"{called(row)} {why}"))
    return left


def _why_open(row: Any, is_unsettled: bool) -> str:
    """Where an activity stands that is not over, and what ends it; "": it is over."""
    state, reason, number = ActivityState(row.state), row.reason, row.id
    if is_unsettled or state is ActivityState.SENT:
        return "was sent and is not answered yet: the next run of the Web Connector settles it."
    if state in OVER or (state is ActivityState.HELD and reason == "before since"):
        # Of a day before the store went live: it never goes by itself, and pushed it is read again.
        return ""
    if state is ActivityState.IN_DOUBT:
        return "is in doubt: QuickBooks is asked for it in the next run of the Web Connector."
    if state is ActivityState.FAILED:
        return f"has failed: retry it, or end it: qbwoo activity cancel {number}"
    if state is ActivityState.HELD:
        return f"is held: release it, or end it: qbwoo activity cancel {number}"
    return f"has still to go to QuickBooks; to end it instead: qbwoo activity cancel {number}"


def _remember(
    db: Session, company_id: int, email: str, who: str, now: datetime, left: Sequence[Left], asked: bool
) -> None:
    digest = email_digest(company_id, email)
    erasure = db.scalars(
        select(Erasure).where(Erasure.company_id == company_id, Erasure.digest == digest).with_for_update()
    ).first()
    if erasure is None:
        if not asked:
            return
        erasure = Erasure(id=new_id(), company_id=company_id, digest=digest, asked_by=who, asked_at=now)
        db.add(erasure)
        db.flush()
    elif asked:
        erasure.asked_at, erasure.asked_by, erasure.returned_at = now, who, None
    db.execute(
        delete(ErasureRest)
        .where(ErasureRest.erasure_id == erasure.id)
        .execution_options(synchronize_session=False)
    )
    db.add_all(ErasureRest(erasure_id=erasure.id, activity_id=one.activity_id) for one in left)
    erasure.finished_at = None
    db.flush()


def _finish(db: Session, email: str, now: datetime) -> None:
    for company_id in db.scalars(select(Company.id)).all():
        _finish_one(db, Erasure.digest == email_digest(company_id, email), now)


def _finish_one(db: Session, which: ColumnElement[bool], now: datetime) -> None:
    db.execute(
        update(Erasure)
        .where(
            which,
            Erasure.finished_at.is_(None),
            Erasure.id.not_in(select(ErasureRest.erasure_id)),
        )
        .values(finished_at=now)
        .execution_options(synchronize_session=False)
    )


def _forget_rest(erasure_id: int, activity_id: int, now: datetime, db: Session) -> None:
    db.execute(
        delete(ErasureRest)
        .where(ErasureRest.erasure_id == erasure_id, ErasureRest.activity_id == activity_id)
        .execution_options(synchronize_session=False)
    )
    _finish_one(db, Erasure.id == erasure_id, now)


def _change(database: Database, piece: Sequence[Found], person: Person, open_ids: set[int]) -> Counter[str]:
    """Change these rows in one transaction, each as it is then."""

    def work(db: Session) -> Counter[str]:
        changed: Counter[str] = Counter()
        for one in piece:
            found = read_again(db, one, person, open_ids)
            if found is None:
                continue
            at = [found.table.c[name] == value for name, value in found.key.items()]
            if found.table.name == "activities" and _open_ones(db, [found.key["id"]]):
                # Revived meanwhile, it is open again.
                continue
            if found.changes is None:
                db.execute(found.table.delete().where(*at))
            else:
                db.execute(found.table.update().where(*at).values(**found.changes))
            changed[found.table.name] += 1
        return changed

    if not piece:
        return Counter()
    return database.write_in_turn(work)


def _leave_no_copy(database: Database) -> None:
    """SQLite's log of changes holds pages as they were: it is written back and cut to nothing."""
    if database.is_sqlite:
        with database.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
