"""When a schedule is due, by the shop's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from queue_store.errors import BadSetting
from queue_store.setting_forms import hour_or_never, hours, interval
from queue_store.settings import check_setting
from queue_store.timetable import Timetable, retry_at

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def local(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=LOS_ANGELES, fold=fold).astimezone(UTC)  # type: ignore[misc]


def test_an_interval_is_counted_from_the_beginning_of_one_run_to_that_of_the_next() -> None:
    table = Timetable(minutes=15)
    assert table.next_run(known_since=NOON, began_at=NOON + timedelta(hours=3)) == NOON + timedelta(
        hours=3, minutes=15
    )


def test_the_first_run_comes_after_an_interval_or_at_once() -> None:
    assert Timetable(minutes=60).next_run(known_since=NOON, began_at=None) == NOON + timedelta(hours=1)
    assert Timetable(minutes=60, at_once=True).next_run(known_since=NOON, began_at=None) == NOON


def test_what_has_neither_interval_nor_hour_never_runs() -> None:
    assert Timetable().next_run(known_since=NOON, began_at=NOON) is None


def test_a_nightly_run_that_was_missed_is_due_at_once() -> None:
    table = Timetable(hour=3, zone=LOS_ANGELES)
    due = table.next_run(known_since=NOON, began_at=local(2026, 6, 1, 3))
    assert due == local(2026, 6, 2, 3)


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        (date(2026, 3, 8), 2),  # the hour that does not exist
        (date(2026, 11, 1), 1),  # the hour that comes twice
        (date(2026, 3, 8), 3),
        (date(2026, 11, 1), 3),
    ],
)
def test_a_nightly_run_comes_once_on_the_days_of_23_and_25_hours(day: date, hour: int) -> None:
    table = Timetable(hour=hour, zone=LOS_ANGELES)
    began = local(day.year, day.month, day.day, 0) - timedelta(hours=12)
    runs = []
    while began < local(day.year, day.month, day.day, 0) + timedelta(days=3):
        due = table.next_run(known_since=began, began_at=began)
        assert due is not None
        began = due
        runs.append(due.astimezone(LOS_ANGELES).date())
    assert len(runs) == len(set(runs)) >= 3


def test_a_fixed_clock_that_is_put_back_an_hour_does_not_make_a_nightly_run_come_twice() -> None:
    began = local(2026, 11, 1, 3)
    after = Timetable(hour=4, zone=LOS_ANGELES).next_run(known_since=NOON, began_at=began)
    assert after == local(2026, 11, 2, 4)


@pytest.mark.parametrize(
    ("hour", "begins"),
    [(21, None), (22, (2, 6)), (23, (2, 6)), (0, (1, 6)), (5, (1, 6)), (6, None), (12, None)],
)
def test_in_quiet_hours_over_midnight_nothing_begins(hour: int, begins: tuple[int, int] | None) -> None:
    table = Timetable(minutes=15, quiet=(22, 6), zone=LOS_ANGELES)
    moment = local(2026, 6, 1, hour, 30)
    expected = moment if begins is None else local(2026, 6, begins[0], begins[1])
    assert table.after_quiet(moment) == expected


def test_quiet_hours_within_a_day_end_on_that_day() -> None:
    table = Timetable(minutes=15, quiet=(9, 17), zone=LOS_ANGELES)
    assert table.after_quiet(local(2026, 6, 1, 9)) == local(2026, 6, 1, 17)
    assert table.after_quiet(local(2026, 6, 1, 8, 59)) == local(2026, 6, 1, 8, 59)


def test_quiet_hours_keep_to_the_clock_of_the_wall_when_it_is_changed() -> None:
    table = Timetable(minutes=15, quiet=(22, 6), zone=LOS_ANGELES)
    # On 8 March the night has an hour less, on 1 November one more.
    assert table.after_quiet(local(2026, 3, 7, 22)) - local(2026, 3, 7, 22) == timedelta(hours=7)
    assert table.after_quiet(local(2026, 10, 31, 22)) - local(2026, 10, 31, 22) == timedelta(hours=9)


def test_a_run_at_an_hour_that_was_chosen_keeps_it_in_quiet_hours() -> None:
    table = Timetable(hour=3, quiet=(22, 6), zone=LOS_ANGELES)
    assert table.after_quiet(local(2026, 6, 1, 3)) == local(2026, 6, 1, 3)


def test_a_run_that_fails_is_tried_after_2_4_8_minutes_and_an_hour_at_most() -> None:
    waits = [(retry_at(NOON, number) - NOON).total_seconds() / 60 for number in range(1, 9)]
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_settings_of_schedules_are_read() -> None:
    assert (interval("0"), interval("15"), interval("1440")) == (0, 15, 1440)
    assert (hours("22-6"), hours("")) == ((22, 6), None)
    assert (hour_or_never("never"), hour_or_never("0")) == (None, 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("catch_up.orders_minutes", "14"),
        ("catch_up.orders_minutes", "1441"),
        ("catch_up.quiet", "22"),
        ("catch_up.quiet", "22-24"),
        ("catch_up.quiet", "6-6"),
        ("catch_up.time_zone", "Mars/Olympus"),
        ("catch_up.time_zone", "../../etc/passwd"),
        ("catch_up.comparison_hour", "24"),
    ],
)
def test_a_setting_of_schedules_that_does_not_fit_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadSetting, match="expected"):
        check_setting("store", key, value)
