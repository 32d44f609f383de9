"""Reconciliations: what was asked for, the receipts of its period as read, and the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import CALLED_OFF, SALE
from queue_store.models import AcceptedDifference, Activity, PeriodReceipt, Reconciliation, Store
from queue_store.upsert import upsert

#: Waits for the Web Connector; was read; is compared; cannot be had.
ASKED, READ, DONE, FAILED = "asked", "read", "done", "failed"

#: Receipts are read so many days beyond the period: a document may be dated a little off.
MARGIN = timedelta(days=3)


def ask(
    db: Session, store: Store, since: date, until: date, *, who: str, daily: bool = False
) -> Reconciliation:
    """Put a request into the queue, or give the one for the same period that waits already."""
    known = db.scalars(
        select(Reconciliation).where(
            Reconciliation.company_id == store.company_id,
            Reconciliation.store_id == store.id,
            Reconciliation.state.in_((ASKED, READ)),
            Reconciliation.since == since.isoformat(),
            Reconciliation.until == until.isoformat(),
        )
    ).first()
    if known is not None:
        return known
    made = Reconciliation(
        company_id=store.company_id,
        store_id=store.id,
        since=since.isoformat(),
        until=until.isoformat(),
        state=ASKED,
        asked_by=who,
        daily=daily,
        window_from=(since - MARGIN).isoformat(),
    )
    db.add(made)
    db.flush()
    return made


def next_asked(db: Session, company_id: int, session_id: int = 0) -> Reconciliation | None:
    """The oldest that waits for the Web Connector, but for those given up in this session."""
    return db.scalars(
        select(Reconciliation)
        .where(
            Reconciliation.company_id == company_id,
            Reconciliation.state == ASKED,
            func.coalesce(Reconciliation.given_up_in, -1) != session_id,
        )
        .order_by(Reconciliation.id)
        .limit(1)
    ).first()


def next_read(db: Session) -> Reconciliation | None:
    """The oldest of any company whose receipts were read and that is still to be compared."""
    return db.scalars(
        select(Reconciliation).where(Reconciliation.state == READ).order_by(Reconciliation.id).limit(1)
    ).first()


def last_done(db: Session, store: Store, period: tuple[date, date] | None = None) -> Reconciliation | None:
    """The newest report of a store, of that very period where one is named."""
    query = select(Reconciliation).where(
        Reconciliation.company_id == store.company_id,
        Reconciliation.store_id == store.id,
        Reconciliation.state == DONE,
    )
    if period is not None:
        query = query.where(
            Reconciliation.since == period[0].isoformat(), Reconciliation.until == period[1].isoformat()
        )
    return db.scalars(query.order_by(Reconciliation.id.desc()).limit(1)).first()


def keep_receipts(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """What was read; `rows` have the columns of PeriodReceipt."""
    upsert(db, PeriodReceipt, rows, ("reconciliation_id", "txn_id"))


def receipts_of(db: Session, reconciliation_id: int) -> Sequence[PeriodReceipt]:
    return db.scalars(
        select(PeriodReceipt)
        .where(PeriodReceipt.reconciliation_id == reconciliation_id)
        .order_by(PeriodReceipt.record_mark, PeriodReceipt.txn_id)
    ).all()


def finish(db: Session, reconciliation: Reconciliation, report: bytes) -> bool:
    """Keep the report, and drop the receipts; False if somebody else did so meanwhile."""
    now = datetime.now(UTC)
    done = db.execute(
        update(Reconciliation)
        .where(Reconciliation.id == reconciliation.id, Reconciliation.state == READ)
        .values(state=DONE, report=report, finished_at=now)
        .returning(Reconciliation.id)
        .execution_options(synchronize_session=False)
    ).first()
    if done is None:
        return False
    db.execute(delete(PeriodReceipt).where(PeriodReceipt.reconciliation_id == reconciliation.id))
    db.refresh(reconciliation)
    return True


def accept(db: Session, store: Store, record: str, facts: str, *, who: str, note: str) -> None:
    """A record stays as it is: it alarms no more while its `facts` are the same."""
    row = {
        "store_id": store.id,
        "record": record,
        "facts": facts,
        "who": who,
        "note": note,
        "at": datetime.now(UTC),
    }
    upsert(db, AcceptedDifference, [row], ("store_id", "record"))


def forget_accepted(db: Session, store: Store, record: str) -> bool:
    """It alarms again; False if it had not been accepted."""
    gone = db.execute(
        delete(AcceptedDifference)
        .where(AcceptedDifference.store_id == store.id, AcceptedDifference.record == record)
        .returning(AcceptedDifference.record)
        .execution_options(synchronize_session=False)
    )
    return gone.first() is not None


def accepted_of(db: Session, store_id: int) -> dict[str, AcceptedDifference]:
    """By record."""
    found = db.scalars(select(AcceptedDifference).where(AcceptedDifference.store_id == store_id))
    return {one.record: one for one in found}


def documents_of_store(db: Session, store: Store, kinds: Sequence[str], since: date) -> Iterator[Activity]:
    """Activities whose document may be dated `since` or later, by record, the newest generation last."""
    earliest = datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(days=1)
    rows = db.scalars(
        select(Activity)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind.in_(kinds),
            Activity.reason != CALLED_OFF,
            # No day of a record is later than its last change.
            or_(Activity.modified_at.is_(None), Activity.modified_at >= earliest),
        )
        .order_by(Activity.kind, Activity.record_id, Activity.generation)
        .execution_options(yield_per=200)
    )
    yield from rows


def newest_order_of(db: Session, store: Store) -> bytes | None:
    """Payload of the order that came last: it tells the shop's own clock."""
    return db.scalars(
        select(Activity.payload)
        .where(
            Activity.company_id == store.company_id,
            Activity.store_id == store.id,
            Activity.kind == SALE,
            Activity.reason != "untranslatable",
        )
        .order_by(Activity.id.desc())
        .limit(1)
    ).first()
