"""Which item and which customer of QuickBooks a sale is written with."""

from __future__ import annotations

from typing import Any

import pytest

from ops_console import handwork
from qbwc_service.preparing import prepare_pending
from queue_store.catalogue import bind
from queue_store.companies import get_company
from queue_store.mappings import set_mapping
from queue_store.models import Activity
from queue_store.payloads import Item, encode
from queue_store.tasks import open_tasks
from tests.faults.snapshots import let_time_pass
from tests.harness import AnswerLost, House, numbered, recorded_order


def with_sku(sku: str, order_id: int = 1000) -> dict[str, Any]:
    order = numbered(recorded_order("plain"), order_id)
    first, *rest = order["line_items"]
    return {**order, "line_items": [{**first, "sku": sku}, *rest]}


def first_line(house: House) -> Any:
    (receipt,) = house.our_receipts()
    return receipt.lines[0]


def sentence(house: House) -> str:
    (sale,) = house.activities()
    assert sale.state == "failed"
    return sale.sentence


@pytest.fixture(autouse=True)
def _second_item(house: House) -> None:
    house.pos.add_item("Second widget", alu="WID-002", price1=6)


def test_a_sku_is_found_by_alu_whatever_its_case(house: House) -> None:
    item = house.pos.add_item("Widget", alu="wid-x", price1=4)
    house.take(with_sku("WID-X"))
    house.run()
    assert first_line(house).list_id == item.list_id


def test_a_sku_is_found_by_upc_where_no_alu_has_it(house: House) -> None:
    item = house.pos.add_item("Widget", alu="other", upc="4006381333931", price1=4)
    house.take(with_sku("4006381333931"))
    house.run()
    assert first_line(house).list_id == item.list_id


def test_alu_comes_before_upc(house: House) -> None:
    by_alu = house.pos.add_item("By ALU", alu="12345", price1=4)
    house.pos.add_item("By UPC", upc="12345", price1=4)
    house.take(with_sku("12345"))
    house.run()
    assert first_line(house).list_id == by_alu.list_id


def test_the_item_number_counts_only_if_it_is_chosen(house: House) -> None:
    item = house.pos.add_item("Widget", alu="other", price1=4)
    house.set("items.missing", "refuse")
    house.take(with_sku(str(item.item_number)))
    house.run()
    assert f'SKU "{item.item_number}" has no QuickBooks item' in sentence(house)
    house.set("items.keys", "ItemNumber,ALU")
    house.take(with_sku(str(item.item_number), 1001))
    house.run()
    assert first_line(house).list_id == item.list_id


def test_two_items_with_one_key_are_refused_and_both_named(house: House) -> None:
    one = house.pos.add_item("First", alu="TWICE", price1=4)
    two = house.pos.add_item("Second", alu="twice", price1=4)
    house.take(with_sku("TWICE"))
    house.run()
    assert f"item {one.item_number} 'First'" in sentence(house)
    assert f"item {two.item_number} 'Second'" in sentence(house)


def test_a_mapping_by_hand_decides(house: House) -> None:
    item = house.pos.add_item("Mapped", alu="quite-other", price1=4)
    with house.database.write() as db:
        bind(
            db,
            company_id=get_company(db, "books").id,
            kind="item",
            key="a sku of more than twenty characters",
            list_id=item.list_id,
            source="operator",
        )
    house.take(with_sku("A SKU of more than twenty characters"))
    house.run()
    assert first_line(house).list_id == item.list_id


def test_a_sku_over_twenty_characters_needs_a_mapping(house: House) -> None:
    house.take(with_sku("A SKU of more than twenty characters"))
    house.run()
    (add,) = house.activities("add_item")[:1]
    assert "has 36 characters, an ALU in QuickBooks has 20" in add.sentence
    assert "has 36 characters" in sentence(house)


def test_a_missing_item_is_refused_with_what_to_do(house: House) -> None:
    house.set("items.missing", "refuse")
    house.take(with_sku("NOBODY"))
    house.run()
    assert 'SKU "NOBODY" has no QuickBooks item' in sentence(house)
    assert "retry" in sentence(house)


