"""Alerts in the database: each cause is opened once and told once, whatever nodes do at once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from queue_store import alerts
from queue_store.alert_causes import Cause
from queue_store.alerts import Telling
from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.errors import LostClaim
from queue_store.models import Alert, AlertMessage

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TELLING = Telling(("mail",), timedelta(minutes=15), timedelta(hours=24), when_over=True)
SILENT = Cause("connector", "connector", "It has not come.")
FAILED = Cause("failed 7", "failed", "Order 7 failed.")


class Watch:
    """One company, looked at by one node after the other, at the time that a test says."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, START
        with database.write() as db:
            self.company_id = add_company(
                db, name="Main", flavour="pos", username="connector", password="pw"
            ).id

    def look(self, *causes: Cause, telling: Telling = TELLING, **later: float) -> int:
        self.now += timedelta(**(later or {"minutes": 1}))
        with self.database.write() as db:
            number = alerts.claim(db, self.company_id, self.now)
        assert number is not None
        with self.database.write() as db:
            return alerts.keep(db, self.company_id, number, causes, telling, self.now)

    def told(self) -> list[dict[str, list[str]]]:
        """What each message tells, by cause."""
        with self.database.read() as db:
            rows = db.scalars(select(AlertMessage).order_by(AlertMessage.id)).all()
            known = {alert.id: alert.cause for alert in db.scalars(select(Alert))}
        return [
            {what: [known[one] for one in ids] for what, ids in json.loads(row.told).items()} for row in rows
        ]

    def send(self) -> int:
        """The messages that wait arrive."""
        sent = 0
        while True:
            with self.database.write() as db:
                message = alerts.next_message(db, self.now)
                if message is None:
                    return sent
                claimed = alerts.claim_message(db, message.id, message.tries, self.now)
                assert claimed is not None
                alerts.message_sent(db, claimed.id, claimed.tries, self.now)
            sent += 1


@pytest.fixture
def watch(database: Database) -> Watch:
    return Watch(database)


def test_a_cause_is_told_once_and_once_more_when_it_is_over(watch: Watch) -> None:
    for _ in range(30):
        watch.look(SILENT)
        watch.send()
    assert watch.told() == [{"opened": ["connector"]}]
    watch.look()
    watch.send()
    watch.look()
    assert watch.told()[1:] == [{"closed": ["connector"]}]


def test_a_cause_that_comes_back_is_another_alert(watch: Watch) -> None:
    watch.look(SILENT)
    watch.send()
    watch.look(hours=1)
    watch.send()
    watch.look(SILENT, hours=1)
    assert watch.told() == [{"opened": ["connector"]}, {"closed": ["connector"]}, {"opened": ["connector"]}]
    with watch.database.read() as db:
        assert [alert.cause for alert in alerts.open_alerts(db, watch.company_id)] == ["connector"]
        assert len(alerts.list_alerts(db, watch.company_id, closed=True, limit=9)) == 2


def test_five_hundred_causes_are_one_message(watch: Watch) -> None:
    watch.look(*(Cause(f"failed {number}", "failed", "x") for number in range(500)))
    assert [len(told["opened"]) for told in watch.told()] == [500]


def test_what_comes_up_soon_after_a_message_waits_for_the_next(watch: Watch) -> None:
    watch.look(SILENT)
    watch.send()
    watch.look(SILENT, FAILED)
    assert len(watch.told()) == 1
    watch.look(SILENT, FAILED, minutes=15)
    assert watch.told()[1:] == [{"opened": ["failed 7"]}]


def test_what_came_and_went_before_anybody_was_told_is_not_told(watch: Watch) -> None:
    watch.look(SILENT)
    watch.send()
    watch.look(SILENT, FAILED)
    watch.look(SILENT)
    watch.look(SILENT, minutes=20)
    assert len(watch.told()) == 1


def test_a_message_that_could_not_go_takes_up_what_comes_up_meanwhile(watch: Watch) -> None:
    watch.look(SILENT)
    with watch.database.write() as db:
        message = alerts.next_message(db, watch.now)
        assert message is not None
        assert alerts.claim_message(db, message.id, 0, watch.now) is not None
    # While it is under way nothing is added to it.
    watch.look(SILENT, FAILED, minutes=16)
    assert len(watch.told()) == 2
    with watch.database.write() as db:
        alerts.message_failed(db, message.id, 1, "no route", watch.now)
    watch.look(FAILED, minutes=16)
    watch.look(minutes=16)
    assert watch.told() == [
        {"opened": ["connector"]},
        {"opened": ["failed 7"], "closed": ["connector", "failed 7"]},
    ]
    watch.now += HOUR
    assert watch.send() == 2
    assert watch.send() == 0


