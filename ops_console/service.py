"""The service as one process: a server for everything that is asked of us, and a worker beside it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import waitress
from waitress import wasyncore

from ops_console import wiring
from ops_console.errors import NotDone
from ops_console.settings import ProcessSettings
from ops_console.working import WorkLoop

if TYPE_CHECKING:
    from waitress.server import BaseWSGIServer, MultiSocketServer

logger = logging.getLogger(__name__)

#: QuickBooks may work for an hour on one message set, and the connection is kept meanwhile.
_IDLE_SECONDS = 3700
_MOST_CONNECTIONS = 1000
#: Above what the SOAP side takes, so that its own sentence is what is answered.
_MOST_BODY_BYTES = 72 * 1024 * 1024


class Service:
    """A served database. A context manager: serving from its first line on, closed at its end.

    Migrates first. `port` 0 takes a free one; `url` is what it listens at.
    Raises NotDone, SettingsProblem, SchemaOutdated.
    """

    def __init__(
        self,
        settings: ProcessSettings,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 8,
        worker: bool = True,
    ) -> None:
        self.settings = settings
        self.database = wiring.open_migrated_database(settings)
        try:
            box = wiring.open_box(settings)
            work = wiring.Work(settings, self.database, box) if worker else None
            loop = WorkLoop(work) if work else None
            self.parts = wiring.build(settings, self.database, box, loop)
            self._server, self._sockets = _listen(self.parts.app, host, port, threads)
        except BaseException:
            self.database.close()
            raise
        self._work, self._loop = work, loop
        self._thread: threading.Thread | None = None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{_port(self._server)}"

    def run(self) -> None:
        """Serve until SystemExit or KeyboardInterrupt arrives in this thread, then close."""
        self._begin()
        try:
            self._server.run()
        finally:
            self._end()

    def start(self) -> None:
        """Serve in a thread, until `close`."""
        self._begin()
        self._thread = threading.Thread(target=self._server.run, name="qbwoo-http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what is being answered, then stop; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._server.task_dispatcher.shutdown()
        # Only the thread that runs the loop may close what it waits on.
        trigger: Any = next(entry for entry in self._sockets.values() if hasattr(entry, "pull_trigger"))
        # If the loop is awake already it may close before it is told to; then the trigger is gone.
        with suppress(OSError):
            trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets))
        thread.join()
        self._end()

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        logger.info("serving %s at %s", self.settings.shown_database_url, self.url)
        if self._loop is not None:
            self._loop.start()

    def _end(self) -> None:
        if self._loop is not None:
            self._loop.stop()
        if self._work is not None:
            self._work.wait(wiring.LAST_WAIT)
        self.parts.finish()
        self.database.close()
        logger.info("stopped")


def _listen(
    app: Any, host: str, port: int, threads: int
) -> tuple[BaseWSGIServer | MultiSocketServer, dict[int, Any]]:
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
    return server, sockets


def _port(server: Any) -> int:
    listening = getattr(server, "effective_listen", None)
    return int(listening[0][1] if listening else server.effective_port)
