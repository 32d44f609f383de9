"""What commands ask of a shop itself: is it as it must be, connect it, push its orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from ops_console.settings import ProcessSettings
from qbwc_service import previewing
from qbwc_service.needs import Prepared
from qbwc_service.previewing import Preview
from qbwc_service.run import Run
from queue_store.activities import RETURN, SALE, newest_of_record
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity, Company, Store
from queue_store.payloads import Order, encode
from queue_store.secrets import SecretBox
from queue_store.settings import company_settings
from queue_store.states import AT_HOME, ActivityState
from woo_bridge.client import ShopClient, Webhook
from woo_bridge.connect import TOPICS, ConnectReport, connect_store, delivery_url
from woo_bridge.errors import ShopError
from woo_bridge.push import Beside, PushResult, push_orders
from woo_bridge.store_urls import check_store_url
from woo_bridge.untranslated import is_untranslated
from woo_bridge.worker import open_client


@contextmanager
def shop_client(
    settings: ProcessSettings, database: Database, box: SecretBox, name: str
) -> Iterator[ShopClient]:
    """A client for the store called `name`. Raises NotFound, BadStoreUrl, WrongSecretKey."""
    with database.read() as db:
        store = get_store(db, name)
        # Again, and not only when it was added: where a name leads can change.
        check_store_url(store.url, settings.allow_private_stores)
        client = open_client(store, box, only_public=not settings.allow_private_stores)
    with client:
        yield client


def connect(
    settings: ProcessSettings, database: Database, box: SecretBox, name: str, public_url: str
) -> ConnectReport:
    """Make or mend the webhooks, and prove them. Raises NotFound, BridgeError, WrongSecretKey."""
    with shop_client(settings, database, box, name) as client:
        return connect_store(database, box, name, public_url, client)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at in a shop; `state` is "ok", "remark" or "problem"."""

    what: str
    state: str
    sentence: str


def look_at(
    settings: ProcessSettings, database: Database, box: SecretBox, name: str, public_url: str | None
) -> list[Seen]:
    """Key, currency and webhooks of a shop, changing nothing. Raises NotFound, BadStoreUrl, WrongSecretKey."""
    with database.read() as db:
        store = get_store(db, name)
        company = db.get(Company, store.company_id)
        assert company is not None
        currency = company_settings(db, company)["currency"]
        company_name, last, refused = company.name, store.last_webhook_at, store.refused_webhooks
        box.open(store.webhook_secret)
    seen: list[Seen] = []
    with shop_client(settings, database, box, name) as client:
        try:
            found = client.system_currency()
            seen.append(Seen("key", "ok", f"The shop {client.url} answers, and its key is good."))
            if currency and found != currency:
                sentence = f"The shop sells in {found}, company {company_name} keeps {currency}."
                seen.append(Seen("currency", "problem", sentence))
            else:
                seen.append(Seen("currency", "ok", found))
            seen += _webhooks(client.list_webhooks(), name, public_url)
        except ShopError as error:
            seen.append(Seen("key" if not seen else "webhooks", "problem", str(error)))
    if last is None:
        seen.append(Seen("last webhook", "remark", "None has come yet."))
    else:
        seen.append(Seen("last webhook", "ok", f"{last:%Y-%m-%d %H:%M:%S} UTC"))
    if refused:
        seen.append(Seen("refused webhooks", "remark", f"{refused} had no right signature."))
    return seen


def _webhooks(there: Sequence[Webhook], name: str, public_url: str | None) -> Iterator[Seen]:
    ending = delivery_url("", name)
    for topic in TOPICS:
        ours = [
            webhook
            for webhook in there
            if webhook.topic == topic
            and (
                webhook.delivery_url == delivery_url(public_url, name)
                if public_url
                else webhook.delivery_url.endswith(ending)
            )
        ]
        what = f"webhook {topic}"
        if not ours:
            yield Seen(what, "problem", f"It is not there. Run: qbwoo store connect {name}")
        elif all(webhook.status != "active" for webhook in ours):
            yield Seen(what, "problem", f"It is {ours[0].status}. Run: qbwoo store connect {name}")
        else:
            yield Seen(what, "ok", f"active, to {ours[0].delivery_url}")


def preview(db: Session, name: str, order: Order) -> Preview:
    """What `order` would be in QuickBooks, as it would leave now. Writes nothing. Raises NotFound."""
    store = get_store(db, name)
    activity = _sale_of(db, store, order)
    run = Run(db, db.get_one(Company, store.company_id), datetime.now(UTC))
    return previewing.preview(run, activity, encode(order))


def preview_beside(db: Session, name: str, order: Order, one: Beside) -> Preview:
    """What goes beside the receipt of `order`, as it would leave now. Writes nothing. Raises NotFound."""
    store = get_store(db, name)
    run = Run(db, db.get_one(Company, store.company_id), datetime.now(UTC))
    activity = Activity(
        id=0,
        company_id=store.company_id,
        store_id=store.id,
        kind=one.kind,
        record_id=one.record_id,
        order_id=str(order.order_id),
        generation=one.generation,
        attempts=0,
        reference=one.reference,
        reason=one.reason,
    )
    if is_untranslated(activity):
        return Preview(refusal=one.sentence)
    return previewing.preview(run, activity, one.payload, sale=_sale_before(run, store, order, one))


def _sale_before(run: Run, store: Store, order: Order, one: Beside) -> Prepared | None:
    """What a return would go after, where that is not in QuickBooks yet."""
    if one.kind != RETURN:
        return None
    known = _sale_of(run.db, store, order)
    return previewing.expected_sale(run, known, encode(order)) if known.state in AT_HOME else None


def _sale_of(db: Session, store: Store, order: Order) -> Activity:
    record_id = str(order.order_id)
    known = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=record_id
    )
    # Not in the queue yet, and so without an id of its own.
    return known or Activity(
        id=0,
        company_id=store.company_id,
        store_id=store.id,
        kind=SALE,
        record_id=record_id,
        generation=1,
        attempts=0,
        state=ActivityState.PENDING,
        reference=order.number,
    )


def has_document(result: PushResult) -> bool:
    """True if there is an order whose document can be shown: it would go, or was refused."""
    return would_go(result) or (result.order is not None and result.state is ActivityState.FAILED)


def goes_beside(result: PushResult, one: Beside) -> bool:
    """True if it would go with the next runs: a return also after a receipt that would."""
    if one.state is ActivityState.WAITING and one.kind == RETURN:
        return would_go(result)
    return one.state in (ActivityState.PENDING, ActivityState.DELAYED)


def would_go(result: PushResult) -> bool:
    """True if the order is one that QuickBooks gets with the next run."""
    return result.state in (ActivityState.PENDING, ActivityState.DELAYED) and result.order is not None


__all__ = [
    "Beside",
    "PushResult",
    "Seen",
    "connect",
    "goes_beside",
    "has_document",
    "look_at",
    "preview",
    "preview_beside",
    "push_orders",
    "shop_client",
    "would_go",
]
