"""A shop's name that leads elsewhere at the call than it did at the look before it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from woo_bridge.client import ShopClient
from woo_bridge.errors import ShopUnreachable, StoreNotCalled
from woo_bridge.store_urls import check_store_url

PUBLIC = "93.184.216.34"


@pytest.fixture
def inside() -> Iterator[socket.socket]:
    """A service of this machine that nobody may reach by way of a shop's URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        yield listening


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes the resolver answer with these addresses, one look-up each."""

    def resolve(*found: str) -> list[str]:
        left = list(found)

        def getaddrinfo(_host: Any, port: Any, *_rest: Any, **_named: Any) -> Any:
            address = left.pop(0) if len(left) > 1 else left[0]
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return left

    return resolve


def nobody_came(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_turns_private_between_look_and_call_is_not_connected_to(
    inside: socket.socket, answers: Callable[..., list[str]], scheme: str
) -> None:
    port = inside.getsockname()[1]
    answers(PUBLIC, "127.0.0.1")
    url = check_store_url(f"{scheme}://shop.example:{port}")
    with (
        ShopClient(url, "ck", "cs", max_tries=1, only_public=True) as client,
        pytest.raises(
            StoreNotCalled, match=r"shop\.example leads to 127\.0\.0\.1, an address of a private network"
        ),
    ):
        client.system_currency()
    assert nobody_came(inside)


def test_what_was_looked_at_is_what_is_connected_to(
    inside: socket.socket, answers: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look-up for both: a second one could give anything."""
    tried = []

    def connect(address: tuple[str, int], *_rest: Any, **_named: Any) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    left = answers(PUBLIC, "127.0.0.1")
    with (
        ShopClient("http://shop.example", "ck", "cs", max_tries=1, only_public=True) as client,
        pytest.raises(ShopUnreachable, match=r"shop\.example cannot be reached"),
    ):
        client.system_currency()
    assert tried == [PUBLIC]
    assert left == ["127.0.0.1"]


def test_with_leave_a_private_shop_is_called(inside: socket.socket) -> None:
    inside.setblocking(True)
    url = f"http://127.0.0.1:{inside.getsockname()[1]}"
    with (
        ShopClient(url, "ck", "cs", max_tries=1, timeout=(1, 0.05)) as client,
        pytest.raises(ShopUnreachable),
    ):
        client.system_currency()
    assert not nobody_came(inside)
