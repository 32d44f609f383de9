"""The first promise: one order is one receipt, whatever is lost on the way."""

from __future__ import annotations

from decimal import Decimal

from tests.harness import House, recorded_order


def test_a_paid_order_becomes_one_receipt_with_its_exact_total(house: House) -> None:
    house.take(recorded_order("plain"))
    house.run()
    assert house.totals() == [Decimal("24.52")]
    (sale,) = house.activities()
    assert sale.state == "succeeded"
    assert sale.total == Decimal("24.52")
    assert sale.txn_id == house.our_receipts()[0].txn_id


def test_a_second_run_has_nothing_to_do(house: House) -> None:
    house.take(recorded_order("plain"))
    house.run()
    assert house.begin()[1] == "none"
