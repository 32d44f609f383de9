"""What is kept for a time only goes piece by piece, and nothing that is still needed goes with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice

import pytest
from sqlalchemy import event, func, select

from ops_console import undoing
from ops_console.pruning import prune_all
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import (
    Activity,
    ActivityEvent,
    Attempt,
    AuditEntry,
    Exchange,
    KeptBody,
    Mapping,
    OperatorTask,
    QbwcSession,
    Schedule,
)
from queue_store.secrets import SecretBox
from queue_store.tasks import close_task, raise_task
from queue_store.webhook_log import keep_body
from tests.flows.test_reconcile import reconciled
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order
from woo_bridge.client import ShopClient
from woo_bridge.privacy import PRIVACY
from woo_bridge.scheduler import Scheduler

PLAIN = recorded_order("plain")
TOTAL = Decimal("24.52")
NOW = datetime.now(UTC)
IN_100_DAYS, IN_400_DAYS = NOW + timedelta(days=100), NOW + timedelta(days=400)


@pytest.fixture
def house(database: Database, box: SecretBox) -> House:
    """A company with a live store; once with each database."""
    return make_house(database, box)


def pruned(house: House, now: datetime, *, only_count: bool = False) -> dict[str, int]:
    found: dict[str, int] = {}
    for _, kind, count in prune_all(house.database, now, only_count=only_count):
        found[kind] = found.get(kind, 0) + count
    return found


def counts(house: House) -> dict[str, int]:
    with house.database.read() as db:
        models = (Activity, Attempt, Mapping, ActivityEvent, Exchange, QbwcSession, AuditEntry, OperatorTask)
        return {one.__tablename__: db.scalar(select(func.count()).select_from(one)) or 0 for one in models}


def bodies(house: House) -> list[bytes]:
    with house.database.read() as db:
        return [one for row in db.execute(select(Exchange.request, Exchange.response)) for one in row if one]


def sold(house: House) -> None:
    for number in (68, 901, 902):
        house.take(numbered(PLAIN, number))
    house.run_until_quiet()
    assert house.states() == ["succeeded"] * 3


def test_message_sets_and_webhook_bodies_go_after_their_days_and_all_else_stays(house: House) -> None:
    sold(house)
    with house.database.write() as db:
        keep_body(db, store_id=get_store(db, "main").id, topic="x", reason="odd", body=b"{}")
    before = counts(house)
    assert pruned(house, NOW + timedelta(days=89)) == dict.fromkeys(pruned(house, NOW), 0)
    dry = pruned(house, IN_100_DAYS, only_count=True)
    assert bodies(house)
    done = pruned(house, IN_100_DAYS)
    assert done == dry
    assert done["message sets emptied"] == before["exchanges"]
    assert done["webhook bodies"] == 1
    assert bodies(house) == []
    assert counts(house) == before
    assert sum(pruned(house, IN_100_DAYS).values()) == 0


def test_history_goes_after_a_year_but_for_what_explains_each_state(house: House) -> None:
    sold(house)
    with house.database.write() as db:
        company = get_company(db, "books").id
        raise_task(db, company_id=company, kind="done", subject="1", sentence="Look.")
        close_task(db, company_id=company, kind="done", subject="1")
        raise_task(db, company_id=company, kind="open", subject="1", sentence="Look.")
    before = counts(house)
    pruned(house, IN_400_DAYS)
    after = counts(house)
    assert after["exchanges"] == after["audit"] == 0
    # The newest session tells the next one how it ended; of each activity the last event stays.
    assert after["qbwc_sessions"] == after["operator_tasks"] == 1
    assert after["activity_events"] == after["activities"] < before["activity_events"]
    assert {name: after[name] for name in ("activities", "attempts", "mappings")} == {
        name: before[name] for name in ("activities", "attempts", "mappings")
    }


def test_nothing_of_an_unanswered_set_or_an_open_activity_goes(house: House) -> None:
    sold(house)
    house.take(numbered(PLAIN, 903))

    def lost(number: int, ticket: str, request: str, response: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    house.run(on_answer=lost)
    open_id = house.activities()[-1].id
    with house.database.read() as db:
        events = db.scalar(select(func.count()).where(ActivityEvent.activity_id == open_id))
    pruned(house, IN_400_DAYS)
    with house.database.read() as db:
        (exchange,) = db.scalars(select(Exchange))
        assert f'requestID="{open_id}-' in exchange.request.decode()
        assert db.scalar(select(func.count()).where(ActivityEvent.activity_id == open_id)) == events
    house.run_until_quiet()
    assert house.totals() == [TOTAL] * 4


@pytest.mark.parametrize("now", [IN_100_DAYS, IN_400_DAYS], ids=["messages", "history"])
def test_after_pruning_nothing_is_doubled_and_undo_and_reconciliation_work(
    house: House, now: datetime
) -> None:
    sold(house)
    pruned(house, now)
    for number in (68, 901, 902):
        house.take(numbered(PLAIN, number, date_modified_gmt="2026-11-23T01:00:00"))
    house.run_until_quiet()
    assert house.totals() == [TOTAL] * 3
    with house.database.write() as db:
        undoing.undo(db, house.activities()[0].id, "test", again=True, done=False)
    house.run_until_quiet()
    assert house.totals() == [TOTAL] * 3
    day = date.fromisoformat(PLAIN["date_created"][:10])
    verdicts = {row.reference: row.verdict for row in reconciled(house, since=day, until=day).rows}
    assert set(verdicts.values()) == {"equal"}


def test_an_answer_that_comes_after_its_set_was_pruned_changes_nothing(house: House) -> None:
    late: list[tuple[str, str]] = []
    house.take(PLAIN)

    def lost(number: int, ticket: str, request: str, response: str) -> None:
        if "<SalesReceiptAddRq" in request and not late:
            late.append((ticket, response))
            raise AnswerLost

    house.run(on_answer=lost)
    house.run_until_quiet()
    pruned(house, IN_100_DAYS)
    house.conversation.receive_response_xml(*late[0], "", "")
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    assert house.states() == ["succeeded"]


def test_a_run_that_is_cut_off_is_gone_on_with_and_each_transaction_is_short(house: House) -> None:
    with house.database.write() as db:
        for number in range(60):
            keep_body(db, store_id=get_store(db, "main").id, topic="x", reason="odd", body=b"%d" % number)
    changed: list[int] = []
    engine = house.database.engine

    @event.listens_for(engine, "after_cursor_execute")
    def count(_c: object, cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(("DELETE", "UPDATE")):
            changed.append(cursor.rowcount)  # type: ignore[attr-defined]

    first = list(islice(prune_all(house.database, IN_100_DAYS, only_count=False), 2))
    assert first[-1][1:] == ("webhook bodies", 25)
    assert pruned(house, IN_100_DAYS)["webhook bodies"] == 35
    assert max(changed) <= 25
    with house.database.read() as db:
        assert db.scalars(select(KeptBody)).all() == []


def test_it_runs_by_itself_also_for_a_store_that_is_not_live_and_asks_no_shop(
    house: House, box: SecretBox
) -> None:
    sold(house)
    with house.database.write() as db:
        get_store(db, "main").live_kinds = ""

    def no_client(store: object) -> ShopClient:
        raise AssertionError("a shop was asked")

    now = [NOW]
    scheduler = Scheduler(house.database, box, (PRIVACY,), open_client=no_client, now=lambda: now[0])
    while scheduler.run_once():
        pass
    now[0] = IN_100_DAYS
    for _ in range(200):
        if not scheduler.run_once():
            break
    with house.database.read() as db:
        row = db.scalars(select(Schedule)).one()
    assert row.result == "done"
    assert "message sets emptied" in row.sentence
    assert bodies(house) == []


def test_zero_days_keep_for_ever(house: House) -> None:
    sold(house)
    house.set("privacy.messages_days", "0")
    house.set("privacy.history_days", "0")
    assert sum(pruned(house, NOW + timedelta(days=9000)).values()) == 0
