"""Rules of undo that bad days taught: each was broken once, in a day of tests/faults."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ops_console import handwork, undoing
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.faults.snapshots import Snapshot
from tests.flows.test_found_by_faults import LATER, tasks
from tests.harness import House, make_house, numbered, recorded_order


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
