"""Chance that replays: while a day is played, whatever is drawn from the machine is drawn from the seed.

The service makes its ids, and the played company its iterators, from the machine's
randomness. Their order decides ties, and their digits stand in requests; so one
seed would tell another story each time.
"""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from queue_store import ids


@contextmanager
def drawn_from(seed: str) -> Iterator[None]:
    """`secrets`, `uuid4`, `random` and the ids of the application follow from `seed`, until the end of the block."""
    rng = random.Random(f"machine {seed}")
    drawn: list[tuple[Any, str, Any]] = [
        (secrets, "randbits", rng.getrandbits),
        (secrets, "randbelow", rng.randrange),
        (secrets, "token_bytes", lambda nbytes=None: rng.randbytes(nbytes or 32)),
        (uuid, "uuid4", lambda: uuid.UUID(int=rng.getrandbits(128), version=4)),
        # Ids never fall within a process; a day begins at the same hour each time.
        (ids, "_last", 0),
    ]
    before = random.getstate()
    with ExitStack() as stack:
        for place, name, drawing in drawn:
            stack.callback(setattr, place, name, getattr(place, name))
            setattr(place, name, drawing)
        random.seed(f"pauses {seed}")
        stack.callback(random.setstate, before)
        yield
