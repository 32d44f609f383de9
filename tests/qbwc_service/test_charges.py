"""Everything that an order can hold becomes lines and tenders, and nothing of it vanishes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import Receipt, predict
from queue_store.payloads import Redeemed
from tests.making_orders import company, fee, line, order, shipping
from tests.writing_receipts import Books

D = Decimal


def written(receipt: Receipt) -> list[tuple[str, str, str]]:
    """(item, quantity, price) of each line."""
    return [(one.key, str(one.quantity), str(one.price)) for one in receipt.lines]


def test_shipping_fees_and_tips_are_lines_of_items_of_their_own():
    found = predict(
        order(
            line("10.00"),
            total="22.50",
            shipping_lines=(shipping("5.00"), shipping("2.00", title="Insurance")),
            fee_lines=(fee("Handling", "3.50"), fee("A tip for the crew", "3.00"), fee("Friends", "-1.00")),
        ),
        company(),
    )
    assert written(found) == [
        ("S1", "1", "10.00"),
        ("Online Shipping", "1", "5.00"),
        ("Online Shipping", "1", "2.00"),
        ("Online Fee", "1", "3.50"),
        ("Online Tip", "1", "3.00"),
        ("Online Fee", "1", "-1.00"),
    ]
    assert [one.label for one in found.lines][1:] == [
        "Post",
        "Insurance",
        "Handling",
        "A tip for the crew",
        "Friends",
    ]


def test_a_tip_is_told_by_whole_words():
    one = order(line("1.00"), total="3.00", fee_lines=(fee("Tipping bucket", "2.00"),))
    assert predict(one, company()).lines[-1].key == "Online Fee"
    assert predict(one, company(lines__tip_names="tipping")).lines[-1].key == "Online Tip"


@pytest.mark.parametrize("by", [{"gift_cards__skus": "GIFT-*"}, {"gift_cards__names": "gift voucher"}])
def test_a_gift_card_sold_goes_to_the_liability_item_and_not_to_a_product(by: dict[str, str]):
    sold = line("50.00", "2", sku="GIFT-25", name="Gift voucher 25")
    found = predict(order(sold, line("4.00", line_id=2), total="54.00"), company(**by))
    assert written(found) == [("Online Gift Card", "2", "25.00"), ("S2", "1", "4.00")]


CARD = (Redeemed(code="*WXYZ", amount=D("30.00")),)


def test_goods_below_nothing_go_as_one_piece_where_no_negative_price_is_taken():
    # WooCommerce takes a coupon off half a cent twice. A piece less would be a piece more on the shelf.
    below = order(line("12.00", "2"), line("-1.76", "3", line_id=2), total="10.24")
    assert written(predict(below, company())) == [
        ("S1", "2", "6.00"),
        ("S2", "1", "-0.58"),
        ("S2", "2", "-0.59"),
    ]
    by_quantity = predict(below, company(lines__negative="quantity"))
    assert written(by_quantity) == [("S1", "2", "6.00"), ("S2", "-1", "1.76")]
    assert [one.one_piece for one in by_quantity.lines] == [False, True]


def test_a_shop_that_writes_no_cents_may_miss_by_a_whole_one_and_no_other():
    # Rounded at the subtotal, the shown lines of such a shop miss its total by 1, or by 2.
    shop = {"currency": "HUF", "total": "27801"}
    found = predict(order(line("20862"), line("6937", line_id=2), **shop), company(currency="HUF"))
    assert (found.rounding, found.total) == (2, 27801)
    with pytest.raises(NotSendable, match="does not add up"):
        predict(
            order(line("20862"), line("6937", line_id=2), **{**shop, "total": "27801.00"}),
            company(currency="HUF"),
        )


def test_a_redeemed_gift_card_is_a_negative_line_of_the_liability_item():
    found = predict(order(line("100.00"), total="70.00", redeemed=CARD), company())
    assert written(found)[-1] == ("Online Gift Card", "1", "-30.00")
    assert found.total == D("70.00")
    assert found.lines[-1].label == "Gift card *WXYZ"


def test_or_it_is_a_tender_beside_the_gateways():
    receipt, _ = Books().write(
        order(line("100.00"), total="70.00", redeemed=CARD, payment_method="stripe"),
        company(gift_cards__redeemed="tender", tenders="stripe=CreditCard:Visa"),
    )
    assert receipt.total == D("100.00")
    assert [(one.kind, one.amount, one.detail) for one in receipt.tenders] == [
        ("CreditCard", D("70.00"), "Visa"),
        ("Gift", D("30.00"), "*WXYZ"),
    ]


def test_a_gift_card_that_pays_all_needs_no_gateway():
    receipt, _ = Books().write(
        order(line("30.00"), total="0.00", redeemed=CARD),
        company(gift_cards__redeemed="tender", documents__tender="refuse"),
    )
    assert [(one.kind, one.amount) for one in receipt.tenders] == [("Gift", D("30.00"))]


def test_a_plugin_that_leaves_the_total_alone_is_told_by_the_arithmetic():
    """The total is 100.00 and 30.00 of it were paid by card: the total stays the shop's."""
    found = predict(order(line("100.00"), total="100.00", redeemed=CARD), company())
    assert (found.total, found.gifts) == (D("100.00"), (("*WXYZ", D("30.00")),))
    assert written(found) == [("S1", "1", "100.00")]


