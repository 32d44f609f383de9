"""Fixtures of the shop's side: recorded data and a store in a migrated database."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import waitress.server

from queue_store.companies import add_company, add_store, set_live
from queue_store.database import Database
from queue_store.models import Activity, Store
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting, store_settings
from queue_store.webhook_log import find_store
from woo_bridge.endpoint import WebhookEndpoint
from woo_bridge.receive import Outcome, receive_webhook

DATA = Path(__file__).parent.parent / "data" / "woocommerce"


def _recorded(name: str) -> Any:
    return json.loads((DATA / "rest" / f"{name}.json").read_text("utf-8"))["response"]["body"]


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """The body of a recorded REST answer."""
    return _recorded


@pytest.fixture
def deliveries() -> Callable[[str], list[tuple[str, bytes]]]:
    """Topic and body of the recorded webhooks of one change, in the order in which they came."""

    def read(name: str) -> list[tuple[str, bytes]]:
        found = json.loads((DATA / "webhooks" / f"{name}.json").read_text("utf-8"))["deliveries"]
        return [(dict(d["headers"])["X-WC-Webhook-Topic"], d["body"].encode()) for d in found]

    return read


@dataclass
class Bridge:
    """A store that is live for everything, and what arrives at it."""

    database: Database
    store_id: int
    name: str = "main"

    def receive(self, topic: str, body: bytes | dict[str, Any]) -> Outcome:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.database.write() as db:
            store = self.store(db)
            return receive_webhook(db, store, store_settings(db, store), topic, raw)

    def store(self, db: Any) -> Store:
        store = find_store(db, self.name)
        assert store is not None
        return store

    def sale(self, order_id: int) -> Activity:
        return self.activity(str(order_id), "sale")

    def activity(self, record_id: str, kind: str) -> Activity:
        with self.database.read() as db:
            found = [
                a
                for a in db.query(Activity).order_by(Activity.generation.desc())
                if (a.record_id, a.kind) == (record_id, kind)
            ]
            db.expunge_all()
        assert found, f"no {kind} {record_id}"
        return found[0]

    def count(self) -> int:
        with self.database.read() as db:
            return db.query(Activity).count()

    def set(self, key: str, value: str) -> None:
        with self.database.write() as db:
            set_store_setting(db, self.store(db), key, value, who="test")

    def live(self, *kinds: str) -> None:
        with self.database.write() as db:
            set_live(db, self.store(db), kinds, who="test")


def _make_bridge(database: Database, box: SecretBox, url: str = "http://127.0.0.1:1") -> Bridge:
    with database.write() as db:
        company = add_company(db, name="Acme", flavour="pos", username="acme", password="secret")
        store = add_store(
            db,
            box,
            company=company,
            name="main",
            url=url,
            consumer_key="ck_TEST",
            consumer_secret="cs_TEST",
            webhook_secret="s3cret",
        )
        set_live(db, store, ("orders", "customers"), who="test")
        store.live_since = datetime(2026, 1, 1, tzinfo=UTC)
        return Bridge(database, store.id)


@pytest.fixture
def bridge(sqlite_database: Database, box: SecretBox) -> Bridge:
    return _make_bridge(sqlite_database, box)


@pytest.fixture
def order() -> Callable[..., dict[str, Any]]:
    """Makes the JSON of a paid order: a recorded one with some fields changed."""

    def make(name: str = "", **fields: Any) -> dict[str, Any]:
        # The recorded order in status processing is one that pays on delivery.
        base = _recorded(f"order_{name}") if name else _recorded("order_plain") | {"status": "processing"}
        return {**base, **fields}

    return make


@pytest.fixture
def bridge_on(box: SecretBox) -> Callable[..., Bridge]:
    """Makes the same in a given database, for a shop at a given URL."""

    def make(database: Database, url: str) -> Bridge:
        return _make_bridge(database, box, url)

    return make


SECRET = "s3cret"
PATH = "/webhooks/woocommerce/main"


def _signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


class Served:
    """An endpoint behind a real server, and a shop that posts to it."""

    def __init__(self, endpoint: WebhookEndpoint, port: int) -> None:
        self.endpoint, self.port = endpoint, port

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def deliver(
        self, topic: str, body: Any, *, signed: str | None = None, path: str = PATH, **headers: str
    ) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request(
            "POST",
            path,
            raw,
            {
                "Content-Type": "application/json",
                "X-WC-Webhook-Topic": topic,
                "X-WC-Webhook-Signature": _signature(raw) if signed is None else signed,
            }
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )[0]


@pytest.fixture
def serve(box) -> Iterator[Callable[..., Served]]:
    running = []

    def start(database: Database, **options: Any) -> Served:
        endpoint = WebhookEndpoint(database, box, **options)
        server = waitress.server.create_server(endpoint, host="127.0.0.1", port=0, threads=8)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        return Served(endpoint, server.effective_port)

    yield start
    for server, thread in running:
        _close(server)
        server.task_dispatcher.shutdown()
        thread.join(5)


def _close(server: Any) -> None:
    """Stop listening and hang up, also on callers that keep their connection."""

    def close() -> None:
        server.close()
        for channel in list(server.active_channels.values()):
            channel.handle_close()

    # In the server's own thread, which alone may touch its sockets. If its loop happens to be awake it
    # runs this before it is called, and the call then finds the trigger gone.
    with suppress(OSError):
        server.trigger.pull_trigger(close)


@pytest.fixture
def sign() -> Callable[..., str]:
    """The signature of a body, under the store's secret or another one."""
    return _signature
