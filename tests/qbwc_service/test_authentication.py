"""Wrong passwords: how long a lock lasts, and how fast strangers may guess."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from queue_store.models import LoginAttempt
from tests.harness import PASSWORD, House, recorded_order

FAR = "10.1.1.1"
STRANGER = "10.9.9.9"


def says(house: House, password: str, address: str, user: str = "connector") -> str:
    return house.conversation.authenticate(user, password, address)[1]


def pass_minutes(house: House, minutes: int) -> None:
    """As if all that happened were so much longer ago."""
    with house.database.write() as db:
        for attempt in db.query(LoginAttempt):
            gone = timedelta(minutes=minutes)
            db.execute(
                update(LoginAttempt)
                .where(LoginAttempt.username == attempt.username, LoginAttempt.address == attempt.address)
                .values(
                    last_failure_at=attempt.last_failure_at - gone,
                    locked_until=attempt.locked_until and attempt.locked_until - gone,
                )
            )


def lock(house: House, address: str) -> None:
    for _ in range(10):
        assert says(house, "wrong", address) == "nvu"


def guess_from_everywhere(house: House) -> None:
    with house.database.write() as db:
        moment = datetime.now(UTC)
        db.add(LoginAttempt(username="guess", address="10.2.2.2", failures=121, last_failure_at=moment))


def test_a_lock_ends_although_the_web_connector_goes_on_polling(house: House) -> None:
    house.take(recorded_order("plain"))
    lock(house, FAR)
    for _ in range(2):
        pass_minutes(house, 5)
        assert says(house, PASSWORD, FAR) == "nvu"
    pass_minutes(house, 6)
    assert says(house, PASSWORD, FAR) == ""


def test_after_a_lock_ten_more_may_be_tried(house: House) -> None:
    house.take(recorded_order("plain"))
    lock(house, FAR)
    pass_minutes(house, 16)
    assert says(house, "wrong", FAR) == "nvu"
    assert says(house, PASSWORD, FAR) == ""


def test_nine_wrong_passwords_lock_nobody_and_the_right_one_clears_them(house: House) -> None:
    house.take(recorded_order("plain"))
    for _ in range(3):
        for _ in range(9):
            assert says(house, "wrong", FAR) == "nvu"
        assert says(house, PASSWORD, FAR) == ""


def test_while_many_guess_only_who_came_before_may_come_in(house: House) -> None:
    house.take(recorded_order("plain"))
    assert says(house, PASSWORD, FAR) == ""
    guess_from_everywhere(house)
    assert says(house, PASSWORD, STRANGER) == "nvu"
    assert says(house, PASSWORD, FAR) == ""


def test_who_was_not_checked_for_the_guesses_of_others_is_not_locked_for_it(house: House) -> None:
    house.take(recorded_order("plain"))
    guess_from_everywhere(house)
    for _ in range(11):
        assert says(house, PASSWORD, STRANGER) == "nvu"
    pass_minutes(house, 2)
    assert says(house, PASSWORD, STRANGER) == ""


def test_the_log_tells_a_lock_from_a_wrong_password(house: House, caplog: pytest.LogCaptureFixture) -> None:
    lock(house, FAR)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        says(house, PASSWORD, FAR)
    assert [record.getMessage() for record in caplog.records] == [f"user 'connector' from {FAR} is locked"]
    assert PASSWORD not in caplog.text
