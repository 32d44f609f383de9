"""A web order is deleted once, and only while nothing was taken from it: QuickBooks is asked first.

It is read by its id, as it stands, and so are the receipts that name it.
Nothing was taken if no line has pieces sold, nothing of it is filled, no
deposit lies on it, and no receipt that counts names it. The last is asked
besides, because it is not known whether every Point of Sale notes a deposit on
the order. A sales order that QuickBooks does not have any more is deleted,
whoever did it: so a lost answer is settled, and the request goes again only
where the order is still there.

Source: protocol reference 5.4 (fields without value are left out), 5.5, 5.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from qbwc_service.run import Run
from qbwc_service.undo_outcomes import succeed, undoing_by_mark
from qbxml.records import Record
from queue_store.activities import called
from queue_store.books import undone_among
from queue_store.catalogue import AnsweredLookup
from queue_store.models import Activity
from queue_store.payloads import Undoing
from queue_store.undo_plan import DELETION, receipt_over

_NOTHING = Decimal(0)
#: Of an order of which no piece was sold.
_UNFILLED = Decimal(100)


def take_order(run: Run, key: str, records: Sequence[Record], *, is_late: bool) -> AnsweredLookup:
    """What QuickBooks says of a sales order; its deletion is settled at once where it is not there."""
    txn_id, _, mark = key.partition(" ")
    order = next((one for one in records if one.text("TxnID") == txn_id), None)
    if order is not None:
        return AnsweredLookup(1, _taken_from(order))
    deletion = None if is_late else undoing_by_mark(run, DELETION, mark)
    if deletion is not None:
        sent = "QuickBooks does not have the sales order any more"
        succeed(run, deletion, txn_id, sent if deletion.attempts else f"{sent}: somebody deleted it there")
    return AnsweredLookup(0)


def take_receipts(run: Run, records: Sequence[Record]) -> AnsweredLookup:
    """The receipts that name a sales order: none may count."""
    found = [run.spelling.read_document(one) for one in records]
    undone = undone_among(run.db, run.company.id, {one.txn_id for one in found})
    live = [one.number or one.txn_id for one in found if one.live and one.txn_id not in undone]
    if not live:
        return AnsweredLookup(len(found))
    return AnsweredLookup(len(found), f"receipt {' and '.join(live)} was made from it in QuickBooks")


def _taken_from(order: Record) -> str:
    lines = order.children("SalesOrderItemRet")
    sold = sum((line.decimal("QtySold") or _NOTHING for line in lines), _NOTHING)
    unfilled = order.decimal("UnfilledPercent")
    deposit = order.decimal("DepositBalance") or _NOTHING
    if sold or any(line.decimal("QtySold") for line in lines):
        of_it = "piece of it was" if sold == 1 else "pieces of it were"
        return f"{sold.normalize():f} {of_it} sold in QuickBooks already"
    if unfilled is not None and unfilled != _UNFILLED and any(line.decimal("Qty") for line in lines):
        return f"{(_UNFILLED - unfilled).normalize():f} % of it is filled in QuickBooks already"
    if deposit:
        return f"a deposit of {deposit:,.2f} lies on it in QuickBooks"
    if unfilled is None and not lines:
        return "QuickBooks does not say whether anything was taken from it"
    return ""


def hindrance(run: Run, what: Undoing) -> str:
    """A receipt that fulfils the order, since the undo was ordered."""
    original = run.db.get(Activity, what.activity_id)
    sale = None if original is None else receipt_over(run.db, original)
    if sale is None:
        return ""
    return f"{called(sale)} went as a receipt meanwhile, which fulfils it"


def refusal(deletion: Any, why: str, what: Undoing) -> str:
    """The sentence for one that was not done."""
    return (
        f"{deletion.reference} was not done: {why.rstrip('.')}. The sales order stands. If it is to go all the same, "
        f"delete it in QuickBooks, then run: qbwoo activity undo {what.activity_id} --done"
    )
