"""New products of the shop become items of QuickBooks, once; what the shop rules follows it, and comes to rest."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.mappings import set_mapping
from queue_store.products_to_books import send_products
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting
from tests.flows.drafting import call, known, settings
from tests.flows.shelves import edit, go_live, know_products, open_work, product, row, shown, variable_product
from tests.flows.street import Street, make_street
from tests.harness import AnswerLost


@pytest.fixture(params=range(3))
def street(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> Iterator[Street]:
    drawn = PosDialect.random(random.Random(request.param))
    # The house names no company file.
    dialect = replace(drawn, empty_company_text=PosDialect().empty_company_text)
    with make_street(sqlite_database, box, pos=PosCompanyFile.create(None, dialect=dialect)) as street:
        settings(street, to_quickbooks="true")
        go_live(street)
        yield street


def item(street: Street, alu: str) -> dict[str, Any]:
    """The item of this ALU, as Point of Sale keeps it; there must be exactly one."""
    (found,) = [one for one in street.house.pos._store.all("ItemInventory") if one.fields.get("ALU") == alu]
    return dict(found.fields)


def alus(street: Street) -> list[str]:
    return sorted(one.alu for one in street.house.pos.items())


def go(street: Street) -> None:
    street.deliver()
    street.house.run_until_quiet()
    street.work()
    street.deliver()
    street.work()


def store_set(street: Street, key: str, value: str) -> None:
    with street.database.write() as db:
        set_store_setting(db, get_store(db, "main"), key, value, who="test")


def test_a_new_product_becomes_an_item_and_is_bound_to_it(street: Street) -> None:
    settings(street, cost_meta="_wc_cog_cost")
    call(street, "POST", "products/categories", {"name": "Tea & more"})
    terms = street.shop.site.table("terms").values()
    category = next(one["id"] for one in terms if one["name"] == "Tea &amp; more")
    product(
        street,
        "TEA-1",
        4,
        "12.50",
        name="Tea &amp; Cake",
        short_description="<p>A <b>fine</b> tea</p>",
        global_unique_id="4006381333931",
        weight="0.25",
        categories=[{"id": category}],
        attributes=[{"name": "Manufacturer", "options": ["Leaf Ltd"], "visible": True}],
        meta_data=[{"key": "_wc_cog_cost", "value": "7.10"}],
    )
    department = street.house.pos.add_department("Hot drinks")
    with street.database.write() as db:
        set_mapping(
            db,
            get_company(db, "books"),
            kind="department",
            key="Tea & more",
            list_id=department.list_id,
            who="test",
        )
    go(street)
    made = item(street, "TEA-1")
    assert (made["Desc1"], made["Desc2"]) == ("Tea & Cake", "A fine tea")
    assert (made["Price1"], made["Cost"]) == (Decimal("12.50"), Decimal("7.10"))
    assert (made["UPC"], made["Manufacturer"]) == ("4006381333931", "Leaf Ltd")
    assert made["DepartmentListID"] == department.list_id
    assert row(street, "TEA-1").list_id == next(
        one.list_id for one in street.house.pos.items() if one.alu == "TEA-1"
    )
    assert open_work(street) == []
    assert alus(street) == ["TEA-1"]


def test_without_the_setting_nothing_is_sent(street: Street) -> None:
    settings(street, to_quickbooks="false")
    product(street, "TEA-1", 4)
    go(street)
    assert alus(street) == []


def test_variations_become_items_of_one_style(street: Street) -> None:
    variable_product(street, "HAT", ["HAT-S", "HAT-M"])
    go(street)
    assert alus(street) == ["HAT-M", "HAT-S"]
    small, medium = item(street, "HAT-S"), item(street, "HAT-M")
    assert (small["Desc1"], small["Size"]) == ("Thing HAT", "HAT-S")
    assert small["Desc1"] == medium["Desc1"]
    assert small["DepartmentListID"] == medium["DepartmentListID"]


def test_a_draft_goes_once_it_is_published(street: Street) -> None:
    product(street, "DR-1", 4, status="draft")
    variable_product(street, "DR-V", ["DR-V-S"], status="draft")
    go(street)
    assert alus(street) == []
    edit(street, "DR-1", status="publish")
    edit(street, "DR-V", status="publish")
    go(street)
    assert alus(street) == ["DR-1", "DR-V-S"]


def test_drafts_go_where_the_store_says_so(street: Street) -> None:
    settings(street, send_drafts="true")
    product(street, "DR-1", 4, status="draft")
    go(street)
    assert alus(street) == ["DR-1"]


@pytest.mark.parametrize("executed", [True, False])
def test_a_lost_answer_makes_no_second_item(street: Street, executed: bool) -> None:
    product(street, "TEA-1", 4)
    street.deliver()

    def lost(request: str) -> None:
        if "<ItemInventoryAddRq" in request:
            raise AnswerLost

    if executed:
        street.house.run(on_answer=lambda number, ticket, request, response: lost(request))
    else:
        street.house.run(on_set=lambda number, request: lost(request))
    go(street)
    assert alus(street) == ["TEA-1"]
    assert row(street, "TEA-1").list_id


def test_what_quickbooks_has_already_is_not_added(street: Street) -> None:
    """Nobody has read it yet: it is asked for before it leaves."""
    street.house.pos.add_item("Tea", alu="TEA-1", price1=Decimal(3), on_hand={1: Decimal(9)})
    product(street, "TEA-1", 4)
    go(street)
    assert alus(street) == ["TEA-1"]
    assert row(street, "TEA-1").list_id
    assert shown(street, "TEA-1")["stock_quantity"] == 9


def test_a_sku_that_is_too_long_is_refused_with_its_sentence(street: Street) -> None:
    product(street, "X" * 21, 4)
    go(street)
    (failed,) = street.house.activities("add_item")
    assert (failed.state, "an ALU in QuickBooks has 20" in failed.sentence) == ("failed", True)


def test_a_product_without_a_sku_says_so(street: Street) -> None:
    number = call(street, "POST", "products", {"name": "Nameless", "regular_price": "1.00"})["id"]
    go(street)
    assert alus(street) == []
    assert "has no SKU of its own" in known(street, number).match_problem
    street.clock.ahead += timedelta(seconds=3)
    call(street, "PUT", f"products/{number}", {"sku": "NAMED"})
    go(street)
    assert alus(street) == ["NAMED"]


def test_pieces_of_a_new_product_go_along_where_edits_do(street: Street) -> None:
    street.house.set("documents.store_number", "1")
    store_set(street, "stock.edits", "adjust")
    product(street, "TEA-1", 4)
    go(street)
    go(street)
    assert street.house.pos.items()[0].quantity_on_hand == 4
    assert shown(street, "TEA-1")["stock_quantity"] == 4
    assert open_work(street) == []


def test_prices_that_the_shop_rules_follow_it_and_come_to_rest(street: Street) -> None:
    store_set(street, "prices.ruled_by", "shop")
    product(street, "TEA-1", 4, "5.00")
    go(street)
    before = item(street, "TEA-1")
    edit(street, "TEA-1", regular_price="6.25", name="Renamed", weight="3")
    go(street)
    after = item(street, "TEA-1")
    moved = {name for name in after if after[name] != before.get(name)} - {"TimeModified"}
    assert after["Price1"] == Decimal("6.25")
    # Point of Sale reckons margin and markup itself.
    assert moved <= {"Price1", "MarginPercent", "MarkupPercent"}
    for _ in range(3):
        edit(street, "TEA-1", description="New words")
        go(street)
    assert len(street.house.activities("change_item")) == 1
    assert open_work(street) == []


def test_fields_that_the_shop_rules_follow_it_once(street: Street) -> None:
    settings(street, shop_rules="name, upc")
    product(street, "TEA-1", 4)
    go(street)
    long = "A name that is far longer than Point of Sale can take"
    edit(street, "TEA-1", name=long, global_unique_id="40063813", weight="3", description="Words")
    go(street)
    after = item(street, "TEA-1")
    assert (after["Desc1"], after["UPC"]) == (long[:30].strip(), "40063813")
    assert "Weight" not in after or not after["Weight"]
    edit(street, "TEA-1", description="Other words")
    go(street)
    assert len(street.house.activities("change_item")) == 1


def test_a_dry_run_writes_nothing(street: Street) -> None:
    settings(street, to_quickbooks="false")
    number = product(street, "TEA-1", 4)
    know_products(street)
    settings(street, to_quickbooks="true")
    with street.database.write() as db:
        (would,) = send_products(db, get_store(db, "main"), [number], cause="test", dry_run=True)
        assert would.item is not None
        assert would.item.sku == "TEA-1"
    assert street.house.activities("add_item") == []
