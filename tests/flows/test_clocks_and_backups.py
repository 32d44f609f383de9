"""QuickBooks' clock put back, and our database put back under a session that goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from ops_sandbox.pos import PosCompanyFile
from queue_store.database import Database
from queue_store.models import Attempt
from queue_store.secrets import SecretBox
from tests.faults.snapshots import Snapshot
from tests.flows.test_found_by_faults import SALE, Session, lose_first
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order, recorded_refunds


class Clock:
    """QuickBooks' own."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clocked(sqlite_database: Database, box: SecretBox, clock: Clock) -> House:
    """A house whose QuickBooks has a clock that somebody turns, and a receipt in its books."""
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, clock=clock))
    house.take(recorded_order("plain"))
    house.run()
    return house


def asked_by_mark(request: str) -> list[str]:
    """Marks that a message set asks for."""
    return re.findall(r"<Comments>(WMAIN-\d+/)</Comments>", request)


# QuickBooks' clock ------------------------------------------------------------


@pytest.mark.parametrize("days", [2, 400])
def test_a_sale_whose_answer_was_lost_while_the_clock_was_put_back_is_found_by_its_mark(
    clocked: House, clock: Clock, days: int
) -> None:
    clock.ahead = -timedelta(days=days)
    clocked.take(numbered(recorded_order("plain"), 2000))
    lose_first(clocked, SALE, executed=True)
    clocked.run_until_quiet()
    assert clocked.states() == ["succeeded", "succeeded"]
    assert len(clocked.totals()) == 2


@pytest.mark.parametrize("executed", [True, False])
def test_a_return_is_asked_for_by_its_own_mark_too(clocked: House, clock: Clock, executed: bool) -> None:
    clock.ahead = -timedelta(days=2)
    order = recorded_order("rpart")
    clocked.take(order)
    clocked.take_refunds(order, recorded_refunds(order["id"]))
    lose_first(clocked, "<SalesReceiptType>Return<", executed=executed)
    clocked.run_until_quiet()
    assert clocked.states("return") == ["succeeded"]
    assert [one.type for one in clocked.our_receipts()].count("Return") == 1


@pytest.mark.parametrize("executed", [True, False])
def test_a_web_order_is_asked_for_by_its_own_mark_among_the_sales_orders(
    clocked: House, clock: Clock, executed: bool
) -> None:
    clocked.set_store("orders.documents", "on-hold=sales order, completed=receipt")
    clocked.run_until_quiet()
    clock.ahead = -timedelta(days=2)
    clocked.take(numbered(recorded_order("plain"), 2000, status="on-hold"))
    lose_first(clocked, "<SalesOrderAddRq", executed=executed)
    asked: list[str] = []
    clocked.run(on_set=lambda _, request: asked.append(request))
    clocked.run_until_quiet()
    assert any("<Instructions>WMAIN-2000/</Instructions>" in request for request in asked)
    assert clocked.states("web_order") == ["succeeded"]
    assert len(clocked.pos.sales_orders()) == 1


def test_it_is_found_after_an_hresult_too(clocked: House, clock: Clock) -> None:
    clock.ahead = -timedelta(days=2)
    clocked.take(numbered(recorded_order("plain"), 2000))
    struck: list[int] = []

    def on_set(number: int, request: str) -> None:
        if SALE in request and not struck:
            struck.append(number)
            clocked.pos.fail_next("0x80040402", "An error.", after_executing=True)

    clocked.run(on_set=on_set)
    clocked.run_until_quiet()
    assert struck
    assert clocked.states() == ["succeeded", "succeeded"]
    assert len(clocked.totals()) == 2


def test_a_mark_is_compared_whole(clocked: House, clock: Clock) -> None:
    """QuickBooks answers a filter by the mark of order 200 with the receipt of another one: it is not ours."""
    clock.ahead = -timedelta(days=2)
    clocked.take(numbered(recorded_order("plain"), 200))
    lose_first(clocked, SALE, executed=False)
    till = clocked.pos.add_item("Till thing", alu="TILL", price1=1)
    clocked.pos.sell_in_store([(till.list_id, 1)], comments="WMAIN-200/1x by hand")
    clocked.run_until_quiet()
    assert clocked.states() == ["succeeded", "succeeded"]
    assert len([one for one in clocked.our_receipts() if one.comments.startswith("WMAIN-200/1 ")]) == 1


def test_where_quickbooks_cannot_tell_now_the_sale_stays_in_doubt(clocked: House) -> None:
    clocked.take(numbered(recorded_order("plain"), 2000))
    lose_first(clocked, SALE, executed=True)
    busy = (3175, "The record is in use.")
    clocked.pos.refuse_when = lambda request: (
        busy
        if request.tag == "SalesReceiptQueryRq" and "WMAIN-2000/" in "".join(request.itertext())
        else None
    )
    # Look-back finds it all the same; one that is not there stays in doubt.
    clocked.run()
    assert clocked.states() == ["succeeded", "succeeded"]
    clocked.take(numbered(recorded_order("plain"), 2001))
    lose_first(clocked, SALE, executed=False)
    clocked.pos.refuse_when = lambda request: busy if "WMAIN-2001/" in "".join(request.itertext()) else None
    clocked.run()
    assert clocked.states()[2] == "in_doubt"
    assert "in use" in clocked.activities()[2].sentence
    clocked.pos.refuse_when = None
    clocked.run_until_quiet()
    assert clocked.states() == ["succeeded"] * 3
    assert len(clocked.totals()) == 3


