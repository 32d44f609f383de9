"""The REST client: against the played shop, and against answers that no good shop gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from woo_bridge.client import ShopClient
from woo_bridge.errors import (
    BadKey,
    NoPermission,
    NoSuchRecord,
    NotAShop,
    ShopRefused,
    ShopUnreachable,
    TooManyRequests,
)


class Clock:
    """Stands still until it is moved on; sleeping moves it on."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock) -> Iterator[Shop]:
    shop = Shop.create(clock=clock)
    with shop.serve():
        yield shop
    shop.close()


@pytest.fixture
def client(shop, clock) -> Iterator[ShopClient]:
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET, sleep=clock.sleep) as client:
        yield client


class Scripted:
    """A server that gives prepared answers, the last one for ever, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.asked: list[str] = []
        self.connections = 0
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                script.connections += 1
                super().setup()

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                script.asked.append(f"{self.command} {self.path}")
                status, headers, body = (
                    script.answers[0] if len(script.answers) == 1 else script.answers.pop(0)
                )
                if status == 0:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def ask(scripted, clock) -> Iterator[Callable[..., ShopClient]]:
    clients = []

    def make(*answers: Any, **options: Any) -> ShopClient:
        for answer in answers:
            status, body, *headers = answer if isinstance(answer, tuple) else (answer, b"")
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            scripted.answers.append((status, headers[0] if headers else {}, raw))
        client = ShopClient(scripted.url, "ck", "cs", sleep=clock.sleep, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


USD = (200, {"code": "USD"})


def test_one_order_is_read_over_a_signed_call(client, shop):
    order = shop.place_order([("WID-001", 1)])
    assert json.loads(client.get_order(order["id"]))["total"] == order["total"]


def test_a_trashed_order_is_read_too(client, shop):
    order = shop.place_order([("WID-001", 1)])
    shop.trash_order(order["id"])
    assert json.loads(client.get_order(order["id"]))["status"] == "trash"


def test_a_record_that_is_not_there_says_so(client):
    with pytest.raises(NoSuchRecord, match="GET orders/999999: the shop refused"):
        client.get_order(999_999)


def test_the_shops_currency(client):
    assert client.system_currency() == "USD"


def test_all_orders_come_once_and_oldest_change_first(client, shop, clock):
    for _ in range(230):
        clock.now += timedelta(seconds=1)
        shop.place_order([("WID-001", 1)])
    rows = [json.loads(row) for row in client.iter_orders(modified_after=datetime(2020, 1, 1, tzinfo=UTC))]
    ids = [row["id"] for row in rows]
    stamps = [row["date_modified_gmt"] for row in rows]
    assert len(ids) == len(set(ids)) > 230
    assert stamps == sorted(stamps)


def test_an_order_that_changes_while_the_list_is_read_lets_no_other_be_missed(client, shop, clock):
    for _ in range(120):
        clock.now += timedelta(seconds=1)
        shop.place_order([("WID-001", 1)])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    everything = {json.loads(row)["id"] for row in client.iter_orders(modified_after=begin)}
    reading = client.iter_orders(modified_after=begin)
    seen = [json.loads(next(reading))["id"] for _ in range(100)]
    clock.now += timedelta(seconds=1)
    for order_id in seen[:60]:
        # They go to the end, and all behind them moves up by sixty places.
        shop.touch_order(order_id)
    rest = [json.loads(row)["id"] for row in reading]
    assert set(seen) | set(rest) == everything
    assert len(seen + rest) == len(set(seen + rest))


def test_modified_after_leaves_out_the_equal_second_and_is_read_as_gmt(client, shop, clock):
    first = shop.place_order([("WID-001", 1)])
    clock.now += timedelta(seconds=10)
    second = shop.place_order([("WID-001", 1)])
    moment = datetime.fromisoformat(first["date_modified_gmt"]).replace(tzinfo=UTC)
    assert [json.loads(row)["id"] for row in client.iter_orders(modified_after=moment)] == [second["id"]]


def test_orders_by_id_and_by_status(client, shop):
    ids = [shop.place_order([("WID-001", 1)])["id"] for _ in range(3)]
    shop.set_status(ids[0], "cancelled")
    assert [json.loads(row)["id"] for row in client.iter_orders(ids=[ids[2], ids[0], 999_999])] == [
        ids[0],
        ids[2],
    ]
    assert ids[0] in [json.loads(row)["id"] for row in client.iter_orders(statuses=["cancelled"])]
    assert list(client.iter_orders(ids=[ids[0]], fields=["status"])) != []


def test_a_shop_that_never_turns_the_page_ends_the_reading(ask):
    page = [{"id": number} for number in range(100)]
    with pytest.raises(NotAShop, match="the same page again"):
        list(ask((200, page)).iter_orders())


def test_webhooks_are_made_changed_and_listed(client):
    made = client.create_webhook("order.updated", "http://127.0.0.1:9/x", "secret", "mine")
    assert (made.status, made.topic) == ("active", "order.updated")
    assert client.update_webhook(made.id, status="paused").status == "paused"
    assert [w.id for w in client.list_webhooks() if w.name == "mine"] == [made.id]
    assert client.get_webhook(made.id).status == "paused"


@pytest.mark.parametrize(("key", "secret"), [("ck_wrong", CONSUMER_SECRET), (CONSUMER_KEY, "cs_wrong")])
def test_a_wrong_key_or_secret_is_a_bad_key_and_says_what_to_check(shop, key, secret):
    with ShopClient(shop.home_url, key, secret) as client, pytest.raises(BadKey, match="Check consumer key"):
        client.get_order(1)


def test_a_read_key_may_not_write(shop):
    shop.add_key("ck_read", "cs_read", "read")
    with ShopClient(shop.home_url, "ck_read", "cs_read") as client:
        assert client.system_currency() == "USD"
        with pytest.raises(NoPermission, match="Read/Write permission"):
            client.update_webhook(1, status="active")


def test_too_many_requests_are_repeated_when_the_shop_says_so(client, shop, clock):
    shop.answer_next_with(429, 2, retry_after_seconds=7)
    assert client.system_currency() == "USD"
    assert clock.slept == [7, 7]


def test_a_pause_of_a_day_is_not_waited_for(ask, clock):
    with pytest.raises(TooManyRequests):
        ask((429, b"", {"Retry-After": "86400"})).system_currency()
    assert clock.slept == [60, 60, 60]


def test_server_errors_are_repeated_with_growing_pauses(client, shop, clock):
    shop.answer_next_with(503, 3)
    assert client.system_currency() == "USD"
    assert [round(pause / base, 1) <= 1.5 for pause, base in zip(clock.slept, (0.5, 1, 2), strict=True)] == [
        True
    ] * 3
    assert clock.slept[0] < clock.slept[1] < clock.slept[2]


def test_a_shop_that_is_down_is_unreachable_after_all_tries(ask, scripted):
    with pytest.raises(ShopUnreachable) as caught:
        ask((502, b"<html>Bad Gateway")).system_currency()
    assert (caught.value.retriable, caught.value.status, len(scripted.asked)) == (True, 502, 4)


def test_a_post_is_not_repeated_after_it_may_have_arrived(ask, scripted):
    for answer in ((500, b""), 0):
        scripted.asked.clear()
        scripted.answers.clear()
        with pytest.raises(ShopUnreachable) as caught:
            ask(answer).create_webhook("order.updated", "http://x", "s", "n")
        assert caught.value.may_have_arrived
        assert len(scripted.asked) == 1


def test_a_post_that_was_refused_by_the_network_is_repeated(clock):
    client = ShopClient("http://127.0.0.1:9", "k", "s", sleep=clock.sleep)
    with client, pytest.raises(ShopUnreachable, match="cannot be reached") as caught:
        client.create_webhook("order.updated", "http://x", "s", "n")
    assert not caught.value.may_have_arrived
    assert len(clock.slept) == 3


def test_a_lost_connection_is_tried_again(ask):
    assert ask(0, 0, USD).system_currency() == "USD"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<!DOCTYPE html><title>Coming soon</title>"),
        (200, b"<br />\n<b>Warning</b>: Undefined variable {}"),
        (200, b""),
        (200, b'{"code": 7}'),
        (200, b"[1, 2"),
        (404, b"<html>Not Found"),
        (403, b"<html>Blocked by a firewall"),
        (404, b'{"code":"rest_no_route","message":"No route was found"}'),
    ],
)
def test_what_is_not_woocommerce_is_named(ask, status, body):
    with pytest.raises(NotAShop) as caught:
        ask((status, body, {"Content-Type": "text/html"})).system_currency()
    assert caught.value.status == status
    assert not caught.value.retriable


def test_an_answer_that_ends_early_is_asked_for_again(ask):
    client = ask((200, b'{"id": 71, "tot', {"Content-Type": "application/json; charset=UTF-8"}))
    with pytest.raises(ShopUnreachable, match="ended before its end") as caught:
        client.get_order(71)
    assert caught.value.retriable


def test_redirects_are_not_followed_with_the_key(ask, scripted):
    client = ask((301, b"", {"Location": "http://elsewhere.example/"}))
    with pytest.raises(ShopRefused, match=r"sends us to http://elsewhere\.example/"):
        client.system_currency()
    assert len(scripted.asked) == 1


def test_an_answer_without_end_is_cut_off(ask):
    with pytest.raises(NotAShop, match="more than 1000 bytes"):
        ask((200, b"[" + b" " * 2000), most_answer_bytes=1000).system_currency()


def test_one_connection_serves_many_calls(ask, scripted):
    client = ask(USD)
    for _ in range(5):
        client.system_currency()
    assert scripted.connections == 1


def test_errors_do_not_show_the_signature_or_key(clock):
    client = ShopClient("http://127.0.0.1:9", "ck_secret", "cs_secret", sleep=clock.sleep, max_tries=1)
    with client, pytest.raises(ShopUnreachable) as caught:
        client.get_order(1)
    assert "oauth" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_dates_go_out_as_gmt_without_zone(ask, scripted):
    local = datetime.fromisoformat("2026-11-21T16:00:00-08:00")
    assert list(ask((200, [])).iter_orders(modified_after=local)) == []
    assert "modified_after=2026-11-22T00%3A00%3A00&" in scripted.asked[0]
    assert "dates_are_gmt=true" in scripted.asked[0]
