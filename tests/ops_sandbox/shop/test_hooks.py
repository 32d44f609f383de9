"""What falls between two calls of a caller, and faults of single calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests


def stock(rest, product=11):
    return rest.get(f"/products/{product}")["stock_quantity"]


def test_an_order_can_fall_between_a_reading_and_the_writing_that_overwrites_it(shop, rest):
    rest.put("/products/11", {"stock_quantity": 10})
    hook = shop.before_next("WRITE", r"/products/batch", lambda call: shop.place_order([(11, 3)]))
    answer = rest.post("/products/batch", {"update": [{"id": 11, "stock_quantity": 10}]})
    # The order took three pieces, and the absolute write took them back: a lost update.
    assert answer["update"][0]["stock_quantity"] == 10
    assert hook.times == 1
    assert shop.orders()[-1]["line_items"][0]["meta_data"][-1]["value"] == "3"
    rest.post("/products/batch", {"update": [{"id": 11, "stock_quantity": 10}]})
    assert hook.times == 1


def test_an_order_can_fall_after_a_list_was_answered_that_does_not_show_it(shop, rest):
    made = []
    shop.after_next("GET", r"/orders", lambda call: made.append(shop.place_order([("WID-002", 1)])["id"]))
    first = rest.get("/orders", orderby="modified", order="desc")
    second = rest.get("/orders", orderby="modified", order="desc")
    assert made[0] not in [order["id"] for order in first]
    assert second[0]["id"] == made[0]


def test_a_hook_sees_the_call_and_can_be_cancelled(shop, rest):
    seen = []
    hook = shop.before_next(
        "ANY", r"/products/\d+", lambda call: seen.append((call.method, call.body)), count=None
    )
    rest.get("/products")
    rest.put("/products/11", {"regular_price": "3.00"})
    rest.get("/products/12")
    hook.cancel()
    rest.get("/products/12")
    assert seen == [("PUT", {"regular_price": "3.00"}), ("GET", {})]


def test_an_order_can_fall_within_a_batch(shop, rest):
    rest.put("/products/11", {"stock_quantity": 10})
    rest.put("/products/12", {"stock_quantity": 10})
    shop.before_batch_item(1, lambda call: shop.place_order([(11, 1), (12, 1)]))
    answer = rest.post(
        "/products/batch",
        {"update": [{"id": 11, "stock_quantity": 20}, {"id": 12, "stock_quantity": 20}]},
    )
    assert [item["stock_quantity"] for item in answer["update"]] == [20, 20]
    assert (stock(rest, 11), stock(rest, 12)) == (19, 20)


def test_a_batch_can_break_off_in_the_middle_and_what_came_before_stays_done(shop, rest):
    items = [{"id": number, "stock_quantity": 7} for number in (11, 12, 13)]
    shop.break_next_batch(2)
    answer = rest("POST", "/products/batch", {"update": items})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_server_error")
    assert [stock(rest, item["id"]) == 7 for item in items] == [True, True, False]
    assert rest("POST", "/products/batch", {"update": items}).status_code == 200
    assert stock(rest, 13) == 7


@pytest.mark.parametrize("after_doing", [True, False])
def test_a_connection_can_end_without_an_answer(shop, rest, after_doing):
    shop.hang_up(method="PUT", after_doing=after_doing)
    with pytest.raises(requests.ConnectionError):
        rest("PUT", "/products/11", {"stock_quantity": 77})
    assert (stock(rest) == 77) is after_doing


def test_a_fault_can_be_meant_for_some_calls_only(shop, rest):
    shop.answer_next_with(429, None, retry_after_seconds=3, method="WRITE", path="/products/.*")
    assert rest("GET", "/products/11").status_code == 200
    answer = rest("PUT", "/products/11", {})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert rest("PUT", "/orders/68", {}).status_code == 200
    shop.end_faults()
    assert rest("PUT", "/products/11", {}).status_code == 200


def test_an_answer_can_be_lost_for_one_path(shop, rest):
    shop.lose_next_answers("POST", path="/products/batch")
    assert rest("POST", "/customers", {"email": "n@example.com"}).status_code == 201
    answer = rest("POST", "/products/batch", {"update": [{"id": 11, "stock_quantity": 4}]})
    assert answer.status_code == 504
    assert stock(rest) == 4


def test_faults_of_several_orders_come_one_after_another(shop, rest):
    shop.answer_next_with(500)
    shop.answer_next_with(429, 2)
    assert [rest("GET", "/orders/68").status_code for _ in range(4)] == [500, 429, 429, 200]


def test_a_shop_can_be_down_for_a_while(shop, rest, clock):
    shop.down_for(timedelta(minutes=20))
    assert shop.down
    assert rest("GET", "/orders/68").status_code == 503
    clock.forward(minutes=20)
    assert not shop.down
    assert rest("GET", "/orders/68").status_code == 200


def test_deliveries_can_be_late(shop, rest, receiver, clock):
    shop.add_webhook("product.updated", f"{receiver.url}/hook", "s")
    shop.delay_deliveries(timedelta(minutes=5))
    rest.put("/products/11", {})
    clock.forward(minutes=3)
    rest.put("/products/12", {})
    clock.forward(minutes=2)
    shop.run_queue()
    assert receiver.fired == [("product.updated", 11)]
    shop.delay_deliveries(None)
    shop.run_queue()
    assert receiver.fired[1:] == [("product.updated", 12)]
