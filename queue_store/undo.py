"""Undo: a document in the books is reversed, and its record's next generation waits for that.

The reversal is an activity of its own. From the moment that it is ordered, the
next generation of the record stands in the queue as `waiting`, so that what
the shop says meanwhile comes to it. When the reversal is settled, the next
generation goes (`again`), or is cancelled by hand and can be released later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from queue_store.activities import (
    CALLED_OFF,
    RETURN,
    SALE,
    WEB_ORDER,
    add_activity,
    called,
    expire_activities,
    move,
    note,
)
from queue_store.books import store_undone
from queue_store.fingerprint import content_digest
from queue_store.models import Activity, ActivityWait, AuditEntry, BookDocument, OperatorTask
from queue_store.operations import OperationRefused
from queue_store.payloads import Reversal, encode
from queue_store.returns import follow_sales
from queue_store.states import ABROAD, ActivityState
from queue_store.waits import wait_for, wake_waiters

S = ActivityState

REVERSAL = "reversal"
#: Kinds whose document is undone by reversing it. Quantity adjustments are met by an opposite one: that kind joins
#: with its own way. Web orders are deleted by hand.
REVERSIBLE = (SALE, RETURN)

_NO_DOCUMENT = (S.CANCELLED, S.SUPERSEDED)
_decoder = msgspec.json.Decoder(Reversal)


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


def decode_reversal(payload: bytes) -> Reversal:
    return _decoder.decode(payload)


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
    for other in _related(db, activity):
        if other.id == activity.id:
            continue
        if other.state in ABROAD:
            hindrances.append(
                f"{called(other)} is {S(other.state).shown.replace('_', ' ')}: what became of it is found out "
                "first. Try again after the next run."
            )
        elif other.kind == REVERSAL and _is_of(other, activity):
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
    known = {other.txn_id for other in _related(db, activity)}
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
    known = _related(db, activity)
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


def order_undo(db: Session, plan: UndoPlan, mark: str, who: str) -> Activity:
    """Put the reversal into the queue, and the next generation behind it. Raises OperationRefused."""
    activity = plan.activity
    if plan.hindrances:
        raise OperationRefused(activity, f"is not undone. {' '.join(plan.hindrances)}")
    reversal = _reversal(db, plan, mark, who)
    following = _following(db, plan)
    wait_for(db, [(following.id, reversal.id)])
    # Refunds that come meanwhile, or failed and are retried, go after the next generation.
    follow_sales(db, [following.id])
    how = "reverse and send anew" if plan.again else "reverse"
    note(db, activity.id, activity.state, activity.state, f"undo ({how}), by {who}")
    db.add(
        AuditEntry(
            company_id=activity.company_id,
            who=who,
            what=f"activity {activity.id}: undo ({how})",
            before=plan.number,
            after="",
        )
    )
    db.flush()
    return reversal


def _reversal(db: Session, plan: UndoPlan, mark: str, who: str) -> Activity:
    activity = plan.activity
    payload = encode(
        Reversal(
            activity_id=activity.id,
            kind=activity.kind,
            txn_id=plan.txn_id,
            number=plan.number,
            mark=mark,
            again=plan.again,
        )
    )
    known = next((one for one in _related(db, activity) if _is_of(one, activity)), None)
    cause = f"undo, by {who}"
    if known is not None:
        # It failed or was called off: the same activity, since a receipt is reversed once.
        move(
            db,
            known,
            S.PENDING,
            cause=cause,
            payload=payload,
            prepared=None,
            set_failures=0,
            suspect_size=0,
            suspect_of=None,
        )
        return known
    return add_activity(
        db,
        Activity(
            company_id=activity.company_id,
            store_id=activity.store_id,
            kind=REVERSAL,
            record_id=activity.record_id,
            generation=activity.generation,
            state=S.PENDING,
            # Before documents: the next generation waits for it.
            priority=activity.priority + 1,
            payload=payload,
            digest=content_digest(payload),
            order_id=activity.order_id,
            reference=f"Reversal of receipt {plan.number}"[:120],
        ),
        cause=cause,
    )


def _following(db: Session, plan: UndoPlan) -> Activity:
    """The record's next generation, waiting."""
    activity = plan.activity
    sentence = f"{called(activity)} waits until its receipt {plan.number} is reversed."
    content = {
        "payload": plan.payload,
        "digest": content_digest(plan.payload),
        "fingerprint": activity.newer_fingerprint if activity.newer_payload else activity.fingerprint,
        "modified_at": activity.newer_modified_at or activity.modified_at,
        "unwanted": activity.unwanted,
    }
    known = db.scalars(
        select(Activity).where(
            Activity.company_id == activity.company_id,
            Activity.store_id == activity.store_id,
            Activity.kind == activity.kind,
            Activity.record_id == activity.record_id,
            Activity.generation == activity.generation + 1,
        )
    ).first()
    if known is not None:
        move(
            db,
            known,
            S.WAITING,
            cause=sentence,
            sentence=sentence,
            reason="activity",
            # Called off before: its content may be old. Still waiting or failed with its reversal: it is the newest.
            **(content if known.reason == CALLED_OFF else {}),
        )
        return known
    return add_activity(
        db,
        Activity(
            company_id=activity.company_id,
            store_id=activity.store_id,
            target=activity.target,
            kind=activity.kind,
            record_id=activity.record_id,
            generation=activity.generation + 1,
            state=S.WAITING,
            reason="activity",
            sentence=sentence,
            priority=activity.priority,
            order_id=activity.order_id,
            reference=activity.reference,
            **content,
        ),
        cause=sentence,
    )


