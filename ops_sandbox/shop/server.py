"""A real HTTP server for the shop, on this machine alone."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _QuietHandler(WSGIRequestHandler):
    """Access lines would drown what an operator or a test wants to read."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without a Date: the shop dates its answers by its own clock."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())


class RunningShop:
    """A served shop; a context manager, closed at the end of the block."""

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler
        )
        self._server.daemon_threads = True  # type: ignore[attr-defined]  # of the threaded server
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="shop-http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def __enter__(self) -> RunningShop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
