"""Callers that do not get on, over real sockets; what the clock would bring is told, not waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from ops_console.listening import PATIENCE
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from queue_store.database import Database

BEGUN = b"POST /qbwc HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n"


@pytest.fixture
def service(sqlite_database: Database, tmp_path: Any) -> Iterator[Service]:
    with Service(
        ProcessSettings(data_dir=tmp_path, database_url=sqlite_database.url), worker=False
    ) as service:
        yield service


def connect(service: Service, sent: bytes = b"") -> socket.socket:
    found = urlsplit(service.url)
    made = socket.create_connection((found.hostname, found.port), timeout=10)
    made.sendall(sent)
    return made


def in_loop(service: Service, later: float) -> None:
    """What the server's care does so many seconds from now; returns when it is done."""
    listener = next(one for one in service._sockets.values() if hasattr(one, "active_channels"))
    trigger: Any = next(one for one in service._sockets.values() if hasattr(one, "pull_trigger"))
    done = threading.Event()

    def care() -> None:
        listener.maintenance(time.time() + later)
        done.set()

    trigger.pull_trigger(care)
    assert done.wait(10)


def is_answered(caller: socket.socket) -> bool:
    """True if the health page comes whole; head and body may come one after the other."""
    found = b""
    while not found.endswith(b"\r\n\r\nok\n"):
        more = caller.recv(4000)
        if not more:
            return False
        found += more
    return True


def healthy(service: Service) -> bool:
    with connect(service, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as caller:
        return caller.makefile("rb").read().endswith(b"ok\n")


@pytest.mark.parametrize(
    "sent", [BEGUN, BEGUN + b"\r\n", BEGUN + b"\r\nsome of it"], ids=["headers", "no body", "half a body"]
)
def test_a_request_that_does_not_come_to_its_end_is_given_up(service: Service, sent: bytes) -> None:
    with connect(service, sent) as slow, connect(service, sent) as other:
        assert healthy(service)
        in_loop(service, PATIENCE - 5)
        other.sendall(b"X")
        assert healthy(service)
        # A byte now and then does not help.
        in_loop(service, PATIENCE + 5)
        assert slow.recv(100) == b""
        assert other.recv(100) == b""


def test_a_connection_on_which_nothing_was_ever_asked_is_given_up(service: Service) -> None:
    with connect(service) as silent:
        assert healthy(service)
        in_loop(service, 125)
        assert silent.recv(100) == b""


def test_a_connection_is_kept_for_an_hour_while_quickbooks_works(service: Service) -> None:
    with connect(service, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") as kept:
        assert is_answered(kept)
        in_loop(service, 3600)
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert is_answered(kept)


def test_crowds_that_wait_make_room_for_who_has_something_to_say(service: Service) -> None:
    """The limit is lowered to what a test may open; slow ones go first, and idle ones after them."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as opened:
        patch.setattr("ops_console.listening._CROWDED", 20)
        patch.setattr("ops_console.listening._ROOMY", 10)
        asked = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        proven = [opened.enter_context(connect(service, asked)) for _ in range(8)]
        for one in proven:
            assert is_answered(one)
        crowd = [opened.enter_context(connect(service, BEGUN)) for _ in range(30)]
        assert healthy(service)
        in_loop(service, 0)
        assert crowd[0].recv(100) == b""
        proven[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert is_answered(proven[0])
