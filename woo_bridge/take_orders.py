"""Shop orders into the queue, whichever way they came: webhook, push or reading again.

An order of a shop is a "sale": one receipt, whatever happens to the order later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from queue_store.activities import (
    ORDER_KINDS,
    SALE,
    WEB_ORDER,
    get_activity,
    move,
)
from queue_store.bulk_intake import Seen, add_records, seen_records
from queue_store.erasures import without_erased
from queue_store.fingerprint import content_digest, order_fingerprint
from queue_store.intake import Incoming, Taken, take_in
from queue_store.models import Activity, Store
from queue_store.payloads import Order, encode
from queue_store.returns import follow, follow_sale, sale_of
from queue_store.settings import Settings
from queue_store.shop_work import ask_shop, waiting_orders
from queue_store.states import AT_HOME, ActivityState
from queue_store.takings import take_stock
from queue_store.withdraw import web_order_of
from woo_bridge.disposition import ENDED, REFUNDED, Disposition, OrderRules, decide, order_rules
from woo_bridge.take_refunds import UNTRANSLATABLE, see_to_refunds
from woo_bridge.take_web_orders import REREAD, make_way, redecide_web_order, take_web_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

REREAD_ORDER = "reread_order"
#: Reasons under which an order waits that a change of settings can lift.
LIFTABLE = ("status", "money", "not live", "before since")

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
    with_refunds: bool = True,
) -> tuple[Taken, Activity]:
    """Take in the newest state of one order.

    `read_now`: it was just read from the shop, so that it is the truth even if
    the queue has other content of the same second. What arrived by webhook is
    then read again before it is sent. Refunds that the queue does not know are
    asked for, unless `with_refunds` says that they are at hand.
    """
    [order] = without_erased(db, store.company_id, store.id, [order])
    taken, activity = _take_order(
        db, store, rules, order, pushed=pushed, read_now=read_now, with_refunds=with_refunds
    )
    if taken is not Taken.OLDER:
        take_stock(db, store, [order], read_now=read_now)
    return taken, activity


def _take_order(
    db: Session,
    store: Store,
    rules: OrderRules,
    order: Order,
    *,
    pushed: bool = False,
    read_now: bool = False,
    with_refunds: bool = True,
) -> tuple[Taken, Activity]:
    disposition = decide(order, rules, pushed=pushed)
    if disposition.state is ActivityState.CANCELLED and _was_refunded_after_sent(db, store, order):
        disposition = Disposition(ActivityState.PENDING)
    if disposition.state is ActivityState.HELD:
        known = sale_of(db, store.company_id, store.id, str(order.order_id))
        if known is not None and _is_on_its_way(known):
            # Pushed, or in the queue from before a pause: newer content does not take it back.
            disposition = Disposition(ActivityState.PENDING)
        elif known is not None:
            rules = _rules_for(known, rules)
            disposition = decide(order, rules)
    taken, activity = take_in(db, _incoming(store, order, disposition))
    if pushed and not activity.pushed:
        activity.pushed = True
        db.flush()
    if taken is Taken.SAME_SECOND and read_now:
        taken = Taken.REPLACED
    elif taken is Taken.SAME_SECOND:
        _ask_again(db, store, order, activity)
    if taken in (Taken.REPLACED, Taken.SAME_SECOND):
        follow_sale(db, activity)
    if (
        with_refunds
        and taken not in (Taken.OLDER, Taken.UNCHANGED)
        and (order.refunds or taken is not Taken.NEW)
    ):
        see_to_refunds(db, store, order)
    if taken is not Taken.OLDER and (rules.documents.has_orders or order.status in ENDED):
        take_web_order(db, store, rules, order, activity, pushed=pushed)
    return taken, activity


def take_orders(
    db: Session, store: Store, rules: OrderRules, orders: Sequence[Order], *, read_now: bool = False
) -> list[tuple[Taken, int]]:
    """`take_order` for many at once, with each one's activity id: what was never seen goes in by one statement."""
    orders = without_erased(db, store.company_id, store.id, orders)
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
            if order.refunds:
                see_to_refunds(db, store, order)
            if rules.documents.has_orders:
                take_web_order(db, store, rules, order, get_activity(db, there.activity_id))
        elif there.has(encode(order)):
            # The shop sends "created" and "updated" with one content.
            results.append((Taken.UNCHANGED, there.activity_id))
        else:
            taken, activity = _take_order(db, store, rules, order, read_now=read_now)
            known[record_id] = Seen(activity.id, activity.state, activity.digest)
            results.append((taken, activity.id))
    newest = [order for order, (taken, _) in zip(orders, results, strict=True) if taken is not Taken.OLDER]
    take_stock(db, store, newest, read_now=read_now)
    return results


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
        db,
        company_id=store.company_id,
        store_id=store.id,
        reasons=reasons,
        after_id=after_id,
        limit=limit,
        kinds=ORDER_KINDS,
    )
    moved = sum(_redecide(db, activity, rules) for activity in activities)
    return moved, activities[-1].id if len(activities) == limit else None


def _redecide(db: Session, activity: Activity, rules: OrderRules) -> bool:
    if activity.kind == SALE:
        return release(db, activity, rules)
    if activity.kind == WEB_ORDER:
        return redecide_web_order(db, activity, _order.decode(activity.payload), rules)
    sale = sale_of(db, activity.company_id, activity.store_id, activity.order_id)
    return sale is not None and follow(db, activity, sale)


def release(db: Session, activity: Activity, rules: OrderRules) -> bool:
    """Move a sale that is held or waits to where its content belongs now; False if it is there already."""
    disposition = decide(_order.decode(activity.payload), _rules_for(activity, rules))
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
    follow_sale(db, activity)
    make_way(db, activity)
    return True


def let_go(db: Session, sale: Activity, rules: OrderRules) -> None:
    """The sale and its web order go where their content belongs, if they still wait for the order to be read again."""
    if sale.reason == REREAD:
        release(db, sale, rules)
    web_order = web_order_of(db, sale)
    if web_order is not None and web_order.reason == REREAD:
        redecide_web_order(db, web_order, _order.decode(web_order.payload), rules)


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


def _is_on_its_way(sale: Activity) -> bool:
    return sale.state in _ON_ITS_WAY and sale.reason != UNTRANSLATABLE


def _rules_for(sale: Activity, rules: OrderRules) -> OrderRules:
    """Of an order that was pushed nobody asks for its day any more, also when its money or its status comes later."""
    return replace(rules, since=None) if sale.pushed else rules


def _was_refunded_after_sent(db: Session, store: Store, order: Order) -> bool:
    """Refunded in full when its receipt was on its way or written: the return follows, nothing was cancelled."""
    if order.status != REFUNDED:
        return False
    activity = sale_of(db, store.company_id, store.id, str(order.order_id))
    return activity is not None and activity.state not in AT_HOME


def _ask_again(db: Session, store: Store, order: Order, activity: Activity) -> None:
    """Two contents of one second: only the shop can tell which is the newer."""
    sentence = (
        f"Order {order.number} arrived twice with one time of change but different content: it is read again "
        "from the shop before it is sent."
    )
    if activity.state in (ActivityState.PENDING, ActivityState.WAITING) or (
        activity.state == ActivityState.HELD and activity.reason != "operator"
    ):
        move(db, activity, ActivityState.WAITING, cause=sentence, sentence=sentence, reason=REREAD)
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
