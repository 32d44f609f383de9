"""Lists: pages, dates, statuses, SKUs, fields."""

from __future__ import annotations

import pytest


@pytest.fixture
def touched(shop, clock):
    """Two orders re-saved at 02:00:00 and 02:00:05 GMT."""
    shop.touch_order(68)
    clock.forward(seconds=5)
    shop.touch_order(69)


def _ids(rows):
    return [row["id"] for row in rows]


@pytest.mark.parametrize("per_page", ["101", "0", "-1"])
def test_a_page_has_1_to_100_rows(per_page, rest):
    answer = rest("GET", "/orders", params={"per_page": per_page})
    assert (answer.status_code, answer.json()["code"]) == (400, "rest_invalid_param")


def test_pages_tell_how_many_there_are_and_link_to_their_neighbours(rest, running):
    answer = rest("GET", "/orders", params={"per_page": 10, "page": 2, "status": "completed,refunded"})
    total, pages = int(answer.headers["X-WP-Total"]), int(answer.headers["X-WP-TotalPages"])
    assert pages == -(-total // 10)
    assert rest.http.get(answer.links["next"]["url"], auth=rest.auth).status_code == 200
    assert answer.links["prev"]["url"].startswith(f"{running.url}/wp-json/wc/v3/orders?")
    rows = []
    for page in range(1, pages + 1):
        rows += rest.get("/orders", per_page=10, page=page, status="completed,refunded")
    assert len(set(_ids(rows))) == total


def test_modified_after_leaves_out_the_equal_second(rest, touched):
    query = {"dates_are_gmt": "true", "orderby": "modified", "order": "asc"}
    assert _ids(rest.get("/orders", modified_after="2026-11-22T01:59:59", **query)) == [68, 69]
    assert _ids(rest.get("/orders", modified_after="2026-11-22T02:00:00", **query)) == [69]
    assert rest.get("/orders", modified_after="2026-11-22T02:00:05", **query) == []


def test_modified_before_leaves_out_the_equal_second(rest, touched):
    query = {"dates_are_gmt": "true", "modified_after": "2026-11-22T01:59:59"}
    assert _ids(rest.get("/orders", modified_before="2026-11-22T02:00:05", **query)) == [68]


def test_a_date_without_a_zone_is_site_local(rest, touched):
    assert _ids(rest.get("/orders", modified_after="2026-11-21T18:00:00")) == [69]


@pytest.mark.parametrize("date", ["2026-11-22T02:00:00Z", "2026-11-22T03:00:00+01:00"])
def test_a_zone_is_honoured_without_dates_are_gmt(date, rest, touched):
    assert _ids(rest.get("/orders", modified_after=date)) == [69]


def test_z_together_with_dates_are_gmt_is_eight_hours_off(rest, touched):
    assert _ids(rest.get("/orders", modified_after="2026-11-22T10:00:00Z", dates_are_gmt="true")) == [69]


def test_after_and_before_look_at_the_creation(rest):
    rows = rest.get(
        "/orders",
        after="2026-11-22T00:26:22",
        before="2026-11-22T00:26:24",
        dates_are_gmt="true",
        per_page=100,
    )
    assert {row["date_created_gmt"] for row in rows} == {"2026-11-22T00:26:23"}


def test_a_date_that_is_none_is_refused(rest):
    answer = rest("GET", "/orders", params={"modified_after": "yesterday"})
    assert answer.json()["data"]["params"] == {"modified_after": "Invalid date."}


def test_modified_dates_filter_products_too(rest, shop, clock):
    clock.forward(minutes=1)
    shop.set_stock("WID-002", 7)
    assert _ids(rest.get("/products", modified_after="2026-11-22T02:00:00", dates_are_gmt="true")) == [11]


def test_unknown_parameters_filter_nothing(rest):
    everything = rest("GET", "/customers").headers["X-WP-Total"]
    query = {"modified_after": "2030-01-01T00:00:00", "meta_key": "x"}
    assert rest("GET", "/customers", params=query).headers["X-WP-Total"] == everything


def test_any_status_is_all_but_trash_and_drafts(rest, shop):
    shop.trash_order(68)
    found = {row["status"] for row in rest.get("/orders", per_page=100)}
    assert not found & {"trash", "checkout-draft"}
    assert _ids(rest.get("/orders", status="trash")) == [68]
    assert _ids(rest.get("/orders", status="trash,checkout-draft")) == [76, 68]


def test_a_trashed_order_is_found_by_its_new_date(rest, shop, clock):
    clock.forward(minutes=1)
    shop.trash_order(68)
    assert _ids(rest.get("/orders", status="trash", modified_after="2026-11-22T02:00:00Z")) == [68]


def test_an_unknown_status_is_refused(rest):
    assert rest("GET", "/orders", params={"status": "bogus"}).status_code == 400


def test_orders_are_found_by_customer_id_and_text(rest):
    assert _ids(rest.get("/orders", customer=7)) == [84]
    assert _ids(rest.get("/orders", include="70,68", orderby="include")) == [70, 68]
    assert _ids(rest("GET", "/orders?include[]=70&include[]=68&orderby=id&order=asc").json()) == [68, 70]
    assert _ids(rest.get("/orders", search="Größenwahn")) == [82]


def test_search_does_not_look_in_meta(rest):
    assert rest.get("/orders", search="PO-77") == []


def test_skus_are_matched_whole_in_any_case_and_find_drafts_and_variations(rest):
    rows = rest.get("/products", sku="wid-002,DRAFT-1,ts-r-m,WID")
    assert {row["sku"]: row["type"] for row in rows} == {
        "WID-002": "simple",
        "DRAFT-1": "simple",
        "TS-R-M": "variation",
    }


def test_search_sku_matches_a_part(rest):
    assert len(rest.get("/products", search_sku="wid-0", per_page=100)) == 15


def test_products_list_drafts_but_no_variations_and_no_trash(rest):
    rest.delete("/products/12")
    rows = rest.get("/products", per_page=100)
    assert "draft" in {row["status"] for row in rows}
    assert "variation" not in {row["type"] for row in rows}
    assert 12 not in _ids(rows)


def test_all_variations_are_listed_apart(rest):
    rows = rest.get("/variations", per_page=100)
    assert {row["parent_id"] for row in rows} == {40, 50, 60}
    assert len(rows) == 20


def test_customers_are_found_by_email_in_any_case(rest):
    assert _ids(rest.get("/customers", email="ANN@example.com")) == [2]
    assert rest.get("/customers", email="ann@example") == []


def test_all_refunds_are_listed_with_their_order(rest):
    rows = rest.get("/refunds", per_page=100)
    assert list(rows[0])[:2] == ["id", "parent_id"]
    assert {row["id"]: row["parent_id"] for row in rows}[110] == 103


def test_fields_cut_rows_down(rest):
    rows = rest.get("/orders", include="68", _fields="id,billing.email,total")
    assert rows == [{"id": 68, "total": "24.52", "billing": {"email": "plain@example.net"}}]


def test_a_new_order_between_two_pages_repeats_a_row(rest, shop):
    first = rest.get("/orders", per_page=5)
    shop.place_order([("WID-002", 1)])
    second = rest.get("/orders", per_page=5, page=2)
    assert _ids(second)[0] == _ids(first)[-1]
