"""Which shops do not answer just now, so that nobody waits for them again and again.

A shop that hangs takes a minute of whoever calls it. After one call of it came to
nothing all that is for this shop waits, schedules and activities alike, and
then one of them tries again. Kept in memory: each process finds out by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

#: From the first failure to the next try; then it doubles, up to the last.
_FIRST, _LAST = timedelta(seconds=30), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Silence:
    failures: int
    failed_at: datetime
    until: datetime


class Reach:
    """Shared by all of one process that call shops."""

    def __init__(self) -> None:
        self._silent: dict[int, _Silence] = {}
        self._lock = threading.Lock()

    def failed(self, store_id: int, now: datetime) -> None:
        """A call of this shop had no answer, at `now`."""
        with self._lock:
            before = self._silent.get(store_id)
            failures = 1 if before is None else before.failures + 1
            wait = min(_FIRST * 2 ** min(failures - 1, 10), _LAST)
            self._silent[store_id] = _Silence(failures, now, now + wait)

    def answered(self, store_id: int) -> None:
        """The shop is there; what waited may go."""
        with self._lock:
            self._silent.pop(store_id, None)

    def silent(self, now: datetime) -> Collection[int]:
        """The stores whose shops are left alone now. A clock that was put back lets all of them be tried."""
        with self._lock:
            return {number for number, one in self._silent.items() if one.failed_at <= now < one.until}
