"""Taking a record's newest state into the queue.

A webhook body is the record's state when it was sent, not an event. So what
arrives is compared with what the queue already has: the newest date_modified
wins whatever the order of arrival, equal content is nothing, and several
changes before a run are one activity with the newest payload. Content that is
equal but for its date is nothing too: so our own writes into the shop, which
move the date and come back as a webhook, end here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from queue_store.activities import (
    QUICKBOOKS,
    RETURN,
    WEB_ORDER,
    add_activity,
    called,
    move,
    newest_of_record,
    note,
)
from queue_store.fingerprint import content_digest
from queue_store.models import Activity
from queue_store.states import ABROAD, ActivityState
from queue_store.tasks import CHANGED_AFTER_SENT, close_tasks, raise_task, sentence_of_task
from queue_store.undoings import waits_for_undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A record as it just arrived, with the state that it should have in the queue."""

    company_id: int
    store_id: int
    kind: str
    record_id: str
    #: Stored form, see `queue_store.payloads.encode`.
    payload: bytes
    fingerprint: str = ""
    modified_at: datetime | None = None
    #: PENDING, WAITING, HELD, FAILED or CANCELLED.
    state: ActivityState = ActivityState.PENDING
    reason: str = ""
    sentence: str = ""
    reference: str = ""
    order_id: str = ""
    priority: int = 0
    target: str = QUICKBOOKS
    #: For the history, where there is no sentence.
    cause: str = "arrived from the shop"


class Taken(StrEnum):
    """What became of an incoming record."""

    NEW = "new"
    REPLACED = "replaced"  # the newest payload took the place of one that had not been sent
    UNCHANGED = "unchanged"  # equal to what the queue had last
    OLDER = "older"  # a newer state of the record is already here
    SAME_SECOND = "same second"  # taken, but as old as what was here: read it again before sending
    BESIDE = "beside"  # waits beside what is sent or in doubt
    IN_BOOKS = "in books"  # already in the books with the same content
    CHANGED_AFTER_SENT = "changed after sent"  # for the operator


def take_in(db: Session, incoming: Incoming) -> tuple[Taken, Activity]:
    """Compare with the queue and keep what is new; one call is one record."""
    activity = newest_of_record(
        db,
        company_id=incoming.company_id,
        store_id=incoming.store_id,
        kind=incoming.kind,
        record_id=incoming.record_id,
    )
    digest = content_digest(incoming.payload)
    if activity is None:
        return Taken.NEW, _add(db, incoming, digest)
    same_second = False
    if incoming.modified_at is not None:
        latest = max(filter(None, (activity.modified_at, activity.newer_modified_at)), default=None)
        if latest is not None and incoming.modified_at < latest:
            return Taken.OLDER, activity
        same_second = incoming.modified_at == latest
    is_back = _is_back(activity, incoming)
    if digest == activity.digest and not is_back and not _is_other_verdict(activity, incoming):
        return Taken.UNCHANGED, activity
    # Deleted and restored, an order has its old content, and is wanted anew all the same.
    as_wanted = activity.unwanted == (incoming.state is ActivityState.CANCELLED)
    if (
        as_wanted
        and not _is_other_verdict(activity, incoming)
        and _is_saved_again(activity, incoming.payload)
    ):
        return _keep_date(db, activity, incoming, digest), activity
    state = ActivityState(activity.state)
    if state in ABROAD:
        return _put_beside(db, activity, incoming, digest)
    if state in (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED):
        return _compare_with_books(db, activity, incoming, digest)
    is_doubtful = same_second and (digest != activity.digest or is_back)
    _replace(db, activity, incoming, digest)
    return (Taken.SAME_SECOND if is_doubtful else Taken.REPLACED), activity


def _is_back(activity: Activity, incoming: Incoming) -> bool:
    """What was cancelled at home is wanted again, perhaps with the very content that it had: or an old state came late."""
    return (
        activity.state == ActivityState.CANCELLED
        and activity.reason not in ("operator", "activity")
        and incoming.state is not ActivityState.CANCELLED
    )


