"""Receipts: what they come to, what they are refused for, what they move."""

from __future__ import annotations

from decimal import Decimal

import pytest


def status(answer):
    return answer.get("statusCode")


def total(answer):
    assert status(answer) == "0", answer.get("statusMessage")
    return answer.findtext("SalesReceiptRet/Total")


def test_a_receipt_is_computed_numbered_and_moves_stock(desk):
    answer = desk.one(desk.receipt(desk.line("<Price>7.00</Price><Qty>2</Qty>"), "15.16"))
    ret = answer.find("SalesReceiptRet")
    assert {name: ret.findtext(name) for name in ("Subtotal", "TaxAmount", "Total", "TaxCategory")} == {
        "Subtotal": "14.00",
        "TaxAmount": "1.16",
        "Total": "15.16",
        "TaxCategory": "Local Sales Tax",
    }
    assert ret.findtext("SalesReceiptNumber") == "1"
    assert ret.findtext("HistoryDocStatus") == "Regular"
    assert ret.findtext("TenderType") == "Cash"
    assert ret.findtext("SalesReceiptItemRet/ExtendedPrice") == "14.00"
    assert ret.findtext("SalesReceiptItemRet/ItemNumber") == "1"
    assert ret.findtext("TxnDate") == "2026-01-31"
    (receipt,) = desk.company.receipts()
    assert (receipt.txn_id, receipt.total) == (ret.findtext("TxnID"), Decimal("15.16"))
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 10, 2: 3}


def test_the_receipt_takes_stock_from_its_store(desk):
    line = desk.line("<Qty>2</Qty><TaxCode>Non</TaxCode>")
    assert total(desk.one(desk.receipt(line, "15.00", "<StoreNumber>2</StoreNumber>"))) == "15.00"
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 12, 2: 1}
    assert status(desk.one(desk.receipt(line, "15.00", "<StoreNumber>3</StoreNumber>"))) == "3140"


def test_a_line_without_price_or_quantity_is_one_piece_at_the_price_of_its_level(desk):
    line = desk.line("<TaxCode>Non</TaxCode>")
    assert total(desk.one(desk.receipt(line, "7.50"))) == "7.50"
    desk.company.change_item(desk.tea.list_id, Price2=Decimal("6.00"))
    assert total(desk.one(desk.receipt(line, "6.00", "<PriceLevelNumber>2</PriceLevelNumber>"))) == "6.00"


def test_only_items_that_keep_stock_have_some_and_move(desk):
    for item_type, left in (("Service", 0), ("NonInventory", 0), ("Assembly", 4)):
        item = desk.company.add_item("x", item_type=item_type, tax_code="Non", on_hand={1: 5})
        desk.company.sell_in_store([(item.list_id, 1)])
        assert desk.company.item(item.list_id).on_hand[1] == left


def test_a_unit_of_measure_moves_its_base_units(desk):
    desk.company.change_item(
        desk.tea.list_id, UnitOfMeasure1={"UnitOfMeasure": "case", "NumberOfBaseUnits": Decimal(6)}
    )
    line = desk.line("<Price>40.00</Price><TaxCode>Non</TaxCode><UnitOfMeasure>case</UnitOfMeasure>")
    assert total(desk.one(desk.receipt(line, "40.00"))) == "40.00"
    assert desk.company.item(desk.tea.list_id).on_hand[1] == 6
    assert status(desk.one(desk.receipt(line.replace("case", "truck"), "40.00"))) == "3140"


@pytest.mark.parametrize(
    ("paid", "difference"), [("15.01", "-0.01"), ("14.99", "0.01"), (None, "15.00"), ("25.00", "-10.00")]
)
def test_tenders_have_to_add_up(desk, paid, difference):
    answer = desk.one(desk.receipt(desk.line("<Qty>2</Qty><TaxCode>Non</TaxCode>"), paid))
    assert status(answer) == "20004"
    assert answer.get("statusMessage") == f"The receipt is not balanced. Undefined amount is {difference}"
    assert answer.get("statusSeverity") == "Error"
    assert desk.company.receipts() == []
    assert desk.company.item(desk.tea.list_id).on_hand[1] == 12


