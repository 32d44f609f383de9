"""What a person does to activities and stores, where it takes both sides to do it right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
from sqlalchemy.orm import Session

from queue_store import operations
from queue_store.activities import CALLED_OFF, RETURN, SALE, WEB_ORDER, get_activity
from queue_store.companies import get_store, live_kinds, set_live
from queue_store.database import Database
from queue_store.drafts import ask_to_find_drafts
from queue_store.models import Activity, Store
from queue_store.operations import OperationRefused
from queue_store.payloads import Order
from queue_store.product_sync import SYNC_PRODUCT, approve, ask_whole_store
from queue_store.returns import follow, place_beside, sale_of
from queue_store.settings import store_settings
from queue_store.shop_work import waiting_orders
from queue_store.states import ActivityState
from queue_store.undo import call_off, generation_before
from queue_store.undo_plan import UNDOINGS
from queue_store.undoings import decode_undoing
from woo_bridge.disposition import Disposition, decide, decide_web_order, order_rules
from woo_bridge.take_orders import LIFTABLE, redecide_orders
from woo_bridge.take_refunds import ask_for_refunds
from woo_bridge.take_web_orders import make_way
from woo_bridge.untranslated import is_untranslated, retranslate

#: Why a sale is held that a go-live lets go, if its date allows it.
_LIFTED_BY_LIVE = ("not live", "before since")
_order = msgspec.json.Decoder(Order)


def retry(db: Session, ids: Iterable[int], who: str) -> list[Activity]:
    """Retry each; all that were moved."""
    moved: list[Activity] = []
    for activity_id in ids:
        activity = get_activity(db, activity_id)
        if activity in moved:
            continue
        if activity.state == ActivityState.FAILED and is_untranslated(activity) and activity.kind == RETURN:
            # Its order is needed too: both are read again from the shop, and it is taken in anew.
            cause = f"{activity.reference} is read again from the shop, by hand ({who})."
            order_id = int(activity.order_id)
            ask_for_refunds(db, _store_of(db, activity), order_id, activity.order_id, cause)
            operations.audit(
                db, activity.company_id, who, f"activity {activity.id}: retry", "failed", "failed"
            )
        elif activity.state == ActivityState.FAILED and is_untranslated(activity):
            # Its payload is what the shop sent: another version may understand it.
            store = _store_of(db, activity)
            retranslate(db, store, store_settings(db, store), activity)
            operations.audit(
                db, activity.company_id, who, f"activity {activity.id}: retry", "failed", activity.state
            )
            moved.append(activity)
        else:
            moved += operations.retry(db, activity, who)
            _follow_sales(db, moved)
    return moved


def _follow_sales(db: Session, moved: Iterable[Activity]) -> None:
    """A refund that is retried goes where its sale stands: never before it, nor without it."""
    for activity in moved:
        if activity.kind == RETURN and activity.state == ActivityState.PENDING:
            _follow(db, activity)


def _follow(db: Session, refund: Activity) -> None:
    sale = sale_of(db, refund.company_id, refund.store_id, refund.order_id)
    if sale is not None:
        follow(db, refund, sale)


def hold(db: Session, ids: Iterable[int], who: str) -> list[Activity]:
    """Hold each; all of them."""
    found = [get_activity(db, activity_id) for activity_id in ids]
    for activity in found:
        operations.hold(db, activity, who)
    return found


def release(db: Session, ids: Iterable[int], who: str) -> list[Activity]:
    """Let each go to where its content belongs now; all of them."""
    found = [get_activity(db, activity_id) for activity_id in ids]
    for activity in found:
        _refuse_called_off(db, activity)
        where = _disposition(db, activity)
        operations.release(db, activity, who, to=where.state, reason=where.reason, sentence=where.sentence)
        if activity.kind == SYNC_PRODUCT:
            approve(db, activity)
        make_way(db, activity)
        if activity.kind == RETURN and activity.state != ActivityState.PENDING:
            # It goes after its sale: that is noted, so that the sale wakes it.
            _follow(db, activity)
    return found


def _refuse_called_off(db: Session, activity: Activity) -> None:
    """An undo that was cancelled is ordered anew, with its next generation; neither is let go by itself."""
    if activity.kind in UNDOINGS and activity.state == ActivityState.CANCELLED:
        what = decode_undoing(activity.payload)
        again = " --again" if what.again else ""
        raise OperationRefused(
            activity,
            f"was cancelled, with all that hung on it. Run: qbwoo activity undo {what.activity_id}{again}",
        )
    if activity.reason == CALLED_OFF:
        standing = generation_before(db, activity)
        undo = "" if standing is None else f" To undo that after all run: qbwoo activity undo {standing.id}"
        raise OperationRefused(activity, f"would take the place of what stands. {activity.sentence}{undo}")


def cancel(db: Session, ids: Iterable[int], who: str) -> list[Activity]:
    """Cancel each; all of them."""
    found = [get_activity(db, activity_id) for activity_id in ids]
    for activity in found:
        if activity.kind in UNDOINGS:
            call_off(db, activity, who)
        operations.cancel(db, activity, who)
    return found


DEEDS: Mapping[str, Callable[[Session, Iterable[int], str], list[Activity]]] = {
    "retry": retry,
    "hold": hold,
    "release": release,
    "cancel": cancel,
}


def count_released_by_live(db: Session, store: Store, kinds: Sequence[str]) -> int:
    """How many held sales a go-live with these kinds would let go."""
    if "orders" not in kinds:
        return 0
    settings = store_settings(db, store)
    since = settings["orders.since"] or store.live_since or datetime.now(UTC)
    rules = replace(order_rules(store, settings), live=True, since=since)
    count, after_id = 0, 0
    while found := waiting_orders(
        db,
        company_id=store.company_id,
        store_id=store.id,
        reasons=_LIFTED_BY_LIVE,
        after_id=after_id,
        limit=500,
    ):
        after_id = found[-1].id
        count += sum(
            decide(_order.decode(activity.payload), rules).state is ActivityState.PENDING
            for activity in found
        )
    return count


def go_live(database: Database, name: str, kinds: Sequence[str], who: str) -> int:
    """Switch exactly these kinds on, and decide anew what is held; how many moved.

    In pieces, each its own transaction: webhooks go on arriving meanwhile.
    """
    with database.write() as db:
        store = get_store(db, name)
        set_live(db, store, kinds, who=who)
        if store.live_since is not None:
            # The shop tells whole seconds: an order of this very second is not from before.
            store.live_since = store.live_since.replace(microsecond=0)
    find_drafts(database, name)
    if "orders" not in kinds:
        with database.write() as db:
            _hold_all(db, get_store(db, name), who)
        return 0
    return _decide_anew(database, name, _LIFTED_BY_LIVE)


def find_drafts(database: Database, name: str) -> None:
    """What the store wants as products changed: the worker looks through QuickBooks' items."""
    with database.write() as db:
        ask_to_find_drafts(db, get_store(db, name), cause="a setting was changed, or the store went live")


