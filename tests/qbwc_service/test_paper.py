"""Requests read back as documents, and their arithmetic beside the shop's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec.structs
import pytest

from qbwc_service.arithmetic import compare
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.spelling import PosSpelling
from qbwc_service.flavours.tax_table import NO_TAXES
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared
from qbwc_service.paper import Name, Paper
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.payloads import Address, Customer, Department, Item, Order, Redeemed, encode
from queue_store.settings import Settings
from queue_store.store_setting_list import STORE_SETTINGS
from tests.harness import RECORDED, recorded_order
from woo_bridge.translate_orders import translate_order

POS = PosSpelling()
STORE = Settings(STORE_SETTINGS, {}, 1)


def company(**stored: str) -> Settings:
    """Company settings; a key's dot is written as two underscores."""
    named = {key.replace("__", "."): value for key, value in stored.items()}
    return Settings(COMPANY_SETTINGS, {"items.fallback": "Online Item", **named}, 1)


def order_of(body: dict[str, Any]) -> Order:
    return translate_order(msgspec.json.encode(body))


def paper_of(prepared: Prepared) -> Paper:
    gaps = {gap: f"[{gap}]" for gap in prepared.parts[1::2]}
    naming = {f"[{gap}]": Name(gap.partition(":")[2] or gap, known=False) for gap in gaps}
    return POS.read_paper(prepared.fill(gaps), naming)


def prepare(order: Order, settings: Settings) -> Prepared:
    return POS.prepare_sale(order, Mark("WMAIN", str(order.order_id), 1), settings, STORE, NO_TAXES)


#: The recording called "failed" is an error object.
ORDERS = sorted({path.stem.removeprefix("order_") for path in RECORDED.glob("order_*")} - {"failed"})


@pytest.mark.parametrize("name", ORDERS)
def test_of_every_recorded_order_the_paper_shows_the_shop_s_amounts(name: str) -> None:
    order, settings = order_of(recorded_order(name)), company()
    try:
        prepared = prepare(order, settings)
    except NotSendable:
        rows = compare("sale", encode(order), None, None, settings)
        assert {row.name: row.receipt for row in rows} == dict.fromkeys(
            ("goods", "shipping", "fees", "tax", "rounding", "total")
        )
        assert rows[-1].shop == order.total
        return
    paper = paper_of(prepared)
    assert paper.sum == prepared.predicted_total == order.total
    assert sum((amount for _, amount in paper.tenders), Decimal(0)) == order.total
    rows = compare("sale", encode(order), paper, prepared.predicted_total, settings)
    assert sum(row.shop or 0 for row in rows[:-1]) == order.total
    shown = {row.name: row for row in rows}
    assert shown["total"].difference == 0
    # A line that is rounded to the cent is made up for by the rounding line, and both are shown.
    assert (shown["goods"].difference or 0) + (shown["rounding"].difference or 0) == 0
    assert [shown[name].difference for name in ("shipping", "fees", "tax")] == [0, 0, 0]


def test_a_receipt_is_read_with_header_lines_and_tenders() -> None:
    prepared = prepare(order_of(recorded_order("fee")), company())
    paper = paper_of(prepared)
    header = dict(paper.header)
    assert paper.title == "Sales receipt"
    assert header["Comments"].startswith("WMAIN-")
    assert header["Customer"] == "customer (not known in QuickBooks yet)"
    assert header["Ship to"].startswith("Gina Guest, 10 Main St, ")
    assert [line.item.text for line in paper.lines][-1] == "Online Sales Tax"
    assert paper.tenders[0][0] == "CreditCard Web Shop"


def test_a_return_an_extended_price_and_amounts_of_the_header_are_read() -> None:
    paper = POS.read_paper(
        '<SalesReceiptAddRq requestID="1-1"><SalesReceiptAdd><Comments>WMAIN-7-R9/1</Comments>'
        "<CustomerListID>-5</CustomerListID><Discount>1.00</Discount><SalesReceiptType>Return</SalesReceiptType>"
        "<Shipping>2.50</Shipping><SalesReceiptItemAdd><ListID>-6</ListID><Desc1>A &amp; B</Desc1>"
        "<ExtendedPrice>10.00</ExtendedPrice><Price>3.33</Price><Qty>3</Qty></SalesReceiptItemAdd>"
        "<SalesReceiptItemAdd><ALU>TEA</ALU><Price>1.00</Price></SalesReceiptItemAdd>"
        "<TenderCashAdd><TenderAmount>5.00</TenderAmount></TenderCashAdd>"
        "<TenderGiftAdd><GiftCertificateNumber>7</GiftCertificateNumber><TenderAmount>7.50</TenderAmount>"
        "</TenderGiftAdd></SalesReceiptAdd></SalesReceiptAddRq>",
        {"-5": Name("Ann Lee"), "-6": Name("TEA-50")},
    )
    assert paper.title == "Return receipt"
    assert dict(paper.header) == {"Comments": "WMAIN-7-R9/1", "Customer": "Ann Lee"}
    assert [(line.item.text, line.description, line.quantity, line.amount) for line in paper.lines] == [
        ("TEA-50", "A & B", 3, Decimal("10.00")),
        ("TEA", "", 1, Decimal("1.00")),
    ]
    assert paper.extras == (("Discount", Decimal("-1.00")), ("Shipping", Decimal("2.50")))
    assert paper.sum == Decimal("12.50")
    assert paper.tenders == (("Cash", Decimal("5.00")), ("Gift 7", Decimal("7.50")))


