"""What must hold of refunds and their returns when the storm is over."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import Activity
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.faults.books import live_receipts
from tests.faults.invariants import is_held, needs_of, newest
from tests.faults.scene import Scene

S = ActivityState


def broken_refunds(db: Session, scene: Scene, *, healed: bool) -> Iterator[str]:
    """Every refund in the books once, with its exact total, if its sale is there; none that is not the shop's."""
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    needs, shop = needs_of(db, activities), scene.shop
    sales, returns = newest(activities, "sale"), newest(activities, "return")
    told = {task.activity_id for task in open_tasks(db) if task.kind == "changed after sent"}
    unread = {
        one.record_id
        for one in db.scalars(select(Activity).where(Activity.target == "shop"))
        if one.state == S.FAILED and one.sentence
    }
    listed = {f"{order}-R{one['id']}" for order, refunds in shop.refunds.items() for one in refunds}
    written = {record_id: found for record_id, found in live_receipts(scene.pos).items() if "-R" in record_id}
    for record_id in {*listed, *returns, *written}:
        one, found, name = returns.get(record_id), written.get(record_id, []), f"refund {record_id}"
        if one is None and scene.restored and record_id not in listed:
            # The shop has it no more, and the backup never had it: a reconciliation tells of its return.
            continue
        if one is None and not healed and record_id.partition("-")[0] in unread:
            # The shop did not answer when it was asked for it: that is told, and can be retried.
            continue
        if one is None:
            yield f"{name} has no activity, and {len(found)} returns"
            continue
        if not healed and one.state == S.SUCCEEDED and one.txn_id in scene.pos.reversals():
            # Undone before a backup was put back: a person is told, which `broken_undos` sees to.
            continue
        if len(found) > 1 or bool(found) != (one.state == S.SUCCEEDED):
            yield f"{name} is {one.state} ({one.sentence}) and has {len(found)} returns"
            continue
        if found:
            amount, receipt = shop.amounts[int(record_id.partition("-R")[2])] * scene.sign, found[0].document
            if (receipt.type, receipt.total, receipt.txn_id) != ("Return", amount, one.txn_id):
                yield f"{name} of {amount} is in the books as {receipt.type} of {receipt.total}"
            if record_id not in listed and one.id not in told and one.txn_id not in scene.to_undo:
                yield f"{name} was deleted after it was sent, and nobody is told"
            if sales[one.order_id].state != S.SUCCEEDED:
                yield f"{name} is in the books, its sale is {sales[one.order_id].state}"
            continue
        due = healed and record_id in listed and not is_held(one, needs)
        if due and sales[one.order_id].state == S.SUCCEEDED:
            yield f"{name} should be in the books and is {one.state}: {one.sentence}"
