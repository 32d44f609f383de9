"""Connecting a shop: key, currency, webhooks; and the proof that deliveries get through.

Connecting moves no record. It may be run again at any time: what is there and
right stays, what is wrong is mended.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import urlsplit

import requests

from queue_store.companies import get_store, list_companies
from queue_store.database import Database
from queue_store.quoting import quoted
from queue_store.schedules import hurry
from queue_store.secrets import SecretBox
from queue_store.settings import company_settings
from woo_bridge.client import ShopClient, Webhook
from woo_bridge.endpoint import PREFIX
from woo_bridge.errors import ShopError
from woo_bridge.receive import TEST_TOPIC

TOPICS = (
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.updated",
    "product.created",
    "product.updated",
    "product.deleted",
    "product.restored",
)

#: Schedules to be run at once when webhooks come back: what fell meanwhile is not sent.
AFTER_A_GAP = ("orders", "products", "refunds")

#: WordPress refuses to send to other ports.
_PORTS = (80, 443, 8080)
_TEST_BODY = b'{"qbwoo":"test delivery"}'
_SECONDS = 15


class Proof(Enum):
    """What posting to our own public URL showed."""

    #: It leads to this service.
    GOOD = "good"
    #: It cannot be reached from here; the shop may reach it all the same.
    UNREACHABLE = "unreachable"
    #: Something else answers there: webhooks would be lost.
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class ConnectLine:
    """One thing that was looked at, or done."""

    ok: bool
    text: str


@dataclass(slots=True)
class ConnectReport:
    """What connecting found and did, in order."""

    lines: list[ConnectLine] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if webhooks will arrive and nothing stands against going live."""
        return all(line.ok for line in self.lines)

    def good(self, text: str) -> None:
        self.lines.append(ConnectLine(True, text))

    def bad(self, text: str) -> None:
        self.lines.append(ConnectLine(False, text))


def delivery_url(public_url: str, store_name: str) -> str:
    """Where a store's webhooks are to be posted."""
    return f"{public_url.rstrip('/')}{PREFIX}{store_name}"


def connect_store(
    database: Database,
    box: SecretBox,
    store_name: str,
    public_url: str,
    client: ShopClient,
    *,
    verify: bool | str = True,
) -> ConnectReport:
    """Look at the shop, make or mend its webhooks and prove them; problems are lines of the report.

    `verify` is for the call of our own public URL. Raises NotFound, WrongSecretKey.
    """
    report = ConnectReport()
    with database.read() as db:
        store = get_store(db, store_name)
        company = next(c for c in list_companies(db) if c.id == store.company_id)
        company_name = company.name
        currency = company_settings(db, company)["currency"]
        secret = box.open(store.webhook_secret)
    url = delivery_url(public_url, store_name)
    try:
        if not _check_currency(report, client, currency, company_name):
            return report
        proof = prove_endpoint(report, url, secret, verify=verify)
        if proof is Proof.ELSEWHERE:
            return report
        if proof is Proof.UNREACHABLE:
            report.good("Remark: the webhooks are made all the same, since the shop may reach it.")
        mend_webhooks(report, client, url, secret, store_name)
        with database.write() as db:
            hurry(db, store.id, AFTER_A_GAP, datetime.now(UTC))
    except ShopError as error:
        report.bad(str(error))
    return report


def _check_currency(report: ConnectReport, client: ShopClient, currency: str, company: str) -> bool:
    found = client.system_currency()
    report.good(f"The shop {client.url} answers, and its key is good.")
    if found == currency or not currency:
        report.good(
            f"The shop sells in {found}, as the company file does."
            if currency
            else f"The shop sells in {found}."
        )
        return True
    report.bad(
        f"The shop sells in {found}, the company file keeps {currency}. If the company file keeps {found} too, run: "
        f"qbwoo company set {quoted(company)} currency {found}"
    )
    return False


def prove_endpoint(report: ConnectReport, url: str, secret: str, *, verify: bool | str = True) -> Proof:
    """Whether a store's webhooks would arrive here; the report's last line says how that was found out."""
    port = urlsplit(url).port
    if port is not None and port not in _PORTS:
        report.good(
            f"Remark: WordPress sends webhooks to ports 80, 443 and 8080 only unless a filter allows {port}."
        )
    try:
        good = _post(url, secret, verify)
        bad = _post(url, secret + "x", verify)
    except requests.exceptions.RequestException as error:
        # Some networks do not let a machine reach its own public address: the shop may still do so.
        report.bad(
            f"{url} cannot be reached from here ({type(error).__name__}). Check that `qbwoo serve` runs and that "
            "QBWOO_PUBLIC_URL is its address."
        )
        return Proof.UNREACHABLE
    if (good, bad) == (200, 401):
        report.good(f"{url} takes a rightly signed delivery and refuses a wrongly signed one.")
        return Proof.GOOD
    report.bad(
        f"{url} answered {good} to a rightly signed delivery and {bad} to a wrongly signed one, instead of 200 and "
        "401: it does not lead to this qbwoo. Check QBWOO_PUBLIC_URL and the proxy before it. No webhook was made."
    )
    return Proof.ELSEWHERE


def _post(url: str, secret: str, verify: bool | str) -> int:
    signature = base64.b64encode(hmac.digest(secret.encode(), _TEST_BODY, "sha256")).decode()
    headers = {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": TEST_TOPIC,
        "X-WC-Webhook-Signature": signature,
    }
    answer = requests.post(
        url, _TEST_BODY, headers=headers, timeout=_SECONDS, verify=verify, allow_redirects=False
    )
    return answer.status_code


def mend_webhooks(report: ConnectReport, client: ShopClient, url: str, secret: str, store_name: str) -> None:
    """Make what is missing, turn on what is off, set our secret again. Raises ShopError."""
    there = client.list_webhooks()
    for topic in TOPICS:
        ours = [webhook for webhook in there if webhook.topic == topic and webhook.delivery_url == url]
        if ours:
            webhook = client.update_webhook(ours[0].id, secret=secret, status="active")
            was = "" if ours[0].status == "active" else f" (it was {ours[0].status})"
            done = f"is there{was}; its secret was set again"
        else:
            webhook = client.create_webhook(topic, url, secret, f"qbwoo {store_name} {topic}")
            done = "was made"
        for surplus in ours[1:]:
            client.update_webhook(surplus.id, status="paused")
            done += f"; webhook {surplus.id} for the same was paused"
        status = client.get_webhook(webhook.id).status
        if status == "active":
            report.good(f"Webhook {webhook.id} {topic} {done}.")
        else:
            report.bad(
                f"Webhook {webhook.id} {topic} is {status} in the shop. Look at WooCommerce, Settings, Advanced, "
                "Webhooks."
            )
    for stale in _stale(there, url, store_name):
        report.good(
            f"Remark: webhook {stale.id} {stale.topic} still posts to {stale.delivery_url}; delete it in the shop "
            "if that address is no more."
        )


def _stale(there: list[Webhook], url: str, store_name: str) -> Iterator[Webhook]:
    """Webhooks that were made for this store under another public URL."""
    for webhook in there:
        if webhook.delivery_url != url and webhook.delivery_url.endswith(PREFIX + store_name):
            yield webhook
