"""Products and variations: prices, stock, SKUs, batches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.mark.parametrize(
    ("value", "kept"),
    [("7.5", "7.5"), ("abc", ""), ("-1", "-1"), ("1,234.50", "1234.50"), ("0.123456", "0.123456")],
)
def test_a_price_is_kept_as_woocommerce_reads_it(value, kept, rest):
    product = rest.put("/products/11", {"regular_price": value})
    assert (product["regular_price"], product["price"]) == (kept, kept)


def test_a_price_has_to_be_text(rest):
    answer = rest("PUT", "/products/11", {"regular_price": 7.5, "name": 3})
    assert answer.status_code == 400
    assert answer.json()["message"] == "Invalid parameter(s): name, regular_price"


def test_a_sale_price_not_below_the_regular_one_is_dropped(rest):
    assert rest.put("/products/11", {"sale_price": "6.99"})["sale_price"] == ""
    product = rest.put("/products/11", {"sale_price": "5.00"})
    assert (product["price"], product["on_sale"]) == ("5.00", True)


def test_the_price_of_a_variable_parent_is_ignored(rest):
    product = rest.put("/products/40", {"regular_price": "1.00"})
    assert (product["price"], product["regular_price"]) == ("21.00", "")


@pytest.mark.parametrize(("value", "kept"), [(5, 5), ("5", 5), (-3, -3), (None, 0)])
def test_stock_is_a_whole_number(value, kept, rest):
    assert rest.put("/products/11", {"stock_quantity": value})["stock_quantity"] == kept


@pytest.mark.parametrize("value", [1.5, "abc"])
def test_any_other_stock_is_refused(value, rest):
    assert rest("PUT", "/products/11", {"stock_quantity": value}).status_code == 400


def test_null_stock_is_sold_out(rest):
    assert rest.put("/products/11", {"stock_quantity": None})["stock_status"] == "outofstock"


def test_stock_is_ignored_when_it_is_not_managed(rest):
    assert rest.put("/products/27", {"stock_quantity": 5})["stock_quantity"] is None


def test_an_inventory_delta_counts_on(rest):
    rest.put("/products/11", {"stock_quantity": 10})
    assert rest.put("/products/11", {"inventory_delta": -3})["stock_quantity"] == 7


def test_text_in_a_batch_makes_the_stock_0_without_a_word(rest):
    answer = rest.post("/products/batch", {"update": [{"id": 11, "stock_quantity": "abc"}]})
    assert answer["update"][0]["stock_quantity"] == 0


def test_every_put_moves_the_date(rest, clock):
    clock.forward(seconds=7)
    assert rest.put("/products/11", {})["date_modified_gmt"] == "2026-11-22T02:00:07"


def test_a_variations_put_moves_its_parents_date(rest, clock):
    clock.forward(seconds=7)
    rest.put("/products/40/variations/41", {"regular_price": "19.00"})
    parent = rest.get("/products/40")
    assert (parent["date_modified_gmt"], parent["price"]) == ("2026-11-22T02:00:07", "19.00")


def test_a_variation_of_another_parent_is_unknown(rest):
    assert rest("PUT", "/products/40/variations/51", {}).status_code == 404


def test_a_new_variation_is_named_after_its_options(rest):
    made = rest.post(
        "/products/40/variations",
        {
            "sku": "TS-P",
            "regular_price": "30.00",
            "attributes": [{"id": 1, "option": "Red"}, {"name": "Size", "option": "XXL"}],
        },
    )
    assert made["name"] == "Red, XXL"
    assert rest.get(f"/products/{made['id']}")["name"] == "T-Shirt - Red, XXL"
    assert made["id"] in rest.get("/products/40")["variations"]


def test_a_new_product_gets_a_slug_and_escaped_name(rest):
    made = rest.post("/products", {"name": "Salt & <b>Pepper</b>", "regular_price": "3.00"})
    assert made["name"] == "Salt &amp; <b>Pepper</b>"
    assert made["slug"] == "salt-pepper"
    assert made["permalink"].endswith("/product/salt-pepper/")


def test_a_sku_belongs_to_one_product_whatever_its_case(rest):
    answer = rest("POST", "/products", {"name": "x", "sku": "wid-002"}).json()
    assert (answer["code"], answer["data"]["resource_id"]) == ("product_invalid_sku", 11)
    assert rest("PUT", "/products/11", {"sku": "WID-002"}).status_code == 200


def test_trash_comes_before_gone(rest):
    assert rest.delete("/products/11")["status"] == "trash"
    assert rest.get("/products/11")["status"] == "trash"
    rest.delete("/products/11", force="true")
    assert rest("GET", "/products/11").status_code == 404


def test_deleting_a_variation_is_for_good(rest):
    rest.delete("/products/40/variations/41", force="true")
    assert 41 not in rest.get("/products/40")["variations"]


def test_a_dated_sale_that_ran_out_keeps_its_price_until_the_queue_runs(shop, rest, clock):
    clock.now = datetime(2028, 1, 1, 9, tzinfo=UTC)
    product = rest.get("/products/26")
    assert (product["on_sale"], product["price"]) == (False, "60.00")
    shop.run_queue()
    product = rest.get("/products/26")
    assert (product["price"], product["sale_price"]) == ("80.00", "60.00")


def test_an_importer_leaves_no_trace_but_the_number(shop, rest):
    before = rest.get("/products/11")
    shop.write_stock_to_database("WID-002", 3)
    after = rest.get("/products/11")
    assert (after["stock_quantity"], after["date_modified_gmt"]) == (3, before["date_modified_gmt"])


def test_a_hundred_items_are_the_most_a_batch_takes(rest):
    items = [{"id": 11, "weight": "1"}] * 100
    assert rest("POST", "/products/batch", {"update": items}).status_code == 200
    answer = rest("POST", "/products/batch", {"update": items, "delete": [999]})
    assert (answer.status_code, answer.json()["code"]) == (413, "woocommerce_rest_request_entity_too_large")


def test_stock_that_is_managed_no_more_leaves_the_status_as_it_was(rest):
    rest.put("/products/11", {"stock_quantity": 0, "backorders": "no"})
    product = rest.put("/products/11", {"manage_stock": False})
    assert (product["stock_quantity"], product["stock_status"]) == (None, "outofstock")
    assert rest.put("/products/11", {"stock_status": "instock"})["stock_status"] == "instock"


def test_stock_that_is_managed_again_without_a_number_is_sold_out(rest):
    product = rest.put("/products/27", {"manage_stock": True})
    assert (product["stock_quantity"], product["stock_status"]) == (None, "outofstock")


def test_an_external_product_never_manages_stock(rest, recorded):
    external = recorded("rest/product_ext")["response"]["body"]["id"]
    product = rest.put(f"/products/{external}", {"manage_stock": True, "stock_quantity": 4})
    assert (product["manage_stock"], product["stock_quantity"], product["stock_status"]) == (
        False,
        None,
        "instock",
    )


def test_a_variation_can_leave_its_stock_to_its_parent(rest):
    rest.put("/products/40", {"manage_stock": True, "stock_quantity": 9})
    variation = rest.put("/products/40/variations/41", {"manage_stock": "parent", "stock_quantity": 4})
    assert (variation["manage_stock"], variation["stock_quantity"]) == ("parent", 9)


def test_a_parent_is_sold_out_when_all_its_variations_are(rest):
    ids = rest.get("/products/40")["variations"]
    update = [{"id": one, "stock_quantity": 0} for one in ids]
    rest.post("/products/40/variations/batch", {"update": update[1:]})
    assert rest.get("/products/40")["stock_status"] == "instock"
    rest.post("/products/40/variations/batch", {"update": update[:1]})
    assert rest.get("/products/40")["stock_status"] == "outofstock"


def test_an_order_of_a_variation_moves_its_parents_date(shop, rest, clock):
    clock.forward(seconds=7)
    shop.place_order([("TS-R-XL", 1)])
    assert rest.get("/products/40")["date_modified_gmt"] == "2026-11-22T02:00:07"


@pytest.mark.parametrize("how", ["single", "batch"])
def test_a_variation_is_not_deleted_through_products(how, rest):
    if how == "single":
        answer = rest("DELETE", "/products/41", params={"force": "true"})
        assert answer.status_code == 404
    else:
        answer = rest.post("/products/batch", {"delete": [41]})["delete"][0]
        assert answer["error"]["data"] == {"status": 404}
    assert rest.get("/products/41")["id"] == 41


def test_a_put_can_make_another_type_of_a_product(rest):
    assert rest.put("/products/11", {"type": "variable"})["type"] == "variable"


def test_a_parent_takes_its_variations_into_the_trash_and_out_again(shop, rest):
    rest.delete("/products/40")
    assert rest.get("/products/40/variations") == []
    assert rest.get("/products", sku="TS-R-S") == []
    assert rest.get("/variations", include="41") == []
    shop.untrash_product(40)
    assert rest.get("/products/41")["status"] == "publish"


def test_a_sku_in_the_trash_is_free(rest):
    rest.delete("/products/11")
    assert rest("POST", "/products", {"name": "x", "sku": "WID-002"}).status_code == 201


def test_a_list_by_skus_finds_drafts_and_variations_whole_and_in_any_case(rest):
    draft = rest.post("/products", {"name": "x", "sku": "DR-1", "status": "draft"})
    found = rest.get("/products", sku="ts-r-s,dr-1,WID")
    assert {(one["id"], one["type"]) for one in found} == {(41, "variation"), (draft["id"], "simple")}


def test_all_variations_of_the_shop_are_one_list_page_by_page(rest):
    seen, page = [], 1
    while rows := rest.get("/variations", per_page=7, page=page, orderby="id", order="asc"):
        seen += [row["id"] for row in rows]
        page += 1
    assert seen == sorted(set(seen))
    assert {41, 51, 62} <= set(seen)


def test_pages_drift_when_something_new_comes_in_between(shop, rest):
    first = rest.get("/products", per_page=5, page=1)
    shop.add_product("New", sku="NEW-1")
    second = rest.get("/products", per_page=5, page=2)
    assert first[-1]["id"] == second[0]["id"]
