"""A line that breaks after every second message set: each session is as short as that, and there is progress all the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from queue_store.companies import add_store, get_company, set_live
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting
from tests.harness import AnswerLost, House, numbered, recorded_order


def orders_of_strangers(count: int) -> list[dict[str, Any]]:
    """Orders of as many new customers, each of a new item."""
    plain = recorded_order("plain")
    orders = []
    for number in range(count):
        first, *rest = plain["line_items"]
        orders.append(
            {
                **numbered(plain, 5000 + number),
                "billing": {**plain["billing"], "email": f"stranger{number}@example.net"},
                "line_items": [{**first, "sku": f"NEW-{number}"}, *rest],
            }
        )
    return orders


class BreakingLine:
    """Every `nth` message set is lost, counted over all sessions; nobody calls closeConnection."""

    def __init__(self, house: House, nth: int = 2, *, first: int = 0) -> None:
        self.house, self.nth, self.sets = house, nth, first
        self.late: list[tuple[str, str]] = []

    def run(self) -> bool:
        """One session; False if there was nothing to do."""
        return bool(self.house.run(on_answer=self._on_answer)) or self._broke

    def _on_answer(self, number: int, ticket: str, request: str, response: str) -> None:
        self.sets += 1
        self._broke = self.sets % self.nth == 0
        if self._broke:
            self.late.append((ticket, response))
            raise AnswerLost

    def run_until_done(self, most: int) -> int:
        """How many sessions it took until no order was left open."""
        for number in range(1, most + 1):
            self._broke = False
            self.run()
            if set(self.house.states()) <= {"succeeded", "failed"}:
                return number
        raise AssertionError(f"after {most} sessions: {sorted(self.house.states(None))}")


def assert_each_once(house: House, orders: list[dict[str, Any]]) -> None:
    assert set(house.states()) == {"succeeded"}
    assert sorted(house.totals()) == sorted(Decimal(order["total"]) for order in orders)
    marks = [receipt.comments.split()[0] for receipt in house.our_receipts()]
    assert sorted(marks) == sorted(f"WMAIN-{order['id']}/1" for order in orders)
    emails = [person.email for person in house.pos.customers()]
    alus = [item.alu for item in house.pos.items()]
    assert len(emails) == len(set(emails))
    assert len(alus) == len(set(alus))


@pytest.mark.parametrize("first", [0, 1], ids=["the second is lost", "the first is lost"])
def test_orders_of_strangers_come_through_a_line_that_loses_every_second_set(
    house: House, first: int
) -> None:
    orders = orders_of_strangers(20)
    for order in orders:
        house.take(order)
    BreakingLine(house, first=first).run_until_done(40)
    assert_each_once(house, orders)


def test_they_come_through_one_request_at_a_time(house: House) -> None:
    house.set("pace.start", "1")
    house.set("pace.most", "1")
    orders = orders_of_strangers(3)
    for order in orders:
        house.take(order)
    BreakingLine(house).run_until_done(80)
    assert_each_once(house, orders)


def test_a_look_back_of_many_pages_is_read_in_ever_larger_ones(house: House) -> None:
    house.set("pull.page", "10")
    till = house.pos.add_item("Till thing", alu="TILL", price1=Decimal("1.00"))
    house.take(numbered(recorded_order("plain"), 4999))
    house.run()
    for _ in range(70):
        house.pos.sell_in_store([(till.list_id, 1)])
    orders = orders_of_strangers(2)
    for order in orders:
        house.take(order)
    BreakingLine(house).run_until_done(40)
    assert_each_once(house, [numbered(recorded_order("plain"), 4999), *orders])


def test_two_shops_of_a_new_company_are_counted_in_one_set(house: House, box: SecretBox) -> None:
    with house.database.write() as db:
        other = add_store(
            db,
            box,
            company=get_company(db, "books"),
            name="other",
            url="https://other.example",
            consumer_key="ck_test",
            consumer_secret="cs_test",
            webhook_secret="whsec",
        )
        set_store_setting(db, other, "orders.since", "2020-01-01", who="test")
        set_live(db, other, ["orders"], who="test")
    orders = orders_of_strangers(2)
    for order in orders:
        house.take(order)
    BreakingLine(house).run_until_done(30)
    assert_each_once(house, orders)


def test_look_back_and_look_ups_share_the_first_set(house: House) -> None:
    house.set("pace.start", "20")
    house.take(recorded_order("plain"))
    sets: list[str] = []
    house.run(on_set=lambda number, request: sets.append(request))
    assert house.states() == ["succeeded"]
    assert "<SalesReceiptQueryRq" in sets[0]
    assert "<CustomerQueryRq" in sets[0]
    # Their department is asked for once it is known that items are to be added.
    assert ["<DepartmentQueryRq" in request for request in sets] == [False, True, False, False, False]
    assert "<SalesReceiptAddRq" in sets[-1]


# Answers to reads that come late ---------------------------------------------


def _session_that_loses_its_first_answer(house: House) -> tuple[str, str]:
    late: list[tuple[str, str]] = []

    def keep(number: int, ticket: str, request: str, response: str) -> None:
        late.append((ticket, response))
        raise AnswerLost

    house.run(on_answer=keep)
    return late[0]


def test_what_a_late_look_up_found_is_known(house: House) -> None:
    house.set("pace.start", "20")
    house.pos.add_customer("Guest", email="plain@example.net")
    house.take(recorded_order("plain"))
    ticket, response = _session_that_loses_its_first_answer(house)
    house.begin()
    assert house.conversation.receive_response_xml(ticket, response, "", "") == 100
    asked: list[str] = []
    house.run(on_set=lambda number, request: asked.append(request))
    assert house.states() == ["succeeded"]
    assert not any("<CustomerQueryRq" in request for request in asked)


def test_that_a_late_look_up_found_nothing_is_not_believed(house: House) -> None:
    house.set("pace.start", "20")
    house.take(recorded_order("plain"))
    ticket, response = _session_that_loses_its_first_answer(house)
    # Since then somebody has added the customer.
    house.pos.add_customer("Guest", email="plain@example.net")
    told: list[int] = []

    def on_set(number: int, request: str) -> None:
        if not told:
            told.append(house.conversation.receive_response_xml(ticket, response, "", ""))

    house.run(on_set=on_set)
    assert told == [100]
    assert house.states() == ["succeeded"]
    assert len(house.pos.customers()) == 1


def test_a_receipt_in_a_late_look_back_is_bound_and_no_look_back_is_saved_by_it(house: House) -> None:
    house.take(recorded_order("plain"))

    def lose_the_sale(number: int, ticket: str, request: str, response: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    house.run(on_answer=lose_the_sale)
    ticket, response = _session_that_loses_its_first_answer(house)
    house.begin()
    assert house.conversation.receive_response_xml(ticket, response, "", "") == 100
    assert house.states() == ["in_doubt"]
    asked: list[str] = []
    house.run(on_set=lambda number, request: asked.append(request))
    assert "<SalesReceiptQueryRq" in asked[0]
    assert house.states() == ["succeeded"]
    assert len(house.totals()) == 1
