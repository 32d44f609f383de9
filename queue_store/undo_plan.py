"""What undoing a document would take: the plan that a person sees first, and what is in its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import CALLED_OFF, RETURN, SALE, WEB_ORDER, called
from queue_store.books import SALES_ORDER
from queue_store.models import Activity, BookDocument
from queue_store.states import ABROAD, ActivityState

S = ActivityState

#: Kinds of the activities that undo.
REVERSAL, DELETION = "reversal", "deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the document of a kind is undone, and what that is called."""

    #: Kind of the activity that does it.
    kind: str
    #: "receipt", "sales order"
    document: str
    #: Type of the document in the books, see `queue_store.books`.
    type: str
    #: "reverse", "reversed"
    verb: str
    done: str


#: By the kind that wrote the document. Quantity adjustments are met by an opposite one: that kind joins with a line
#: here, and with the hindrances of its own.
WAYS: Mapping[str, Way] = {
    SALE: Way(kind=REVERSAL, document="receipt", type="Sales", verb="reverse", done="reversed"),
    RETURN: Way(kind=REVERSAL, document="receipt", type="Return", verb="reverse", done="reversed"),
    WEB_ORDER: Way(kind=DELETION, document="sales order", type=SALES_ORDER, verb="delete", done="deleted"),
}
#: Kinds whose document is a receipt, which is reversed and not deleted.
REVERSIBLE = tuple(kind for kind, way in WAYS.items() if way.kind == REVERSAL)
#: Kinds of the activities that undo others.
UNDOINGS = frozenset(way.kind for way in WAYS.values())

