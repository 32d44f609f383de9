"""Undoing an adjustment of QuickBooks' stock: by an opposite one, since sales may have followed it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from queue_store.adjustments import follow
from queue_store.models import Activity
from queue_store.operations import OperationRefused, audit
from queue_store.product_payloads import decode_adjustment
from queue_store.states import ActivityState


def undo_adjustment(db: Session, original: Activity, who: str) -> Activity:
    """Order the opposite adjustment, and give it. Raises OperationRefused."""
    if original.state != ActivityState.SUCCEEDED:
        raise OperationRefused(
            original,
            f"is {ActivityState(original.state).shown.replace('_', ' ')}: no adjustment of it is known to be in "
            "QuickBooks. One that waits is cancelled; one in doubt is looked for in the next run.",
        )
    difference = decode_adjustment(original.payload).difference
    opposite = follow(
        db,
        original,
        "U",
        -difference,
        why=f"undo of {original.id}",
        cause=f"undo, by {who}",
        session_id=None,
    )
    if opposite is None:
        raise OperationRefused(original, "was undone already. See: qbwoo activity list --kind adjust_stock")
    audit(
        db,
        original.company_id,
        who,
        f"activity {original.id}: undo by an opposite adjustment",
        str(difference),
        str(opposite.id),
    )
    return opposite