def call_off(db: Session, reversal: Activity, who: str) -> None:
    """An undo is cancelled: the receipt stands, and the next generation counts as not there."""
    for following in _waiters(db, reversal):
        if following.state in (S.WAITING, S.PENDING, S.DELAYED, S.HELD, S.FAILED, S.CANCELLED):
            sentence = f"The undo was cancelled: receipt {decode_reversal(reversal.payload).number} stands."
            move(
                db,
                following,
                S.CANCELLED,
                cause=f"{sentence[:-1]}, by {who}",
                sentence=sentence,
                reason=CALLED_OFF,
            )
            db.execute(
                delete(ActivityWait)
                .where(ActivityWait.for_id == following.id)
                .execution_options(synchronize_session=False)
            )
    # Its refunds go after the generation that stands.
    follow_sales(db, [decode_reversal(reversal.payload).activity_id])


def reversed_now(db: Session, reversal: Activity, reversal_txn_id: str | None) -> None:
    """The receipt is reversed: its activity steps back, and the next generation goes or is cancelled.

    The next generation that goes is woken with whatever else waits for `reversal`.
    """
    what = decode_reversal(reversal.payload)
    original = db.get(Activity, what.activity_id, with_for_update=True)
    if original is None:
        return
    record_mark, _, generation = what.mark.rpartition("/")
    store_undone(
        db,
        [
            {
                "company_id": reversal.company_id,
                "txn_id": txn_id,
                "record_mark": record_mark,
                "generation": int(generation),
                "type": "Return" if what.kind == RETURN else "Sales",
                "live": False,
                "undone": True,
                "read_at": reversal.updated_at,
            }
            for txn_id in (what.txn_id, reversal_txn_id)
            if txn_id
        ],
    )
    sentence = f"Receipt {what.number} was reversed: it was undone by hand."
    if original.state == S.SUCCEEDED and original.txn_id == what.txn_id:
        move(db, original, S.SUPERSEDED, cause=sentence, sentence=sentence)
    db.execute(
        update(OperatorTask)
        .where(
            OperatorTask.company_id == original.company_id,
            OperatorTask.kind.in_(("changed after sent", "undo")),
            OperatorTask.subject == str(original.id),
        )
        .values(open=False)
    )
    if what.again:
        return
    for following in _waiters(db, reversal):
        if following.state in ABROAD or following.state == S.SUCCEEDED or following.reason == CALLED_OFF:
            continue
        sentence = (
            f"{called(following)}: receipt {what.number} was reversed by hand, and nothing takes its place. To send it "
            f"again: qbwoo activity release {following.id}"
        )
        move(db, following, S.CANCELLED, cause=sentence, sentence=sentence, reason="operator", unwanted=False)
        follow_sales(db, [following.id])


def open_reversals(
    db: Session, company_id: int, identities: Sequence[tuple[int, str, int]]
) -> dict[tuple[int, str, int], Activity]:
    """Reversals not settled yet, by (store, record id, the generation that waits for it)."""
    if not identities:
        return {}
    rows = db.scalars(
        select(Activity).where(
            Activity.company_id == company_id,
            Activity.kind == REVERSAL,
            Activity.record_id.in_({record_id for _, record_id, _ in identities}),
            Activity.state != S.SUCCEEDED,
        )
    )
    found = {(one.store_id, one.record_id, one.generation + 1): one for one in rows}
    return {identity: found[identity] for identity in identities if identity in found}


def reversal_of(
    db: Session, company_id: int, store_id: int, record_id: str, generation: int
) -> Activity | None:
    """The reversal of one generation of a record, locked."""
    return db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company_id,
            Activity.store_id == store_id,
            Activity.kind == REVERSAL,
            Activity.record_id == record_id,
            Activity.generation == generation,
        )
        .with_for_update()
    ).first()


def confirm_undo(db: Session, reversal: Activity, who: str) -> None:
    """A person says that the receipt is reversed in QuickBooks. Raises OperationRefused."""
    if reversal.state not in (S.PENDING, S.DELAYED, S.FAILED, S.HELD):
        raise OperationRefused(
            reversal, f"is {S(reversal.state).shown.replace('_', ' ')}: that cannot be said of it now."
        )
    move(db, reversal, S.SUCCEEDED, cause=f"reversed in QuickBooks, says {who}")
    reversed_now(db, reversal, None)
    wake_waiters(db, [reversal.id])
    expire_activities(db)


def waits_for_undo(db: Session, activity: Activity) -> bool:
    """True for a next generation whose reversal is not settled."""
    if activity.generation == 1:
        return False
    return bool(
        open_reversals(
            db, activity.company_id, [(activity.store_id, activity.record_id, activity.generation)]
        )
    )


def _related(db: Session, activity: Activity) -> Sequence[Activity]:
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


def _is_of(reversal: Activity, activity: Activity) -> bool:
    return (reversal.kind, reversal.record_id, reversal.generation) == (
        REVERSAL,
        activity.record_id,
        activity.generation,
    )


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


def _waiters(db: Session, reversal: Activity) -> Sequence[Activity]:
    return db.scalars(
        select(Activity)
        .join(ActivityWait, ActivityWait.activity_id == Activity.id)
        .where(ActivityWait.for_id == reversal.id)
        .with_for_update(of=Activity)
    ).all()
