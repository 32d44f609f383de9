"""Undoing a document in the books: the plan as a person sees it, and the deed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec
from sqlalchemy.orm import Session

from qbwc_service.previewing import Preview, preview
from qbwc_service.run import Run
from queue_store.activities import SALE, WEB_ORDER, called, get_activity
from queue_store.models import Activity, Company, Store
from queue_store.operations import OperationRefused
from queue_store.payloads import Order, Undoing, encode
from queue_store.settings import store_settings
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState
from queue_store.undo import confirm_undo, order_undo
from queue_store.undo_plan import UndoPlan, plan_undo
from queue_store.undoings import undoing_of
from woo_bridge.disposition import Disposition, decide, decide_web_order, order_rules

_order = msgspec.json.Decoder(Order)


def plan(db: Session, activity_id: int, *, again: bool, done: bool = False) -> UndoPlan:
    """What an undo would do, and what is in its way; `done`: it is undone in QuickBooks. Raises NotFound."""
    activity = get_activity(db, activity_id)
    found = plan_undo(db, activity, _mark(db, activity), again=again, done=done)
    if not again or found.hindrances or activity.kind not in (SALE, WEB_ORDER):
        return found
    try:
        order = _order.decode(found.content.payload)
    except msgspec.DecodeError:
        hindrance = (
            f"The newest content of order {activity.order_id} cannot be read: undo it without --again."
        )
        return replace(found, hindrances=(hindrance,))
    where = _place_again(db, activity, order)
    if where.state is ActivityState.PENDING:
        return found
    hindrance = f"{where.sentence} It would not go again: undo it without --again."
    return replace(found, hindrances=(hindrance,))


def _place_again(db: Session, activity: Activity, order: Order) -> Disposition:
    """Where the next generation would go."""
    store = db.get_one(Store, activity.store_id)
    rules = order_rules(store, store_settings(db, store))
    if activity.kind == SALE:
        return decide(order, rules, pushed=True)
    sentence = (
        f"Order {order.number} is {order.status}, which is no web order any more, as orders.documents says."
    )
    none = Disposition(ActivityState.CANCELLED, sentence=sentence)
    return decide_web_order(order, rules, pushed=True) or none


def undo(db: Session, activity_id: int, who: str, *, again: bool, done: bool = False) -> Activity:
    """Order the undo; `done`: a person has done it in QuickBooks already. Gives the activity that undoes.

    Raises NotFound, OperationRefused.
    """
    activity = get_activity(db, activity_id)
    mark = _mark(db, activity)
    found = plan(db, activity_id, again=again, done=done)
    if done and found.way is not None:
        identity = (activity.company_id, activity.store_id, activity.record_id, activity.generation)
        known = undoing_of(db, found.way.kind, *identity)
        if known is not None and known.state != ActivityState.CANCELLED:
            return _confirmed(db, known, who)
    undoing = order_undo(db, found, mark, who)
    return _confirmed(db, undoing, who) if done else undoing


def _confirmed(db: Session, undoing: Activity, who: str) -> Activity:
    confirm_undo(db, undoing, who)
    note_outcomes(db, db.get_one(Company, undoing.company_id), [undoing.id])
    return undoing


@dataclass(frozen=True, slots=True)
class Documents:
    """What an undo would send."""

    #: The request that undoes; None where nothing can be undone.
    undoing: Preview | None
    #: What would take the document's place; None without `again`.
    following: Preview | None


def documents_of(db: Session, found: UndoPlan) -> Documents:
    """The exact documents of a plan. Writes nothing."""
    activity = found.activity
    if not found.txn_id or found.way is None:
        return Documents(None, None)
    run = _run(db, activity)
    what = Undoing(
        activity_id=activity.id,
        kind=activity.kind,
        txn_id=found.txn_id,
        number=found.number,
        mark=_mark(db, activity),
    )
    undoing = preview(run, _next(activity, found.way.kind, activity.generation), encode(what))
    following = None
    if found.again:
        following = preview(
            run, _next(activity, activity.kind, activity.generation + 1), found.content.payload
        )
    return Documents(undoing, following)


def words_of(found: UndoPlan) -> list[str]:
    """The plan step by step, as it would go with the next run of the Web Connector."""
    activity, way = found.activity, found.way
    if way is None or not found.txn_id:
        return []
    document, titled = (f"{word} {found.number}" for word in (way.document, way.document.capitalize()))
    if activity.kind == WEB_ORDER:
        asked = f"QuickBooks is asked for {document}, and for receipts that were made from it. If anything was taken "
        asked += "from it, it stands, and you are told."
        what = f"{titled} is deleted (ListDel)."
    else:
        asked = f"QuickBooks is asked whether {document} still stands."
        what = f"{titled} is reversed (TxnReverse): QuickBooks writes a receipt with the opposite amounts."
    if found.again:
        then = f"{called(activity)} goes anew with the shop's newest content, as below, once that is settled."
    elif activity.unwanted:
        then = "Nothing takes its place: the shop wants nothing of it any more."
    else:
        then = "Nothing takes its place, until you release it or undo it with --again."
    return [asked, what, then]


def _next(activity: Activity, kind: str, generation: int) -> Activity:
    """An activity as the plan would make it, in no queue."""
    return Activity(
        id=0,
        company_id=activity.company_id,
        store_id=activity.store_id,
        kind=kind,
        record_id=activity.record_id,
        order_id=activity.order_id,
        generation=generation,
        attempts=0,
        reference=activity.reference,
    )


def _run(db: Session, activity: Activity) -> Run:
    return Run(db, db.get_one(Company, activity.company_id), datetime.now(UTC))


def _mark(db: Session, activity: Activity) -> str:
    run = _run(db, activity)
    if activity.store_id not in run.stores:
        raise OperationRefused(activity, "belongs to no store: only receipts and web orders can be undone.")
    return str(run.mark(activity.store_id, activity.record_id, activity.generation))
