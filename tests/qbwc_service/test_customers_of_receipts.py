"""Whose receipt it is, and what a person is called in QuickBooks."""

from __future__ import annotations

import pytest
from lxml import etree

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.customers import customer_need
from qbwc_service.flavours.pos.records import prepare_customer_add, prepare_customer_mod
from qbwc_service.needs import CustomerNeed, Prepared
from queue_store.payloads import Address, Customer
from tests.making_orders import company, line, order, store

SOLD = order(
    line("1.00"), total="1.00", billing=Address(first_name="Ann", last_name="Lee", email="Ann@Example.net ")
)
GUEST = order(line("1.00"), total="1.00", billing=Address(first_name="Ann"))


def test_a_buyer_is_matched_by_account_else_by_e_mail():
    need = customer_need(SOLD, company(), store(), "WMAIN")
    assert (need.customer.email, need.fallback) == ("ann@example.net", False)
    assert need.customer_id.startswith("WG-")
    account = order(line("1.00"), total="1.00", customer_id=7)
    assert customer_need(account, company(), store(), "WMAIN").customer_id == "WMAIN-C7"


def test_one_named_customer_takes_all_receipts():
    need = customer_need(SOLD, company(customers__mode="one"), store(), "WMAIN")
    assert (need.customer.last_name, need.fallback) == ("Online Customer", True)
    assert need.customer_id.startswith("WN-")


def test_or_one_of_each_shop():
    mode = company(customers__mode="store")
    need = customer_need(SOLD, mode, store(), "WMAIN")
    assert (need.customer.last_name, need.fallback) == ("Online Customer MAIN", True)
    named = customer_need(SOLD, mode, store(customers__name="Web Austin"), "WMAIN")
    assert named.customer.last_name == "Web Austin"
    assert named.customer_id != need.customer_id
    # Another shop that names the same one shares it.
    assert (
        customer_need(SOLD, mode, store(customers__name="web austin"), "WEAST").customer_id
        == named.customer_id
    )
    long = company(customers__mode="store", customers__fallback="A" * 30)
    assert customer_need(SOLD, long, store(), "WMAIN").customer.last_name == f"{'A' * 25} MAIN"


def test_a_guest_without_e_mail_is_the_named_customers_or_is_refused():
    assert customer_need(GUEST, company(), store(), "WMAIN").fallback
    with pytest.raises(NotSendable, match=r"a guest without e-mail \(billing\.email\)"):
        customer_need(GUEST, company(customers__unknown="refuse"), store(), "WMAIN")


def fields(prepared: Prepared) -> dict[str, str | None]:
    (customer,) = etree.fromstring(prepared.fill(dict.fromkeys(prepared.parts[1::2], "1")))
    return {child.tag: child.text for child in customer}


@pytest.mark.parametrize(
    ("first", "last", "firm", "email", "expected"),
    [
        ("Ann", "Lee", "", "a@b.c", ("Ann", "Lee")),
        ("Ann", "", "", "a@b.c", (None, "Ann")),
        ("Ann", "", "Acme Ltd", "", ("Ann", "Acme Ltd")),
        ("", "", "Acme Ltd", "", (None, "Acme Ltd")),
        ("", "", "", "a@b.c", (None, "a@b.c")),
        ("", "", "", "", (None, "Customer")),
        ("A" * 40, "L" * 40, "", "", ("A" * 30, "L" * 30)),
        ("Zoë", "Łukasz", "", "", ("Zoë", "Lukasz")),
        ("雪", "北京", "", "", ("Xue", "BeiJing")),
        ("Ann", "\u200b", "Acme", "", ("Ann", "Acme")),
    ],
)
def test_every_customer_has_a_last_name_that_quickbooks_can_hold(first, last, firm, email, expected):
    customer = Customer(first_name=first, last_name=last, company=firm, email=email)
    found = fields(prepare_customer_add(CustomerNeed(customer=customer, customer_id="WG-1")))
    assert (found.get("FirstName"), found["LastName"]) == expected


def test_what_was_cut_or_respelt_is_said():
    customer = Customer(last_name="北" * 31, email="a@b.c")
    prepared = prepare_customer_add(CustomerNeed(customer=customer, customer_id="WG-1"))
    assert prepared.remarks == (
        "Customer a@b.c: LastName: 1 kinds of character spelt in ASCII, 63 characters cut off",
    )


def test_a_change_without_a_last_name_leaves_the_name_alone():
    found = fields(prepare_customer_mod(Customer(first_name="Ann", email="a@b.c"), "1"))
    assert "LastName" not in found
    assert "FirstName" not in found
