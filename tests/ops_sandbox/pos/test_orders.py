"""Sales orders."""

from __future__ import annotations

from decimal import Decimal

import pytest


def add(desk, qty="2", more="", customer=None):
    customer = customer or desk.company.add_customer("Berg").list_id
    return (
        f"<SalesOrderAddRq><SalesOrderAdd><CustomerListID>{customer}</CustomerListID>{more}<SalesOrderItemAdd>"
        f"<ListID>{desk.tea.list_id}</ListID><Qty>{qty}</Qty><TaxCode>Non</TaxCode></SalesOrderItemAdd>"
        "</SalesOrderAdd></SalesOrderAddRq>"
    )


def test_an_order_keeps_stock_from_others_without_moving_it(desk):
    more = "<SalesOrderNumber>WEB-1</SalesOrderNumber><SalesOrderType>WebOrder</SalesOrderType>"
    ret = desk.one(add(desk, "2", more))[0]
    assert (ret.findtext("Total"), ret.findtext("BalanceDue")) == ("15.00", "15.00")
    assert ret.findtext("SalesOrderItemRet/TxnLineID") == "1"
    item = desk.company.item(desk.tea.list_id)
    assert (item.on_hand[1], item.on_customer_order) == (12, 2)
    (order,) = desk.company.sales_orders()
    assert (order.number, order.type, order.status) == ("WEB-1", "WebOrder", "Open")
    found = desk.one(
        "<SalesOrderQueryRq><SalesOrderNumberFilter><MatchStringCriterion>Equal</MatchStringCriterion>"
        "<SalesOrderNumber>WEB-1</SalesOrderNumber></SalesOrderNumberFilter></SalesOrderQueryRq>"
    )
    assert found.findtext("SalesOrderRet/TxnID") == order.txn_id


def test_an_order_needs_its_customer(desk):
    assert desk.one(add(desk, customer="-7")).get("statusCode") == "3120"
    assert desk.company.sales_orders() == []


def test_a_receipt_fills_its_order(desk):
    desk.one(add(desk, "3"))
    (order,) = desk.company.sales_orders()
    head = f"<SalesOrderTxnID>{order.txn_id}</SalesOrderTxnID>"
    desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", head))
    answer = desk.one("<SalesOrderQueryRq/>")
    assert answer.findtext("SalesOrderRet/SalesOrderItemRet/QtySold") == "1.00"
    assert answer.findtext("SalesOrderRet/UnfilledPercent") == "67"
    assert desk.company.item(desk.tea.list_id).on_customer_order == 2
    desk.one(desk.receipt(desk.line("<Qty>2</Qty><TaxCode>Non</TaxCode>"), "15.00", head))
    assert desk.company.sales_orders()[0].status == "Closed"
    item = desk.company.item(desk.tea.list_id)
    assert (item.on_hand[1], item.on_customer_order) == (9, 0)


@pytest.mark.parametrize(("pays", "due"), [(True, "10.00"), (False, "15.00")])
def test_a_deposit_may_lower_the_balance(make_desk, pays, due):
    desk = make_desk(deposit_pays_order=pays)
    desk.one(add(desk))
    (order,) = desk.company.sales_orders()
    head = f"<SalesOrderTxnID>{order.txn_id}</SalesOrderTxnID><SalesReceiptType>Deposit</SalesReceiptType>"
    assert desk.one(desk.receipt("", "5.00", head)).findtext("SalesReceiptRet/Total") == "5.00"
    assert desk.company.sales_orders()[0].balance_due == Decimal(due)


def test_lines_are_modified_by_their_id(desk):
    desk.one(add(desk))
    (order,) = desk.company.sales_orders()
    answer = desk.one(
        f"<SalesOrderModRq><SalesOrderMod><TxnID>{order.txn_id}</TxnID><Instructions>Ring</Instructions>"
        "<SalesOrderItemMod><TxnLineID>1</TxnLineID><Qty>5</Qty></SalesOrderItemMod>"
        f"<SalesOrderItemMod><ListID>{desk.tea.list_id}</ListID><TxnLineID>9</TxnLineID><Price>1.00</Price>"
        "<TaxCode>Non</TaxCode></SalesOrderItemMod></SalesOrderMod></SalesOrderModRq>"
    )
    assert answer.findtext("SalesOrderRet/Total") == "38.50"
    (order,) = desk.company.sales_orders()
    assert ([line.qty for line in order.lines], order.instructions) == ([5, 1], "Ring")
    assert desk.company.item(desk.tea.list_id).on_customer_order == 6
    unknown = (
        f"<SalesOrderModRq><SalesOrderMod><TxnID>{order.txn_id}</TxnID><SalesOrderItemMod><TxnLineID>7</TxnLineID>"
        "</SalesOrderItemMod></SalesOrderMod></SalesOrderModRq>"
    )
    assert desk.one(unknown).get("statusCode") == "3120"


def test_a_deleted_order_releases_its_stock(desk):
    desk.one(add(desk))
    (order,) = desk.company.sales_orders()
    desk.one(f"<ListDelRq><ListDelType>SalesOrder</ListDelType><ListID>{order.txn_id}</ListID></ListDelRq>")
    assert desk.company.sales_orders() == []
    assert desk.company.item(desk.tea.list_id).on_customer_order == 0


def begun(desk):
    """An order of two pieces of which one is sold: its id, and the receipt's."""
    desk.one(add(desk, "2"))
    (order,) = desk.company.sales_orders()
    head = f"<SalesOrderTxnID>{order.txn_id}</SalesOrderTxnID>"
    answer = desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", head))
    return order.txn_id, answer.findtext("SalesReceiptRet/TxnID")


@pytest.mark.parametrize(("deleted", "code"), [(False, "3170"), (True, "0")])
def test_an_order_that_was_begun_may_not_be_deleted(make_desk, deleted, code):
    desk = make_desk(begun_order_deleted=deleted)
    order, _ = begun(desk)
    delete = f"<ListDelRq><ListDelType>SalesOrder</ListDelType><ListID>{order}</ListID></ListDelRq>"
    assert desk.one(delete).get("statusCode") == code
    assert len(desk.company.sales_orders()) == (0 if deleted else 1)
    assert desk.company.item(desk.tea.list_id).on_customer_order == (0 if deleted else 1)


@pytest.mark.parametrize(("reopens", "sold", "kept"), [(True, "0.00", 2), (False, "1.00", 1)])
def test_a_reversed_receipt_may_open_its_order_again(make_desk, reopens, sold, kept):
    desk = make_desk(reversal_reopens_order=reopens)
    _, receipt = begun(desk)
    desk.one(
        f"<TxnReverseRq><TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{receipt}</TxnID></TxnReverseRq>"
    )
    assert desk.one("<SalesOrderQueryRq/>").findtext("SalesOrderRet/SalesOrderItemRet/QtySold") == sold
    assert desk.company.item(desk.tea.list_id).on_customer_order == kept
