"""The HTTP server: waitress, with an end to the patience for callers that do not get on.

waitress reads requests whole before a thread sees them, so that a slow caller
holds no thread; but it keeps the connection for as long as a byte comes now
and then, and connections are counted. QuickBooks may work for an hour on one
message set while the Web Connector keeps its connection, so an idle one is left
alone as long as there is room; where there is none, the longest idle goes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel

from ops_console.errors import NotDone

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer, MultiSocketServer

#: QuickBooks may work for an hour on one message set, and the connection is kept meanwhile.
_IDLE_SECONDS = 3700
_MOST_CONNECTIONS = 1000
#: Above this many, connections that only wait are closed until `_ROOMY` are left.
_CROWDED, _ROOMY = 900, 800
#: Above what the SOAP side takes, so that its own sentence is what is answered.
_MOST_BODY_BYTES = 72 * 1024 * 1024
#: So long may a request take to come, in seconds, and a second more for each so many bytes that came.
PATIENCE = 30.0
_BYTES_A_SECOND = 8 * 1024
#: So long may nobody fetch an answer, or begin a first request, in seconds.
_UNTOUCHED = 120.0


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection, which remembers since when its present request has been coming."""

    #: When the first byte of a request came that is not whole yet.
    begun: float | None = None
    #: Bytes of it so far.
    came = 0
    #: Whether a whole request ever came.
    is_proven = False

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self.begun, self.came = time.time(), 0
        self.came += len(data)
        taken: bool = super().received(data)
        if self.request is None:
            self.begun, self.is_proven = None, True
        return taken

    def is_overdue(self, now: float) -> bool:
        """True if this caller does not get on, at `now` in seconds since 1970."""
        if self.begun is not None and now - self.begun > PATIENCE + self.came / _BYTES_A_SECOND:
            return True
        waits_for_caller = self.total_outbufs_len > 0 or not (self.is_proven or self.requests)
        return waits_for_caller and now - self.last_activity > _UNTOUCHED


def close_overdue(channels: list[Any], now: float) -> None:
    """Mark for closing who does not get on, and where it is crowded who has waited longest.

    To be called in the server's own loop.
    """
    left = []
    for channel in channels:
        if not channel.requests and channel.is_overdue(now):
            channel.will_close = True
        else:
            left.append(channel)
    if len(left) <= _CROWDED:
        return
    # Who never sent a whole request goes first; who is being answered stays.
    waiting = [channel for channel in left if not channel.requests and not channel.total_outbufs_len]
    waiting.sort(key=lambda channel: (channel.is_proven, channel.last_activity))
    for channel in waiting[: len(left) - _ROOMY]:
        channel.will_close = True


def listen(
    app: Any, host: str, port: int, threads: int
) -> tuple[BaseWSGIServer | MultiSocketServer, dict[int, Any]]:
    """A server that listens, and its sockets by number. Raises NotDone."""
    sockets: dict[int, Any] = {}
    try:
        server = waitress.create_server(
            app,
            map=sockets,
            host=host,
            port=port,
            threads=threads,
            ident="",
            channel_timeout=_IDLE_SECONDS,
            # Each second, since it is what makes room.
            cleanup_interval=1,
            # An answer of QuickBooks has 100 KB and more: the default of 8 KB takes a round of the loop for each.
            recv_bytes=128 * 1024,
            connection_limit=_MOST_CONNECTIONS,
            max_request_body_size=_MOST_BODY_BYTES,
            # The parts listen to proxies by our own rule, see `proxies`.
            clear_untrusted_proxy_headers=False,
            # select() cannot watch more than 1024 files.
            asyncore_use_poll=True,
        )
    except (OSError, ValueError) as error:
        wasyncore.close_all(sockets)
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise NotDone(
            f"Cannot listen at {host}:{port}: {reason}. Choose another --host or --port."
        ) from error
    for entry in list(sockets.values()):
        if hasattr(entry, "active_channels"):
            _make_impatient(entry)
    return server, sockets


def port_of(server: Any) -> int:
    """Where it listens."""
    listening = getattr(server, "effective_listen", None)
    return int(listening[0][1] if listening else server.effective_port)


def _make_impatient(listener: Any) -> None:
    """Give one listening socket our channels, and our care of them after waitress's own."""
    own = listener.maintenance

    def maintenance(now: float) -> None:
        own(now)
        close_overdue(list(listener.active_channels.values()), now)

    listener.channel_class = Channel
    listener.maintenance = maintenance
