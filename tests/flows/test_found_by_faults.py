"""Rules that bad days taught: each was broken once, in a day of tests/faults."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_console import handwork
from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.exchange import WebConnectorConversation
from qbwc_service.flavours.pos.customers import fallback_customer
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.settings import Settings
from queue_store.tasks import open_tasks
from tests.faults.snapshots import Snapshot, let_time_pass
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order

SALE = "<SalesReceiptAddRq"
LATER = "2026-11-23T00:00:00"


class Session:
    """A Web Connector session, call by call."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ticket, says = house.begin()
        assert says == ""
        self.books = house.pos.begin_session("")
        self.request = ""

    def go_to(self, wanted: str) -> None:
        """Work until a set with `wanted` in it has been handed out; it is not executed yet."""
        for _ in range(60):
            self.request = self.house.send(self.ticket)
            if wanted in self.request:
                return
            self.answer()
        raise AssertionError(f"no set with {wanted}")

    def answer(self) -> str:
        """Execute the set at hand and deliver the answer."""
        response = self.books.process(self.request)
        self.house.conversation.receive_response_xml(self.ticket, response, "", "")
        return response

    def finish(self) -> None:
        """Work to the end."""
        for _ in range(60):
            self.request = self.house.send(self.ticket)
            response = self.books.process(self.request)
            percent = self.house.conversation.receive_response_xml(self.ticket, response, "", "")
            if percent == 100:
                self.house.conversation.close_connection(self.ticket)
                return
        raise AssertionError("the session did not end")


def lose_first(house: House, wanted: str, *, executed: bool) -> None:
    """One session that breaks at the first set with `wanted` in it."""

    def broken(request: str) -> None:
        if wanted in request:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: broken(request))
    else:
        house.run(on_set=lambda number, request: broken(request))


def tasks(house: House) -> list[str]:
    with house.database.read() as db:
        return [task.kind for task in open_tasks(db)]


def changed(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**order, "date_modified_gmt": LATER, **changes}


def dearer(order: dict[str, Any]) -> dict[str, Any]:
    """The same order with one dollar more on its first line."""
    first, *rest = order["line_items"]
    line = {
        **first,
        "total": str(Decimal(first["total"]) + 1),
        "subtotal": str(Decimal(first["subtotal"]) + 1),
    }
    return changed(order, line_items=[line, *rest], total=str(Decimal(order["total"]) + 1))


def unpaid(order: dict[str, Any]) -> dict[str, Any]:
    return changed(order, status="on-hold")


def refuse_first(tag: str, code: int, text: str) -> Callable[[Any], tuple[int, str] | None]:
    """The first request with this tag is refused."""
    left = [tag]

    def refuse(request: Any) -> tuple[int, str] | None:
        if request.tag != tag or not left:
            return None
        left.clear()
        return code, text

    return refuse


# Calls out of order ---------------------------------------------------------


def test_a_connection_error_in_the_middle_of_a_session_leaves_nothing_sent(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to(SALE)
    house.conversation.connection_error(session.ticket, "0x80040408", "no")
    assert house.states() == ["in_doubt"]
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1


def test_a_repeated_page_is_not_taken_for_the_next_one(house: House) -> None:
    house.set("pull.page", "10")
    order = recorded_order("plain")
    morning = Snapshot(house.database)
    for number in range(25):
        house.take(numbered(order, 2000 + number))
    house.run()
    assert len(house.totals()) == 25
    morning.restore(house.database)
    morning.close()
    for number in range(25):
        house.take(numbered(order, 2000 + number))
    session = Session(house)
    session.go_to("<SalesReceiptQueryRq")
    first_page = session.answer()
    session.request = house.send(session.ticket)
    assert 'iterator="Continue"' in session.request
    house.conversation.receive_response_xml(session.ticket, first_page, "", "")
    session.answer()
    session.finish()
    house.run_until_quiet()
    assert len(house.totals()) == 25
    assert set(house.states()) == {"succeeded"}


def test_a_repeated_look_up_is_not_taken_for_the_next_one(house: House) -> None:
    house.set("pace.most", "2")
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<ItemInventoryQueryRq")
    nothing_there = session.answer()
    # What the next set asks for is entered at this moment.
    session.request = house.send(session.ticket)
    (alu,) = re.findall("<ALU>(.*?)</ALU>", session.request)
    house.pos.add_item("Made by hand", alu=alu)
    house.conversation.receive_response_xml(session.ticket, nothing_there, "", "")
    session.answer()
    session.finish()
    house.run_until_quiet()
    assert [item.alu for item in house.pos.items()].count(alu) == 1


def test_an_answer_to_another_set_does_not_end_the_session(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<CustomerQueryRq")
    earlier = session.answer()
    session.go_to(SALE)
    assert house.conversation.receive_response_xml(session.ticket, earlier, "", "") < 100
    session.answer()
    assert house.states() == ["succeeded"]


# Additions ------------------------------------------------------------------


@pytest.fixture
def exact_house(sqlite_database: Database, box: SecretBox) -> House:
    """A house whose QuickBooks tells upper from lower case when it is asked."""
    dialect = PosDialect(filter_ignores_case=False)
    return make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))


