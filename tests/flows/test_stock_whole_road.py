"""Shop, worker, Web Connector and Point of Sale together: what is shown is what may be sold, on both sides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_console import going_live
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import PullMark
from queue_store.rereading import want_items
from queue_store.secrets import SecretBox
from tests.flows.shelves import edit, open_work, product, quantity, shown
from tests.flows.street import Street, make_street
from woo_bridge.changed_rows import OVERLAP

LIVE = ("customers", "orders", "products", "stock", "prices")


@pytest.fixture(params=[True, False], ids=["a sale moves TimeModified", "a sale moves nothing"])
def street(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> Iterator[Street]:
    dialect = PosDialect(sale_moves_item_time_modified=request.param)
    with make_street(sqlite_database, box, pos=PosCompanyFile.create(None, dialect=dialect)) as street:
        yield street


def stocked(street: Street, **skus: int) -> dict[str, str]:
    """Items of both sides, all read and live; ListIDs by SKU."""
    ids = {}
    for name, there in skus.items():
        sku = name.replace("_", "-")
        product(street, sku, 0, "5.00")
        ids[sku] = street.house.pos.add_item(
            f"Item {sku}", alu=sku, price1=Decimal("5.00"), on_hand={1: there}
        ).list_id
    street.house.set("pull.items_minutes", "1440")
    street.house.run()
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", LIVE)
    going_live.begin(street.database, "main", LIVE, found, (), "test")
    with street.database.write() as db:
        # The recorded orders from just before that day, which the overlap would read, are not what is tested.
        store = get_store(db, "main")
        store.orders_read_until = (store.orders_read_until or street.clock()) + OVERLAP
    settle(street)
    return ids


def read_again(street: Street, *list_ids: str) -> None:
    """These items are due to be read, as by the short interval or the night."""
    with street.database.write() as db:
        want_items(db, get_company(db, "books").id, list_ids)


def settle(street: Street, most: int = 12) -> None:
    street.clock.ahead += timedelta(seconds=3)
    street.settle_down(most)


def test_the_worked_example(street: Street) -> None:
    """10 in the store, two ordered: 8; one ships: 8; one is sold in the store: 7; the other is cancelled: 8."""
    ids = stocked(street, PEN_1=10)
    pos = street.house.pos
    assert quantity(street, "PEN-1") == 10
    street.clock.ahead += timedelta(seconds=3)
    shipped = street.shop.place_order([("PEN-1", 1)], payment_method="cod")["id"]
    other = street.shop.place_order([("PEN-1", 1)], payment_method="cod")["id"]
    settle(street)
    assert (quantity(street, "PEN-1"), pos.item(ids["PEN-1"]).quantity_on_hand) == (8, 10)
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(shipped, "completed")
    settle(street)
    assert (quantity(street, "PEN-1"), pos.item(ids["PEN-1"]).quantity_on_hand) == (8, 9)
    pos.sell_in_store([(ids["PEN-1"], 1)])
    read_again(street, ids["PEN-1"])
    settle(street)
    assert (quantity(street, "PEN-1"), pos.item(ids["PEN-1"]).quantity_on_hand) == (7, 8)
    street.clock.ahead += timedelta(seconds=3)
    street.shop.set_status(other, "cancelled")
    settle(street)
    assert (quantity(street, "PEN-1"), pos.item(ids["PEN-1"]).quantity_on_hand) == (8, 8)
    assert open_work(street) == []


def test_a_price_of_quickbooks_comes_to_the_shop(street: Street) -> None:
    ids = stocked(street, PEN_1=10)
    street.house.pos.change_prices(ids["PEN-1"], Price1=Decimal("6.25"))
    read_again(street, ids["PEN-1"])
    settle(street)
    assert shown(street, "PEN-1")["regular_price"] == "6.25"
    assert open_work(street) == []


def test_an_edit_in_the_shop_and_a_sale_in_the_store_both_count(street: Street) -> None:
    """10 read; 15 typed into the shop; a till sells 4 before the adjustment by 5 arrives: 11 on both sides."""
    ids = stocked(street, PEN_1=10)
    street.house.set_store("stock.edits", "adjust")
    street.house.set("documents.store_number", "1")
    edit(street, "PEN-1", stock_quantity=15)
    street.deliver()
    street.work()
    street.house.pos.sell_in_store([(ids["PEN-1"], 4)])
    settle(street)
    assert (quantity(street, "PEN-1"), street.house.pos.item(ids["PEN-1"]).quantity_on_hand) == (11, 11)
    assert open_work(street) == []
    street.clock.ahead += timedelta(seconds=3)
    street.shop.place_order([("PEN-1", 1)])
    settle(street)
    assert (quantity(street, "PEN-1"), street.house.pos.item(ids["PEN-1"]).quantity_on_hand) == (10, 10)
    edit(street, "PEN-1", stock_quantity=8)
    settle(street)
    assert (quantity(street, "PEN-1"), street.house.pos.item(ids["PEN-1"]).quantity_on_hand) == (8, 8)
    assert len(street.house.activities("adjust_stock")) == 2


def test_edits_of_several_products_all_arrive_in_one_session(street: Street) -> None:
    """Each is put on what was read in the very set before: they must not wait for each other for ever."""
    ids = stocked(street, PEN_1=10, PEN_2=20, PEN_3=30)
    street.house.set("documents.store_number", "1")
    street.house.set_store("stock.edits", "adjust")
    for by in (5, 7):
        for sku in ids:
            edit(street, sku, stock_quantity=(quantity(street, sku) or 0) + by)
            street.deliver()
            street.work()
    assert len(street.house.activities("adjust_stock")) == 6
    # Its receipt goes first, and has one of the items read by itself.
    street.clock.ahead += timedelta(seconds=3)
    street.shop.place_order([("PEN-1", 1)])
    street.deliver()
    street.house.run()
    assert [street.house.pos.item(one).quantity_on_hand for one in ids.values()] == [21, 32, 42]
    settle(street)
    assert [quantity(street, sku) for sku in ids] == [21, 32, 42]
    assert open_work(street) == []


@pytest.mark.parametrize("edits", ["overwrite", "adjust"])
def test_a_hundred_changes_on_both_sides_leave_nothing_behind(street: Street, edits: str) -> None:
    rng = random.Random(7)
    ids = stocked(street, PEN_1=40, PEN_2=60, PEN_3=80)
    street.house.set_store("stock.edits", edits)
    street.house.set("documents.store_number", "1")
    pos = street.house.pos
    open_orders: list[dict[str, Any]] = []
    for number in range(100):
        sku = rng.choice(sorted(ids))
        street.clock.ahead += timedelta(seconds=2)
        deed = rng.choice(("order", "order", "cancel", "sell", "receive", "edit", "price", "noop"))
        if deed == "order" and (quantity(street, sku) or 0) > 1:
            gateway = rng.choice(("stripe", "cod"))
            open_orders.append(street.shop.place_order([(sku, 1)], payment_method=gateway))
        elif deed == "cancel" and open_orders:
            order = open_orders.pop()
            if order["payment_method"] == "cod":
                street.shop.set_status(order["id"], "cancelled")
        elif deed == "sell":
            pos.sell_in_store([(ids[sku], 1)])
            read_again(street, ids[sku])
        elif deed == "receive":
            pos.count_stock({ids[sku]: pos.item(ids[sku]).quantity_on_hand + 2})
            read_again(street, ids[sku])
        elif deed == "edit":
            edit(street, sku, stock_quantity=rng.randrange(100))
        elif deed == "price":
            pos.change_prices(ids[sku], Price1=Decimal(rng.randrange(450, 550)) / 100)
            read_again(street, ids[sku])
        elif deed == "noop":
            edit(street, sku, name=f"Pen {number}")
        if number % 5 == 0:
            street.deliver()
            street.work()
    settle(street)
    settle(street)
    assert open_work(street) == []
    assert street.deliver() + street.work() == 0
    for sku, list_id in ids.items():
        taken = Decimal(0)
        for order in street.shop.orders():
            for line in order["line_items"]:
                if line["sku"] == sku:
                    taken += sum(
                        Decimal(str(meta["value"]))
                        for meta in line["meta_data"]
                        if meta["key"] == "_reduced_stock"
                    )
        sold = sum(
            (
                line.qty
                for receipt in street.house.our_receipts()
                for line in receipt.lines
                if line.list_id == list_id
            ),
            Decimal(0),
        )
        assert quantity(street, sku) == pos.item(list_id).quantity_on_hand - taken + sold, sku
        assert Decimal(shown(street, sku)["regular_price"]) == pos.item(list_id).price1


def test_the_pull_of_everything_asks_for_nothing_that_is_as_it_was(street: Street) -> None:
    stocked(street, PEN_1=10)
    with street.database.write() as db:
        for mark in db.query(PullMark):
            mark.finished_at = mark.finished_at and mark.finished_at - timedelta(days=3)
    street.calls.clear()
    settle(street)
    assert open_work(street) == []
    assert street.calls == []
