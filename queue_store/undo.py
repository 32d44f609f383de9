"""Undo: a document in the books is reversed, and its record's next generation waits for that.

The reversal is an activity of its own. From the moment that it is ordered, the
next generation of the record stands in the queue as `waiting`, so that what
the shop says meanwhile comes to it. When the reversal is settled, the next
generation goes (`again`), or is cancelled by hand and can be released later.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from queue_store.activities import (
    CALLED_OFF,
    RETURN,
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
from queue_store.payloads import Reversal, encode
from queue_store.returns import follow_sales
from queue_store.states import ABROAD, ActivityState
from queue_store.undo_plan import REVERSAL, UndoPlan, is_reversal_of, related
from queue_store.waits import wait_for, wake_waiters

S = ActivityState

_decoder = msgspec.json.Decoder(Reversal)


def decode_reversal(payload: bytes) -> Reversal:
    return _decoder.decode(payload)


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
    known = next((one for one in related(db, activity) if is_reversal_of(one, activity)), None)
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
    take_back(db, reversal, original.id)
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


def _waiters(db: Session, reversal: Activity) -> Sequence[Activity]:
    return db.scalars(
        select(Activity)
        .join(ActivityWait, ActivityWait.activity_id == Activity.id)
        .where(ActivityWait.for_id == reversal.id)
        .with_for_update(of=Activity)
    ).all()
