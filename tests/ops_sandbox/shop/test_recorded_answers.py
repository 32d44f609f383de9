"""The shop answers what a real WooCommerce answered, from the same records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "data" / "woocommerce" / "rest"

#: Taken before a later recorded change of the same record, or told in a test of its own.
OUTDATED = {
    "get_refunds",
    "order_frac_dp4",
    "order_modified_list",
    "product_group",
    "product_variation_via_products",
    "products_fields",
    "products_page1",
    "products_page_last",
    "webhook_disabled",
    "webhooks_list",
    "error_no_auth",
    "error_basic_over_http",
    "error_bad_key",
    "error_bad_secret",
    "error_writeonly_read",
    "wc_auth_flow",
}


def _names(method: str) -> list[str]:
    names = []
    for path in sorted(FOLDER.glob("*.json")):
        request = json.loads(path.read_text(encoding="utf-8")).get("request")
        if request and request["method"] == method and path.stem not in OUTDATED:
            names.append(path.stem)
    return names


def _same(recorded: Any, played: Any, where: str = "body") -> None:
    assert type(recorded) is type(played), where
    if isinstance(recorded, dict):
        assert list(recorded) == list(played), where
        for key, value in recorded.items():
            _same(value, played[key], f"{where}.{key}")
    elif isinstance(recorded, list):
        assert len(recorded) == len(played), where
        for place, value in enumerate(recorded):
            _same(value, played[place], f"{where}[{place}]")
    else:
        assert recorded == played, where


@pytest.mark.parametrize("name", _names("GET"))
def test_a_recorded_read_is_answered_the_same_key_by_key(name, rest, recorded, plain):
    exchange = recorded(f"rest/{name}")
    answer = rest("GET", exchange["request"]["path"])
    assert answer.status_code == exchange["response"]["status"]
    _same(plain(exchange["response"]["body"]), plain(answer.json()))


@pytest.mark.parametrize("name", [n for n in _names("GET") if n.startswith(("order_", "products_"))])
def test_a_recorded_read_has_the_recorded_headers(name, rest, recorded, plain):
    exchange = recorded(f"rest/{name}")
    answer = rest("GET", exchange["request"]["path"])
    for header, value in exchange["response"]["headers"]:
        if header not in {"Server", "Date", "Transfer-Encoding", "Connection"}:
            assert plain(answer.headers[header]) == plain(value)


@pytest.mark.parametrize(
    "name",
    [
        "error_bad_json",
        "error_bad_status",
        "error_bad_type",
        "error_batch_101",
        "error_delete_no_force",
        "error_duplicate_email",
        "error_duplicate_sku",
        "error_duplicate_sku_update",
        "error_missing_email",
        "error_order_bad_customer",
        "error_product_put_404",
        "refund_error_too_much",
        "variation_put_via_products",
        "webhook_create_error_customer_restored",
        "webhook_create_ftp_x_y",
        "webhook_create_notaurl",
    ],
)
def test_a_recorded_refusal_is_answered_the_same(name, rest, recorded):
    exchange = recorded(f"rest/{name}")
    request = exchange["request"]
    answer = rest(request["method"], request["path"], request["body"])
    assert answer.status_code == exchange["response"]["status"]
    _same(exchange["response"]["body"], answer.json())


def test_an_unknown_coupon_leaves_an_auto_draft_order(shop, rest, recorded):
    exchange = recorded("rest/error_bad_coupon")
    answer = rest("POST", "/orders", exchange["request"]["body"])
    body = answer.json()
    draft_id = body["data"].pop("new_draft_order_id")
    exchange["response"]["body"]["data"].pop("new_draft_order_id")
    assert (answer.status_code, body) == (400, exchange["response"]["body"])
    assert rest.get(f"/orders/{draft_id}")["status"] == "auto-draft"
    assert draft_id not in [order["id"] for order in rest.get("/orders", per_page=100)]


def test_an_order_of_an_unknown_product_is_made_with_an_empty_line(rest, recorded):
    exchange = recorded("rest/error_order_bad_product")
    answer = rest("POST", "/orders", exchange["request"]["body"])
    assert answer.status_code == 201
    expected, made = exchange["response"]["body"], answer.json()
    assert list(made) == list(expected)
    for order in (expected, made):
        for line in (*order["line_items"], *order["tax_lines"]):
            line.pop("id")
    for key in ("line_items", "tax_lines", "total", "status", "needs_payment", "needs_processing", "billing"):
        assert made[key] == expected[key]


def test_the_partial_failures_of_a_batch_are_the_recorded_ones(rest, recorded, plain):
    exchange = recorded("rest/batch_partial_failure")
    answer = rest("POST", "/products/batch", exchange["request"]["body"])
    assert answer.status_code == 200
    expected = exchange["response"]["body"]
    for kind in ("create", "update", "delete"):
        assert len(answer.json()[kind]) == len(expected[kind])
        for made, wanted in zip(answer.json()[kind], expected[kind], strict=True):
            assert made.get("error") == wanted.get("error")
            assert list(made) == list(wanted)
            if "error" not in wanted:
                for key in (
                    "name",
                    "slug",
                    "status",
                    "price",
                    "stock_quantity",
                    "stock_status",
                    "price_html",
                ):
                    assert made[key] == wanted[key]


def test_the_partial_failures_of_a_variation_batch_are_the_recorded_ones(rest, recorded, plain):
    exchange = recorded("rest/variations_batch")
    answer = rest("POST", "/products/40/variations/batch", exchange["request"]["body"]).json()
    expected = exchange["response"]["body"]
    assert answer["update"][1:] == expected["update"][1:]
    changing = {"date_modified", "date_modified_gmt"}
    made, wanted = plain(answer["update"][0]), plain(expected["update"][0])
    assert list(made) == list(wanted)
    assert {k: v for k, v in made.items() if k not in changing} == {
        k: v for k, v in wanted.items() if k not in changing
    }


def test_fields_do_not_reach_into_the_lists_of_a_batch(rest):
    assert rest("POST", "/products/batch?_fields=update.id", {"update": [{"id": 10}]}).json() == {
        "update": []
    }


def test_every_recorded_order_is_there_once_in_its_newest_state(shop):
    orders = {order["id"]: order for order in shop.orders()}
    recorded_ids = set()
    for path in FOLDER.glob("order_*.json"):
        body = json.loads(path.read_text(encoding="utf-8"))["response"]["body"]
        for order in body if isinstance(body, list) else [body]:
            if "id" in order:
                recorded_ids.add(order["id"])
                assert orders[order["id"]]["date_modified_gmt"] >= order["date_modified_gmt"]
    assert set(orders) == recorded_ids


def test_the_index_names_the_api(rest):
    answer = rest("GET", "/wp-json/", auth=None)
    assert answer.status_code == 200
    assert "wc/v3" in answer.json()["namespaces"]