def _is_other_verdict(activity: Activity, incoming: Incoming) -> bool:
    """The same content, but the store went live, or money came in: the state must follow."""
    if activity.state in ABROAD:
        return is_dropped_if_missing(activity) and incoming.state is not ActivityState.CANCELLED
    at_rest = activity.state in (ActivityState.HELD, ActivityState.WAITING, ActivityState.CANCELLED)
    return at_rest and activity.reason not in ("operator", "activity") and activity.reason != incoming.reason


def is_dropped_if_missing(activity: Activity) -> bool:
    """True if what is sent or in doubt goes nowhere should it not be in QuickBooks, as its waiting payload says."""
    return activity.newer_payload is not None and activity.newer_state == ActivityState.CANCELLED


def _is_saved_again(activity: Activity, payload: bytes) -> bool:
    """True if `payload` is what the queue had last, but for the date of its last change."""
    newest = activity.payload if activity.newer_payload is None else activity.newer_payload
    try:
        return bool(_without_date(newest) == _without_date(payload))
    except msgspec.DecodeError:
        # A body that could not be translated is kept as it came.
        return False


def _without_date(payload: bytes) -> Any:
    content = msgspec.json.decode(payload)
    if isinstance(content, dict):
        content.pop("modified_at", None)
    return content


def _keep_date(db: Session, activity: Activity, incoming: Incoming, digest: str) -> Taken:
    activity.digest = digest
    if activity.newer_payload is None:
        activity.modified_at = incoming.modified_at
    else:
        activity.newer_modified_at = incoming.modified_at
    db.flush()
    in_books = activity.state in (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED)
    return Taken.IN_BOOKS if in_books else Taken.UNCHANGED


def _add(db: Session, incoming: Incoming, digest: str) -> Activity:
    activity = Activity(
        company_id=incoming.company_id,
        store_id=incoming.store_id,
        target=incoming.target,
        kind=incoming.kind,
        record_id=incoming.record_id,
        state=incoming.state,
        reason=incoming.reason,
        sentence=incoming.sentence,
        priority=incoming.priority,
        payload=incoming.payload,
        digest=digest,
        fingerprint=incoming.fingerprint,
        modified_at=incoming.modified_at,
        reference=incoming.reference,
        order_id=incoming.order_id,
        unwanted=incoming.state is ActivityState.CANCELLED,
    )
    return add_activity(db, activity, cause=incoming.sentence or incoming.cause)


def _replace(db: Session, activity: Activity, incoming: Incoming, digest: str) -> None:
    by_operator = activity.reason == "operator" and activity.state in (
        ActivityState.HELD,
        ActivityState.CANCELLED,
    )
    # What a person held or cancelled stays so; it only carries the newest content.
    stays, place = by_operator, (incoming.state, incoming.reason, incoming.sentence)
    if not stays and incoming.state is ActivityState.PENDING and waits_for_undo(db, activity):
        # One that failed with its undo waits for a person.
        stays = activity.state == ActivityState.FAILED
        sentence = f"{called(activity)} waits until what was sent of it before is undone."
        place = (ActivityState.WAITING, "activity", sentence)
    if stays:
        place = (ActivityState(activity.state), activity.reason, activity.sentence)
    state, reason, sentence = place
    move(
        db,
        activity,
        state,
        cause=incoming.sentence or "newer content arrived from the shop",
        payload=incoming.payload,
        digest=digest,
        fingerprint=incoming.fingerprint,
        modified_at=incoming.modified_at,
        # What waited beside an earlier attempt is older than this.
        newer_payload=None,
        newer_fingerprint="",
        newer_modified_at=None,
        reference=incoming.reference,
        prepared=None,
        unwanted=incoming.state is ActivityState.CANCELLED,
        sentence=sentence,
        reason=reason,
    )


