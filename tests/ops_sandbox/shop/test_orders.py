"""Orders: payment, stock, dates, the trash."""

from __future__ import annotations

import pytest

ADDRESS = {"country": "US", "state": "CA", "city": "San Francisco", "email": "x@example.net"}


@pytest.fixture
def stock(rest):
    return lambda product_id: rest.get(f"/products/{product_id}")["stock_quantity"]


@pytest.fixture
def order(rest):
    """POST an order of two WID-002 with what is asked for."""

    def make(**wanted):
        return rest.post(
            "/orders", {"billing": ADDRESS, "line_items": [{"product_id": 11, "quantity": 2}], **wanted}
        )

    return make


def _line_meta(order, key):
    return [m["value"] for m in order["line_items"][0]["meta_data"] if m["key"] == key]


@pytest.mark.parametrize(
    ("method", "status"), [("stripe", "processing"), ("cod", "completed"), ("", "processing")]
)
def test_a_paid_order_goes_where_its_payment_method_sends_it(method, status, order):
    made = order(set_paid=True, payment_method=method)
    assert made["status"] == status
    assert made["date_paid_gmt"] == "2026-11-22T02:00:00"
    assert made["date_paid"] == "2026-11-21T18:00:00"


def test_an_order_of_nothing_is_completed_when_paid(order):
    assert (
        order(set_paid=True, payment_method="stripe", coupon_lines=[{"code": "all100"}])["status"]
        == "completed"
    )


@pytest.mark.parametrize("status", ["processing", "completed", "on-hold"])
def test_stock_is_taken_once(status, order, rest, stock):
    before = stock(11)
    made = order(status=status)
    rest.put(f"/orders/{made['id']}", {"status": "completed"})
    assert stock(11) == before - 2
    assert _line_meta(rest.get(f"/orders/{made['id']}"), "_reduced_stock") == ["2"]


def test_a_pending_order_takes_no_stock(order, stock):
    before = stock(11)
    assert _line_meta(order(status="pending"), "_reduced_stock") == []
    assert stock(11) == before


def test_a_cancelled_order_gives_its_stock_back(order, rest, stock):
    before = stock(11)
    made = order(set_paid=True)
    cancelled = rest.put(f"/orders/{made['id']}", {"status": "cancelled"})
    assert stock(11) == before
    assert _line_meta(cancelled, "_reduced_stock") == []


def test_a_variation_under_its_parents_stock_takes_from_the_parent(rest, stock):
    before = stock(60)
    rest.post(
        "/orders", {"set_paid": True, "line_items": [{"product_id": 60, "variation_id": 61, "quantity": 3}]}
    )
    assert stock(60) == before - 3
    variation = rest.get("/products/60/variations/61")
    assert (variation["manage_stock"], variation["stock_quantity"]) == ("parent", before - 3)


def test_stock_goes_below_zero_on_backorder(rest, stock):
    rest.post("/orders", {"set_paid": True, "line_items": [{"product_id": 31, "quantity": 2}]})
    product = rest.get("/products/31")
    assert (product["stock_quantity"], product["stock_status"]) == (-5, "onbackorder")


def test_sold_out_is_out_of_stock(rest):
    rest.post("/orders", {"set_paid": True, "line_items": [{"product_id": 36, "quantity": 2}]})
    assert rest.get("/products/36")["stock_status"] == "outofstock"


def test_an_edited_quantity_moves_stock_but_no_amount(order, rest, stock):
    made = order(set_paid=True)
    before = stock(11)
    line = made["line_items"][0]
    edited = rest.put(f"/orders/{made['id']}", {"line_items": [{"id": line["id"], "quantity": 5}]})
    assert stock(11) == before - 3
    assert edited["line_items"][0]["total"] == line["total"]
    assert edited["line_items"][0]["price"] == pytest.approx(2.796)


def test_a_put_without_anything_new_moves_the_date(order, rest, clock):
    made = order()
    clock.forward(seconds=3)
    assert rest.put(f"/orders/{made['id']}", {})["date_modified_gmt"] == "2026-11-22T02:00:03"


