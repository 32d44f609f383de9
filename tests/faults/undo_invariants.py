"""What must hold of undone receipts and web orders when the storm is over."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import Activity
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from queue_store.undo_plan import DELETION, REVERSAL, UNDOINGS, WAYS
from queue_store.undoings import decode_undoing
from tests.faults.books import live_receipts
from tests.faults.scene import Scene

S = ActivityState
#: In the sentence of a reversal that a return stopped (`docs/documents.md`: a receipt is not undone under a return).
HANGS = "hangs on the receipt by now"


def _generation(activity: Activity) -> int:
    return activity.generation


def broken_undos(db: Session, scene: Scene, *, healed: bool) -> Iterator[str]:
    """What was undone is gone, and steps back for its record's next generation; nothing else is gone."""
    reversals = scene.pos.reversals()
    for txn_id in reversals.keys() - scene.to_undo:
        yield f"receipt {txn_id} is reversed, and nobody undid it"
    orders = {order.txn_id for order in scene.pos.sales_orders()}
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    by_id = {one.id: one for one in activities}
    told = {task.activity_id for task in open_tasks(db) if task.kind == "undo"}
    newest = {(one.kind, one.record_id): one.generation for one in sorted(activities, key=_generation)}
    for one in activities:
        if one.kind not in UNDOINGS:
            is_told = not healed and one.id in told
            if one.state == S.SUCCEEDED and one.txn_id in reversals and not is_told:
                yield f"{one.kind} {one.record_id}/{one.generation} is succeeded, and its receipt is reversed"
            continue
        what = decode_undoing(one.payload)
        name, original = f"{one.kind} of {what.mark}", by_id[what.activity_id]
        gone = what.txn_id in reversals if one.kind == REVERSAL else what.txn_id not in orders
        # What a person deleted by hand is gone, whatever became of the undo.
        by_hand = one.kind == DELETION and int(original.record_id) in scene.deleted
        if (one.state == S.SUCCEEDED) != gone and not (gone and by_hand):
            yield f"{name} is {one.state} ({one.sentence}), the {WAYS[what.kind].document} is {WAYS[what.kind].done}: {gone}"
        stopped = one.kind == REVERSAL and one.state == S.FAILED and HANGS in (one.sentence or "")
        # What it says must be so: a return that came, or was found, after the undo was ordered.
        if not healed and stopped and not _returns_of(scene, one.order_id or ""):
            yield f"{name} failed, and no return hangs on its receipt: {one.sentence}"
        if healed and one.state == S.FAILED and not _must_stand(scene, one.kind, what.txn_id):
            yield f"{name} is left failed: {one.sentence}"
        if one.state != S.SUCCEEDED:
            continue
        if original.state != S.SUPERSEDED:
            yield f"{name} is done, and its {original.kind} is {original.state}"
        if newest[original.kind, original.record_id] <= one.generation:
            yield f"{name} is done, and has no next generation"


def _returns_of(scene: Scene, order_id: str) -> list[str]:
    """Live returns of an order in the books."""
    return [record_id for record_id in live_receipts(scene.pos) if record_id.startswith(f"{order_id}-R")]


def _must_stand(scene: Scene, kind: str, txn_id: str) -> bool:
    """True for a sales order from which a receipt took something."""
    if kind != DELETION:
        return False
    named = any(
        one.document.sales_order_txn_id == txn_id
        for found in live_receipts(scene.pos).values()
        for one in found
    )
    closed = any(order.txn_id == txn_id and order.status != "Open" for order in scene.pos.sales_orders())
    return named or closed
