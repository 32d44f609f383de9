"""Fixtures of the shop's side: recorded data and a store in a migrated database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from queue_store.companies import add_company, add_store, set_live
from queue_store.database import Database
from queue_store.models import Activity, Store
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting, store_settings
from queue_store.webhook_log import find_store
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
