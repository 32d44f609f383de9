"""Bringing products in step by hand writes the field that was named, and no other."""

from __future__ import annotations

import pytest

from queue_store.companies import get_store
from queue_store.product_payloads import decode_sync
from queue_store.settings import set_store_setting
from tests.flows.desk import Qbwoo, qbwoo_on
from tests.flows.shelves import go_live, item_read, product, quantity, shown, sync_of, syncs
from tests.flows.street import Street


@pytest.fixture
def qbwoo(street: Street) -> Qbwoo:
    return qbwoo_on(street)


@pytest.fixture
def apart(street: Street, qbwoo: Qbwoo) -> Street:
    """A product that differs in both fields, of a store that is live for both, and was not asked for."""
    product(street, "TEA-1", 3, "4.00")
    item_read(street, "TEA-1", "10", prices={"1": "4.50"})
    qbwoo("mapping", "match", "--store", "main")
    go_live(street)
    assert syncs(street) == []
    return street


def sync(qbwoo: Qbwoo, field: str) -> None:
    qbwoo("product", "sync", "TEA-1", "--field", field, "--from", "quickbooks")


def limit(street: Street, key: str) -> None:
    """By itself: `qbwoo store set` has all products looked at."""
    with street.database.write() as db:
        set_store_setting(db, get_store(db, "main"), key, "5", who="test")


def shows(street: Street) -> tuple[int | None, str]:
    return quantity(street, "TEA-1"), shown(street, "TEA-1")["regular_price"]


def test_the_price_alone_is_written(apart: Street, qbwoo: Qbwoo) -> None:
    sync(qbwoo, "price")
    apart.work()
    assert shows(apart) == (3, "4.50")
    assert sync_of(apart, "TEA-1").state == "succeeded"


def test_the_stock_alone_is_written(apart: Street, qbwoo: Qbwoo) -> None:
    sync(qbwoo, "stock")
    apart.work()
    assert shows(apart) == (10, "4.00")


@pytest.mark.parametrize(("kind", "after"), [("prices", (3, "4.50")), ("inventory", (10, "4.00"))])
def test_a_pull_of_what_flows_writes_nothing_else_either(
    apart: Street, qbwoo: Qbwoo, kind: str, after: tuple[int, str]
) -> None:
    qbwoo("pull", kind, "--store", "main", "--yes")
    apart.work()
    assert shows(apart) == after


def test_both_fields_one_after_the_other_are_both_written(apart: Street, qbwoo: Qbwoo) -> None:
    sync(qbwoo, "price")
    sync(qbwoo, "stock")
    apart.work()
    assert shows(apart) == (10, "4.50")


def test_what_changes_meanwhile_is_written_with_it(apart: Street, qbwoo: Qbwoo) -> None:
    sync(qbwoo, "price")
    item_read(apart, "TEA-1", "11", turn=2, prices={"1": "4.50"})
    apart.work()
    assert shows(apart) == (11, "4.50")


def test_a_field_asked_for_leaves_alone_what_waits_already(apart: Street, qbwoo: Qbwoo) -> None:
    item_read(apart, "TEA-1", "11", turn=2, prices={"1": "4.50"})
    sync(qbwoo, "price")
    apart.work()
    assert shows(apart) == (11, "4.50")


def test_a_price_beyond_its_limit_waits_and_goes_alone_when_it_is_let_go(apart: Street, qbwoo: Qbwoo) -> None:
    limit(apart, "prices.limit_percent")
    sync(qbwoo, "price")
    apart.work()
    waiting = sync_of(apart, "TEA-1")
    assert (waiting.state, decode_sync(waiting.payload).only) == ("held", "prices")
    assert shows(apart) == (3, "4.00")
    qbwoo("activity", "release", str(waiting.id))
    apart.work()
    assert shows(apart) == (3, "4.50")


def test_a_quantity_that_waits_for_a_person_goes_on_waiting(apart: Street, qbwoo: Qbwoo) -> None:
    limit(apart, "stock.limit")
    sync(qbwoo, "stock")
    apart.work()
    assert sync_of(apart, "TEA-1").state == "held"
    sync(qbwoo, "price")
    apart.work()
    assert shows(apart) == (3, "4.50")
    assert sync_of(apart, "TEA-1").state == "held"
