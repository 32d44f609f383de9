"""Categories, tags, global attributes and their terms, and how products carry them."""

from __future__ import annotations

import pytest


def test_the_recorded_categories_are_there_and_counted(rest):
    by_id = {one["id"]: one for one in rest.get("/products/categories")}
    assert sorted(by_id) == [15, 16, 17]
    assert (by_id[16]["name"], by_id[16]["slug"]) == ("Café &amp; Zubehör", "cafe-zubehor")
    assert by_id[17]["count"] == len(
        [p for p in rest.get("/products", category="17", per_page=100) if p["status"] == "publish"]
    )
    assert list(by_id[16]) == [
        "id", "name", "slug", "parent", "description", "display", "image", "menu_order", "count", "_links",
    ]  # fmt: skip


def test_a_new_category_has_a_slug_and_may_have_a_parent(rest):
    parent = rest.post("/products/categories", {"name": "Tees & Hüte"})
    assert (parent["name"], parent["slug"]) == ("Tees &amp; Hüte", "tees-hute")
    child = rest.post("/products/categories", {"name": "Red", "parent": parent["id"]})
    assert child["parent"] == parent["id"]
    assert rest.get("/products/categories", parent=parent["id"])[0]["id"] == child["id"]
    # The same name below another parent is another category.
    assert rest.post("/products/categories", {"name": "Red"})["slug"] == "red-2"


def test_a_name_that_is_taken_is_refused_with_the_id_of_its_owner(rest):
    answer = rest("POST", "/products/categories", {"name": "hardware"})
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["data"]["resource_id"]) == ("term_exists", 17)
    assert rest("POST", "/products/categories", {}).json()["code"] == "rest_missing_callback_param"


def test_a_product_takes_known_categories_by_id_and_else_none(rest):
    made = rest.post(
        "/products", {"name": "x", "categories": [{"id": 17}, {"id": 999}, {"name": "Hardware"}]}
    )
    assert made["categories"] == [{"id": 17, "name": "Hardware", "slug": "hardware"}]
    assert rest.put(f"/products/{made['id']}", {"categories": []})["categories"][0]["id"] == 15


def test_a_renamed_category_shows_and_neither_fires_nor_moves_a_date(rest, fires):
    product = rest.post("/products", {"name": "x", "categories": [{"id": 17}]})
    fires()
    rest.put("/products/categories/17", {"name": "Tools"})
    after = rest.get(f"/products/{product['id']}")
    assert after["categories"][0]["name"] == "Tools"
    assert after["date_modified_gmt"] == product["date_modified_gmt"]
    assert fires() == []


def test_a_deleted_category_leaves_its_products_uncategorized(rest):
    product = rest.post("/products", {"name": "x", "categories": [{"id": 17}]})
    assert rest("DELETE", "/products/categories/17").status_code == 501
    rest.delete("/products/categories/17", force="true")
    assert rest.get(f"/products/{product['id']}")["categories"][0]["id"] == 15
    assert rest("GET", "/products/categories/17").status_code == 404
    assert rest("DELETE", "/products/categories/15", params={"force": "true"}).status_code == 500


def test_categories_come_in_batches_too(rest):
    answer = rest.post(
        "/products/categories/batch", {"create": [{"name": "A"}, {"name": "Hardware"}], "delete": [16]}
    )
    assert answer["create"][0]["name"] == "A"
    assert answer["create"][1]["error"]["code"] == "term_exists"
    assert answer["delete"][0]["id"] == 16


def test_tags_are_carried_like_categories(rest):
    tag = rest.post("/products/tags", {"name": "New"})
    assert list(tag) == ["id", "name", "slug", "description", "count", "_links"]
    product = rest.put("/products/11", {"tags": [{"id": tag["id"]}, {"id": 17}]})
    assert product["tags"] == [{"id": tag["id"], "name": "New", "slug": "new"}]
    product = rest.put("/products/11", {"tags": [{"name": "Sale"}, {"name": "new"}]})
    assert [one["name"] for one in product["tags"]] == ["New", "Sale"]


def test_the_recorded_attribute_has_its_terms(rest):
    (color,) = rest.get("/products/attributes")
    assert (color["id"], color["name"], color["slug"], color["type"]) == (1, "Color", "pa_color", "select")
    assert [t["name"] for t in rest.get("/products/attributes/1/terms")] == ["Blue", "Green", "Red"]


def test_a_new_attribute_gets_terms_by_route_or_by_a_products_options(rest):
    made = rest.post("/products/attributes", {"name": "Fabric"})
    assert made["slug"] == "pa_fabric"
    rest.post(f"/products/attributes/{made['id']}/terms", {"name": "Wool"})
    product = rest.post(
        "/products",
        {
            "name": "Hat",
            "type": "variable",
            "attributes": [
                {"id": made["id"], "options": ["wool", "Cotton"], "variation": True, "visible": True},
                {"name": "Size", "options": ["S", "M"], "variation": True},
                {"name": "Nothing said"},
                {"id": 1, "options": []},
                {"id": 999, "options": ["x"]},
            ],
        },
    )
    assert product["attributes"] == [
        {
            "id": made["id"],
            "name": "Fabric",
            "slug": "pa_fabric",
            "position": 0,
            "visible": True,
            "variation": True,
            "options": ["Cotton", "Wool"],
        },
        {
            "id": 0,
            "name": "Size",
            "slug": "Size",
            "position": 0,
            "visible": False,
            "variation": True,
            "options": ["S", "M"],
        },
    ]
    assert [t["name"] for t in rest.get(f"/products/attributes/{made['id']}/terms")] == ["Cotton", "Wool"]
    variation = rest.post(
        f"/products/{product['id']}/variations",
        {"attributes": [{"id": made["id"], "option": "cotton"}, {"name": "size", "option": "M"}]},
    )
    assert variation["name"] == "Cotton, M"


@pytest.mark.parametrize("name", ["color", "a" * 29, ""])
def test_an_attribute_that_is_taken_too_long_or_nameless_is_refused(rest, name):
    answer = rest("POST", "/products/attributes", {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, "woocommerce_rest_cannot_create")


def test_a_deleted_attribute_takes_its_terms_along(rest):
    rest.delete("/products/attributes/1", force="true")
    assert rest("GET", "/products/attributes/1/terms").status_code == 404
    assert rest.get("/products/attributes") == []


def test_a_list_of_a_category_holds_the_products_of_its_children(rest):
    child = rest.post("/products/categories", {"name": "Bolts", "parent": 17})
    made = rest.post("/products", {"name": "Bolt", "categories": [{"id": child["id"]}]})
    listed = [product["id"] for product in rest.get("/products", category="17", per_page=100)]
    assert made["id"] in listed
    assert made["id"] not in [product["id"] for product in rest.get("/products", category="16", per_page=100)]
