"""A person's change of a quantity in the shop: once to QuickBooks as an adjustment, and never for an order."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select

from queue_store.models import Activity, OrderTaking
from queue_store.product_payloads import StockAdjustment
from tests.flows.shelves import (
    edit,
    go_live,
    item_read,
    know_products,
    product,
    quantity,
    row,
    writes,
)
from tests.flows.street import Street


@pytest.fixture
def street(street: Street) -> Street:
    go_live(street, "orders", "stock")
    street.house.set_store("stock.edits", "adjust")
    product(street, "PEN-1", 50)
    know_products(street)
    item_read(street, "PEN-1", "10")
    street.shop.run_queue()
    street.work()
    street.deliver()
    assert row(street, "PEN-1").agreed_gross == 10
    street.calls.clear()
    street.clock.ahead += timedelta(seconds=3)
    return street


def adjustments(street: Street) -> list[tuple[Activity, StockAdjustment]]:
    return [
        (one, msgspec.json.decode(one.payload, type=StockAdjustment))
        for one in street.house.activities("adjust_stock")
    ]


def test_an_edit_becomes_one_adjustment_and_is_not_written_over(street: Street) -> None:
    edit(street, "PEN-1", stock_quantity=13)
    street.deliver()
    street.work()
    ((activity, adjustment),) = adjustments(street)
    assert (activity.state, activity.target) == ("pending", "quickbooks")
    assert (adjustment.difference, adjustment.sku, adjustment.list_id) == (
        Decimal(3),
        "PEN-1",
        row(street, "PEN-1").list_id,
    )
    with street.database.read() as db:
        (taking,) = db.scalars(select(OrderTaking).where(OrderTaking.record == f"A{activity.id}"))
    assert taking.quantity == -3
    assert quantity(street, "PEN-1") == 13
    assert writes(street) == []
    # Saved again, and read again before QuickBooks has it: nothing new.
    edit(street, "PEN-1", stock_quantity=13)
    street.deliver()
    item_read(street, "PEN-1", "10", turn=2)
    street.work()
    assert len(adjustments(street)) == 1
    assert quantity(street, "PEN-1") == 13


def test_an_edit_beside_an_order_is_told_from_it(street: Street) -> None:
    street.shop.place_order([("PEN-1", 2)])
    edit(street, "PEN-1", stock_quantity=9)
    street.deliver()
    street.work()
    ((_, adjustment),) = adjustments(street)
    assert adjustment.difference == 1
    assert quantity(street, "PEN-1") == 9


def test_an_order_whose_webhooks_are_lost_is_no_edit(street: Street) -> None:
    street.shop.place_order([("PEN-1", 2)])
    street.shop.lose_next_deliveries(20)
    street.shop.run_queue()
    item_read(street, "PEN-1", "12", turn=2)
    street.work()
    assert adjustments(street) == []
    assert quantity(street, "PEN-1") == 10


def test_an_order_that_falls_while_we_look_is_no_edit(street: Street) -> None:
    street.shop.after_next("GET", "/orders", lambda _call: street.shop.place_order([("PEN-1", 2)]))
    item_read(street, "PEN-1", "12", turn=2)
    street.work()
    assert adjustments(street) == []
    assert quantity(street, "PEN-1") == 10


def test_our_own_writing_is_no_edit(street: Street) -> None:
    for turn, there in enumerate(("12", "7", "30"), 2):
        item_read(street, "PEN-1", there, turn=turn)
        street.work()
        street.deliver()
        street.work()
        assert quantity(street, "PEN-1") == int(there)
    assert adjustments(street) == []


def test_a_restocking_refund_and_a_cancellation_are_no_edits(street: Street) -> None:
    first = street.shop.place_order([("PEN-1", 2)])["id"]
    second = street.shop.place_order([("PEN-1", 3)])["id"]
    street.deliver()
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(first, "cancelled")
    street.shop.refund(second, items=[("PEN-1", 1)])
    street.deliver()
    street.work()
    item_read(street, "PEN-1", "10", turn=2)
    street.work()
    assert adjustments(street) == []
    assert quantity(street, "PEN-1") == 8


def test_two_edits_are_two_adjustments(street: Street) -> None:
    for value in (13, 5):
        edit(street, "PEN-1", stock_quantity=value)
        street.deliver()
        street.work()
    assert [one.difference for _, one in adjustments(street)] == [3, -8]
    assert quantity(street, "PEN-1") == 5


def test_overwritten_edits_go_nowhere(street: Street) -> None:
    street.house.set_store("stock.edits", "overwrite")
    edit(street, "PEN-1", stock_quantity=13)
    street.deliver()
    street.work()
    assert adjustments(street) == []
    assert quantity(street, "PEN-1") == 10