def decide_anew(database: Database, name: str) -> int:
    """A setting of the store changed: decide anew what is held or waits; how many moved."""
    return _decide_anew(database, name, LIFTABLE)


def look_at_products(database: Database, name: str, cause: str) -> int:
    """What a shop should show may have changed: ask for the products that differ; how many.

    In pieces, each its own transaction.
    """
    asked, after_id = 0, 0
    while True:
        with database.write() as db:
            number, next_id = ask_whole_store(db, get_store(db, name), cause=cause, after_id=after_id)
        asked += number
        if next_id is None:
            return asked
        after_id = next_id


def _decide_anew(database: Database, name: str, reasons: Sequence[str]) -> int:
    moved, after_id = 0, 0
    while True:
        with database.write() as db:
            store = get_store(db, name)
            number, next_id = redecide_orders(
                db, store, store_settings(db, store), reasons=reasons, after_id=after_id
            )
        moved += number
        if next_id is None:
            return moved
        after_id = next_id


def pause(db: Session, store: Store, who: str) -> int:
    """Switch every kind off, and hold what could still be sent; how many were held."""
    set_live(db, store, (), who=who)
    return _hold_all(db, store, who)


def _hold_all(db: Session, store: Store, who: str) -> int:
    def sentence(name: str) -> str:
        return (
            f"{name} is held: store {store.name} is paused. It goes when you run: "
            f"qbwoo store live {store.name}"
        )

    return operations.hold_store(db, store, who, sentence)


def _disposition(db: Session, activity: Activity) -> Disposition:
    """Where a released sale belongs: a person may let an order from before the day go."""
    if activity.kind == RETURN:
        return _place_of_return(db, activity)
    if activity.kind == WEB_ORDER:
        return _place_of_web_order(db, activity)
    if activity.kind != SALE or is_untranslated(activity):
        return Disposition(ActivityState.PENDING)
    store = _store_of(db, activity)
    rules = order_rules(store, store_settings(db, store))
    # Pushed, as far as its date goes; but nothing of a paused store flows.
    where = decide(_order.decode(activity.payload), rules, pushed=True)
    if where.state is not ActivityState.PENDING or "orders" in live_kinds(store):
        return where
    return decide(_order.decode(activity.payload), replace(rules, since=None))


def _place_of_return(db: Session, activity: Activity) -> Disposition:
    """A released refund goes where its sale stands, if the shop still has it."""
    if activity.unwanted and activity.reason != "activity":
        sentence = f"{activity.reference} was deleted in the shop: nothing to send."
        return Disposition(ActivityState.CANCELLED, sentence=sentence)
    sale = sale_of(db, activity.company_id, activity.store_id, activity.order_id)
    if sale is None:
        return Disposition(ActivityState.PENDING)
    place = place_beside(sale, activity.reference, _store_of(db, activity))
    return Disposition(place.state, place.reason, place.sentence)


def _place_of_web_order(db: Session, activity: Activity) -> Disposition:
    """A released web order goes, unless its order was cancelled or has become a receipt."""
    store = _store_of(db, activity)
    order = _order.decode(activity.payload)
    wanted = decide_web_order(order, order_rules(store, store_settings(db, store)), pushed=True)
    if activity.unwanted or wanted is None:
        sentence = f"Order {order.number} wants no web order any more: nothing to send."
        return Disposition(ActivityState.CANCELLED, sentence=sentence)
    return wanted


def _store_of(db: Session, activity: Activity) -> Store:
    store = db.get(Store, activity.store_id)
    assert store is not None, f"activity {activity.id} has no store"
    return store
