"""Undo: a receipt that was our mistake is reversed once, and its order may go anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ops_console import undoing
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.activities import add_activity, get_activity
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import Activity, BookDocument
from queue_store.operations import OperationRefused, retry
from queue_store.secrets import SecretBox
from queue_store.settings import company_settings
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.flows.test_found_by_faults import changed, dearer
from tests.harness import AnswerLost, House, make_house, recorded_order

PLAIN = recorded_order("plain")
TOTAL = Decimal("24.52")
MAKE = Callable[..., House]


@pytest.fixture
def make(sqlite_database: Database, box: SecretBox) -> MAKE:
    """A house whose Point of Sale has these switches."""
    return lambda **switches: make_house(
        sqlite_database, box, PosCompanyFile.create(None, dialect=PosDialect(**switches))
    )


def sold(house: House, order: dict[str, Any] = PLAIN) -> int:
    """An order with its receipt in the books; the activity's id."""
    house.take(order)
    house.run_until_quiet()
    (sale,) = house.activities()
    assert sale.state == "succeeded"
    return sale.id


def undo(house: House, activity_id: int, *, again: bool = False, done: bool = False) -> int:
    with house.database.write() as db:
        return undoing.undo(db, activity_id, "test", again=again, done=done).id


def reversal(house: House) -> Activity:
    (found,) = house.activities("reversal")
    return found


def reversals_asked(house: House) -> list[str]:
    """Receipts that a reversal was executed for, as the books tell."""
    return list(house.pos.reversals())


def lose(house: House, wanted: str, *, executed: bool) -> None:
    def broken(request: str) -> None:
        if wanted in request:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: broken(request))
    else:
        house.run(on_set=lambda number, request: broken(request))


def balance(house: House) -> Decimal:
    """What our receipts come to, reversed and reversing ones together."""
    return sum((one.total for one in house.pos.receipts() if one.comments.startswith("WMAIN-")), Decimal(0))


def tasks(house: House) -> list[str]:
    with house.database.read() as db:
        return [task.kind for task in open_tasks(db)]


def test_an_undo_reverses_the_receipt_once_and_cancels_the_next_generation(house: House) -> None:
    sale = sold(house)
    undo(house, sale)
    assert house.states() == ["succeeded", "waiting"]
    house.run_until_quiet()
    assert house.totals() == []
    assert [one.status for one in house.pos.receipts()] == ["Reversed", "Reversing"]
    assert house.states() == ["superseded", "cancelled"]
    done = reversal(house)
    assert (done.state, done.txn_id) == ("succeeded", house.pos.receipts()[1].txn_id)
    with house.database.read() as db:
        rows = {one.txn_id: one for one in db.query(BookDocument)}
    assert all(rows[one.txn_id].undone for one in house.pos.receipts())


def test_what_was_undone_goes_again_when_it_is_released(house: House) -> None:
    undo(house, sold(house))
    house.run_until_quiet()
    from ops_console import handwork

    following = house.activities()[1]
    with house.database.write() as db:
        handwork.release(db, [following.id], "test")
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    assert house.our_receipts()[0].comments.startswith(f"WMAIN-{PLAIN['id']}/2 ")


def test_undo_again_sends_the_newest_content_as_the_next_generation(house: House) -> None:
    sale = sold(house)
    house.take(dearer(PLAIN))
    assert tasks(house) == ["changed after sent"]
    undo(house, sale, again=True)
    house.run_until_quiet()
    assert house.totals() == [TOTAL + 1]
    assert house.states() == ["superseded", "succeeded"]
    assert house.our_receipts()[0].comments.startswith(f"WMAIN-{PLAIN['id']}/2 ")
    assert tasks(house) == []


def test_what_the_shop_says_while_the_reversal_is_on_its_way_goes_with_the_next_generation(
    house: House,
) -> None:
    undo(house, sold(house), again=True)
    house.take(dearer(PLAIN))
    assert house.states() == ["succeeded", "waiting"]
    house.run_until_quiet()
    assert house.totals() == [TOTAL + 1]
    assert tasks(house) == []


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_lost_reversal_is_asked_for_and_never_repeated_blindly(
    make: MAKE, executed: bool, again: bool
) -> None:
    house = make()
    house.set("reversals.shown", "status")
    undo(house, sold(house), again=again)
    lose(house, "<TxnReverseRq", executed=executed)
    assert reversal(house).state == "sent"
    house.run_until_quiet()
    assert reversal(house).state == "succeeded"
    assert len(reversals_asked(house)) == 1
    assert house.totals() == ([TOTAL] if again else [])
    assert house.states() == ["superseded", "succeeded" if again else "cancelled"]


@pytest.mark.parametrize("lost", range(1, 7))
@pytest.mark.parametrize("executed", [True, False])
def test_any_one_answer_of_an_undo_may_be_lost(make: MAKE, lost: int, executed: bool) -> None:
    house = make()
    house.set("reversals.shown", "status")
    undo(house, sold(house), again=True)

    def broken(number: int) -> None:
        if number == lost:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: broken(number))
    else:
        house.run(on_set=lambda number, request: broken(number))
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    assert balance(house) == TOTAL


