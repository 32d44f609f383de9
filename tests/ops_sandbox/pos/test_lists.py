"""Customers, items, departments, deletions, adjustments."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ops_sandbox.pos.errors import RequestRefused, UnknownRecord


def status(answer):
    return answer.get("statusCode")


def test_a_mod_changes_only_what_is_sent(desk):
    ann = desk.company.add_customer("Berg", first_name="Ann", email="ann@x.example")
    desk.clock.forward(minutes=1)
    answer = desk.one(
        f"<CustomerModRq><CustomerMod><ListID>{ann.list_id}</ListID><LastName>Sand</LastName></CustomerMod></CustomerModRq>"
    )
    assert answer.findtext("CustomerRet/FullName") == "Ann Sand"
    (changed,) = desk.company.customers()
    assert (changed.email, changed.time_modified) == ("ann@x.example", desk.clock.now)
    missing = "<CustomerModRq><CustomerMod><ListID>-7</ListID></CustomerMod></CustomerModRq>"
    assert status(desk.one(missing)) == "3120"


@pytest.mark.parametrize(
    ("switches", "address", "phone"),
    [
        ({}, {"City": "Concord", "State": "NH"}, ""),
        ({"mod_aggregates": "replace", "mod_empty_text": "ignored"}, {"State": "NH"}, "555"),
    ],
)
def test_a_mod_of_an_aggregate_and_an_empty_text_depend_on_the_dialect(make_desk, switches, address, phone):
    desk = make_desk(**switches)
    ann = desk.company.add_customer("Berg", phone="555", BillAddress={"City": "Concord", "State": "MA"})
    desk.one(
        f"<CustomerModRq><CustomerMod><ListID>{ann.list_id}</ListID><Phone></Phone>"
        "<BillAddress><State>NH</State></BillAddress></CustomerMod></CustomerModRq>"
    )
    (changed,) = desk.company.customers()
    assert (changed.bill_address, changed.phone) == (address, phone)


def test_nothing_is_unique(desk):
    for _ in range(2):
        desk.company.add_customer("Berg", email="ann@x.example")
        desk.company.add_item("Green tea", alu="TEA-50")
    assert len(desk.company.customers()) == 2
    assert [item.item_number for item in desk.company.items()] == [1, 2, 3]


def test_names_and_fields_may_be_unique(make_desk):
    desk = make_desk(customer_names_unique=True, unique_fields=frozenset({"ItemInventory.ALU"}))
    desk.company.add_customer("Berg", first_name="Ann")
    desk.company.add_customer("Berg", first_name="Bo")
    with pytest.raises(RequestRefused) as caught:
        desk.company.add_customer("BERG", first_name="Ann")
    assert caught.value.code == 3100
    with pytest.raises(RequestRefused):
        desk.company.add_item("Other tea", alu="TEA-50")


def test_an_item_needs_its_department(desk):
    add = (
        "<ItemInventoryAddRq><ItemInventoryAdd><ALU>CUP</ALU><DepartmentListID>{}</DepartmentListID>"
        "<OnHandStore01>4</OnHandStore01><OnHandStore02>1.5</OnHandStore02></ItemInventoryAdd></ItemInventoryAddRq>"
    )
    assert status(desk.one(add.format("-7"))) == "3120"
    cups = desk.company.add_department("Cups")
    ret = desk.one(add.format(cups.list_id))[0]
    assert ret.findtext("QuantityOnHand") == "5.50"
    assert ret.findtext("DepartmentCode") == "CUP"
    assert ret.findtext("ItemNumber") == "2"
    elsewhere = add.format(cups.list_id).replace("OnHandStore02", "OnHandStore09")
    assert status(desk.one(elsewhere)) == "3140"


def test_stock_of_an_item_can_be_modified(desk):
    answer = desk.one(
        f"<ItemInventoryModRq><ItemInventoryMod><ListID>{desk.tea.list_id}</ListID><OnHandStore01>1</OnHandStore01>"
        "</ItemInventoryMod></ItemInventoryModRq>"
    )
    assert answer.findtext("ItemInventoryRet/QuantityOnHand") == "4.00"


def test_a_department_is_added_and_found(desk):
    added = desk.one(
        "<DepartmentAddRq><DepartmentAdd><DepartmentCode>TEA</DepartmentCode><DepartmentName>Teas</DepartmentName>"
        "</DepartmentAdd></DepartmentAddRq>"
    )
    found = desk.one(
        "<DepartmentQueryRq><DepartmentNameFilter><MatchStringCriterion>Equal</MatchStringCriterion>"
        "<DepartmentName>Teas</DepartmentName></DepartmentNameFilter></DepartmentQueryRq>"
    )
    assert found.findtext("DepartmentRet/ListID") == added.findtext("DepartmentRet/ListID")
    assert [one.code for one in desk.company.departments()] == ["SYS", "TEA"]


def test_what_is_deleted_is_told(desk):
    desk.clock.forward(days=1)
    query = "<ListDeletedQueryRq><ListDelType>ItemInventory</ListDelType>{}</ListDeletedQueryRq>"
    assert desk.one(query.format("")).get("retCount") == "0"
    deleted = desk.one(
        f"<ListDelRq><ListDelType>ItemInventory</ListDelType><ListID>{desk.tea.list_id}</ListID></ListDelRq>"
    )
    assert deleted.findtext("TimeDeleted") == "2026-02-01T10:00:00-05:00"
    assert desk.company.items() == []
    since = "<DeletedDateRangeFilter><FromDeletedDate>{}</FromDeletedDate></DeletedDateRangeFilter>"
    told = desk.one(query.format(since.format("2026-02-01T10:00:00-05:00")))
    assert told.findtext("ListDeletedRet/ListID") == desk.tea.list_id
    assert desk.one(query.format(since.format("2026-02-01T10:00:01-05:00"))).get("retCount") == "0"
    assert desk.one(query.format("").replace("ItemInventory", "Customer")).get("retCount") == "0"


def test_a_department_with_items_stays(desk):
    delete = f"<ListDelRq><ListDelType>Department</ListDelType><ListID>{desk.tea.department_list_id}</ListID></ListDelRq>"
    assert status(desk.one(delete)) == "3170"
    desk.company.delete_item(desk.tea.list_id)
    assert status(desk.one(delete)) == "0"


def adjustment(list_id, quantity, store=""):
    return (
        f"<InventoryQtyAdjustmentAddRq><InventoryQtyAdjustmentAdd><Reason>Web</Reason>{store}"
        f"<InventoryQtyAdjustmentItemAdd><ListID>{list_id}</ListID><NewQuantity>{quantity}</NewQuantity>"
        "</InventoryQtyAdjustmentItemAdd></InventoryQtyAdjustmentAdd></InventoryQtyAdjustmentAddRq>"
    )


def test_an_adjustment_is_absolute_and_tells_the_old_quantity(desk):
    desk.company.sell_in_store([(desk.tea.list_id, 2)])
    ret = desk.one(adjustment(desk.tea.list_id, "11"))[0]
    line = ret.find("InventoryQtyAdjustmentItemRet")
    assert [line.findtext(name) for name in ("OldQuantity", "NewQuantity", "QtyDifference")] == [
        "10.00",
        "11.00",
        "1.00",
    ]
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 11, 2: 3}
    desk.one(adjustment(desk.tea.list_id, "0", "<StoreNumber>2</StoreNumber>"))
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 11, 2: 0}
    assert status(desk.one(adjustment("-7", "1"))) == "3120"
    assert desk.one("<InventoryQtyAdjustmentQueryRq/>").get("retCount") == "2"


def test_tax_categories_and_codes_can_be_added(desk):
    category, code = desk.ask(
        "<TaxCategoryAddRq><TaxCategoryAdd><TaxCategory>Web</TaxCategory></TaxCategoryAdd></TaxCategoryAddRq>"
        "<TaxCodeAddRq><TaxCodeAdd><POSTaxCode>Foo</POSTaxCode></TaxCodeAdd></TaxCodeAddRq>"
    )
    desk.one(
        "<TaxRecordModRq><TaxRecordMod><TaxRecord>"
        f"<TaxCategoryListID>{category.findtext('TaxCategoryRet/TaxCategoryListID')}</TaxCategoryListID>"
        f"<POSTaxCodeListID>{code.findtext('TaxCodeRet/POSTaxCodeListID')}</POSTaxCodeListID>"
        "<TaxPercent>50</TaxPercent></TaxRecord></TaxRecordMod></TaxRecordModRq>"
    )
    line = desk.line("<TaxCode>Foo</TaxCode>")
    answer = desk.one(desk.receipt(line, "11.25", "<TaxCategory>Web</TaxCategory>"))
    assert answer.findtext("SalesReceiptRet/TaxAmount") == "3.75"


def test_staff_are_told_of_records_that_do_not_exist(desk):
    for act in (
        lambda: desk.company.set_stock("-7", 1, 1),
        lambda: desk.company.set_stock(desk.tea.list_id, 9, 1),
        lambda: desk.company.sell_in_store([("-7", 1)]),
        lambda: desk.company.sell_in_store([(desk.tea.list_id, 1)], store=9),
        lambda: desk.company.delete_item("-7"),
        lambda: desk.company.add_item("x", department_list_id="-7"),
        lambda: desk.company.set_tax("Mars", "Tax", Decimal(1)),
    ):
        with pytest.raises(UnknownRecord):
            act()
    assert desk.company.items() == [desk.tea]


def test_a_sale_in_the_store_is_a_receipt_like_any_other(desk):
    sold = desk.company.sell_in_store([(desk.tea.list_id, 2)], store=2)
    assert sold.total == Decimal("16.24")
    assert [receipt.txn_id for receipt in desk.company.receipts()] == [sold.txn_id]
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 12, 2: 1}
    assert desk.one("<SalesReceiptQueryRq/>").findtext("SalesReceiptRet/TxnID") == sold.txn_id
