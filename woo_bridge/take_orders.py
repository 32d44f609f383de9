"""Shop orders into the queue, whichever way they came: webhook, push or reading again.

An order of a shop is a "sale": one receipt, whatever happens to the order later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from queue_store.activities import add_activity, move, newest_of_record, note
from queue_store.bulk_intake import Seen, add_records, seen_records
from queue_store.fingerprint import content_digest, order_fingerprint
from queue_store.intake import Incoming, Taken, take_in
from queue_store.models import Activity, Company, Store
from queue_store.payloads import Order, encode
from queue_store.settings import Settings
from queue_store.shop_notes import note_outcomes
from queue_store.shop_work import ask_shop, waiting_orders
from queue_store.states import AT_HOME, ActivityState
from queue_store.tasks import raise_task
from queue_store.webhook_log import keep_body
from woo_bridge import raw
from woo_bridge.disposition import Disposition, OrderRules, decide, order_rules
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SALE = "sale"
REREAD_ORDER = "reread_order"
#: Reasons under which an order waits that a change of settings can lift.
LIFTABLE = ("status", "money", "not live", "before since")

_UNTRANSLATABLE = "untranslatable"
_order = msgspec.json.Decoder(Order)
_ON_ITS_WAY = frozenset({ActivityState.PENDING, ActivityState.DELAYED, ActivityState.FAILED})


class RereadOrder(msgspec.Struct, frozen=True):
    """What the worker needs to read one order again."""

    order_id: int


def take_order(
    db: Session,
    store: Store,
    rules: OrderRules,
    order: Order,
    *,
    pushed: bool = False,
    read_now: bool = False,
) -> tuple[Taken, Activity]:
    """Take in the newest state of one order.

    `read_now`: it was just read from the shop, so that it is the truth even if
    the queue has other content of the same second. What arrived by webhook is
    then read again before it is sent.
    """
    disposition = decide(order, rules, pushed=pushed)
    if disposition.state is ActivityState.HELD and _is_on_its_way(db, store, order):
        # Pushed, or in the queue from before a pause: newer content does not take it back.
        disposition = Disposition(ActivityState.PENDING)
    taken, activity = take_in(db, _incoming(store, order, disposition))
    if taken is Taken.SAME_SECOND:
        if read_now:
            return Taken.REPLACED, activity
        _ask_again(db, store, order, activity)
    return taken, activity


def take_orders(
    db: Session, store: Store, rules: OrderRules, orders: Sequence[Order]
) -> list[tuple[Taken, int]]:
    """`take_order` for many at once, with each one's activity id: what was never seen goes in by one statement."""
    known = seen_records(
        db,
        company_id=store.company_id,
        store_id=store.id,
        kind=SALE,
        record_ids=[str(order.order_id) for order in orders],
    )
    new: dict[str, Incoming] = {}
    new_at: set[int] = set()
    for place, order in enumerate(orders):
        record_id = str(order.order_id)
        if record_id not in known and record_id not in new:
            new[record_id] = _incoming(store, order, decide(order, rules))
            new_at.add(place)
    for number, record in zip(add_records(db, list(new.values())), new.values(), strict=True):
        known[record.record_id] = Seen(number, record.state, content_digest(record.payload))
    results: list[tuple[Taken, int]] = []
    for place, order in enumerate(orders):
        record_id = str(order.order_id)
        there = known[record_id]
        if place in new_at:
            results.append((Taken.NEW, there.activity_id))
        elif there.has(encode(order)):
            # The shop sends "created" and "updated" with one content.
            results.append((Taken.UNCHANGED, there.activity_id))
        else:
            taken, activity = take_order(db, store, rules, order)
            known[record_id] = Seen(activity.id, activity.state, activity.digest)
            results.append((taken, activity.id))
    return results


def refuse_order(
    db: Session, store: Store, topic: str, body: bytes, problem: Untranslatable
) -> Activity | None:
    """An order that cannot be translated fails with its body kept, so that nothing is lost.

    None where there is no activity to fail: no id, or what is there must not be
    touched (sent, in the books, held by a person). Then a task says so.
    """
    keep_body(db, store_id=store.id, topic=topic, reason=str(problem), body=body)
    known = raw.identify(body)
    if known is None or known.id is None:
        _unreadable_task(db, store, store.name, str(problem))
        return None
    activity = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=str(known.id)
    )
    try:
        modified_at = raw.moment(known.date_modified_gmt)
    except ValueError:
        modified_at = None
    digest = content_digest(body)
    sentence = (
        f"{problem} Its body is kept. Mend the order in the shop and save it there, or retry this activity "
        "with a newer version of qbwoo."
    )
    company = db.get_one(Company, store.company_id)
    if activity is None:
        added = add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind=SALE,
                record_id=str(known.id),
                state=ActivityState.FAILED,
                reason=_UNTRANSLATABLE,
                sentence=sentence,
                payload=body,
                digest=digest,
                modified_at=modified_at,
                order_id=str(known.id),
                reference=(raw.line(known.number) or str(known.id))[:120],
            ),
            cause=sentence,
        )
        note_outcomes(db, company, [added.id])
        return added
    if activity.digest == digest:
        return activity
    if modified_at and activity.modified_at and modified_at < activity.modified_at:
        return activity
    if activity.state not in AT_HOME or activity.reason == "operator":
        _unreadable_task(db, store, f"{store.name} {known.id}", sentence, activity)
        return None
    if activity.state == ActivityState.CANCELLED:
        move(db, activity, ActivityState.PENDING, cause="changed in the shop")
    move(
        db,
        activity,
        ActivityState.FAILED,
        cause=sentence,
        sentence=sentence,
        reason=_UNTRANSLATABLE,
        payload=body,
        digest=digest,
        modified_at=modified_at or activity.modified_at,
        prepared=None,
        unwanted=False,
    )
    note_outcomes(db, company, [activity.id])
    return activity


