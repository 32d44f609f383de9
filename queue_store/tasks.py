"""Tasks: what a person must look at or decide, once per cause."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from queue_store.models import Activity, OperatorTask

#: Kind of the task about a record that was changed or cancelled in the shop after its document was written.
CHANGED_AFTER_SENT = "changed after sent"
#: Kind of the task about a document that QuickBooks refused because its total is another one than was tendered.
REFUSED_TOTAL = "total refused"


def raise_task(
    db: Session, *, company_id: int, kind: str, subject: str, sentence: str, activity_id: int | None = None
) -> OperatorTask:
    """Open a task, or bring the sentence of the one about the same subject up to date."""
    task = db.scalars(
        select(OperatorTask).where(
            OperatorTask.company_id == company_id, OperatorTask.kind == kind, OperatorTask.subject == subject
        )
    ).first()
    if task is None:
        task = OperatorTask(
            company_id=company_id, kind=kind, subject=subject, sentence=sentence, activity_id=activity_id
        )
        db.add(task)
    else:
        task.sentence, task.open, task.updated_at = sentence, True, datetime.now(UTC)
    db.flush()
    return task


def close_tasks(db: Session, company_id: int, kind: str, *, subjects: Collection[str] | None = None) -> None:
    """What tasks of a kind were about is over: all of them, or those about `subjects`."""
    query = update(OperatorTask).where(
        OperatorTask.company_id == company_id, OperatorTask.kind == kind, OperatorTask.open
    )
    if subjects is not None:
        query = query.where(OperatorTask.subject.in_(subjects))
    closed = query.values(open=False, updated_at=datetime.now(UTC))
    db.execute(closed.execution_options(synchronize_session=False))


def sentence_of_task(db: Session, activity: Activity, kind: str) -> str:
    """What the task of a kind about an activity said last, open or not; "" where there was none."""
    query = select(OperatorTask.sentence).where(
        OperatorTask.company_id == activity.company_id,
        OperatorTask.kind == kind,
        OperatorTask.subject == str(activity.id),
    )
    return db.scalars(query).first() or ""


def open_tasks(db: Session, company_id: int | None = None) -> Sequence[OperatorTask]:
    """Newest first."""
    query = select(OperatorTask).where(OperatorTask.open).order_by(OperatorTask.id.desc())
    if company_id is not None:
        query = query.where(OperatorTask.company_id == company_id)
    return db.scalars(query).all()


def close_task(db: Session, *, company_id: int, kind: str, subject: str) -> bool:
    """Close the task about that subject, since what it told of is over; False if none was open."""
    closed = db.execute(
        update(OperatorTask)
        .where(
            OperatorTask.company_id == company_id,
            OperatorTask.kind == kind,
            OperatorTask.subject == subject,
            OperatorTask.open,
        )
        .values(open=False, updated_at=datetime.now(UTC))
        .returning(OperatorTask.id)
    ).first()
    return closed is not None
