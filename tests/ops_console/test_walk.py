"""The whole road by commands alone: a shop and a Point of Sale are set up, connected, and one order walks through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from ops_console.service import Service
from ops_console.settings import read_settings
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, RunningShop, Shop
from tests.ops_console.conftest import Qbwoo


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create()
    yield shop
    shop.close()


@pytest.fixture
def running_shop(shop: Shop) -> Iterator[RunningShop]:
    with shop.serve() as running:
        yield running


@pytest.fixture
def service(data_dir: Path) -> Iterator[Service]:
    settings = read_settings({"QBWOO_DATA_DIR": str(data_dir), "QBWOO_ALLOW_PRIVATE_STORES": "true"})
    with Service(settings, worker=False) as service:
        yield service


def test_one_order_walks_from_the_shop_to_the_books_and_shows_its_story(
    qbwoo: Qbwoo,
    add_store: Callable[..., str],
    shop: Shop,
    running_shop: RunningShop,
    service: Service,
    tmp_path: Path,
) -> None:
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    qbwoo("company", "set", "Main", "items.missing", "create")
    assert qbwoo("store", "check", "shop", "--json", code=1).data[-2]["state"] == "problem"
    lines = qbwoo("store", "connect", "shop", "--url", service.url, "--json").data
    assert {line["state"] for line in lines} == {"ok"}
    assert "problem" not in {line["state"] for line in qbwoo("store", "check", "shop", "--json").data}

    qbwoo("store", "live", "shop", "--yes")
    order = shop.place_order([(_skus(shop)[0], 2)])
    shop.run_queue()
    (activity,) = qbwoo("activity", "list", "--json").data
    assert (activity["state"], activity["order_id"], activity["store"]) == (
        "pending",
        str(order["id"]),
        "shop",
    )
    assert qbwoo("worker", "--once", "--json").data["done"] >= 1

    pos = tmp_path / "company.pos"
    qbwoo("sandbox", "pos", pos, "--add-item", "ANY=1.00")
    qbwoo("qwc", "write", "Main", "--url", service.url, "-o", "main.qwc", "--rehearsal")
    said = qbwoo(
        *("sandbox", "web-connector", "main.qwc", "--password-file", tmp_path / "password"),
        *("--pos", pos, "--once", "--rehearsal"),
    )
    assert "do_authenticate" in said.out
    assert "a long password" not in said.out

    with PosCompanyFile.open(pos) as company:
        (receipt,) = company.receipts()
    assert receipt.total == Decimal(order["total"])
    shown = qbwoo("activity", "show", f"WSHOP-{order['id']}/1", "--json").data
    assert (shown["state"], shown["txn_id"]) == ("succeeded", receipt.txn_id)
    attempt = shown["attempt_list"][-1]
    assert attempt["request"].startswith("<SalesReceiptAddRq")
    assert f'requestID="{shown["id"]}-{attempt["number"]}"' in attempt["request"]
    assert receipt.txn_id in attempt["answer"]
    text = qbwoo("activity", "show", order["number"]).out
    assert "<SalesReceiptAddRq" in text
    assert "SalesReceiptAddRs" in text

    (session, *_) = qbwoo("session", "list", "--json").data
    assert (session["state"], session["failed"]) == ("closed", 0)
    purposes = [one["purpose"] for one in qbwoo("session", "show", session["id"], "--json").data["exchanges"]]
    assert "write" in purposes
    assert qbwoo("mapping", "list", "--json").data


def test_a_dry_run_shows_the_exact_document_and_changes_nothing(
    qbwoo: Qbwoo, add_store: Callable[..., str], shop: Shop, running_shop: RunningShop
) -> None:
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    order = shop.place_order([(_skus(shop)[0], 1)])
    (row,) = qbwoo("push", "orders", "--store", "shop", "--ids", order["id"], "--dry-run", "--json").data
    assert row["state"] == "pending"
    assert Decimal(row["predicted_total"]) == Decimal(order["total"])
    assert row["document"].startswith("<SalesReceiptAddRq") or "<SalesReceiptAdd" in row["document"]
    assert f"WSHOP-{order['id']}/1 " in row["document"]
    assert (
        "<SalesReceiptAdd"
        in qbwoo("push", "orders", "--store", "shop", "--ids", order["id"], "--dry-run").out
    )
    assert qbwoo("activity", "list", "--json").data == []


def test_a_push_asks_first_and_sends_nothing_without_an_answer(
    qbwoo: Qbwoo, add_store: Callable[..., str], shop: Shop, running_shop: RunningShop
) -> None:
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    order = shop.place_order([(_skus(shop)[0], 1)])
    push = ("push", "orders", "--store", "shop", "--ids", order["id"])
    assert "Add --yes" in qbwoo(*push, code=1, given="").err
    assert "Nothing was done" in qbwoo(*push, code=1, given="n\n").err
    assert qbwoo("activity", "list", "--json").data == []
    assert "pending" in qbwoo(*push, given="y\n").out
    assert [row["state"] for row in qbwoo("activity", "list", "--json").data] == ["pending"]


def test_an_order_that_the_shop_does_not_have_is_told(
    qbwoo: Qbwoo, add_store: Callable[..., str], running_shop: RunningShop
) -> None:
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    said = qbwoo("push", "orders", "--store", "shop", "--ids", "999999", "--yes", code=1)
    assert "not in the shop" in said.out
    assert "Order 999999" in said.err


def test_a_shop_that_does_not_answer_is_one_sentence(qbwoo: Qbwoo, add_store: Callable[..., str]) -> None:
    add_store("http://127.0.0.1:9")
    assert "cannot be reached" in qbwoo("store", "check", "shop", code=1).out


def _skus(shop: Shop) -> list[str]:
    return [product["sku"] for product in shop.products() if product["sku"] and product["type"] == "simple"]