def test_a_customer_in_doubt_is_asked_for_as_it_is_spelt(exact_house: House) -> None:
    house, order = exact_house, recorded_order("plain")
    house.take({**order, "billing": {**order["billing"], "email": ""}})
    lose_first(house, "<CustomerAddRq", executed=True)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.pos.customers()) == 1


def test_several_customers_of_the_fallback_name_stop_nobody(house: House) -> None:
    order = recorded_order("plain")
    named = fallback_customer(Settings(COMPANY_SETTINGS, {}, 1)).customer_id
    for _ in range(2):
        house.pos.add_customer("Online Customer", CustomerID=named)
    house.take({**order, "billing": {**order["billing"], "email": ""}})
    house.run()
    assert house.states() == ["succeeded"]


@pytest.mark.parametrize("wanted", ["<DepartmentAddRq", "<ItemInventoryAddRq", "<CustomerAddRq"])
def test_an_addition_out_of_a_backup_is_looked_for_before_it_is_made(house: House, wanted: str) -> None:
    house.take(recorded_order("plain"))
    # Refused for the moment: the additions wait.
    tag = wanted.strip("<")
    house.pos.refuse_when = lambda request: (3175, "In use.") if request.tag == tag else None
    house.run()
    backup = Snapshot(house.database)
    house.pos.refuse_when = None
    let_time_pass(house.database, 10)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    backup.restore(house.database)
    backup.close()
    let_time_pass(house.database, 10)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1
    assert len(house.pos.customers()) == 1
    assert len(house.pos.items()) == 4
    assert [one.name for one in house.pos.departments()] == ["System", "Online"]


def test_an_addition_that_an_answer_leaves_out_is_asked_for_anew(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<ItemInventoryAddRq")
    response = session.books.process(session.request)
    cut = re.sub("<ItemInventoryAddRs.*?</ItemInventoryAddRs>", "", response, count=1, flags=re.DOTALL)
    assert cut != response
    house.conversation.receive_response_xml(session.ticket, cut, "", "")
    session.finish()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.pos.items()) == 4


def test_an_item_in_doubt_is_not_found_by_another_items_number(house: House) -> None:
    other = house.pos.add_item("Another thing", alu="OTHER")
    order = recorded_order("plain")
    first, *rest = order["line_items"]
    sku = str(other.item_number)
    house.take({**order, "line_items": [{**first, "sku": "OTHER"}, *rest]})
    house.run()
    house.take(numbered({**order, "line_items": [{**first, "sku": sku}, *rest]}, 1099))
    lose_first(house, "<ItemInventoryAddRq", executed=False)
    house.run_until_quiet()
    assert house.states() == ["succeeded", "succeeded"]
    assert sorted(item.alu for item in house.pos.items())[0] == sku


def test_an_addition_that_seems_stale_is_asked_for_anew(house: House) -> None:
    house.pos.refuse_when = refuse_first("ItemInventoryAddRq", 3120, "Not found.")
    house.take(recorded_order("plain"))
    house.run()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.pos.departments()) == 2


def test_what_waits_fails_with_what_it_waits_for_however_far_it_is(house: House) -> None:
    house.pos.refuse_when = lambda request: (3180, "No.") if request.tag == "DepartmentAddRq" else None
    house.take(recorded_order("plain"))
    house.run()
    assert house.states("add_item") == ["failed"] * 4
    (sale,) = house.activities()
    assert sale.state == "failed"
    assert "QuickBooks refused it" in sale.sentence