def test_credit_that_is_in_the_lines_already_counts_once():
    card = (Redeemed(code="*WXYZ", amount=D("30.00"), may_be_in_lines=True),)
    found = predict(order(line("70.00"), total="70.00", redeemed=card), company())
    assert (found.total, found.gifts, written(found)) == (D("70.00"), (), [("S1", "1", "70.00")])
    assert found.remarks == ("Order 71: store credit is in its lines' totals already",)


def test_a_negative_fee_that_is_called_a_gift_card_is_one():
    one = order(line("10.00"), total="4.00", fee_lines=(fee("Gift card ABC", "-6.00"),))
    assert written(predict(one, company()))[-1] == ("Online Gift Card", "1", "-6.00")
    as_tender = predict(one, company(gift_cards__redeemed="tender"))
    assert (as_tender.total, as_tender.gifts) == (D("10.00"), (("", D("6.00")),))


def test_gift_cards_that_paid_more_than_the_total_are_refused():
    cards = (Redeemed(code="*1", amount=D("90.00")),)
    with pytest.raises(
        NotSendable, match=r"its gift cards paid 90.00, which is more than its total of 20.00"
    ):
        Books().write(order(line("20.00"), total="20.00", redeemed=cards), company())


def test_a_bundle_goes_as_the_shop_lists_it_as_one_line_or_as_its_parts():
    bundle = order(
        line("30.00", "1", line_id=1, sku="SET"),
        line("0.00", "2", line_id=2, sku="CUP", bundled_by=1),
        line("0.00", "1", line_id=3, sku="POT", bundled_by=1),
        line("5.00", "1", line_id=4, sku="TEA"),
        total="35.00",
    )
    assert written(predict(bundle, company())) == [
        ("SET", "1", "30.00"),
        ("CUP", "2", "0.00"),
        ("POT", "1", "0.00"),
        ("TEA", "1", "5.00"),
    ]
    assert written(predict(bundle, company(bundles="parent"))) == [
        ("SET", "1", "30.00"),
        ("TEA", "1", "5.00"),
    ]
    assert written(predict(bundle, company(bundles="parts"))) == [
        ("CUP", "2", "10.00"),
        ("POT", "1", "10.00"),
        ("TEA", "1", "5.00"),
    ]


def test_a_bundles_price_is_shared_by_what_its_parts_cost_by_themselves():
    bundle = order(
        line("10.00", line_id=1, sku="SET"),
        line("4.00", line_id=2, sku="CUP", bundled_by=1, subtotal=D("4.00")),
        line("8.00", line_id=3, sku="POT", bundled_by=1, subtotal=D("8.00")),
        total="22.00",
    )
    # 10.00 as 4 to 8: 3.33 and 6.67.
    assert written(predict(bundle, company(bundles="parts"))) == [("CUP", "1", "7.33"), ("POT", "1", "14.67")]
    assert written(predict(bundle, company(bundles="parent"))) == [("SET", "1", "22.00")]


def test_a_bundle_within_a_bundle_is_one_bundle():
    bundle = order(
        line("9.00", line_id=1, sku="BIG"),
        line("0.00", line_id=2, sku="SMALL", bundled_by=1),
        line("0.00", line_id=3, sku="A", bundled_by=2),
        line("0.00", line_id=4, sku="B", bundled_by=2),
        total="9.00",
    )
    assert written(predict(bundle, company(bundles="parts"))) == [("A", "1", "4.50"), ("B", "1", "4.50")]
    assert written(predict(bundle, company(bundles="parent"))) == [("BIG", "1", "9.00")]


def test_a_line_that_names_no_product_is_refused_with_its_number():
    nothing = line("0.00", line_id=584, sku="", name="", product_id=0)
    with pytest.raises(NotSendable, match=r"line 584 names no product and has a total of 0.00"):
        predict(order(nothing, total="0.00"), company(items__fallback="Online Item"))


def test_lines_without_sku_need_an_item():
    lost = line("5.00", sku="", name="Old thing", product_id=0)
    with pytest.raises(NotSendable, match="its product was deleted from the shop"):
        predict(order(lost, total="5.00"), company())
    assert written(predict(order(lost, total="5.00"), company(items__fallback="Online Item"))) == [
        ("Online Item", "1", "5.00")
    ]


