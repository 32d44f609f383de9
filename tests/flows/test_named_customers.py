"""Whose the receipts are in the books: one named customer, one for each shop, and what a guest nobody can tell does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops_console import handwork
from queue_store.companies import add_store, get_company, get_store, set_live
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting, store_settings
from tests.harness import House, numbered, recorded_order
from woo_bridge.disposition import order_rules
from woo_bridge.take_orders import take_order
from woo_bridge.translate_orders import translate_order


def bought(
    order_id: int, *, account: int = 0, email: str = "ann@example.net", last: str = "Lee"
) -> dict[str, Any]:
    order = numbered(recorded_order("plain"), order_id, customer_id=account)
    return {**order, "billing": {**order["billing"], "first_name": "Ann", "last_name": last, "email": email}}


@pytest.fixture
def second(house: House, box: SecretBox) -> House:
    """Another shop of the same company."""
    with house.database.write() as db:
        store = add_store(
            db,
            box,
            company=get_company(db, "books"),
            name="second",
            url="https://second.example.net",
            consumer_key="ck",
            consumer_secret="cs",
            webhook_secret="other",
        )
        set_live(db, store, ("orders",), who="test")
        set_store_setting(db, store, "orders.since", "2020-01-01", who="test")
    return house


def take_in_second(house: House, order: dict[str, Any]) -> None:
    with house.database.write() as db:
        store = get_store(db, "second")
        rules = order_rules(store, store_settings(db, store))
        take_order(db, store, rules, translate_order(json.dumps(order).encode()))


def owners(house: House) -> list[str]:
    """The last names on our receipts, oldest first."""
    names = {one.list_id: one.last_name for one in house.pos.customers()}
    return [
        names[receipt.customer_list_id] for receipt in house.pos.receipts() if receipt.status == "Regular"
    ]


def test_one_named_customer_takes_the_receipts_of_all_shops_and_is_added_once(second: House) -> None:
    second.set("customers.mode", "one")
    second.take(bought(1))
    second.take(bought(2, account=7))
    second.take(bought(3, email=""))
    take_in_second(second, bought(4, email="bob@example.net"))
    second.run_until_quiet()
    assert owners(second) == ["Online Customer"] * 4
    assert [one.last_name for one in second.pos.customers()] == ["Online Customer"]
    # A buyer who changed meanwhile changes nothing.
    second.take(bought(5, account=7, last="Married"))
    second.run_until_quiet()
    assert owners(second) == ["Online Customer"] * 5


def test_each_shop_has_its_own_named_customer(second: House) -> None:
    second.set("customers.mode", "store")
    with second.database.write() as db:
        code = get_store(db, "second").code
    for order_id in (1, 2):
        second.take(bought(order_id))
        take_in_second(second, bought(10 + order_id))
    second.run_until_quiet()
    assert sorted(owners(second)) == sorted(["Online Customer MAIN", f"Online Customer {code}"] * 2)
    second.set_store("customers.name", "Web Austin")
    second.take(bought(3))
    second.run_until_quiet()
    assert "Web Austin" in owners(second)


def test_two_shops_that_name_one_customer_share_it(second: House) -> None:
    second.set("customers.mode", "store")
    second.set_store("customers.name", "Web")
    with second.database.write() as db:
        set_store_setting(db, get_store(db, "second"), "customers.name", "Web", who="test")
    second.take(bought(1))
    take_in_second(second, bought(11))
    second.run_until_quiet()
    assert owners(second) == ["Web", "Web"]
    assert [one.last_name for one in second.pos.customers()] == ["Web"]


def test_the_named_customer_that_somebody_deleted_is_added_again(house: House) -> None:
    house.set("customers.mode", "one")
    house.take(bought(1))
    house.run_until_quiet()
    (named,) = house.pos.customers()
    house.pos.delete_customer(named.list_id)
    house.take(bought(2))
    house.run_until_quiet()
    assert house.states() == ["succeeded", "succeeded"]
    assert [one.last_name for one in house.pos.customers()] == ["Online Customer"]


def test_a_guest_that_cannot_be_told_is_refused_by_setting_and_goes_once_it_is_changed(house: House) -> None:
    house.set("customers.unknown", "refuse")
    house.take(bought(1, email=""))
    house.take(bought(2))
    house.run_until_quiet()
    failed, sent = house.activities()
    assert (failed.state, sent.state) == ("failed", "succeeded")
    assert "a guest without e-mail (billing.email)" in failed.sentence
    assert "qbwoo company set books customers.unknown fallback" in failed.sentence
    house.set("customers.unknown", "fallback")
    with house.database.write() as db:
        handwork.retry(db, [failed.id], "test")
    house.run_until_quiet()
    assert owners(house) == ["Lee", "Online Customer"]
