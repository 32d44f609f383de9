"""WooCommerce's customer JSON to `Customer`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from woo_bridge.errors import Untranslatable
from woo_bridge.translate_customers import customer_fingerprint, translate_customer

REST = Path(__file__).parent.parent / "data" / "woocommerce" / "rest"


def translate(found):
    return translate_customer(json.dumps(found).encode())


@pytest.mark.parametrize("name", sorted(path.stem for path in REST.glob("customer_*.json")))
def test_every_recorded_customer_is_translated(recorded, name):
    found = recorded(name)
    customer = translate(found)
    assert customer.customer_id == found["id"]
    assert customer.email == found["email"].strip().lower()


def test_an_account_without_names_takes_those_of_its_address(recorded):
    found = recorded("customer_ann") | {"first_name": "", "last_name": ""}
    found["billing"] |= {"first_name": "Ann", "last_name": "Lee"}
    assert (translate(found).first_name, translate(found).last_name) == ("Ann", "Lee")


def test_the_address_of_mail_is_trimmed_and_in_lower_case(recorded):
    assert translate(recorded("customer_ann") | {"email": " Ann@Example.COM "}).email == "ann@example.com"


def test_saving_without_a_change_keeps_the_fingerprint(recorded):
    found = recorded("customer_ann")
    later = found | {"date_modified_gmt": "2027-01-01T00:00:00"}
    assert customer_fingerprint(translate(found)) == customer_fingerprint(translate(later))
    assert customer_fingerprint(translate(found)) != customer_fingerprint(
        translate(found | {"email": "b@c.de"})
    )


def test_a_bad_shape_is_told_with_customer_and_place(recorded):
    with pytest.raises(Untranslatable, match=r"Customer \d+ cannot be read: email"):
        translate(recorded("customer_ann") | {"email": 7})
