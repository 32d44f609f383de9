"""The first promise: one order is one receipt, whatever is lost on the way."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event

from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.tasks import open_tasks
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order

TOTAL = Decimal("24.52")


def is_sale(request: str) -> bool:
    return "<SalesReceiptAddRq" in request


def lose_sales(house: House, *, late: list[tuple[str, str]] | None = None) -> None:
    """One session whose answer to the sales is lost, or kept in `late` as (ticket, response)."""

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if is_sale(request):
            if late is not None:
                late.append((ticket, response))
            raise AnswerLost

    house.run(on_answer=on_answer)


def assert_one_receipt(house: House) -> None:
    assert house.totals() == [TOTAL]
    (sale,) = house.activities()
    assert sale.state == "succeeded"
    assert sale.txn_id == house.our_receipts()[0].txn_id


def test_a_paid_order_becomes_one_receipt_with_its_exact_total(house: House) -> None:
    house.take(recorded_order("plain"))
    house.run()
    assert_one_receipt(house)
    assert house.activities()[0].total == TOTAL


def test_a_second_run_has_nothing_to_do(house: House) -> None:
    house.take(recorded_order("plain"))
    house.run()
    assert house.begin()[1] == "none"


def test_a_lost_answer_is_looked_up_before_it_is_sent_again(house: House) -> None:
    house.take(recorded_order("plain"))
    lose_sales(house)
    assert house.states() == ["sent"]
    house.run()
    assert_one_receipt(house)


def test_every_answer_of_a_session_may_be_lost(house: House) -> None:
    house.take(recorded_order("plain"))
    for lost in range(1, 40):

        def on_answer(number: int, ticket: str, request: str, response: str) -> None:
            raise AnswerLost

        if not house.run(on_answer=on_answer) and house.states() == ["succeeded"]:
            break
        if lost > 30:
            # Where every single answer is lost, only the books can tell; let it come to rest.
            house.run_until_quiet()
            break
    house.run_until_quiet()
    assert_one_receipt(house)
    assert len(house.pos.customers()) == 1
    assert sorted(item.alu for item in house.pos.items()) == [
        "Online Sales Tax",
        "Online Shipping",
        "WID-001",
        "WID-002",
    ]


@pytest.mark.parametrize("lost", range(1, 9))
def test_any_one_answer_may_be_lost(house: House, lost: int) -> None:
    house.take(recorded_order("plain"))

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if number == lost:
            raise AnswerLost

    house.run(on_answer=on_answer)
    house.run_until_quiet()
    assert_one_receipt(house)
    assert len(house.pos.customers()) == 1
    assert len(house.pos.items()) == 4


@pytest.mark.parametrize("lost", range(1, 9))
def test_any_one_set_may_be_lost_before_it_is_executed(house: House, lost: int) -> None:
    house.take(recorded_order("plain"))

    def on_set(number: int, request: str) -> None:
        if number == lost:
            raise AnswerLost

    house.run(on_set=on_set)
    house.run_until_quiet()
    assert_one_receipt(house)
    assert len(house.pos.customers()) == 1
    assert len(house.pos.items()) == 4


def test_a_late_answer_under_a_taken_over_ticket_binds(house: House) -> None:
    house.take(recorded_order("plain"))
    late: list[tuple[str, str]] = []
    lose_sales(house, late=late)
    new_ticket, says = house.begin()
    assert says == ""
    ((old_ticket, response),) = late
    assert house.conversation.receive_response_xml(old_ticket, response, "", "") == 100
    assert house.states() == ["succeeded"]
    assert house.send(new_ticket)
    house.conversation.close_connection(new_ticket)
    house.run_until_quiet()
    assert_one_receipt(house)


def test_a_late_answer_while_the_next_session_looks_back_binds_once(house: House) -> None:
    house.take(recorded_order("plain"))
    late: list[tuple[str, str]] = []
    lose_sales(house, late=late)
    delivered: list[int] = []

    def on_set(number: int, request: str) -> None:
        if not delivered:
            ((ticket, response),) = late
            delivered.append(house.conversation.receive_response_xml(ticket, response, "", ""))

    house.run(on_set=on_set)
    assert delivered == [100]
    assert_one_receipt(house)


def test_a_late_answer_of_an_order_that_was_found_meanwhile_changes_nothing(house: House) -> None:
    house.take(recorded_order("plain"))
    late: list[tuple[str, str]] = []
    lose_sales(house, late=late)
    house.run()
    ((ticket, response),) = late
    assert house.conversation.receive_response_xml(ticket, response, "", "") == 100
    assert_one_receipt(house)


@pytest.mark.parametrize("hresult", ["0x80040400", "0x80040402", "0x800706BA"])
@pytest.mark.parametrize("executed", [True, False])
def test_an_hresult_says_nothing_about_execution(house: House, hresult: str, executed: bool) -> None:
    house.set("retry.base_seconds", "1")
    house.take(recorded_order("plain"))
    armed: list[int] = []

    def on_set(number: int, request: str) -> None:
        if is_sale(request) and not armed:
            armed.append(number)
            house.pos.fail_next(hresult, "An error.", after_executing=executed)

    house.run(on_set=on_set)
    assert armed
    if executed:
        assert_one_receipt(house)
        return
    # A set of one that QuickBooks could not read is a bad request: it fails, with its reason.
    (sale,) = house.activities()
    if hresult == "0x80040400":
        assert sale.state == "failed"
        assert "could not read its request" in sale.sentence
    else:
        assert sale.state == "delayed"
        assert "tried again by itself" in sale.sentence
    assert house.totals() == []


def test_a_database_restored_from_before_the_send_finds_the_receipt(
    house: House, box: SecretBox, tmp_path: Path
) -> None:
    house.take(recorded_order("plain"))
    backup = tmp_path / "backup.db"
    copy_database(house.database, backup)
    house.run()
    restored = House(Database(f"sqlite:///{backup}"), house.pos)
    assert restored.states() == ["pending"]
    restored.run()
    assert_one_receipt(restored)
    restored.database.close()


def test_a_second_instance_with_an_empty_database_finds_the_receipt(
    house: House, box: SecretBox, sqlite_template: Path, tmp_path: Path
) -> None:
    house.take(recorded_order("plain"))
    house.run()
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = make_house(Database(f"sqlite:///{tmp_path / 'other.db'}"), box, house.pos)
    other.take(recorded_order("plain"))
    other.run()
    assert_one_receipt(other)
    other.database.close()


def copy_database(database: Database, path: Path) -> None:
    """What `qbwoo db backup` does: SQLite's own online copy."""
    with (
        closing(sqlite3.connect(database.engine.url.database or "")) as source,
        closing(sqlite3.connect(path)) as copy,
    ):
        source.backup(copy)


