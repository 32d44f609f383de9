"""Which addresses may be called as a shop."""

from __future__ import annotations

import pytest

from woo_bridge.errors import BadStoreUrl
from woo_bridge.store_urls import check_store_url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example.com",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@127.0.0.1/",
        "https://127.0.0.1/?a=b",
        "https://127.0.0.1/#x",
        "https://127.0.0.1:99999/",
        "https://127.0.0 .1/",
        "https://[::1/",
    ],
)
def test_what_is_no_shops_home_is_refused_whatever_is_allowed(url):
    with pytest.raises(BadStoreUrl):
        check_store_url(url, allow_private=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://localhost/", "https://[::1]/"])
def test_a_private_address_needs_leave(url):
    with pytest.raises(BadStoreUrl, match="QBWOO_ALLOW_PRIVATE_STORES"):
        check_store_url(url)
    assert check_store_url(url, allow_private=True) == url.rstrip("/")


@pytest.fixture
def resolved(monkeypatch):
    """No name is looked up in tests: numbers stand for themselves."""
    import socket

    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", (host.strip("[]"), port))]
    )


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "::1",
        "::",
        "::127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "fd00:ec2::254",
        "192.0.0.192",
        "198.18.0.1",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_inside_a_network_or_of_clouds_are_refused(resolved, host):
    with pytest.raises(BadStoreUrl, match="private network"):
        check_store_url(f"http://[{host}]/" if ":" in host else f"http://{host}/")


def test_a_public_address_is_good(resolved):
    assert check_store_url(" https://93.184.216.34/shop/ ") == "https://93.184.216.34/shop"


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0xa9fea9fe", "2852039166"]
)
def test_every_spelling_of_an_address_is_seen_through(monkeypatch, host):
    import socket

    # As the system's resolver reads numbers, without asking anybody.
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **_: [(2, 1, 6, "", (socket.inet_ntoa(socket.inet_aton(host)), port))],
    )
    with pytest.raises(BadStoreUrl, match="private network"):
        check_store_url(f"http://{host}/")


def test_a_public_address_in_other_clothes_is_good(resolved):
    assert check_store_url("https://[64:ff9b::5db8:d822]")
    assert check_store_url("https://[2606:2800:220:1:248:1893:25c8:1946]")
    assert check_store_url("https://[::ffff:93.184.216.34]")
