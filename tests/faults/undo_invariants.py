"""What must hold of undone receipts when the storm is over."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import Activity
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from queue_store.undo_plan import REVERSAL
from queue_store.undoings import decode_undoing
from tests.faults.scene import Scene

S = ActivityState


def _generation(activity: Activity) -> int:
    return activity.generation


def broken_undos(db: Session, scene: Scene, *, healed: bool) -> Iterator[str]:
    """What was undone is reversed, and steps back for its record's next generation; nothing else is reversed."""
    reversals = scene.pos.reversals()
    for txn_id in reversals.keys() - scene.to_undo:
        yield f"receipt {txn_id} is reversed, and nobody undid it"
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    by_id = {one.id: one for one in activities}
    told = {task.activity_id for task in open_tasks(db) if task.kind == "undo"}
    newest = {(one.kind, one.record_id): one.generation for one in sorted(activities, key=_generation)}
    for one in activities:
        if one.kind != REVERSAL:
            is_told = not healed and one.id in told
            if one.state == S.SUCCEEDED and one.txn_id in reversals and not is_told:
                yield f"{one.kind} {one.record_id}/{one.generation} is succeeded, and its receipt is reversed"
            continue
        what = decode_undoing(one.payload)
        name, original = f"reversal of {what.mark}", by_id[what.activity_id]
        if (one.state == S.SUCCEEDED) != (what.txn_id in reversals):
            yield f"{name} is {one.state} ({one.sentence}), the receipt is reversed: {what.txn_id in reversals}"
        if healed and one.state == S.FAILED:
            yield f"{name} is left failed: {one.sentence}"
        if one.state != S.SUCCEEDED:
            continue
        if original.state != S.SUPERSEDED:
            yield f"{name} is done, and its {original.kind} is {original.state}"
        if newest[original.kind, original.record_id] <= one.generation:
            yield f"{name} is done, and has no next generation"