def test_unbalanced_tenders_may_be_taken(make_desk):
    desk = make_desk(unbalanced_tenders="accept")
    assert total(desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "1.00"))) == "7.50"


def test_a_free_receipt_needs_no_tender(desk):
    answer = desk.one(desk.receipt(desk.line("<Price>0.00</Price>"), None))
    assert answer.findtext("SalesReceiptRet/TenderType") == "None"


def test_several_tenders_make_a_split(desk):
    request = desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "5.00").replace(
        "</SalesReceiptAdd>",
        "<TenderGiftAdd><GiftCertificateNumber>G1</GiftCertificateNumber><TenderAmount>2.50</TenderAmount></TenderGiftAdd>"
        "</SalesReceiptAdd>",
    )
    answer = desk.one(request)
    assert answer.findtext("SalesReceiptRet/TenderType") == "Split"
    assert [(one.kind, one.amount, one.detail) for one in desk.company.receipts()[0].tenders] == [
        ("Cash", Decimal("5.00"), ""),
        ("Gift", Decimal("2.50"), "G1"),
    ]


def test_tax_is_rounded_by_line_or_by_receipt(make_desk):
    lines = "<Price>1.00</Price><TaxCode>Tax</TaxCode>"
    for rounding, expected in (("line", "3.24"), ("receipt", "3.25")):
        desk = make_desk(tax_rounding=rounding)
        assert total(desk.one(desk.receipt(desk.line(lines) * 3, expected))) == expected


def test_half_cents_go_up_or_to_even(make_desk):
    for half, expected in (("half_up", "2.17"), ("half_even", "2.16")):
        desk = make_desk(tax_half=half)
        desk.company.set_tax("Local Sales Tax", "Tax", Decimal("8.25"))
        # 2.00 at 8.25 % is 0.165
        assert total(desk.one(desk.receipt(desk.line("<Price>2.00</Price>"), expected))) == expected


def test_tax_follows_category_and_code(desk):
    line = desk.line("<Price>10.00</Price>")
    assert total(desk.one(desk.receipt(line, "10.83"))) == "10.83"
    assert total(desk.one(desk.receipt(line, "10.00", "<TaxCategory>Exempt</TaxCategory>"))) == "10.00"
    assert status(desk.one(desk.receipt(line, "10.00", "<TaxCategory>Mars</TaxCategory>"))) == "3140"
    unknown = desk.line("<Price>10.00</Price><TaxCode>Odd</TaxCode>")
    assert status(desk.one(desk.receipt(unknown, "10.00"))) == "3140"


def test_an_omitted_tax_code_is_the_items_or_none(make_desk):
    for omitted, expected in (("item", "10.83"), ("none", "10.00")):
        desk = make_desk(omitted_tax_code=omitted)
        assert total(desk.one(desk.receipt(desk.line("<Price>10.00</Price>"), expected))) == expected


def test_shipping_counts_and_may_be_taxed(make_desk):
    line = "<Price>10.00</Price><TaxCode>Non</TaxCode>"
    for taxed, expected in ((False, "14.00"), (True, "14.33")):
        desk = make_desk(shipping_taxed=taxed)
        assert total(desk.one(desk.receipt(desk.line(line), expected, shipping="4.00"))) == expected


def test_price_is_before_or_after_the_discount_of_the_line(make_desk):
    line = "<Discount>1.00</Discount><Price>10.00</Price><Qty>2</Qty><TaxCode>Non</TaxCode>"
    percent = "<DiscountPercent>25</DiscountPercent><Price>10.00</Price><Qty>2</Qty><TaxCode>Non</TaxCode>"
    for switches, by_amount, by_percent in (
        ({"price_is_before_discount": False}, "20.00", "20.00"),
        ({"line_discount_per": "line"}, "19.00", "15.00"),
        ({"line_discount_per": "unit"}, "18.00", "15.00"),
    ):
        desk = make_desk(**switches)
        assert total(desk.one(desk.receipt(desk.line(line), by_amount))) == by_amount
        assert total(desk.one(desk.receipt(desk.line(percent), by_percent))) == by_percent


