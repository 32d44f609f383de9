"""The whole street: a served shop that posts its webhooks, the house, and the worker that calls the shop back."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from qbwc_service.preparing import prepare_pending
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity, Store
from queue_store.secrets import SecretBox
from tests.harness import House, make_house
from tests.serving import serving
from woo_bridge.client import ShopClient
from woo_bridge.connect import TOPICS
from woo_bridge.endpoint import WebhookEndpoint
from woo_bridge.worker import Worker

_SECRET = b"whsec"


class CountedClient(ShopClient):
    """Keeps what was asked of the shop; tries nothing twice, so that no test waits."""

    calls: list[str]

    def __init__(self, store: Store, calls: list[str]) -> None:
        super().__init__(store.url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)
        self.calls = calls

    def _once(self, call: str, *rest: Any) -> Any:
        self.calls.append(call)
        return super()._once(call, *rest)


class ShopClock:
    """The shop's clock, which tells whole seconds: without time passing every change would bear one date."""

    ahead = timedelta(0)
    #: All that happens bears this date as long as it is set.
    stands_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.stands_at or datetime.now(UTC) + self.ahead


@dataclass
class Street:
    """Everything between a shopper and the books."""

    house: House
    shop: Shop
    clock: ShopClock
    box: SecretBox
    #: Where webhooks go.
    url: str
    calls: list[str] = field(default_factory=list)
    #: How far the worker's clock runs ahead.
    ahead: timedelta = timedelta(0)

    @property
    def database(self) -> Database:
        return self.house.database

    def worker(self) -> Worker:
        return Worker(
            self.database,
            self.box,
            make_client=lambda store, _box: CountedClient(store, self.calls),
            now=lambda: datetime.now(UTC) + self.ahead,
        )

    def work(self, rounds: int = 20) -> int:
        """The worker, some seconds later by the shop's clock, until it has nothing to do; gives how much it did."""
        self.clock.ahead += timedelta(seconds=3)
        done = 0
        for _ in range(rounds):
            step = prepare_pending(self.database) + self.worker().run_once()
            done += step
            if not step:
                return done
        raise AssertionError(f"the worker goes on for ever: {self.calls[-6:]}")

    def deliver(self) -> int:
        """Webhooks that the shop has to send; gives how many."""
        sent = self.shop.run_queue()
        assert all(delivery.status_code == 200 for delivery in sent), sent
        return len(sent)

    def post(self, body: dict[str, Any], topic: str = "order.updated") -> int:
        """A webhook as no shop of ours would send it, rightly signed; gives the status."""
        raw = json.dumps(body).encode()
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Topic": topic,
            "X-WC-Webhook-Signature": base64.b64encode(hmac.digest(_SECRET, raw, "sha256")).decode(),
        }
        return requests.post(self.url, data=raw, headers=headers, timeout=20).status_code

    def settle_down(self, most: int = 8) -> None:
        """Webhooks, worker, Web Connector, until nothing moves any more."""
        for _ in range(most):
            if not (self.deliver() + self.work() + len(self.house.run())):
                return
        raise AssertionError("the street does not come to rest")

    def notes(self, order_id: int) -> list[str]:
        """Our private notes on an order, oldest first."""
        with self._client() as client:
            texts = client.list_order_notes(order_id)
        return [text for text in reversed(texts) if "QuickBooks" in text]

    def meta(self, order_id: int) -> dict[str, str]:
        """Our meta data on an order."""
        with self._client() as client:
            found = client.get_order_meta(order_id)
        return {key: value for key, value in found.items() if key.startswith("_qbwoo_")}

    def told(self) -> list[Activity]:
        """Activities of kind note_order, oldest first."""
        return self.house.activities("note_order")

    def _client(self) -> ShopClient:
        return ShopClient(self.shop.home_url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)


@contextmanager
def make_street(database: Database, box: SecretBox, *, pos: PosCompanyFile | None = None) -> Iterator[Street]:
    """A house whose store "main" is a served shop with webhooks to it."""
    clock = ShopClock()
    shop = Shop.create(clock=clock)
    house = make_house(database, box, pos)
    endpoint = WebhookEndpoint(database, box)
    with shop.serve(), serving(endpoint) as port:
        with database.write() as db:
            get_store(db, "main").url = shop.home_url
        url = f"http://127.0.0.1:{port}/webhooks/woocommerce/main"
        for topic in TOPICS:
            shop.add_webhook(topic, url, _SECRET.decode())
        yield Street(house, shop, clock, box, url)
    shop.close()
