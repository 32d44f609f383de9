"""What orders took is kept as the shop tells it, newest state first, and only where stock is shown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from queue_store.allocation import gross_takings, promised_of
from queue_store.catalogue import fold, store_items
from queue_store.companies import add_company, add_store, get_store, set_live
from queue_store.database import Database
from queue_store.matching import match_items, match_store
from queue_store.models import Company, OrderTaking, ShopProduct
from queue_store.payloads import Order, encode
from queue_store.product_payloads import BookItem, ShopItem
from queue_store.secrets import SecretBox
from queue_store.shop_products import Kept, keep_products
from queue_store.takings import begin_takings, name_booked, take_stock
from tests.making_orders import MOMENT, line, order


@pytest.fixture
def house(database: Database, box: SecretBox) -> Database:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="secret")
        for name in ("main", "other"):
            store = add_store(
                db,
                box,
                company=company,
                name=name,
                url=f"https://{name}.example",
                consumer_key="ck",
                consumer_secret="cs",
                webhook_secret="wh",
            )
            set_live(db, store, ("orders", "stock"), who="test")
    return database


def taken(taking: str, *, reduced: str | None = "2", at: int = 0, **more: Any) -> Order:
    """An order whose one line took `reduced` pieces, changed `at` seconds after its making."""
    one = line("10.00", taking, reduced_stock=None if reduced is None else Decimal(reduced), sku="S1", **more)
    return order(one, total="10.00", modified_at=MOMENT + timedelta(seconds=at))


def keep(database: Database, *orders: Order, store: str = "main") -> None:
    with database.write() as db:
        for one in orders:
            take_stock(db, get_store(db, store), [one])


def rows(database: Database) -> list[tuple[str, Decimal, str | None]]:
    with database.read() as db:
        return [
            (row.record, row.quantity, row.list_id)
            for row in db.scalars(select(OrderTaking).order_by(OrderTaking.record))
        ]


def read_item(database: Database, list_id: str = "-1", sku: str = "S1") -> None:
    with database.write() as db:
        company_id = get_store(db, "main").company_id
        row = {"company_id": company_id, "list_id": list_id, "alu_key": fold(sku), "upc_key": "", "name": sku}
        store_items(db, [row | {"content": encode(BookItem(list_id=list_id, alu=sku))}])


def read_product(database: Database, product_id: int, sku: str, store: str = "main", **more: Any) -> Kept:
    item = ShopItem(
        product_id=product_id, type="simple", status="publish", sku=sku, modified_at=MOMENT, **more
    )
    with database.write() as db:
        return keep_products(db, get_store(db, store), [item], read_now=True)[product_id]


def match(database: Database, store: str = "main") -> list[int]:
    with database.write() as db:
        return match_store(db, get_store(db, store))[0]


def problem(database: Database, product_id: int) -> str:
    with database.read() as db:
        return db.get_one(ShopProduct, (get_store(db, "main").id, product_id)).match_problem


def test_the_newest_state_counts_whatever_the_order_of_arrival(house: Database) -> None:
    keep(house, taken("2", at=5), taken("2", reduced="3", at=1))
    assert rows(house) == [("71", 2, None)]
    keep(house, taken("2", reduced="1", at=9))
    assert rows(house) == [("71", 1, None)]
    keep(house, taken("2", reduced=None, at=12))
    assert rows(house) == [("71", 0, None)]


def test_a_line_that_never_took_anything_has_no_row(house: Database) -> None:
    keep(house, taken("2", reduced=None))
    assert rows(house) == []


def test_the_item_is_known_later(house: Database) -> None:
    keep(house, taken("2"))
    read_item(house)
    read_product(house, 1, "S1")
    assert match(house) == [1]
    assert rows(house) == [("71", 2, "-1")]


def test_the_item_is_known_by_sku_where_the_product_is_not(house: Database) -> None:
    read_item(house)
    keep(house, taken("2"))
    assert rows(house) == [("71", 2, "-1")]


def test_what_is_booked_stays_so_and_is_a_part_of_the_gross_alone(house: Database) -> None:
    read_item(house)
    keep(house, taken("2"))
    with house.write() as db:
        store = get_store(db, "main")
        assert name_booked(db, store, {"71"}) == {"-1"}
    keep(house, taken("2", reduced="1", at=3))
    with house.read() as db:
        store = get_store(db, "main")
        assert promised_of(db, store.company_id, ["-1"])["-1"].takings == []
        assert gross_takings(db, store.id, [1]) == {1: 1}


def test_a_later_change_opens_what_was_closed(house: Database) -> None:
    read_item(house)
    keep(house, taken("2"))
    with house.write() as db:
        for row in db.scalars(select(OrderTaking)):
            row.closed = True
    keep(house, taken("2", at=3))
    with house.read() as db:
        assert db.scalars(select(OrderTaking.closed)).all() == [True]
    keep(house, taken("2", reduced="1", at=4))
    with house.read() as db:
        assert db.scalars(select(OrderTaking.closed)).all() == [False]


def test_of_orders_from_before_the_go_live_only_the_open_ones_count(house: Database) -> None:
    read_item(house)
    with house.write() as db:
        begin_takings(db, get_store(db, "main"), [taken("2")], (), MOMENT + timedelta(seconds=1))
    closed = order(line("10.00", reduced_stock=Decimal(4), sku="S1"), total="10.00", order_id=72)
    new = order(
        line("10.00", reduced_stock=Decimal(8), sku="S1"),
        total="10.00",
        order_id=73,
        created_at=MOMENT + timedelta(seconds=1),
    )
    keep(house, closed, new)
    with house.read() as db:
        promised = promised_of(db, get_store(db, "main").company_id, ["-1"])["-1"]
    assert [one.quantity for one in promised.takings] == [2, 8]


def test_a_variation_that_shares_its_parents_stock_takes_from_the_parent(house: Database) -> None:
    read_product(house, 9, "S1", parent_id=1, manage_stock="parent")
    keep(house, taken("2", variation_id=9))
    keep(house, order(line("1.00", reduced_stock=Decimal(1), variation_id=8), total="1.00", order_id=72))
    with house.read() as db:
        assert db.scalars(select(OrderTaking.product_id).order_by(OrderTaking.record)).all() == [1, 8]


def test_one_item_under_the_sku_is_it_several_are_told_and_none_waits(house: Database) -> None:
    read_product(house, 1, " s1 ")
    read_product(house, 2, "S2")
    read_product(house, 3, "")
    read_item(house)
    read_item(house, "-2", "S2")
    read_item(house, "-3", "S2")
    assert match(house) == [1]
    assert problem(house, 1) == ""
    assert "several items" in problem(house, 2)
    assert "qbwoo mapping set item S2" in problem(house, 2)


def test_two_products_with_one_sku_are_told_but_a_variation_only_shows_its_parents(house: Database) -> None:
    read_item(house)
    read_product(house, 1, "S1")
    read_product(house, 2, "S1")
    read_item(house, "-2", "S2")
    read_product(house, 5, "S2")
    read_product(house, 6, "S2", parent_id=5)
    assert match(house) == [5]
    assert problem(house, 1) == problem(house, 2)
    assert "1, 2" in problem(house, 1)


def test_items_that_are_read_later_match_the_products_of_all_shops(house: Database) -> None:
    read_product(house, 1, "S1")
    read_product(house, 7, "S1", store="other")
    read_item(house)
    with house.write() as db:
        main = get_store(db, "main")
        found = match_items(db, db.get_one(Company, main.company_id), ["-1"])
        assert found == {main.id: [1], get_store(db, "other").id: [7]}


def test_a_store_that_is_not_live_for_stock_keeps_nothing(house: Database) -> None:
    with house.write() as db:
        set_live(db, get_store(db, "main"), ("orders", "products", "prices"), who="test")
    keep(house, taken("2"))
    assert rows(house) == []