def test_customers_items_and_departments_are_read_as_they_are_written() -> None:
    person = Customer(
        email="ann@example.net",
        first_name="Ann",
        last_name="Lee",
        billing=Address(line1="1 Low St", city="Bern", postcode="3000", country="CH"),
    )
    need = POS.fallback_customer(company())
    added = paper_of(POS.prepare_customer_add(msgspec.structs.replace(need, customer=person)))
    assert (added.title, added.lines) == ("New customer", ())
    assert dict(added.header)["Bill address"] == "1 Low St, Bern, 3000, CH"
    assert dict(added.header)["E-mail"] == "ann@example.net"
    changed = paper_of(POS.prepare_customer_mod(person, "-17"))
    assert (changed.title, dict(changed.header)["QuickBooks' id"]) == ("Change of a customer", "-17")
    item = Item(sku="TEA-50", name="Tea", item_type="Inventory", price=Decimal("4.5"), department="Online")
    made = paper_of(POS.prepare_item_add(item))
    assert made.title == "New item"
    assert dict(made.header)["Department"] == "department (not known in QuickBooks yet)"
    assert dict(made.header)["Price1"] == "4.50"
    assert paper_of(POS.prepare_department_add(Department(name="Online"))).title == "New department"


@pytest.mark.parametrize("redeemed", ["line", "tender"])
def test_gift_cards_that_paid_are_beside_the_shop_s_as_negative_fees(redeemed: str) -> None:
    settings = company(gift_cards__redeemed=redeemed, tenders="*=Cash")
    order = order_of(recorded_order("plain"))
    order = msgspec.structs.replace(
        order, total=order.total - 5, redeemed=(Redeemed(amount=Decimal("5.00"), code="1234"),)
    )
    prepared = prepare(order, settings)
    rows = compare("sale", encode(order), paper_of(prepared), prepared.predicted_total, settings)
    assert {row.name: row.difference for row in rows} == dict.fromkeys(
        ("goods", "shipping", "fees", "tax", "rounding", "total"), Decimal(0)
    )
    assert next(row.shop for row in rows if row.name == "fees") == Decimal("-5.00")


def test_rows_whose_lines_share_an_item_are_shown_as_one() -> None:
    settings = company(lines__fee="Online Extras", lines__shipping="Online Extras")
    order = order_of(recorded_order("fee"))
    prepared = prepare(order, settings)
    rows = compare("sale", encode(order), paper_of(prepared), prepared.predicted_total, settings)
    (shared,) = (row for row in rows if "fees" in row.name)
    assert shared.name == "shipping and fees"
    assert (shared.difference, rows[-1].difference) == (0, 0)
    assert [row.name for row in rows] == ["goods", "shipping and fees", "tax", "rounding", "total"]


def test_tax_that_quickbooks_computes_is_what_the_lines_leave_of_the_total() -> None:
    settings = company()
    order = order_of(recorded_order("plain"))
    paper = paper_of(prepare(order, settings))
    without = Paper(
        paper.title, paper.header, tuple(x for x in paper.lines if x.item.text != "Online Sales Tax")
    )
    rows = {row.name: row for row in compare("sale", encode(order), without, order.total, settings)}
    assert (rows["tax"].receipt, rows["tax"].difference) == (order.total_tax, 0)
    short = {row.name: row for row in compare("sale", encode(order), without, None, settings)}
    assert short["total"].difference == -order.total_tax


def test_what_has_no_amounts_or_cannot_be_read_has_no_arithmetic() -> None:
    assert compare("add_item", b"{}", None, None, company()) == ()
    assert compare("sale", b'{"id": 7}', None, None, company()) == ()


@pytest.mark.parametrize(
    ("prepared", "title"),
    [
        (POS.prepare_reversal("-12"), "Reversal of a receipt"),
        (POS.prepare_deletion("-12"), "Deletion of a sales order"),
    ],
)
def test_what_undoes_is_read_back_by_what_it_is_and_the_id(prepared: Prepared, title: str) -> None:
    paper = paper_of(prepared)
    assert (paper.title, paper.header, paper.lines) == (title, (("QuickBooks' id", "-12"),), ())