class Killed(BaseException):
    """The process is gone between two commits."""


@pytest.mark.parametrize("after", [True, False], ids=["after the commit", "before the commit"])
def test_the_service_may_be_killed_around_any_commit(house: House, after: bool) -> None:
    """Each call of a session once: killed before its commit (nothing of it happened) or after (nobody heard)."""
    house.take(recorded_order("plain"))
    for kill_at in range(1, 40):
        if not (kill_after_commit if after else kill_before_commit)(house, kill_at):
            break
    house.run_until_quiet()
    assert_one_receipt(house)
    assert len(house.pos.customers()) == 1
    assert len(house.pos.items()) == 4


def kill_before_commit(house: House, kill_at: int) -> bool:
    """A session whose process is gone before this commit of it; False where it has fewer."""
    seen = 0

    def count(connection: object) -> None:
        nonlocal seen
        seen += 1
        if seen == kill_at:
            raise Killed

    event.listen(house.database.engine, "commit", count)
    try:
        house.run()
    except Killed:
        return True
    finally:
        event.remove(house.database.engine, "commit", count)
    return False


def kill_after_commit(house: House, kill_at: int) -> bool:
    """The work of a call is committed, and its answer never leaves."""
    database, calls = house.database, 0
    write_again = database.write_again

    def killed_after(work, **named):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        result = write_again(work, **named)
        if calls == kill_at:
            raise Killed
        return result

    database.write_again = killed_after  # type: ignore[method-assign]
    try:
        house.run()
    except Killed:
        return True
    finally:
        del database.write_again  # type: ignore[method-assign]
    return False


def test_an_order_that_became_completed_is_still_one_receipt(house: House) -> None:
    order = recorded_order("plain")
    house.take({**order, "status": "processing", "date_modified_gmt": "2026-11-22T00:26:23"})
    house.run()
    house.take({**order, "status": "completed", "date_modified_gmt": "2026-11-22T00:54:28"})
    house.run_until_quiet()
    assert_one_receipt(house)


def test_two_sends_of_one_order_are_told_as_doubled(house: House) -> None:
    """Somebody entered a second receipt with our mark by hand: the operator hears of it."""
    house.take(recorded_order("plain"))
    lose_sales(house)
    books = house.pos.begin_session("")
    (receipt,) = house.our_receipts()
    item = next(item for item in house.pos.items() if item.alu == "Online Shipping")
    books.process(
        '<?xml version="1.0" encoding="utf-8"?><?qbposxml version="3.0"?><QBPOSXML>'
        '<QBPOSXMLMsgsRq onError="stopOnError"><SalesReceiptAddRq requestID="1"><SalesReceiptAdd>'
        f"<Comments>{receipt.comments}</Comments><SalesReceiptItemAdd><ListID>{item.list_id}</ListID>"
        "<Price>1.00</Price><Qty>1</Qty><TaxCode>Non</TaxCode></SalesReceiptItemAdd>"
        "<TenderCashAdd><TenderAmount>1.00</TenderAmount></TenderCashAdd></SalesReceiptAdd>"
        "</SalesReceiptAddRq></QBPOSXMLMsgsRq></QBPOSXML>"
    )
    books.end()
    house.run()
    with house.database.read() as db:
        assert "doubled" in [task.kind for task in open_tasks(db)]
    assert house.states() == ["succeeded"]


def test_orders_of_one_guest_share_one_customer(house: House) -> None:
    order = recorded_order("plain")
    house.take(order)
    house.take(numbered(order, 1068))
    house.run()
    assert house.totals() == [TOTAL, TOTAL]
    assert len(house.pos.customers()) == 1
