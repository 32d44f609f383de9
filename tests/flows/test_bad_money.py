"""What cannot be balanced waits as failed, with a sentence that names the field and the cure; mended, it goes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.preparing import prepare_pending
from queue_store.activities import get_activity
from queue_store.database import Database
from queue_store.operations import retry
from queue_store.secrets import SecretBox
from tests.harness import House, make_house, recorded_order
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order


def plain(**changes: Any) -> dict[str, Any]:
    return {**recorded_order("plain"), **changes}


def first_line(**changes: Any) -> dict[str, Any]:
    lines = recorded_order("plain")["line_items"]
    return plain(line_items=[{**lines[0], **changes}, *lines[1:]])


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (
            first_line(product_id=0, sku=None, name="", total="0.00", subtotal="0.00"),
            "names no product and has a total of 0.00: the shop did not know the product that was ordered. Take the line out",
        ),
        (
            plain(total="30.00"),
            "does not add up: 14.97 for goods + 7.50 for shipping + 2.05 tax is 24.52, the shop says 30.00",
        ),
        (plain(total=24.520000000000003), ""),
        (plain(total="24.525"), ""),
        (plain(total="-24.52"), "has a negative total of -24.52"),
        (plain(currency="CAD"), "is in CAD, the company file is kept in USD"),
        (plain(payment_method="square"), "it was paid through 'square', for which no tender is set"),
    ],
)
def test_a_bad_order_fails_before_the_web_connector_comes(
    house: House, order: dict[str, Any], sentence: str
) -> None:
    house.set("documents.tender", "refuse")
    house.set("tenders", "cod=Cash")
    house.take(order)
    prepare_pending(house.database)
    (sale,) = house.activities()
    assert sentence in sale.sentence
    assert sale.state == ("failed" if sentence else "pending")
    assert sale.payload


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total": "much"}, "total"),
        ({"currency": "USDT"}, "currency"),
        ({"total": "NaN"}, "total"),
        ({"line_items": [{"id": 1, "total": "free", "quantity": 1}]}, "line_items[1].total"),
    ],
)
def test_what_is_no_order_names_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translate_order(json.dumps(plain(**changes)).encode())
    assert field in str(caught.value)


def tiny(quantity: int, total: str) -> dict[str, Any]:
    """An order of one line of some pieces, for hardly anything."""
    line = recorded_order("plain")["line_items"][0]
    line |= {"quantity": quantity, "total": total, "subtotal": total, "total_tax": "0.00", "taxes": []}
    return plain(line_items=[line], shipping_lines=[], tax_lines=[], total=total, total_tax="0.00")


def on_hand(house: House) -> Decimal:
    (item,) = (item for item in house.pos.items() if item.alu == "WID-001")
    return Decimal(sum(item.on_hand.values()))


def test_pieces_below_a_cent_leave_the_shelf_all_the_same(house: House) -> None:
    house.take(tiny(7, "0.02"))
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    (receipt,) = house.our_receipts()
    assert receipt.total == Decimal("0.02")
    assert on_hand(house) == -7


@pytest.mark.parametrize("negative", ["price", "quantity"])
@pytest.mark.parametrize("total", ["2.23", "-1.76"])
def test_stock_that_has_no_price_in_cents_leaves_in_pieces_of_a_cent(
    sqlite_database: Database, box: SecretBox, negative: str, total: str
) -> None:
    dialect = PosDialect(negative_line="negative_qty" if negative == "quantity" else "negative_price")
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))
    house.set("lines.negative", negative)
    order = tiny(333, total)
    fee = {"id": 9, "name": "Handling", "total": "5.00", "total_tax": "0.00", "taxes": []}
    paid = Decimal(total) + 5
    house.take({**order, "fee_lines": [fee], "total": str(paid)})
    house.run_until_quiet()
    assert house.states() == ["succeeded"], house.activities()[0].sentence
    (receipt,) = house.our_receipts()
    assert receipt.total == paid
    assert on_hand(house) == -333


def test_an_item_without_stock_goes_as_one_piece_all_the_same(house: House) -> None:
    house.pos.add_item("Sticker", alu="STICK", item_type="NonInventory", price1=1)
    order = tiny(333, "2.23")
    order["line_items"][0]["sku"] = "STICK"
    house.take(order)
    house.run_until_quiet()
    (line,) = house.our_receipts()[0].lines
    assert (line.qty, line.price) == (1, Decimal("2.23"))


def test_stock_sold_by_parts_of_a_piece_that_do_not_divide_fails_and_says_what_the_line_would_need(
    house: House,
) -> None:
    order = tiny(1, "5.01")
    order["line_items"][0]["quantity"] = 2.5
    house.take(order)
    house.run_until_quiet()
    (sale,) = house.activities()
    assert sale.state == "failed"
    name = recorded_order("plain")["line_items"][0]["name"]
    assert f"the line '2.5 x {name} for 5.01' cannot be written. Its pieces would need" in sale.sentence
    assert (
        "Give the line a total of 0.00 in the shop, or one that is a price in cents times its pieces"
        in sale.sentence
    )
    assert house.our_receipts() == []


def test_once_the_gateway_has_a_tender_the_order_goes(house: House) -> None:
    house.set("documents.tender", "refuse")
    house.take(plain(payment_method="square"))
    prepare_pending(house.database)
    (sale,) = house.activities()
    assert sale.state == "failed"
    house.set("tenders", "square=CreditCard:Square")
    with house.database.write() as db:
        retry(db, get_activity(db, sale.id), "test")
    house.run()
    (receipt,) = house.our_receipts()
    assert [(one.kind, one.amount, one.detail) for one in receipt.tenders] == [
        ("CreditCard", Decimal("24.52"), "Square")
    ]
