"""Undo of a web order: its sales order is deleted once, and only while nothing was taken from it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops_console import handwork, undoing
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.activities import events_of, get_activity
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.operations import OperationRefused, retry
from queue_store.secrets import SecretBox
from queue_store.tasks import open_tasks
from tests.flows.test_found_by_faults import dearer
from tests.flows.test_one_order import copy_database, kill_after_commit, kill_before_commit
from tests.flows.test_web_orders import DOCUMENTS, TOTAL, completed, placed
from tests.harness import AnswerLost, House, make_house

MAKE = Callable[..., House]


@pytest.fixture
def make(sqlite_database: Database, box: SecretBox) -> MAKE:
    """A house whose store sends web orders, and whose Point of Sale has these switches."""

    def made(**switches: Any) -> House:
        pos = PosCompanyFile.create(None, dialect=PosDialect(**switches))
        house = make_house(sqlite_database, box, pos)
        house.set_store("orders.documents", DOCUMENTS)
        return house

    return made


@pytest.fixture
def shop(make: MAKE) -> House:
    return make()


def ordered(house: House) -> int:
    """A web order with its sales order in the books; the activity's id."""
    house.take(placed())
    house.run_until_quiet()
    (order,) = house.activities("web_order")
    assert (order.state, len(house.pos.sales_orders())) == ("succeeded", 1)
    return order.id


def undo(house: House, activity_id: int, *, again: bool = False, done: bool = False) -> int:
    with house.database.write() as db:
        return undoing.undo(db, activity_id, "test", again=again, done=done).id


def deletion(house: House) -> Activity:
    (found,) = house.activities("deletion")
    return found


def numbers(house: House) -> list[str]:
    return [order.number for order in house.pos.sales_orders()]


def tasks(house: House) -> list[tuple[str, str]]:
    with house.database.read() as db:
        return [(task.kind, task.sentence) for task in open_tasks(db)]


def deletions_sent(house: House) -> Callable[[int, str], None]:
    """A hook that counts the ListDel that leave, in `house.sent`."""
    sent: list[str] = []
    house.__dict__["sent"] = sent

    def on_set(number: int, request: str) -> None:
        sent.extend(["ListDelRq"] * request.count("<ListDelRq"))

    return on_set


def lose(house: House, *, executed: bool) -> None:
    """A session that is lost over the ListDel."""

    def broken(number: int, *texts: str) -> None:
        if any("<ListDelRq" in text for text in texts):
            raise AnswerLost

    if executed:
        house.run(on_answer=broken)
    else:
        house.run(on_set=broken)


def ask(house: House, *requests: str) -> str:
    """What somebody else says to Point of Sale."""
    books = house.pos.begin_session("Company Data=Sandbox Goods")
    try:
        return books.process(
            '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError">'
            f"{''.join(requests)}</QBPOSXMLMsgsRq></QBPOSXML>"
        )
    finally:
        books.end()


def delete_by_hand(house: House) -> None:
    (order,) = house.pos.sales_orders()
    ask(
        house,
        f"<ListDelRq><ListDelType>SalesOrder</ListDelType><ListID>{order.txn_id}</ListID></ListDelRq>",
    )
    assert house.pos.sales_orders() == []


def fill(house: House, pieces: int = 1) -> None:
    """Somebody sells a piece of the sales order at the till."""
    (order,) = house.pos.sales_orders()
    item = next(one for one in house.pos.items() if one.alu == "WID-001")
    _receipt(
        house,
        f"<SalesOrderTxnID>{order.txn_id}</SalesOrderTxnID>",
        f"<SalesReceiptItemAdd><ListID>{item.list_id}</ListID><Price>1.00</Price><Qty>{pieces}</Qty>"
        "<TaxCode>Non</TaxCode></SalesReceiptItemAdd>",
        f"<TenderCashAdd><TenderAmount>{pieces}.00</TenderAmount></TenderCashAdd>",
    )


def pay_deposit(house: House) -> None:
    (order,) = house.pos.sales_orders()
    item = next(one for one in house.pos.items() if one.alu == "Online Shipping")
    _receipt(
        house,
        f"<SalesOrderTxnID>{order.txn_id}</SalesOrderTxnID><SalesReceiptType>Deposit</SalesReceiptType>",
        f"<SalesReceiptItemAdd><ListID>{item.list_id}</ListID><Price>5.00</Price><Qty>1</Qty><TaxCode>Non</TaxCode>"
        "</SalesReceiptItemAdd>",
        "<TenderCashAdd><TenderAmount>5.00</TenderAmount></TenderCashAdd>",
    )