def is_untranslated(activity: Activity) -> bool:
    """True if its payload is a raw body: retry it by `retranslate`, never as it is."""
    return activity.reason == _UNTRANSLATABLE


def retranslate(db: Session, store: Store, settings: Settings, activity: Activity) -> Disposition:
    """Try again to translate a body that this version may understand. Raises Untranslatable."""
    order = translate_order(activity.payload)
    disposition = decide(order, order_rules(store, settings))
    payload = encode(order)
    to = disposition.state
    if to is ActivityState.PENDING or to in (
        ActivityState.WAITING,
        ActivityState.HELD,
        ActivityState.CANCELLED,
    ):
        move(
            db,
            activity,
            to,
            cause=disposition.sentence or "translated again",
            sentence=disposition.sentence,
            reason=disposition.reason,
            payload=payload,
            digest=content_digest(payload),
            fingerprint=order_fingerprint(order),
            modified_at=order.modified_at,
            reference=order.number[:120],
            unwanted=to is ActivityState.CANCELLED,
        )
    return disposition


def redecide_orders(
    db: Session,
    store: Store,
    settings: Settings,
    *,
    reasons: Sequence[str] = LIFTABLE,
    after_id: int = 0,
    limit: int = 500,
) -> tuple[int, int | None]:
    """Decide anew what is held or waits, after a go-live or a change of settings.

    Returns how many moved to another state or reason, and the id to go on after,
    None at the end. Each call is one bounded piece: commit between them.
    """
    rules = order_rules(store, settings)
    activities = waiting_orders(
        db, company_id=store.company_id, store_id=store.id, reasons=reasons, after_id=after_id, limit=limit
    )
    moved = sum(release(db, activity, rules) for activity in activities)
    return moved, activities[-1].id if len(activities) == limit else None


def release(db: Session, activity: Activity, rules: OrderRules) -> bool:
    """Move a sale that is held or waits to where its content belongs now; False if it is there already."""
    disposition = decide(_order.decode(activity.payload), rules)
    if (activity.state, activity.reason) == (disposition.state, disposition.reason):
        if activity.sentence != disposition.sentence:
            activity.sentence = disposition.sentence
            db.flush()
        return False
    move(
        db,
        activity,
        disposition.state,
        cause=disposition.sentence or "what it waited for is there",
        sentence=disposition.sentence,
        reason=disposition.reason,
        unwanted=disposition.state is ActivityState.CANCELLED,
    )
    return True


def _incoming(store: Store, order: Order, disposition: Disposition) -> Incoming:
    record_id = str(order.order_id)
    return Incoming(
        company_id=store.company_id,
        store_id=store.id,
        kind=SALE,
        record_id=record_id,
        order_id=record_id,
        reference=order.number[:120],
        payload=encode(order),
        fingerprint=order_fingerprint(order),
        modified_at=order.modified_at,
        state=disposition.state,
        reason=disposition.reason,
        sentence=disposition.sentence,
    )


def _is_on_its_way(db: Session, store: Store, order: Order) -> bool:
    activity = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=str(order.order_id)
    )
    return activity is not None and activity.state in _ON_ITS_WAY and activity.reason != _UNTRANSLATABLE


def _ask_again(db: Session, store: Store, order: Order, activity: Activity) -> None:
    """Two contents of one second: only the shop can tell which is the newer."""
    sentence = (
        f"Order {order.number} arrived twice with one time of change but different content: it is read again "
        "from the shop before it is sent."
    )
    if activity.state in (ActivityState.PENDING, ActivityState.WAITING) or (
        activity.state == ActivityState.HELD and activity.reason != "operator"
    ):
        move(db, activity, ActivityState.WAITING, cause=sentence, sentence=sentence, reason="re-read")
    ask_shop(
        db,
        company_id=store.company_id,
        store_id=store.id,
        kind=REREAD_ORDER,
        record_id=str(order.order_id),
        payload=msgspec.json.encode(RereadOrder(order.order_id)),
        order_id=str(order.order_id),
        reference=order.number[:120],
        cause=sentence,
    )


def _unreadable_task(
    db: Session, store: Store, subject: str, sentence: str, activity: Activity | None = None
) -> None:
    if activity is not None:
        note(db, activity.id, activity.state, activity.state, sentence)
    raise_task(
        db,
        company_id=store.company_id,
        kind="unreadable webhook",
        subject=subject,
        sentence=sentence,
        activity_id=activity.id if activity is not None else None,
    )
