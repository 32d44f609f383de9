"""What must hold of queue and books after mutated input: nothing lost, nothing doubled, all of it explained."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ops_console import handwork
from qbwc_service.preparing import prepare_pending
from queue_store.companies import get_company
from queue_store.models import Activity, QbwcSession
from queue_store.payloads import Order
from queue_store.settings import company_settings
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.faults.books import live_receipts
from tests.faults.snapshots import let_time_pass
from tests.fuzz.world import Finding, World

S = ActivityState
_DONE = (S.SUCCEEDED, S.SUPERSEDED, S.CANCELLED)
_orders = msgspec.json.Decoder(Order)


def drain(world: World, rounds: int = 12) -> None:
    """Valid sessions until nothing is claimable, however late. Raises Finding if that takes too many."""
    # A day passes between two sessions, and lists would be due in each.
    world.house.set("pull.items_minutes", "0")
    world.house.set("pull.customers_minutes", "0")
    for _ in range(rounds):
        with world.database.write() as db:
            # A ticket that was left alone: the next session takes it over, whoever comes.
            db.execute(QbwcSession.__table__.update().values(address="127.0.0.1"))
        while prepare_pending(world.database):
            pass
        done = world.house.run()
        let_time_pass(world.database, 24 * 60)
        if not done:
            ticket, says = world.house.begin()
            if says == "none":
                return
            world.house.conversation.close_connection(ticket)
    raise Finding(f"the queue is not drained after {rounds} sessions: {_states(world)}")


def heal(world: World) -> None:
    """What an operator does when QuickBooks told nonsense: documents go on, what failed is tried again."""
    world.house.set("documents.stopped", "false")
    with world.database.write() as db:
        failed = [one.id for one in db.scalars(select(Activity).where(Activity.state == S.FAILED))]
        for activity_id in failed:
            try:
                with db.begin_nested():
                    handwork.retry(db, [activity_id], "fuzz")
            except Exception as refused:  # a retry may be refused, with a sentence
                if not str(refused):
                    raise


def count(world: World) -> int:
    """Activities that there are."""
    with world.database.read() as db:
        return db.scalar(select(func.count()).select_from(Activity)) or 0


def check_books(world: World) -> None:
    """No record twice in the books, and each in its activity's words. Raises Finding."""
    broken = list(_books(world))
    if broken:
        raise Finding("; ".join(broken[:5]))


def check_all_there(world: World, totals: dict[str, Decimal]) -> None:
    """Each record of `totals` is in the books once with its total, and nothing is open. Raises Finding."""
    receipts = live_receipts(world.house.pos)
    found = {name: [one.document.total for one in receipts.get(name, ())] for name in totals}
    wrong = {name: (found[name], total) for name, total in totals.items() if found[name] != [total]}
    if wrong:
        raise Finding(f"not once with its total (found, expected): {wrong}; {_states(world)}")


def check_nothing_open(world: World) -> None:
    """Everything for QuickBooks is done. Raises Finding."""
    with world.database.read() as db:
        for one in db.scalars(select(Activity).where(Activity.target == "quickbooks")):
            if one.state not in _DONE:
                raise Finding(f"{one.kind} {one.record_id} is left {one.state}: {one.sentence}")


def check_not_stopped(world: World) -> None:
    """No total differed from what was computed. Raises Finding."""
    with world.database.read() as db:
        if company_settings(db, get_company(db, "books"))["documents.stopped"]:
            raise Finding("documents were stopped: a total was not what was computed")


def _books(world: World) -> Iterator[str]:
    receipts = live_receipts(world.house.pos)
    for record_id, found in receipts.items():
        if len(found) > 1:
            yield f"{record_id} is {len(found)} times in the books: {[str(one.mark) for one in found]}"
    with world.database.read() as db:
        for one in db.scalars(select(Activity).where(Activity.target == "quickbooks")):
            name = f"{one.kind} {one.record_id}"
            if one.state in (S.FAILED, S.HELD, S.WAITING, S.CANCELLED, S.IN_DOUBT) and not one.sentence:
                yield f"{name} is {one.state} without a sentence"
            if one.kind == "sale" and one.state == S.SUCCEEDED and one.record_id in receipts:
                total = receipts[one.record_id][0].document.total
                order = _orders.decode(one.payload)
                if one.total is not None and total != one.total:
                    yield f"{name} says {one.total}, its receipt {total}"
                if not order.refunds and total != order.total and not _was_changed(db, one.id):
                    yield f"{name} has an order of {order.total}, its receipt {total}"


def _was_changed(db: Session, activity_id: int) -> bool:
    return any(task.activity_id == activity_id for task in open_tasks(db))


def _states(world: World) -> str:
    with world.database.read() as db:
        rows = db.execute(
            select(Activity.kind, Activity.record_id, Activity.state, Activity.sentence).where(
                Activity.state.not_in(_DONE)
            )
        )
        return "; ".join(f"{kind} {record} {state}: {why[:160]}" for kind, record, state, why in rows)
