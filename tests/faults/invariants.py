"""What must hold when the storm is over."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ops_sandbox.pos import PosCompanyFile
from qbwc_service.marks import read_mark
from queue_store.models import Activity, ActivityEvent, ActivityWait, Company, Exchange
from queue_store.settings import company_settings
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.faults.shop import Body, Shop, is_wanted, total_of

S = ActivityState
#: What each activity waits for, by its id.
Needs = dict[int, list[Activity]]
_REST = (S.SUCCEEDED, S.FAILED, S.CANCELLED, S.SUPERSEDED, S.HELD, S.WAITING)


def violations(
    db: Session,
    pos: PosCompanyFile,
    known: Mapping[int, list[Body]],
    sent: Mapping[int, set[Decimal]],
    *,
    healed: bool,
) -> Iterator[str]:
    """Every broken promise. `healed`: nothing is refused any more and all that failed was retried."""
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    needs = _needs(db, activities)
    yield from _states(db, activities, needs)
    yield from _events(db, activities)
    yield from _doubles(pos)
    sales = {int(one.record_id): one for one in activities if one.kind == "sale"}
    receipts = _receipts(pos)
    for record_id in receipts:
        if record_id not in sales:
            yield f"order {record_id} has a receipt and no activity"
    tasks = {(task.kind, task.activity_id) for task in open_tasks(db)}
    for kind in ("doubled", "total differs"):
        for task in open_tasks(db):
            if task.kind == kind:
                yield f"task {kind!r} without cause: {task.sentence}"
    company = db.scalars(select(Company)).one()
    if company_settings(db, company)["documents.stopped"]:
        yield "documents are stopped"
    for record_id, sale in sales.items():
        written = receipts.get(record_id, [])
        # What a person holds, or what waits for it, need not be in the books.
        due = healed and not _is_held(sale, needs)
        yield from _sale(sale, written, known.get(record_id, []), sent.get(record_id, set()), tasks, due)


def _receipts(pos: PosCompanyFile) -> dict[int, list[Any]]:
    found = defaultdict(list)
    for receipt in pos.receipts():
        mark = read_mark((receipt.comments or "").split(" ")[0])
        if mark is not None and receipt.status == "Regular" and "-R" not in mark.record_id:
            found[int(mark.record_id)].append(receipt)
    return found


def broken_refunds(db: Session, pos: PosCompanyFile, shop: Shop, sign: int, *, healed: bool) -> Iterator[str]:
    """Every refund in the books once, with its exact total, if its sale is there; none that is not the shop's."""
    activities = list(db.scalars(select(Activity).where(Activity.target == "quickbooks")))
    needs = _needs(db, activities)
    sales = {one.record_id: one for one in activities if one.kind == "sale"}
    returns = {one.record_id: one for one in activities if one.kind == "return"}
    told = {task.activity_id for task in open_tasks(db) if task.kind == "changed after sent"}
    listed = {f"{order}-R{one['id']}" for order, refunds in shop.refunds.items() for one in refunds}
    written = defaultdict(list)
    for receipt in pos.receipts():
        mark = read_mark((receipt.comments or "").split(" ")[0])
        if mark is not None and receipt.status == "Regular" and "-R" in mark.record_id:
            written[mark.record_id].append(receipt)
    for record_id in {*listed, *returns, *written}:
        one, found, name = returns.get(record_id), written[record_id], f"refund {record_id}"
        if one is None:
            yield f"{name} has no activity, and {len(found)} returns"
            continue
        if len(found) > 1 or bool(found) != (one.state == S.SUCCEEDED):
            yield f"{name} is {one.state} ({one.sentence}) and has {len(found)} returns"
            continue
        if found:
            amount = shop.amounts[int(record_id.partition("-R")[2])] * sign
            if (found[0].type, found[0].total, found[0].txn_id) != ("Return", amount, one.txn_id):
                yield f"{name} of {amount} is in the books as {found[0].type} of {found[0].total}"
            if record_id not in listed and one.id not in told:
                yield f"{name} was deleted after it was sent, and nobody is told"
            if sales[one.order_id].state != S.SUCCEEDED:
                yield f"{name} is in the books, its sale is {sales[one.order_id].state}"
            continue
        due = healed and record_id in listed and not _is_held(one, needs)
        if due and sales[one.order_id].state == S.SUCCEEDED:
            yield f"{name} should be in the books and is {one.state}: {one.sentence}"


def _sale(
    sale: Activity,
    written: list[Any],
    known: list[Body],
    sent: set[Decimal],
    tasks: set[tuple[str, int | None]],
    due: bool,
) -> Iterator[str]:
    name = f"order {sale.record_id}"
    if len(written) > 1:
        yield f"{name} has {len(written)} receipts: {[str(one.total) for one in written]}"
    if bool(written) != (sale.state == S.SUCCEEDED):
        yield f"{name} is {sale.state} ({sale.sentence}) and has {len(written)} receipts"
    if not written:
        if due and known and all(map(is_wanted, known)):
            yield f"{name} should be in the books and is {sale.state}: {sale.sentence}"
        return
    receipt = written[0]
    if receipt.total not in sent:
        yield f"{name} has a receipt of {receipt.total}, sent were {sorted(sent)}"
    if sale.state != S.SUCCEEDED:
        return
    if sale.txn_id != receipt.txn_id:
        yield f"{name} is bound to {sale.txn_id}, its receipt is {receipt.txn_id}"
    if sale.total != receipt.total:
        yield f"{name} says {sale.total}, its receipt {receipt.total}"
    differs = known and all(
        total_of(body) != receipt.total or body["status"] in ("cancelled", "failed") for body in known
    )
    if differs and ("changed after sent", sale.id) not in tasks:
        yield f"{name} was changed after it was sent, and nobody is told"


def _needs(db: Session, activities: list[Activity]) -> Needs:
    by_id = {one.id: one for one in activities}
    needs: Needs = defaultdict(list)
    for wait in db.scalars(select(ActivityWait)):
        needs[wait.activity_id].append(by_id[wait.for_id])
    return needs


def _is_held(activity: Activity, needs: Needs) -> bool:
    if activity.reason == "operator":
        return True
    return activity.state == S.WAITING and any(_is_held(one, needs) for one in needs[activity.id])


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
