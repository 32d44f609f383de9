"""When a schedule is due: every so many minutes or at an hour, but for quiet hours, by the shop's clock.

Pure functions of times. All that go in and come out are aware; hours are those
of `zone`, so that a day of 23 or 25 hours needs no care elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

#: A day's run comes once a day, also when the clock is put back by an hour or two meanwhile.
_SAME_RUN = timedelta(hours=4)
#: After the first failure a run is tried again so soon; then it doubles, an hour at most.
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=2), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When a thing runs. With neither `minutes` nor `hour` it never does."""

    #: From the beginning of one run to that of the next; 0: not so.
    minutes: int = 0
    #: 0 to 23: once a day at this hour.
    hour: int | None = None
    #: First and last hour between which nothing begins; (22, 6) goes over midnight. For `minutes` only.
    quiet: tuple[int, int] | None = None
    zone: tzinfo = UTC
    #: True: the first run comes at once, not after one interval.
    at_once: bool = False

    def next_run(self, *, known_since: datetime, began_at: datetime | None) -> datetime | None:
        """When the next run is due, perhaps in the past; None: never by itself."""
        if self.hour is not None:
            after = known_since if began_at is None else began_at + _SAME_RUN
            return self._next_hour(self.hour, after)
        if not self.minutes:
            return None
        if began_at is None:
            return known_since if self.at_once else known_since + timedelta(minutes=self.minutes)
        return began_at + timedelta(minutes=self.minutes)

    def after_quiet(self, moment: datetime) -> datetime:
        """`moment`, or the end of the quiet hours that it falls into."""
        if self.hour is not None or self.quiet is None:
            return moment
        first, last = self.quiet
        hour = moment.astimezone(self.zone).hour
        is_quiet = first <= hour < last if first < last else (hour >= first or hour < last)
        return self._next_hour(last, moment) if is_quiet else moment

    def _next_hour(self, hour: int, after: datetime) -> datetime:
        """The first time later than `after` at which the clock of `zone` begins this hour."""
        local = after.astimezone(self.zone)
        for days in range(3):
            day = local.date() + timedelta(days=days)
            found = datetime(day.year, day.month, day.day, hour, tzinfo=self.zone).astimezone(UTC)
            if found > after:
                return found
        raise AssertionError("unreachable: each of three days has every hour but one")


def retry_at(failed_at: datetime, failures: int) -> datetime:
    """When a run that failed `failures` times in a row is tried again: 2, 4, 8 ... minutes later, 60 at most."""
    doubled: int = 2 ** min(max(failures - 1, 0), 8)
    return failed_at + min(_FIRST_RETRY * doubled, _LAST_RETRY)
