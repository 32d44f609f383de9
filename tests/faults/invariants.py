"""What must hold when the storm is over: of every activity, and of orders and their receipts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from ops_sandbox.pos import PosCompanyFile
from queue_store.models import Activity, ActivityEvent, ActivityWait, Company, Exchange
from queue_store.settings import company_settings
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from queue_store.undo_plan import WAYS
from tests.faults.books import Ours, live_receipts
from tests.faults.scene import Scene
from tests.faults.shop import ENDED, is_wanted, total_of

S = ActivityState
#: What each activity waits for, by its id.
Needs = dict[int, list[Activity]]
_REST = (S.SUCCEEDED, S.FAILED, S.CANCELLED, S.SUPERSEDED, S.HELD, S.WAITING)


def violations(db: Session, scene: Scene, *, healed: bool) -> Iterator[str]:
    """Every broken promise. `healed`: nothing is refused any more and all that failed was retried."""
    pos = scene.pos
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    needs = needs_of(db, activities)
    yield from _states(db, activities, needs)
    yield from _events(db, activities)
    yield from _doubles(pos)
    sales = newest(activities, "sale")
    receipts = {record_id: found for record_id, found in live_receipts(pos).items() if "-R" not in record_id}
    for record_id in receipts:
        if record_id not in sales:
            yield f"order {record_id} has a receipt and no activity"
    tasks = open_tasks(db)
    for task in tasks:
        if task.kind in ("doubled", "total differs"):
            yield f"task {task.kind!r} without cause: {task.sentence}"
    company = db.scalars(select(Company)).one()
    if company_settings(db, company)["documents.stopped"]:
        yield "documents are stopped"
    for record_id, sale in sales.items():
        # What a person holds, or what waits for it, need not be in the books.
        due = healed and not is_held(sale, needs)
        told = any((task.kind, task.activity_id) == ("changed after sent", sale.id) for task in tasks)
        yield from _sale(scene, sale, receipts.get(record_id, []), told=told, due=due)


def newest(activities: list[Activity], kind: str) -> dict[str, Activity]:
    """The generation of each record of a kind that may be in the books: until an undo is done, what it undoes."""
    undoing = {
        (one.record_id, one.generation)
        for one in activities
        if one.kind == WAYS[kind].kind and one.state != S.SUCCEEDED
    }
    found = [one for one in activities if one.kind == kind]
    found.sort(key=lambda one: one.generation)
    return {
        one.record_id: one
        for one in found
        if (one.record_id, one.generation - 1) not in undoing or one.state == S.SUCCEEDED
    }


def _sale(scene: Scene, sale: Activity, written: list[Ours], *, told: bool, due: bool) -> Iterator[str]:
    name = f"order {sale.record_id}"
    known = scene.known.get(int(sale.record_id), [])
    if len(written) > 1:
        yield f"{name} has {len(written)} receipts: {[f'{one.mark} {one.document.total}' for one in written]}"
    if sale.state == S.SUCCEEDED and sale.txn_id in scene.pos.reversals() and not due:
        # Undone before a backup was put back: a person is told, which `broken_undos` sees to.
        return
    if bool(written) != (sale.state == S.SUCCEEDED):
        yield f"{name} is {sale.state} ({sale.sentence}) and has {len(written)} receipts"
    if not written:
        if due and known and all(map(is_wanted, known)):
            yield f"{name} should be in the books and is {sale.state}: {sale.sentence}"
        return
    receipt, sent = written[0].document, scene.sent.get(int(sale.record_id), set())
    if receipt.total not in sent:
        yield f"{name} has a receipt of {receipt.total}, sent were {sorted(sent)}"
    if sale.state != S.SUCCEEDED:
        return
    if (sale.txn_id, sale.generation) != (receipt.txn_id, written[0].mark.generation):
        yield f"{name} is bound to {sale.txn_id}/{sale.generation}, its receipt is {receipt.txn_id} {written[0].mark}"
    if sale.total != receipt.total:
        yield f"{name} says {sale.total}, its receipt {receipt.total}"
    differs = known and all(total_of(body) != receipt.total or body["status"] in ENDED for body in known)
    if differs and not told and sale.txn_id not in scene.to_undo:
        yield f"{name} was changed after it was sent, and nobody is told"


def needs_of(db: Session, activities: list[Activity]) -> Needs:
    """What each activity waits for."""
    by_id = {one.id: one for one in activities}
    needs: Needs = defaultdict(list)
    for wait in db.scalars(select(ActivityWait)):
        needs[wait.activity_id].append(by_id[wait.for_id])
    return needs


def is_held(activity: Activity, needs: Needs) -> bool:
    """True if a person holds it, or something that it waits for."""
    if activity.reason == "operator":
        return True
    return activity.state == S.WAITING and any(is_held(one, needs) for one in needs[activity.id])


def _states(db: Session, activities: list[Activity], needs: Needs) -> Iterator[str]:
    for one in activities:
        name = f"{one.kind} {one.reference or one.record_id}"
        if one.state not in _REST:
            yield f"{name} is left {one.state} (reason {one.reason!r}, next {one.next_at}): {one.sentence}"
        if one.state in (S.FAILED, S.HELD, S.WAITING, S.CANCELLED) and not one.sentence:
            yield f"{name} is {one.state} without a sentence"
        if one.state == S.WAITING and one.reason == "activity":
            states = [need.state for need in needs[one.id]]
            if not {S.HELD, S.WAITING}.intersection(states):
                yield f"{name} waits for what will not come: {states}"
        if one.state == S.WAITING and one.reason == "re-read":
            yield f"{name} waits to be read again, and is not"
    if db.scalars(select(Exchange).where(Exchange.state == "outstanding")).first():
        yield "an exchange is left outstanding"


def _events(db: Session, activities: list[Activity]) -> Iterator[str]:
    history = defaultdict(list)
    for event in db.scalars(select(ActivityEvent).order_by(ActivityEvent.id)):
        history[event.activity_id].append(event)
    for one in activities:
        name = f"{one.kind} {one.reference or one.record_id}"
        events = history[one.id]
        if not events:
            yield f"{name} has no history"
            continue
        at = ""
        for event in events:
            woken = at == S.DELAYED and event.from_state == S.PENDING
            if event.from_state != at and not woken:
                yield f"{name}: its history breaks: {at} then {event.from_state} to {event.to_state}"
            at = event.to_state
        if at != one.state and not (at == S.DELAYED and one.state == S.PENDING):
            yield f"{name} is {one.state}, its history ends with {at}"


def _doubles(pos: PosCompanyFile) -> Iterator[str]:
    fold = str.casefold if pos.dialect.filter_ignores_case else str
    everything = (
        ("CustomerID", [fold(one.customer_id) for one in pos.customers()]),
        ("e-mail", [fold(one.email) for one in pos.customers()]),
        ("ALU", [fold(one.alu) for one in pos.items()]),
        ("department", [fold(one.name) for one in pos.departments()]),
    )
    for what, keys in everything:
        for key, count in Counter(keys).items():
            if key and count > 1:
                yield f"{what} {key!r} is there {count} times"
