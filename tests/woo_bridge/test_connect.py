"""Connecting a shop, with real webhooks from the played shop to our real endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.companies import list_companies
from queue_store.settings import set_company_setting
from queue_store.states import ActivityState as S
from woo_bridge.client import ShopClient
from woo_bridge.connect import TOPICS, connect_store, delivery_url


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create()
    with shop.serve():
        yield shop
    shop.close()


@pytest.fixture
def bridge(sqlite_database, bridge_on, shop):
    return bridge_on(sqlite_database, shop.home_url)


@pytest.fixture
def served(bridge, serve):
    return serve(bridge.database)


@pytest.fixture
def client(shop) -> Iterator[ShopClient]:
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1) as client:
        yield client


@pytest.fixture
def connect(bridge, box, client, served):
    def run(public_url=None):
        return connect_store(
            bridge.database, box, "main", public_url or f"http://127.0.0.1:{served.port}", client
        )

    return run


def test_webhooks_are_made_and_deliveries_arrive(connect, shop, bridge, client):
    report = connect()
    assert report.ok, report.lines
    assert sorted(w.topic for w in client.list_webhooks() if w.status == "active") == sorted(TOPICS)
    order = shop.place_order([("WID-001", 1)])
    shop.run_queue()
    assert bridge.sale(order["id"]).state == S.PENDING
    shop.trash_order(order["id"])
    shop.run_queue()
    assert bridge.sale(order["id"]).state == S.CANCELLED


def test_connecting_again_mends_and_makes_no_second_webhook(connect, client, bridge, box, shop):
    connect()
    first, second, *_ = client.list_webhooks()
    client.update_webhook(first.id, status="disabled")
    client.update_webhook(second.id, secret="somebody else's")
    report = connect()
    assert report.ok, report.lines
    assert len(client.list_webhooks()) == len(TOPICS)
    assert any("it was disabled" in line.text for line in report.lines)
    order = shop.place_order([("WID-001", 1)])
    shop.run_queue()
    assert bridge.sale(order["id"]).state == S.PENDING


def test_connecting_moves_no_record_and_is_no_webhook_of_the_shop(connect, bridge):
    connect()
    assert bridge.count() == 0
    with bridge.database.read() as db:
        assert bridge.store(db).last_webhook_at is None


def test_a_second_webhook_for_the_same_is_paused(connect, client, served):
    url = delivery_url(f"http://127.0.0.1:{served.port}", "main")
    for _ in range(2):
        client.create_webhook("order.updated", url, "x", "by hand")
    report = connect()
    assert [w.status for w in client.list_webhooks() if w.topic == "order.updated"] == ["active", "paused"]
    assert any("was paused" in line.text for line in report.lines)


def test_a_webhook_under_an_old_public_url_is_a_remark(connect, client):
    client.create_webhook("order.updated", "http://127.0.0.1:9/webhooks/woocommerce/main", "x", "old")
    report = connect()
    assert report.ok
    assert any("still posts to http://127.0.0.1:9/" in line.text for line in report.lines)


def test_another_currency_is_a_problem_and_makes_no_webhook(connect, client, bridge):
    with bridge.database.write() as db:
        set_company_setting(db, list_companies(db)[0], "currency", "EUR", who="test")
    report = connect()
    assert not report.ok
    assert "The shop sells in USD, the company file keeps EUR" in report.lines[-1].text
    assert client.list_webhooks() == []


def test_a_public_url_that_leads_elsewhere_is_a_problem_and_makes_no_webhook(connect, client, shop):
    report = connect(shop.home_url)
    assert not report.ok
    assert "it does not lead to this qbwoo" in report.lines[-1].text
    assert client.list_webhooks() == []


def test_a_public_url_that_cannot_be_reached_from_here_is_told_and_webhooks_are_made(connect, client):
    report = connect("http://127.0.0.1:9")
    assert not report.ok
    assert any("cannot be reached from here" in line.text for line in report.lines)
    assert len(client.list_webhooks()) == len(TOPICS)


def test_a_wrong_key_is_one_line_with_what_to_do(bridge, box, shop, served):
    with ShopClient(shop.home_url, "ck_wrong", "cs_wrong", max_tries=1) as client:
        report = connect_store(bridge.database, box, "main", f"http://127.0.0.1:{served.port}", client)
    assert not report.ok
    assert "Check consumer key" in report.lines[-1].text


def test_a_key_that_may_only_read_is_told(bridge, box, shop, served):
    shop.add_key("ck_read", "cs_read", "read")
    with ShopClient(shop.home_url, "ck_read", "cs_read", max_tries=1) as client:
        report = connect_store(bridge.database, box, "main", f"http://127.0.0.1:{served.port}", client)
    assert not report.ok
    assert "Read/Write permission" in report.lines[-1].text
