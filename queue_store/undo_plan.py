"""What undoing a document would take: the plan that a person sees first, and what is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import RETURN, SALE, WEB_ORDER, called
from queue_store.models import Activity, BookDocument
from queue_store.states import ABROAD, ActivityState

S = ActivityState

REVERSAL = "reversal"
#: Kinds whose document is undone by reversing it. Quantity adjustments are met by an opposite one: that kind joins
#: with its own way. Web orders are deleted by hand.
REVERSIBLE = (SALE, RETURN)

_NO_DOCUMENT = (S.CANCELLED, S.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    """What an undo would do. `hindrances` are sentences; with any, it is not done."""

    activity: Activity
    #: The receipt that is reversed.
    number: str
    txn_id: str
    total: Decimal | None
    #: True: the newest content goes again, as the next generation.
    again: bool
    #: What the next generation would carry.
    payload: bytes
    hindrances: tuple[str, ...] = ()
    #: The commands that lead to it, in their order, where something must be undone first.
    steps: tuple[str, ...] = field(default=())


def plan_undo(db: Session, activity: Activity, mark: str, *, again: bool) -> UndoPlan:
    """What undoing the document of `activity`, which bears `mark`, would take."""
    hindrances, steps = _hindrances(db, activity, mark, again)
    return UndoPlan(
        activity=activity,
        number=activity.txn_number or activity.txn_id or "",
        txn_id=activity.txn_id or "",
        total=activity.total,
        again=again,
        payload=activity.newer_payload or activity.payload,
        hindrances=tuple(hindrances),
        steps=tuple(steps),
    )


def _hindrances(db: Session, activity: Activity, mark: str, again: bool) -> tuple[list[str], list[str]]:
    if activity.kind == WEB_ORDER:
        return [
            f"{called(activity)} cannot be undone from here. Delete sales order {activity.txn_number or activity.txn_id} in "
            "QuickBooks, unless goods were taken from it already."
            if activity.txn_id
            else f"{called(activity)} is {S(activity.state).shown}: no sales order of it is in QuickBooks."
        ], []
    if activity.kind not in REVERSIBLE:
        return [f"A {activity.kind.replace('_', ' ')} cannot be undone: only receipts can."], []
    if activity.state in ABROAD:
        return [
            f"{called(activity)} is {S(activity.state).shown.replace('_', ' ')}: what became of it is found out first. "
            "Try again after the next run."
        ], []
    if activity.state != S.SUCCEEDED or not activity.txn_id:
        return [f"{called(activity)} is {S(activity.state).shown}: no receipt of it is in QuickBooks."], []
    hindrances, steps = [], []
    others = related(db, activity)
    for other in others:
        if other.id == activity.id:
            continue
        if other.state in ABROAD:
            hindrances.append(
                f"{called(other)} is {S(other.state).shown.replace('_', ' ')}: what became of it is found out "
                "first. Try again after the next run."
            )
        elif other.kind == REVERSAL and is_reversal_of(other, activity):
            if other.state in (S.FAILED, S.CANCELLED):
                continue
            hindrances.append(f"Its reversal (activity {other.id}) is {S(other.state).shown} already.")
        elif activity.kind == SALE and other.kind == RETURN and other.state not in _NO_DOCUMENT:
            if other.state == S.SUCCEEDED:
                hindrances.append(
                    f"{called(other)} hangs on this receipt, as return {other.txn_number or other.txn_id}: undo it first."
                )
                steps.append(f"qbwoo activity undo {other.id}")
            elif other.state not in (S.FAILED, S.HELD):
                hindrances.append(f"{called(other)} is about to be sent: hold or cancel it first.")
                steps.append(f"qbwoo activity cancel {other.id}")
    known = {other.txn_id for other in others}
    for document in _returns_in_books(db, activity, mark):
        if document.txn_id not in known:
            hindrances.append(
                f"Return {document.number or document.txn_id} in QuickBooks hangs on this receipt, and is not known "
                "here: reverse it in QuickBooks first."
            )
    if again and activity.unwanted:
        hindrances.append(
            f"{called(activity)} is not wanted by the shop any more, so it does not go again: undo it without --again."
        )
    if steps:
        steps.append(f"qbwoo activity undo {activity.id}{' --again' if again else ''}")
    return hindrances, steps


def live_returns(db: Session, activity: Activity, mark: str) -> list[str]:
    """What still hangs on the receipt of `activity`: names of returns that are in the books or may be."""
    known = related(db, activity)
    names = [
        called(other)
        for other in known
        if other.kind == RETURN and (other.state in ABROAD or other.state == S.SUCCEEDED)
    ]
    ids = {other.txn_id for other in known}
    return names + [
        f"return {document.number or document.txn_id}"
        for document in _returns_in_books(db, activity, mark)
        if document.txn_id not in ids
    ]


def related(db: Session, activity: Activity) -> Sequence[Activity]:
    """Everything of the order in QuickBooks: sale, returns, reversals; locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == activity.company_id,
            Activity.store_id == activity.store_id,
            Activity.order_id == activity.order_id,
            Activity.target == activity.target,
        )
        .order_by(Activity.id)
        .with_for_update()
    ).all()


def _returns_in_books(db: Session, activity: Activity, mark: str) -> Sequence[BookDocument]:
    if activity.kind != SALE:
        return []
    record_mark = mark.rpartition("/")[0]
    return db.scalars(
        select(BookDocument)
        .where(
            BookDocument.company_id == activity.company_id,
            BookDocument.record_mark.startswith(f"{record_mark}-R", autoescape=True),
            BookDocument.live,
            BookDocument.undone.is_(False),
        )
        .order_by(BookDocument.txn_id)
    ).all()


def is_reversal_of(reversal: Activity, activity: Activity) -> bool:
    """True if `reversal` undoes the document of `activity`, this generation of it."""
    return (reversal.kind, reversal.record_id, reversal.generation) == (
        REVERSAL,
        activity.record_id,
        activity.generation,
    )