def test_the_discount_of_the_receipt_lowers_total_and_tax(desk):
    line = desk.line("<Price>100.00</Price>")
    assert total(desk.one(desk.receipt(line, "97.43", "<Discount>10.00</Discount>"))) == "97.43"
    answer = desk.one(desk.receipt(line, "97.43", "<DiscountPercent>10</DiscountPercent>"))
    assert total(answer) == "97.43"
    assert answer.findtext("SalesReceiptRet/Discount") == "10.00"


def test_an_extended_price_is_kept_or_computed(make_desk):
    line = "<ExtendedPrice>9.99</ExtendedPrice><Price>5.00</Price><Qty>2</Qty><TaxCode>Non</TaxCode>"
    for sent, expected in (("kept", "9.99"), ("recomputed", "10.00")):
        desk = make_desk(extended_price_sent=sent)
        assert total(desk.one(desk.receipt(desk.line(line), expected))) == expected


@pytest.mark.parametrize(
    ("form", "by_price", "by_qty"),
    [("negative_price", "0", "3210"), ("negative_qty", "3210", "0"), ("both", "0", "0")],
)
def test_a_lowering_line_has_its_form(make_desk, form, by_price, by_qty):
    desk = make_desk(negative_line=form)
    coupon = desk.company.add_item("Coupon", item_type="NonInventory", tax_code="Non")
    goods = desk.line("<TaxCode>Non</TaxCode>")
    priced = desk.line("<Price>-2.50</Price><Qty>1</Qty>", coupon.list_id)
    counted = desk.line("<Price>2.50</Price><Qty>-1</Qty>", coupon.list_id)
    assert status(desk.one(desk.receipt(goods + priced, "5.00"))) == by_price
    assert status(desk.one(desk.receipt(goods + counted, "5.00"))) == by_qty


@pytest.mark.parametrize(("signs", "qty", "paid"), [("positive", "2", "15.00"), ("negative", "-2", "-15.00")])
def test_a_return_puts_stock_back_in_the_signs_of_the_dialect(make_desk, signs, qty, paid):
    desk = make_desk(return_signs=signs)
    head = "<SalesReceiptType>Return</SalesReceiptType>"
    line = desk.line(f"<Qty>{qty}</Qty><TaxCode>Non</TaxCode>")
    assert total(desk.one(desk.receipt(line, paid, head))) == paid
    assert desk.company.item(desk.tea.list_id).on_hand[1] == 14
    (receipt,) = desk.company.receipts()
    assert (receipt.type, receipt.lines[0].qty) == ("Return", Decimal(qty))
    wrong = desk.line(f"<Qty>{-int(qty)}</Qty><TaxCode>Non</TaxCode>")
    assert status(desk.one(desk.receipt(wrong, str(-Decimal(paid)), head))) == "3210"


def test_unknown_ids_are_3120_and_change_nothing(desk):
    good = desk.line("<TaxCode>Non</TaxCode>")
    for head, lines in (
        ("<CustomerListID>-7</CustomerListID>", good),
        ("<SalesOrderTxnID>-7</SalesOrderTxnID>", good),
        ("", good + desk.line(list_id="-7")),
    ):
        answer = desk.one(desk.receipt(lines, "7.50", head))
        assert (status(answer), answer.get("statusSeverity")) == ("3120", "Error")
    assert desk.company.receipts() == []
    assert desk.company.item(desk.tea.list_id) == desk.tea


