"""The clock of the machine, and how Point of Sale spells moments.

Answers give every date-time with the offset that holds at the moment of the
query, also for records of the other half of the year. Whether the instant or
the clock time survives that, is a switch of the dialect.
Source: protocol reference 5.3.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

from ops_sandbox.pos.dialect import PosDialect


class Moments:
    """Now, and the reading and writing of moments in local time."""

    def __init__(self, clock: Callable[[], datetime], utc_offset_hours: float, dialect: PosDialect) -> None:
        self.clock = clock
        #: May be set, as daylight saving does.
        self.utc_offset_hours = utc_offset_hours
        self.keeps_wall_clock = dialect.stamps == "wall_clock_kept"

    @property
    def zone(self) -> timezone:
        """The offset of this moment."""
        return timezone(timedelta(hours=self.utc_offset_hours))

    def now(self) -> datetime:
        """This moment in local time, with offset, to the second."""
        return self.clock().astimezone(self.zone).replace(microsecond=0)

    def today(self) -> date:
        """The local date."""
        return self.now().date()

    def key(self, moment: datetime) -> datetime:
        """What stamps and filters are compared by; `moment` without offset is local time."""
        if self.keeps_wall_clock:
            # A stored stamp has kept the offset of its own time: its clock time is what counts.
            return moment.replace(tzinfo=None)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone)
        return moment.astimezone(UTC).replace(tzinfo=None)

    def filter_key(self, moment: datetime) -> datetime:
        """`key` for a moment out of a filter, which has the caller's offset."""
        if self.keeps_wall_clock and moment.tzinfo is not None:
            moment = moment.astimezone(self.zone)
        return self.key(moment)

    def text(self, moment: datetime) -> str:
        """As answers give it."""
        if self.keeps_wall_clock:
            return moment.replace(tzinfo=self.zone).isoformat(timespec="seconds")
        return moment.astimezone(self.zone).isoformat(timespec="seconds")
