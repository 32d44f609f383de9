"""`qbwoo task` as a person uses it: what waits for a decision, and what runs by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, RunningShop, Shop
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.tasks import raise_task
from tests.ops_console.conftest import Qbwoo


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create(seed=False)
    yield shop
    shop.close()


@pytest.fixture
def running_shop(shop: Shop) -> Iterator[RunningShop]:
    with shop.serve() as running:
        yield running


@pytest.fixture
def store(
    qbwoo: Qbwoo, add_store: Callable[..., str], running_shop: RunningShop, console_database: Database
) -> str:
    name = add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)
    qbwoo("store", "live", name, "--only", "orders,customers", "--yes")
    with console_database.write() as db:
        get_store(db, name).live_since = datetime.now(UTC) - timedelta(days=1)
    return name


def test_one_is_run_by_hand_and_says_what_it_did(qbwoo: Qbwoo, store: str, shop: Shop) -> None:
    sku = shop.add_products(1)[0]
    order = shop.place_order([(sku, 1)])
    said = qbwoo("task", "run", "orders", "--store", store, "--json").data
    assert (said["result"], said["sentence"]) == ("done", "1 order read, 1 new or changed.")
    assert qbwoo("activity", "list", "--json").data[0]["order_id"] == str(order["id"])
    # Where there is one store only, it need not be named.
    assert "1 order read, nothing new" in qbwoo("task", "run", "orders").out


def test_both_lists_are_shown_and_kept_apart(
    qbwoo: Qbwoo, store: str, company: str, console_database: Database
) -> None:
    qbwoo("worker", "--once")
    with console_database.write() as db:
        raise_task(
            db, company_id=get_company(db, company).id, kind="doubled", subject="x", sentence="Look here."
        )
    qbwoo("store", "set", store, "catch_up.refunds_minutes", "0")
    both = qbwoo("task", "list", "--json").data
    assert [one["sentence"] for one in both["decisions"]] == ["Look here."]
    rows = {one["name"]: one for one in both["schedules"]}
    assert {"orders", "webhooks", "refunds", "deleted", "customers", "reconciliation"} <= set(rows)
    assert (rows["orders"]["store"], rows["orders"]["minutes"], rows["orders"]["every"]) == (
        store,
        15,
        "15 min",
    )
    assert rows["orders"]["result"] == "done"
    assert rows["orders"]["next_run"] > rows["orders"]["last_run"]
    assert rows["reconciliation"]["every"] == "daily at 3"
    assert (rows["refunds"]["every"], rows["refunds"]["next_run"]) == ("never", None)
    assert "Switched off" in rows["refunds"]["sentence"]
    assert "not live for" in rows["comparison"]["sentence"]
    said = qbwoo("task", "list")
    assert "Look here." in said.out
    assert "orders\tshop\t15 min" in said.out
    assert qbwoo("task", "list", "--company", company, "--json").data["schedules"] == both["schedules"]


def test_what_cannot_run_says_why(qbwoo: Qbwoo, store: str, running_shop: RunningShop, shop: Shop) -> None:
    assert "'nonsense'" in qbwoo("task", "run", "nonsense", code=1).err
    assert "Known are: orders" in qbwoo("task", "run", "nonsense", code=1).err
    assert "qbwoo store live" in qbwoo("task", "run", "comparison", code=1).err
    shop.answer_next_with(401)
    assert "tried again by itself" in qbwoo("task", "run", "orders", code=1).err
    qbwoo("store", "pause", store, "--yes")
    assert "not live for orders" in qbwoo("task", "run", "orders", code=1).err