def test_the_customer_gives_the_billing_address_and_remembers_the_sale(desk):
    ann = desk.company.add_customer(
        "Berg", first_name="Ann", BillAddress={"City": "Concord", "PostalCode": "0123456789012"}
    )
    desk.clock.forward(hours=1)
    head = f"<CustomerListID>{ann.list_id}</CustomerListID>"
    answer = desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", head))
    assert answer.findtext("SalesReceiptRet/BillingInformation/PostalCode") == "0123456789"
    assert desk.one("<CustomerQueryRq/>").findtext("CustomerRet/LastSale") == "2026-01-31"
    assert desk.company.customers()[0].time_modified == ann.time_modified


@pytest.mark.parametrize("moves", [True, False])
def test_a_sale_may_move_time_modified(make_desk, clock, moves):
    desk = make_desk(sale_moves_item_time_modified=moves, sale_moves_customer_time_modified=moves)
    ann = desk.company.add_customer("Berg")
    clock.forward(hours=1)
    desk.company.sell_in_store([(desk.tea.list_id, 1)], customer_list_id=ann.list_id)
    assert (desk.company.item(desk.tea.list_id).time_modified == clock.now) is moves
    assert (desk.company.customers()[0].time_modified == clock.now) is moves
    desk.company.set_stock(desk.tea.list_id, 1, 3)
    assert desk.company.item(desk.tea.list_id).time_modified == clock.now


def test_a_held_receipt_moves_nothing_and_may_be_unpaid(desk):
    answer = desk.one(desk.receipt(desk.line(), None, "<TxnState>Held</TxnState>"))
    assert status(answer) == "0"
    assert desk.company.item(desk.tea.list_id).on_hand[1] == 12


def test_the_logged_in_employee_is_the_cashier(desk):
    desk.company.employee = "Kim"
    answer = desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50"))
    assert answer.findtext("SalesReceiptRet/Cashier") == "Kim"


# TxnReverse


def reverse(txn_id, kind="SalesReceipt"):
    return f"<TxnReverseRq><TxnReverseType>{kind}</TxnReverseType><TxnID>{txn_id}</TxnID></TxnReverseRq>"


@pytest.mark.parametrize("kind", ["Sales", "Return"])
def test_a_reversal_negates_amounts_and_stock(desk, kind):
    head = f"<SalesReceiptType>{kind}</SalesReceiptType>"
    desk.one(desk.receipt(desk.line("<Qty>2</Qty><TaxCode>Non</TaxCode>"), "15.00", head))
    (old,) = desk.company.receipts()
    answer = desk.one(reverse(old.txn_id))
    assert status(answer) == "0"
    assert answer.findtext("TxnID") == old.txn_id
    reversed_, reversing = desk.company.receipts()
    assert reversing.txn_id == answer.findtext("ReversalTxnID")
    assert (reversed_.status, reversing.status) == ("Reversed", "Reversing")
    assert (reversing.total, reversing.lines[0].qty, reversing.tenders[0].amount) == (-15, -2, -15)
    assert reversing.number == old.number + 1
    assert desk.company.item(desk.tea.list_id).on_hand[1] == 12


def test_a_second_reversal_is_refused(desk):
    desk.company.sell_in_store([(desk.tea.list_id, 1)])
    (old,) = desk.company.receipts()
    reversing = desk.one(reverse(old.txn_id)).findtext("ReversalTxnID")
    assert status(desk.one(reverse(old.txn_id))) == "3210"
    assert status(desk.one(reverse(reversing))) == "3210"
    assert status(desk.one(reverse("-7"))) == "3120"
    assert status(desk.one(reverse(old.txn_id, "Voucher"))) == "3250"
    assert len(desk.company.receipts()) == 2


def test_a_reversal_may_leave_no_mark(make_desk):
    desk = make_desk(reversal_marks_receipts=False)
    sold = desk.company.sell_in_store([(desk.tea.list_id, 1)])
    desk.one(reverse(sold.txn_id))
    assert {receipt.status for receipt in desk.company.receipts()} == {"Regular"}
    assert status(desk.one(reverse(sold.txn_id))) == "3210"
