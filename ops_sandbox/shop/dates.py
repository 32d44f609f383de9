"""Times of the shop: stored in GMT to the second, shown in GMT and in site-local time.

Dates in list filters have a rule of their own, see `SiteTime.threshold`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from ops_sandbox.shop.errors import RestError

#: Gives the present as an aware datetime.
Clock = Callable[[], datetime]

_STAMP = "%Y-%m-%dT%H:%M:%S"
_REST_DATE = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?$"
)


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class SiteTime:
    """The shop's clock and its zone, a fixed number of hours from GMT (-8 for Los Angeles in winter)."""

    clock: Clock
    offset_hours: float

    def now(self) -> datetime:
        """The present in UTC, whole seconds: the shop knows no finer."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def stamp(self) -> str:
        """The present as the shop stores it: GMT without a zone, "2026-11-22T00:26:22"."""
        return as_stamp(self.now())

    def local(self, gmt: str | None) -> str | None:
        """The site-local twin of a stored GMT stamp."""
        if gmt is None:
            return None
        return (_parse(gmt) + timedelta(hours=self.offset_hours)).strftime(_STAMP)

    def gmt(self, local: str) -> str:
        """The GMT twin of a site-local stamp."""
        return (_parse(local) - timedelta(hours=self.offset_hours)).strftime(_STAMP)

    def threshold(self, name: str, text: str, *, dates_are_gmt: bool) -> str:
        """The GMT stamp that a list filter compares with. Raises `RestError` 400.

        Without a zone the text is site-local, or GMT with `dates_are_gmt`.
        With one it is first turned into site-local time; `dates_are_gmt` then
        takes that local time for GMT, so that `Z` together with
        dates_are_gmt=true is off by the site's offset, as on a real shop.
        """
        matched = _REST_DATE.match(text)
        if matched is None:
            raise _invalid_date(name)
        try:
            wall = datetime.strptime(f"{matched[1]}T{matched[2]}", _STAMP).replace(tzinfo=UTC)
        except ValueError as exc:
            raise _invalid_date(name) from exc
        zone = matched["zone"]
        if zone:
            wall = wall - _zone_offset(zone) + timedelta(hours=self.offset_hours)
        if not dates_are_gmt:
            wall -= timedelta(hours=self.offset_hours)
        return wall.strftime(_STAMP)


def as_stamp(moment: datetime) -> str:
    """An aware moment as the shop stores it."""
    return moment.astimezone(UTC).strftime(_STAMP)


def _parse(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def _zone_offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta(0)
    sign = -1 if zone[0] == "-" else 1
    minutes = int(zone[1:3]) * 60 + int(zone[-2:] if len(zone) > 3 else 0)
    return timezone(sign * timedelta(minutes=minutes)).utcoffset(None)


def _invalid_date(name: str) -> RestError:
    details = {name: {"code": "rest_invalid_date", "message": "Invalid date.", "data": None}}
    return RestError(
        "rest_invalid_param",
        f"Invalid parameter(s): {name}",
        400,
        extra={"params": {name: "Invalid date."}, "details": details},
    )
