"""What falls between two requests, and what later pages of an iterator show of it."""

from __future__ import annotations

import pytest


def adjust(desk, quantity):
    return desk.one(
        "<InventoryQtyAdjustmentAddRq><InventoryQtyAdjustmentAdd><Reason>WEB</Reason>"
        f"<InventoryQtyAdjustmentItemAdd><ListID>{desk.tea.list_id}</ListID><NewQuantity>{quantity}</NewQuantity>"
        "</InventoryQtyAdjustmentItemAdd></InventoryQtyAdjustmentAdd></InventoryQtyAdjustmentAddRq>"
    )


def test_a_sale_can_fall_between_a_reading_and_the_writing_that_overwrites_it(desk):
    deed = desk.company.before_next(
        "InventoryQtyAdjustmentAddRq", lambda request: desk.company.sell_in_store([(desk.tea.list_id, 2)])
    )
    assert adjust(desk, 12).findtext(".//OldQuantity") == "10.00"
    assert adjust(desk, 12).findtext(".//OldQuantity") == "12.00"
    assert deed.times == 1


def test_a_sale_can_fall_after_a_query_whose_answer_does_not_show_it(desk):
    desk.company.after_next(
        "ItemInventoryQueryRq", lambda request: desk.company.sell_in_store([(desk.tea.list_id, 2)])
    )
    first, second = desk.ask("<ItemInventoryQueryRq/><ItemInventoryQueryRq/>")
    assert first.findtext(".//OnHandStore01") == "12.00"
    assert second.findtext(".//OnHandStore01") == "10.00"


def test_a_deed_for_any_request_sees_each_and_can_be_cancelled(desk):
    seen = []
    deed = desk.company.before_next("", lambda request: seen.append(request.tag), count=None)
    desk.ask("<ItemInventoryQueryRq/><CustomerQueryRq/>")
    deed.cancel()
    desk.ask("<ItemInventoryQueryRq/>")
    assert seen == ["ItemInventoryQueryRq", "CustomerQueryRq"]


@pytest.mark.parametrize(("pages", "shown"), [("live", ["3.00"]), ("as_started", ["4.00", "1.00"])])
def test_later_pages_are_live_or_as_they_were_at_the_start(make_desk, pages, shown):
    desk = make_desk(iterator_pages=pages)
    cup, pot = desk.company.add_item("Cup", on_hand={1: 4}), desk.company.add_item("Pot", on_hand={1: 1})
    first = desk.one(
        '<ItemInventoryQueryRq iterator="Start"><MaxReturned>1</MaxReturned></ItemInventoryQueryRq>'
    )
    assert first.findtext(".//ListID") == desk.tea.list_id
    desk.company.add_item("Too late", on_hand={1: 9})
    desk.company.sell_in_store([(cup.list_id, 1)])
    desk.company.delete_item(pot.list_id)
    second = desk.one(
        f'<ItemInventoryQueryRq iterator="Continue" iteratorID="{first.get("iteratorID")}">'
        "<MaxReturned>5</MaxReturned></ItemInventoryQueryRq>"
    )
    assert [ret.findtext("OnHandStore01") for ret in second] == shown
