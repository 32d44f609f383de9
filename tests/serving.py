"""A WSGI application behind waitress, on a free port of this machine, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import waitress.server


@contextmanager
def serving(app: Any, *, threads: int = 2, **settings: Any) -> Iterator[int]:
    """Gives the port."""
    server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=threads, **settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.task_dispatcher.shutdown()
        # Closed by its own loop, which alone may touch its sockets. If the loop happens to be awake it
        # runs this before it is called, and the call then finds the trigger gone.
        with suppress(OSError):
            server.trigger.pull_trigger(lambda: server.asyncore.close_all(server._map))
        thread.join(10)
