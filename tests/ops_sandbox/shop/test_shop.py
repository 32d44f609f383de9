"""What tests and demos do with a shop from Python."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from ops_sandbox.shop import NoSuchRecord, Shop


def test_a_recorded_order_flows_when_it_is_touched(shop, receiver, clock):
    shop.add_webhook("order.updated", f"{receiver.url}/hook", "s")
    body = shop.touch_order(84)
    assert body["date_modified_gmt"] == "2026-11-22T02:00:00"
    shop.run_queue()
    assert receiver.fired == [("order.updated", 84)]


@pytest.mark.parametrize(
    ("method", "paid", "status", "is_paid"),
    [
        ("stripe", True, "processing", True),
        ("stripe", False, "pending", False),
        ("cod", True, "processing", False),
        ("bacs", True, "on-hold", False),
    ],
)
def test_a_shoppers_order_waits_where_its_payment_leaves_it(method, paid, status, is_paid, shop):
    order = shop.place_order([("WID-002", 1)], paid=paid, payment_method=method)
    assert (order["status"], order["date_paid"] is not None) == (status, is_paid)


def test_a_shoppers_order_has_the_keys_of_a_recorded_one(shop, recorded):
    order = shop.place_order(
        [("TS-R-XL", 1)], coupon="tenpct", shipping=Decimal("7.50"), payment_method="bacs"
    )
    expected = recorded("rest/order_storefront_coupon_variation")["response"]["body"]
    assert list(order) == list(expected)
    for kind in ("line_items", "tax_lines", "shipping_lines", "coupon_lines"):
        assert [list(line) for line in order[kind]] == [list(line) for line in expected[kind]]
    for key in (
        "total",
        "total_tax",
        "discount_total",
        "shipping_tax",
        "status",
        "needs_payment",
        "is_editable",
    ):
        assert order[key] == expected[key]


def test_unknown_records_are_named(shop):
    with pytest.raises(NoSuchRecord, match="NO-SUCH"):
        shop.place_order([("NO-SUCH", 1)])
    with pytest.raises(NoSuchRecord, match="4711"):
        shop.set_status(4711, "completed")


def test_a_shop_in_a_file_is_found_again_as_it_was_left(tmp_path, receiver, clock):
    path = tmp_path / "shop.db"
    shop = Shop.create(path, clock=clock)
    hook = shop.add_webhook("order.updated", f"{receiver.url}/hook", "s")
    order = shop.place_order([("WID-002", 3)], meta={"po": "7"})
    refund = shop.refund(order["id"], items=[("WID-002", 1)])
    before = (shop.orders(), shop.products())
    shop.close()

    again = Shop.create(path, clock=clock)
    assert (again.orders(), again.products()) == before
    assert again.pending_actions == [("order.updated", order["id"])]
    again.run_queue()
    assert receiver.fired == [("order.updated", order["id"])]
    assert again.failure_count(hook) == 0
    assert again.place_order([("WID-002", 1)])["id"] > refund["id"]
    again.close()


def test_a_shop_can_begin_empty(clock):
    shop = Shop.create(seed=False, clock=clock)
    assert (shop.orders(), shop.products()) == ([], [])
    (sku,) = shop.add_products(1)
    assert shop.place_order([(sku, 1)])["total_tax"] != "0.00"
    shop.close()


@pytest.mark.parametrize("in_file", [False, True])
def test_a_day_of_trade_is_made_within_three_seconds(in_file, tmp_path, receiver, clock):
    shop = Shop.create(tmp_path / "shop.db" if in_file else None, clock=clock)
    shop.add_webhook("order.updated", f"{receiver.url}/hook", "s")
    began = time.perf_counter()
    skus = shop.add_products(100)
    customers = shop.add_customers(200)
    for number in range(500):
        items = [(skus[(number + step) % 100], 1 + step) for step in range(3)]
        shop.place_order(items, customer_id=customers[number % 200])
    assert time.perf_counter() - began < 3
    assert len(shop.pending_actions) == 500
    shop.close()


def test_parallel_orders_take_exactly_their_stock(shop, rest):
    rest.put("/products/11", {"stock_quantity": 1000})
    body = {"set_paid": True, "line_items": [{"product_id": 11, "quantity": 1}]}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: rest.post("/orders", body), range(40)))
    assert rest.get("/products/11")["stock_quantity"] == 960


def test_parallel_creates_of_one_sku_make_one_product(rest):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: rest("POST", "/products", {"name": "x", "sku": "ONE"}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7


def test_the_cron_delivers_by_itself_until_it_is_stopped(shop, receiver):
    shop.add_webhook("order.updated", f"{receiver.url}/hook", "s")
    arrived = threading.Event()
    shop.touch_order(68)
    shop.start_cron(0.01)
    for _ in range(500):
        if receiver.deliveries or arrived.wait(0.01):
            break
    shop.stop_cron()
    assert receiver.fired == [("order.updated", 68)]
    shop.touch_order(69)
    assert shop.pending_actions == [("order.updated", 69)]


def test_a_receiver_may_call_the_shop_while_it_is_called(shop, rest, running, receiver):
    """Registering pings before it answers; the receiver asks the shop back meanwhile."""
    statuses = []
    original = receiver.got.append

    class Asking(list):
        def append(self, got):
            statuses.append(rest("GET", "/orders/68").status_code)
            original(got)

    receiver.got = Asking()
    rest.post("/webhooks", {"topic": "order.updated", "delivery_url": f"{receiver.url}/x", "secret": "s"})
    shop.touch_order(68)
    shop.run_queue()
    assert statuses == [200, 200]
