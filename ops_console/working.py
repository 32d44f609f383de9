"""The worker: what is done without being asked, again and again.

Preparing documents right after they arrive, so that a refusal shows at once,
and the activities addressed to the shop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from queue_store import meters
from queue_store.database import is_unreachable

logger = logging.getLogger(__name__)

#: Seconds between two looks at an empty queue.
INTERVAL = 1.0
#: Seconds to wait after a look that failed.
AFTER_FAILURE = 15.0
#: It rests so many times as long as a piece of work took, so that who asks us something is served meanwhile,
#: and no longer than this, in seconds.
_REST, _LONGEST_REST = 2.0, 0.25
#: How long a piece of work may go on once a stop was asked for.
_PATIENCE = 30.0
#: A round that takes longer has come to a stop, in seconds: whatever may hang goes on beside it.
_LONGEST_ROUND = 300.0


class WorkLoop:
    """Runs `work` in a thread, again after a short rest as long as it says that it did something."""

    def __init__(
        self, work: Callable[[], int], *, interval: float = INTERVAL, after_failure: float = AFTER_FAILURE
    ) -> None:
        self._work, self._interval, self._after_failure = work, interval, after_failure
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self.run, name="qbwoo-worker", daemon=True)
        self._ended_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        """True if it goes round, whatever comes of the rounds."""
        return self._thread.is_alive() and time.monotonic() - self._ended_at < _LONGEST_ROUND

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end and wait for the work at hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def run(self) -> None:
        """Work until `stop`, in this thread."""
        while not self._stop.is_set():
            wait, began, outcome = self._interval, time.monotonic(), "idle"
            try:
                if self._work():
                    wait, outcome = min(_LONGEST_REST, _REST * (time.monotonic() - began)), "done"
            except Exception as error:
                wait, outcome = self._after_failure, "failed"
                if is_unreachable(error):
                    logger.error("the database is not available; trying again in %d s", wait)
                else:
                    logger.exception("the worker failed; trying again in %d s", wait)
            self._ended_at = time.monotonic()
            meters.ROUNDS.add(outcome, value=self._ended_at - began)
            self._stop.wait(wait)