def _put_beside(db: Session, activity: Activity, incoming: Incoming, digest: str) -> tuple[Taken, Activity]:
    activity.newer_payload = incoming.payload
    activity.newer_fingerprint = incoming.fingerprint
    activity.newer_modified_at = incoming.modified_at
    activity.newer_state, activity.newer_reason = incoming.state, incoming.reason
    activity.newer_sentence = incoming.sentence
    activity.digest = digest
    activity.unwanted = incoming.state is ActivityState.CANCELLED
    note(db, activity.id, activity.state, activity.state, "newer content waits beside it")
    db.flush()
    return Taken.BESIDE, activity


def _compare_with_books(
    db: Session, activity: Activity, incoming: Incoming, digest: str
) -> tuple[Taken, Activity]:
    activity.digest = digest
    activity.modified_at = incoming.modified_at
    was_unwanted, activity.unwanted = activity.unwanted, incoming.state is ActivityState.CANCELLED
    if incoming.fingerprint != activity.fingerprint:
        activity.newer_payload, activity.newer_fingerprint = incoming.payload, incoming.fingerprint
    else:
        # The books show the same, but status and dates are new: an undo decides by them what goes again.
        activity.payload, activity.newer_payload, activity.newer_fingerprint = incoming.payload, None, ""
        if not activity.unwanted:
            _as_sent_again(db, activity)
        if was_unwanted or not activity.unwanted:
            db.flush()
            return Taken.IN_BOOKS, activity
    changed_after_sent(db, activity)
    return Taken.CHANGED_AFTER_SENT, activity


def _as_sent_again(db: Session, activity: Activity) -> None:
    """The shop's record is again what the books show: nothing is left to decide."""
    if activity.sentence and activity.sentence == sentence_of_task(db, activity, CHANGED_AFTER_SENT):
        activity.sentence = ""
        close_tasks(db, activity.company_id, CHANGED_AFTER_SENT, subjects=[str(activity.id)])
        number = activity.txn_number or activity.txn_id
        note(
            db,
            activity.id,
            activity.state,
            activity.state,
            f"the shop's record is as {number} shows it again",
        )


def changed_after_sent(db: Session, activity: Activity) -> None:
    """Tell the operator that the shop's record and the document in the books differ now."""
    number = activity.txn_number or activity.txn_id
    undo = f"qbwoo activity undo {activity.id}"
    if activity.kind == RETURN:
        what = "was deleted in the shop" if activity.unwanted else "was changed in the shop"
        sentence = (
            f"{called(activity)} {what} after its return {number} was written, which stands as it was sent. "
        )
        sentence += (
            f"If no money went back, reverse receipt {number}: {undo}; else leave it."
            if activity.unwanted
            else f"Compare both: qbwoo activity show {activity.id}. Correct the books if need be, or reverse the return "
            f"and send it anew: {undo} --again"
        )
    elif activity.kind == WEB_ORDER:
        what = "was cancelled in the shop" if activity.unwanted else "was changed in the shop"
        sentence = f"{called(activity)} {what} after it was written as sales order {number}, which stands as it was sent. "
        sentence += (
            f"If nothing was taken from it yet, delete it: {undo}"
            if activity.unwanted
            else f"Compare both: qbwoo activity show {activity.id}. The receipt will be as the shop's order is then; to "
            f"send the sales order anew too: {undo} --again"
        )
    elif activity.unwanted:
        sentence = (
            f"{called(activity)} was cancelled in the shop after its receipt {number} was written, which stands as it "
            f"was sent. Decide: reverse receipt {number} if neither goods nor money changed hands ({undo}), enter a "
            "return if the buyer was paid back, or leave it."
        )
    else:
        sentence = (
            f"{called(activity)} was changed in the shop after its receipt {number} was written, which stands as it was "
            f"sent. Compare both: qbwoo activity show {activity.id}. Correct the books if need be, or reverse the receipt "
            f"and send the order anew: {undo} --again"
        )
    activity.sentence = sentence
    note(db, activity.id, activity.state, activity.state, sentence)
    raise_task(
        db,
        company_id=activity.company_id,
        kind=CHANGED_AFTER_SENT,
        subject=str(activity.id),
        sentence=sentence,
        activity_id=activity.id,
    )
    db.flush()
