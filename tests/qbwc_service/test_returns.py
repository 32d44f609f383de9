"""What a refund becomes in Point of Sale: lines, tax, tenders, signs, to the cent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec.structs
import pytest

from ops_sandbox.pos import PosDialect
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.receipts import prepare_receipt
from qbwc_service.flavours.pos.returns import predict_return, prepare_return
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared, Tender
from queue_store.payloads import FeeLine, Redeemed, Refund, RefundSummary
from queue_store.settings import Settings
from tests.harness import recorded_order, recorded_refunds
from tests.making_orders import company, store
from tests.writing_receipts import Books
from woo_bridge.translate_orders import translate_order
from woo_bridge.translate_refunds import allocate_restocked, translate_refund

PLACE = "San Francisco"
TAXES = TaxTable(
    chosen={"rates:1+2": (PLACE, "Tax"), "rates:1": (PLACE, "State")},
    percents={(PLACE, "Tax"): Decimal("9.5"), (PLACE, "State"): Decimal("8.25"), (PLACE, "Non"): Decimal(0)},
)


def recorded(name: str, **changes: Any) -> Refund:
    order = translate_order(json.dumps(recorded_order(name)).encode())
    (body,) = recorded_refunds(order.order_id)
    (refund,) = allocate_restocked(order, [translate_refund(json.dumps(body).encode(), order)], {})
    return msgspec.structs.replace(refund, **changes)


def sold(refund: Refund, settings: Settings, taxes: TaxTable = NO_TAXES) -> Prepared:
    return prepare_receipt(refund.order, Mark("WMAIN", str(refund.order_id), 1), settings, store(), taxes)


def returned(
    refund: Refund, sale: Prepared | None, settings: Settings, taxes: TaxTable = NO_TAXES
) -> Prepared:
    mark = Mark("WMAIN", f"{refund.order_id}-R{refund.refund_id}", 1)
    return prepare_return(refund, mark, sale, settings, store(), taxes)


@pytest.mark.parametrize("name", ["rfull", "rfullnr", "rpart", "rpartqty", "rship", "ramount"])
@pytest.mark.parametrize("signs", ["positive", "negative"])
def test_a_return_goes_in_the_tax_mode_of_its_sale_whatever_is_set_now(name: str, signs: str) -> None:
    sign = -1 if signs == "negative" else 1
    dialect = PosDialect(return_signs="negative" if sign < 0 else "positive")
    books = Books(
        dialect,
        {(PLACE, "Tax"): Decimal("9.5"), (PLACE, "State"): Decimal("8.25"), (PLACE, "Non"): Decimal(0)},
    )
    refund = recorded(name)
    sale = sold(refund, company(**{"tax.mode": "flavour"}), TAXES)
    assert sale.tax_mode == "flavour"
    prepared = returned(refund, sale, company(**{"tax.mode": "line", "returns.signs": signs}), TAXES)
    assert prepared.tax_mode == "flavour"
    receipt = books.enter(prepared)
    assert receipt.type == "Return"
    assert receipt.total == prepared.predicted_total == sign * refund.amount
    assert [(one.kind, one.amount) for one in receipt.tenders] == [("CreditCard", sign * refund.amount)]
    if refund.total_tax:
        assert abs(receipt.tax_amount * sign - refund.total_tax) < Decimal("0.07")


def test_in_mode_line_the_tax_is_the_refunds_own() -> None:
    refund = recorded("rpart")
    sale = sold(refund, company())
    lines = predict_return(refund, company(**{"tax.mode": "flavour"}), tax_mode=sale.tax_mode).lines
    assert [(line.key, line.quantity, line.price) for line in lines] == [
        ("WID-014", 1, Decimal("42.99")),
        ("Online Sales Tax", 1, Decimal("4.09")),
    ]


def test_pieces_that_were_not_put_back_are_an_amount() -> None:
    refund = recorded("rfull")
    lines = tuple(msgspec.structs.replace(line, restocked=Decimal(1)) for line in refund.lines)
    predicted = predict_return(msgspec.structs.replace(refund, lines=lines), company())
    assert [(line.key, line.quantity, line.price) for line in predicted.lines] == [
        ("WID-014", 1, Decimal("42.99")),
        ("Online Refund", 1, Decimal("128.97")),
        ("WID-015", 1, Decimal("45.99")),
        ("Online Refund", 1, Decimal("45.99")),
        ("Online Refund", 1, Decimal("7.50")),
        ("Online Sales Tax", 1, Decimal("25.70")),
    ]


def test_pieces_that_do_not_divide_add_up_exactly() -> None:
    refund = recorded("rpart")
    (line,) = refund.lines
    line = msgspec.structs.replace(
        line,
        quantity=Decimal(3),
        restocked=Decimal(3),
        total=Decimal("10.00"),
        total_tax=Decimal(0),
        taxes=(),
    )
    refund = msgspec.structs.replace(refund, lines=(line,), amount=Decimal("10.00"), total_tax=Decimal(0))
    predicted = predict_return(refund, company())
    assert [(line.quantity, line.price) for line in predicted.lines] == [
        (2, Decimal("3.33")),
        (1, Decimal("3.34")),
    ]


def test_a_fee_taken_back_lowers_what_the_buyer_gets() -> None:
    fee = FeeLine(line_id=9, name="Restocking", total=Decimal("-5.00"), total_tax=Decimal(0))
    refund = recorded("rpart", fee_lines=(fee,), amount=Decimal("42.08"))
    prepared = returned(refund, None, company())
    assert Books().enter(prepared).total == Decimal("42.08")


def test_goods_put_back_for_nothing_come_back_at_nothing() -> None:
    refund = recorded("rpart")
    (line,) = refund.lines
    line = msgspec.structs.replace(line, total=Decimal(0), total_tax=Decimal(0), taxes=())
    refund = msgspec.structs.replace(refund, lines=(line,), amount=Decimal(0), total_tax=Decimal(0))
    receipt = Books(stocked=True).enter(returned(refund, None, company()))
    assert (receipt.total, receipt.tenders, receipt.lines[0].qty) == (0, (), 1)


def test_goods_put_back_for_nothing_that_have_a_price_come_back_at_it_and_no_money_moves() -> None:
    receipt = Books(stocked=True).enter(returned(recorded("rpart", amount=Decimal(0)), None, company()))
    assert (receipt.total, receipt.tenders) == (0, ())
    assert [(line.qty, line.extended_price) for line in receipt.lines] == [
        (1, Decimal("42.99")),
        (1, Decimal("-47.08")),
        (1, Decimal("4.09")),
    ]


@pytest.mark.parametrize("signs", ["positive", "negative"])
def test_a_refund_of_less_than_its_lines_comes_out_where_quickbooks_taxes_too(signs: str) -> None:
    dialect = PosDialect(return_signs="negative" if signs == "negative" else "positive")
    percents = TAXES.percents
    assert percents
    refund = recorded("rpart", amount=Decimal("40.00"))
    settings = company(**{"tax.mode": "flavour", "tax.beyond": "refuse", "returns.signs": signs})
    prepared = returned(refund, sold(refund, settings, TAXES), settings, TAXES)
    receipt = Books(dialect, percents).enter(prepared)
    sign = -1 if signs == "negative" else 1
    assert prepared.tax_mode == "flavour"
    assert (receipt.total * sign, receipt.tax_amount * sign) == (Decimal("40.00"), Decimal("4.08"))
    assert [tender.amount * sign for tender in receipt.tenders] == [Decimal("40.00")]


def test_a_refund_of_nothing_is_refused() -> None:
    refund = recorded("ramount", amount=Decimal(0))
    with pytest.raises(NotSendable, match="gives nothing back"):
        predict_return(refund, company())


def test_refunds_that_together_exceed_their_order_are_refused() -> None:
    refund = recorded("ramount")
    before = RefundSummary(refund_id=1, total=Decimal("-290.00"))
    order = msgspec.structs.replace(refund.order, refunds=(before, *refund.order.refunds))
    with pytest.raises(
        NotSendable, match=r"11\.11 after 290\.00 that was given back before, of an order of 297\.14"
    ):
        predict_return(msgspec.structs.replace(refund, order=order), company())


def test_an_amount_with_parts_of_a_cent_is_what_is_paid_back() -> None:
    found = predict_return(recorded("ramount", amount=Decimal("11.115")), company())
    assert found.total == sum(line.amount for line in found.lines) == Decimal("11.12")
    assert any("11.115 is 11.12 in whole cents" in remark for remark in found.remarks)


def test_another_currency_is_refused() -> None:
    refund = recorded("ramount")
    order = msgspec.structs.replace(refund.order, currency="EUR")
    with pytest.raises(NotSendable, match="Refund 113 of order 106 is in EUR"):
        predict_return(msgspec.structs.replace(refund, order=order), company())


def test_a_return_is_dated_by_the_refund_in_the_shops_zone() -> None:
    prepared = returned(recorded("rpart"), None, company())
    assert str(Books().enter(prepared).txn_date) == "2026-11-21"


GIFT_AND_CARD = (
    Tender(kind="Gift", amount=Decimal("100.00"), name="*1234"),
    Tender(kind="CreditCard", amount=Decimal("197.14"), name="Visa"),
)


@pytest.mark.parametrize(
    ("earlier", "amount", "expected"),
    [
        ("0", "11.11", [("Gift", "11.11")]),
        ("0", "150.00", [("CreditCard", "50.00"), ("Gift", "100.00")]),
        ("95.00", "11.11", [("CreditCard", "6.11"), ("Gift", "5.00")]),
        ("100.00", "11.11", [("CreditCard", "11.11")]),
    ],
)
def test_several_tenders_are_given_back_in_their_order_each_once(
    earlier: str, amount: str, expected: list[tuple[str, str]]
) -> None:
    refund = recorded("ramount", amount=Decimal(amount))
    before = RefundSummary(refund_id=1, total=-Decimal(earlier))
    refund = msgspec.structs.replace(
        refund, order=msgspec.structs.replace(refund.order, refunds=(before, *refund.order.refunds))
    )
    sale = msgspec.structs.replace(sold(refund, company()), tenders=GIFT_AND_CARD)
    receipt = Books().enter(returned(refund, sale, company()))
    assert sorted((one.kind, str(one.amount)) for one in receipt.tenders) == expected


def test_a_sale_remembers_how_it_was_paid() -> None:
    refund = recorded("ramount")
    order = msgspec.structs.replace(refund.order, redeemed=(Redeemed(code="*1234", amount=Decimal("20.00")),))
    paid = sold(
        msgspec.structs.replace(refund, order=order), company(**{"gift_cards.redeemed": "tender"})
    ).tenders
    assert [(one.kind, one.name) for one in paid] == [("Gift", "*1234"), ("CreditCard", "Web Shop")]


def test_a_refund_of_tax_alone_gives_back_the_tax() -> None:
    """Such as to a buyer who shows afterwards that he is exempt."""
    refund = recorded("ramount", amount=Decimal("1.31"), total_tax=Decimal("1.31"))
    predicted = predict_return(refund, company())
    assert [(line.key, line.amount) for line in predicted.lines] == [("Online Sales Tax", Decimal("1.31"))]
    by_line = predict_return(refund, company(), TAXES, tax_mode="flavour")
    assert (by_line.tax_mode, by_line.total) == ("line", Decimal("1.31"))


def test_a_refund_in_a_currency_without_cents_may_be_off_by_a_whole_unit() -> None:
    refund = recorded("rpart")
    (line,) = refund.lines
    line = msgspec.structs.replace(line, total=Decimal(43), total_tax=Decimal(5))
    order = msgspec.structs.replace(refund.order, currency="JPY", total=Decimal(297))
    refund = msgspec.structs.replace(
        refund, order=order, lines=(line,), amount=Decimal(47), total_tax=Decimal(5)
    )
    predicted = predict_return(refund, company(currency="JPY"))
    assert (predicted.total, predicted.rounding) == (47, -1)
