"""The service as one process: a server for everything that is asked of us, and a worker beside it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from waitress import wasyncore

from ops_console import wiring
from ops_console.listening import listen, port_of
from ops_console.settings import ProcessSettings
from ops_console.working import WorkLoop

logger = logging.getLogger(__name__)


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
            self._server, self._sockets = listen(self.parts.app, host, port, threads)
        except BaseException:
            self.database.close()
            raise
        self._work, self._loop = work, loop
        self._thread: threading.Thread | None = None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{port_of(self._server)}"

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
