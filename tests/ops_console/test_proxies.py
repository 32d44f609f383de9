"""Whose word counts for the client's address."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from ops_console.proxies import TrustedProxies

PROXIES = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1")]


def seen(networks: list[Any], **environ: str) -> dict[str, str]:
    """The request as the service behind sees it."""
    caught: dict[str, str] = {}

    def app(environ: dict[str, str], _start_response: Any) -> list[bytes]:
        caught.update(environ)
        return []

    TrustedProxies(app, networks)({"REMOTE_ADDR": "10.1.1.1", "wsgi.url_scheme": "http", **environ}, None)  # type: ignore[arg-type]
    return caught


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first was written by the client
        ("203.0.113.7, 10.2.2.2", "203.0.113.7"),
        ("203.0.113.7:5123", "203.0.113.7"),
        ("[2001:db8::1]:5123", "2001:db8::1"),
        ("10.3.3.3", "10.3.3.3"),
        ("nonsense", "10.1.1.1"),
        ("", "10.1.1.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(chain: str, client: str) -> None:
    assert seen(PROXIES, HTTP_X_FORWARDED_FOR=chain)["REMOTE_ADDR"] == client


def test_a_stranger_cannot_say_who_he_is() -> None:
    environ = seen(
        PROXIES,
        REMOTE_ADDR="203.0.113.9",
        HTTP_X_FORWARDED_FOR="127.0.0.1",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_HOST="evil.example",
        HTTP_HOST="qbwoo.example.com",
    )
    assert environ["REMOTE_ADDR"] == "203.0.113.9"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == "qbwoo.example.com"
    assert "HTTP_X_FORWARDED_FOR" not in environ


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert seen([], HTTP_X_FORWARDED_FOR="203.0.113.7")["REMOTE_ADDR"] == "10.1.1.1"


def test_scheme_and_host_come_from_the_proxy() -> None:
    environ = seen(PROXIES, HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="qbwoo.example.com")
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "qbwoo.example.com"


def test_an_ipv4_address_in_ipv6_clothes_is_known() -> None:
    environ = seen(PROXIES, REMOTE_ADDR="::ffff:10.1.1.1", HTTP_X_FORWARDED_FOR="203.0.113.7")
    assert environ["REMOTE_ADDR"] == "203.0.113.7"
