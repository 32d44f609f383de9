"""Every recorded refund: in the books with its very amount, tax and tenders, or refused in so many words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.pos import PosDialect
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.dialects import DIALECTS, house_under
from tests.harness import House, recorded_order, recorded_refunds

#: Name of the recorded order, and of each refund: amount, goods put back by SKU, amounts by item of ours.
EXPECTED: dict[str, list[tuple[str, dict[str, str], dict[str, str]]]] = {
    "rfull": [
        ("297.14", {"WID-014": "4", "WID-015": "2"}, {"Online Refund": "7.50", "Online Sales Tax": "25.70"})
    ],
    "rfullnr": [("297.14", {}, {"Online Refund": "271.44", "Online Sales Tax": "25.70"})],
    "rpart": [("47.08", {"WID-014": "1"}, {"Online Sales Tax": "4.09"})],
    "rpartqty": [("10.00", {}, {"Online Refund": "10.00"})],
    "rship": [("8.12", {}, {"Online Refund": "7.50", "Online Sales Tax": "0.62"})],
    "ramount": [("11.11", {}, {"Online Refund": "11.11"})],
    "rmany": [("5.00", {}, {"Online Refund": "5.00"})] * 3,
}


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> PosDialect:
    return DIALECTS[request.param]


def returns_of(house: House) -> list[Any]:
    return [receipt for receipt in house.our_receipts() if receipt.type == "Return"]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_refund_is_in_the_books_to_the_cent(
    sqlite_database: Database, box: SecretBox, dialect: PosDialect, name: str
) -> None:
    house = house_under(dialect, sqlite_database, box)
    sign = -1 if dialect.return_signs == "negative" else 1
    order = recorded_order(name)
    refunds = recorded_refunds(order["id"])
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert house.states("return") == ["succeeded"] * len(refunds), [
        one.sentence for one in house.activities("return")
    ]
    found = returns_of(house)
    alus = {item.list_id: item.alu for item in house.pos.items()}
    for receipt, refund, (amount, goods, own) in zip(found, refunds, EXPECTED[name], strict=True):
        assert receipt.total == sign * Decimal(amount) == sign * Decimal(refund["amount"])
        assert receipt.tax_amount == 0
        assert [(tender.kind, tender.amount) for tender in receipt.tenders] == [("CreditCard", receipt.total)]
        assert receipt.comments.startswith(f"WMAIN-{order['id']}-R{refund['id']}/1 ")
        back: dict[str, Decimal] = {}
        amounts: dict[str, Decimal] = {}
        for line in receipt.lines:
            alu = alus[line.list_id]
            if alu.startswith("Online"):
                amounts[alu] = amounts.get(alu, Decimal(0)) + line.qty * line.price * sign
            else:
                back[alu] = back.get(alu, Decimal(0)) + line.qty * sign
        assert back == {sku: Decimal(pieces) for sku, pieces in goods.items()}
        assert amounts == {item: Decimal(total) for item, total in own.items()}


def test_the_table_holds_every_recorded_refund() -> None:
    recorded = {recorded_order(name)["id"]: len(refunds) for name, refunds in EXPECTED.items()}
    # The order of refund 236 was not recorded.
    assert {order_id: len(recorded_refunds(order_id)) for order_id in recorded} == recorded
    assert sum(recorded.values()) == 9
