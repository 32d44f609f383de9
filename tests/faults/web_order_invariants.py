"""What must hold of web orders, and of the receipts that fulfil them, when the storm is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import Activity
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.faults.books import Ours, live_receipts, web_orders
from tests.faults.invariants import is_held, needs_of, newest
from tests.faults.scene import Scene
from tests.faults.shop import ENDED, total_of, wants_web_order

S = ActivityState


def broken_web_orders(db: Session, scene: Scene, *, healed: bool) -> Iterator[str]:
    """Every web order in the books once, until its receipt fulfils it; of one cancelled later a person is told."""
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    needs = needs_of(db, activities)
    ours, sales = newest(activities, "web_order"), newest(activities, "sale")
    told = {task.activity_id for task in open_tasks(db) if task.kind == "changed after sent"}
    asked = set() if healed else {task.activity_id for task in open_tasks(db) if task.kind == "undo"}
    written, receipts = web_orders(scene.pos), _all_receipts(scene)
    for order_id in {*map(int, ours), *written}:
        name, found = f"web order {order_id}", written.get(order_id, [])
        one, known = ours.get(str(order_id)), scene.known.get(order_id, [])
        fulfilled = receipts.get(order_id, [])
        if len(found) > 1:
            yield f"{name} is there {len(found)} times"
            continue
        for order in found:
            yield from _in_books(
                scene, order, order_id, fulfilled, may_be_open=one is not None and one.id in asked
            )
        if one is not None and one.state == S.SUCCEEDED and not found and order_id not in scene.deleted:
            yield f"{name} succeeded and is not in the books"
        if one is not None and found and not fulfilled and one.state != S.SUCCEEDED:
            yield f"{name} is {one.state} ({one.sentence}) and in the books"
        if one is not None and one.state == S.SUCCEEDED and found and one.txn_id != found[0].document.txn_id:
            yield f"{name} is bound to {one.txn_id}, in the books is {found[0].document.txn_id}"
        sale = sales.get(str(order_id))
        due = healed and bool(known) and not fulfilled and order_id not in scene.deleted
        if due and not found and all(map(wants_web_order, known)):
            held = (one is not None and is_held(one, needs)) or (sale is not None and is_held(sale, needs))
            if not held:
                yield f"{name} should be in the books and is {one and (one.state, one.sentence)}"
        if found and not fulfilled and known:
            differs = all(
                body["status"] in ENDED
                or (wants_web_order(body) and total_of(body) != found[0].document.total)
                for body in known
            )
            undone = one is not None and one.txn_id in scene.to_undo
            if differs and not undone and (one is None or one.id not in told):
                yield f"{name} was changed after it was sent, and nobody is told"


def _in_books(
    scene: Scene, order: Ours, order_id: int, fulfilled: list[Ours], *, may_be_open: bool
) -> Iterator[str]:
    name, document = f"web order {order_id}", order.document
    if document.type != "WebOrder" or document.total not in scene.sent_orders.get(order_id, set()):
        yield f"{name} is a {document.type} of {document.total}"
    first = [one.document for one in fulfilled if one.mark.generation == 1]
    if not first or scene.blind:
        return
    fulfilling = [one for one in first if one.sales_order_txn_id == document.txn_id]
    if len(fulfilling) != 1:
        yield f"{name} {document.txn_id} is fulfilled by {[one.sales_order_txn_id for one in first]}"
    elif not may_be_open and document.status != "Closed" and _pieces(document) == _pieces(fulfilling[0]):
        yield f"{name} is {document.status}, and has its receipt"


def _pieces(document: Any) -> list[Any]:
    return sorted((line.list_id, line.qty) for line in document.lines)


def _all_receipts(scene: Scene) -> dict[int, list[Ours]]:
    """Sales receipts of each order, those that were undone too, but not those that reverse them."""
    return {
        int(record_id): [one for one in found if one.document.type == "Sales"]
        for record_id, found in live_receipts(scene.pos, undone=True).items()
        if "-R" not in record_id
    }
