"""Stock goes live: everything is read first, a person says what the books know, and nothing is oversold on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from ops_console import going_live
from ops_console.cli import main
from ops_console.handwork import pause
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET
from queue_store.companies import KINDS, get_company, get_store, set_live
from queue_store.models import CatalogueItem, OrderTaking
from tests.flows.shelves import edit, item_read, open_work, product, quantity, row, writes
from tests.flows.street import Street

LIVE = ("customers", "orders", "stock", "prices")


@pytest.fixture
def street(street: Street) -> Street:
    product(street, "PEN-1", 50)
    item_read(street, "PEN-1", "10")
    street.shop.run_queue()
    street.work()
    street.clock.ahead += timedelta(seconds=3)
    return street


def go(street: Street, *booked: str, kinds: Sequence[str] = LIVE) -> going_live.Outlook:
    """As the command does it; gives what it told before."""
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", kinds)
    records, unknown = going_live.records_of(found.orders, booked)
    assert unknown == []
    outlook = going_live.look_ahead(street.database, "main", kinds, found, records, "test")
    going_live.begin(street.database, "main", kinds, found, records, "test")
    return outlook


def tracks(street: Street) -> bool:
    with street.database.read() as db:
        return get_company(db, "books").tracks_stock


def test_open_orders_are_promised_and_finished_ones_are_not(street: Street) -> None:
    street.shop.place_order([("PEN-1", 2)])
    done = street.shop.place_order([("PEN-1", 4)])["id"]
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(done, "completed")
    assert quantity(street, "PEN-1") == 44
    go(street)
    street.work()
    assert quantity(street, "PEN-1") == 8
    assert tracks(street)
    # Anything that tells of the finished one again changes nothing.
    street.clock.ahead += timedelta(seconds=3)
    street.shop.touch_order(done)
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 8
    assert open_work(street) == []


def test_what_a_person_names_as_booked_is_not_promised(street: Street) -> None:
    first = street.shop.place_order([("PEN-1", 2)])
    street.shop.place_order([("PEN-1", 3)])
    go(street, first["number"])
    street.work()
    assert quantity(street, "PEN-1") == 7


def test_orders_missed_before_the_go_live_are_still_read_and_hold_no_pieces(street: Street) -> None:
    street.deliver()
    before = street.shop.place_order([("PEN-1", 1)])["id"]
    street.deliver()
    with street.database.write() as db:
        store = get_store(db, "main")
        store.orders_read_until = street.clock()
    street.clock.ahead += timedelta(minutes=10)
    lost = street.shop.place_order([("PEN-1", 4)])["id"]
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(lost, "completed")
    street.shop.lose_next_deliveries(20)
    street.shop.run_queue()
    go(street)
    street.work()
    sales = {one.record_id for one in street.house.activities("sale")}
    assert {str(before), str(lost)} <= sales
    assert quantity(street, "PEN-1") == 9


def test_a_shop_that_had_no_order_when_it_went_live_loses_none_however_long_ago(street: Street) -> None:
    """No mark is known then: each order that the shop has is a new one."""
    go(street)
    with street.database.write() as db:
        store = get_store(db, "main")
        store.orders_read_until = store.stock_since = None
    street.clock.ahead -= timedelta(days=3)
    street.shop.place_order([("PEN-1", 2)])
    street.clock.ahead += timedelta(days=3)
    street.shop.lose_next_deliveries(20)
    street.shop.run_queue()
    item_read(street, "PEN-1", "12", turn=2)
    street.work()
    assert quantity(street, "PEN-1") == 10


def test_a_shop_that_shows_prices_alone_has_no_orders_read(street: Street) -> None:
    go(street, kinds=("prices",))
    item_read(street, "PEN-1", "10", prices={"1": "7.50"})
    street.calls.clear()
    street.work()
    assert writes(street) == ["POST products/batch"]
    assert "GET orders" not in street.calls


def test_an_open_order_that_had_taken_nothing_counts_when_it_does(street: Street) -> None:
    order = street.shop.place_order([("PEN-1", 2)], paid=False)
    go(street)
    street.work()
    assert quantity(street, "PEN-1") == 10
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(order["id"], "processing")
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 8
    assert open_work(street) == []


def test_an_order_that_we_booked_before_is_told_from_one_that_is_still_to_go(street: Street) -> None:
    list_id = street.house.pos.add_item("Pen", alu="PEN-1", on_hand={1: 10}).list_id
    item_read(street, "PEN-1", "10", list_id=list_id)
    with street.database.write() as db:
        # The item that was read before stood for none in the company file.
        for item in db.scalars(select(CatalogueItem).where(CatalogueItem.list_id != list_id)):
            item.deleted = True
    street.shop.place_order([("PEN-1", 2)])
    street.deliver()
    street.house.run_until_quiet()
    assert street.house.pos.item(list_id).quantity_on_hand == 8
    street.shop.place_order([("PEN-1", 1)])
    street.deliver()
    go(street)
    street.house.run_until_quiet()
    street.work()
    street.house.run_until_quiet()
    street.work()
    assert quantity(street, "PEN-1") == 7
    assert street.house.pos.item(list_id).quantity_on_hand == 7


def test_the_outlook_writes_nothing_and_tells_the_largest_jumps(street: Street) -> None:
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", LIVE)
    street.calls.clear()
    outlook = going_live.look_ahead(street.database, "main", LIVE, found, (), "test")
    assert (outlook.matched, outlook.differing) == (1, 1)
    assert outlook.products == len(street.shop.products())
    (line,) = outlook.largest
    assert line.endswith("'PEN-1': quantity from 50 to 10")
    assert not tracks(street)
    assert open_work(street) == []
    assert writes(street) == []


def test_a_pause_and_a_second_go_live_count_what_happened_in_between(street: Street) -> None:
    go(street)
    street.work()
    street.deliver()
    open_before = street.shop.place_order([("PEN-1", 1)])["id"]
    street.deliver()
    with street.database.write() as db:
        pause(db, get_store(db, "main"), "test")
    assert not tracks(street)
    street.clock.ahead += timedelta(seconds=3)
    street.shop.place_order([("PEN-1", 2)])
    street.shop.set_status(open_before, "cancelled")
    edit(street, "PEN-1", stock_quantity=33)
    street.deliver()
    go(street)
    street.work()
    assert quantity(street, "PEN-1") == 8
    assert row(street, "PEN-1").agreed_gross == 10


@pytest.mark.parametrize("was_live", [True, False])
def test_an_order_that_is_not_open_any_more_counts_until_its_receipt_has_gone(
    street: Street, was_live: bool
) -> None:
    if was_live:
        go(street)
        street.work()
        street.deliver()
        with street.database.write() as db:
            pause(db, get_store(db, "main"), "test")
            set_live(db, get_store(db, "main"), ("orders",), who="test")
    number = street.shop.place_order([("PEN-1", 2)])["id"]
    street.clock.ahead += timedelta(seconds=3)
    street.shop.complete(number)
    street.deliver()
    street.clock.ahead += timedelta(seconds=3)
    go(street)
    street.work()
    assert street.house.states()[-1] == "pending"
    assert quantity(street, "PEN-1") == 8


def test_a_store_that_is_not_live_for_stock_keeps_nothing(street: Street) -> None:
    street.shop.place_order([("PEN-1", 2)])
    street.deliver()
    street.work()
    with street.database.read() as db:
        assert db.scalars(select(OrderTaking)).all() == []


@pytest.fixture
def qbwoo(street: Street, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Callable[..., Any]:
    """A command on the street's own database."""
    env = {
        "QBWOO_DATABASE_URL": street.database.url,
        "QBWOO_DATA_DIR": str(tmp_path / "data"),
        "QBWOO_ALLOW_PRIVATE_STORES": "true",
        "QBWOO_SECRET_KEY": "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw=",
    }
    with street.database.write() as db:
        store = get_store(db, "main")
        store.consumer_key, store.consumer_secret = CONSUMER_KEY, street.box.seal(CONSUMER_SECRET)

    def run(*words: str, code: int = 0, given: str | None = None) -> Any:
        result = CliRunner().invoke(main, list(words), input=given, env=env)
        assert result.exit_code == code, result.output
        return result

    return run