def test_a_lost_reversal_that_leaves_no_status_is_told_by_its_copy(make: MAKE) -> None:
    house = make(reversal_marks_receipts=False)
    undo(house, sold(house), again=True)
    lose(house, "<TxnReverseRq", executed=True)
    house.run_until_quiet()
    assert reversal(house).state == "succeeded"
    assert balance(house) == TOTAL
    assert house.states() == ["superseded", "succeeded"]
    with house.database.read() as db:
        assert company_settings(db, get_company(db, "books"))["reversals.shown"] == "copy"


def test_where_it_cannot_be_told_a_person_is_asked_and_nothing_goes_again(make: MAKE) -> None:
    house = make(reversal_marks_receipts=False)
    sale = sold(house)
    undo(house, sale, again=True)
    lose(house, "<TxnReverseRq", executed=False)
    house.run_until_quiet()
    failed = reversal(house)
    assert failed.state == "failed"
    assert f"qbwoo activity retry {failed.id}" in failed.sentence
    assert f"qbwoo activity undo {sale} --done" in failed.sentence
    assert tasks(house) == ["undo"]
    assert house.states() == ["succeeded", "failed"]
    assert reversals_asked(house) == []
    with house.database.write() as db:
        retry(db, get_activity(db, failed.id), "test")
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]
    assert balance(house) == TOTAL


def test_a_person_may_say_that_it_was_reversed(make: MAKE) -> None:
    house = make(reversal_marks_receipts=False)
    sale = sold(house)
    undo(house, sale)
    lose(house, "<TxnReverseRq", executed=False)
    house.run_until_quiet()
    undo(house, sale, done=True)
    assert house.states() == ["superseded", "cancelled"]
    assert tasks(house) == []


def test_a_receipt_that_a_person_reversed_already_is_not_reversed_again(house: House) -> None:
    sale = sold(house)
    books = house.pos.begin_session("")
    txn_id = house.our_receipts()[0].txn_id
    books.process(
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"><TxnReverseRq>'
        f"<TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{txn_id}</TxnID></TxnReverseRq></QBPOSXMLMsgsRq></QBPOSXML>"
    )
    undo(house, sale)
    sent: list[str] = []
    house.run(on_set=lambda number, request: sent.append(request))
    assert not any("<TxnReverseRq" in one for one in sent)
    assert reversal(house).state == "succeeded"
    assert house.states() == ["superseded", "cancelled"]


def test_a_refused_reversal_fails_with_the_reason_and_the_receipt_stands(house: House) -> None:
    sale = sold(house)
    house.pos.refuse_when = lambda request: (
        (3260, "No permission.") if request.tag == "TxnReverseRq" else None
    )
    undo(house, sale, again=True)
    house.run_until_quiet()
    failed = reversal(house)
    assert failed.state == "failed"
    assert "No permission." in failed.sentence
    assert house.totals() == [TOTAL]
    assert house.states() == ["succeeded", "failed"]
    house.pos.refuse_when = None
    with house.database.write() as db:
        retry(db, get_activity(db, failed.id), "test")
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    assert house.states() == ["superseded", "succeeded"]


def test_a_refusal_of_a_reversal_that_comes_late_fails_it_with_the_reason(house: House) -> None:
    sale = sold(house)
    house.pos.refuse_when = lambda request: (
        (3260, "No permission.") if request.tag == "TxnReverseRq" else None
    )
    undo(house, sale, again=True)
    late: list[tuple[str, str]] = []

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if "<TxnReverseRq" in request:
            late.append((ticket, response))
            raise AnswerLost

    house.run(on_answer=on_answer)
    new_ticket, _ = house.begin()
    ((old_ticket, response),) = late
    assert reversal(house).state == "in_doubt"
    assert house.conversation.receive_response_xml(old_ticket, response, "", "") == 100
    house.conversation.close_connection(new_ticket)
    house.run_until_quiet()
    failed = reversal(house)
    assert failed.state == "failed"
    assert "No permission." in failed.sentence
    assert house.totals() == [TOTAL]


def test_an_hresult_on_a_reversal_is_looked_into(house: House) -> None:
    house.set("reversals.shown", "status")
    house.set("retry.base_seconds", "1")
    sale = sold(house)
    undo(house, sale, again=True)

    def on_set(number: int, request: str) -> None:
        if "<TxnReverseRq" in request:
            house.pos.fail_next("0x80040400", "parse", after_executing=False)

    house.run(on_set=on_set)
    assert reversal(house).state == "failed"
    assert house.totals() == [TOTAL]


def test_an_undo_is_refused_while_the_receipt_is_in_doubt(house: House) -> None:
    house.take(PLAIN)
    lose(house, "<SalesReceiptAddRq", executed=True)
    (sale,) = house.activities()
    with pytest.raises(OperationRefused, match="is sent: what became of it is found out first"):
        undo(house, sale.id)


