"""Webhooks: what fires what, how a delivery looks, what becomes of failures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest

from ops_sandbox.shop import Outcome
from ops_sandbox.shop.wire import php_json

DELIVERIES = Path(__file__).parents[2] / "data" / "woocommerce" / "webhooks"
MISSING = {
    "code": "woocommerce_rest_shop_order_invalid_id",
    "message": "Invalid ID.",
    "data": {"status": 404},
}


@pytest.fixture
def hook(shop, receiver):
    """A webhook for product.updated at the receiver."""
    return shop.add_webhook("product.updated", f"{receiver.url}/hook", "s3cret & <more>")


def _paid(customer_id=0):
    return {"set_paid": True, "customer_id": customer_id, "line_items": [{"product_id": 11, "quantity": 2}]}


# What fires what


def test_a_new_customer_fires_created_and_updated(rest, fires):
    made = rest.post("/customers", {"email": "n@example.com"})["id"]
    assert fires() == [("customer.created", made), ("customer.updated", made)]


def test_a_changed_customer_fires_even_when_nothing_changed(rest, fires):
    rest.put("/customers/2", {"first_name": "Anne"})
    assert fires() == [("customer.updated", 2)]


def test_a_deleted_customer_fires_deleted_and_what_waited_carries_an_error(rest, fires):
    rest.put("/customers/9", {})
    rest.delete("/customers/9", force="true")
    assert fires() == [("customer.updated", None), ("customer.deleted", 9)]


def test_a_paid_order_of_a_customer_fires_in_the_recorded_order(rest, fires, recorded):
    rest.post("/orders", _paid(2))
    topics = [topic for topic, _ in fires()]
    expected = recorded("webhooks/06_order_create_paid_registered")["deliveries"]
    assert topics == [dict(d["headers"])["X-WC-Webhook-Topic"] for d in expected]


def test_a_guest_checkout_fires_updated_before_created(shop, fires):
    made = shop.place_order([("WID-002", 1)], payment_method="cod")["id"]
    assert fires() == [("order.updated", made), ("order.created", made), ("product.updated", 11)]


def test_a_checkout_with_a_new_account_fires_as_recorded(shop, fires, recorded):
    shop.place_order(
        [("TS-R-XL", 1)], "fresh@example.net", new_account=True, payment_method="bacs", coupon="tenpct"
    )
    expected = recorded("webhooks/53_storefront_checkout_newaccount_coupon")["deliveries"]
    fired = fires()
    assert [topic for topic, _ in fired] == [dict(d["headers"])["X-WC-Webhook-Topic"] for d in expected]
    assert fired[-1] == ("product.updated", 43)


@pytest.mark.parametrize("body", [{}, {"meta_data": [{"key": "a", "value": "1"}]}, {"status": "completed"}])
def test_an_order_put_fires_updated(body, rest, fires):
    rest.put("/orders/68", body)
    assert fires() == [("order.updated", 68)]


def test_a_status_that_takes_stock_fires_the_product_too(rest, fires):
    made = rest.post("/orders", {"line_items": [{"product_id": 11}]})["id"]
    fires()
    rest.put(f"/orders/{made}", {"status": "processing"})
    assert fires() == [("order.updated", made), ("product.updated", 11)]
    rest.put(f"/orders/{made}", {"status": "cancelled"})
    assert fires() == [("order.updated", made), ("product.updated", 11)]


def test_an_edited_line_fires_the_product_before_the_order(rest, fires):
    line = rest.get("/orders/71")["line_items"][0]["id"]
    rest.put("/orders/71", {"line_items": [{"id": line, "quantity": 3}]})
    assert fires() == [("product.updated", 14), ("order.updated", 71)]


def test_a_note_fires_nothing(rest, fires):
    rest.post("/orders/68/notes", {"note": "x"})
    assert fires() == []


def test_a_refund_fires_the_order_and_restocked_products_before_it(shop, rest, fires):
    made = rest.post("/orders", _paid())["id"]
    fires()
    refund = shop.refund(made, items=[("WID-002", 1)])
    assert fires() == [("product.updated", 11), ("order.updated", made)]
    rest.delete(f"/orders/{made}/refunds/{refund['id']}", force="true")
    assert fires() == []
    shop.refund(made)
    assert fires()[-1] == ("order.updated", made)


def test_the_trash_fires_deleted_and_restored(shop, rest, fires):
    rest.delete("/orders/68")
    assert fires() == [("order.deleted", 68)]
    shop.untrash_order(68)
    assert fires() == [("order.restored", 68)]


def test_taking_an_order_out_of_the_trash_by_its_status_fires_nothing(rest, fires):
    rest.delete("/orders/68")
    fires()
    rest.put("/orders/68", {"status": "processing"})
    assert fires() == []


def test_a_forced_delete_fires_nothing(rest, fires):
    rest.delete("/orders/68", force="true")
    rest.post("/orders/batch", {"delete": [69]})
    rest.delete("/products/11", force="true")
    rest.delete("/products/40/variations/41", force="true")
    assert fires() == []


def test_a_new_product_fires_published_and_created(rest, fires):
    made = rest.post("/products", {"name": "x"})["id"]
    assert fires() == [("product.published", made), ("product.created", made)]


def test_a_draft_fires_created_alone_and_published_when_it_goes_live(rest, fires):
    made = rest.post("/products", {"name": "x", "status": "draft"})["id"]
    assert fires() == [("product.created", made)]
    rest.put(f"/products/{made}", {"status": "publish"})
    assert fires() == [("product.published", made), ("product.updated", made)]


def test_five_products_in_a_batch_are_five_deliveries(rest, fires, listening):
    rest.post("/products/batch", {"update": [{"id": n, "weight": "1"} for n in range(11, 16)]})
    assert fires() == [("product.updated", n) for n in range(11, 16)]
    assert len({dict(got.headers)["X-WC-Webhook-Delivery-ID"] for got in listening.deliveries}) == 1


def test_a_variation_fires_with_its_own_id_in_the_shape_of_a_product(rest, fires, listening):
    rest.put("/products/40/variations/41", {"stock_quantity": 9})
    assert fires() == [("product.updated", 41)]
    body = listening.deliveries[-1].json()
    assert (body["type"], body["parent_id"], body["name"]) == ("variation", 40, "T-Shirt - Red, S")
    made = rest.post("/products/40/variations", {"attributes": []})["id"]
    assert fires() == [("product.published", made), ("product.created", made)]


def test_a_trashed_product_fires_a_coupons_deletion_too(shop, rest, fires):
    rest.delete("/products/11")
    assert fires() == [("coupon.deleted", 11), ("product.deleted", 11)]
    shop.untrash_product(11)
    assert fires() == [
        ("product.published", 11),
        ("product.updated", 11),
        ("coupon.restored", None),
        ("product.restored", 11),
    ]


def test_a_trashed_product_made_live_by_its_status_is_not_restored(rest, fires):
    rest.delete("/products/11")
    fires()
    rest.put("/products/11", {"status": "publish"})
    assert fires() == [("product.published", 11), ("product.updated", 11)]


def test_stock_by_a_plugin_fires_and_by_an_importer_does_not(shop, fires):
    shop.write_stock_to_database("WID-002", 3)
    assert fires() == []
    shop.set_stock("WID-002", 4)
    assert fires() == [("product.updated", 11)]


def test_a_sale_that_ran_out_fires_when_the_queue_runs(clock, fires):
    clock.forward(days=500)
    assert fires() == [("product.updated", 26)]


def test_several_changes_before_the_queue_runs_are_one_delivery_of_the_last_state(rest, fires, listening):
    made = rest.post("/orders", {"line_items": [{"product_id": 11}]})["id"]
    rest.put(f"/orders/{made}", {"status": "processing"})
    rest.put(f"/orders/{made}", {"status": "completed"})
    assert fires() == [("order.created", made), ("order.updated", made), ("product.updated", 11)]
    assert {got.json()["status"] for got in listening.deliveries if "order" in (got.topic or "")} == {
        "completed"
    }


def test_what_is_gone_when_the_queue_runs_is_delivered_as_an_error(rest, fires, listening):
    made = rest.post("/orders", {})["id"]
    rest.delete(f"/orders/{made}", force="true")
    fires()
    assert [(got.topic, got.json()) for got in listening.deliveries] == [
        ("order.created", MISSING),
        ("order.updated", MISSING),
    ]


def test_what_is_trashed_when_the_queue_runs_is_delivered_as_trash(rest, fires, listening):
    made = rest.post("/orders", {})["id"]
    rest.delete(f"/orders/{made}")
    assert [topic for topic, _ in fires()] == ["order.created", "order.updated", "order.deleted"]
    assert [got.json().get("status") for got in listening.deliveries] == ["trash", "trash", None]


# How a delivery looks


def test_a_delivery_has_the_recorded_headers_in_the_recorded_order(shop, rest, listening, recorded, running):
    rest.put("/orders/71", {})
    shop.run_queue()
    expected = recorded("webhooks/59_order_status_completed")["deliveries"][0]
    got = listening.deliveries[0]
    assert [name for name, _ in got.headers] == [name for name, _ in expected["headers"]]
    made, wanted = dict(got.headers), dict(expected["headers"])
    for name in (
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Content-Type",
        "Connection",
        "X-WC-Webhook-Topic",
    ):
        assert made[name] == wanted[name]
    assert made["X-WC-Webhook-Source"] == f"{running.url}/"
    assert len(made["X-WC-Webhook-Delivery-ID"]) == 32


def test_the_signature_covers_the_raw_body(shop, rest, receiver, hook):
    rest.put("/products/29", {})
    shop.run_queue()
    got = receiver.deliveries[0]
    digest = hmac.new(b"s3cret & <more>", got.body, hashlib.sha256).digest()
    assert dict(got.headers)["X-WC-Webhook-Signature"] == base64.b64encode(digest).decode()


def test_a_body_is_what_a_get_gives_escaped_as_php_does(shop, rest, receiver, hook):
    rest.put("/products/29", {})
    shop.run_queue()
    got = receiver.deliveries[0]
    assert got.json() == rest.get("/products/29")
    assert rb"\u00c6r\u00f8" in got.body
    assert rb"http:\/\/" in got.body
    assert got.body.isascii()


@pytest.mark.parametrize("path", sorted(DELIVERIES.glob("[0-9]*.json")), ids=lambda path: path.stem)
def test_recorded_bodies_are_escaped_as_the_shop_escapes(path):
    for delivery in json.loads(path.read_text(encoding="utf-8"))["deliveries"]:
        if delivery["body"].startswith("{"):
            assert php_json(json.loads(delivery["body"])) == delivery["body"].encode()


def test_delivery_ids_change_with_the_second_not_with_the_record(shop, rest, receiver, hook, clock):
    for seconds in (0, 0, 1):
        clock.forward(seconds=seconds)
        rest.put("/products/11" if seconds else "/products/12", {})
        shop.run_queue()
    ids = [dict(got.headers)["X-WC-Webhook-Delivery-ID"] for got in receiver.deliveries]
    assert ids[0] == ids[1] != ids[2]


# Registration and ping


def test_a_new_webhook_is_shown_as_recorded_and_pinged_before_the_answer(rest, receiver, recorded, plain):
    exchange = recorded("rest/webhook_create")
    wanted = {**exchange["request"]["body"], "delivery_url": f"{receiver.url}/hook/order.created"}
    answer = rest("POST", "/webhooks", wanted)
    assert answer.status_code == 201
    expected = exchange["response"]["body"]
    made = answer.json()
    assert list(made) == list(expected)
    for key in ("name", "status", "topic", "resource", "event", "hooks", "date_modified"):
        assert made[key] == expected[key]
    assert [(got.path, got.body) for got in receiver.got] == [
        ("/hook/order.created", f"webhook_id={made['id']}".encode())
    ]
    ping = recorded("webhooks/00_ping")["deliveries"][0]
    assert [name for name, _ in receiver.got[0].headers] == [name for name, _ in ping["headers"]]
    assert dict(receiver.got[0].headers)["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_failing_ping_does_not_fail_the_registration(rest, receiver):
    receiver.ping_status = 500
    body = {"topic": "order.created", "delivery_url": f"{receiver.url}/x", "secret": "s"}
    assert rest("POST", "/webhooks", body).json()["status"] == "active"
    body["delivery_url"] = "http://127.0.0.1:9/refused"
    assert rest("POST", "/webhooks", body).status_code == 201


@pytest.mark.parametrize(("answer", "pings"), [(200, 1), (204, 3), (404, 3)])
def test_pings_go_on_with_every_delivery_until_exactly_200(answer, pings, shop, rest, receiver):
    receiver.ping_status = answer
    shop.add_webhook("product.updated", f"{receiver.url}/hook", "s")
    for _ in range(2):
        rest.put("/products/11", {})
        shop.run_queue()
    assert len(receiver.got) - len(receiver.deliveries) == pings


def test_neither_the_secret_nor_the_failures_are_shown(rest, hook):
    shown = rest.get(f"/webhooks/{hook}")
    assert "secret" not in shown
    assert "failure_count" not in shown
    assert rest.get("/webhooks")[0]["id"] == hook


def test_a_deleted_webhook_gets_nothing_more(shop, rest, receiver, hook):
    rest.put("/products/11", {})
    assert rest("DELETE", f"/webhooks/{hook}").status_code == 501
    rest.delete(f"/webhooks/{hook}", force="true")
    shop.run_queue()
    assert receiver.deliveries == []


# Failures


@pytest.mark.parametrize("status", [200, 204, 301, 302])
def test_answers_up_to_302_count_as_delivered(status, shop, rest, receiver, hook):
    receiver.status = status
    receiver.redirect_to = f"{receiver.url}/elsewhere" if status > 300 else ""
    rest.put("/products/11", {})
    assert [d.outcome for d in shop.run_queue()] == [Outcome.DELIVERED]
    assert [got.path for got in receiver.deliveries] == ["/hook"]
    assert shop.failure_count(hook) == 0


@pytest.mark.parametrize("status", [303, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_other_answers_are_failures_and_never_retried(status, shop, rest, receiver, hook):
    receiver.status = status
    rest.put("/products/11", {})
    assert [d.outcome for d in shop.run_queue()] == [Outcome.FAILED]
    assert shop.run_queue() == []
    assert shop.failure_count(hook) == 1


def test_no_answer_is_a_failure(shop, rest):
    hook = shop.add_webhook("product.updated", "http://127.0.0.1:9/refused", "s")
    rest.put("/products/11", {})
    assert [d.status_code for d in shop.run_queue()] == [None]
    assert shop.failure_count(hook) == 1


def _round(shop, rest):
    rest.put("/products/11", {})
    return shop.run_queue()


def test_the_seventh_failure_in_a_row_disables_as_recorded(shop, rest, receiver, hook, recorded):
    receiver.status = 500
    counts = []
    for _ in range(7):
        _round(shop, rest)
        counts.append(shop.failure_count(hook))
    assert counts == [1, 2, 3, 4, 5, 6, 6]
    shown = rest.get(f"/webhooks/{hook}")
    assert list(shown) == list(recorded("rest/webhook_disabled")["response"]["body"])
    assert shown["status"] == "disabled"
    assert _round(shop, rest) == []


def test_one_success_starts_the_count_again(shop, rest, receiver, hook):
    receiver.status = 500
    for _ in range(6):
        _round(shop, rest)
    receiver.status = 200
    _round(shop, rest)
    assert shop.failure_count(hook) == 0


def test_nothing_that_happened_while_disabled_is_sent_later(shop, rest, receiver, hook):
    rest.put(f"/webhooks/{hook}", {"status": "disabled"})
    rest.put("/products/11", {})
    rest.put(f"/webhooks/{hook}", {"status": "active"})
    assert shop.run_queue() == []


def test_a_webhook_set_active_again_is_disabled_by_one_more_failure(shop, rest, receiver, hook):
    receiver.status = 500
    for _ in range(7):
        _round(shop, rest)
    rest.put(f"/webhooks/{hook}", {"status": "active"})
    assert shop.failure_count(hook) == 6
    _round(shop, rest)
    assert rest.get(f"/webhooks/{hook}")["status"] == "disabled"


def test_what_a_receiver_brings_about_waits_for_the_next_run(shop, rest, receiver, hook):
    _round(shop, rest)
    rest.put("/products/12", {})
    assert shop.pending_actions == [("product.updated", 12)]
    assert len(shop.run_queue()) == 1
