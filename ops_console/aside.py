"""Work that must hold up no other: it goes on in a thread of its own where it takes long."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Aside:
    """Runs `work`, and waits for it for a while only; it is not begun a second time before it has ended."""

    def __init__(self, work: Callable[[], int], *, patience: float | None) -> None:
        """`patience` in seconds; None: wait for its end."""
        self._work, self._patience = work, patience
        self._thread: threading.Thread | None = None
        self._done = 0
        self._error: Exception | None = None

    def run_once(self) -> int:
        """How much was done, 0 where it is not known yet. Raises what `work` raised, this time or last time."""
        if self._thread is None:
            self._done, self._error = 0, None
            self._thread = threading.Thread(target=self._run, name="qbwoo-aside", daemon=True)
            self._thread.start()
            self._thread.join(self._patience)
        if self._thread.is_alive():
            return 0
        self._thread = None
        if self._error is not None:
            raise self._error
        return self._done

    @property
    def is_begun(self) -> bool:
        """True if it was begun, and its end was not told yet."""
        return self._thread is not None

    def wait(self, seconds: float) -> None:
        """Wait for what is at work, so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._done = self._work()
        except Exception as error:  # noqa: BLE001 - the edge of a thread; raised in the one that asks next
            self._error = error