def _receipt(house: House, *parts: str) -> None:
    said = ask(
        house, f"<SalesReceiptAddRq><SalesReceiptAdd>{''.join(parts)}</SalesReceiptAdd></SalesReceiptAddRq>"
    )
    assert 'statusCode="0"' in said, said


# Done ----------------------------------------------------------------------


def test_an_undo_deletes_the_sales_order_and_cancels_the_next_generation(shop: House) -> None:
    undo(shop, ordered(shop))
    assert shop.states("web_order") == ["succeeded", "waiting"]
    shop.run_until_quiet()
    assert numbers(shop) == []
    assert shop.states("web_order") == ["superseded", "cancelled"]
    assert deletion(shop).state == "succeeded"
    assert shop.states() == ["waiting"]
    assert tasks(shop) == []


def test_undo_again_sends_the_newest_content_as_the_next_generation(shop: House) -> None:
    order = ordered(shop)
    shop.take(dearer(placed(1)))
    ((kind, sentence),) = tasks(shop)
    assert kind == "changed after sent"
    assert sentence.endswith(f"to send the sales order anew too: qbwoo activity undo {order} --again")
    undo(shop, order, again=True)
    shop.run_until_quiet()
    (written,) = shop.pos.sales_orders()
    assert (written.number, written.total) == ("WMAIN-68/2", TOTAL + 1)
    assert shop.states("web_order") == ["superseded", "succeeded"]
    assert tasks(shop) == []


def test_the_receipt_fulfils_the_web_order_that_took_its_place(shop: House) -> None:
    undo(shop, ordered(shop), again=True)
    shop.run_until_quiet()
    shop.take(completed())
    shop.run_until_quiet()
    (order,) = shop.pos.sales_orders()
    (receipt,) = shop.our_receipts()
    assert (order.number, order.status, receipt.sales_order_txn_id) == ("WMAIN-68/2", "Closed", order.txn_id)
    assert receipt.total == TOTAL


def test_the_receipt_of_a_deleted_web_order_goes_without(shop: House) -> None:
    undo(shop, ordered(shop))
    shop.run_until_quiet()
    shop.take(completed())
    shop.run_until_quiet()
    (receipt,) = shop.our_receipts()
    assert (receipt.total, receipt.sales_order_txn_id) == (TOTAL, None)
    assert shop.pos.sales_orders() == []


def test_the_plan_shows_both_documents_and_does_nothing(shop: House) -> None:
    order = ordered(shop)
    with shop.database.read() as db:
        plan = undoing.plan(db, order, again=True)
        shown = undoing.documents_of(db, plan)
        words = " ".join(undoing.words_of(plan))
    assert shown.undoing is not None
    assert shown.following is not None
    (written,) = shop.pos.sales_orders()
    assert f"<ListDelType>SalesOrder</ListDelType><ListID>{written.txn_id}</ListID>" in shown.undoing.document
    assert "<SalesOrderNumber>WMAIN-68/2</SalesOrderNumber>" in shown.following.document
    assert "Sales order WMAIN-68/1 is deleted (ListDel)." in words
    assert shop.activities("deletion") == []


def test_an_order_cancelled_after_its_web_order_was_written_is_deleted_by_the_command_of_its_task(
    shop: House,
) -> None:
    order = ordered(shop)
    shop.take(placed(1, status="cancelled"))
    ((_, sentence),) = tasks(shop)
    assert sentence.endswith(f"If nothing was taken from it yet, delete it: qbwoo activity undo {order}")
    with pytest.raises(OperationRefused, match="not wanted by the shop any more"):
        undo(shop, order, again=True)
    undo(shop, order)
    shop.run_until_quiet()
    assert numbers(shop) == []
    assert tasks(shop) == []
    assert shop.states("web_order") == ["superseded", "cancelled"]
    # Its status returns: it goes again by itself.
    shop.take(placed(2))
    shop.run_until_quiet()
    assert numbers(shop) == ["WMAIN-68/2"]