_NO_DOCUMENT = (S.CANCELLED, S.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Content:
    """The newest that the queue knows of a record."""

    payload: bytes
    fingerprint: str
    modified_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlan:
    """What an undo would do. `hindrances` are sentences; with any, it is not done."""

    activity: Activity
    way: Way | None
    #: The document that is undone.
    number: str
    txn_id: str
    total: Decimal | None
    #: True: the newest content goes again, as the next generation.
    again: bool
    #: What the next generation would carry.
    content: Content
    hindrances: tuple[str, ...] = ()
    #: The commands that lead to it, in their order, where something must be undone first.
    steps: tuple[str, ...] = field(default=())


def plan_undo(db: Session, activity: Activity, mark: str, *, again: bool, done: bool = False) -> UndoPlan:
    """What undoing the document of `activity`, which bears `mark`, would take.

    `done`: it is undone in QuickBooks already, whatever hangs on it.
    """
    hindrances, steps = _hindrances(db, activity, mark, again, done)
    return UndoPlan(
        activity=activity,
        way=WAYS.get(activity.kind),
        number=activity.txn_number or activity.txn_id or "",
        txn_id=activity.txn_id or "",
        total=activity.total,
        again=again,
        content=_newest_content(db, activity),
        hindrances=tuple(hindrances),
        steps=tuple(steps),
    )


def _newest_content(db: Session, activity: Activity) -> Content:
    """Of a web order it is its sale's: that follows the order also in statuses that ask for no web order."""
    newest = activity
    if activity.kind == WEB_ORDER:
        sales = [one for one in related(db, activity) if one.kind == SALE and one.reason != CALLED_OFF]
        newest = max(sales, key=lambda sale: sale.generation, default=activity)
    if newest.newer_payload is None:
        return Content(newest.payload, newest.fingerprint, newest.modified_at)
    modified_at = newest.newer_modified_at or newest.modified_at
    return Content(newest.newer_payload, newest.newer_fingerprint, modified_at)


def _hindrances(
    db: Session, activity: Activity, mark: str, again: bool, done: bool
) -> tuple[list[str], list[str]]:
    way = WAYS.get(activity.kind)
    if way is None:
        what = activity.kind.replace("_", " ")
        return [f"A {what} cannot be undone: only receipts and web orders can."], []
    if activity.state in ABROAD:
        return [_is_abroad(activity)], []
    if activity.state != S.SUCCEEDED or not activity.txn_id:
        return [
            f"{called(activity)} is {S(activity.state).shown}: no {way.document} of it is in QuickBooks."
        ], []
    hindrances: list[str] = []
    steps: list[str] = []
    others = related(db, activity)
    for other in others:
        if other.id == activity.id:
            continue
        if other.state in ABROAD:
            hindrances.append(_is_abroad(other))
        elif is_undoing_of(other, activity):
            if other.state not in (S.FAILED, S.CANCELLED):
                hindrances.append(f"Its {way.kind} (activity {other.id}) is {S(other.state).shown} already.")
        elif done:
            continue
        elif activity.kind == SALE and other.kind == RETURN:
            _beside_return(other, hindrances, steps)
        elif activity.kind == WEB_ORDER and other.kind == SALE:
            _beside_receipt(activity, other, again, hindrances, steps)
    if activity.kind == SALE and not done:
        hindrances += _unknown_returns(db, activity, mark, others)
    if again and activity.unwanted:
        hindrances.append(
            f"{called(activity)} is not wanted by the shop any more, so it does not go again: undo it without --again."
        )
    if steps:
        steps.append(f"qbwoo activity undo {activity.id}{' --again' if again else ''}")
    return hindrances, steps


def _is_abroad(activity: Activity) -> str:
    return (
        f"{called(activity)} is {S(activity.state).shown.replace('_', ' ')}: what became of it is found out first. "
        "Try again after the next run."
    )


def _beside_return(other: Activity, hindrances: list[str], steps: list[str]) -> None:
    """A receipt is not reversed under a return of it."""
    if other.state == S.SUCCEEDED:
        hindrances.append(
            f"{called(other)} hangs on this receipt, as return {other.txn_number or other.txn_id}: undo it first."
        )
        steps.append(f"qbwoo activity undo {other.id}")
    elif other.state not in (*_NO_DOCUMENT, S.FAILED, S.HELD):
        hindrances.append(f"{called(other)} is about to be sent: hold or cancel it first.")
        steps.append(f"qbwoo activity cancel {other.id}")


def _beside_receipt(
    activity: Activity, sale: Activity, again: bool, hindrances: list[str], steps: list[str]
) -> None:
    """A sales order is not deleted under the receipt that fulfilled it.

    One that was sent anew after an undo named no sales order.
    """
    if sale.state == S.SUCCEEDED and fulfils(sale, activity):
        receipt = f"receipt {sale.txn_number or sale.txn_id}"
        hindrances.append(
            f"{called(sale)} is in QuickBooks as {receipt}, which fulfilled this sales order: leave both. Only if the "
            "receipt was a mistake, undo it first."
        )
        steps.append(f"qbwoo activity undo {sale.id}")
    elif again and sale.state in (S.PENDING, S.DELAYED):
        hindrances.append(
            f"{called(sale)} is about to go as a receipt, and needs no web order any more: undo it without --again."
        )


def fulfils(sale: Activity, web_order: Activity) -> bool:
    """True if the receipt of `sale` names this web order; where it was not written from here, if it would."""
    if sale.prepared is not None:
        return str(web_order.txn_id).encode() in sale.prepared
    return web_order.generation >= sale.generation


def _unknown_returns(db: Session, activity: Activity, mark: str, others: Sequence[Activity]) -> list[str]:
    known = {other.txn_id for other in others}
    return [
        f"Return {document.number or document.txn_id} in QuickBooks hangs on this receipt, and is not known "
        "here: reverse it in QuickBooks first."
        for document in _returns_in_books(db, activity, mark)
        if document.txn_id not in known
    ]


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
    """Everything of the order in QuickBooks: sale, web order, returns, what undoes them; locked."""
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


def is_undoing_of(undoing: Activity, activity: Activity) -> bool:
    """True if `undoing` undoes the document of `activity`, this generation of it."""
    way = WAYS.get(activity.kind)
    return way is not None and (undoing.kind, undoing.record_id, undoing.generation) == (
        way.kind,
        activity.record_id,
        activity.generation,
    )


def receipt_over(db: Session, web_order: Activity) -> Activity | None:
    """The sale whose receipt is in the books, or may be, and fulfils this web order; None if there is none."""
    sales = [other for other in related(db, web_order) if other.kind == SALE and fulfils(other, web_order)]
    return next((sale for sale in sales if sale.state in ABROAD or sale.state == S.SUCCEEDED), None)