def live(street: Street) -> str:
    with street.database.read() as db:
        return get_store(db, "main").live_kinds


def test_the_command_asks_for_the_books_and_before_it_writes(street: Street, qbwoo: Any) -> None:
    order = street.shop.place_order([("PEN-1", 2)])
    street.shop.place_order([("PEN-1", 3)])
    said = qbwoo("store", "live", "main", "--also", "stock", given=f"{order['number']}\nn\n", code=1).output
    assert "1 of them are an item of QuickBooks, 1 would change" in said
    assert "quantity from 45 to 7" in said
    assert live(street) == "customers orders"
    qbwoo("store", "live", "main", "--also", "stock", given=f"{order['number']}\ny\n")
    assert live(street) == "customers orders stock"
    street.work()
    assert quantity(street, "PEN-1") == 7


def test_the_command_takes_the_booked_ones_as_an_option(street: Street, qbwoo: Any) -> None:
    order = street.shop.place_order([("PEN-1", 2)])
    qbwoo("store", "live", "main", "--also", "stock", "--booked", "999", "--yes", code=2)
    qbwoo("store", "live", "main", "--also", "stock", "--booked", order["number"], "--yes")
    street.work()
    assert quantity(street, "PEN-1") == 10


def test_a_go_live_that_names_nothing_leaves_the_shop_alone(street: Street, qbwoo: Any) -> None:
    qbwoo("store", "pause", "main")
    qbwoo("store", "live", "main", "--yes")
    assert live(street) == "customers orders"
    qbwoo("store", "live", "main", "--only", ",".join(KINDS), "--yes")
    qbwoo("store", "live", "main", "--yes")
    assert live(street) == " ".join(sorted(KINDS))
    qbwoo("store", "live", "main", "--only", "orders", "--also", "stock", "--yes", code=2)


def test_a_shop_that_does_not_answer_switches_nothing_on(street: Street, qbwoo: Any) -> None:
    street.shop.answer_next_with(401, 50)
    said = qbwoo("store", "live", "main", "--also", "stock", "--yes", code=1).output
    assert "Nothing was switched on" in said
    assert live(street) == "customers orders"


def test_stock_of_stores_that_receipts_do_not_take_from_does_not_go_live(street: Street, qbwoo: Any) -> None:
    street.house.set("documents.store_number", "1")
    street.house.set("stock.stores", "2")
    said = qbwoo("store", "live", "main", "--also", "stock", "--yes", code=1).output
    assert "stock.stores" in said
    assert live(street) == "customers orders"


def test_a_rule_that_is_changed_asks_for_what_differs_then(street: Street, qbwoo: Any) -> None:
    go(street)
    street.work()
    qbwoo("store", "set", "main", "stock.buffer", "4")
    street.work()
    assert quantity(street, "PEN-1") == 6
    qbwoo("company", "set", "books", "stock.stores", "2")
    assert open_work(street) == []
