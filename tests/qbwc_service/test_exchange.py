"""The conversation, call by call, without SOAP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from queue_store.companies import get_store, set_live
from queue_store.models import Company, Exchange, QbwcSession
from tests.harness import PASSWORD, AnswerLost, House, numbered, recorded_order

FAR = "10.1.1.1"


def age_exchanges(house: House, minutes: int) -> None:
    with house.database.write() as db:
        db.execute(update(Exchange).values(sent_at=datetime.now(UTC) - timedelta(minutes=minutes)))


def age_sessions(house: House, minutes: int) -> None:
    with house.database.write() as db:
        db.execute(update(QbwcSession).values(started_at=datetime.now(UTC) - timedelta(minutes=minutes)))


def test_the_walk_is_the_same_on_both_databases(any_house: House) -> None:
    for order_id in range(1000, 1030):
        any_house.take(numbered(recorded_order("plain"), order_id))
    any_house.run()
    assert set(any_house.states()) == {"succeeded"}
    assert len(any_house.our_receipts()) == 30


def test_without_work_authenticate_says_none_and_quickbooks_is_not_opened(house: House) -> None:
    assert house.begin()[1] == "none"


@pytest.mark.parametrize(
    ("user", "password"), [("connector", "wrong"), ("nobody", PASSWORD), ("", ""), ("connector", "")]
)
def test_a_wrong_user_or_password_is_not_valid(house: House, user: str, password: str) -> None:
    house.take(recorded_order("plain"))
    assert house.conversation.authenticate(user, password, "127.0.0.1")[1] == "nvu"


def test_ten_wrong_passwords_lock_user_and_address_together(house: House) -> None:
    house.take(recorded_order("plain"))
    for _ in range(10):
        assert house.conversation.authenticate("connector", "wrong", FAR)[1] == "nvu"
    assert house.conversation.authenticate("connector", PASSWORD, FAR)[1] == "nvu"
    assert house.begin("127.0.0.1")[1] == ""


def test_the_array_has_at_least_two_strings_always(house: House) -> None:
    assert len(house.conversation.authenticate("x", "y", "127.0.0.1")) >= 2
    assert len(house.conversation.authenticate("connector", PASSWORD, "127.0.0.1")) >= 2


def test_an_unknown_ticket_gets_an_empty_request_minus_one_and_a_sentence(house: House) -> None:
    assert house.send("{nobody}") == ""
    assert house.conversation.receive_response_xml("{nobody}", "<x/>", "", "") == -1
    assert "not known" in house.conversation.get_last_error("{nobody}")
    assert house.conversation.close_connection("{nobody}") == "OK"
    assert house.conversation.close_connection("") == "OK"


def test_a_closed_ticket_gets_no_more_requests(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, _ = house.begin()
    house.conversation.close_connection(ticket)
    assert house.send(ticket) == ""
    assert house.conversation.get_last_error(ticket)


def test_get_last_error_is_never_empty(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, _ = house.begin()
    assert house.conversation.get_last_error(ticket) == "No error"


def test_a_new_session_from_the_same_address_takes_over_at_once(house: House) -> None:
    house.take(recorded_order("plain"))
    old, _ = house.begin()
    house.send(old)
    new, says = house.begin()
    assert says == ""
    assert house.send(old) == ""
    assert house.send(new)


def test_from_another_address_the_company_is_busy_until_the_set_is_old(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, _ = house.begin()
    house.send(ticket)
    assert house.begin(FAR)[1] == "busy"
    age_exchanges(house, 16)
    assert house.begin(FAR)[1] == ""


def test_without_an_outstanding_set_another_address_takes_over_at_once(house: House) -> None:
    house.take(recorded_order("plain"))
    house.begin()
    assert house.begin(FAR)[1] == ""


def test_a_repeated_answer_changes_nothing(house: House) -> None:
    house.take(recorded_order("plain"))
    answers: list[tuple[str, str]] = []
    house.run(on_answer=lambda number, ticket, request, response: answers.append((ticket, response)))
    before = [(a.id, a.state, a.updated_at) for a in house.activities(None)]
    for ticket, response in answers:
        assert house.conversation.receive_response_xml(ticket, response, "", "") == 100
    assert [(a.id, a.state, a.updated_at) for a in house.activities(None)] == before


def test_a_repeated_send_puts_the_first_set_in_doubt_and_looks_back(house: House) -> None:
    house.take(recorded_order("plain"))
    asked: list[str] = []

    def on_set(number: int, request: str) -> None:
        asked.append(request)

    ticket, says = house.begin()
    books = house.pos.begin_session(says)
    while True:
        request = house.send(ticket)
        if "<SalesReceiptAddRq" in request:
            break
        house.conversation.receive_response_xml(ticket, books.process(request), "", "")
    books.process(request)
    again = house.send(ticket)
    assert "<SalesReceiptQueryRq" in again
    assert house.states() == ["in_doubt"]
    house.conversation.receive_response_xml(ticket, books.process(again), "", "")
    assert house.states() == ["succeeded"]
    assert len(house.our_receipts()) == 1


def test_an_answer_that_cannot_be_read_leaves_its_set_in_doubt(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, says = house.begin()
    books = house.pos.begin_session(says)
    while "<SalesReceiptAddRq" not in (request := house.send(ticket)):
        house.conversation.receive_response_xml(ticket, books.process(request), "", "")
    response = books.process(request)
    assert 0 <= house.conversation.receive_response_xml(ticket, response[: len(response) // 2], "", "") < 100
    assert house.states() == ["in_doubt"]
    house.run_until_quiet()
    assert len(house.our_receipts()) == 1


def test_control_characters_in_an_answer_lose_nothing(house: House) -> None:
    house.take(recorded_order("plain"))
    receive = house.conversation.receive_response_xml

    def dirty(ticket: str, response: str, hresult: str, message: str) -> int:
        spoilt = response.replace("<Comments>", "<Comments>\x01&#x1;", 1)
        return receive(ticket, spoilt, hresult, message)

    house.conversation.receive_response_xml = dirty  # type: ignore[method-assign]
    house.run()
    assert house.states() == ["succeeded"]


def test_connection_error_names_the_same_company_file_twice_then_gives_up(house: House) -> None:
    file = "Computer Name=TILL;Company Data=Sandbox Goods;Version=19"
    with house.database.write() as db:
        db.execute(update(Company).values(company_file=file))
    house.take(recorded_order("plain"))
    ticket, says = house.begin()
    assert says == file
    told = [house.conversation.connection_error(ticket, "0x80040408", "Could not start.") for _ in range(3)]
    assert told == [file, file, "done"]
    assert "Could not start." in house.conversation.get_last_error(ticket)


def test_connection_error_without_a_company_file_is_done_at_once(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, _ = house.begin()
    assert house.conversation.connection_error(ticket, "0x80040408", "Could not start.") == "done"
    assert house.conversation.connection_error("{nobody}", "0x80040408", "") == "done"


def test_a_session_ends_after_its_time_and_the_rest_waits_for_the_next(house: House) -> None:
    for order_id in range(1000, 1100):
        house.take(numbered(recorded_order("plain"), order_id))

    def on_set(number: int, request: str) -> None:
        if number == 5:
            age_sessions(house, 31)

    percents = house.run(on_set=on_set)
    assert percents[-1] == 100
    assert "pending" in house.states()
    house.run_until_quiet()
    assert len(house.our_receipts()) == 100


def test_work_that_vanishes_before_it_is_sent_ends_with_a_harmless_query(house: House) -> None:
    house.take(recorded_order("plain"))
    ticket, says = house.begin()
    house.take({**recorded_order("plain"), "status": "cancelled", "date_modified_gmt": "2026-11-23T00:00:00"})
    request = house.send(ticket)
    assert "<CompanyQueryRq" in request
    books = house.pos.begin_session(says)
    assert house.conversation.receive_response_xml(ticket, books.process(request), "", "") == 100


def test_what_arrives_during_a_session_is_left_for_the_next(house: House) -> None:
    house.take(recorded_order("plain"))
    late = numbered(recorded_order("plain"), 2000)
    house.run(on_set=lambda number, request: house.take(late) if number == 1 else None)
    assert sorted(house.states()) == ["pending", "succeeded"]


def test_the_exact_bytes_of_each_set_and_answer_are_kept(house: House) -> None:
    house.take(recorded_order("plain"))
    walked: list[tuple[str, str]] = []
    house.run(on_answer=lambda number, ticket, request, response: walked.append((request, response)))
    with house.database.read() as db:
        kept = db.execute(select(Exchange.request, Exchange.response).order_by(Exchange.id)).all()
    assert [(row.request.decode(), row.response.decode()) for row in kept] == walked


def test_a_stopped_company_sends_no_documents(house: House) -> None:
    house.set("documents.stopped", "true")
    house.take(recorded_order("plain"))
    assert house.begin()[1] == "none"
    house.set("documents.stopped", "false")
    house.run()
    assert house.states() == ["succeeded"]


def test_a_total_that_differs_stops_further_documents(house: House) -> None:
    house.take(recorded_order("plain"))
    receive = house.conversation.receive_response_xml

    def wrong(ticket: str, response: str, hresult: str, message: str) -> int:
        return receive(
            ticket, response.replace("<Total>24.52</Total>", "<Total>24.53</Total>"), hresult, message
        )

    house.conversation.receive_response_xml = wrong  # type: ignore[method-assign]
    house.run()
    house.take(numbered(recorded_order("plain"), 2000))
    assert house.begin()[1] == "none"
    sale = house.activities()[0]
    assert sale.state == "succeeded"
    assert "24.53" in sale.sentence
    assert "difference 0.01" in sale.sentence


def test_an_order_changed_while_it_was_sent_is_told_to_the_operator(house: House) -> None:
    order = recorded_order("plain")
    house.take(order)
    changed = {
        **order,
        "total": "30.52",
        "shipping_total": "13.50",
        "date_modified_gmt": "2026-11-23T00:00:00",
    }
    changed["shipping_lines"] = [{**order["shipping_lines"][0], "total": "13.50"}]

    def on_set(number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            house.take(changed)

    house.run(on_set=on_set)
    (sale,) = house.activities()
    assert sale.state == "succeeded"
    assert "was changed in the shop after its receipt" in sale.sentence


def test_a_status_change_while_it_was_sent_is_nothing(house: House) -> None:
    order = {**recorded_order("plain"), "status": "processing"}
    house.take(order)

    def on_set(number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            house.take({**order, "status": "completed", "date_modified_gmt": "2026-11-23T00:00:00"})

    house.run(on_set=on_set)
    (sale,) = house.activities()
    assert (sale.state, sale.sentence) == ("succeeded", "")


def test_a_sale_in_doubt_of_a_paused_store_is_held_if_it_is_not_in_the_books(house: House) -> None:
    house.take(recorded_order("plain"))

    def on_set(number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    house.run(on_set=on_set)
    with house.database.write() as db:
        set_live(db, get_store(db, "main"), [], who="test")
    house.run_until_quiet()
    (sale,) = house.activities()
    assert (sale.state, sale.reason) == ("held", "not live")
    assert house.totals() == []


def test_a_sale_that_quickbooks_cannot_take_now_is_held_if_its_store_was_paused(house: House) -> None:
    house.take(recorded_order("plain"))
    busy = (3175, "The record is in use.")
    house.pos.refuse_when = lambda request: busy if request.tag == "SalesReceiptAddRq" else None

    def pause(number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            with house.database.write() as db:
                set_live(db, get_store(db, "main"), [], who="test")

    house.run(on_set=pause)
    (sale,) = house.activities()
    assert (sale.state, sale.reason) == ("held", "not live")
    assert "qbwoo store live main" in sale.sentence
