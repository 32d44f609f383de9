"""QuickBooks' stock in the shop: read, write, read; nothing is written that stands there, nothing is oversold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from queue_store.companies import get_store
from tests.flows.shelves import (
    go_live,
    item_read,
    open_work,
    product,
    quantity,
    row,
    shown,
    sync_of,
    syncs,
    writes,
)
from tests.flows.street import Street


def know_products(street: Street) -> None:
    """All products of the shop are read, as at a go-live."""
    from woo_bridge.read_products import read_all_products

    with street._client() as client, street.database.read() as db:
        store_id = get_store(db, "main").id
    with street._client() as client:
        read_all_products(street.database, client, store_id)


@pytest.fixture
def street(street: Street) -> Street:
    go_live(street)
    product(street, "PEN-1", 50)
    know_products(street)
    street.shop.run_queue()
    street.work()
    return street


def test_a_quantity_is_written_once_and_what_stands_there_is_not_written(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.calls.clear()
    assert street.work() == 1
    assert quantity(street, "PEN-1") == 10
    assert writes(street) == ["POST products/batch"]
    assert sync_of(street, "PEN-1").state == "succeeded"
    assert row(street, "PEN-1").agreed_gross == 10
    street.calls.clear()
    item_read(street, "PEN-1", "10", turn=2)
    assert street.deliver() == 1
    assert street.work() == 0
    assert writes(street) == []
    assert open_work(street) == []
    assert len(syncs(street)) == 1
    assert shown(street, "PEN-1")["manage_stock"] is True
    assert row(street, "PEN-1").differs_since is None
    assert Decimal(10) == row(street, "PEN-1").quantity


def test_a_shop_that_is_down_gets_it_later(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.shop.down = True
    assert street.work() == 1
    assert sync_of(street, "PEN-1").state == "delayed"
    street.shop.down = False
    street.ahead = timedelta(minutes=5)
    assert street.work() == 1
    assert quantity(street, "PEN-1") == 10
