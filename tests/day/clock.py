"""One clock for everything: the played world, and what the service takes for the present."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine

from ops_sandbox.clock import SimulatedClock

#: Midnight in the shops, eight hours behind.
MORNING = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class WorldClock(SimulatedClock):
    """A simulated clock that the machine's own time follows while `running`."""

    def __init__(self, start: datetime, traveller: time_machine.Coordinates) -> None:
        self._traveller = traveller
        super().__init__(start)

    @property
    def now(self) -> datetime:
        """The present."""
        return self._now

    @now.setter
    def now(self, moment: datetime) -> None:
        self._now = moment
        self._traveller.move_to(moment)

    def drift(self, rng: random.Random, most_seconds: float) -> None:
        """A little time passes within a call; nothing that is planned is done for that."""
        self.now = self.now + timedelta(milliseconds=rng.randrange(int(most_seconds * 1000) + 1))


@contextmanager
def running(start: datetime = MORNING) -> Iterator[WorldClock]:
    """The machine's time stands at `start` and moves with the clock, until the end of the block."""
    with time_machine.travel(start, tick=False) as traveller:
        yield WorldClock(start, traveller)
