"""Two shops of one company: each order lowers both, each by its own share and buffer, and each drains by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.companies import add_store, get_company, get_store, set_live
from queue_store.settings import set_store_setting
from tests.flows.shelves import go_live, item_read, know_products, product, quantity
from tests.flows.street import Street
from woo_bridge.client import ShopClient
from woo_bridge.read_products import read_all_products


@pytest.fixture
def second(street: Street) -> Iterator[Shop]:
    """Another shop with the same SKU, at an address of its own."""
    shop = Shop.create(seed=False, clock=street.clock)
    shop.add_products(1, prefix="PEN", stock=50)
    with shop.serve():
        with street.database.write() as db:
            store = add_store(
                db,
                street.box,
                company=get_company(db, "books"),
                name="second",
                url=shop.home_url,
                consumer_key="ck",
                consumer_secret="cs",
                webhook_secret="other",
            )
            set_live(db, store, ("orders", "stock"), who="test")
        yield shop
    shop.close()


def know_second(street: Street, shop: Shop) -> None:
    """Its products are read, as at a go-live."""
    with street.database.read() as db:
        store_id = get_store(db, "second").id
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1) as client:
        read_all_products(street.database, client, store_id)


def there(shop: Shop) -> int:
    return int(shop.product_by_sku("PEN-00000")["stock_quantity"])


def test_an_order_of_one_lowers_the_other_and_rules_are_each_ones_own(street: Street, second: Shop) -> None:
    product(street, "PEN-00000", 50)
    go_live(street, "orders", "stock")
    know_products(street)
    know_second(street, second)
    with street.database.write() as db:
        set_store_setting(db, get_store(db, "second"), "stock.buffer", "4", who="test")
    item_read(street, "PEN-00000", "10")
    street.work()
    assert (quantity(street, "PEN-00000"), there(second)) == (10, 6)
    street.deliver()
    street.clock.ahead += timedelta(seconds=3)
    street.shop.place_order([("PEN-00000", 3)])
    street.deliver()
    street.work()
    assert (quantity(street, "PEN-00000"), there(second)) == (7, 3)
    # Its webhooks do not come; the worker reads its orders before it writes.
    second.place_order([("PEN-00000", 2)])
    item_read(street, "PEN-00000", "12", turn=2)
    street.work()
    street.work()
    assert (quantity(street, "PEN-00000"), there(second)) == (7, 3)


def test_a_shop_that_is_down_stops_no_other(street: Street, second: Shop) -> None:
    product(street, "PEN-00000", 50)
    go_live(street, "orders", "stock")
    know_products(street)
    know_second(street, second)
    item_read(street, "PEN-00000", "10")
    second.down = True
    street.work()
    assert quantity(street, "PEN-00000") == 10
    second.down = False
    assert there(second) == 50
    street.ahead = timedelta(minutes=5)
    street.work()
    assert there(second) == 10