def returned(house: House, state: ActivityState, txn_id: str | None = None) -> None:
    with house.database.write() as db:
        store = get_store(db, "main")
        add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind="return",
                record_id=f"{PLAIN['id']}-R9",
                order_id=str(PLAIN["id"]),
                reference="Refund 9",
                state=state,
                payload=b"{}",
                txn_id=txn_id,
                txn_number="77",
            ),
            cause="test",
        )


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (ActivityState.SUCCEEDED, "Refund 9 hangs on this receipt, as return 77: undo it first"),
        (ActivityState.WAITING, "Refund 9 is about to be sent: hold or cancel it first"),
        (ActivityState.IN_DOUBT, "Refund 9 is in doubt: what became of it is found out first"),
    ],
)
def test_an_undo_is_refused_while_a_return_hangs_on_the_receipt(
    house: House, state: ActivityState, why: str
) -> None:
    sale = sold(house)
    returned(house, state, "-5")
    with pytest.raises(OperationRefused, match=why):
        undo(house, sale)
    assert house.activities("reversal") == []


def test_a_return_that_only_quickbooks_knows_hinders_too(house: House) -> None:
    sale = sold(house)
    with house.database.write() as db:
        company = get_company(db, "books")
        db.add(
            BookDocument(
                company_id=company.id,
                txn_id="-9",
                record_mark=f"WMAIN-{PLAIN['id']}-R9",
                generation=1,
                type="Return",
                number="12",
            )
        )
    with pytest.raises(OperationRefused, match="Return 12 in QuickBooks hangs on this receipt"):
        undo(house, sale)


def test_a_return_that_came_meanwhile_stops_the_reversal(house: House) -> None:
    sale = sold(house)
    undo(house, sale)
    returned(house, ActivityState.SUCCEEDED, "-5")
    house.run_until_quiet()
    assert reversal(house).state == "failed"
    assert house.totals() == [TOTAL]


def test_an_undo_that_is_called_off_leaves_the_receipt_as_the_records_document(house: House) -> None:
    from ops_console import handwork

    sale = sold(house)
    undone = undo(house, sale, again=True)
    with house.database.write() as db:
        handwork.cancel(db, [undone], "test")
    house.take(dearer(PLAIN))
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    assert house.states() == ["succeeded", "cancelled"]
    assert tasks(house) == ["changed after sent"]
    undo(house, sale, again=True)
    house.run_until_quiet()
    assert house.totals() == [TOTAL + 1]


def test_a_second_undo_of_one_receipt_is_refused(house: House) -> None:
    sale = sold(house)
    undo(house, sale)
    with pytest.raises(OperationRefused, match="is pending already"):
        undo(house, sale)
    house.run_until_quiet()
    with pytest.raises(OperationRefused, match="is superseded"):
        undo(house, sale)


def test_an_order_that_the_shop_no_longer_wants_does_not_go_again(house: House) -> None:
    sale = sold(house)
    house.take(changed(PLAIN, status="cancelled"))
    with pytest.raises(OperationRefused, match="not wanted by the shop any more"):
        undo(house, sale, again=True)
    undo(house, sale)
    house.run_until_quiet()
    assert house.totals() == []
    assert tasks(house) == []


def test_the_plan_shows_both_documents_and_does_nothing(house: House) -> None:
    sale = sold(house)
    house.take(dearer(PLAIN))
    with house.database.read() as db:
        plan = undoing.plan(db, sale, again=True)
        shown = undoing.documents_of(db, plan)
    assert shown.undoing is not None
    assert shown.following is not None
    assert "<TxnReverseType>SalesReceipt</TxnReverseType>" in shown.undoing.document
    assert f"WMAIN-{PLAIN['id']}/2 " in shown.following.document
    assert (plan.total, shown.following.total) == (TOTAL, TOTAL + 1)
    assert house.activities("reversal") == []


@pytest.mark.parametrize("seed", range(8))
def test_an_undo_with_lost_answers_comes_out_under_every_dialect(
    sqlite_database: Database, box: SecretBox, seed: int
) -> None:
    rng = random.Random(seed)
    dialect = PosDialect.random(rng)
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))
    house.set("lines.negative", "price")
    house.set("reversals.shown", "status" if dialect.reversal_marks_receipts else "copy")
    with house.database.write() as db:
        get_company(db, "books").company_file = "Company Data=Sandbox Goods"
    undo(house, sold(house), again=True)

    def on_set(number: int, request: str) -> None:
        if rng.random() < 0.3:
            raise AnswerLost

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if rng.random() < 0.3:
            raise AnswerLost

    for _ in range(6):
        house.run(on_set=on_set, on_answer=on_answer)
    house.run_until_quiet()
    assert balance(house) == TOTAL
    assert house.states() == ["superseded", "succeeded"]
    assert len(reversals_asked(house)) == 1
