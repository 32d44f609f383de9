"""What becomes of an undoing, whatever it is: done, or failed with its sentence, or on its way again."""

from __future__ import annotations

from typing import Any

from qbwc_service.binding import back_off, bound_change
from qbwc_service.flavours.spelling import Written
from qbwc_service.marks import read_mark
from qbwc_service.run import Run
from queue_store import meters
from queue_store.drain import Change, change
from queue_store.models import Activity
from queue_store.payloads import Undoing
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState
from queue_store.tasks import raise_task
from queue_store.undo import let_sale_go, undone_now
from queue_store.undoings import decode_undoing, undoing_of
from queue_store.waits import fail_waiters, wake_waiters


def undoing_by_mark(run: Run, kind: str, text: str) -> Activity | None:
    """The undoing of the document that bears this mark, if it is still to be settled."""
    mark = read_mark(text)
    if mark is None:
        return None
    store_id = next((one for one in run.stores if run.head(one) == mark.head), 0)
    found = undoing_of(run.db, kind, run.company.id, store_id, mark.record_id, mark.generation)
    if found is None or found.state in (ActivityState.SUCCEEDED, ActivityState.CANCELLED):
        return None
    return found


def succeed(run: Run, undoing: Activity, txn_id: str, cause: str, *, reversing: str = "") -> None:
    """It is done: bound to `txn_id`, and whatever waits for it goes. `reversing` is the receipt that reverses."""
    change(run.db, [bound_change(undoing, Written(txn_id), "", cause=cause)])
    run.db.refresh(undoing)
    run.open_session.settled += 1
    undone_now(run.db, undoing, reversing)
    wake_waiters(run.db, [undoing.id])
    note_outcomes(run.db, run.company, [undoing.id])


def fail(run: Run, row: Any, payload: bytes, sentence: str) -> None:
    """It cannot be done, or nobody can tell: the next generation fails with it, and a task says what to do."""
    what: Undoing = decode_undoing(payload)
    to(run, row, ActivityState.FAILED, sentence)
    meters.FAILURES.add_after(run.db, run.company.id, meters.UNDO)
    let_sale_go(run.db, run.db.get_one(Activity, row.id), "its web order could not be deleted")
    fail_waiters(run.db, [(row.id, sentence)])
    raise_task(
        run.db,
        company_id=run.company.id,
        kind="undo",
        subject=str(what.activity_id),
        sentence=sentence,
        activity_id=row.id,
    )
    run.open_session.failed += 1
    run.open_session.settled += 1


def to(
    run: Run, row: Any, after: ActivityState, sentence: str = "", *, cause: str = "", again: bool = False
) -> None:
    """Move an undoing (row or model); with `again` it is tried once more by itself, later."""
    change(
        run.db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=after,
                sentence=sentence,
                cause=cause,
                next_at=run.now + back_off(run, max(row.attempts, 1)) if again else None,
            )
        ],
    )
    if isinstance(row, Activity):
        run.db.refresh(row)
