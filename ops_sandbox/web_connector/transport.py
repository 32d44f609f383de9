"""HTTP/1.1 as .NET's HttpWebRequest speaks it, on one kept connection.

The standard library's client swallows interim answers and cannot hold a body
back for them; the Web Connector announces every body with `Expect: 100-continue`
and sends it after 350 ms without an answer. Hence sockets, by hand.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ops_sandbox.web_connector.errors import CertificateRefused, ServiceNotReached

#: Seconds that .NET waits for `100 Continue` before it sends the body all the same.
CONTINUE_WAIT = 0.35
#: Bytes; a longer head is no HTTP answer.
LONGEST_HEAD = 64 * 1024
_CLOSED = "The underlying connection was closed: The connection was closed unexpectedly."
_BROKEN = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


@dataclass(frozen=True)
class HttpAnswer:
    """One answer. Header names are in lower case; repeated ones are joined by commas."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Head:
    version: str
    status: int
    reason: str
    headers: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        wish = self.headers.get("connection", "").casefold()
        return "keep-alive" in wish if self.version == "HTTP/1.0" else "close" not in wish


class _ClosedBeforeBody(Exception):
    """The peer closed before any of the request's body was sent: nothing has happened."""


class HttpConnection:
    """Requests to one URL, one at a time; `close` when done.

    `timeout` is in seconds and for a whole call, as .NET's; `source_address` is the local
    address to call from; `ca_file` holds the authorities to trust besides the system's.
    Raises OSError if that file cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 100,
        source_address: str | None = None,
        ca_file: Path | None = None,
        continue_wait: float = CONTINUE_WAIT,
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self.timeout = timeout
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context()
            if ca_file is not None:
                self._tls.load_verify_locations(cafile=ca_file)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._host_header = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._source = (source_address, 0) if source_address else None
        self._ca_file = ca_file
        self._continue_wait = continue_wait
        self._socket: socket.socket | None = None
        self._buffer = bytearray()

    def close(self) -> None:
        """Drop the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._buffer.clear()

    def request(
        self, purpose: str, method: str, headers: Sequence[tuple[str, str]], body: bytes | None = None
    ) -> HttpAnswer:
        """The answer, whatever its status. Raises `ServiceNotReached`."""
        deadline = time.monotonic() + self.timeout
        try:
            if self._is_kept():
                try:
                    return self._exchange(method, headers, body, deadline, fresh=False)
                except _ClosedBeforeBody:
                    pass  # the server's idle limit; .NET takes another connection
            self._open(deadline)
            return self._exchange(method, headers, body, deadline, fresh=True)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise CertificateRefused(
                purpose, self.url, f"The certificate is not trusted: {error.verify_message}."
            ) from error
        except TimeoutError as error:
            self.close()
            raise ServiceNotReached(purpose, self.url, "The operation has timed out.") from error
        except (OSError, _ClosedBeforeBody) as error:
            self.close()
            raise ServiceNotReached(purpose, self.url, str(error) or _CLOSED) from error
        except ValueError as error:
            self.close()
            raise ServiceNotReached(
                purpose, self.url, f"The server committed a protocol violation: {error}."
            ) from error

    # -- one request on the open connection

    def _exchange(
        self,
        method: str,
        headers: Sequence[tuple[str, str]],
        body: bytes | None,
        deadline: float,
        *,
        fresh: bool,
    ) -> HttpAnswer:
        lines = [f"{method} {self._target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in (*headers, ("Host", self._host_header))]
        if body is not None:
            lines += [f"Content-Length: {len(body)}", "Expect: 100-continue"]
        if fresh:
            lines.append("Connection: keep-alive")
        try:
            self._send("\r\n".join((*lines, "", "")).encode("ascii"), deadline)
        except _BROKEN as error:
            raise _ClosedBeforeBody from error

        if body is not None:
            if self._answers_at_once(deadline):
                head = self._read_head(deadline)
                if head.status >= 200:
                    # The server judged by the head alone; what it would take the body for is unknown.
                    answer = self._read_answer(head, deadline)
                    self.close()
                    return answer
            try:
                self._send(body, deadline)
            except _BROKEN:
                if not self._buffer and not self._receive(deadline):
                    raise ConnectionError(_CLOSED) from None
                # A refusal that crossed our body on the way is still an answer.
        elif not self._buffer and not self._receive(deadline):
            raise _ClosedBeforeBody

        head = self._read_head(deadline)
        while head.status < 200:
            head = self._read_head(deadline)
        answer = self._read_answer(head, deadline)
        if not head.keeps_alive:
            self.close()
        return answer

    def _answers_at_once(self, deadline: float) -> bool:
        """Whether an answer, interim or not, begins within the 350 ms that .NET waits."""
        try:
            if self._receive(min(deadline, time.monotonic() + self._continue_wait)):
                return True
        except TimeoutError:
            return False
        except _BROKEN as error:
            raise _ClosedBeforeBody from error
        raise _ClosedBeforeBody

    # -- reading

    def _read_head(self, deadline: float) -> _Head:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > LONGEST_HEAD:
                raise ValueError("the answer has no end of headers")
            if not self._receive(deadline):
                raise ConnectionError(_CLOSED)
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = lines[0].partition(" ")
        status, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not status.isdecimal():
            raise ValueError(f"the answer begins with {lines[0][:60]!r}")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(f"a header line reads {line[:60]!r}")
            key = name.strip().casefold()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
        return _Head(version, int(status), reason, headers)

    def _read_answer(self, head: _Head, deadline: float) -> HttpAnswer:
        if head.status in (204, 304):
            body = b""
        elif "chunked" in head.headers.get("transfer-encoding", "").casefold():
            body = self._read_chunks(deadline)
        elif "content-length" in head.headers:
            body = self._take(int(head.headers["content-length"]), deadline)
        else:
            while self._receive(deadline):
                pass
            body = bytes(self._buffer)
            self.close()
        return HttpAnswer(head.status, head.reason, head.headers, body)

    def _read_chunks(self, deadline: float) -> bytes:
        body = bytearray()
        while size := int(self._take_line(deadline).partition(b";")[0], 16):
            body += self._take(size, deadline)
            self._take_line(deadline)
        while self._take_line(deadline):
            pass  # trailers
        return bytes(body)

    def _take(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            if not self._receive(deadline):
                raise ConnectionError(_CLOSED)
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _take_line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self._receive(deadline):
                raise ConnectionError(_CLOSED)
        return self._take(end + 2, deadline)[:-2]

    # -- the socket

    def _is_kept(self) -> bool:
        if self._socket is None:
            return False
        # Between requests a readable socket is one that the server has closed.
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            is_readable = bool(selector.select(0))
        if is_readable or self._buffer:
            self.close()
        return self._socket is not None

    def _open(self, deadline: float) -> None:
        self.close()
        left = max(deadline - time.monotonic(), 0.001)
        plain = socket.create_connection((self._host, self._port), left, self._source)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                self._socket = self._tls.wrap_socket(plain, server_hostname=self._host)
            else:
                self._socket = plain
        except OSError:
            plain.close()
            raise

    def _send(self, data: bytes, deadline: float) -> None:
        self._open_socket(deadline).sendall(data)

    def _receive(self, deadline: float) -> bool:
        """Read on into the buffer; false at the end of the stream."""
        data = self._open_socket(deadline).recv(65536)
        self._buffer += data
        return bool(data)

    def _open_socket(self, deadline: float) -> socket.socket:
        if self._socket is None:
            raise ConnectionError(_CLOSED)
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        return self._socket
