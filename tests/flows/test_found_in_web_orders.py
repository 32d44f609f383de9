"""Rules of web orders that bad days taught: each was broken once, in a day of tests/faults."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from ops_console import handwork
from queue_store.models import Store
from tests.faults.snapshots import Snapshot
from tests.flows.test_found_by_faults import Session, lose_first, refuse_first, tasks
from tests.harness import House, recorded_order

WEB_ORDER = "<SalesOrderAddRq"


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


def test_a_web_order_in_doubt_does_not_go_again_once_its_order_becomes_a_receipt(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=False)
    web_shop.take(at(1, plain, "processing"))
    assert web_shop.states() == ["waiting"]
    sent = run_noting(web_shop)
    assert not any(WEB_ORDER in request for request in sent)
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.activities("web_order")[0].sentence == (
        "Order 68 goes as a receipt at once: its web order is not needed."
    )
    assert web_shop.states() == ["succeeded"]
    assert web_shop.pos.sales_orders() == []
    assert tasks(web_shop) == []


def test_a_web_order_in_doubt_that_is_found_is_fulfilled_by_its_receipt_and_nobody_is_bothered(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=True)
    web_shop.take(at(1, plain, "processing"))
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["succeeded"]
    (order,) = web_shop.pos.sales_orders()
    (receipt,) = web_shop.our_receipts()
    assert receipt.sales_order_txn_id == order.txn_id
    assert tasks(web_shop) == []
    assert web_shop.activities("web_order")[0].newer_payload is None


def test_a_web_order_on_its_way_is_not_tried_again_for_an_order_that_became_a_receipt(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    session = Session(web_shop)
    session.go_to(WEB_ORDER)
    web_shop.take(at(1, plain, "processing"))
    web_shop.pos.refuse_when = refuse_first("SalesOrderAddRq", 3175, "In use.")
    session.answer()
    # By itself a request that QuickBooks could not take now is tried again later.
    assert web_shop.states("web_order") == ["cancelled"]
    session.finish()
    web_shop.run_until_quiet()
    assert web_shop.states() == ["succeeded"]
    assert web_shop.pos.sales_orders() == []


def test_a_web_order_in_doubt_is_not_held_with_its_store_once_it_is_not_needed(web_shop: House) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=False)
    web_shop.take(at(1, plain, "processing"))
    with web_shop.database.write() as db:
        handwork.pause(db, db.scalars(select(Store)).one(), "test")
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.activities("web_order")[0].unwanted


@pytest.mark.parametrize("minute", [1, 2])
def test_a_web_order_in_doubt_goes_again_if_its_order_is_back_on_hold(web_shop: House, minute: int) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(1, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=False)
    web_shop.take(at(1, plain, "processing"))
    web_shop.take(at(minute, plain, "on-hold"))
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["succeeded"]
    assert len(web_shop.pos.sales_orders()) == 1


def test_a_web_order_cancelled_and_wanted_again_while_in_doubt_is_fulfilled_if_it_is_found(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=True)
    web_shop.take(at(1, plain, "cancelled"))
    web_shop.take(at(2, plain, "processing"))
    web_shop.run_until_quiet()
    assert web_shop.states() == ["succeeded"]
    assert [one.sales_order_txn_id for one in web_shop.our_receipts()] == [
        one.txn_id for one in web_shop.pos.sales_orders()
    ]
    assert tasks(web_shop) == []


def test_a_receipt_goes_when_its_web_order_in_doubt_was_cancelled_and_is_not_in_the_books(
    web_shop: House,
) -> None:
    plain = recorded_order("plain")
    web_shop.take(at(0, plain, "on-hold"))
    lose_first(web_shop, WEB_ORDER, executed=False)
    web_shop.take(at(1, plain, "cancelled"))
    web_shop.take(at(2, plain, "processing"))
    assert web_shop.states() == ["waiting"]
    web_shop.run_until_quiet()
    assert web_shop.states("web_order") == ["cancelled"]
    assert web_shop.states() == ["succeeded"]


def run_noting(house: House) -> list[str]:
    """Sessions until there is nothing to do; gives each request of the first one."""
    sent: list[str] = []
    house.run(on_set=lambda number, request: sent.append(request))
    house.run_until_quiet()
    return sent
