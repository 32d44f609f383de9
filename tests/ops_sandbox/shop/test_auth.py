"""Who may call: keys over https, OAuth over http."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
import requests

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET


@pytest.fixture
def signed(running, clock):
    """Sign a GET with OAuth 1.0a as RFC 5849 says; written apart from the shop's own check."""

    def sign(
        path,
        *,
        nonce="n1",
        secret=CONSUMER_SECRET,
        key=CONSUMER_KEY,
        method="GET",
        home=None,
        seconds_off=0,
        **query,
    ):
        params = {
            **query,
            "oauth_consumer_key": key,
            "oauth_timestamp": str(int(clock.now.timestamp()) + seconds_off),
            "oauth_nonce": nonce,
            "oauth_signature_method": "HMAC-SHA256",
        }
        url = f"{home or running.url}/wp-json/wc/v3{path}"
        pairs = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(params.items()))
        base = "&".join((method, quote(url, safe="~"), quote(pairs, safe="~")))
        digest = hmac.new(f"{secret}&".encode(), base.encode(), hashlib.sha256).digest()
        params["oauth_signature"] = base64.b64encode(digest).decode()
        return requests.request(
            method,
            f"{running.url}/wp-json/wc/v3{path}",
            params=params,
            json={} if method != "GET" else None,
            timeout=5,
        )

    return sign


@pytest.fixture(autouse=True)
def _plain_http(shop):
    shop.assume_https = False


def test_basic_auth_over_http_counts_for_nothing(rest, recorded):
    answer = rest("GET", "/products")
    expected = recorded("rest/error_basic_over_http")["response"]
    assert (answer.status_code, answer.json()) == (401, expected["body"])
    assert answer.headers["Vary"] == "Origin"


def test_keys_in_the_query_over_http_count_for_nothing(rest):
    query = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
    assert rest("GET", "/products", auth=None, params=query).status_code == 401


def test_keys_in_the_query_count_over_https(shop, rest):
    shop.assume_https = True
    query = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
    assert rest("GET", "/products", auth=None, params=query).status_code == 200


def test_a_proxy_may_tell_that_the_caller_came_over_https(shop, rest):
    header = {"X-Forwarded-Proto": "https"}
    assert rest("GET", "/products", headers=header).status_code == 401
    shop.trust_https_header = True
    answer = rest("GET", "/products", headers=header)
    assert answer.status_code == 200
    assert answer.json()[0]["permalink"].startswith("https://")


@pytest.mark.parametrize(
    ("name", "auth"),
    [
        ("error_no_auth", None),
        ("error_bad_key", ("ck_nobody", CONSUMER_SECRET)),
        ("error_bad_secret", (CONSUMER_KEY, "cs_wrong")),
    ],
)
def test_a_stranger_is_refused_as_recorded(name, auth, shop, rest, recorded):
    shop.assume_https = True
    expected = recorded(f"rest/{name}")["response"]
    answer = rest("GET", "/products", auth=auth)
    assert (answer.status_code, answer.json()) == (expected["status"], expected["body"])


@pytest.mark.parametrize(
    ("name", "permissions", "method"),
    [("error_readonly_write", "read", "PUT"), ("error_writeonly_read", "write", "GET")],
)
def test_a_key_can_do_only_what_it_is_for(name, permissions, method, shop, rest, recorded):
    shop.assume_https = True
    shop.add_key("ck_half", "cs_half", permissions)
    expected = recorded(f"rest/{name}")["response"]
    answer = rest(method, "/products/10", {} if method == "PUT" else None, auth=("ck_half", "cs_half"))
    assert (answer.status_code, answer.json()) == (expected["status"], expected["body"])


def test_a_signed_request_is_answered_over_http(signed):
    answer = signed("/orders", search="ü &/?", status="any", modified_after="2020-01-01T00:00:00")
    assert answer.status_code == 200


def test_a_nonce_counts_once(signed):
    assert signed("/orders", nonce="again").status_code == 200
    replay = signed("/orders", nonce="again")
    assert (replay.status_code, replay.json()["code"]) == (401, "woocommerce_rest_authentication_error")
    assert "nonce" in replay.json()["message"]


@pytest.mark.parametrize(("seconds", "status"), [(800, 200), (1000, 401), (-800, 200), (-1000, 401)])
def test_the_clock_may_differ_by_fifteen_minutes(seconds, status, signed):
    assert signed("/orders", seconds_off=seconds).status_code == status


def test_a_wrong_secret_makes_no_signature(signed):
    answer = signed("/orders", secret="cs_wrong")
    assert (answer.status_code, answer.json()["message"]) == (
        401,
        "Invalid signature - provided signature does not match.",
    )


def test_requests_are_signed_over_the_shops_own_address(signed, running):
    other_name = running.url.replace("127.0.0.1", "localhost")
    assert signed("/orders", home=other_name).status_code == 401


def test_an_unknown_key_in_a_signed_request_is_refused(signed):
    assert signed("/orders", key="ck_nobody").status_code == 401


def test_a_writing_request_can_be_signed(signed):
    assert signed("/products/10", method="PUT").status_code == 200


def test_the_public_client_library_gets_through(shop, running, clock):
    woocommerce = pytest.importorskip("woocommerce")
    clock.now = datetime.now(UTC)  # the library reads the machine's clock
    api = woocommerce.API(url=running.url, consumer_key=CONSUMER_KEY, consumer_secret=CONSUMER_SECRET)
    assert api.get("orders", params={"per_page": 2, "search": "a b"}).status_code == 200
    assert api.put("orders/68", {"customer_note": "ü"}).json()["customer_note"] == "ü"
