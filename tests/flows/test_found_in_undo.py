"""Rules of undo that bad days taught: each was broken once, in a day of tests/faults."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from ops_console import handwork, undoing
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.operations import OperationRefused
from queue_store.secrets import SecretBox
from tests.faults.snapshots import Snapshot
from tests.flows.test_found_by_faults import LATER, changed, dearer, tasks
from tests.flows.test_web_orders import DOCUMENTS, placed
from tests.harness import House, make_house, numbered, recorded_order
from woo_bridge.errors import Untranslatable
from woo_bridge.untranslated import refuse_order


def undo(house: House, activity_id: int, *, again: bool = False, done: bool = False) -> None:
    with house.database.write() as db:
        undoing.undo(db, activity_id, "test", again=again, done=done)


def reverse(house: House, txn_id: str) -> None:
    """A person reverses a receipt in QuickBooks."""
    books = house.pos.begin_session("")
    books.process(
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"><TxnReverseRq>'
        f"<TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{txn_id}</TxnID></TxnReverseRq></QBPOSXMLMsgsRq></QBPOSXML>"
    )
    books.end()


def refunded_order() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    order = numbered(recorded_order("plain"), 900, refunds=[{"id": 901, "reason": "", "total": "-1.00"}])
    refund = {"id": 901, "date_created_gmt": LATER, "reason": "", "amount": "1.00"}
    return order, [{**refund, "line_items": [], "shipping_lines": [], "fee_lines": []}]


def test_a_refund_that_is_released_while_its_sale_is_undone_goes_after_the_sale(house: House) -> None:
    order, refunds = refunded_order()
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    undo(house, house.activities("return")[0].id)
    house.run_until_quiet()
    undo(house, house.activities()[0].id, again=True)
    with house.database.write() as db:
        handwork.release(db, [house.activities("return")[1].id], "test")
    assert house.states("return") == ["superseded", "waiting"]
    house.run_until_quiet()
    assert house.states() == house.states("return") == ["superseded", "succeeded"]
    assert len(house.totals()) == 2


@pytest.mark.parametrize("shown", [True, False])
def test_an_undo_that_a_restored_backup_forgot_is_told(
    sqlite_database: Database, box: SecretBox, shown: bool
) -> None:
    dialect = PosDialect(reversal_marks_receipts=shown)
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))
    order = recorded_order("plain")
    house.take(order)
    house.run_until_quiet()
    backup = Snapshot(house.database)
    undo(house, house.activities()[0].id)
    house.run_until_quiet()
    backup.restore(house.database)
    backup.close()
    house.take(numbered(order, 700))
    house.run_until_quiet()
    (sale, _) = house.activities()
    assert (sale.state, tasks(house)) == ("succeeded", ["undo"])
    assert sale.sentence.startswith("Order 68 was sent as receipt 1, which was reversed in QuickBooks since")
    undo(house, sale.id, again=True, done=True)
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded", "succeeded"]
    assert tasks(house) == []
    assert len(house.pos.receipts()) == 4
    assert len(house.pos.reversals()) == 1


def test_a_refund_does_not_go_after_a_sale_that_was_reversed_in_quickbooks(house: House) -> None:
    order, refunds = refunded_order()
    house.take({**order, "refunds": []})
    house.run_until_quiet()
    (sale,) = house.activities()
    reverse(house, str(sale.txn_id))
    house.take(numbered(order, 902, refunds=[]))
    house.run_until_quiet()
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    (refund,) = house.activities("return")
    assert (refund.state, tasks(house)) == ("failed", ["undo"])
    assert "which was reversed in QuickBooks since" in refund.sentence
    assert [receipt.type for receipt in house.pos.receipts() if "-R" in (receipt.comments or "")] == []
    undo(house, sale.id, again=True, done=True)
    house.run_until_quiet()
    assert house.states("return") == ["succeeded"]
    assert tasks(house) == []


def test_a_refund_that_waits_to_be_sent_does_not_go_after_a_sale_that_look_back_finds_reversed(
    house: House,
) -> None:
    order, refunds = refunded_order()
    house.take({**order, "refunds": []})
    house.run_until_quiet()
    (sale,) = house.activities()
    reverse(house, str(sale.txn_id))
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    assert house.states("return") == ["failed"]
    undo(house, sale.id, done=True)
    house.run_until_quiet()
    assert house.states("return") == ["cancelled"]


def test_a_double_that_a_person_reversed_is_not_taken_for_the_receipt_that_stands(house: House) -> None:
    house.pos = PosCompanyFile.create(None, dialect=PosDialect(reversal_marks_receipts=False))
    item = house.pos.add_item("Thing", alu="THING", price1=Decimal("24.52"), tax_code="Non")
    house.take(recorded_order("plain"))
    house.run_until_quiet()
    mark = house.our_receipts()[0].comments
    double = house.pos.sell_in_store([(item.list_id, 1)], comments=mark)
    reverse(house, double.txn_id)
    assert [one.total for one in house.pos.receipts()] == [
        Decimal("24.52"),
        Decimal("24.52"),
        -Decimal("24.52"),
    ]
    house.take(numbered(recorded_order("plain"), 700))
    house.run_until_quiet()
    assert set(house.states()) == {"succeeded"}
    assert "undo" not in tasks(house)


PLAIN = recorded_order("plain")


def in_books(house: House) -> int:
    house.take(PLAIN)
    house.run_until_quiet()
    return house.activities()[0].id


def test_a_receipt_does_not_go_again_when_the_shops_status_asks_for_none_any_more(house: House) -> None:
    sale = in_books(house)
    house.take(changed(PLAIN, status="on-hold"))
    with pytest.raises(OperationRefused, match=r"its status is on-hold.*It would not go again"):
        undo(house, sale, again=True)
    undo(house, sale)
    house.run_until_quiet()
    assert house.totals() == []


def test_a_status_that_changed_while_the_receipt_was_on_its_way_decides_too(house: House) -> None:
    house.take(PLAIN)

    def meanwhile(_number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            house.take(changed(PLAIN, status="on-hold"))

    house.run(on_set=meanwhile)
    (sale,) = house.activities()
    assert sale.state == "succeeded"
    with pytest.raises(OperationRefused, match="its status is on-hold"):
        undo(house, sale.id, again=True)


def test_an_order_changed_back_to_what_is_in_the_books_asks_for_nothing_and_goes_again_as_it_is(
    house: House,
) -> None:
    sale = in_books(house)
    house.take(dearer(PLAIN))
    assert tasks(house) == ["changed after sent"]
    house.take({**PLAIN, "date_modified_gmt": "2026-11-23T00:00:05"})
    assert (tasks(house), house.activities()[0].sentence) == ([], "")
    undo(house, sale, again=True)
    house.run_until_quiet()
    assert house.totals() == [Decimal(PLAIN["total"])]


def test_an_order_cancelled_after_it_was_sent_and_restored_asks_for_nothing(house: House) -> None:
    sale = in_books(house)
    house.take(changed(PLAIN, status="cancelled"))
    assert tasks(house) == ["changed after sent"]
    house.take({**PLAIN, "date_modified_gmt": "2026-11-23T00:00:05"})
    assert (tasks(house), house.activities()[0].sentence) == ([], "")
    undo(house, sale, again=True)
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]


def test_a_web_order_does_not_go_again_when_the_orders_newest_status_asks_for_none(house: House) -> None:
    house.set_store("orders.documents", DOCUMENTS)
    house.take(placed())
    house.run_until_quiet()
    house.take(placed(5, status="pending"))
    (order,) = house.activities("web_order")
    with pytest.raises(OperationRefused, match="is pending, which is no web order any more"):
        undo(house, order.id, again=True)


def test_a_web_order_is_not_sent_anew_from_content_that_cannot_be_read(house: House) -> None:
    house.set_store("orders.documents", DOCUMENTS)
    house.take(placed())
    house.run_until_quiet()
    (order,) = house.activities("web_order")
    with house.database.write() as db:
        body = json.dumps(placed(5, total="much")).encode()
        store = get_store(db, "main")
        refuse_order(
            db, store, "order.updated", body, Untranslatable("Order 68", "total", "'much' is no number")
        )
    with pytest.raises(OperationRefused, match="newest content of order 68 cannot be read"):
        undo(house, order.id, again=True)


@pytest.mark.parametrize("released", ["reversal", "sale"])
def test_an_undo_that_was_cancelled_is_ordered_anew_and_not_released_in_parts(
    house: House, released: str
) -> None:
    sale = in_books(house)
    undo(house, sale, again=True)
    (reversal,) = house.activities("reversal")
    with house.database.write() as db:
        handwork.cancel(db, [reversal.id], "test")
    part = house.activities(released)[-1].id
    with pytest.raises(OperationRefused, match=f"qbwoo activity undo {sale}"), house.database.write() as db:
        handwork.release(db, [part], "test")
    undo(house, sale, again=True)
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]


def test_a_web_order_that_was_undone_is_not_released_once_its_order_asks_for_a_receipt(house: House) -> None:
    house.set_store("orders.documents", DOCUMENTS)
    house.take(placed())
    house.run_until_quiet()
    undo(house, house.activities("web_order")[0].id)
    house.run_until_quiet()
    house.take(placed(5, status="completed"))
    following = house.activities("web_order")[1]
    with pytest.raises(OperationRefused, match="wants nothing"), house.database.write() as db:
        handwork.release(db, [following.id], "test")
    house.run_until_quiet()
    assert (len(house.totals()), house.pos.sales_orders()) == (1, [])


def test_a_web_order_sent_anew_that_a_restored_backup_forgot_is_found(house: House) -> None:
    house.set_store("orders.documents", DOCUMENTS)
    house.take(placed())
    house.run_until_quiet()
    backup = Snapshot(house.database)
    undo(house, house.activities("web_order")[0].id, again=True)
    house.run_until_quiet()
    backup.restore(house.database)
    backup.close()
    house.take(numbered(PLAIN, 700))
    house.run_until_quiet()
    (order,) = house.activities("web_order")
    (there,) = house.pos.sales_orders()
    assert (order.state, order.txn_id, order.generation) == ("succeeded", there.txn_id, 2)
    house.take(placed(5, status="completed"))
    house.run_until_quiet()
    assert [receipt.sales_order_txn_id for receipt in house.our_receipts()] == [None, there.txn_id]


def test_a_receipt_that_was_reversed_by_hand_is_done_whatever_hangs_on_it(house: House) -> None:
    order, refunds = refunded_order()
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    (sale,) = house.activities()
    reverse(house, sale.txn_id or "")
    undo(house, sale.id, again=True, done=True)
    house.run_until_quiet()
    assert (house.states(), house.states("return")) == (["superseded", "succeeded"], ["succeeded"])


def test_a_web_order_is_undone_on_either_database(database: Database, box: SecretBox) -> None:
    house = make_house(database, box)
    house.set_store("orders.documents", DOCUMENTS)
    house.take(placed())
    house.run_until_quiet()
    undo(house, house.activities("web_order")[0].id)
    house.run_until_quiet()
    assert (house.states("deletion"), house.pos.sales_orders()) == (["succeeded"], [])


@pytest.mark.parametrize("meanwhile", ["on-hold", "cancelled"])
def test_an_order_that_is_wanted_again_while_its_receipt_is_undone_goes(house: House, meanwhile: str) -> None:
    undo(house, in_books(house), again=True)
    house.take(changed(PLAIN, status=meanwhile))
    house.take({**PLAIN, "date_modified_gmt": "2026-11-23T00:00:05"})
    following = house.activities()[1]
    assert (following.state, following.reason) == ("waiting", "activity")
    assert following.sentence == "Order 68 waits until what was sent of it before is undone."
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]