def test_the_next_try_comes_after_one_two_four_minutes_and_then_hourly(watch: Watch) -> None:
    watch.look(SILENT)
    waits: list[float] = []
    for tries in range(9):
        with watch.database.write() as db:
            message = alerts.next_message(db, watch.now)
            assert message is not None
            alerts.claim_message(db, message.id, tries, watch.now)
            alerts.message_failed(db, message.id, tries + 1, "no route", watch.now)
            db.expire_all()
            (row,) = alerts.unsent(db, watch.company_id)
            waits.append((row.next_at - watch.now) / timedelta(minutes=1))
            assert row.problem == "no route"
            watch.now = row.next_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_message_whose_sender_died_goes_again(watch: Watch) -> None:
    watch.look(SILENT)
    with watch.database.write() as db:
        message = alerts.next_message(db, watch.now)
        assert message is not None
        alerts.claim_message(db, message.id, 0, watch.now)
    assert watch.send() == 0
    watch.now += alerts.CLAIM_ENDS + timedelta(seconds=1)
    assert watch.send() == 1


def test_what_still_is_so_is_told_again_after_a_day_and_never_with_zero(watch: Watch) -> None:
    watch.look(SILENT)
    watch.send()
    watch.look(SILENT, hours=23)
    watch.look(SILENT, hours=1)
    watch.send()
    watch.look(SILENT, hours=23)
    assert watch.told()[1:] == [{"open": ["connector"]}]
    never = Telling(("mail",), timedelta(minutes=15), timedelta(0), when_over=True)
    watch.look(SILENT, telling=never, hours=100)
    assert len(watch.told()) == 2


def test_at_quiet_hours_nothing_is_told_and_afterwards_what_still_is_so(watch: Watch) -> None:
    quiet = Telling(("mail",), timedelta(minutes=15), HOUR, when_over=True, is_quiet=True)
    watch.look(SILENT, FAILED, telling=quiet)
    watch.look(SILENT, telling=quiet)
    assert watch.told() == []
    watch.look(SILENT)
    assert watch.told() == [{"opened": ["connector"]}]


def test_without_a_channel_alerts_are_kept_and_told_once_there_is_one(watch: Watch) -> None:
    nobody = Telling((), timedelta(minutes=15), HOUR, when_over=True)
    watch.look(SILENT, telling=nobody)
    assert watch.told() == []
    both = Telling(("mail", "url"), timedelta(minutes=15), HOUR, when_over=True)
    watch.look(SILENT, telling=both)
    assert watch.told() == [{"opened": ["connector"]}] * 2


def test_nobody_is_told_that_it_is_over_who_does_not_want_to(watch: Watch) -> None:
    curt = Telling(("mail",), timedelta(minutes=15), HOUR, when_over=False)
    watch.look(SILENT, telling=curt)
    watch.send()
    watch.look(telling=curt, hours=1)
    assert len(watch.told()) == 1


def test_a_node_that_was_overtaken_keeps_nothing(watch: Watch) -> None:
    with watch.database.write() as db:
        slow = alerts.claim(db, watch.company_id, watch.now)
    assert slow is not None
    watch.look(SILENT, minutes=2)
    with pytest.raises(LostClaim), watch.database.write() as db:
        alerts.keep(db, watch.company_id, slow, [], TELLING, watch.now)
    with watch.database.read() as db:
        assert len(alerts.open_alerts(db)) == 1


def test_a_clock_that_was_put_back_stops_no_look(watch: Watch) -> None:
    watch.look(SILENT)
    watch.look(SILENT, hours=-5)
    with watch.database.read() as db:
        assert alerts.due(db, watch.now - HOUR) == [watch.company_id]


def test_several_nodes_at_once_tell_once(watch: Watch) -> None:
    together = threading.Barrier(4)
    sent: list[int] = []

    def node() -> None:
        for minute in range(5):
            together.wait(20)
            now = START + timedelta(minutes=20 * minute)
            with watch.database.write() as db:
                number = alerts.claim(db, watch.company_id, now)
            if number is not None:
                causes = [SILENT] if minute < 3 else []
                watch.database.write_again(
                    lambda db, number=number, causes=causes, now=now: alerts.keep(  # type: ignore[misc]
                        db, watch.company_id, number, causes, TELLING, now
                    )
                )
            together.wait(20)
            with watch.database.read() as db:
                message = alerts.next_message(db, now)
            if message is None:
                continue
            with watch.database.write() as db:
                claimed = alerts.claim_message(db, message.id, message.tries, now)
                if claimed is None:
                    continue
                alerts.message_sent(db, claimed.id, claimed.tries, now)
            sent.append(message.id)

    threads = [threading.Thread(target=node) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert watch.told() == [{"opened": ["connector"]}, {"closed": ["connector"]}]
    assert len(sent) == len(set(sent)) == 2


def test_what_is_over_and_sent_is_forgotten_after_90_days(watch: Watch) -> None:
    watch.look(SILENT)
    watch.look(minutes=20)
    watch.send()
    watch.look(FAILED, days=91)
    with watch.database.read() as db:
        assert db.scalars(select(Alert.cause)).all() == ["failed 7"]
        assert db.scalar(select(func.count()).select_from(AlertMessage)) == 1
