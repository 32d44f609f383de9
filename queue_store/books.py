"""Documents in QuickBooks that carry a mark of ours, as look-back found them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from queue_store.models import BookDocument
from queue_store.upsert import upsert

# What look-back reads is written at once: there is nothing to write first.
_LIVE = (
    select(BookDocument)
    .where(
        BookDocument.company_id == bindparam("company_id"),
        BookDocument.record_mark.in_(bindparam("record_marks", expanding=True)),
        BookDocument.type == bindparam("type"),
        BookDocument.live,
        BookDocument.undone.is_(False),
    )
    .order_by(BookDocument.time_created, BookDocument.txn_id)
    .execution_options(autoflush=False)
)


def store_documents(db: Session, rows: Sequence[dict[str, Any]], *, unknown_only: bool = False) -> None:
    """Write what was read of receipts; `rows` have the columns of BookDocument."""
    upsert(db, BookDocument, rows, ("company_id", "txn_id"), replace=not unknown_only)


def store_undone(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Receipts that we reversed, and those that reverse them: live no more, whatever is read of them later."""
    upsert(db, BookDocument, rows, ("company_id", "txn_id"))


def of_generation(documents: Sequence[BookDocument], generation: int) -> list[BookDocument]:
    """Those that may be the document of this generation of their record: an earlier one was undone."""
    return [document for document in documents if document.generation >= generation]


def marks_of(db: Session, company_id: int, txn_ids: Collection[str]) -> set[str]:
    """Record marks of those of these documents that are live and carry a mark of ours."""
    return set(
        db.scalars(
            select(BookDocument.record_mark).where(
                BookDocument.company_id == company_id,
                BookDocument.txn_id.in_(txn_ids),
                BookDocument.live,
                BookDocument.undone.is_(False),
            )
        )
    )


def live_documents(
    db: Session, company_id: int, record_marks: Collection[str], *, type: str = "Sales"
) -> dict[str, list[BookDocument]]:
    """Live documents by record mark, the oldest first: neither reversed nor reversing."""
    found: dict[str, list[BookDocument]] = {}
    if not record_marks:
        return found
    values = {"company_id": company_id, "record_marks": list(record_marks), "type": type}
    for document in db.scalars(_LIVE, values):
        found.setdefault(document.record_mark, []).append(document)
    return found
