"""`qbwoo reconcile` as a person uses it, with a shop and a Point of Sale that answer."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ops_console.service import Service
from ops_console.settings import read_settings
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, RunningShop, Shop
from queue_store.companies import get_store
from queue_store.database import Database
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


def test_the_shop_and_quickbooks_are_held_against_each_other(
    qbwoo: Qbwoo,
    add_store: Callable[..., str],
    shop: Shop,
    running_shop: RunningShop,
    service: Service,
    console_database: Database,
    tmp_path: Path,
) -> None:
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    qbwoo("company", "set", "Main", "items.missing", "create")
    qbwoo("store", "live", "shop", "--yes")
    with console_database.write() as db:
        get_store(db, "shop").live_since = datetime.now(UTC) - timedelta(days=30)
    sku = next(one["sku"] for one in shop.products() if one["sku"] and one["type"] == "simple")
    sent, unheard = shop.place_order([(sku, 2)]), shop.place_order([(sku, 1)])
    qbwoo("push", "orders", "--store", "shop", "--ids", sent["id"], "--yes")
    unread = shop.refund(unheard["id"], amount="1.00")
    since = (datetime.now(UTC) - timedelta(days=3)).date()
    asked = ("reconcile", "orders", "--store", "shop", "--since", since)
    assert "There is no report of store shop yet" in qbwoo(*asked, code=1).err
    assert "within 1 seconds" in qbwoo(*asked, "--wait", 1, code=1).err

    pos = tmp_path / "company.pos"
    qbwoo("sandbox", "pos", pos)
    qbwoo("qwc", "write", "Main", "--url", service.url, "-o", "main.qwc", "--rehearsal")
    for _ in range(2):
        qbwoo(
            *("sandbox", "web-connector", "main.qwc", "--password-file", tmp_path / "password"),
            *("--pos", pos, "--once", "--rehearsal"),
        )
    report = qbwoo(*asked, "--wait", 1, "--json").data
    rows = {row["reference"]: row for row in report["rows"]}
    assert report["shop_problem"] == ""
    assert rows[sent["number"]]["verdict"] == "equal"
    assert Decimal(rows[sent["number"]]["books_total"]) == Decimal(sent["total"])
    assert rows[unheard["number"]]["verdict"] == "only in the shop"
    assert f"qbwoo push orders --store shop --ids {unheard['id']}" in rows[unheard["number"]]["why"]
    refund = rows[f"Refund {unread['id']} of order {unheard['number']}"]
    assert (refund["verdict"], refund["kind"]) == ("only in the shop", "return")
    assert Decimal(refund["shop_total"]) == Decimal("1.00")
    assert (
        f"never read from the shop. Run: qbwoo push orders --store shop --ids {unheard['id']}"
        in refund["why"]
    )

    said = qbwoo("reconcile", "orders", "--store", "shop", "--csv", "report.csv")
    assert "as read at" in said.err
    assert unheard["number"] in said.out
    assert sent["number"] not in said.out.split()
    with (tmp_path / "report.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + len(report["rows"])
    assert any(task["kind"] == "reconciliation" for task in qbwoo("task", "list", "--json").data["decisions"])


def test_days_are_checked(qbwoo: Qbwoo, add_store: Callable[..., str]) -> None:
    add_store()
    assert "is no day" in qbwoo("reconcile", "orders", "--store", "shop", "--since", "soon", code=2).err
    said = qbwoo(
        *("reconcile", "orders", "--store", "shop", "--since", "2026-02-01", "--until", "2026-01-01"), code=2
    )
    assert "is after" in said.err
    assert "--since" in qbwoo("reconcile", "orders", "--store", "shop", code=1).err