def test_a_missing_item_is_made_if_the_setting_says_so(house: House) -> None:
    house.take(with_sku("NEW-1"))
    house.run()
    made = next(item for item in house.pos.items() if item.alu == "NEW-1")
    assert (made.item_type, made.desc1) == ("Inventory", "Widget 01")
    assert first_line(house).list_id == made.list_id


def test_a_missing_item_falls_back_if_the_setting_says_so(house: House) -> None:
    house.set("items.missing", "fallback")
    house.take(with_sku("NOBODY"))
    house.run()
    made = next(item for item in house.pos.items() if item.desc1 == "Online Item")
    assert made.item_type == "NonInventory"
    assert first_line(house).list_id == made.list_id


def test_a_line_without_sku_goes_to_the_fallback_item_or_is_refused(house: House) -> None:
    house.take(recorded_order("nosku"))
    house.run()
    assert house.states() == ["succeeded"]
    house.set("items.fallback", "")
    house.take(numbered(recorded_order("nosku"), 2000))
    house.run()
    assert "has no SKU" in house.activities()[-1].sentence


def test_our_own_items_are_made_once_untaxed_in_their_department(house: House) -> None:
    house.take(recorded_order("plain"))
    house.run()
    house.take(numbered(recorded_order("plain"), 2000))
    house.run()
    own = [item for item in house.pos.items() if item.desc1.startswith("Online ")]
    assert sorted(item.desc1 for item in own) == ["Online Sales Tax", "Online Shipping"]
    assert {(item.item_type, item.tax_code) for item in own} == {("NonInventory", "Non")}
    online = next(one for one in house.pos.departments() if one.name == "Online")
    assert {item.department_list_id for item in own} == {online.list_id}


def test_an_own_item_that_a_person_made_by_name_is_used(house: House) -> None:
    item = house.pos.add_item("Online Shipping", price1=0, item_type="NonInventory", tax_code="Non")
    house.take(recorded_order("plain"))
    house.run()
    (receipt,) = house.our_receipts()
    assert item.list_id in [line.list_id for line in receipt.lines]


def test_an_item_deleted_in_quickbooks_is_looked_up_anew(house: House) -> None:
    item = house.pos.add_item("Widget", alu="GONE", price1=4)
    house.take(with_sku("GONE"))
    house.run()
    house.pos.delete_item(item.list_id)
    other = house.pos.add_item("Widget again", alu="GONE", price1=4)
    house.take(with_sku("GONE", 2000))
    house.run_until_quiet()
    assert house.states() == ["succeeded", "succeeded"]
    assert house.our_receipts()[-1].lines[0].list_id == other.list_id


# Customers ------------------------------------------------------------------


def buyer(house: House) -> Any:
    receipt = house.our_receipts()[-1]
    return next(person for person in house.pos.customers() if person.list_id == receipt.customer_list_id)


def test_one_customer_with_the_email_is_bound_whatever_its_case(house: House) -> None:
    house.pos.add_customer("Somebody", email="PLAIN@Example.NET")
    house.take(recorded_order("plain"))
    house.run()
    assert buyer(house).last_name == "Somebody"
    assert len(house.pos.customers()) == 1


def test_a_guest_order_never_overwrites_a_name_or_address(house: House) -> None:
    before = house.pos.add_customer("Somebody", email="plain@example.net", phone="1")
    house.take(recorded_order("plain"))
    house.run()
    assert house.pos.customers() == [before]


def test_several_with_one_email_are_told_apart_by_name_and_postcode(house: House) -> None:
    house.pos.add_customer("Guest", first_name="Gina", email="plain@example.net")
    right = house.pos.add_customer(
        "Guest", first_name="Gina", email="plain@example.net", BillAddress={"PostalCode": "94105"}
    )
    house.take(recorded_order("plain"))
    house.run()
    assert buyer(house).list_id == right.list_id


