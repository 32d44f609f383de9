"""A shop that is really served, a caller, a receiver of webhooks, and the recorded answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, RunningShop, Shop

RECORDED = Path(__file__).parents[2] / "data" / "woocommerce"


@dataclass
class StoppedClock:
    """Stands still until it is moved on."""

    now: datetime = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class Caller:
    """Calls the shop's REST API over what it takes for https."""

    url: str
    auth: tuple[str, str] | None = (CONSUMER_KEY, CONSUMER_SECRET)
    http: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, body: object = None, **options: Any) -> requests.Response:
        if not path.startswith("/wp-json"):
            path = f"/wp-json/wc/v3{path}"
        if isinstance(body, str):
            options.update(data=body, headers={"Content-Type": "application/json"})
        elif body is not None:
            options["json"] = body
        options.setdefault("auth", self.auth)
        return self.http.request(method, f"{self.url}{path}", timeout=10, **options)

    def get(self, path: str, **query: object) -> Any:
        answer = self("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: object) -> Any:
        answer = self("POST", path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def put(self, path: str, body: object) -> Any:
        answer = self("PUT", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, path: str, **query: object) -> Any:
        answer = self("DELETE", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Received:
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def topic(self) -> str | None:
        return dict(self.headers).get("X-WC-Webhook-Topic")

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Takes webhooks; answers `ping_status` to pings and `status` to deliveries."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.status = 200
        self.ping_status = 200
        self.redirect_to = ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got = Received(self.path, list(self.headers.items()), body)
                receiver.got.append(got)
                self.send_response(receiver.status if got.topic else receiver.ping_status)
                if receiver.redirect_to:
                    self.send_header("Location", receiver.redirect_to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def deliveries(self) -> list[Received]:
        return [got for got in self.got if got.topic]

    @property
    def fired(self) -> list[tuple[str | None, Any]]:
        return [(got.topic, got.json().get("id")) for got in self.deliveries]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def shop(clock: StoppedClock) -> Iterator[Shop]:
    shop = Shop.create(clock=clock)
    shop.assume_https = True
    yield shop
    shop.close()


@pytest.fixture
def running(shop: Shop) -> Iterator[RunningShop]:
    with shop.serve() as running:
        yield running


@pytest.fixture
def rest(running: RunningShop) -> Iterator[Caller]:
    caller = Caller(running.url)
    caller.http.trust_env = False
    yield caller
    caller.http.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def listening(shop: Shop, receiver: Receiver) -> Receiver:
    """A receiver with a webhook for every topic."""
    for topic in (
        "customer.created",
        "customer.updated",
        "customer.deleted",
        "order.created",
        "order.updated",
        "order.deleted",
        "order.restored",
        "product.created",
        "product.updated",
        "product.deleted",
        "product.restored",
        "product.published",
        "coupon.created",
        "coupon.deleted",
        "coupon.restored",
    ):
        shop.add_webhook(topic, f"{receiver.url}/hook/{topic}", f"secret-{topic}")
    return receiver


@pytest.fixture
def fires(shop: Shop, listening: Receiver) -> Callable[[], list[tuple[str | None, Any]]]:
    """Run the queue and give (topic, id of the body) of what arrived since the last run."""

    def run() -> list[tuple[str | None, Any]]:
        before = len(listening.fired)
        shop.run_queue()
        return listening.fired[before:]

    return run


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    def load(name: str) -> Any:
        return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))

    return load


@pytest.fixture
def plain(running: RunningShop) -> Callable[[object], Any]:
    """A body with the shop's address, played or recorded, taken out."""

    def strip(body: object) -> Any:
        text = json.dumps(body)
        for home in (running.url, "https://localhost:8443", "http://localhost:8080"):
            text = text.replace(home, "HOME")
        return json.loads(text)

    return strip
