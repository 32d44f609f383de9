"""Documents of ours that were undone in QuickBooks, and nothing here knows of it.

Somebody reversed a receipt or deleted a sales order at the till, or it was
undone from here before a backup was put back. Look-back reads what was written
since, and so a receipt that reverses; what it says of an order that counts as
sent is held against it, and a person is told. A sales order that is deleted
leaves no trace: it is missed when a receipt names it, and all are read again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from qbwc_service.flavours.spelling import FoundDocument
from qbwc_service.kinds import DOCUMENTS, KINDS
from qbwc_service.marks import read_mark
from qbwc_service.run import Run
from queue_store.activities import REVERSED, SALE, WEB_ORDER, called, note
from queue_store.books import (
    SALES_ORDER,
    documents_with_marks,
    live_documents,
    missing_web_orders,
    retire_orders,
)
from queue_store.drain import in_books
from queue_store.models import Activity, BookDocument
from queue_store.returns import follow_sale
from queue_store.tasks import raise_task
from queue_store.undo import confirm_undo, order_undo
from queue_store.undo_plan import REVERSIBLE, plan_undo
from queue_store.undoings import being_undone

#: Who says of a sales order that it was deleted.
_WHO = "QuickBooks"


def suspects(run: Run, documents: Iterable[FoundDocument]) -> set[str]:
    """Record marks of receipts that were reversed or may reverse, and of sales orders of a later generation."""
    later_orders = {
        one.mark.record_mark
        for one in documents
        if one.mark is not None and one.type == SALES_ORDER and one.mark.generation > 1
    }
    return later_orders | {
        one.mark.record_mark
        for one in documents
        if one.mark is not None
        and one.type in ("Sales", "Return")
        and (not one.live or (one.total is not None and (one.total < 0) != _is_negative(run, one.type)))
    }


def _is_negative(run: Run, receipt_type: str) -> bool:
    return receipt_type == "Return" and bool(run.settings["returns.signs"] == "negative")


def tell_of_reversed(run: Run, marks: Collection[str]) -> None:
    """Tell of each sale and return with one of these marks that counts as in the books and was reversed there.

    Called after the last page of a look-back, when all that it read is stored.
    """
    if not marks:
        return
    stores = {run.head(store_id): store_id for store_id in run.stores}
    read = [mark for text in marks if (mark := read_mark(f"{text}/1")) and mark.head in stores]
    activities = [
        one
        for one in in_books(
            run.db,
            run.company.id,
            store_ids=stores.values(),
            kinds=[kind for kind in DOCUMENTS if kind in REVERSIBLE],
            record_ids={mark.record_id for mark in read},
        )
        if run.mark(one.store_id, one.record_id, one.generation).record_mark in marks
    ]
    undoing = being_undone(run.db, run.company.id, activities)
    documents = documents_with_marks(run.db, run.company.id, marks)
    for one in activities:
        mark = run.mark(one.store_id, one.record_id, one.generation)
        own = [
            document
            for document in documents.get((KINDS[one.kind].document_type, mark.record_mark), ())
            if document.generation == one.generation
        ]
        if one.id not in undoing and _is_reversed(one, own):
            _tell(run, one)


def _is_reversed(activity: Activity, documents: Sequence[BookDocument]) -> bool:
    """True if the receipt that the activity is bound to was reversed, as these of its mark show.

    Not every Point of Sale marks what was reversed: there the receipt that reverses, with the opposite total, tells.
    """
    if any(one.txn_id == activity.txn_id and not one.live for one in documents):
        return True
    if not activity.total:
        return False
    others = [one for one in documents if one.txn_id != activity.txn_id]
    opposite = sum(one.total == -activity.total for one in others)
    # A receipt that was there twice, of which the other one was reversed, as it should be.
    doubles = sum(one.total == activity.total for one in others)
    return opposite > doubles


def _tell(run: Run, activity: Activity) -> None:
    number = activity.txn_number or activity.txn_id
    sentence = (
        f"{called(activity)} was sent as receipt {number}, which was reversed in QuickBooks since: nothing here knows "
        f"why. If nothing is to take its place, run: qbwoo activity undo {activity.id} --done; to send it anew: "
        f"qbwoo activity undo {activity.id} --done --again"
    )
    if activity.sentence == sentence:
        return
    activity.sentence, activity.reason = sentence, REVERSED
    note(run.db, activity.id, activity.state, activity.state, sentence)
    raise_task(
        run.db,
        company_id=run.company.id,
        kind="undo",
        subject=str(activity.id),
        sentence=sentence,
        activity_id=activity.id,
    )
    if activity.kind == SALE:
        run.db.flush()
        follow_sale(run.db, activity)


def take_note_of_deleted(run: Run, store_ids: Collection[int]) -> None:
    """Web orders of these stores whose sales order was missed, and not found when all of them were read again.

    A person deleted them by hand: that is what is noted, as if he had said so.
    """
    for one in missing_web_orders(run.db, run.company.id, store_ids) if store_ids else ():
        mark = str(run.mark(one.store_id, one.record_id, one.generation))
        plan = plan_undo(run.db, one, mark, again=False, done=True)
        if plan.hindrances:
            continue
        confirm_undo(run.db, order_undo(run.db, plan, mark, _WHO), _WHO)
        sentence = f"Sales order {plan.number} is not in QuickBooks any more: somebody deleted it there. "
        sentence += "Its receipt goes without it."
        one.sentence = sentence
        note(run.db, one.id, one.state, one.state, sentence)
    run.db.flush()


def bind_later_orders(run: Run, marks: Collection[str]) -> None:
    """Web orders that were undone and sent anew before a backup was put back, which knows of the first one only.

    A sales order of a later generation is there only if the one before was deleted.
    """
    stores = {run.head(store_id): store_id for store_id in run.stores}
    read = [mark for text in marks if (mark := read_mark(f"{text}/1")) and mark.head in stores]
    orders = in_books(
        run.db,
        run.company.id,
        store_ids=stores.values(),
        kinds=[WEB_ORDER],
        record_ids={mark.record_id for mark in read},
    )
    undoing = being_undone(run.db, run.company.id, orders)
    documents = live_documents(
        run.db,
        run.company.id,
        {(SALES_ORDER, run.mark(one.store_id, one.record_id, 1).record_mark) for one in orders},
    )
    for one in orders:
        record_mark = run.mark(one.store_id, one.record_id, 1).record_mark
        found = documents.get((SALES_ORDER, record_mark), [])
        later = [document for document in found if document.generation > one.generation]
        if not later or one.id in undoing:
            continue
        before, newest = one.txn_number or one.txn_id, max(later, key=lambda document: document.generation)
        retire_orders(run.db, run.company.id, [one.txn_id or ""])
        one.txn_id, one.txn_number, one.total = newest.txn_id, newest.number, newest.total
        one.generation = newest.generation
        note(
            run.db,
            one.id,
            one.state,
            one.state,
            f"found in QuickBooks as {newest.number}: {before} was undone",
        )
    run.db.flush()