def test_an_ambiguous_customer_is_a_task_and_never_a_failed_sale(house: House) -> None:
    house.pos.add_customer("One", email="plain@example.net")
    house.pos.add_customer("Two", email="plain@example.net")
    house.take(recorded_order("plain"))
    house.run()
    assert buyer(house).last_name == "Online Customer"
    with house.database.read() as db:
        (task,) = open_tasks(db)
    assert task.kind == "ambiguous customer"
    assert "plain@example.net" in task.sentence


def test_a_guest_without_email_is_the_named_web_customer(house: House) -> None:
    house.take(recorded_order("noname"))
    house.take(numbered(recorded_order("with_deleted_product"), 2000))
    house.run()
    assert house.states() == ["succeeded", "succeeded"]
    names = [person.last_name for person in house.pos.customers()]
    assert names.count("Online Customer") == 1


def test_a_customer_whose_add_was_lost_is_found_by_our_id(house: House) -> None:
    house.take(recorded_order("plain"))

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if "<CustomerAddRq" in request:
            raise AnswerLost

    house.run(on_answer=on_answer)
    house.run_until_quiet()
    assert len(house.pos.customers()) == 1
    assert house.states() == ["succeeded"]


def is_stranger(request: Any) -> bool:
    """True for a request about the recorded buyer, not about the named web customer."""
    return "plain@example.net" in "".join(request.itertext())


def customer_task(house: House) -> str:
    with house.database.read() as db:
        (task,) = open_tasks(db)
    assert task.kind == "customer refused"
    return task.sentence


@pytest.mark.parametrize("status", [500, 3000, 3140, 3180])
def test_a_sale_whose_customer_is_refused_goes_to_the_web_customer_and_a_person_is_told(
    house: House, status: int
) -> None:
    house.pos.refuse_when = lambda request: (
        (status, "The customer could not be saved.")
        if request.tag == "CustomerAddRq" and is_stranger(request)
        else None
    )
    house.take(recorded_order("plain"))
    house.run()
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert buyer(house).last_name == "Online Customer"
    assert "plain@example.net" in customer_task(house)
    assert "The customer could not be saved." in customer_task(house)
    # The next sale does not try again by itself; a person's retry does.
    house.take(numbered(recorded_order("plain"), 2000))
    house.run()
    assert house.states() == ["succeeded", "succeeded"]
    house.pos.refuse_when = None
    (refused,) = [one for one in house.activities("add_customer") if one.state == "failed"]
    with house.database.write() as db:
        handwork.retry(db, [refused.id], "test")
    house.run()
    house.take(numbered(recorded_order("plain"), 2001))
    house.run()
    assert buyer(house).email == "plain@example.net"


def test_a_sale_fails_only_if_the_web_customer_is_refused_too(house: House) -> None:
    house.pos.refuse_when = lambda request: (
        (3180, "The customer could not be saved.") if request.tag == "CustomerAddRq" else None
    )
    house.take(recorded_order("plain"))
    house.run()
    assert "Online Customer" in sentence(house)
    assert "The customer could not be saved." in sentence(house)


def test_a_sale_whose_customer_cannot_be_looked_up_goes_to_the_web_customer(house: House) -> None:
    house.pos.refuse_when = lambda request: (
        (3000, "The e-mail is not valid.")
        if request.tag == "CustomerQueryRq" and is_stranger(request)
        else None
    )
    house.take(recorded_order("plain"))
    house.run()
    assert house.states() == ["succeeded"]
    assert buyer(house).last_name == "Online Customer"
    assert "The e-mail is not valid." in customer_task(house)


def test_a_sale_waits_no_longer_than_an_hour_for_a_customer_in_doubt_that_cannot_be_looked_up(
    house: House,
) -> None:
    house.take(recorded_order("plain"))

    def lose_the_add(number: int, ticket: str, request: str, response: str) -> None:
        if "<CustomerAddRq" in request:
            raise AnswerLost

    house.run(on_answer=lose_the_add)
    house.pos.refuse_when = lambda request: (
        (3000, "The e-mail is not valid.")
        if request.tag == "CustomerQueryRq" and "WN-" not in "".join(request.itertext())
        else None
    )
    house.run()
    assert house.states() == ["waiting"]
    let_time_pass(house.database, 61)
    house.run()
    assert house.states() == ["succeeded"]
    assert buyer(house).last_name == "Online Customer"
    assert "The e-mail is not valid." in customer_task(house)


