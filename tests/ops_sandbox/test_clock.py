"""The simulated clock: what is planned happens at its own moment, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops_sandbox.clock import SimulatedClock
from ops_sandbox.pos import PosCompanyFile

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_what_is_planned_happens_at_its_moment_and_in_order():
    clock, seen = SimulatedClock(NINE), []
    clock.after(timedelta(minutes=5), lambda: seen.append(("second", clock.now)))
    clock.at(NINE + timedelta(minutes=2), lambda: seen.append(("first", clock.now)))
    clock.after(timedelta(minutes=5), lambda: seen.append(("third", clock.now)))
    clock.forward(minutes=4)
    assert seen == [("first", NINE + timedelta(minutes=2))]
    clock.forward(minutes=1)
    assert [name for name, _ in seen] == ["first", "second", "third"]
    assert clock() == NINE + timedelta(minutes=5)
    assert clock.planned == 0


def test_something_done_again_and_again_ends():
    clock, seen = SimulatedClock(NINE), []
    clock.every(timedelta(minutes=10), lambda: seen.append(clock.now.minute), until=NINE + timedelta(hours=1))
    clock.forward(hours=3)
    assert seen == [10, 20, 30, 40, 50, 0]


def test_an_action_may_plan_another_and_let_time_pass():
    clock, seen = SimulatedClock(NINE), []

    def work():
        clock.sleep(90)
        clock.after(timedelta(seconds=30), lambda: seen.append(clock.now))

    clock.after(timedelta(minutes=1), work)
    clock.forward(minutes=3)
    assert seen == [NINE + timedelta(minutes=3)]


def test_time_never_goes_back():
    clock = SimulatedClock(NINE)
    clock.run_until(NINE - timedelta(hours=1))
    assert clock() == NINE


def test_an_endless_plan_is_refused():
    with pytest.raises(ValueError, match="span above nothing"):
        SimulatedClock().every(timedelta(0), lambda: None, until=NINE)


def test_a_day_in_a_store_is_stamped_with_its_own_moments():
    clock = SimulatedClock(NINE)
    company = PosCompanyFile.create(None, clock=clock)
    tea = company.add_item("Tea", on_hand={1: 9}).list_id
    clock.after(timedelta(hours=2), lambda: company.sell_in_store([(tea, 2)]))
    clock.after(timedelta(hours=3), lambda: company.return_in_store([(tea, 1)]))
    clock.forward(hours=8)
    assert company.stock(tea) == 8
    assert [one.created for one in company.receipts()] == [
        NINE + timedelta(hours=2),
        NINE + timedelta(hours=3),
    ]
