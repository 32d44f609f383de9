"""QuickBooks' stock in the shop: read, write, read; nothing is written that stands there, nothing is oversold."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_console.handwork import pause, release
from queue_store.companies import get_store
from queue_store.matching import bind_product
from queue_store.shop_products import products_of
from queue_store.takings import order_erased
from queue_store.tasks import open_tasks
from tests.flows.shelves import (
    edit,
    go_live,
    item_read,
    know_products,
    open_work,
    product,
    proposed,
    quantity,
    row,
    shown,
    sync_of,
    syncs,
    variable_product,
    writes,
)
from tests.flows.street import Street


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
    assert row(street, "PEN-1").differs_since is None


def test_a_shop_that_is_down_gets_it_later(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.shop.down = True
    assert street.work() == 1
    assert sync_of(street, "PEN-1").state == "delayed"
    street.shop.down = False
    street.ahead = timedelta(minutes=5)
    assert street.work() == 1
    assert quantity(street, "PEN-1") == 10


def test_an_order_of_the_shop_writes_nothing(street: Street) -> None:
    """The shop's quantity fell by itself: what it should show fell by as much."""
    item_read(street, "PEN-1", "10")
    street.work()
    street.deliver()
    street.calls.clear()
    street.clock.ahead += timedelta(seconds=3)
    street.shop.place_order([("PEN-1", 2)])
    assert street.deliver() > 1
    street.work()
    assert quantity(street, "PEN-1") == 8
    assert writes(street) == []
    assert len(syncs(street)) == 1
    assert row(street, "PEN-1").agreed_gross == 10


def test_an_order_that_falls_between_reading_and_writing_is_corrected_at_once(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.shop.before_next("POST", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 3)]))
    street.work()
    assert quantity(street, "PEN-1") == 7
    assert writes(street) == ["POST products/batch"] * 2
    assert row(street, "PEN-1").agreed_gross == 10
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 7
    assert open_work(street) == []


def test_an_order_that_falls_between_writing_and_reading_again_stays(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.shop.after_next("POST", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 3)]))
    street.work()
    assert quantity(street, "PEN-1") == 7
    assert writes(street) == ["POST products/batch"]
    assert row(street, "PEN-1").agreed_gross == 10


def test_orders_that_fall_in_every_round_are_done_again_later(street: Street) -> None:
    item_read(street, "PEN-1", "20")
    for _ in range(5):
        street.shop.before_next(
            "POST", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 1)])
        )
    street.work()
    assert quantity(street, "PEN-1") == 15
    assert open_work(street) == []


def test_the_order_of_another_shop_lowers_this_one(street: Street) -> None:
    """Two products of one item, as in two shops of one company: each order lowers the other."""
    product(street, "PEN-U", 50)
    know_products(street)
    list_id = item_read(street, "PEN-1", "10")
    number = shown(street, "PEN-U")["id"]
    with street.database.write() as db:
        found = products_of(db, get_store(db, "main").id, [number])[number]
        bind_product(db, found, list_id, "operator")
    item_read(street, "PEN-1", "10", turn=2)
    street.work()
    assert (quantity(street, "PEN-1"), quantity(street, "PEN-U")) == (10, 10)
    street.deliver()
    street.shop.place_order([("PEN-1", 4)])
    street.deliver()
    street.work()
    assert (quantity(street, "PEN-1"), quantity(street, "PEN-U")) == (6, 6)


