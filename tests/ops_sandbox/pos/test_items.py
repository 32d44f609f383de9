"""Items: every field that messages know, item types, who deletes what, adjustments, and speed in numbers."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal

import pytest
from lxml import etree

from ops_sandbox.pos import PosCompanyFile
from qbxml.grammar import Choice, load_grammar


def status(answer):
    return answer.get("statusCode")


SAMPLES = {
    "BOOLTYPE": "true",
    "INTTYPE": "3",
    "AMTTYPE": "4.25",
    "PRICETYPE": "4.25",
    "QUANTYPE": "2.5",
    "PERCENTTYPE": "10",
    "FLOATTYPE": "1.5",
    "DATETYPE": "2026-01-30",
}


def sample(known, desk, vendor):
    if known.type is None:
        return "".join(f"<{c.name}>{sample(c, desk, vendor)}</{c.name}>" for c in known.content)
    if known.enum:
        return known.enum[-1] if known.name != "ItemType" else "Inventory"
    special = {
        "DepartmentListID": desk.tea.department_list_id,
        "VendorListID": vendor,
        "TaxCode": "Tax",
    }
    return special.get(known.name) or SAMPLES.get(known.type) or known.name[: known.length() or 20]


def fields_of(desk, vendor, leave_out=()):
    """Every child of ItemInventoryAdd with a value, but figures of stores that do not exist."""
    (add,) = (
        c
        for c in load_grammar("qbposxml").messages["ItemInventoryAddRq"].content
        if c.name == "ItemInventoryAdd"
    )
    assert not any(isinstance(child, Choice) for child in add.content)
    return {
        child.name: sample(child, desk, vendor)
        for child in add.content
        if child.name not in leave_out
        and not (child.name[-2:].isdigit() and "Store" in child.name and int(child.name[-2:]) > 2)
    }


def test_every_field_of_an_add_comes_back_in_a_query_and_can_be_changed(desk):
    vendor = desk.company.add_vendor("Leaf & Sons").list_id
    given = fields_of(desk, vendor)
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    answer = desk.one(f"<ItemInventoryAddRq><ItemInventoryAdd>{xml}</ItemInventoryAdd></ItemInventoryAddRq>")
    assert status(answer) == "0", answer.get("statusMessage")
    list_id = answer.findtext("ItemInventoryRet/ListID")
    query = f"<ItemInventoryQueryRq><ListID>{list_id}</ListID></ItemInventoryQueryRq>"
    ret = desk.one(query).find("ItemInventoryRet")
    for name, value in given.items():
        found = ret.find(name)
        assert found is not None, name
        if len(found):
            continue
        try:
            assert Decimal(found.text) == Decimal(value), name
        except ArithmeticError:
            assert found.text.lower() == value.lower(), name
    assert ret.findtext("VendorCode") == "LEA"
    assert ret.findtext("DepartmentCode") == "SYS"
    assert ret.findtext("QuantityOnHand") == "5.00"
    mod = f"<ItemInventoryModRq><ItemInventoryMod><ListID>{list_id}</ListID>{xml}</ItemInventoryMod></ItemInventoryModRq>"
    assert status(desk.one(mod)) == "0"


def test_a_mod_changes_what_it_names_and_no_more(desk):
    before = dict(desk.company.item(desk.tea.list_id).fields)
    answer = desk.one(
        f"<ItemInventoryModRq><ItemInventoryMod><ListID>{desk.tea.list_id}</ListID>"
        "<Price1>8.00</Price1><WebPrice>7.80</WebPrice></ItemInventoryMod></ItemInventoryModRq>"
    )
    assert status(answer) == "0"
    after = dict(desk.company.item(desk.tea.list_id).fields)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed - {"TimeModified"} == {"Price1", "WebPrice"}


def test_price_levels_that_nobody_set_are_left_out(desk):
    ret = desk.one("<ItemInventoryQueryRq/>")[0]
    assert ret.findtext("Price1") == "7.50"
    assert all(ret.find(name) is None for name in ("Price2", "Price5", "WebPrice", "MSRP"))


@pytest.mark.parametrize("item_type", ["NonInventory", "Service", "Group", "SpecialOrder"])
@pytest.mark.parametrize(("figures", "shown"), [("zero", "0.00"), ("left_out", None)])
def test_a_type_that_keeps_no_stock_has_none_whatever_is_sent(make_desk, item_type, figures, shown):
    desk = make_desk(no_stock_figures=figures)
    answer = desk.one(
        f"<ItemInventoryAddRq><ItemInventoryAdd><DepartmentListID>{desk.tea.department_list_id}</DepartmentListID>"
        f"<ItemType>{item_type}</ItemType><OnHandStore01>5</OnHandStore01></ItemInventoryAdd></ItemInventoryAddRq>"
    )
    ret = answer.find("ItemInventoryRet")
    assert (ret.findtext("OnHandStore01"), ret.findtext("QuantityOnHand")) == (shown, shown)
    list_id = ret.findtext("ListID")
    buyer = desk.company.add_customer("Berg").list_id
    desk.company.take_order([(list_id, 2)], buyer)
    desk.company.sell_in_store([(list_id, 1)])
    item = desk.company.item(list_id)
    assert (item.quantity_on_hand, item.on_customer_order) == (0, 0)


def test_an_item_that_becomes_a_stock_item_starts_with_nothing(make_desk):
    desk = make_desk(no_stock_figures="left_out")
    item = desk.company.add_item("Wrap", item_type="Service")
    assert dict(item.on_hand) == {}
    assert desk.company.change_item(item.list_id, ItemType="Inventory").on_hand == {1: 0, 2: 0}


@pytest.mark.parametrize("can", [True, False])
def test_an_item_on_an_open_order_is_deleted_where_the_dialect_says_so(make_desk, can):
    desk = make_desk(ordered_item_can_be_deleted=can)
    order = desk.company.take_order([(desk.tea.list_id, 1)], desk.company.add_customer("Berg").list_id)
    delete = (
        f"<ListDelRq><ListDelType>ItemInventory</ListDelType><ListID>{desk.tea.list_id}</ListID></ListDelRq>"
    )
    assert status(desk.one(delete)) == ("0" if can else "3170")
    if not can:
        desk.company.close_order(order.txn_id)
        assert status(desk.one(delete)) == "0"
    gone = desk.one("<ListDeletedQueryRq><ListDelType>ItemInventory</ListDelType></ListDeletedQueryRq>")
    assert [one.findtext("ListID") for one in gone] == [desk.tea.list_id]


# Adjustments


def adjustment(desk, quantity, head="", line=""):
    return desk.one(
        f"<InventoryQtyAdjustmentAddRq><InventoryQtyAdjustmentAdd>{head}<InventoryQtyAdjustmentItemAdd>"
        f"<ListID>{desk.tea.list_id}</ListID><NewQuantity>{quantity}</NewQuantity>{line}"
        "</InventoryQtyAdjustmentItemAdd></InventoryQtyAdjustmentAdd></InventoryQtyAdjustmentAddRq>"
    )


def test_an_adjustment_overwrites_what_was_sold_meanwhile_and_says_so(desk):
    desk.company.sell_in_store([(desk.tea.list_id, 2)])
    ret = adjustment(desk, 15, "<Reason>WEB</Reason>").find("InventoryQtyAdjustmentRet")
    line = ret.find("InventoryQtyAdjustmentItemRet")
    figures = [line.findtext(name) for name in ("OldQuantity", "NewQuantity", "QtyDifference")]
    assert figures == ["10.00", "15.00", "5.00"]
    assert (ret.findtext("StoreNumber"), ret.findtext("InventoryAdjustmentSource")) == ("1", "Manual")
    assert desk.company.stock(desk.tea.list_id) == 15


def test_an_adjustment_is_of_its_store_alone(desk):
    adjustment(desk, 8, "<Reason>WEB</Reason><StoreNumber>2</StoreNumber>")
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 12, 2: 8}
    assert status(adjustment(desk, 8, "<Reason>WEB</Reason><StoreNumber>3</StoreNumber>")) == "3140"


def test_an_adjustment_in_another_unit_counts_its_base_units(desk):
    desk.company.change_item(
        desk.tea.list_id, UnitOfMeasure1={"UnitOfMeasure": "case", "NumberOfBaseUnits": Decimal(6)}
    )
    ret = adjustment(desk, 3, "<Reason>WEB</Reason>", "<UnitOfMeasure>case</UnitOfMeasure>")
    assert ret.findtext(".//OldQuantity") == "2.00"
    assert desk.company.stock(desk.tea.list_id) == 18


def test_adjustments_are_found_by_their_comments_page_by_page(desk):
    for number in range(5):
        adjustment(desk, number, f"<Comments>WEB-{number % 2} of the shop</Comments><Reason>WEB</Reason>")
    head = '<InventoryQtyAdjustmentQueryRq iterator="{}"{}><MaxReturned>2</MaxReturned>'
    tail = (
        "<CommentsFilter><MatchStringCriterion>StartsWith</MatchStringCriterion><Comments>WEB-0</Comments>"
        "</CommentsFilter></InventoryQtyAdjustmentQueryRq>"
    )
    first = desk.one(head.format("Start", "") + tail)
    assert (len(first), first.get("iteratorRemainingCount")) == (2, "1")
    second = desk.one(head.format("Continue", f' iteratorID="{first.get("iteratorID")}"') + tail)
    assert (len(second), second.get("iteratorRemainingCount")) == (1, "0")


# In numbers


def test_many_items_are_read_page_by_page_without_a_growing_memory():
    company = PosCompanyFile.create(None)
    with company.transaction():
        for number in range(3000):
            company.add_item(f"Item {number}", alu=f"A-{number}", on_hand={1: number})
    session = company.begin_session("")
    seen, asked, sizes = [], 'iterator="Start"', []
    tracemalloc.start()
    try:
        while asked:
            text = session.process(
                '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError">'
                f"<ItemInventoryQueryRq {asked}><MaxReturned>500</MaxReturned><IncludeRetElement>ListID"
                "</IncludeRetElement><IncludeRetElement>OnHandStore01</IncludeRetElement></ItemInventoryQueryRq>"
                "</QBPOSXMLMsgsRq></QBPOSXML>"
            )
            answer = etree.fromstring(text.encode("windows-1252"))[0][0]
            assert {child.tag for ret in answer for child in ret} == {"ListID", "OnHandStore01"}
            seen += [ret.findtext("ListID") for ret in answer]
            more = int(answer.get("iteratorRemainingCount"))
            asked = f'iterator="Continue" iteratorID="{answer.get("iteratorID")}"' if more else ""
            del answer, text
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(set(seen)) == 3000
    assert sizes[-1] < sizes[0] + 500_000
