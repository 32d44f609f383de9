"""Requests that no honest client sends, over raw sockets: one answer each, and nothing of them comes back."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ops_console.service import Service
from ops_console.settings import ProcessSettings
from queue_store.database import Database

PROTECTION = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


@pytest.fixture
def service(sqlite_database: Database, tmp_path: Path) -> Iterator[Service]:
    settings = ProcessSettings(data_dir=tmp_path, database_url=sqlite_database.url)
    with Service(settings, worker=False) as service:
        yield service


def raw(service: Service, request: bytes) -> bytes:
    """Everything that comes back until the server has no more to say."""
    found = urlsplit(service.url)
    with socket.create_connection((found.hostname, found.port), timeout=10) as caller:
        caller.sendall(request)
        caller.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: caller.recv(65536), b""))


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/qbwc",
        "/qbwc?wsdl",
        "/qbwc/support",
        "/webhooks/woocommerce/none",
        "/metrics",
        "/nothing",
        "/healthz",
    ],
)
def test_every_answer_of_every_part_is_protected(service: Service, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    _, headers, _ = parts(raw(service, request))
    assert {name: headers.get(name) for name in PROTECTION} == PROTECTION
    policy = headers["content-security-policy"]
    for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"):
        assert rule in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/qbwc", "/qbwc/support", "/metrics"])
def test_other_methods_are_405_and_nothing_is_echoed(service: Service, method: str, path: str) -> None:
    request = f"{method} {path} HTTP/1.1\r\nHost: a\r\nX-Planted: echo-me\r\nConnection: close\r\n\r\n"
    status, headers, body = parts(raw(service, request.encode()))
    assert status == 405
    assert "GET" in headers["allow"]
    assert b"echo-me" not in body


@pytest.mark.parametrize(
    "host",
    ['evil.example"><script>', "a/../b", "a b", "a\tb", "a%0d%0aX-Evil: 1", "a@b", "[::1", "x" * 300, ""],
)
def test_a_host_that_is_none_is_not_repeated(service: Service, host: str) -> None:
    request = f"GET /qbwc?wsdl HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    status, headers, body = parts(raw(service, request))
    assert (status, "x-evil" in headers) == (200, False)
    assert headers["cache-control"] == "no-store"
    address = re.findall(rb'location="([^"]*)"', body)[0]
    assert re.fullmatch(rb"http://[A-Za-z0-9.:_-]+/qbwc", address)


@pytest.mark.parametrize(
    "path",
    [
        "/a%0d%0aX-Evil:%201",
        "/qbwc%0d%0aX-Evil:%201",
        "/webhooks/woocommerce/a%0d%0aX-Evil:1",
        "/%00",
        "/%ff%fe",
    ],
)
def test_a_path_splits_no_answer(service: Service, path: str) -> None:
    status, headers, _ = parts(raw(service, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))
    assert (status, "x-evil" in headers) == (404, False)


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/qbwc/../../etc",
        "/webhooks/woocommerce/../../etc",
        "/webhooks/woocommerce/..%2f..%2fetc",
        "//etc",
    ],
)
def test_no_path_leads_to_a_file(service: Service, path: str) -> None:
    status, _, body = parts(raw(service, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))
    assert (status, b"root:" in body) == (404, False)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nContent-Length: 44\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4,4\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Bad Header: x\r\n",
    ],
)
def test_a_length_that_can_be_read_two_ways_is_refused_and_smuggles_nothing(
    service: Service, headers: bytes
) -> None:
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = raw(service, b"POST /qbwc HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\nabcd" + smuggled)
    assert parts(answer)[0] in (400, 501)
    assert answer.count(b"HTTP/1.") == 1


def test_a_chunked_body_with_a_length_is_read_as_chunks_and_nothing_behind_it(service: Service) -> None:
    request = (
        b"POST /webhooks/woocommerce/none HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert raw(service, request).count(b"HTTP/1.") == 1


def test_headers_without_end_are_refused(service: Service) -> None:
    status, _, _ = parts(raw(service, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 300_000 + b"\r\n\r\n"))
    assert status == 431


def test_a_header_with_underscores_is_not_taken_for_one_with_hyphens(service: Service) -> None:
    """CGI's names cannot tell them apart: a proxy that removes X-Forwarded-For would let X_Forwarded_For pass."""
    request = b"POST /webhooks/woocommerce/none HTTP/1.1\r\nHost: a\r\nX_WC_Webhook_Signature: x\r\nContent-Length: 0\r\n\r\n"
    assert parts(raw(service, request))[0] == 404