def test_an_order_waits_only_for_what_its_newest_content_needs(house: House) -> None:
    order = recorded_order("plain")
    bad = numbered(order, 1, line_items=[{**order["line_items"][0], "sku": "BAD"}, order["line_items"][1]])
    house.pos.refuse_when = lambda request: (
        (3180, "No.") if request.findtext(".//ItemInventoryAdd/ALU") == "BAD" else None
    )
    house.take(bad)
    house.run()
    assert house.states() == ["failed"]
    house.take(numbered(changed(order), 1))
    house.run_until_quiet()
    assert house.states() == ["succeeded"]


def test_an_addition_that_a_person_cancelled_is_made_again_when_it_is_needed(house: House) -> None:
    house.pos.refuse_when = lambda request: (3180, "No.") if request.tag == "CustomerAddRq" else None
    house.take(recorded_order("plain"))
    house.run()
    house.pos.refuse_when = None
    session = Session(house) if house.begin()[1] == "" else None
    assert session is None
    customer = next(one for one in house.activities("add_customer") if one.reference == "plain@example.net")
    house.take(numbered(recorded_order("plain"), 1068))
    session = Session(house)
    with house.database.write() as db:
        handwork.cancel(db, [customer.id], "test")
    session.finish()
    house.run_until_quiet()
    assert house.states()[1] == "succeeded"


def test_a_retried_order_does_not_wait_for_an_addition_that_a_person_cancelled(house: House) -> None:
    house.pos.refuse_when = lambda request: (
        (3180, "No.") if request.tag in ("CustomerAddRq", "ItemInventoryAddRq") else None
    )
    house.take(recorded_order("plain"))
    house.run()
    house.pos.refuse_when = None
    (sale,) = house.activities()
    item = house.activities("add_item")[0]
    assert [sale.state, item.state] == ["failed", "failed"]
    with house.database.write() as db:
        handwork.cancel(db, [item.id], "test")
    with house.database.write() as db:
        handwork.retry(db, [sale.id], "test")
    house.run_until_quiet()
    assert house.states() == ["succeeded"]


# What the shop does meanwhile -----------------------------------------------


@pytest.mark.parametrize("how", ["lost", "refused"])
def test_an_order_put_on_hold_while_it_was_sent_waits_if_it_is_not_in_the_books(
    house: House, how: str
) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to(SALE)
    house.take(unpaid(recorded_order("plain")))
    if how == "refused":
        house.pos.refuse_when = refuse_first("SalesReceiptAddRq", 3175, "In use.")
        session.answer()
    let_time_pass(house.database, 10)
    house.run_until_quiet()
    (sale,) = house.activities()
    assert (sale.state, sale.reason) == ("waiting", "status")
    assert "on-hold" in sale.sentence
    assert house.totals() == []


