"""Products of the shop are known as they stand there, whatever was not told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from queue_store.catalogue import fold, store_items
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.matching import match_items
from queue_store.models import Company, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from queue_store.secrets import SecretBox
from tests.catching_up import Rig, make_rig
from woo_bridge.catch_up_products import CATCH_UP_PRODUCTS, COMPARISON


@pytest.fixture
def rig(database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(database, box) as rig:
        rig.live("orders", "stock", "prices")
        yield rig


def known(rig: Rig) -> dict[int, ShopProduct]:
    with rig.database.read() as db:
        return {row.product_id: row for row in db.query(ShopProduct)}


def test_changed_products_are_read_with_their_variations_and_the_mark_moves(rig: Rig) -> None:
    with rig.open_client() as client:
        client.call("POST", "products", {"name": "Shirt", "type": "variable", "sku": "SHIRT"})
        parent = rig.shop.product_by_sku("SHIRT")["id"]
        client.call("POST", f"products/{parent}/variations", {"sku": "SHIRT-L", "regular_price": "9.00"})
    variation = rig.shop.product_by_sku("SHIRT-L")["id"]
    scheduler = rig.scheduler([CATCH_UP_PRODUCTS])
    rig.run(scheduler)
    rows = known(rig)
    assert {parent, variation} <= set(rows)
    assert rows[variation].parent_id == parent
    mark = rig.store().products_read_until
    assert mark == rig.now
    rig.pass_time(minutes=61)
    rig.shop.set_stock(rig.sku, 7)
    rig.run(scheduler)
    assert known(rig)[rig.shop.product_by_sku(rig.sku)["id"]].quantity == 7
    assert rig.store().products_read_until == rig.now


def test_the_nightly_reading_finds_what_no_date_tells_of(rig: Rig) -> None:
    skus = rig.shop.add_products(205)
    rig.read_again("comparison")
    assert len(known(rig)) == 206
    rig.pass_time(hours=2)
    rig.shop.set_stock(rig.sku, 9)
    rig.read_again("products")
    rig.shop.write_stock_to_database(skus[200], 3)
    rig.read_again("products")
    number = rig.shop.product_by_sku(skus[200])["id"]
    assert known(rig)[number].quantity != 3
    rig.read_again("comparison")
    assert known(rig)[number].quantity == 3


def test_the_nightly_comparison_has_written_what_nobody_asked_for(rig: Rig) -> None:
    """Both sides drifted apart without a word: the shop's by its database, QuickBooks' by what was kept wrongly."""
    rig.set("stock.limit", "0")
    rig.set("prices.limit_percent", "0")
    skus = rig.shop.add_products(205)
    rig.read_again("comparison")
    with rig.database.write() as db:
        store = get_store(db, "main")
        company = db.get_one(Company, store.company_id)
        items = [
            BookItem(list_id=f"-{number}", alu=sku, on_hand={"1": Decimal(8)}, prices={"1": Decimal("4.50")})
            for number, sku in enumerate(skus, 1)
        ]
        rows = [
            {"company_id": company.id, "list_id": item.list_id, "alu_key": fold(item.alu), "upc_key": ""}
            | {"name": item.alu, "content": encode(item)}
            for item in items
        ]
        store_items(db, rows)
        match_items(db, company, [item.list_id for item in items])
    assert rig.activities("sync_product") == []
    said = rig.read_again("comparison")
    assert "205 to be written" in said[0]
    products = [rig.shop.product_by_sku(sku) for sku in skus]
    assert {(one["stock_quantity"], one["regular_price"]) for one in products} == {(8, "4.50")}
    rig.shop.write_stock_to_database(skus[200], 3)
    rig.read_again("comparison")
    assert rig.shop.product_by_sku(skus[200])["stock_quantity"] == 8
    assert "none to be written" in rig.read_again("comparison")[0]


def test_a_product_deleted_for_good_is_gone_and_a_trashed_one_lies_in_the_trash(rig: Rig) -> None:
    deleted, trashed, there = (rig.shop.product_by_sku(sku)["id"] for sku in rig.shop.add_products(3))
    rig.read_again("comparison")
    rig.pass_time(hours=1)
    with rig.open_client() as client:
        client.call("DELETE", f"products/{deleted}", query={"force": "true"})
        client.call("DELETE", f"products/{trashed}")
    said = rig.read_again("comparison")
    rows = known(rig)
    assert (rows[deleted].gone, rows[trashed].gone, rows[there].gone) == (True, False, False)
    assert rows[trashed].status == "trash"
    assert "1 product gone from the shop" in said[0]
    assert "gone" not in rig.read_again("comparison")[0]


def test_an_empty_copy_of_the_shop_takes_no_product_for_deleted(rig: Rig) -> None:
    numbers = [rig.shop.product_by_sku(sku)["id"] for sku in rig.shop.add_products(40)]
    rig.read_again("comparison")
    rig.pass_time(hours=1)
    with rig.open_client() as client:
        for number in [*numbers, rig.shop.product_by_sku(rig.sku)["id"]]:
            client.call("DELETE", f"products/{number}", query={"force": "true"})
    *_, last = rig.scheduler().run_now("comparison", "main")
    assert (last.failed, "empty copy" in last.sentence) == (True, True)
    assert not any(row.gone for row in known(rig).values())


def test_products_of_a_store_that_is_live_for_orders_alone_are_not_read(rig: Rig) -> None:
    rig.live("orders")
    scheduler = rig.scheduler([CATCH_UP_PRODUCTS, COMPARISON])
    rig.pass_time(days=2)
    rig.run(scheduler)
    assert (rig.calls, known(rig)) == ([], {})


def test_the_comparison_comes_once_a_night_at_its_hour(rig: Rig) -> None:
    rig.set("catch_up.time_zone", "Asia/Tokyo")
    scheduler = rig.scheduler([COMPARISON])
    rig.run(scheduler)
    began = []
    for _ in range(24 * 3):
        rig.pass_time(hours=1)
        rig.run(scheduler)
        began.append(rig.schedule("comparison").began_at)
    runs = [at for at in dict.fromkeys(began) if at is not None]
    assert len(runs) == 3
    assert runs[1] - runs[0] == runs[2] - runs[1] == timedelta(days=1)