def test_a_sale_that_waited_after_an_hresult_is_asked_for_by_its_mark_when_it_goes_again(
    clocked: House,
) -> None:
    clocked.set("retry.base_seconds", "1")
    clocked.take(numbered(recorded_order("plain"), 2000))
    struck: list[int] = []

    def on_set(number: int, request: str) -> None:
        if SALE in request and not struck:
            struck.append(number)
            clocked.pos.fail_next("0x80040402", "An error.", after_executing=False)

    clocked.run(on_set=on_set)
    assert clocked.states() == ["succeeded", "delayed"]
    with clocked.database.write() as db:
        db.connection().exec_driver_sql("UPDATE activities SET state = 'pending' WHERE state = 'delayed'")
    asked: list[str] = []
    clocked.run(on_set=lambda number, request: asked.append(request))
    assert asked_by_mark(asked[0]) == ["WMAIN-2000/"]
    assert clocked.states() == ["succeeded", "succeeded"]


def test_a_normal_run_asks_for_no_mark(clocked: House) -> None:
    asked: list[str] = []
    clocked.pos.refuse_when = lambda request: (3180, "No.") if request.tag == "SalesReceiptAddRq" else None
    clocked.take(numbered(recorded_order("plain"), 2000))
    clocked.run(on_set=lambda number, request: asked.append(request))
    # A refusal is a clear answer.
    assert clocked.states() == ["succeeded", "failed"]
    assert not any(map(asked_by_mark, asked))


# Our database ------------------------------------------------------------------


def put_back(house: House, backup: Snapshot) -> None:
    """Stop the service, put the backup in its place, start the service: all within the minute."""
    backup.restore(house.database)
    backup.close()
    house.restart()


def test_a_session_open_in_a_backup_looks_back_again_at_once(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<ItemInventoryAddRq")
    session.answer()
    # The session has looked back, and the sale goes with the next call.
    backup = Snapshot(house.database)
    session.go_to(SALE)
    session.answer()
    assert len(house.totals()) == 1
    put_back(house, backup)
    session.finish()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1


def test_an_answer_to_a_set_that_the_backup_does_not_know_tells_that_it_was_put_back(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<ItemInventoryAddRq")
    session.answer()
    backup = Snapshot(house.database)
    session.go_to(SALE)
    response = session.books.process(session.request)
    # Nobody starts the service anew: the answer alone tells.
    backup.restore(house.database)
    backup.close()
    assert house.conversation.receive_response_xml(session.ticket, response, "", "") < 100
    session.finish()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1


def test_what_was_not_there_before_the_backup_is_asked_again(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<CustomerAddRq")
    backup = Snapshot(house.database)
    session.answer()
    session.finish()
    put_back(house, backup)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == len(house.pos.customers()) == 1


@pytest.mark.parametrize("outcome", ["written", "refused"])
def test_an_answer_from_before_the_backup_is_not_taken_for_the_new_attempts(
    house: House, outcome: str
) -> None:
    house.take(recorded_order("plain"))
    backup = Snapshot(house.database)
    old = Session(house)
    old.go_to(SALE)
    if outcome == "refused":
        house.pos.refuse_when = lambda request: (3180, "No.") if request.tag == "SalesReceiptAddRq" else None
    answer_of_old = old.books.process(old.request)
    house.pos.refuse_when = None
    backup.restore(house.database)
    backup.close()
    new = Session(house)
    if outcome == "written":
        # Found by look-back, so that no second attempt leaves at all.
        new.finish()
    else:
        new.go_to(SALE)
        with house.database.read() as db:
            (attempt,) = db.scalars(
                select(Attempt).where(Attempt.exchange_id.is_not(None), Attempt.predicted_total.is_not(None))
            )
        assert f'-{attempt.number}.{attempt.exchange_id}"' in new.request
        house.conversation.receive_response_xml(new.ticket, answer_of_old, "", "")
        assert house.states() == ["sent"]
        new.answer()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1


def test_a_restart_costs_a_running_session_one_look_back_and_nothing_else(house: House) -> None:
    for number in range(3):
        house.take(numbered(recorded_order("plain"), 3000 + number))
    session = Session(house)
    session.go_to(SALE)
    house.restart()
    session.answer()
    assert "succeeded" in house.states()
    session.finish()
    house.run_until_quiet()
    assert set(house.states()) == {"succeeded"}
    assert len(house.totals()) == 3


def test_a_query_that_was_out_at_a_restart_tells_what_it_found_and_no_more(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<CustomerQueryRq")
    response = session.books.process(session.request)
    house.restart()
    house.pos.add_customer("Guest", email="plain@example.net")
    house.conversation.receive_response_xml(session.ticket, response, "", "")
    session.finish()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.pos.customers()) == 1


def lose_everything(number: int, ticket: str, request: str, response: str) -> None:
    raise AnswerLost


def test_sessions_that_lose_every_answer_send_nothing_twice(clocked: House, clock: Clock) -> None:
    clock.ahead = -timedelta(days=2)
    clocked.take(numbered(recorded_order("plain"), 2000))
    for _ in range(6):
        clocked.run(on_answer=lose_everything)
    clocked.run_until_quiet()
    assert len(clocked.totals()) == 2
