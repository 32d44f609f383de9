"""QuickBooks' prices in the shop: by rule, as text, and nothing of a person's that is not ours to set."""

from __future__ import annotations

from typing import Any

import pytest

from queue_store.companies import get_store
from queue_store.product_sync import ask_whole_store
from tests.flows.shelves import (
    edit,
    go_live,
    item_read,
    know_products,
    open_work,
    product,
    row,
    shown,
    sync_of,
    variable_product,
    writes,
)
from tests.flows.street import Street


@pytest.fixture
def street(street: Street) -> Street:
    go_live(street, "orders", "prices")
    product(street, "PEN-1", 50, "5.00")
    know_products(street)
    street.shop.run_queue()
    street.work()
    return street


def prices(street: Street, sku: str = "PEN-1") -> tuple[str, str]:
    found = shown(street, sku)
    return found["regular_price"], found["sale_price"]


def test_a_price_goes_as_text_and_the_stock_is_not_touched(street: Street) -> None:
    bodies: list[Any] = []
    street.shop.before_next("POST", "/products/batch", lambda call: bodies.append(call.body))
    item_read(street, "PEN-1", "10", prices={"1": "5.5"})
    street.work()
    assert bodies == [{"update": [{"id": shown(street, "PEN-1")["id"], "regular_price": "5.50"}]}]
    assert prices(street) == ("5.50", "")
    assert shown(street, "PEN-1")["stock_quantity"] == 50
    street.deliver()
    assert street.work() == 0


def test_price_and_stock_go_in_one_item_of_one_batch(street: Street) -> None:
    go_live(street)
    bodies: list[Any] = []
    street.shop.before_next("POST", "/products/batch", lambda call: bodies.append(call.body))
    item_read(street, "PEN-1", "10", prices={"1": "5.50"})
    street.work()
    (body,) = bodies
    assert [sorted(one) for one in body["update"]] == [["id", "regular_price", "stock_quantity"]]


def test_an_item_without_a_price_leaves_the_shops(street: Street) -> None:
    item_read(street, "PEN-1", "10", prices={"2": "5.50"})
    assert street.work() == 0
    assert prices(street) == ("5.00", "")


def test_a_sale_level_makes_and_ends_the_sale_price(street: Street) -> None:
    street.house.set_store("prices.sale_level", "2")
    item_read(street, "PEN-1", "10", prices={"1": "5.00", "2": "4.00"})
    street.work()
    assert prices(street) == ("5.00", "4.00")
    item_read(street, "PEN-1", "10", turn=2, prices={"1": "5.00"})
    street.work()
    assert prices(street) == ("5.00", "")


def test_a_sale_price_that_is_none_says_so(street: Street) -> None:
    street.house.set_store("prices.sale_level", "2")
    item_read(street, "PEN-1", "10", prices={"1": "5.10", "2": "6.00"})
    street.work()
    assert prices(street) == ("5.10", "")
    assert "not below its regular price" in sync_of(street, "PEN-1").sentence
    street.deliver()
    assert street.work() == 0


def test_a_sale_that_a_person_planned_is_left_alone(street: Street) -> None:
    street.house.set_store("prices.sale_level", "2")
    edit(street, "PEN-1", sale_price="4.50", date_on_sale_to="2030-01-01")
    street.deliver()
    item_read(street, "PEN-1", "10", prices={"1": "5.20", "2": "4.00"})
    street.work()
    assert prices(street) == ("5.20", "4.50")
    assert street.work() == 0


def test_without_a_sale_level_the_shops_own_sale_price_stays(street: Street) -> None:
    edit(street, "PEN-1", sale_price="4.50")
    item_read(street, "PEN-1", "10", prices={"1": "5.20"})
    street.work()
    assert prices(street) == ("5.20", "4.50")


def test_rules_that_are_changed_ask_for_what_differs_then(street: Street) -> None:
    item_read(street, "PEN-1", "10", prices={"1": "5.00"})
    street.house.set_store("prices.percent", "10")
    with street.database.write() as db:
        assert ask_whole_store(db, get_store(db, "main"), cause="changed") == (1, None)
    street.work()
    assert prices(street) == ("5.50", "")
    with street.database.write() as db:
        assert ask_whole_store(db, get_store(db, "main"), cause="changed") == (0, None)


def test_prices_that_the_shop_rules_are_not_written(street: Street) -> None:
    street.house.set_store("prices.ruled_by", "shop")
    item_read(street, "PEN-1", "10", prices={"1": "5.50"})
    assert street.work() == 0
    assert prices(street) == ("5.00", "")


@pytest.mark.parametrize("there", ["0.0375", "0.00", "dear"])
def test_what_stood_in_the_shop_before_is_compared_as_a_number(street: Street, there: str) -> None:
    edit(street, "PEN-1", regular_price=there)
    street.deliver()
    street.house.set_store("prices.limit_percent", "0")
    item_read(street, "PEN-1", "10", prices={"1": "5.50"})
    street.work()
    assert prices(street) == ("5.50", "")
    item_read(street, "PEN-1", "10", turn=2, prices={"1": "5.5000"})
    street.deliver()
    assert street.work() == 0


def test_a_product_without_a_price_is_filled_which_is_no_jump(street: Street) -> None:
    edit(street, "PEN-1", regular_price="")
    street.deliver()
    item_read(street, "PEN-1", "10", prices={"1": "500.00"})
    street.work()
    assert prices(street) == ("500.00", "")


def test_variations_have_their_own_prices_and_their_parent_none(street: Street) -> None:
    variable_product(street, "CAP", ("CAP-S", "CAP-L"))
    know_products(street)
    item_read(street, "CAP", "10", prices={"1": "7.00"})
    item_read(street, "CAP-S", "10", prices={"1": "7.00"})
    item_read(street, "CAP-L", "10", prices={"1": "8.00"})
    street.calls.clear()
    street.work()
    assert (prices(street, "CAP-S")[0], prices(street, "CAP-L")[0]) == ("7.00", "8.00")
    assert len(writes(street)) == 1
    street.deliver()
    street.work()
    assert open_work(street) == []
    assert row(street, "CAP").differs_since is None
