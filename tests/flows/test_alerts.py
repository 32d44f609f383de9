"""When something is wrong somebody hears of it, once, and hears when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from ops_console.alerts.channels import Channels
from ops_console.alerts.mail import MailServer
from ops_console.alerts.post import Poster
from ops_console.alerts.rounds import AlertRounds
from queue_store import ids
from queue_store.activities import get_activity
from queue_store.alerts import open_alerts, unsent
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.operations import retry
from queue_store.secrets import SecretBox
from queue_store.tasks import close_task, raise_task
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order
from tests.receiving import MailBox, Receiver, mail_server, receiver

MORNING = datetime(2026, 3, 4, 8, tzinfo=UTC)


@dataclass
class Office:
    """The house, the people who are told, and one clock for all."""

    house: House
    mail: MailBox
    posted: Receiver
    rounds: AlertRounds
    clock: time_machine.Coordinates

    def later(self, *, step: float = 1, **time: float) -> None:
        """The worker goes round every `step` minutes until then."""
        end = datetime.now(UTC) + timedelta(**time)
        while datetime.now(UTC) < end:
            self.clock.shift(min(timedelta(minutes=step), end - datetime.now(UTC)))
            self.rounds.run_once()

    def hears(self, *subjects: str) -> None:
        """These are the mails since the last time; whoever is posted to got the same."""
        assert self.mail.subjects() == [f"[qbwoo] books: {subject}" for subject in subjects]
        posted = [json.loads(body)["subject"] for _, body in self.posted.posts]
        assert posted == self.mail.subjects()
        self.mail.mails.clear()
        self.posted.posts.clear()

    def company_id(self) -> int:
        with self.house.database.read() as db:
            return get_company(db, "books").id

    def task(self, kind: str, subject: str, sentence: str) -> None:
        with self.house.database.write() as db:
            raise_task(db, company_id=self.company_id(), kind=kind, subject=subject, sentence=sentence)

    def done(self, kind: str, subject: str) -> None:
        with self.house.database.write() as db:
            close_task(db, company_id=self.company_id(), kind=kind, subject=subject)


@contextmanager
def make_office(database: Database, box: SecretBox) -> Iterator[Office]:
    with ExitStack() as opened:
        mail, posted = opened.enter_context(mail_server()), opened.enter_context(receiver())
        clock = opened.enter_context(time_machine.travel(MORNING, tick=False))
        channels = Channels(
            MailServer("127.0.0.1", "qbwoo@example.net", mail.port, "none"),
            Poster("a secret that signs", allow_private=True),
            ("owner@example.net",),
            posted.url,
        )
        yield Office(make_house(database, box), mail, posted, AlertRounds(database, channels), clock)


@pytest.fixture(autouse=True)
def _ids_by_this_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids never fall within a process: those of other tests, made at other times, would hold ours in their future."""
    monkeypatch.setattr(ids, "_last", 0)


@pytest.fixture
def office(database: Database, box: SecretBox) -> Iterator[Office]:
    with make_office(database, box) as office:
        yield office


@pytest.fixture
def small(sqlite_database: Database, box: SecretBox) -> Iterator[Office]:
    with make_office(sqlite_database, box) as office:
        yield office


def test_a_web_connector_that_stays_away_is_told_once_and_again_when_it_has_come(office: Office) -> None:
    # Before it has ever come, somebody is still setting it up.
    office.later(minutes=40, step=8)
    office.hears()
    office.house.take(recorded_order("plain"))
    office.house.run_until_quiet()
    office.later(minutes=29, step=10)
    office.hears()
    office.later(hours=3, step=9)
    assert "has not come since 2026-03-04 08:40 UTC" in office.mail.texts()[0]
    assert "Auto-Run" in office.mail.texts()[0]
    office.hears(office.mail.subjects()[0].removeprefix("[qbwoo] books: "))
    # It comes, and has nothing to do: that leaves no session.
    assert office.house.run() == []
    office.later(minutes=1)
    (text,) = office.mail.texts()
    assert text.startswith("Over:\n- The Web Connector of company books has not come since")
    assert "(It was so from 2026-03-04 09:" in text


def test_one_that_comes_at_each_interval_alarms_nobody(small: Office) -> None:
    for _ in range(30):
        small.house.run()
        small.later(minutes=5, step=5)
    small.hears()


def test_an_order_that_failed_is_told_with_its_sentence_until_it_is_mended(office: Office) -> None:
    office.house.set("items.missing", "refuse")
    office.house.set("items.fallback", "")
    office.house.take(recorded_order("plain"))
    office.house.run_until_quiet()
    office.later(minutes=2)
    (sentence,) = {one.sentence for one in office.house.activities() if one.state == "failed"}
    assert sentence in office.mail.texts()[0]
    assert len(office.mail.mails) == 1
    office.mail.mails.clear()
    office.posted.posts.clear()
    office.house.set("items.missing", "create")
    with office.house.database.write() as db:
        (activity,) = office.house.activities()
        retry(db, get_activity(db, activity.id), who="test")
    office.later(minutes=15, step=5)
    assert office.mail.texts()[0].startswith("Over:")


