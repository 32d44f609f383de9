"""Orders sent because somebody says so: by id, by day, by status; also those from before the go-live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from queue_store.activities import WEB_ORDER, called, newest_of_record
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.intake import Taken
from queue_store.models import Activity, Store
from queue_store.payloads import Order
from queue_store.returns import refund_record_id, returns_of
from queue_store.setting_tables import RECEIPT, SALES_ORDER
from queue_store.settings import store_settings
from queue_store.states import ActivityState
from woo_bridge import raw
from woo_bridge.client import ShopClient
from woo_bridge.disposition import OrderRules, order_rules
from woo_bridge.errors import NoSuchRecord, Untranslatable
from woo_bridge.take_orders import take_order
from woo_bridge.take_refunds import take_refunds
from woo_bridge.translate_orders import name_of, translate_order
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What goes into QuickBooks beside the receipt of an order: a web order or a return."""

    #: "Web order 71", "Refund 110 of order 71".
    name: str
    kind: str
    #: A word: a value of `Taken`.
    outcome: str
    state: ActivityState
    #: As of `Activity`.
    record_id: str
    generation: int
    reference: str
    reason: str
    sentence: str
    #: The web order's or the refund's, see `queue_store.payloads`.
    payload: bytes
    #: What the shop gave back, or the order comes to; None if it could not be read.
    total: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult:
    """What became of one order, or in a dry run: would become."""

    #: "Order 71".
    name: str
    #: A word: a value of `Taken`, "untranslatable" or "not in the shop".
    outcome: str
    #: The state that its activity has now; None if there is none.
    state: ActivityState | None = None
    sentence: str = ""
    activity_id: int | None = None
    #: The order as it would go; None if it could not be read.
    order: Order | None = None
    #: Its web order and its returns, as far as they were looked at.
    beside: tuple[Beside, ...] = ()


def _sent_statuses(rules: OrderRules) -> tuple[str, ...]:
    return rules.documents.statuses(RECEIPT) + rules.documents.statuses(SALES_ORDER)


class _RollBack(Exception):
    """Undoes what a dry run did to learn what would happen."""


def push_orders(
    database: Database,
    client: ShopClient,
    store_name: str,
    *,
    ids: Sequence[int] = (),
    since: datetime | None = None,
    statuses: Sequence[str] = (),
    dry_run: bool = False,
    read_refunds: bool = False,
) -> Iterator[PushResult]:
    """Read orders from the shop and put them into the queue, one result after the other.

    `ids`, or those placed at or after `since`, or both unset and `statuses`.
    Without `statuses` those that become a document are read. A push asks neither
    for the go-live nor for `orders.since`, but an order that waits for money or
    a status still waits. Each order is committed before its result is given; a
    dry run writes nothing, and with `read_refunds` reads the refunds that a push
    leaves to the worker. Raises NotFound, ShopError.
    """
    if not ids and since is None and not statuses:
        raise ValueError("say which orders: ids, since or statuses")
    with database.read() as db:
        store = get_store(db, store_name)
        wanted = tuple(statuses) or (
            () if ids else _sent_statuses(order_rules(store, store_settings(db, store)))
        )

    def pushed(body: bytes) -> PushResult:
        refunds = _refunds(client, body) if dry_run and read_refunds else []
        return _push(database, store_name, body, refunds, dry_run)

    # "after" leaves out the equal second.
    after = since - timedelta(seconds=1) if since is not None else None
    found: set[int | None] = set()
    for body in client.iter_orders(ids=ids, after=after, statuses=wanted):
        known = raw.identify(body)
        found.add(known.id if known is not None else None)
        yield pushed(body)
    # Lists leave out trashed orders and drafts.
    for missing in [number for number in dict.fromkeys(ids) if number not in found]:
        if wanted or after:
            yield PushResult(name=f"Order {missing}", outcome="not in the shop", sentence=_left_out(missing))
            continue
        try:
            body = client.get_order(missing)
        except NoSuchRecord:
            yield PushResult(
                name=f"Order {missing}",
                outcome="not in the shop",
                sentence=f"Order {missing}: the shop has no order of this id. The id is in the address of its admin page.",
            )
            continue
        yield pushed(body)


