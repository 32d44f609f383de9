"""Webhook bodies: what they are, and what each of them does to the queue.

Reading a body (`read_delivery`) needs no database; keeping it (`keep_delivery`)
is one transaction of the caller. The delivery id is not unique and the topic is
no event (the body is the record's state when it was sent), so that what is new
is told by record and content alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queue_store.activities import SALE, WEB_ORDER
from queue_store.companies import live_kinds
from queue_store.erasures import body_without_erased, is_erased
from queue_store.intake import Incoming
from queue_store.models import Store
from queue_store.payloads import Customer, Order, encode
from queue_store.product_payloads import ShopItem
from queue_store.product_sync import ask_store_products
from queue_store.returns import follow_sale
from queue_store.settings import Settings
from queue_store.shop_products import keep_products, keeps_products, mark_trashed
from queue_store.shop_work import is_mapped, take_in_change
from queue_store.webhook_log import keep_body
from queue_store.withdraw import withdraw
from woo_bridge import raw
from woo_bridge.disposition import order_rules
from woo_bridge.errors import Untranslatable
from woo_bridge.read_products import refuse_product, see_to_products
from woo_bridge.take_orders import take_orders
from woo_bridge.translate_customers import customer_fingerprint, translate_customer
from woo_bridge.translate_orders import translate_order
from woo_bridge.translate_products import translate_product
from woo_bridge.untranslated import refuse_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CHANGE_CUSTOMER = "change_customer"

#: Topics that are used; everything else is answered 200 and goes no further.
ORDER_TOPICS = frozenset({"order.created", "order.updated", "order.restored"})
ORDER_GONE = "order.deleted"
#: A delivery of our own, to prove that the public URL leads here.
TEST_TOPIC = "qbwoo.test"
CUSTOMER_TOPICS = frozenset({"customer.created", "customer.updated"})
#: A variation's come with its own id; "published" comes beside "created" or "updated", with the same body.
PRODUCT_TOPICS = frozenset({"product.created", "product.updated", "product.restored", "product.published"})
PRODUCT_GONE = "product.deleted"
_USED = ORDER_TOPICS | CUSTOMER_TOPICS | PRODUCT_TOPICS | {ORDER_GONE, PRODUCT_GONE}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body, read: at most one of the fields below `body` is set; none: nothing to do."""

    topic: str
    body: bytes
    order: Order | None = None
    customer: Customer | None = None
    product: ShopItem | None = None
    #: Id of an order, of a product, that was deleted or trashed.
    gone_order: int | None = None
    gone_product: int | None = None
    problem: Untranslatable | None = None
    #: Why there is nothing to do.
    nothing: str = ""

    @property
    def subject(self) -> str:
        """The record concerned, as an operator would search for it; "" where that is not known."""
        if self.order is not None:
            return f"order {self.order.order_id}"
        if self.customer is not None:
            return f"customer {self.customer.customer_id}"
        if self.product is not None:
            return f"product {self.product.product_id}"
        if self.gone_product is not None:
            return f"product {self.gone_product}"
        return f"order {self.gone_order}" if self.gone_order is not None else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a delivery, in a word for the log, and the activity concerned."""

    word: str
    activity_id: int | None = None


def read_delivery(topic: str, body: bytes) -> Delivery:
    """Read a body that is known to come from the shop; never raises."""
    if topic not in _USED:
        return Delivery(topic, body, nothing="topic not used")
    try:
        if topic in ORDER_TOPICS:
            return Delivery(topic, body, order=translate_order(body))
        if topic in CUSTOMER_TOPICS:
            return Delivery(topic, body, customer=translate_customer(body))
        if topic in PRODUCT_TOPICS:
            return Delivery(topic, body, product=translate_product(body))
    except Untranslatable as problem:
        known = raw.identify(body)
        if known is not None and known.id is None and known.code is not None and known.message is not None:
            # The record was deleted between its change and the delivery.
            return Delivery(topic, body, nothing=f"error object {raw.line(known.code)}")
        return Delivery(topic, body, problem=problem)
    known = raw.identify(body)
    if known is None or known.id is None:
        what = "A deleted product" if topic == PRODUCT_GONE else "A deleted order"
        return Delivery(topic, body, problem=Untranslatable(what, "id", "there is none"))
    if topic == PRODUCT_GONE:
        return Delivery(topic, body, gone_product=known.id)
    return Delivery(topic, body, gone_order=known.id)


def keep_delivery(db: Session, store: Store, settings: Settings, delivery: Delivery) -> Outcome:
    """Do what a delivery asks for; `settings` are the store's."""
    if delivery.order is not None:
        [(taken, activity_id)] = take_orders(db, store, order_rules(store, settings), [delivery.order])
        return Outcome(taken.value, activity_id)
    if delivery.customer is not None:
        return keep_customer(db, store, settings, delivery.customer)
    if delivery.product is not None:
        return _keep_product(db, store, delivery.product)
    if delivery.gone_product is not None:
        return _trash_product(db, store, delivery.gone_product)
    if delivery.gone_order is not None:
        return withdraw_order(db, store, delivery.gone_order)
    if delivery.problem is not None:
        if delivery.topic in PRODUCT_TOPICS or delivery.topic == PRODUCT_GONE:
            if keeps_products(store):
                refuse_product(db, store, delivery.topic, delivery.body, delivery.problem)
                return Outcome("untranslatable")
            return Outcome("not live for products")
        if delivery.topic in CUSTOMER_TOPICS:
            body = body_without_erased(db, store.company_id, delivery.body)
            keep_body(db, store_id=store.id, topic=delivery.topic, reason=str(delivery.problem), body=body)
            return Outcome("untranslatable")
        refused = refuse_order(db, store, delivery.topic, delivery.body, delivery.problem)
        return Outcome("untranslatable", refused.id if refused is not None else None)
    return Outcome(delivery.nothing)