def test_what_the_shop_says_while_the_deletion_is_on_its_way_goes_with_the_next_generation(
    shop: House,
) -> None:
    undo(shop, ordered(shop), again=True)
    shop.take(dearer(placed(1)))
    assert shop.states("web_order") == ["succeeded", "waiting"]
    shop.run_until_quiet()
    assert [order.total for order in shop.pos.sales_orders()] == [TOTAL + 1]
    assert tasks(shop) == []


# Refused -------------------------------------------------------------------


def test_what_was_not_sent_cannot_be_undone(shop: House) -> None:
    shop.take(placed())
    (order,) = shop.activities("web_order")
    with pytest.raises(OperationRefused, match="is pending: no sales order of it is in QuickBooks"):
        undo(shop, order.id)


def test_an_undo_is_refused_while_the_web_order_is_sent_or_in_doubt(shop: House) -> None:
    shop.take(placed())

    def broken(number: int, *texts: str) -> None:
        if any("<SalesOrderAddRq" in text for text in texts):
            raise AnswerLost

    shop.run(on_answer=broken)
    (order,) = shop.activities("web_order")
    with pytest.raises(OperationRefused, match="is sent: what became of it is found out first"):
        undo(shop, order.id)


def test_an_undo_is_refused_while_the_receipt_is_sent_or_in_doubt(shop: House) -> None:
    order = ordered(shop)
    shop.take(completed())

    def broken(number: int, *texts: str) -> None:
        if any("<SalesReceiptAddRq" in text for text in texts):
            raise AnswerLost

    shop.run(on_answer=broken)
    with pytest.raises(OperationRefused, match="Order 68 is sent: what became of it is found out first"):
        undo(shop, order)


def test_an_undo_is_refused_under_the_receipt_that_fulfilled_it(shop: House) -> None:
    order = ordered(shop)
    shop.take(completed())
    shop.run_until_quiet()
    (sale,) = shop.activities()
    with pytest.raises(
        OperationRefused, match=f"as receipt {sale.txn_number}, which fulfilled this sales order"
    ):
        undo(shop, order)
    with shop.database.read() as db:
        steps = undoing.plan(db, order, again=False).steps
    assert steps == (f"qbwoo activity undo {sale.id}", f"qbwoo activity undo {order}")


def test_a_second_undo_is_refused(shop: House) -> None:
    order = ordered(shop)
    undo(shop, order)
    with pytest.raises(OperationRefused, match=r"Its deletion \(activity \d+\) is pending already"):
        undo(shop, order)


def test_an_order_that_becomes_no_web_order_any_more_does_not_go_again(shop: House) -> None:
    order = ordered(shop)
    shop.set_store("orders.documents", "completed=receipt")
    with pytest.raises(OperationRefused, match="is on-hold, which is no web order any more"):
        undo(shop, order, again=True)


@pytest.mark.parametrize("begun_order_deleted", [True, False])
@pytest.mark.parametrize(
    ("taken", "why"),
    [
        (fill, "1 piece of it was sold in QuickBooks already"),
        (pay_deposit, "a deposit of 5.00 lies on it in QuickBooks"),
    ],
)
def test_a_sales_order_of_which_something_was_taken_stands(
    make: MAKE, taken: Callable[[House], None], why: str, begun_order_deleted: bool
) -> None:
    """Whatever Point of Sale would do: it is read first, and no ListDel leaves."""
    house = make(begun_order_deleted=begun_order_deleted)
    order = ordered(house)
    taken(house)
    undo(house, order, again=True)
    count = deletions_sent(house)
    for _ in range(3):
        house.run(on_set=count)
    assert house.__dict__["sent"] == []
    assert numbers(house) == ["WMAIN-68/1"]
    failed = deletion(house)
    assert (failed.state, house.states("web_order")) == ("failed", ["succeeded", "failed"])
    assert why in failed.sentence
    assert f"qbwoo activity undo {order} --done" in failed.sentence
    assert [kind for kind, _ in tasks(house)] == ["undo"]


def test_a_deposit_that_the_order_does_not_show_is_told_by_its_receipt(make: MAKE) -> None:
    house = make(deposit_pays_order=False, begun_order_deleted=True)
    order = ordered(house)
    pay_deposit(house)
    undo(house, order)
    house.run_until_quiet()
    assert "was made from it in QuickBooks" in deletion(house).sentence
    assert numbers(house) == ["WMAIN-68/1"]