def test_a_cancelled_order_gives_back_and_a_restocking_refund_too(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    first = street.shop.place_order([("PEN-1", 2)])["id"]
    second = street.shop.place_order([("PEN-1", 3)])["id"]
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 5
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(first, "cancelled")
    street.clock.ahead += timedelta(seconds=3)
    street.shop.refund(second, items=[("PEN-1", 1)])
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 8
    item_read(street, "PEN-1", "10", turn=2)
    assert street.work() == 0
    assert quantity(street, "PEN-1") == 8


def test_a_trashed_order_holds_its_pieces_and_an_erased_one_does_not(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    order_id = street.shop.place_order([("PEN-1", 2)])["id"]
    street.deliver()
    street.clock.ahead += timedelta(seconds=3)
    street.shop.trash_order(order_id)
    street.deliver()
    street.work()
    item_read(street, "PEN-1", "10", turn=2)
    street.work()
    assert quantity(street, "PEN-1") == 8
    with street._client() as client:
        client.call("DELETE", f"orders/{order_id}", query={"force": "true"})
    with street.database.write() as db:
        order_erased(db, get_store(db, "main"), order_id)
    street.work()
    assert quantity(street, "PEN-1") == 10
    assert row(street, "PEN-1").agreed_gross == 12
    assert open_work(street) == []


def test_a_lost_webhook_of_an_order_is_made_good_before_writing(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    street.deliver()
    street.shop.place_order([("PEN-1", 2)])
    street.shop.lose_next_deliveries(20)
    street.shop.run_queue()
    item_read(street, "PEN-1", "12", turn=2)
    street.work()
    assert quantity(street, "PEN-1") == 10


# -- what is written, and what is not


def test_a_variation_is_written_below_its_parent_and_one_batch_takes_all_of_them(street: Street) -> None:
    variable_product(street, "CAP", ("CAP-S", "CAP-L"))
    know_products(street)
    item_read(street, "CAP-S", "4")
    item_read(street, "CAP-L", "6")
    street.calls.clear()
    street.work()
    assert (quantity(street, "CAP-S"), quantity(street, "CAP-L")) == (4, 6)
    parent = shown(street, "CAP")["id"]
    assert writes(street) == [f"POST products/{parent}/variations/batch"]
    street.deliver()
    street.work()
    assert open_work(street) == []


def test_a_variation_that_shares_its_parents_stock_is_left_alone_and_the_parent_is_written(
    street: Street,
) -> None:
    variable_product(street, "CAP", ("CAP-S",), manage_stock=True, stock_quantity=9, stock=None)
    know_products(street)
    assert row(street, "CAP-S").manage_stock == "parent"
    item_read(street, "CAP-S", "4")
    item_read(street, "CAP", "5")
    street.calls.clear()
    street.work()
    assert writes(street) == ["POST products/batch"]
    assert quantity(street, "CAP") == 5
    street.deliver()
    street.shop.place_order([("CAP-S", 1)])
    street.deliver()
    street.work()
    assert open_work(street) == []


def test_an_item_without_stock_ends_the_keeping_of_stock_once(street: Street) -> None:
    item_read(street, "PEN-1", None, keeps_stock=False)
    street.work()
    assert shown(street, "PEN-1")["manage_stock"] is False
    street.calls.clear()
    item_read(street, "PEN-1", None, keeps_stock=False, turn=2)
    street.deliver()
    assert street.work() == 0


def test_a_product_that_kept_no_stock_keeps_it_from_now_on(street: Street) -> None:
    product(street, "BAG", None)
    know_products(street)
    item_read(street, "BAG", "5000")
    street.work()
    assert (shown(street, "BAG")["manage_stock"], quantity(street, "BAG")) == (True, 5000)


@pytest.mark.parametrize(
    ("there", "backorders", "shows"),
    [("7.9", "no", 7), ("-3", "no", 0), ("-3", "notify", -3), ("-2.5", "yes", -3), ("0.5", "no", 0)],
)
def test_parts_of_a_piece_are_cut_and_only_what_may_be_backordered_is_negative(
    street: Street, there: str, backorders: str, shows: int
) -> None:
    edit(street, "PEN-1", backorders=backorders)
    street.deliver()
    item_read(street, "PEN-1", there)
    street.work()
    assert quantity(street, "PEN-1") == shows
    street.deliver()
    assert street.work() == 0


@pytest.mark.parametrize(
    ("key", "value", "shows"),
    [("stock.share", "50", 5), ("stock.buffer", "3", 7), ("stock.threshold", "10", 0)],
)
def test_the_shops_own_rules_decide_how_much_it_shows(
    street: Street, key: str, value: str, shows: int
) -> None:
    street.house.set_store(key, value)
    item_read(street, "PEN-1", "10")
    street.work()
    assert quantity(street, "PEN-1") == shows
    assert street.work() == 0


def test_a_jump_waits_for_a_person_and_only_that_very_change_is_released(street: Street) -> None:
    item_read(street, "PEN-1", "10", prices={"1": "7.50"})
    street.work()
    item_read(street, "PEN-1", "8", turn=2, prices={"1": "75.00"})
    street.work()
    # The price waits; the quantity does not.
    assert (quantity(street, "PEN-1"), shown(street, "PEN-1")["regular_price"]) == (8, "7.50")
    held = sync_of(street, "PEN-1")
    assert (held.state, held.reason, proposed(held).regular_price) == ("held", "limit", Decimal("75.00"))
    with street.database.read() as db:
        (task,) = open_tasks(db)
    assert (task.kind, task.activity_id, task.sentence) == ("limit", held.id, held.sentence)
    assert held.sentence.endswith(
        f"price from 7.50 to 75.00. If that is right, let exactly it go: qbwoo activity release {held.id}"
    )
    # Another read of the same changes nothing; a newer one is held anew.
    item_read(street, "PEN-1", "8", turn=3, prices={"1": "75.00"})
    assert street.work() == 0
    with street.database.write() as db:
        release(db, [held.id], "test")
    item_read(street, "PEN-1", "8", turn=4, prices={"1": "80.00"})
    street.work()
    held = sync_of(street, "PEN-1")
    assert (held.state, proposed(held).regular_price) == ("held", Decimal("80.00"))
    assert shown(street, "PEN-1")["regular_price"] == "7.50"
    with street.database.write() as db:
        release(db, [held.id], "test")
    street.work()
    assert shown(street, "PEN-1")["regular_price"] == "80.00"
    with street.database.read() as db:
        assert [task.kind for task in open_tasks(db)] == []
    street.deliver()
    assert street.work() == 0


def test_half_of_a_batch_that_fails_fails_alone(street: Street) -> None:
    gone = product(street, "PEN-2", 5)
    know_products(street)
    item_read(street, "PEN-1", "10")
    item_read(street, "PEN-2", "10")

    def delete(_call: Any) -> None:
        with street._client() as client:
            client.call("DELETE", f"products/{gone}", query={"force": "true"})

    street.shop.before_next("POST", "/products/batch", delete)
    street.work()
    assert quantity(street, "PEN-1") == 10
    assert {one.record_id: one.state for one in syncs(street)}[str(gone)] == "succeeded"
    assert open_work(street) == []


def test_a_lost_answer_is_computed_anew_before_it_is_written_again(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.shop.lose_next_answers("POST")
    street.work()
    assert sync_of(street, "PEN-1").state == "delayed"
    street.shop.place_order([("PEN-1", 1)])
    street.ahead = timedelta(minutes=5)
    street.work()
    assert quantity(street, "PEN-1") == 9
    assert writes(street) == ["POST products/batch"]


def test_a_persons_text_as_stock_and_an_edited_quantity_are_written_over(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    street.deliver()
    edit(street, "PEN-1", stock_quantity=99)
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 10
    street.deliver()
    street.work()
    assert open_work(street) == []


def test_a_pause_stops_writing_at_once(street: Street) -> None:
    item_read(street, "PEN-1", "10")

    def stop(_call: Any) -> None:
        with street.database.write() as db:
            pause(db, get_store(db, "main"), "test")

    street.shop.after_next("GET", "/products", stop)
    street.work()
    assert quantity(street, "PEN-1") == 50
    assert sync_of(street, "PEN-1").state == "cancelled"
    item_read(street, "PEN-1", "9", turn=2)
    assert street.work() == 0
    assert quantity(street, "PEN-1") == 50


def test_a_product_in_the_trash_is_not_written_and_goes_on_when_it_is_back(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    number = shown(street, "PEN-1")["id"]
    with street._client() as client:
        client.call("DELETE", f"products/{number}")
    street.deliver()
    street.work()
    item_read(street, "PEN-1", "7", turn=2)
    street.calls.clear()
    assert street.work() == 0
    assert writes(street) == []
    street.clock.ahead += timedelta(seconds=3)
    street.shop.untrash_product(number)
    street.deliver()
    street.work()
    assert quantity(street, "PEN-1") == 7


def test_a_sku_that_is_edited_in_the_shop_is_told_and_stock_goes_on(street: Street) -> None:
    item_read(street, "PEN-1", "10")
    street.work()
    edit(street, "PEN-1", sku="PEN-NEW")
    street.deliver()
    street.work()
    with street.database.read() as db:
        (task,) = open_tasks(db)
    assert task.kind == "sku edited"
    assert "'PEN-1'" in task.sentence
    item_read(street, "PEN-1", "6", turn=2)
    street.work()
    assert quantity(street, "PEN-NEW") == 6
    edit(street, "PEN-NEW", sku="PEN-1")
    street.deliver()
    with street.database.read() as db:
        assert open_tasks(db) == []


def test_a_product_that_is_no_item_or_one_of_several_is_never_written(street: Street) -> None:
    item_read(street, "PEN-1", "10", list_id="-1")
    item_read(street, "pen-1 ", "20", list_id="-2")
    know_products(street)
    product(street, "PEN-9", 3)
    item_read(street, "PEN-9", "10", list_id="-3")
    item_read(street, "PEN-9", "20", list_id="-4")
    street.deliver()
    street.work()
    assert quantity(street, "PEN-9") == 3
    assert "several items" in row(street, "PEN-9").match_problem


def test_a_thousand_products_go_in_ten_batches(street: Street) -> None:
    skus = street.shop.add_products(1000, prefix="MANY", stock=5)
    know_products(street)
    for sku in skus:
        item_read(street, sku, "8")
    street.shop.run_queue()
    street.calls.clear()
    assert street.work() == 1000
    assert {quantity(street, sku) for sku in skus} == {8}
    assert writes(street) == ["POST products/batch"] * 10
    # Of each hundred: orders, products, the batch, orders.
    assert len(street.calls) == 40
