"""Refunds into the queue: each becomes a "return", which goes after the sale of its order.

An order's body lists its refunds by id and amount only, so what the queue does
not know, or knows otherwise, is read from the shop by an activity of the
worker. No webhook tells of a deleted refund: it is missed when its order
arrives or is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from queue_store import meters
from queue_store.activities import RETURN, add_activity, move
from queue_store.anonymous import erased_body, erased_refund
from queue_store.erasures import without_erased
from queue_store.fingerprint import content_digest, refund_fingerprint
from queue_store.intake import Incoming, take_in
from queue_store.models import Activity, Company, Store
from queue_store.payloads import Order, Refund, RefundSummary, encode
from queue_store.returns import (
    follow,
    place_beside,
    refund_record_id,
    refund_reference,
    returns_of,
)
from queue_store.shop_notes import note_outcomes
from queue_store.shop_work import ask_shop
from queue_store.states import AT_HOME, ActivityState
from queue_store.webhook_log import keep_body
from queue_store.withdraw import withdraw
from woo_bridge import raw
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_refunds import Units, allocate_restocked, restocked_units, translate_refund

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

READ_REFUNDS = "read_refunds"
#: Reason of what could not be translated; its payload is the body as it came.
UNTRANSLATABLE = "untranslatable"

_decoder = msgspec.json.Decoder(Refund)


class ReadRefunds(msgspec.Struct, frozen=True):
    """What the worker needs to read the refunds of one order."""

    order_id: int


def see_to_refunds(db: Session, store: Store, order: Order) -> None:
    """Have the refunds of an order read from the shop, if it lists others than the queue has."""
    known = {one.record_id: one for one in returns_of(db, store.company_id, store.id, str(order.order_id))}
    listed = {refund_record_id(order.order_id, one.refund_id): one for one in order.refunds}
    restocked = {line.line_id: line.restocked for line in order.lines if line.restocked}
    gone = [one for one in known.values() if one.record_id not in listed and not _is_deleted(one)]
    if not gone and all(_is_known(known.get(key), one, restocked) for key, one in listed.items()):
        return
    ask_for_refunds(
        db, store, order.order_id, order.number, f"Order {order.number} has refunds that were not read yet."
    )


def ask_for_refunds(db: Session, store: Store, order_id: int, number: str, cause: str) -> None:
    """Have the worker read an order and its refunds from the shop."""
    ask_shop(
        db,
        company_id=store.company_id,
        store_id=store.id,
        kind=READ_REFUNDS,
        record_id=str(order_id),
        payload=msgspec.json.encode(ReadRefunds(order_id)),
        order_id=str(order_id),
        reference=number[:120],
        cause=cause,
    )


def take_refunds(
    db: Session, store: Store, order: Order, sale: Activity, bodies: Iterable[bytes]
) -> list[Activity]:
    """Take in all refunds of one order as the shop has them now; gives their activities.

    `bodies` are all that the shop lists: what the queue has beyond them was
    deleted. What cannot be translated fails with its body kept.
    """
    known = returns_of(db, store.company_id, store.id, str(order.order_id))
    [kept] = without_erased(db, store.company_id, store.id, [order])
    is_erased, order = kept is not order, kept
    refunds: list[Refund] = []
    listed: set[str] = set()
    found: list[Activity] = []
    for body in bodies:
        try:
            refund = translate_refund(body, order)
        except Untranslatable as problem:
            if is_erased:
                body = erased_body(body)
            refused = _refuse(db, store, order, body, problem, known)
            if refused is not None:
                listed.add(refused.record_id)
                found.append(refused)
            continue
        listed.add(refund_record_id(order.order_id, refund.refund_id))
        refunds.append(erased_refund(refund) if is_erased else refund)
    for refund in allocate_restocked(order, refunds, _taken(known)):
        found.append(_take(db, store, refund, sale))
    for one in known:
        if one.record_id not in listed and not _is_deleted(one):
            withdraw(
                db,
                company_id=store.company_id,
                store_id=store.id,
                kind=RETURN,
                record_id=one.record_id,
                sentence=f"{one.reference} was deleted in the shop: nothing to send.",
            )
    return found


def _take(db: Session, store: Store, refund: Refund, sale: Activity) -> Activity:
    reference = refund_reference(refund.refund_id, refund.number)
    place = place_beside(sale, reference, store)
    _, activity = take_in(
        db,
        Incoming(
            company_id=store.company_id,
            store_id=store.id,
            kind=RETURN,
            record_id=refund_record_id(refund.order_id, refund.refund_id),
            order_id=str(refund.order_id),
            reference=reference,
            payload=encode(refund),
            fingerprint=refund_fingerprint(refund),
            modified_at=refund.order.modified_at,
            state=place.state,
            reason=place.reason,
            sentence=place.sentence,
        ),
    )
    follow(db, activity, sale)
    return activity


def _taken(known: Sequence[Activity]) -> Mapping[int, Units]:
    """What the Returns that were sent put back, by refund: that does not change any more."""
    refunds = [_refund_of(one) for one in known if one.state not in AT_HOME]
    return {refund.refund_id: restocked_units(refund) for refund in refunds if refund is not None}


def _refund_of(activity: Activity) -> Refund | None:
    """The stored refund; None where its body could not be translated."""
    try:
        return _decoder.decode(activity.payload)
    except msgspec.DecodeError:
        return None


def _is_deleted(activity: Activity) -> bool:
    """True if the shop was found not to have it any more; not if it was cancelled with its order only."""
    return activity.unwanted and activity.reason != "activity"


def _is_known(activity: Activity | None, listed: RefundSummary, restocked: Mapping[int, Decimal]) -> bool:
    if activity is None or _is_deleted(activity):
        return False
    if activity.state not in AT_HOME:
        return True
    refund = _refund_of(activity)
    if refund is None:
        return activity.reason == UNTRANSLATABLE
    seen = {line.line_id: line.restocked for line in refund.order.lines if line.restocked}
    return refund.amount == -listed.total and seen == restocked


def _refuse(
    db: Session,
    store: Store,
    order: Order,
    body: bytes,
    problem: Untranslatable,
    known: Sequence[Activity],
) -> Activity | None:
    """A refund that cannot be translated fails with its body kept; None without an id to tell it by."""
    keep_body(db, store_id=store.id, topic=READ_REFUNDS, reason=str(problem), body=body)
    identified = raw.identify(body)
    if identified is None or identified.id is None:
        return None
    record_id = refund_record_id(order.order_id, identified.id)
    sentence = (
        f"{problem} Its body is kept. Enter this refund by hand and cancel the activity, or retry it with a newer "
        "version of qbwoo."
    )
    before = next((one for one in known if one.record_id == record_id), None)
    company = db.get_one(Company, store.company_id)
    if before is None:
        added = add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind=RETURN,
                record_id=record_id,
                state=ActivityState.FAILED,
                reason=UNTRANSLATABLE,
                sentence=sentence,
                payload=body,
                digest=content_digest(body),
                modified_at=order.modified_at,
                order_id=str(order.order_id),
                reference=refund_reference(identified.id, order.number),
            ),
            cause=sentence,
        )
        meters.FAILURES.add_after(db, company.id, meters.UNREADABLE)
        note_outcomes(db, company, [added.id])
        return added
    if before.state in AT_HOME and before.state != ActivityState.CANCELLED and before.reason != "operator":
        move(
            db,
            before,
            ActivityState.FAILED,
            cause=sentence,
            sentence=sentence,
            reason=UNTRANSLATABLE,
            payload=body,
            digest=content_digest(body),
            prepared=None,
        )
        meters.FAILURES.add_after(db, company.id, meters.UNREADABLE)
        note_outcomes(db, company, [before.id])
    return before