def _left_out(order_id: int) -> str:
    return (
        f"Order {order_id} is not among the orders asked for: check its status and date, or leave those out."
    )


def _refunds(client: ShopClient, body: bytes) -> list[bytes]:
    """The refunds of an order, as the shop has them; none where it lists none, or is gone by now."""
    try:
        order = translate_order(body)
        return client.get_refunds(order.order_id) if order.refunds else []
    except (Untranslatable, NoSuchRecord):
        return []


def _push(
    database: Database, store_name: str, body: bytes, refunds: Sequence[bytes], dry_run: bool
) -> PushResult:
    results: list[PushResult] = []

    def work(db: Session) -> None:
        results.append(_take(db, store_name, body, refunds))
        if dry_run:
            raise _RollBack

    with suppress(_RollBack):
        database.write_again(work)
    return results[-1]


def _take(db: Session, store_name: str, body: bytes, refunds: Sequence[bytes]) -> PushResult:
    store = get_store(db, store_name)
    try:
        order = translate_order(body)
    except Untranslatable as problem:
        refused = refuse_order(db, store, "push", body, problem)
        return PushResult(
            name=name_of(body),
            outcome="untranslatable",
            state=ActivityState(refused.state) if refused is not None else None,
            sentence=str(problem),
            activity_id=refused.id if refused is not None else None,
        )
    rules = order_rules(store, store_settings(db, store))
    known = set(_beside_ids(db, store, order))
    taken, activity = take_order(db, store, rules, order, pushed=True, read_now=True)
    beside = take_refunds(db, store, order, activity, refunds) if refunds else []
    web_order = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=WEB_ORDER, record_id=str(order.order_id)
    )
    if web_order is not None:
        beside.insert(0, web_order)
    return PushResult(
        name=f"Order {order.number}",
        outcome=taken.value,
        state=ActivityState(activity.state),
        sentence=activity.sentence or _booked(order, activity),
        activity_id=activity.id,
        order=order,
        beside=tuple(_beside(one, order, is_known=one.id in known) for one in beside),
    )


def _beside_ids(db: Session, store: Store, order: Order) -> Iterator[int]:
    record_id = str(order.order_id)
    for one in returns_of(db, store.company_id, store.id, record_id):
        yield one.id
    web_order = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=WEB_ORDER, record_id=record_id
    )
    if web_order is not None:
        yield web_order.id


def _beside(activity: Activity, order: Order, *, is_known: bool) -> Beside:
    in_books = activity.state in (ActivityState.SUCCEEDED, ActivityState.SUPERSEDED)
    outcome = Taken.IN_BOOKS if in_books else Taken.UNCHANGED if is_known else Taken.NEW
    amounts = {refund_record_id(order.order_id, one.refund_id): -one.total for one in order.refunds}
    what = "sales order" if activity.kind == WEB_ORDER else "return"
    there = f"{called(activity)} is in the books already, as {what} {activity.txn_number or activity.txn_id}."
    return Beside(
        name=called(activity),
        kind=activity.kind,
        outcome=outcome.value,
        state=ActivityState(activity.state),
        record_id=activity.record_id,
        generation=activity.generation,
        reference=activity.reference,
        reason=activity.reason,
        sentence=activity.sentence or (there if in_books else ""),
        payload=activity.payload,
        total=order.total if activity.kind == WEB_ORDER else amounts.get(activity.record_id),
    )


def _booked(order: Order, activity: Activity) -> str:
    if activity.state != ActivityState.SUCCEEDED:
        return ""
    return (
        f"Order {order.number} is in the books already, as receipt {activity.txn_number or activity.txn_id}."
    )
