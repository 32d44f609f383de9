"""The run of the webhook queue: bodies built now, sent one after another over real HTTP.

A failed delivery is never retried. The seventh failure in a row disables the
webhook; one success sets the count to 0. Until one ping was answered with
exactly 200, a ping follows every delivery.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import requests

from ops_sandbox.shop.customers import customer_body, find_customer
from ops_sandbox.shop.dates import as_stamp
from ops_sandbox.shop.errors import RestError, invalid_id
from ops_sandbox.shop.order_view import order_body
from ops_sandbox.shop.orders import find_order
from ops_sandbox.shop.product_view import product_body
from ops_sandbox.shop.products import end_sales, find_product
from ops_sandbox.shop.site import USER_AGENT, Site
from ops_sandbox.shop.wire import Doc, php_json

FAILURES_KEPT = 6
TIMEOUT_SECONDS = 60.0


class Outcome(StrEnum):
    """What became of a delivery."""

    DELIVERED = "delivered"  # 200 to 302, though a redirect's target never saw it
    FAILED = "failed"  # any other answer, or none
    LOST = "lost"  # ordered with lose_next_deliveries: the shop believes it arrived


@dataclass(frozen=True)
class Delivery:
    """One webhook request or ping, as sent. `status_code` is None when there was no answer."""

    webhook_id: int
    #: "" for a ping.
    topic: str
    #: 0 for a ping.
    resource_id: int
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent_at: datetime
    status_code: int | None
    outcome: Outcome

    @property
    def is_ping(self) -> bool:
        """A ping carries no topic."""
        return self.topic == ""


@dataclass
class DeliveryFaults:
    """Faults to order; all off by default."""

    lose_next: int = 0
    duplicate: bool = False
    reorder: random.Random | None = None
    #: How long a delivery waits in the queue at least.
    delay: timedelta | None = None


class DeliveryRun:
    """Sends what the site has queued and remembers what it sent in `log`."""

    def __init__(self, site: Site, faults: DeliveryFaults) -> None:
        self.site = site
        self.faults = faults
        self.log: list[Delivery] = []
        self.timeout_seconds = TIMEOUT_SECONDS
        self._http = requests.Session()
        self._http.trust_env = False

    def run(self) -> list[Delivery]:
        """Deliver all actions that wait now; what they bring about waits for the next run."""
        site = self.site
        with site.queue_lock:
            with site.store.transaction():
                end_sales(site)
                latest = site.time.now() - (self.faults.delay or timedelta(0))
                actions = [a for a in site.table("actions").values() if a["queued_gmt"] <= as_stamp(latest)]
            if self.faults.reorder is not None:
                self.faults.reorder.shuffle(actions)
            done: list[Delivery] = []
            for action in actions:
                done += self._work_off(action)
            return done

    def ping(self, webhook_id: int) -> None:
        """POST webhook_id=N, unsigned; only an answer of exactly 200 ends the pings."""
        with self.site.store.transaction():
            webhook = self.site.table("webhooks").get(webhook_id)
            if webhook is None or not webhook["ping_wanted"]:
                return
            url = webhook["delivery_url"]
        body = f"webhook_id={webhook_id}".encode()
        request = _prepared(url, {"Connection": "close"}, body)
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        status = self._send(request, follow=True)
        outcome = Outcome.DELIVERED if status == 200 else Outcome.FAILED
        self._remember(webhook_id, "", 0, request, status, outcome)
        with self.site.store.transaction():
            webhook["ping_wanted"] = status != 200
            webhook["date_modified_gmt"] = self.site.time.stamp()
            if webhook_id in self.site.table("webhooks"):
                self.site.store.save("webhooks", webhook)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _work_off(self, action: Doc) -> list[Delivery]:
        site = self.site
        with site.store.transaction():
            if action["id"] not in site.table("actions"):
                return []
            site.store.remove("actions", action["id"])
            site.pending.discard((action["webhook_id"], action["resource_id"]))
            webhook = site.table("webhooks").get(action["webhook_id"])
            if webhook is None or webhook["status"] != "active":
                return []
            request = self._request(webhook, action["resource_id"])
            topic = webhook["topic"]
        sent = []
        for _ in range(2 if self.faults.duplicate else 1):
            if self.faults.lose_next > 0:
                self.faults.lose_next -= 1
                status, outcome = None, Outcome.LOST
            else:
                status = self._send(request, follow=False)
                arrived = status is not None and 200 <= status <= 302
                outcome = Outcome.DELIVERED if arrived else Outcome.FAILED
            sent.append(self._remember(webhook["id"], topic, action["resource_id"], request, status, outcome))
        with site.store.transaction():
            _count(site, webhook, failed=sent[-1].outcome is Outcome.FAILED)
        self.ping(webhook["id"])
        return sent

    def _request(self, webhook: Doc, resource_id: int) -> requests.PreparedRequest:
        site = self.site
        resource, event = webhook["topic"].split(".")
        body = php_json(_payload(site, resource, event, resource_id))
        second = int(site.time.now().timestamp())
        return _prepared(
            webhook["delivery_url"],
            {
                "Content-Type": "application/json",
                "X-WC-Webhook-Source": f"{site.home_url}/",
                "X-WC-Webhook-Topic": webhook["topic"],
                "X-WC-Webhook-Resource": resource,
                "X-WC-Webhook-Event": event,
                "X-WC-Webhook-Signature": signature(body, webhook["secret"]),
                "X-WC-Webhook-ID": str(webhook["id"]),
                # Of webhook and second alone: shared by all that one webhook sends in a second.
                "X-WC-Webhook-Delivery-ID": hmac.new(
                    site.salt.encode(), f"{webhook['id']}{second}".encode(), hashlib.md5
                ).hexdigest(),
                "Connection": "close",
            },
            body,
        )

    def _send(self, request: requests.PreparedRequest, *, follow: bool) -> int | None:
        try:
            answer = self._http.send(request, timeout=self.timeout_seconds, allow_redirects=follow)
        except requests.RequestException:
            return None
        with answer:
            return answer.status_code

    def _remember(
        self,
        webhook_id: int,
        topic: str,
        resource_id: int,
        request: requests.PreparedRequest,
        status: int | None,
        outcome: Outcome,
    ) -> Delivery:
        body = request.body if isinstance(request.body, bytes) else b""
        delivery = Delivery(
            webhook_id=webhook_id,
            topic=topic,
            resource_id=resource_id,
            url=str(request.url),
            headers=tuple((str(k), str(v)) for k, v in request.headers.items()),
            body=body,
            sent_at=self.site.time.now(),
            status_code=status,
            outcome=outcome,
        )
        self.log.append(delivery)
        return delivery


def signature(body: bytes, secret: str) -> str:
    """base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _prepared(url: str, headers: dict[str, str], body: bytes) -> requests.PreparedRequest:
    """A request whose headers stand in the recorded order, Content-Length last."""
    first = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd"}
    return requests.Request("POST", url, headers={**first, **headers}, data=body).prepare()


def _payload(site: Site, resource: str, event: str, resource_id: int) -> Doc:
    """What GET would answer now, an error body included; of a deleted thing only its id."""
    if event == "deleted":
        return {"id": resource_id}
    home = site.home_url
    try:
        if resource == "order":
            return order_body(site, find_order(site, resource_id), home)
        if resource == "product":
            return product_body(site, find_product(site, resource_id), home)
        if resource == "customer":
            return customer_body(site, find_customer(site, resource_id), home)
        raise invalid_id("shop_coupon")
    except RestError as error:
        return error.body()


def _count(site: Site, webhook: Doc, *, failed: bool) -> None:
    """Six failures are counted, the seventh in a row disables; the count stays at six then."""
    if not failed:
        webhook["failure_count"] = 0
    elif webhook["failure_count"] >= FAILURES_KEPT:
        webhook["status"] = "disabled"
        webhook["date_modified_gmt"] = site.time.stamp()
    else:
        webhook["failure_count"] += 1
    if webhook["id"] in site.table("webhooks"):
        site.store.save("webhooks", webhook)