def test_a_note_does_not_move_the_date(order, rest, clock):
    made = order()
    clock.forward(seconds=3)
    note = rest.post(f"/orders/{made['id']}/notes", {"note": "Packed ü"})
    assert note["note"] == "Packed ü"
    assert rest.get(f"/orders/{made['id']}")["date_modified_gmt"] == made["date_modified_gmt"]
    assert rest.get(f"/orders/{made['id']}/notes")[0]["id"] == note["id"]


def test_meta_of_the_same_key_is_overwritten_and_null_removes_it(order, rest):
    made = order(meta_data=[{"key": "_qb", "value": "1"}, {"key": "a", "value": {"n": [1]}}])
    changed = rest.put(
        f"/orders/{made['id']}", {"meta_data": [{"key": "_qb", "value": "2"}, {"key": "a", "value": None}]}
    )
    assert [(m["key"], m["value"]) for m in changed["meta_data"]] == [("_qb", "2")]


def test_a_repeated_post_makes_a_second_order(order):
    assert order()["id"] != order()["id"]


def test_a_line_needs_a_product_or_a_sku(rest):
    assert rest("POST", "/orders", {"line_items": [{"name": "?"}]}).status_code == 400


def test_a_line_can_name_its_product_by_sku(rest):
    line = rest.post("/orders", {"line_items": [{"sku": "TS-R-M", "quantity": 1}]})["line_items"][0]
    assert (line["product_id"], line["variation_id"], line["name"]) == (40, 42, "T-Shirt - Red, M")
    assert [(m["key"], m["value"], m["display_value"]) for m in line["meta_data"]] == [
        ("pa_color", "red", "Red"),
        ("size", "M", "M"),
    ]


def test_the_line_of_a_deleted_product_keeps_only_its_name(order, rest):
    made = order()
    rest.delete("/products/11", force="true")
    line = rest.get(f"/orders/{made['id']}")["line_items"][0]
    assert (line["product_id"], line["sku"], line["name"]) == (0, None, "Widget 02")


def test_trash_and_restore_keep_the_status(shop, rest):
    assert rest.delete("/orders/71")["status"] == "trash"
    assert rest("DELETE", "/orders/71").status_code == 410
    shop.untrash_order(71)
    assert rest.get("/orders/71")["status"] == "completed"


def test_a_forced_delete_is_for_good(rest):
    rest.delete("/orders/103", force="true")
    assert rest("GET", "/orders/103").status_code == 404
    assert 110 not in [r["id"] for r in rest.get("/refunds", per_page=100)]


def test_orders_share_their_numbers_with_products_and_refunds(order, rest):
    first = order()["id"]
    product = rest.post("/products", {"name": "x"})["id"]
    refund = rest.post("/orders/68/refunds", {"amount": "1.00", "api_refund": False})["id"]
    assert [product, refund, order()["id"]] == [first + 1, first + 2, first + 3]


def test_a_batch_settles_each_item_by_itself_and_deletes_for_good(order, rest):
    made = order()
    answer = rest.post(
        "/orders/batch",
        {
            "create": [{"line_items": [{"product_id": 11}]}, {"customer_id": 999}],
            "update": [{"id": made["id"], "status": "bogus"}, {"id": 1, "status": "completed"}],
            "delete": [70],
        },
    )
    assert answer["create"][1]["error"]["code"] == "woocommerce_rest_invalid_customer_id"
    assert answer["create"][1]["id"] == 0
    assert answer["update"][0]["status"] == "pending"
    assert answer["update"][1]["error"]["data"] == {"status": 404}
    assert rest("GET", "/orders/70").status_code == 404


def test_a_refused_change_changes_nothing(order, rest):
    made = order()
    refusals = (
        {"customer_note": "x", "line_items": [{"name": "neither product nor SKU"}]},
        {"customer_note": "x", "coupon_lines": [{"code": "nope"}]},
    )
    for body in refusals:
        assert rest("PUT", f"/orders/{made['id']}", body).status_code == 400
    assert rest.get(f"/orders/{made['id']}") == made