@pytest.mark.parametrize("reopens", [True, False])
@pytest.mark.parametrize("marked", [True, False])
def test_after_its_receipt_was_undone_the_sales_order_goes_if_quickbooks_opened_it(
    make: MAKE, reopens: bool, marked: bool
) -> None:
    house = make(reversal_reopens_order=reopens, reversal_marks_receipts=marked)
    order = ordered(house)
    house.take(completed())
    house.run_until_quiet()
    (sale,) = house.activities()
    undo(house, sale.id)
    house.run_until_quiet()
    (task,) = tasks(house)
    assert task == (
        "undo",
        "Receipt 1 of order 68 was reversed. It fulfilled sales order WMAIN-68/1, and not every Point of Sale opens that "
        f"again: look at it there. If it is open and nothing is to come of it, delete it: qbwoo activity undo {order}",
    )
    undo(house, order)
    house.run_until_quiet()
    assert deletion(house).state == ("succeeded" if reopens else "failed")
    assert len(house.pos.sales_orders()) == (0 if reopens else 1)
    # Where it stands, its task says so in place of the question.
    assert [kind for kind, _ in tasks(house)] == ([] if reopens else ["undo"])


def test_a_refused_deletion_fails_with_the_reason_and_may_be_retried(shop: House) -> None:
    order = ordered(shop)
    shop.pos.refuse_when = lambda request: (3260, "No permission.") if request.tag == "ListDelRq" else None
    undo(shop, order, again=True)
    shop.run_until_quiet()
    failed = deletion(shop)
    assert (failed.state, shop.states("web_order")) == ("failed", ["succeeded", "failed"])
    assert "No permission." in failed.sentence
    shop.pos.refuse_when = None
    with shop.database.write() as db:
        retry(db, get_activity(db, failed.id), "test")
    shop.run_until_quiet()
    assert numbers(shop) == ["WMAIN-68/2"]


def test_quickbooks_that_has_the_order_open_elsewhere_is_asked_again_later(shop: House) -> None:
    shop.set("retry.base_seconds", "1")
    order = ordered(shop)
    shop.pos.refuse_when = lambda request: (3175, "In use.") if request.tag == "ListDelRq" else None
    undo(shop, order)
    shop.run()
    assert deletion(shop).state == "delayed"


# Lost ----------------------------------------------------------------------


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_a_lost_deletion_is_asked_for_and_never_repeated_blindly(
    shop: House, executed: bool, again: bool
) -> None:
    undo(shop, ordered(shop), again=again)
    lose(shop, executed=executed)
    assert deletion(shop).state == "sent"
    count = deletions_sent(shop)
    for _ in range(3):
        shop.run(on_set=count)
    assert shop.__dict__["sent"] == ([] if executed else ["ListDelRq"])
    assert deletion(shop).state == "succeeded"
    assert numbers(shop) == (["WMAIN-68/2"] if again else [])
    assert shop.states("web_order") == ["superseded", "succeeded" if again else "cancelled"]


@pytest.mark.parametrize("lost", range(1, 8))
@pytest.mark.parametrize("executed", [True, False])
def test_any_one_answer_of_an_undo_may_be_lost(shop: House, lost: int, executed: bool) -> None:
    undo(shop, ordered(shop), again=True)

    def broken(number: int, *_: str) -> None:
        if number == lost:
            raise AnswerLost

    if executed:
        shop.run(on_answer=broken)
    else:
        shop.run(on_set=broken)
    shop.run_until_quiet()
    assert numbers(shop) == ["WMAIN-68/2"]
    assert shop.states("web_order") == ["superseded", "succeeded"]


def test_one_of_which_something_was_sold_after_its_answer_was_lost_stands(shop: House) -> None:
    order = ordered(shop)
    undo(shop, order)
    lose(shop, executed=False)
    fill(shop)
    shop.run_until_quiet()
    assert deletion(shop).state == "failed"
    assert "1 piece of it was sold" in deletion(shop).sentence
    assert numbers(shop) == ["WMAIN-68/1"]