def test_an_order_put_on_hold_is_not_woken_by_what_it_waited_for(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to("<CustomerAddRq")
    assert house.states() == ["waiting"]
    house.take(unpaid(recorded_order("plain")))
    session.answer()
    session.finish()
    assert house.states() == ["waiting"]
    assert house.totals() == []


def test_an_order_that_was_cancelled_and_revived_goes_with_its_newest_content(house: House) -> None:
    order = recorded_order("plain")
    house.take(order)
    session = Session(house)
    session.go_to(SALE)
    house.take(changed(order, status="cancelled"))
    house.pos.refuse_when = refuse_first("SalesReceiptAddRq", 3175, "In use.")
    session.answer()
    assert house.states() == ["cancelled"]
    house.take({**dearer(order), "date_modified_gmt": "2026-11-24T00:00:00"})
    house.pos.refuse_when = refuse_first("SalesReceiptAddRq", 3175, "In use.")
    house.run_until_quiet()
    let_time_pass(house.database, 70)
    house.run_until_quiet()
    assert house.totals() == [Decimal(order["total"]) + 1]
    assert tasks(house) == []


def test_a_bad_request_that_the_shop_corrected_meanwhile_goes_corrected(house: House) -> None:
    order = recorded_order("plain")
    house.take(order)
    house.pos.poison = lambda request: str(order["total"]) in "".join(request.itertext())
    session = Session(house)
    session.go_to(SALE)
    house.take(dearer(order))
    house.conversation.receive_response_xml(session.ticket, "", "0x80040400", "error parsing")
    session.finish()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert house.totals() == [Decimal(order["total"]) + 1]


# Backups and clocks ---------------------------------------------------------


def test_a_session_under_which_the_database_was_put_back_looks_back_again(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    session.go_to(SALE)
    house.conversation.receive_response_xml(session.ticket, "", "", "")
    session.go_to(SALE)
    # The session has looked back, and the order is about to go.
    with house.database.write() as db:
        db.connection().exec_driver_sql("UPDATE activities SET state = 'pending' WHERE kind = 'sale'")
        db.connection().exec_driver_sql("UPDATE exchanges SET state = 'answered'")
        db.connection().exec_driver_sql("UPDATE qbwc_sessions SET looked_back = 1")
    backup = Snapshot(house.database)
    session.go_to(SALE)
    session.answer()
    assert len(house.totals()) == 1
    backup.restore(house.database)
    backup.close()
    let_time_pass(house.database, 5)
    session.finish()
    assert len(house.totals()) == 1


def test_an_order_cancelled_after_a_backup_was_put_back_is_found_in_the_books(house: House) -> None:
    order = recorded_order("plain")
    backup = Snapshot(house.database)
    house.take(order)
    house.run()
    backup.restore(house.database)
    backup.close()
    house.take(changed(order, status="cancelled"))
    assert house.states() == ["cancelled"]
    house.take(numbered(order, 1068))
    house.run()
    assert house.states() == ["succeeded", "succeeded"]
    assert tasks(house) == ["changed after sent"]
    assert len(house.totals()) == 2


def test_an_order_changed_after_a_backup_was_put_back_stops_nothing(house: House) -> None:
    order = recorded_order("plain")
    backup = Snapshot(house.database)
    house.take(order)
    house.run()
    backup.restore(house.database)
    backup.close()
    house.take(dearer(order))
    house.take(numbered(order, 1068))
    house.run()
    assert house.states() == ["succeeded", "succeeded"]
    assert tasks(house) == ["changed after sent"]


def test_a_clock_that_ran_ahead_for_a_while_hides_no_receipt(
    sqlite_database: Database, box: SecretBox
) -> None:
    ahead = timedelta(days=400)
    pos = PosCompanyFile.create(None, clock=lambda: datetime.now(UTC) + ahead)
    house = make_house(sqlite_database, box, pos)
    house.take(recorded_order("plain"))
    house.run()
    house.take(numbered(recorded_order("plain"), 1068))
    house.run()
    ahead = timedelta(0)
    house.take(numbered(recorded_order("plain"), 1069))
    lose_first(house, SALE, executed=True)
    house.conversation = WebConnectorConversation(house.database)
    house.run_until_quiet()
    assert house.states() == ["succeeded"] * 3
    assert len(house.totals()) == 3


# Sessions without end --------------------------------------------------------


def test_a_session_whose_writes_are_never_answered_readably_comes_to_an_end(house: House) -> None:
    house.take(recorded_order("plain"))
    session = Session(house)
    for _ in range(100):
        session.request = house.send(session.ticket)
        if "AddRq" in session.request:
            percent = house.conversation.receive_response_xml(session.ticket, "not XML", "", "")
        else:
            response = session.books.process(session.request)
            percent = house.conversation.receive_response_xml(session.ticket, response, "", "")
        if percent < 0:
            break
    assert percent == -1
    assert "came to nothing" in house.conversation.get_last_error(session.ticket)
    house.conversation.close_connection(session.ticket)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]


def test_what_an_unknown_receipt_differs_from_stays_told_of_while_the_order_stays_as_it_is(
    house: House,
) -> None:
    plain = recorded_order("plain")
    backup = Snapshot(house.database)
    house.take(plain)
    house.run_until_quiet()
    backup.restore(house.database)
    backup.close()
    house.take(changed(dearer(plain)))
    house.run_until_quiet()
    assert tasks(house) == ["changed after sent"]
    # Saved again: nothing that shows in a receipt is new, and the one in the books is as it was.
    again = changed(dearer(plain), date_modified_gmt="2026-11-23T00:05:00", transaction_id="another")
    house.take(again)
    assert tasks(house) == ["changed after sent"]