def keep_deliveries(
    db: Session, store: Store, settings: Settings, deliveries: Sequence[Delivery]
) -> list[Outcome]:
    """`keep_delivery` for several of one store; runs of orders go into the queue together."""
    outcomes: list[Outcome] = []
    run: list[Order] = []
    rules = order_rules(store, settings)

    def take_run() -> None:
        if run:
            taken = take_orders(db, store, rules, run)
            outcomes.extend(Outcome(word.value, activity_id) for word, activity_id in taken)
            run.clear()

    for delivery in deliveries:
        if delivery.order is not None:
            run.append(delivery.order)
        else:
            take_run()
            outcomes.append(keep_delivery(db, store, settings, delivery))
    take_run()
    return outcomes


def receive_webhook(db: Session, store: Store, settings: Settings, topic: str, body: bytes) -> Outcome:
    """Both steps at once, for a body whose signature was checked."""
    return keep_delivery(db, store, settings, read_delivery(topic, body))


def withdraw_order(db: Session, store: Store, order_id: int) -> Outcome:
    """An order that was deleted or trashed in the shop."""
    withdrawn, activity = withdraw(
        db,
        company_id=store.company_id,
        store_id=store.id,
        kind=SALE,
        record_id=str(order_id),
        sentence=f"Order {order_id} was deleted in the shop: nothing to send.",
    )
    if activity is not None:
        follow_sale(db, activity)
        withdraw(
            db,
            company_id=store.company_id,
            store_id=store.id,
            kind=WEB_ORDER,
            record_id=str(order_id),
            sentence=f"Order {order_id} was deleted in the shop: nothing to send.",
        )
    return Outcome(withdrawn.value, activity.id if activity is not None else None)


def _keep_product(db: Session, store: Store, item: ShopItem) -> Outcome:
    """One upsert and one comparison: what must be written is the worker's. Our own writing ends here."""
    if not keeps_products(store):
        return Outcome("not live for products")
    kept = keep_products(db, store, [item], read_now=False)
    asked = see_to_products(db, store, kept, cause="changed in the shop")
    word = kept[item.product_id].value
    return Outcome(f"{word}, asked for" if asked else word)


def _trash_product(db: Session, store: Store, product_id: int) -> Outcome:
    """No more than its id is told, and deliveries may come late: the worker looks what became of it."""
    if not keeps_products(store) or not mark_trashed(db, store, product_id):
        return Outcome("not known")
    ask_store_products(db, store, [product_id], cause="deleted or trashed in the shop", always=True)
    return Outcome("trashed")


def keep_customer(db: Session, store: Store, settings: Settings, customer: Customer) -> Outcome:
    """A shop account as it is now: its change goes to QuickBooks if QuickBooks has that customer."""
    if "customers" not in live_kinds(store):
        return Outcome("not live for customers")
    if not settings["customers.update"]:
        return Outcome("customers.update is off")
    if is_erased(db, store.company_id, customer.email):
        return Outcome("customer was erased")
    key = f"customer:{customer.customer_id}"
    if not is_mapped(db, company_id=store.company_id, store_id=store.id, kind="customer", key=key):
        # A customer goes to QuickBooks with the first order, not before.
        return Outcome("customer not in QuickBooks")
    taken, activity = take_in_change(
        db,
        Incoming(
            company_id=store.company_id,
            store_id=store.id,
            kind=CHANGE_CUSTOMER,
            record_id=str(customer.customer_id),
            reference=(customer.email or f"customer {customer.customer_id}")[:120],
            payload=encode(customer),
            fingerprint=customer_fingerprint(customer),
            modified_at=customer.modified_at,
        ),
    )
    return Outcome(taken.value, activity.id)