@pytest.mark.parametrize("hresult", ["0x80040400", "0x80040402", "0x800706BA"])
@pytest.mark.parametrize("executed", [True, False])
def test_an_hresult_on_a_deletion_says_nothing_about_execution(
    shop: House, hresult: str, executed: bool
) -> None:
    shop.set("retry.base_seconds", "1")
    undo(shop, ordered(shop))
    armed: list[int] = []

    def on_set(number: int, request: str) -> None:
        if "<ListDelRq" in request and not armed:
            armed.append(number)
            shop.pos.fail_next(hresult, "An error.", after_executing=executed)

    shop.run(on_set=on_set)
    assert armed
    if executed:
        assert (deletion(shop).state, numbers(shop)) == ("succeeded", [])
    elif hresult == "0x80040400":
        assert deletion(shop).state == "failed"
        assert "could not read its request even alone" in deletion(shop).sentence
    else:
        assert (deletion(shop).state, numbers(shop)) == ("delayed", ["WMAIN-68/1"])


@pytest.mark.parametrize("after", [True, False], ids=["after the commit", "before the commit"])
def test_the_service_may_be_killed_around_any_commit_of_an_undo(shop: House, after: bool) -> None:
    undo(shop, ordered(shop), again=True)
    rounds = 0
    for kill_at in range(1, 30):
        rounds = kill_at
        if not (kill_after_commit if after else kill_before_commit)(shop, kill_at):
            break
    assert rounds > 2
    shop.run_until_quiet()
    assert numbers(shop) == ["WMAIN-68/2"]
    assert shop.states("web_order") == ["superseded", "succeeded"]


def test_a_late_answer_under_a_taken_over_ticket_binds(shop: House) -> None:
    undo(shop, ordered(shop), again=True)
    late: list[tuple[str, str]] = []

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if "<ListDelRq" in request:
            late.append((ticket, response))
            raise AnswerLost

    shop.run(on_answer=on_answer)
    new_ticket, _ = shop.begin()
    ((old_ticket, response),) = late
    assert shop.conversation.receive_response_xml(old_ticket, response, "", "") == 100
    assert deletion(shop).state == "succeeded"
    assert shop.states("web_order") == ["superseded", "pending"]
    shop.conversation.close_connection(new_ticket)
    shop.run_until_quiet()
    assert numbers(shop) == ["WMAIN-68/2"]


def test_a_restored_database_finds_that_the_order_is_gone(shop: House, tmp_path: Path) -> None:
    undo(shop, ordered(shop), again=True)
    copy_database(shop.database, tmp_path / "backup.db")
    shop.run_until_quiet()
    restored = House(Database(f"sqlite:///{tmp_path / 'backup.db'}"), shop.pos)
    count = deletions_sent(restored)
    for _ in range(4):
        restored.run(on_set=count)
    assert restored.__dict__["sent"] == []
    assert restored.states("web_order") == ["superseded", "succeeded"]
    assert numbers(restored) == ["WMAIN-68/2"]
    restored.database.close()


@pytest.mark.parametrize("unknown", ["as_no_match", "status_500"])
@pytest.mark.parametrize("no_match", ["status_1", "status_1_no_retcount", "status_0", "status_0_no_retcount"])
def test_one_that_a_person_deleted_meanwhile_is_done_and_said_so(
    make: MAKE, unknown: str, no_match: str
) -> None:
    house = make(unknown_id_query=unknown, no_match=no_match)
    order = ordered(house)
    delete_by_hand(house)
    undo(house, order)
    count = deletions_sent(house)
    for _ in range(3):
        house.run(on_set=count)
    assert house.__dict__["sent"] == []
    assert house.states("web_order") == ["superseded", "cancelled"]
    done = deletion(house)
    assert done.state == "succeeded"
    with house.database.read() as db:
        assert events_of(db, done.id)[-1].cause.endswith("somebody deleted it there")


def test_one_that_a_person_deletes_between_the_question_and_the_deletion_is_done(shop: House) -> None:
    undo(shop, ordered(shop))
    gone: list[int] = []

    def on_set(number: int, request: str) -> None:
        if "<ListDelRq" in request and not gone:
            gone.append(number)
            delete_by_hand(shop)

    shop.run(on_set=on_set)
    shop.run_until_quiet()
    assert gone
    assert deletion(shop).state == "succeeded"
    assert shop.states("web_order") == ["superseded", "cancelled"]