def test_an_addition_that_the_worker_cannot_prepare_keeps_nobody_waiting(house: House) -> None:
    house.take(with_sku("NEW-1"))
    house.pos.refuse_when = lambda request: (3175, "In use.") if request.tag == "ItemInventoryAddRq" else None
    house.run()
    with house.database.write() as db:
        item = next(one for one in house.activities("add_item") if one.reference == "NEW-1")
        model = db.get_one(Activity, item.id)
        model.payload = encode(
            Item(sku="A SKU of more than twenty characters", name="Long", item_type="Inventory")
        )
        model.state, model.next_at, model.prepared = "pending", None, None
    prepare_pending(house.database)
    assert "has 36 characters" in sentence(house)


# Look-ups that cannot be answered --------------------------------------------


def test_a_customer_whose_look_up_was_refused_is_never_added_a_second_time(house: House) -> None:
    """The add was executed and its answer lost; the look-up that should tell comes to an HRESULT."""
    house.take(recorded_order("plain"))

    def lose_the_add(number: int, ticket: str, request: str, response: str) -> None:
        if "<CustomerAddRq" in request:
            raise AnswerLost

    house.run(on_answer=lose_the_add)
    refusals: list[int] = []

    def refuse(number: int, request: str) -> None:
        if "<CustomerQueryRq" in request and len(refusals) < 8:
            refusals.append(number)
            house.pos.fail_next("0x80040400", "An error.", after_executing=False)

    house.run(on_set=refuse)
    house.run_until_quiet()
    assert refusals
    assert len(house.pos.customers()) == 1
    assert house.states() == ["succeeded"]


def test_one_refused_set_of_look_ups_fails_nobody(house: House) -> None:
    for order_id in range(1000, 1020):
        house.take(numbered(recorded_order("plain"), order_id))
    struck: list[int] = []

    def refuse(number: int, request: str) -> None:
        if "<CustomerQueryRq" in request and not struck:
            struck.append(number)
            house.pos.fail_next("0x80040400", "An error.", after_executing=False)

    house.run(on_set=refuse)
    house.run_until_quiet()
    assert struck
    assert set(house.states()) == {"succeeded"}


def test_a_key_that_quickbooks_refuses_even_alone_fails_only_those_who_need_it(house: House) -> None:
    house.take(with_sku("POISON", 1000))
    house.take(with_sku("WID-001", 1001))
    house.pos.poison = lambda request: "POISON" in "".join(request.itertext())
    house.run()
    house.run_until_quiet()
    states = {sale.record_id: sale for sale in house.activities()}
    assert states["1001"].state == "succeeded"
    assert states["1000"].state == "failed"
    assert "could not read the look-up of 'POISON'" in states["1000"].sentence


def test_a_look_up_that_quickbooks_cannot_answer_now_postpones_and_fails_nobody(house: House) -> None:
    house.set("retry.base_seconds", "1")
    house.take(recorded_order("plain"))
    busy = (3175, "The record is in use.")
    house.pos.refuse_when = lambda request: busy if request.tag == "CustomerQueryRq" else None
    house.run()
    (sale,) = house.activities()
    assert sale.state == "delayed"
    assert "in use" in sale.sentence
    assert house.pos.customers() == []


def test_a_customer_mapped_by_hand_by_email_is_the_buyer(house: House) -> None:
    house.pos.add_customer("One", email="plain@example.net")
    right = house.pos.add_customer("Two", email="plain@example.net")
    with house.database.write() as db:
        set_mapping(
            db,
            get_company(db, "books"),
            kind="customer",
            key="Plain@example.net",
            list_id=right.list_id,
            who="me",
        )
    house.take(recorded_order("plain"))
    house.run()
    assert buyer(house).list_id == right.list_id
