"""What is sent for a product that is made: nothing that a batch would take unseen, and no text that becomes a tag."""

from __future__ import annotations

import html
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_store.draft_rules import Draft, DraftRules
from queue_store.prices import PriceRules
from queue_store.product_payloads import ShopAttribute
from woo_bridge.draft_bodies import more_attributes, plain_html, simple_body, variation_body

RULES = DraftRules(
    which="marked",
    departments=frozenset(),
    vendors=frozenset(),
    keywords=frozenset(),
    keys=("ALU",),
    name="desc1",
    description="web",
    short_description="desc2",
    has_styles=True,
    size_name="Size",
    attribute_name="Colour",
    manufacturer_name="Manufacturer",
    categories="none",
    new_categories=True,
    price=PriceRules(),
)


def draft(**more: Any) -> Draft:
    return Draft(**({"list_id": "-1", "sku": "A", "name": "Name"} | more))


@given(st.text())
def test_a_name_is_read_as_it_was_typed(name: str) -> None:
    sent = simple_body(draft(name=name), RULES, (), {})["name"]
    assert "<" not in sent
    assert html.unescape(sent) == html.unescape(html.escape(name, quote=False))


def test_a_page_that_was_typed_as_html_stays() -> None:
    assert plain_html("<p class='x'>5 > 4</p>") == "<p class='x'>5 > 4</p>"
    assert plain_html("5 < 6 & <7>") == "5 &lt; 6 &amp; &lt;7&gt;"


@pytest.mark.parametrize("price", ["0", "-1", "1.005", "NaN", "1E+10"])
def test_a_price_that_is_none_is_not_sent(price: str) -> None:
    with pytest.raises(ValueError, match=r"price|decimals"):
        simple_body(draft(regular_price=Decimal(price)), RULES, (), {})


def test_a_sale_price_that_is_not_lower_is_left_out() -> None:
    body = simple_body(draft(regular_price=Decimal(5), sale_price=Decimal(5)), RULES, (), {})
    assert (body["regular_price"], "sale_price" in body) == ("5.00", False)


def test_stock_that_does_not_flow_is_not_sent() -> None:
    assert not {"manage_stock", "stock_quantity"} & simple_body(draft(), RULES, (), {}).keys()
    assert simple_body(draft(manage_stock=False), RULES, (), {})["manage_stock"] is False
    with pytest.raises(ValueError, match="pieces"):
        simple_body(draft(manage_stock=True, quantity=10**10), RULES, (), {})


def test_a_variation_takes_the_option_as_its_parent_spells_it() -> None:
    parent = (
        ShopAttribute(attribute_id=4, name="colour", options=("RED",), is_for_variations=True),
        ShopAttribute(name="Size", options=("m",), is_for_variations=True),
    )
    body = variation_body(draft(size="M", attribute="Red"), RULES, "private", parent)
    assert body["attributes"] == [{"name": "Size", "option": "m"}, {"id": 4, "option": "RED"}]


def test_a_parent_gains_values_and_loses_nothing() -> None:
    parent = [
        {"id": 4, "name": "Colour", "options": ["Red &amp; blue"], "variation": True, "visible": False},
        {"id": 0, "name": "Fabric", "options": ["Wool"], "variation": False, "visible": True},
    ]
    members = [draft(attribute="red & BLUE"), draft(attribute="Green")]
    assert more_attributes(parent, members, RULES) == [
        parent[0] | {"options": ["Red &amp; blue", "Green"]},
        parent[1],
    ]
    assert more_attributes(parent, members[:1], RULES) is None
    with pytest.raises(ValueError, match="Size"):
        more_attributes(parent, [draft(size="M")], RULES)
