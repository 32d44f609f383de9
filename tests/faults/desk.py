"""What the operator does in a day: with the queue, and in QuickBooks itself."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select

from ops_console import handwork, undoing
from ops_sandbox.pos.errors import RequestRefused
from queue_store.activities import RETURN, SALE, WEB_ORDER
from queue_store.models import Activity
from queue_store.operations import OperationRefused
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from queue_store.undo_plan import REVERSAL, UNDOINGS, WAYS
from queue_store.undoings import decode_undoing
from tests.faults.books import web_orders
from tests.faults.scene import Scene

S = ActivityState


def operator(scene: Scene, rng: random.Random) -> None:
    """A deed on some activity; what failed is what a person looks at first."""
    rows = _rows(scene, S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED, S.CANCELLED)
    if not rows:
        return
    row = rng.choice([row for row in rows if row.state == S.FAILED] or rows)
    deeds = ("retry", "retry", "cancel") if row.state == S.FAILED else ("hold", "release", "cancel", "retry")
    deed = rng.choice(deeds)
    if row.kind in UNDOINGS and row.state == S.FAILED and deed == "retry":
        see_to_undoing(scene, row.id)
        return
    try:
        with scene.database.write() as db:
            handwork.DEEDS[deed](db, [row.id], "test")
    except OperationRefused as refused:
        scene.log(f"   refused: {refused}")
        return
    scene.log(f"   {deed} {row.kind} {row.record_id}")
    scene.fired[f"operator: {deed}"] += 1


def undo(scene: Scene, rng: random.Random) -> None:
    """A receipt, a return or a web order was a mistake."""
    rows = [row for row in _rows(scene, S.SUCCEEDED) if row.kind in WAYS]
    if not rows:
        return
    row, again = rng.choice(rows), rng.random() < 0.6
    try:
        with scene.database.write() as db:
            undoing.undo(db, row.id, "test", again=again)
    except OperationRefused as refused:
        scene.log(f"   refused: {refused}")
        return
    scene.to_undo.add(row.txn_id)
    if row.kind == WEB_ORDER:
        scene.undone_orders[row.txn_id] = int(row.record_id)
    scene.log(f"   undo {row.kind} {row.record_id}{' again' if again else ''}")
    what = "undo of a web order" if row.kind == WEB_ORDER else "undo"
    scene.fired[f"operator: {what} and send anew" if again else f"operator: {what}"] += 1


def see_to_undoing(scene: Scene, activity_id: int) -> None:
    """An undoing failed: its document is looked at in QuickBooks, as the sentence asks."""
    with scene.database.write() as db:
        one = db.get_one(Activity, activity_id)
        what = decode_undoing(one.payload)
        if one.kind == REVERSAL:
            done, name = what.txn_id in scene.pos.reversals(), "reversal"
        else:
            done, name = what.txn_id not in {order.txn_id for order in scene.pos.sales_orders()}, "deletion"
        if done:
            scene.fired[f"operator: {name} was done already"] += 1
            undoing.undo(db, what.activity_id, "test", again=what.again, done=True)
        else:
            scene.fired[f"operator: {name} tried again"] += 1
            handwork.retry(db, [activity_id], "test")


def delete_sales_order(scene: Scene, rng: random.Random) -> None:
    """Somebody deletes a sales order in QuickBooks that nothing was taken from."""
    there = [
        (order_id, one.document)
        for order_id, found in web_orders(scene.pos).items()
        for one in found
        if one.document.status == "Open"
    ]
    if not there:
        return
    order_id, order = rng.choice(there)
    scene.log(f"   sales order {order.number} is deleted")
    try:
        scene.pos.delete_sales_order(order.txn_id)
    except RequestRefused as refused:
        # Filled in part: QuickBooks lets nobody delete it.
        scene.log(f"   refused: {refused}")
        return
    scene.fired["sales order deleted in QuickBooks"] += 1
    scene.deleted.add(order_id)


def see_to_reversed(scene: Scene) -> None:
    """Receipts that were reversed, and nothing here knew of it: each goes anew."""
    with scene.database.read() as db:
        told = [task.activity_id for task in open_tasks(db) if task.kind == "undo" and task.activity_id]
    # A receipt is seen to after the returns that hang on it.
    for activity_id in [*told, *told]:
        with scene.database.write() as db:
            one = db.get_one(Activity, activity_id)
            if one.kind not in UNDOINGS and one.state == S.SUCCEEDED and one.txn_id in scene.pos.reversals():
                try:
                    undoing.undo(db, one.id, "test", again=not one.unwanted, done=True)
                except OperationRefused as refused:
                    scene.log(f"   refused: {refused}")
                    continue
                scene.fired["operator: reversed elsewhere"] += 1


def see_to_opened(scene: Scene) -> None:
    """Sales orders that are open again after their receipt was reversed: no other receipt will name them."""
    open_orders = {order.txn_id for order in scene.pos.sales_orders() if order.status == "Open"}
    with scene.database.read() as db:
        told = [task.activity_id for task in open_tasks(db) if task.kind == "undo" and task.activity_id]
    for activity_id in told:
        with scene.database.write() as db:
            one = db.get_one(Activity, activity_id)
            if one.kind == WEB_ORDER and one.state == S.SUCCEEDED and one.txn_id in open_orders:
                scene.fired["operator: sales order opened again"] += 1
                scene.to_undo.add(one.txn_id)
                scene.undone_orders[one.txn_id] = int(one.record_id)
                undoing.undo(db, one.id, "test", again=False)


def see_to_returns(scene: Scene) -> set[str]:
    """A return came to the books after an undo of its sale was ordered: it is undone first, as the sentence asks.

    Gives the record ids of such returns; they are released once their sale was undone too.
    """
    found: set[str] = set()
    for row in _rows(scene, S.FAILED):
        if row.kind != REVERSAL:
            continue
        with scene.database.write() as db:
            what = decode_undoing(db.get_one(Activity, row.id).payload)
            if what.kind != SALE or what.txn_id in scene.pos.reversals():
                continue
            query = select(Activity).where(Activity.kind == RETURN, Activity.order_id == row.record_id)
            for one in [one for one in db.scalars(query) if one.state == S.SUCCEEDED]:
                scene.log(f"   undo return {one.record_id} before its sale")
                scene.fired["operator: return undone before its sale"] += 1
                scene.to_undo.add(one.txn_id or "")
                undoing.undo(db, one.id, "test", again=False)
                found.add(one.record_id)
    return found


def release_returns(scene: Scene, record_ids: set[str]) -> None:
    """Their sale went anew, and so do they."""
    for row in _rows(scene, S.CANCELLED):
        if row.kind == RETURN and row.record_id in record_ids:
            with scene.database.write() as db:
                if db.get_one(Activity, row.id).reason == "operator":
                    handwork.release(db, [row.id], "test")


def retry_all(scene: Scene) -> None:
    """All that failed goes again, and what was reversed is seen to."""
    scene.log("    everything that failed is retried")
    see_to_reversed(scene)
    see_to_opened(scene)
    for row in _rows(scene, S.FAILED, target="shop"):
        with scene.database.write() as db:
            handwork.retry(db, [row.id], "test")
    for _ in range(3):
        for row in _rows(scene, S.FAILED):
            if row.kind in UNDOINGS:
                see_to_undoing(scene, row.id)
                continue
            with scene.database.write() as db:
                if db.get_one(Activity, row.id).state == S.FAILED:
                    handwork.retry(db, [row.id], "test")


def _rows(scene: Scene, *states: ActivityState, target: str = "quickbooks") -> list[Any]:
    with scene.database.read() as db:
        columns = (Activity.id, Activity.kind, Activity.record_id, Activity.state, Activity.txn_id)
        query = select(*columns).where(Activity.target == target, Activity.state.in_(states))
        return list(db.execute(query.order_by(Activity.id)).all())