def test_an_answer_that_was_lost_is_told_after_an_hour_and_not_before(small: Office) -> None:
    small.house.set("alerts.connector_intervals", "0")

    def lose(number: int, ticket: str, request: str, response: str) -> None:
        if "SalesReceiptAdd" in request:
            raise AnswerLost

    small.house.take(recorded_order("plain"))
    small.house.run(on_answer=lose)

    # A later session asks and is lost too.
    def lose_all(number: int, ticket: str, request: str, response: str) -> None:
        raise AnswerLost

    small.later(minutes=2)
    small.house.run(on_answer=lose_all)
    assert small.house.states() == ["in_doubt"]
    small.later(minutes=57, step=10)
    small.hears()
    small.later(minutes=10, step=5)
    assert "in doubt" in small.mail.subjects()[0]
    small.mail.mails.clear()
    small.posted.posts.clear()
    small.house.run_until_quiet()
    assert small.house.totals() != [Decimal(0)]
    small.later(minutes=15, step=5)
    assert small.mail.texts()[0].startswith("Over:")


def test_documents_that_are_stopped_webhooks_and_totals_are_told_together(office: Office) -> None:
    office.house.set("documents.stopped", "true")
    office.task("webhooks", "main", "Webhooks of store main: order.updated is disabled.")
    office.task("total differs", "7", "Order 7: QuickBooks computed 9.99.")
    office.task("reconciliation", "1", "Store main: 2 records do not agree.")
    # Not of the usual topics.
    office.task("sku edited", "1:2", "Product 2 was edited.")
    office.later(minutes=1)
    text = office.mail.texts()[0]
    for words in ("they are stopped", "is disabled", "9.99", "do not agree"):
        assert words in text
    assert "was edited" not in text
    office.hears("4 new")
    office.done("webhooks", "main")
    office.house.set("alerts.about", "tasks")
    office.later(minutes=15, step=5)
    office.hears("1 new, 4 over")


def test_a_mail_server_that_is_down_loses_nothing_and_holds_up_nobody_else(small: Office) -> None:
    small.mail.refuse_data = "451 try later"
    small.task("webhooks", "main", "Webhooks of store main are off.")
    small.later(minutes=3)
    assert (len(small.mail.mails), len(small.posted.posts)) == (0, 1)
    with small.house.database.read() as db:
        (waiting,) = unsent(db)
        assert "answered 451 try later" in waiting.problem
    small.task("doubled", "WMAIN-7", "Order 7 is in QuickBooks twice.")
    small.done("webhooks", "main")
    small.later(hours=2, step=10)
    small.mail.refuse_data = ""
    small.later(hours=1, step=10)
    # All of it in one mail, in the order in which it came.
    (mail,) = small.mail.texts()
    assert mail.index("are off") < mail.index("twice")
    assert "Over:" in mail
    with small.house.database.read() as db:
        assert list(unsent(db)) == []


def test_hundreds_of_failures_are_one_mail(small: Office) -> None:
    small.house.set("items.missing", "refuse")
    small.house.set("items.fallback", "")
    for number in range(210):
        small.house.take(numbered(recorded_order("plain"), 9000 + number))
    small.house.run_until_quiet()
    assert set(small.house.states()) == {"failed"}
    small.later(minutes=20, step=10)
    (mail,) = small.mail.mails
    assert mail["Subject"] == "[qbwoo] books: 201 new"
    assert "- and 176 more" in mail.get_content()


def test_at_quiet_hours_of_the_companys_zone_nothing_is_told(small: Office) -> None:
    small.house.set("alerts.time_zone", "America/New_York")
    small.house.set("alerts.quiet", "22-6")
    # Eight in London is three in New York.
    small.task("webhooks", "main", "Webhooks of store main are off.")
    small.later(hours=2, minutes=50, step=17)
    small.hears()
    small.later(minutes=20, step=10)
    small.hears("Webhooks of store main are off.")


def test_two_processes_tell_once(office: Office) -> None:
    office.task("webhooks", "main", "Webhooks of store main are off.")
    other = AlertRounds(office.house.database, office.rounds._channels)
    for _ in range(12):
        office.clock.shift(timedelta(seconds=30))
        office.rounds.run_once()
        other.run_once()
    office.hears("Webhooks of store main are off.")
    with office.house.database.read() as db:
        assert len(open_alerts(db)) == 1
