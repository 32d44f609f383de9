"""What a shop order asks of the books now: to be sent, to wait, to be held, or nothing.

A pure function of the order and of the store's settings. Several reasons can
hold at once; the one that is shown is the one that the reader can do least
about elsewhere: what the shop says of the order first, then money, then dates,
then the store's own switch.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from queue_store.companies import live_kinds
from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.setting_tables import NOTHING, RECEIPT, SALES_ORDER, DocumentTable
from queue_store.settings import Settings, documents_of
from queue_store.states import ActivityState

#: Given back in full. A sale that was not sent yet goes all the same, if money was taken, and its return with it.
REFUNDED = "refunded"
ENDED = {
    "cancelled": "was cancelled in the shop",
    "failed": "was not paid: its payment failed in the shop",
    "trash": "lies in the shop's trash",
}


@dataclass(frozen=True, slots=True)
class Disposition:
    """The state that an order should have in the queue, and why."""

    state: ActivityState
    #: For the code: "", "status", "money", "not live" or "before since".
    reason: str = ""
    #: For people; empty when all is well.
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRules:
    """What of a store decides about its orders, as it stands in one transaction."""

    store: str
    documents: DocumentTable
    paid_later: tuple[str, ...]
    live: bool
    #: Orders placed earlier go only by push; None: the store was never live and no date is set.
    since: datetime | None
    #: An order that was refunded in full before it was sent: True if sale and return are sent all the same.
    sends_refunded: bool = True


def order_rules(store: Store, settings: Settings) -> OrderRules:
    """The rules of `store`; `settings` are its own."""
    return OrderRules(
        store=store.name,
        documents=documents_of(settings),
        paid_later=settings["orders.paid_later"],
        live="orders" in live_kinds(store),
        since=settings["orders.since"] or store.live_since,
        sends_refunded=settings["orders.refunded_unsent"] == "both",
    )


def decide(order: Order, rules: OrderRules, *, pushed: bool = False) -> Disposition:
    """Where `order` belongs now. A push asks neither for the go-live nor for the order's date."""
    ended = ENDED.get(order.status)
    if ended:
        return Disposition(
            ActivityState.CANCELLED, sentence=f"Order {order.number} {ended}: nothing to send."
        )
    if order.status == REFUNDED:
        outcome = _cancelled_by_refund(order, rules)
    else:
        outcome = _waits_for_status(order, rules) or _waits_for_money(order, rules)
    if outcome:
        return outcome
    if pushed:
        return Disposition(ActivityState.PENDING)
    return _held(order, rules) or Disposition(ActivityState.PENDING)


def decide_web_order(order: Order, rules: OrderRules, *, pushed: bool = False) -> Disposition | None:
    """Where the web order of `order` belongs now; None: it wants none, for the time being or any more."""
    if rules.documents.of(order.status, order.payment_method) != SALES_ORDER or order.status in ENDED:
        return None
    if pushed:
        return Disposition(ActivityState.PENDING)
    return _held(order, rules) or Disposition(ActivityState.PENDING)


def _cancelled_by_refund(order: Order, rules: OrderRules) -> Disposition | None:
    if order.paid_at is None and order.completed_at is None:
        why = "and no money had been taken: nothing to send."
    elif not rules.sends_refunded:
        why = "before its receipt was sent: neither is sent, as orders.refunded_unsent says."
    else:
        return None
    return Disposition(ActivityState.CANCELLED, sentence=f"Order {order.number} was refunded in full, {why}")


def _waits_for_status(order: Order, rules: OrderRules) -> Disposition | None:
    document = rules.documents.of(order.status, order.payment_method)
    if document == RECEIPT:
        return None
    becomes = {SALES_ORDER: ", which becomes a web order", NOTHING: ", for which nothing is sent"}
    by_gateway = f" (paid by {order.payment_method})" if document else ""
    # Its own status may become a receipt for other gateways.
    others = [status for status in rules.documents.statuses(RECEIPT) if status != order.status]
    for_others = (
        f"are sent for {', '.join(others)}" if others else "of it are sent for other ways of paying only"
    )
    sentence = (
        f"Order {order.number} waits: its status is {order.status}{by_gateway}{becomes.get(document, '')}; receipts "
        f"{for_others}."
    )
    return Disposition(ActivityState.WAITING, "status", sentence)


def _waits_for_money(order: Order, rules: OrderRules) -> Disposition | None:
    if order.paid_at is not None or order.status == "completed" or order.total == 0:
        return None
    gateway = order.payment_title or order.payment_method
    if order.payment_method in rules.paid_later:
        sentence = (
            f"Order {order.number} waits for its money: {gateway} ({order.payment_method}) is paid later. "
            "It goes when the shop notes the payment or completes the order."
        )
    else:
        paid_by = f" by {gateway}" if gateway else ""
        sentence = (
            f"Order {order.number} is {order.status}, but the shop has no date of payment{paid_by}. A receipt "
            "needs money: it goes when the shop notes the payment or completes the order."
        )
    return Disposition(ActivityState.WAITING, "money", sentence)


def _held(order: Order, rules: OrderRules) -> Disposition | None:
    # Going live would not help an order from before the day, so the day is told first.
    if rules.since is not None and order.created_at < rules.since:
        return Disposition(
            ActivityState.HELD,
            "before since",
            f"Order {order.number} was placed on {_day(order.created_at)}, before {_day(rules.since)}: it goes "
            f"only by push. Run: qbwoo push orders --store {rules.store} --ids {order.order_id}",
        )
    if rules.live:
        return None
    if rules.since is not None:
        how = f"It goes when you run: qbwoo store live {rules.store}"
    else:
        how = (
            f"Run: qbwoo store live {rules.store} (orders placed before the first go-live then go only by push, "
            "unless orders.since names an earlier day)"
        )
    return Disposition(
        ActivityState.HELD,
        "not live",
        f"Order {order.number} is held: store {rules.store} is not live for orders. {how}",
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
