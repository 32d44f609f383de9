"""Undoing a document in the books: the plan as a person sees it, and the deed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from sqlalchemy.orm import Session

from qbwc_service.errors import NotSendable
from qbwc_service.kinds import KINDS
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from queue_store.activities import SALE, get_activity
from queue_store.models import Activity, Company, Store
from queue_store.operations import OperationRefused
from queue_store.payloads import Order, Reversal, encode
from queue_store.settings import store_settings
from queue_store.states import ActivityState
from queue_store.undo import confirm_undo, order_undo, reversal_of
from queue_store.undo_plan import REVERSAL, UndoPlan, plan_undo
from woo_bridge.disposition import decide, order_rules

_order = msgspec.json.Decoder(Order)


def plan(db: Session, activity_id: int, *, again: bool) -> UndoPlan:
    """What an undo would do, and what is in its way. Raises NotFound."""
    activity = get_activity(db, activity_id)
    found = plan_undo(db, activity, _mark(db, activity), again=again)
    if not again or found.hindrances or activity.kind != SALE:
        return found
    store = db.get_one(Store, activity.store_id)
    where = decide(_order.decode(found.payload), order_rules(store, store_settings(db, store)), pushed=True)
    if where.state is ActivityState.PENDING:
        return found
    hindrance = f"{where.sentence} It would not go again: undo it without --again."
    return replace(found, hindrances=(hindrance,))


def undo(db: Session, activity_id: int, who: str, *, again: bool, done: bool = False) -> Activity:
    """Order the undo; `done`: a person has reversed the receipt in QuickBooks already. Gives the reversal.

    Raises NotFound, OperationRefused.
    """
    activity = get_activity(db, activity_id)
    mark = _mark(db, activity)
    known = reversal_of(db, activity.company_id, activity.store_id, activity.record_id, activity.generation)
    if done and known is not None and known.state != ActivityState.CANCELLED:
        confirm_undo(db, known, who)
        return known
    reversal = order_undo(db, plan(db, activity_id, again=again), mark, who)
    if done:
        confirm_undo(db, reversal, who)
    return reversal


def described(db: Session, found: UndoPlan) -> dict[str, Any]:
    """The plan in plain values, with the exact documents; gaps for QuickBooks' own ids in square brackets."""
    activity = found.activity
    record: dict[str, Any] = {
        "activity": str(activity.id),
        "kind": activity.kind,
        "reference": activity.reference,
        "receipt": found.number,
        "txn_id": found.txn_id,
        "total": found.total,
        "hindrances": list(found.hindrances),
        "steps": list(found.steps),
    }
    if not found.txn_id:
        return record
    run = _run(db, activity)
    what = Reversal(
        activity_id=activity.id, kind=activity.kind, txn_id=found.txn_id, mark=_mark(db, activity)
    )
    record["reversal"] = _text(KINDS[REVERSAL].prepare(run, activity, encode(what)))
    if found.again:
        following = Activity(
            id=0,
            company_id=activity.company_id,
            store_id=activity.store_id,
            kind=activity.kind,
            record_id=activity.record_id,
            order_id=activity.order_id,
            generation=activity.generation + 1,
            reference=activity.reference,
        )
        try:
            prepared = KINDS[activity.kind].prepare(run, following, found.payload)
        except NotSendable as refusal:
            record["refusal"] = refusal.sentence
        else:
            record |= {"predicted_total": prepared.predicted_total, "document": _text(prepared)}
    return record


def _text(prepared: Prepared) -> str:
    return prepared.fill({gap: f"[{escape(gap)}]" for gap in prepared.parts[1::2]})


def _run(db: Session, activity: Activity) -> Run:
    return Run(db, db.get_one(Company, activity.company_id), datetime.now(UTC))


def _mark(db: Session, activity: Activity) -> str:
    run = _run(db, activity)
    if activity.store_id not in run.stores:
        raise OperationRefused(activity, "belongs to no store: only receipts can be undone.")
    return str(run.mark(activity.store_id, activity.record_id, activity.generation))
