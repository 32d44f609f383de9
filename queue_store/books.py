"""Documents in QuickBooks that carry a mark of ours, as look-back found them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from queue_store.activities import WEB_ORDER
from queue_store.models import Activity, BookDocument
from queue_store.prebuilt import Prebuilt
from queue_store.states import ActivityState
from queue_store.upsert import upsert

#: A kind of document and the record mark that it bears: a sale and a web order bear one mark.
Identity = tuple[str, str]
#: A row of `live_documents`: txn_id, record_mark, generation, type, number, total.
LiveDocument: TypeAlias = Any
#: The type of a web order; receipts bear their SalesReceiptType.
SALES_ORDER = "SalesOrder"

_LIVE = Prebuilt(
    select(
        BookDocument.txn_id,
        BookDocument.record_mark,
        BookDocument.generation,
        BookDocument.type,
        BookDocument.number,
        BookDocument.total,
    )
    .where(
        BookDocument.company_id == bindparam("company_id"),
        BookDocument.record_mark.in_(bindparam("record_marks", expanding=True)),
        BookDocument.live,
        BookDocument.undone.is_(False),
    )
    .order_by(BookDocument.time_created, BookDocument.txn_id)
)


def store_documents(db: Session, rows: Sequence[dict[str, Any]], *, unknown_only: bool = False) -> None:
    """Write what was read of receipts; `rows` have the columns of BookDocument."""
    upsert(db, BookDocument, rows, ("company_id", "txn_id"), replace=not unknown_only)


def store_undone(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Documents that we undid, and receipts that reverse: live no more, whatever is read of them later."""
    upsert(db, BookDocument, rows, ("company_id", "txn_id"))


def undone_among(db: Session, company_id: int, txn_ids: Collection[str]) -> set[str]:
    """Those of these receipts that we reversed, or that reverse, whatever QuickBooks shows of them."""
    return set(
        db.scalars(
            select(BookDocument.txn_id).where(BookDocument.company_id == company_id, BookDocument.undone)
        )
    ).intersection(txn_ids)


def of_generation(documents: Sequence[LiveDocument], generation: int) -> list[LiveDocument]:
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
    db: Session, company_id: int, identities: Collection[Identity]
) -> dict[Identity, list[LiveDocument]]:
    """Live documents by (type, record mark), the oldest first: neither reversed nor reversing.

    Where QuickBooks does not mark what was reversed, two of one generation with opposite totals are such a pair.
    """
    found: dict[Identity, list[LiveDocument]] = {}
    if not identities:
        return found
    values = {
        "company_id": company_id,
        "record_marks": list({record_mark for _, record_mark in identities}),
    }
    for document in _LIVE.rows(db, values):
        identity = (document.type, document.record_mark)
        if identity in identities:
            found.setdefault(identity, []).append(document)
    return {identity: _without_pairs(documents) for identity, documents in found.items()}


def _without_pairs(documents: Sequence[LiveDocument]) -> list[LiveDocument]:
    kept: list[LiveDocument] = []
    for document in documents:
        original = next(
            (
                one
                for one in kept
                if document.total and one.total == -document.total and one.generation == document.generation
            ),
            None,
        )
        if original is None:
            kept.append(document)
        else:
            kept.remove(original)
    return kept


def documents_with_marks(
    db: Session, company_id: int, record_marks: Collection[str]
) -> dict[Identity, list[BookDocument]]:
    """All documents by (type, record mark), also those that are not live; none that was undone from here."""
    found: dict[Identity, list[BookDocument]] = {}
    for document in db.scalars(
        select(BookDocument)
        .where(
            BookDocument.company_id == company_id,
            BookDocument.record_mark.in_(record_marks),
            BookDocument.undone.is_(False),
        )
        .order_by(BookDocument.txn_id)
    ):
        found.setdefault((document.type, document.record_mark), []).append(document)
    return found


def retire_orders(db: Session, company_id: int, txn_ids: Collection[str]) -> bool:
    """Those of these ids that are web orders count as gone until look-back reads them again; True if any was."""
    retired = db.execute(
        update(BookDocument)
        .where(
            BookDocument.company_id == company_id,
            BookDocument.txn_id.in_(txn_ids),
            BookDocument.type == SALES_ORDER,
        )
        .values(live=False)
        .returning(BookDocument.txn_id)
        .execution_options(synchronize_session=False)
    )
    return retired.first() is not None


def missing_web_orders(db: Session, company_id: int, store_ids: Collection[int]) -> Sequence[Activity]:
    """Web orders of these stores that count as in QuickBooks, and whose sales order is retired; locked."""
    return db.scalars(
        select(Activity)
        .join(
            BookDocument,
            and_(BookDocument.company_id == Activity.company_id, BookDocument.txn_id == Activity.txn_id),
        )
        .where(
            Activity.company_id == company_id,
            Activity.store_id.in_(store_ids),
            Activity.kind == WEB_ORDER,
            Activity.state == ActivityState.SUCCEEDED,
            BookDocument.type == SALES_ORDER,
            BookDocument.live.is_(False),
            BookDocument.undone.is_(False),
        )
        .order_by(Activity.id)
        .with_for_update(of=Activity)
    ).all()
