"""Ids made by the application, rising with time.

63 bits: milliseconds since 2024-01-01, then 22 random bits. Within one process
ids never fall and never repeat. Two processes can, in theory, make the same id
in the same millisecond: the primary key then refuses the second, and the
transaction is run again by `Database.write_again`.
"""

from __future__ import annotations

import secrets
import threading
import time
from datetime import datetime

_EPOCH_MS = 1_704_067_200_000
_RANDOM_BITS = 22

_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """A fresh id, greater than every id made before by this process."""
    return new_ids(1)[0]


def first_id_of(moment: datetime) -> int:
    """Smaller than every id made from `moment` on, by the clock that made them."""
    return max(0, (int(moment.timestamp() * 1000) - _EPOCH_MS) << _RANDOM_BITS)


def new_ids(count: int) -> list[int]:
    """`count` fresh ids in rising order."""
    global _last
    with _lock:
        floor = (int(time.time() * 1000) - _EPOCH_MS) << _RANDOM_BITS
        first = max(floor | secrets.randbits(_RANDOM_BITS), _last + 1)
        _last = first + count - 1
    return list(range(first, first + count))
