"""The support page: 200 for everybody, nothing from elsewhere, nothing that asks for more."""

from __future__ import annotations

import re

import pytest

from qbwc_service.support import make_support_app


def ask(method: str = "GET", **settings: str) -> tuple[str, dict[str, str], str]:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    app = make_support_app(**settings)
    parts = app({"REQUEST_METHOD": method}, lambda status, headers, _=None: started.append((status, headers)))
    ((status, headers),) = started
    return status, dict(headers), b"".join(parts).decode()


def test_get_and_head_answer_200_with_the_same_headers():
    get, head = ask("GET"), ask("HEAD")
    assert get[0] == head[0] == "200 OK"
    assert get[1] == head[1]
    assert int(get[1]["Content-Length"]) == len(get[2].encode())
    assert head[2] == ""


def test_the_page_tells_what_the_service_is_and_its_version():
    _, headers, page = ask(product_version="1.2.3<")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "WooCommerce shop and QuickBooks" in page
    assert "Version: 1.2.3&lt;" in page
    assert "operator's guide" in page


def test_the_guide_is_linked_where_it_is_known():
    _, _, page = ask(guide_url="https://shop.example/guide?a=1&b=<")
    assert 'href="https://shop.example/guide?a=1&amp;b=&lt;"' in page
    with pytest.raises(ValueError, match="must begin with https"):
        make_support_app(guide_url="javascript:alert(1)")


def test_the_page_loads_nothing_and_cannot_be_framed():
    _, headers, page = ask()
    assert not re.search(r"src=|<script|<link|<form|<style|@import", page)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_other_methods_are_refused():
    status, headers, _ = ask("POST")
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "GET, HEAD")
