"""How an order was paid is how its receipt is tendered."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qbwc_service.errors import NotSendable
from queue_store.errors import BadSetting
from queue_store.setting_tables import TENDERS, TenderRow, read_tenders
from queue_store.settings import check_setting
from tests.making_orders import company, line, order
from tests.writing_receipts import Books

D = Decimal


def tender(gateway: str, transaction_id: str = "", **settings: str) -> tuple[str, Decimal, str]:
    receipt, _ = Books().write(
        order(line("10.00"), total="10.00", payment_method=gateway, transaction_id=transaction_id),
        company(**settings),
    )
    (one,) = receipt.tenders
    return one.kind, one.amount, one.detail


TABLE = "stripe=CreditCard:Visa, paypal=creditcard, cheque=Check, cod=Cash, bacs=Account, none=DebitCard"


@pytest.mark.parametrize(
    ("gateway", "transaction_id", "expected"),
    [
        ("stripe", "ch_1", ("CreditCard", "Visa")),
        ("paypal", "", ("CreditCard", "Web Shop")),
        ("cheque", "1077", ("Check", "1077")),
        ("cheque", "", ("Check", "")),
        ("cheque", "C" * 40, ("Check", "C" * 32)),
        ("cod", "", ("Cash", "")),
        ("bacs", "", ("Account", "")),
        ("", "", ("DebitCard", "")),
        ("square", "", ("CreditCard", "Web Shop")),
    ],
)
def test_a_gateway_is_tendered_by_the_table(gateway, transaction_id, expected):
    assert tender(gateway, transaction_id, tenders=TABLE) == (expected[0], D("10.00"), expected[1])


def test_other_gateways_go_by_the_star_else_by_the_companys_tender():
    assert tender("square", tenders="*=Gift")[0] == "Gift"
    assert tender("square", documents__tender="Cash")[0] == "Cash"
    assert tender("square", documents__card_name="Amex")[2] == "Amex"


@pytest.mark.parametrize("kind", TENDERS)
def test_every_kind_of_tender_is_taken_by_quickbooks(kind):
    assert tender("square", tenders=f"*={kind}")[:2] == (kind, D("10.00"))


def test_a_gateway_without_tender_is_refused_with_the_command():
    with pytest.raises(
        NotSendable,
        match=r"Order 71: it was paid through 'square', for which no tender is set\. Add one: "
        r'qbwoo company set NAME tenders "cod=Cash, square=CreditCard"; then retry\.',
    ):
        tender("square", tenders="cod=Cash", documents__tender="refuse")


def test_a_table_is_read_with_blanks_and_in_any_case():
    assert read_tenders(" Stripe = creditcard : Visa ,, *=account ") == {
        "stripe": TenderRow("CreditCard", "Visa"),
        "*": TenderRow("Account"),
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("stripe", "'stripe' is no row: it must read GATEWAY=TENDER"),
        ("=Cash", "is no row"),
        ("cod=Cash, cod=Check", "names the gateway 'cod' twice"),
        ("cod=Money", "names the tender 'Money', which is not known. Known are: Cash, Check"),
        ("x=GiftCard", "which makes Point of Sale call a card processor: use Gift instead"),
        ("cod=Cash:Visa", "gives Cash the card name 'Visa': only CreditCard has one"),
        ("x=CreditCard:", "it must have 1 to 16 characters"),
        ("x=CreditCard:12345678901234567", "it must have 1 to 16 characters"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(text, why):
    with pytest.raises(BadSetting) as caught:
        check_setting("company", "tenders", text)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("EURO=1", "'EURO=1' is no row"),
        ("EUR=1, EUR=2", "names EUR twice"),
        ("EUR=0", "has the rate '0' for EUR"),
        ("EUR=NaN", "has the rate 'NaN' for EUR"),
        ("EUR=much", "has the rate 'much' for EUR"),
    ],
)
def test_a_rate_that_cannot_be_read_says_why(text, why):
    with pytest.raises(BadSetting) as caught:
        check_setting("company", "currency.rates", text)
    assert why in str(caught.value)
