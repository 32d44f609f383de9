"""Rules of web orders that bad days taught: each was broken once, in a day of tests/faults."""

from __future__ import annotations

from typing import Any

import pytest

from ops_console import handwork
from tests.faults.snapshots import Snapshot
from tests.flows.test_found_by_faults import lose_first, refuse_first, tasks
from tests.harness import House, recorded_order


@pytest.fixture
def web_shop(house: House) -> House:
    """A house whose store sends web orders."""
    house.set_store("orders.documents", "on-hold=sales order, processing=receipt, completed=receipt")
    return house


def at(minute: int, order: dict[str, Any], status: str) -> dict[str, Any]:
    return {**order, "status": status, "date_modified_gmt": f"2026-11-23T00:{minute:02}:00"}


def test_an_order_with_a_receipt_becomes_no_web_order_any_more(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "processing"))
    web_shop.run_until_quiet()
    web_shop.take(at(1, plain, "on-hold"))
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == []
    assert web_shop.pos.sales_orders() == []
    assert len(web_shop.totals()) == 1


def test_an_unsent_web_order_does_not_go_when_its_status_asks_for_none_any_more(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    web_shop.take(at(1, plain, "pending"))
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.activities("web_order")[0].sentence == (
        "Order 68 is pending, which is no web order any more: nothing to send."
    )
    web_shop.take(at(2, plain, "on-hold"))
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["succeeded"]
    assert len(web_shop.pos.sales_orders()) == 1


def test_a_web_order_that_a_person_held_is_not_released_as_it_was(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    (order,) = web_shop.activities("web_order")
    with web_shop.database.write() as db:
        handwork.hold(db, [order.id], "test")
    web_shop.take(at(1, plain, "processing"))
    assert web_shop.states("web_order") == ["held"]
    with web_shop.database.write() as db:
        handwork.release(db, [order.id], "test")
    assert web_shop.states("web_order") == ["cancelled"]


def test_a_web_order_cancelled_in_the_shop_is_told_of_though_a_person_cancelled_its_sale(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    web_shop.run_until_quiet()
    with web_shop.database.write() as db:
        handwork.cancel(db, [web_shop.activities()[0].id], "test")
    web_shop.take(at(1, plain, "cancelled"))
    assert tasks(web_shop) == ["changed after sent"]


def test_a_receipt_found_in_the_books_leaves_no_web_order_to_send(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    backup = Snapshot(web_shop.database)
    web_shop.take(at(1, plain, "processing"))
    web_shop.run_until_quiet()
    assert web_shop.pos.sales_orders() == []
    backup.restore(web_shop.database)
    backup.close()
    web_shop.run_until_quiet()
    assert web_shop.states() == ["succeeded"]
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.pos.sales_orders() == []


def test_a_receipt_that_waits_for_its_web_order_goes_when_that_is_not_needed_any_more(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, "<SalesOrderAddRq", executed=False)
    web_shop.take(at(1, plain, "processing"))
    assert web_shop.states() == ["waiting"]
    web_shop.pos.refuse_when = refuse_first("SalesOrderAddRq", 3175, "In use.")
    web_shop.run()
    assert web_shop.states("web_order") == ["delayed"]
    # Catch-up brings the same content once more.
    web_shop.take(at(1, plain, "processing"))
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.states() == ["succeeded"]
