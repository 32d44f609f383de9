"""Tax by QuickBooks' own categories and codes: predicted to the cent, else by line or refused."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops_sandbox.pos import PosDialect
from qbwc_service.errors import NotSendable, TaxRatesUnknown
from qbwc_service.flavours.pos.balance import balance, predict
from qbwc_service.flavours.pos.charges import basket_of
from qbwc_service.flavours.pos.tax import key_of_rates
from qbwc_service.flavours.tax_table import TaxTable
from tests.making_orders import company, fee, line, order, shipping
from tests.writing_receipts import Books

D = Decimal
CITY, ABROAD = "Local Sales Tax", "Abroad"
PERCENTS = {
    (CITY, "Tax"): D("9.5"),
    (CITY, "Low"): D("4"),
    (CITY, "Non"): D(0),
    (ABROAD, "Tax"): D("19"),
    (ABROAD, "Non"): D(0),
}
TABLE = TaxTable(
    {
        "rates:1+2": (CITY, "Tax"),
        "rates:7": (CITY, "Low"),
        "rates:4": (ABROAD, "Tax"),
        "class:zero-rate": (CITY, "Non"),
        "rates:9": (CITY, "Gone"),
    },
    PERCENTS,
)


def flavour(**more: str) -> Any:
    return company(**{"tax__mode": "flavour", **more})


TAXED = order(
    line("100.00", "3", tax="9.50", rates=(1, 2)),
    line("24.00", tax="0.96", rates=(7,), line_id=2),
    line("25.00", line_id=3),
    total="167.68",
    tax="11.18",
    shipping_lines=(shipping("7.50", tax="0.72", rates=(2, 1)),),
)


def test_each_line_bears_the_code_of_its_rates_and_the_receipt_their_category():
    found = predict(TAXED, flavour(), TABLE)
    assert (found.tax_mode, found.tax_category) == ("flavour", CITY)
    assert [(one.key, one.tax_code) for one in found.lines] == [
        ("S1", "Tax"),
        ("S1", "Tax"),
        ("S2", "Low"),
        ("S3", "Non"),
        ("Online Shipping", "Tax"),
        # 66.66 and 33.34 are taxed apart: 6.33 + 3.17 + 0.96 + 0.71 is 11.17.
        ("Online Rounding", "Non"),
    ]
    assert (found.tax, found.rounding, found.total) == (D("11.17"), D("0.01"), D("167.68"))


def test_quickbooks_comes_to_the_same():
    receipt, prepared = Books(tax_rates=PERCENTS).write(TAXED, flavour(), TABLE)
    assert (receipt.total, receipt.tax_amount, receipt.tax_category) == (D("167.68"), D("11.17"), CITY)
    assert (prepared.tax_mode, prepared.tax_category) == ("flavour", CITY)
    assert prepared.remarks == ("Order 71: 0.01 went to Online Rounding",)


def test_tax_may_be_rounded_once_on_the_receipt_and_half_to_even():
    two = order(line("0.50", tax="0.05", rates=(1,)), line("0.50", tax="0.05", rates=(1,), line_id=2), total="1.09", tax="0.09")  # fmt: skip
    table = TaxTable({"rates:1": (CITY, "Tax")}, {(CITY, "Tax"): D("9"), (CITY, "Non"): D(0)})
    # 0.045 twice: 0.05 + 0.05 by line, 0.09 on the receipt, 0.04 + 0.04 to even.
    assert predict(two, flavour(), table).tax == D("0.10")
    assert predict(two, flavour(tax__rounding="receipt"), table).tax == D("0.09")
    assert predict(two, flavour(tax__half="even"), table).tax == D("0.08")


def test_a_tax_class_stands_in_for_rates_that_nobody_named():
    found = predict(order(line("5.00", rates=(30,), tax_class="zero-rate"), total="5.00"), flavour(), TABLE)
    assert [one.tax_code for one in found.lines] == ["Non"]


def test_all_rates_that_nobody_named_are_told_at_once():
    found = order(
        line("10.00", tax="1.00", rates=(5, 6)),
        line("10.00", tax="1.00", rates=(6, 5), line_id=2),
        total="29.50",
        tax="2.00",
        shipping_lines=(shipping("7.50", rates=(5,)),),
    )
    with pytest.raises(NotSendable) as caught:
        predict(found, flavour(tax__beyond="refuse"), TABLE)
    assert caught.value.sentence == (
        "Order 71 is not sent: line 'Thing 1' bears the shop's tax rates 5+6 and line 'Post' bears the shop's tax rates 5, "
        "and no tax category and code of QuickBooks is chosen for them. Choose: qbwoo mapping set tax rates:5+6 "
        "CATEGORY/CODE --store STORE; qbwoo mapping set tax rates:5 CATEGORY/CODE --store STORE; then retry."
    )


def test_an_order_without_tax_names_no_category():
    found = predict(order(line("5.00"), total="5.00"), flavour(), TABLE)
    assert (found.tax_category, found.tax, [one.tax_code for one in found.lines]) == ("", 0, ["Non"])


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            order(line("10.00", tax="1.00", rates=(5, 6)), total="11.00", tax="1.00"),
            r"line 'Thing 1' bears the shop's tax rates 5\+6, and no tax category and code of QuickBooks is chosen for "
            r"them\. Choose: qbwoo mapping set tax rates:5\+6 CATEGORY/CODE --store STORE; then retry\.",
        ),
        (
            # WooCommerce spreads a negative fee over the tax classes of the goods: it bears the rates of all.
            order(
                line("100.00", tax="9.50", rates=(1, 2)),
                line("100.00", tax="4.00", rates=(7,), line_id=2),
                total="204.66",
                tax="12.66",
                fee_lines=(fee("Loyal", "-8.00", tax="-0.84", rates=(1, 2, 7)),),
            ),
            r"line 'Loyal' bears the shop's tax rates 1\+2\+7, and no tax category and code of QuickBooks is chosen",
        ),
        (
            order(
                line("10.00", tax="0.95", rates=(1, 2)),
                line("10.00", tax="1.90", rates=(4,), line_id=2),
                total="22.85",
                tax="2.85",
            ),
            "its lines need the tax categories 'Local Sales Tax' and 'Abroad', and a receipt has one",
        ),
        (
            order(line("10.00", tax="1.00", rates=(9,)), total="11.00", tax="1.00"),
            "QuickBooks has no tax code 'Gone' in the tax category 'Local Sales Tax'",
        ),
        (
            order(line("100.00", tax="12.00", rates=(1, 2)), total="112.00", tax="12.00"),
            r"100\.00 for goods \+ 9\.50 tax is 109\.50, the shop says 112\.00 \(difference 2\.50, allowed 0\.060; "
            r"QuickBooks' tax 9\.50, the shop's 12\.00\)",
        ),
    ],
)
def test_tax_that_quickbooks_would_compute_otherwise_goes_by_line_or_is_refused(found, why):
    by_line = predict(found, flavour(), TABLE)
    assert (by_line.tax_mode, by_line.tax_category, by_line.total) == ("line", "", found.total)
    assert by_line.lines[-1].amount == found.total_tax
    assert by_line.remarks[0].startswith("Order 71: its tax goes as a line: ")
    with pytest.raises(NotSendable, match=f"Order 71 is not sent: {why}"):
        predict(found, flavour(tax__beyond="refuse"), TABLE)


def test_an_untaxed_line_beside_a_code_that_is_taxed_is_beyond():
    table = TaxTable(TABLE.chosen, {**PERCENTS, (CITY, "Non"): D("1")})
    with pytest.raises(NotSendable, match="its untaxed lines bear the tax code 'Non', which is 1 %"):
        predict(TAXED, flavour(tax__beyond="refuse"), table)


def test_rates_that_were_never_read_are_not_guessed():
    with pytest.raises(TaxRatesUnknown):
        predict(TAXED, flavour(), TaxTable(TABLE.chosen))


def test_a_return_keeps_the_mode_of_its_sale_whatever_is_set_now():
    basket = basket_of(TAXED, company())
    assert balance(basket, company(), TABLE, tax_mode="flavour").tax == D("11.17")
    assert balance(basket, flavour(), TABLE, tax_mode="line").tax == 0


def test_gift_cards_sold_and_redeemed_are_not_taxed():
    found = order(
        line("100.00", tax="9.50", rates=(1, 2)),
        line("50.00", sku="GIFT", line_id=2),
        total="150.50",
        tax="9.50",
        fee_lines=(fee("Gift card", "-9.00"),),
    )
    receipt = predict(found, flavour(gift_cards__skus="GIFT"), TABLE)
    assert [(one.key, one.tax_code) for one in receipt.lines] == [
        ("S1", "Tax"),
        ("Online Gift Card", "Non"),
        ("Online Gift Card", "Non"),
    ]
    assert receipt.rounding == 0


RATES = [(1, D("8.25")), (2, D("1.25")), (3, D("5")), (4, D("9.975"))]


@st.composite
def taxed_orders(draw: Any) -> tuple[Any, TaxTable]:
    """Up to three rates, simple or compound, prices with or without tax, rounded by line or at the subtotal."""
    rates = draw(st.lists(st.sampled_from(RATES), max_size=3, unique=True))
    compound, inclusive, at_subtotal = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    percent = D(0)
    for _, one in rates:
        percent += one * (1 + percent / 100) if compound else one
    exact_tax, lines = D(0), []
    for n in range(1, draw(st.integers(1, 15)) + 1):
        price = D(draw(st.integers(1, 10**5))) / 100
        taxed = bool(rates) and draw(st.integers(0, 4)) > 0
        share = percent if taxed else D(0)
        total = price * 100 / (100 + share) if inclusive else price
        total = total.quantize(D("0.01"), ROUND_HALF_UP)
        tax = price - total if inclusive else total * share / 100
        shown = tax.quantize(D("0.01"), ROUND_HALF_UP)
        exact_tax += tax if at_subtotal else shown
        ids = tuple(rate for rate, _ in rates) if taxed else ()
        quantity = str(draw(st.integers(1, 9)))
        lines.append(line(str(total), quantity, tax=str(shown), rates=ids, line_id=n))
    tax = exact_tax.quantize(D("0.01"), ROUND_HALF_UP)
    total = sum((one.total for one in lines), tax)
    chosen = {key_of_rates(rate for rate, _ in rates): (CITY, "Tax")}
    percents = {(CITY, "Tax"): percent.quantize(D("0.0001")), (CITY, "Non"): D(0)}
    return order(*lines, total=str(total), tax=str(tax)), TaxTable(chosen, percents)


@settings(max_examples=60, deadline=None)
@given(made=taxed_orders(), seed=st.integers(0, 10**6))
def test_any_taxed_order_comes_to_its_total_in_quickbooks(made: Any, seed: int) -> None:
    found, table = made
    dialect = PosDialect.random(random.Random(seed))
    told = flavour(
        tax__rounding=dialect.tax_rounding,
        tax__half={"half_up": "up", "half_even": "even"}[dialect.tax_half],
        lines__negative="quantity" if dialect.negative_line == "negative_qty" else "price",
    )
    receipt, prepared = Books(dialect, tax_rates=dict(table.percents or {})).write(found, told, table)
    assert receipt.total == found.total == prepared.predicted_total
    if prepared.tax_mode == "line":
        assert "its tax goes as a line" in prepared.remarks[-1] or len(prepared.remarks) > 1
        assert receipt.tax_amount == 0
