"""A clock that stands still until it is moved, and what is to happen when it gets there.

The company, the shop and the service of a rehearsal take one as their clock,
so that a day passes in the time that its work takes.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Action = Callable[[], object]

_START = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)


class SimulatedClock:
    """Gives the present when called; `forward` and `run_until` let time pass.

    What was planned with `at`, `after` or `every` is done in the thread that
    moves the clock, each at its own moment, in the order of the moments and
    then of the planning. An error of such an action comes out of the call
    that moved the clock; what was planned after it is done by the next one.
    """

    def __init__(self, start: datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError("A simulated clock starts at a moment with an offset, such as UTC.")
        self.now = start
        self._planned: list[tuple[datetime, int, Action]] = []
        self._numbers = itertools.count()

    def __call__(self) -> datetime:
        """The present, as an aware datetime."""
        return self.now

    def at(self, moment: datetime, action: Action) -> None:
        """Do `action` when the clock reaches `moment`; a moment that has passed is reached at once
        by the next movement."""
        heapq.heappush(self._planned, (moment, next(self._numbers), action))

    def after(self, span: timedelta, action: Action) -> None:
        """Do `action` once `span` has passed from now."""
        self.at(self.now + span, action)

    def every(self, span: timedelta, action: Action, *, until: datetime) -> None:
        """Do `action` each `span` from now on, the last time at or before `until`."""
        if span <= timedelta(0):
            raise ValueError("Something done again and again needs a span above nothing.")
        moment = self.now + span
        while moment <= until:
            self.at(moment, action)
            moment += span

    def run_until(self, moment: datetime) -> None:
        """Let time pass to `moment`, doing what is planned up to it. An earlier moment changes nothing."""
        while self._planned and self._planned[0][0] <= moment:
            due, _, action = heapq.heappop(self._planned)
            # An action may itself have let time pass.
            self.now = max(self.now, due)
            action()
        self.now = max(self.now, moment)

    def forward(self, **span: float) -> None:
        """Let a span pass, given as of `timedelta`: `forward(minutes=10)`."""
        self.run_until(self.now + timedelta(**span))

    def sleep(self, seconds: float) -> None:
        """In place of `time.sleep`: the clock moves on by `seconds`."""
        self.forward(seconds=seconds)

    @property
    def planned(self) -> int:
        """How many actions wait for their moment."""
        return len(self._planned)
