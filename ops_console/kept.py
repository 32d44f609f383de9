"""A value that is read again only now and then, however many ask for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Reads by one thread at a time; what was read holds for `seconds`, or longer where reading takes long.

    `share` is the part of the time that reading may take at most, 0.02 being a fiftieth.
    """

    def __init__(
        self,
        read: Callable[[], T],
        seconds: float,
        *,
        share: float = 0.02,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._share, self._clock = read, seconds, share, clock
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def __call__(self) -> T:
        """Raises what reading raises, and tries anew the next time."""
        with self._lock:
            began = self._clock()
            if self._kept is None or began >= self._kept[0]:
                value = self._read()
                ended = self._clock()
                self._kept = ended + max(self._seconds, (ended - began) / self._share), value
            return self._kept[1]