def test_a_person_may_say_that_it_was_deleted(shop: House) -> None:
    order = ordered(shop)
    fill(shop)
    undo(shop, order)
    shop.run_until_quiet()
    assert deletion(shop).state == "failed"
    undo(shop, order, done=True)
    assert shop.states("web_order") == ["superseded", "cancelled"]
    assert tasks(shop) == []


# Beside the receipt ----------------------------------------------------------


def test_a_receipt_that_may_go_waits_until_the_deletion_is_settled(shop: House) -> None:
    undo(shop, ordered(shop))
    shop.take(completed())
    lose(shop, executed=True)
    assert shop.states() == ["waiting"]
    shop.run_until_quiet()
    (receipt,) = shop.our_receipts()
    assert (receipt.total, receipt.sales_order_txn_id) == (TOTAL, None)
    assert shop.states() == ["succeeded"]
    assert numbers(shop) == []


def test_a_receipt_goes_and_fulfils_the_web_order_that_could_not_be_deleted(shop: House) -> None:
    undo(shop, ordered(shop))
    shop.pos.refuse_when = lambda request: (3260, "No permission.") if request.tag == "ListDelRq" else None
    shop.take(completed())
    shop.run_until_quiet()
    (receipt,) = shop.our_receipts()
    (order,) = shop.pos.sales_orders()
    assert receipt.sales_order_txn_id == order.txn_id
    assert (shop.states(), deletion(shop).state) == (["succeeded"], "failed")
    # Now it is too late.
    with shop.database.write() as db:
        retry(db, get_activity(db, deletion(shop).id), "test")
    shop.pos.refuse_when = None
    shop.run_until_quiet()
    assert deletion(shop).state == "failed"
    assert len(shop.pos.sales_orders()) == 1


def test_a_web_order_that_was_to_go_again_is_not_needed_beside_its_receipt(shop: House) -> None:
    undo(shop, ordered(shop), again=True)
    shop.take(completed())
    shop.run_until_quiet()
    assert numbers(shop) == []
    assert shop.totals() == [TOTAL]
    assert shop.states("web_order") == ["superseded", "cancelled"]


def test_an_undo_that_is_called_off_leaves_the_sales_order_and_lets_the_receipt_go(shop: House) -> None:
    undone = undo(shop, ordered(shop), again=True)
    with shop.database.write() as db:
        handwork.cancel(db, [undone], "test")
    shop.take(completed())
    shop.run_until_quiet()
    (order,) = shop.pos.sales_orders()
    assert (order.number, order.status) == ("WMAIN-68/1", "Closed")
    assert shop.totals() == [TOTAL]


def test_undoing_the_receipt_and_the_web_order_of_one_order_are_told_apart(make: MAKE) -> None:
    """They bear one mark and one generation."""
    house = make(reversal_reopens_order=True)
    order = ordered(house)
    house.take(completed())
    house.run_until_quiet()
    (sale,) = house.activities()
    undo(house, sale.id, again=True)
    house.run_until_quiet()
    undo(house, order)
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]
    assert house.states("web_order") == ["superseded", "cancelled"]
    assert house.states("reversal") == house.states("deletion") == ["succeeded"]
    assert (house.totals(), numbers(house)) == ([TOTAL], [])


@pytest.mark.parametrize("seed", range(8))
def test_an_undo_with_lost_answers_comes_out_under_every_dialect(
    sqlite_database: Database, box: SecretBox, seed: int
) -> None:
    rng = random.Random(seed)
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=PosDialect.random(rng)))
    house.set("lines.negative", "price")
    house.set_store("orders.documents", DOCUMENTS)
    with house.database.write() as db:
        get_company(db, "books").company_file = "Company Data=Sandbox Goods"
    undo(house, ordered(house), again=True)

    def broken(*_: object) -> None:
        if rng.random() < 0.3:
            raise AnswerLost

    for _ in range(6):
        house.run(on_set=broken, on_answer=broken)
    house.run_until_quiet()
    assert numbers(house) == ["WMAIN-68/2"]
    assert house.states("web_order") == ["superseded", "succeeded"]
    house.take(completed())
    house.run_until_quiet()
    (receipt,) = house.our_receipts()
    assert (receipt.total, receipt.sales_order_txn_id) == (TOTAL, house.pos.sales_orders()[0].txn_id)