def test_a_hundred_lines_are_a_hundred_lines():
    lines = [line("1.01", line_id=n) for n in range(1, 101)]
    receipt, _ = Books().write(order(*lines, total="101.00"))
    assert (receipt.total, len(receipt.lines)) == (D("101.00"), 100)


def test_more_lines_than_an_order_has_are_refused():
    lines = [line("1.00", line_id=n) for n in range(1, 2002)]
    with pytest.raises(NotSendable, match="would have 2001 lines in QuickBooks, more than 2000"):
        Books().write(order(*lines, total="2001.00"))


def test_an_order_of_nothing_has_no_tender():
    receipt, _ = Books().write(order(line("0.00"), total="0.00"))
    assert (receipt.total, receipt.tenders) == (0, ())


@pytest.mark.parametrize(
    ("amounts", "total", "rate", "prices", "in_books"),
    [
        # 10.835, 10.835 and 10.835 are 32.505: 32.51, of which the first two take the larger part.
        (["10.00", "10.00", "10.00"], "30.00", "1.0835", ["10.84", "10.84", "10.83"], "32.51"),
        (["19.99", "0.01"], "20.00", "0.0067", ["0.13", "0.01"], "0.13"),
    ],
)
def test_another_currency_is_converted_so_that_the_total_is_exact(amounts, total, rate, prices, in_books):
    lines = [line(amount, line_id=n) for n, amount in enumerate(amounts, 1)]
    found = predict(order(*lines, total=total, currency="EUR"), company(currency__rates=f"EUR={rate}"))
    assert [str(one.price) for one in found.lines if one.kind == "sku"] == prices
    assert found.total == D(in_books) == sum(one.amount for one in found.lines)


def test_without_a_rate_another_currency_is_refused_with_the_command():
    with pytest.raises(NotSendable, match=r"qbwoo company set NAME currency.rates EUR=RATE"):
        predict(order(line("1.00"), total="1.00", currency="EUR"), company())


def test_a_currency_without_decimals_has_whole_prices():
    found = predict(
        order(line("1000", "3"), total="1100", tax="100", currency="JPY"), company(currency="JPY")
    )
    assert written(found) == [
        ("S1", "2", "333"),
        ("S1", "1", "334"),
        ("Online Sales Tax", "1", "100"),
    ]


def test_a_price_below_half_a_cent_is_a_cent_and_the_rounding_item_takes_it_back():
    found = predict(order(line("0.0040"), line("10.00", line_id=2), total="10.00"), company())
    assert written(found) == [
        ("S1", "1", "0.01"),
        ("S2", "1", "10.00"),
        ("Online Rounding", "1", "-0.01"),
    ]
    assert found.rounding == D("-0.01")


def test_amounts_with_four_decimals_add_up_without_the_rounding_item():
    lines = [line("0.3333", line_id=n) for n in range(1, 4)]
    found = predict(order(*lines, total="1.0000"), company())
    assert [str(one.price) for one in found.lines] == ["0.34", "0.33", "0.33"]
    assert found.rounding == 0


def test_a_total_with_parts_of_a_cent_is_what_is_paid_and_lines_in_cents_stay_as_they_are():
    found = predict(order(line("10.00"), total="10.005"), company())
    assert written(found) == [("S1", "1", "10.00"), ("Online Rounding", "1", "0.01")]
    assert found.total == D("10.01")
    assert "Order 71: its total of 10.005 is 10.01 in whole cents" in found.remarks
    shown = predict(order(line("10.0040"), line("1.0040", line_id=2), total="11.0080"), company())
    assert (shown.total, shown.rounding) == (D("11.01"), 0)


def test_a_total_that_rounding_took_below_nothing_is_nothing():
    found = predict(order(line("3.00"), total="-0.01", fee_lines=(fee("Gift", "-3.01"),)), company())
    assert (found.total, found.rounding) == (0, D("0.01"))
    assert sum(one.amount for one in found.lines) == 0
    with pytest.raises(NotSendable, match=r"has a negative total of -0\.06"):
        predict(order(line("3.00"), total="-0.06", fee_lines=(fee("Gift", "-3.06"),)), company())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"total": D("-1.00")}, "has a negative total of -1.00"),
        (
            {"total": D("12.00")},
            r"10\.00 for goods is 10\.00, the shop says 12\.00 \(difference 2\.00, allowed 0\.05",
        ),
    ],
)
def test_what_does_not_add_up_is_refused_with_the_arithmetic(changes: dict[str, Any], sentence: str):
    with pytest.raises(NotSendable, match=sentence):
        predict(order(line("10.00"), **{"total": "10.00", **changes}), company())


def test_a_line_of_a_negative_quantity_is_refused_for_it_would_put_goods_on_the_shelf() -> None:
    found = order(line("5.00"), line("-2.00", "-1", line_id=2), total="3.00")
    with pytest.raises(NotSendable, match="line 'Thing 2' has a quantity of -1, which would put goods back"):
        predict(found, company())
