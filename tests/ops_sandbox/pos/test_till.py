"""What staff do while no message is under way, and what messages then see of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ops_sandbox.pos.errors import RequestRefused, UnknownRecord


def modified(desk):
    return desk.company.item(desk.tea.list_id).time_modified


@pytest.mark.parametrize("signs", ["positive", "negative"])
def test_goods_brought_back_are_on_the_shelf_again(make_desk, signs):
    desk = make_desk(return_signs=signs)
    receipt = desk.company.return_in_store([(desk.tea.list_id, 2)], store=2)
    assert receipt.type == "Return"
    assert (receipt.total < 0) is (signs == "negative")
    assert desk.company.stock(desk.tea.list_id, 2) == 5
    assert desk.company.stock(desk.tea.list_id) == 12


def test_a_receipt_reversed_at_the_till_gives_its_pieces_back_to_its_store(desk):
    sold = desk.company.sell_in_store([(desk.tea.list_id, 2)], store=2)
    reversing = desk.company.reverse_receipt(sold.txn_id)
    assert (reversing.total, reversing.status) == (-sold.total, "Reversing")
    assert desk.company.stock(desk.tea.list_id, 2) == 3
    with pytest.raises(RequestRefused):
        desk.company.reverse_receipt(sold.txn_id)


def test_received_goods_are_there_and_a_voucher_tells_of_them(desk):
    vendor = desk.company.add_vendor("Leaf & Sons")
    desk.company.change_prices(desk.tea.list_id, Cost=Decimal("3.10"))
    txn_id = desk.company.receive([(desk.tea.list_id, 10)], store=2, vendor_list_id=vendor.list_id)
    assert desk.company.stock(desk.tea.list_id, 2) == 13
    voucher = desk.one(f"<VoucherQueryRq><TxnID>{txn_id}</TxnID></VoucherQueryRq>").find("VoucherRet")
    assert voucher.findtext("VendorCode") == "LEA"
    assert voucher.findtext("Total") == "31.00"
    assert voucher.findtext("VoucherItemRet/QtyReceived") == "10.00"
    assert "LastReceived" in desk.company.item(desk.tea.list_id).fields
    desk.company.return_to_vendor([(desk.tea.list_id, 4)], store=2)
    assert desk.company.stock(desk.tea.list_id, 2) == 9


def test_a_transfer_moves_pieces_and_loses_none(desk):
    txn_id = desk.company.transfer([(desk.tea.list_id, 5)], source=1, target=2)
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 7, 2: 8}
    slip = desk.one(f"<TransferSlipQueryRq><TxnID>{txn_id}</TxnID></TransferSlipQueryRq>")
    assert slip.findtext("TransferSlipRet/FromStoreNumber") == "1"
    assert slip.findtext("TransferSlipRet/ToStoreNumber") == "2"


def test_a_count_is_an_adjustment_that_messages_find(desk):
    memo = desk.company.count_stock({desk.tea.list_id: 9}, store=1, comments="Spring count")
    assert [(line.old_quantity, line.new_quantity) for line in memo.lines] == [(12, 9)]
    found = desk.one(
        "<InventoryQtyAdjustmentQueryRq><CommentsFilter><MatchStringCriterion>StartsWith"
        "</MatchStringCriterion><Comments>Spring</Comments></CommentsFilter></InventoryQtyAdjustmentQueryRq>"
    )
    assert found.findtext("InventoryQtyAdjustmentRet/TxnID") == memo.txn_id


def test_an_order_keeps_pieces_until_it_is_handed_out_closed_or_deleted(desk):
    buyer = desk.company.add_customer("Berg").list_id
    take = lambda: desk.company.take_order([(desk.tea.list_id, 3)], buyer).txn_id  # noqa: E731
    kept = lambda: desk.company.item(desk.tea.list_id).on_customer_order  # noqa: E731
    first, second, third = take(), take(), take()
    assert (kept(), desk.company.stock(desk.tea.list_id)) == (9, 12)
    desk.company.hand_out_order(first, [(desk.tea.list_id, 1)])
    assert (kept(), desk.company.stock(desk.tea.list_id)) == (8, 11)
    desk.company.hand_out_order(first)
    assert (kept(), desk.company.stock(desk.tea.list_id)) == (6, 9)
    assert desk.company.sales_order(first).status == "Closed"
    desk.company.close_order(second)
    desk.company.delete_order(third)
    assert kept() == 0


@pytest.mark.parametrize("reopens", [True, False])
def test_a_reversal_opens_the_order_again_where_the_dialect_says_so(make_desk, reopens):
    desk = make_desk(reversal_reopens_order=reopens)
    buyer = desk.company.add_customer("Berg").list_id
    order = desk.company.take_order([(desk.tea.list_id, 3)], buyer).txn_id
    desk.company.reverse_receipt(desk.company.hand_out_order(order).txn_id)
    assert desk.company.stock(desk.tea.list_id) == 12
    assert desk.company.item(desk.tea.list_id).on_customer_order == (3 if reopens else 0)
    assert desk.company.sales_order(order).status == ("Open" if reopens else "Closed")


MOVES = {
    "sale_moves_item_time_modified": lambda desk: desk.company.sell_in_store([(desk.tea.list_id, 1)]),
    "adjustment_moves_item_time_modified": lambda desk: desk.company.count_stock({desk.tea.list_id: 9}),
    "receiving_moves_item_time_modified": lambda desk: desk.company.receive([(desk.tea.list_id, 1)]),
    "order_moves_item_time_modified": lambda desk: desk.company.take_order(
        [(desk.tea.list_id, 1)], desk.company.add_customer("Berg").list_id
    ),
}


@pytest.mark.parametrize("switch", MOVES)
@pytest.mark.parametrize("moves", [True, False])
def test_what_moves_stock_moves_time_modified_where_the_dialect_says_so(make_desk, clock, switch, moves):
    desk = make_desk(**{switch: moves})
    before = modified(desk)
    clock.forward(minutes=1)
    MOVES[switch](desk)
    assert (modified(desk) > before) is moves


def test_prices_and_web_marks_are_seen_by_messages(desk, clock):
    before = modified(desk)
    clock.forward(minutes=1)
    desk.company.change_prices(desk.tea.list_id, Price1=Decimal("8.00"), WebPrice=Decimal("7.90"))
    desk.company.mark_for_web(desk.tea.list_id, WebDesc="Fresh")
    assert modified(desk) > before
    ret = desk.one("<ItemInventoryQueryRq><IsWebItem>true</IsWebItem></ItemInventoryQueryRq>")[0]
    assert [ret.findtext(name) for name in ("Price1", "WebPrice", "WebDesc")] == ["8.00", "7.90", "Fresh"]
    desk.company.mark_for_web(desk.tea.list_id, False)
    answer = desk.one("<ItemInventoryQueryRq><IsWebItem>true</IsWebItem></ItemInventoryQueryRq>")
    assert answer.get("retCount") == "0"


def test_a_deed_that_is_refused_changes_nothing(desk):
    service = desk.company.add_item("Gift wrap", item_type="Service")
    lines = [(desk.tea.list_id, 1), (service.list_id, 1)]
    for deed in (
        lambda: desk.company.transfer(lines, source=1, target=2),
        lambda: desk.company.receive(lines),
        lambda: desk.company.count_stock(dict(lines)),
        lambda: desk.company.set_stock(service.list_id, 1, 3),
    ):
        with pytest.raises(RequestRefused):
            deed()
    with pytest.raises(UnknownRecord):
        desk.company.transfer([(desk.tea.list_id, 1)], source=1, target=7)
    assert desk.company.item(desk.tea.list_id).on_hand == {1: 12, 2: 3}
    assert desk.company.adjustments() == []
