"""Undo: a document in the books is reversed or deleted, and its record's next generation waits for that.

What does it (`queue_store.undo_plan.WAYS`: a reversal, a deletion) is an
activity of its own, called the undoing here. From the moment that it is
ordered, the next generation of the record stands in the queue as `waiting`, so
that what the shop says meanwhile comes to it. When the undoing is settled, the
next generation goes (`again`), or is cancelled by hand and can be released
later.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from queue_store.activities import (
    CALLED_OFF,
    SALE,
    WEB_ORDER,
    add_activity,
    called,
    expire_activities,
    move,
    note,
)
from queue_store.allocation import take_back
from queue_store.books import store_undone
from queue_store.fingerprint import content_digest
from queue_store.models import Activity, ActivityWait, AuditEntry, OperatorTask
from queue_store.operations import OperationRefused
from queue_store.payloads import Undoing, encode
from queue_store.returns import follow_sales
from queue_store.states import ABROAD, AT_HOME, ActivityState
from queue_store.tasks import CHANGED_AFTER_SENT, raise_task
from queue_store.undo_plan import DELETION, WAYS, UndoPlan, Way, fulfils, is_undoing_of, related
from queue_store.undoings import decode_undoing
from queue_store.waits import wait_for, wake_waiters

S = ActivityState


def order_undo(db: Session, plan: UndoPlan, mark: str, who: str) -> Activity:
    """Put the undoing into the queue, and the next generation behind it. Raises OperationRefused."""
    activity = plan.activity
    if plan.hindrances or plan.way is None:
        raise OperationRefused(activity, f"is not undone. {' '.join(plan.hindrances)}")
    undoing = _undoing(db, plan, plan.way, mark, who)
    following = _following(db, plan, plan.way)
    wait_for(db, [(following.id, undoing.id)])
    # Refunds that come meanwhile, or failed and are retried, go after the next generation.
    follow_sales(db, [following.id])
    how = f"{plan.way.verb} and send anew" if plan.again else plan.way.verb
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
    return undoing


def _undoing(db: Session, plan: UndoPlan, way: Way, mark: str, who: str) -> Activity:
    activity = plan.activity
    payload = encode(
        Undoing(
            activity_id=activity.id,
            kind=activity.kind,
            txn_id=plan.txn_id,
            number=plan.number,
            mark=mark,
            again=plan.again,
        )
    )
    known = next((one for one in related(db, activity) if is_undoing_of(one, activity)), None)
    cause = f"undo, by {who}"
    if known is not None:
        # It failed or was called off: the same activity, since a document is undone once.
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
            kind=way.kind,
            record_id=activity.record_id,
            generation=activity.generation,
            state=S.PENDING,
            # Before documents: the next generation waits for it.
            priority=activity.priority + 1,
            payload=payload,
            digest=content_digest(payload),
            order_id=activity.order_id,
            reference=f"{way.kind.capitalize()} of {way.document} {plan.number}"[:120],
        ),
        cause=cause,
    )


def _following(db: Session, plan: UndoPlan, way: Way) -> Activity:
    """The record's next generation, waiting."""
    activity = plan.activity
    sentence = f"{called(activity)} waits until its {way.document} {plan.number} is {way.done}."
    content = {
        "payload": plan.content.payload,
        "digest": content_digest(plan.content.payload),
        "fingerprint": plan.content.fingerprint,
        "modified_at": plan.content.modified_at,
        "unwanted": activity.unwanted,
        "pushed": activity.pushed,
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
            # Called off before: its content may be old. Still waiting or failed with its undoing: it is the newest.
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


def generation_before(db: Session, activity: Activity) -> Activity | None:
    """The generation of the same record that this one follows."""
    others = (
        one
        for one in related(db, activity)
        if (one.kind, one.record_id) == (activity.kind, activity.record_id)
    )
    return next((one for one in others if one.generation == activity.generation - 1), None)


def call_off(db: Session, undoing: Activity, who: str) -> None:
    """An undo is cancelled: the document stands, and the next generation counts as not there."""
    what = decode_undoing(undoing.payload)
    for following in _waiters(db, undoing, what.kind):
        if following.state in (S.WAITING, S.PENDING, S.DELAYED, S.HELD, S.FAILED, S.CANCELLED):
            sentence = f"The undo was cancelled: {WAYS[what.kind].document} {what.number} stands."
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
    let_sale_go(db, undoing, "the sales order stands: its undo was cancelled")
    # Its refunds go after the generation that stands.
    follow_sales(db, [what.activity_id])


def undone_now(db: Session, undoing: Activity, txn_id: str | None) -> None:
    """The document is undone: its activity steps back, and the next generation goes or is cancelled.

    `txn_id` is the receipt that reverses it, where there is one and it is known. The next generation that goes
    is woken with whatever else waits for `undoing`.
    """
    what = decode_undoing(undoing.payload)
    original = db.get(Activity, what.activity_id, with_for_update=True)
    if original is None:
        return
    take_back(db, undoing, original.id)
    way = WAYS[what.kind]
    record_mark, _, generation = what.mark.rpartition("/")
    store_undone(
        db,
        [
            {
                "company_id": undoing.company_id,
                "txn_id": one,
                "record_mark": record_mark,
                "generation": int(generation),
                "type": way.type,
                "live": False,
                "undone": True,
                "read_at": undoing.updated_at,
            }
            for one in (what.txn_id, txn_id)
            if one
        ],
    )
    document = f"{way.document} {what.number}"
    sentence = f"{way.document.capitalize()} {what.number} was {way.done} by an undo."
    if original.state == S.SUCCEEDED and original.txn_id == what.txn_id:
        move(db, original, S.SUPERSEDED, cause=sentence, sentence=sentence)
    db.execute(
        update(OperatorTask)
        .where(
            OperatorTask.company_id == original.company_id,
            OperatorTask.kind.in_((CHANGED_AFTER_SENT, "undo")),
            OperatorTask.subject == str(original.id),
        )
        .values(open=False)
    )
    if what.kind == WEB_ORDER:
        _forget_prepared(db, original)
    elif what.kind == SALE:
        _tell_of_opened(db, original, what.number)
    if what.again:
        return
    for following in _waiters(db, undoing, what.kind):
        if following.state in ABROAD or following.state == S.SUCCEEDED or following.reason == CALLED_OFF:
            continue
        if following.unwanted:
            # The shop wants nothing of it: should its status return, it goes again by itself.
            sentence = (
                f"{called(following)} is not wanted by the shop any more, and {document} was {way.done}."
            )
            move(db, following, S.CANCELLED, cause=sentence, sentence=sentence)
            continue
        sentence = (
            f"{called(following)}: {document} was {way.done} by an undo, and nothing takes its place. To send it "
            f"again: qbwoo activity release {following.id}"
        )
        move(db, following, S.CANCELLED, cause=sentence, sentence=sentence, reason="operator")
        follow_sales(db, [following.id])


def _tell_of_opened(db: Session, sale: Activity, number: str) -> None:
    """The sales order that an undone receipt fulfilled may be open again, and no other receipt will name it."""
    for order in related(db, sale):
        if order.kind == WEB_ORDER and order.state == S.SUCCEEDED and fulfils(sale, order):
            raise_task(
                db,
                company_id=order.company_id,
                kind="undo",
                subject=str(order.id),
                sentence=f"Receipt {number} of order {sale.reference} was reversed. It fulfilled sales order "
                f"{order.txn_number or order.txn_id}, and not every Point of Sale opens that again: look at it there. If "
                f"it is open and nothing is to come of it, delete it: qbwoo activity undo {order.id}",
                activity_id=order.id,
            )


def _forget_prepared(db: Session, web_order: Activity) -> None:
    """A receipt that was made ready may name the sales order that is gone."""
    db.execute(
        update(Activity)
        .where(
            Activity.company_id == web_order.company_id,
            Activity.store_id == web_order.store_id,
            Activity.kind == SALE,
            Activity.record_id == web_order.record_id,
            Activity.state.in_(AT_HOME),
        )
        .values(prepared=None)
        .execution_options(synchronize_session=False)
    )


def let_sale_go(db: Session, undoing: Activity, cause: str) -> None:
    """A sale that waited for the deletion of its web order goes on: that will not be done."""
    for sale in _waiters(db, undoing, SALE) if undoing.kind == DELETION else ():
        db.execute(
            delete(ActivityWait)
            .where(ActivityWait.activity_id == sale.id, ActivityWait.for_id == undoing.id)
            .execution_options(synchronize_session=False)
        )
        if sale.state == S.WAITING and sale.reason == "activity":
            move(db, sale, S.PENDING, cause=cause)


def confirm_undo(db: Session, undoing: Activity, who: str) -> None:
    """A person says that the document is undone in QuickBooks. Raises OperationRefused."""
    if undoing.state not in (S.PENDING, S.DELAYED, S.FAILED, S.HELD):
        raise OperationRefused(
            undoing, f"is {S(undoing.state).shown.replace('_', ' ')}: that cannot be said of it now."
        )
    done = WAYS[decode_undoing(undoing.payload).kind].done
    move(db, undoing, S.SUCCEEDED, cause=f"{done} in QuickBooks, says {who}")
    undone_now(db, undoing, None)
    wake_waiters(db, [undoing.id])
    expire_activities(db)


def _waiters(db: Session, undoing: Activity, kind: str) -> Sequence[Activity]:
    return db.scalars(
        select(Activity)
        .join(ActivityWait, ActivityWait.activity_id == Activity.id)
        .where(ActivityWait.for_id == undoing.id, Activity.kind == kind)
        .with_for_update(of=Activity)
    ).all()
