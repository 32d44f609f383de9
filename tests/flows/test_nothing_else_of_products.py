"""After it was made or matched, a product is touched in price, sale price and quantity; no other byte of it moves.

The products are the recorded ones of a real WooCommerce, and some of our own making.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from queue_store.companies import get_store
from queue_store.settings import set_store_setting
from tests.flows.drafting import book_item, call, call_department, read, settings
from tests.flows.shelves import go_live, know_products, open_work
from tests.flows.street import Street

DATES = {"date_modified", "date_modified_gmt"}
PRICE = {"regular_price", "sale_price", "price", "price_html", "on_sale", "purchasable"}
STOCK = {"stock_quantity", "stock_status", "backordered", "manage_stock"}
#: What follows from its variations on a variable product.
OF_VARIATIONS = {"price", "price_html", "stock_status"}


@pytest.fixture
def street(street: Street) -> Street:
    settings(street, from_quickbooks="marked", when_gone="out_of_stock", categories="both")
    call_department(street, "Anywhere")
    with street.database.write() as db:
        for key in ("prices.limit_percent", "stock.limit"):
            set_store_setting(db, get_store(db, "main"), key, "0", who="test")
    go_live(street)
    return street


def everything(street: Street) -> dict[int, Any]:
    """Every product and variation as the shop shows it, by id."""
    numbers = sorted(street.shop.site.table("products"))
    return {number: call(street, "GET", f"products/{number}") for number in numbers}


def moved(before: Any, after: Any) -> set[str]:
    assert list(after) == list(before)
    return {key for key in before if json.dumps(before[key]) != json.dumps(after[key])}


@pytest.mark.parametrize("round_", ["first", "again", "gone"])
def test_no_other_byte_moves(street: Street, round_: str) -> None:
    know_products(street)
    skus = sorted({one["sku"] for one in everything(street).values() if one["sku"]})
    ours = [book_item("OURS-1"), book_item("OURS-S", "Ours", size="S")]
    known = [
        book_item(
            sku,
            f"Another name of {sku}",
            list_id=f"-{number}",
            description="Other words",
            web_description="<p>Other page</p>",
            web_categories="Other category",
            manufacturer="Somebody else",
            weight=Decimal(99),
            size="XXL" if number % 2 else "",
        )
        for number, sku in enumerate(skus, 1000)
    ]
    read(street, *ours)
    street.work()
    if round_ == "again":
        read(street, *known)
        street.work()
    street.deliver()
    before = everything(street)
    changed = [
        book_item(
            one.alu,
            f"Renamed {one.alu}",
            list_id=one.list_id,
            size=one.size,
            is_web=round_ != "gone",
            on_hand="17",
            prices={"1": "123.45", "web": "99.95"},
            web_description="Newer words",
            weight=Decimal(1),
        )
        for one in [*known, *ours]
    ]
    read(street, *changed)
    street.work()
    street.deliver()
    street.work()
    after = everything(street)
    assert after.keys() == before.keys()
    written = 0
    for number, one in after.items():
        keys = moved(before[number], one)
        assert keys <= DATES | PRICE | STOCK, (number, keys)
        if one["type"] == "variable" and not before[number]["manage_stock"]:
            assert keys <= DATES | OF_VARIATIONS, (number, keys)
        written += "regular_price" in keys or "stock_quantity" in keys
    assert written > 20
    assert open_work(street) == []
