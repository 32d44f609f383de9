"""Which item a product is: by SKU where that is certain, by a person where it is not, by file for many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from queue_store.companies import get_store
from queue_store.models import AuditEntry, Mapping, ShopProduct
from tests.flows.desk import Qbwoo, qbwoo_on, second_shop
from tests.flows.shelves import (
    edit,
    go_live,
    item_read,
    know_products,
    product,
    quantity,
    row,
    variable_product,
)
from tests.flows.street import Street


@pytest.fixture
def qbwoo(street: Street) -> Qbwoo:
    return qbwoo_on(street)


def by_sku(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows of a report by the product's SKU, or its name where it has none."""
    return {one["sku"] or one["name"] or one["list_id"]: one for one in found["rows"]}


def matched_count(street: Street) -> int:
    with street.database.read() as db:
        return db.scalar(select(func.count()).where(ShopProduct.list_id.is_not(None))) or 0


def test_what_is_certain_is_matched_and_everything_else_is_told_and_not_guessed(
    street: Street, qbwoo: Qbwoo
) -> None:
    for sku in ("TEA-1", "00123", "T 5/A", "DUP"):
        product(street, sku)
    product(street, "", name="Blue cup")
    item_read(street, " tea-1 ", "10")
    item_read(street, "123", "1")
    item_read(street, "T5A", "1")
    item_read(street, "DUP", "1")
    item_read(street, "DUP", "1", list_id="-99")
    item_read(street, "Blue cup", "1")
    item_read(street, "ALONE", "1", is_web=True)
    dry = qbwoo("mapping", "match", "--store", "main", "--dry-run", "--json", "--limit", 0).data
    assert matched_count(street) == 0
    found = by_sku(dry)
    assert {sku: found[sku]["verdict"] for sku in ("TEA-1", "00123", "T 5/A", "Blue cup", "WID-001")} == {
        "TEA-1": "certain",
        "00123": "doubtful",
        "T 5/A": "doubtful",
        "Blue cup": "doubtful",
        "WID-001": "not in QuickBooks",
    }
    assert "several items" in next(
        one["why"] for one in dry["rows"] if one["sku"] == "DUP" and one["product_id"]
    )
    assert any("2 items of QuickBooks have this ALU" in one["why"] for one in dry["rows"])
    assert found["alone"]["verdict"] == "not in the shop"
    # What is certain is missing on neither side.
    assert "tea-1" not in found
    done = qbwoo("mapping", "match", "--store", "main", "--known", "--json", "--limit", 0).data
    assert done["counts"] == dry["counts"]
    assert matched_count(street) == 1
    assert "of several items" in row(street, "DUP").match_problem


def test_a_second_shop_of_the_company_is_matched_by_itself(street: Street, qbwoo: Qbwoo) -> None:
    item_read(street, "TEA-1", "10")
    with second_shop(street) as shop:
        shop.add_product("Tea", sku="TEA-1", stock=1)
        found = qbwoo("mapping", "match", "--store", "second", "--json").data
    assert found["counts"]["certain"] == 1
    assert found["rows"][0]["sku"] == "TEA-1"


def test_two_products_with_one_sku_are_doubtful_on_both_sides(street: Street, qbwoo: Qbwoo) -> None:
    # The shop itself refuses a second one; plugins do not.
    first = product(street, "TEA-1")
    product(street, "TEA-2")
    know_products(street)
    with street.database.write() as db:
        other = db.scalars(select(ShopProduct).where(ShopProduct.sku == "TEA-2")).one()
        other.sku, other.sku_key = "TEA-1", "tea-1"
        second = other.product_id
    item_read(street, "TEA-1", "10")
    found = qbwoo("mapping", "match", "--store", "main", "--known", "--json", "--limit", 0).data
    whys = [one["why"] for one in found["rows"] if one["sku"] == "TEA-1" and one["product_id"]]
    assert whys == [f"products {first}, {second} bear this one SKU"] * 2
    assert matched_count(street) == 0


def test_a_person_says_which_item_a_product_is_and_its_sku_tells_nothing_any_more(
    street: Street, qbwoo: Qbwoo
) -> None:
    number = product(street, "TEA-1", 3)
    item_read(street, "TEA-1", "10")
    other = item_read(street, "OTHER", "7")
    know_products(street)
    go_live(street)
    qbwoo("mapping", "set", "product", number, "--store", "main", "--yes", "--", other)
    street.work()
    assert quantity(street, "TEA-1") == 7
    assert row(street, "TEA-1").matched_by == "operator"
    listed = qbwoo("mapping", "list", "--kind", "product", "--json").data
    assert [(one["key"], one["list_id"], one["source"]) for one in listed] == [
        (str(number), other, "operator")
    ]
    said = qbwoo("mapping", "remove", "product", number, "--yes")
    assert "matched again" in said.err
    assert row(street, "TEA-1").list_id is None
    qbwoo("mapping", "set", "product", number, "--", "-5", code=2)
    qbwoo("mapping", "set", "product", "999999", "--", other, code=1)


def test_a_location_of_one_sku_moves_what_its_products_show_at_once(street: Street, qbwoo: Qbwoo) -> None:
    product(street, "TEA-1", 3)
    variable_product(street, "SH", ["SH-1"])
    street.house.set("stock.stores", "1")
    list_id = street.house.pos.add_item("Tea", alu="TEA-1", on_hand={1: 10, 2: 4}).list_id
    street.house.set("pull.items_minutes", "60")
    go_live(street)
    know_products(street)
    street.house.run_until_quiet()
    street.work()
    assert row(street, "TEA-1").list_id == list_id
    assert quantity(street, "TEA-1") == 10
    qbwoo("mapping", "set", "location", "tea-1", "2")
    street.work()
    assert quantity(street, "TEA-1") == 4
    qbwoo("mapping", "set", "location", "TEA-1", "1+2", "--yes")
    street.work()
    assert quantity(street, "TEA-1") == 14
    qbwoo("mapping", "remove", "location", "TEA-1", "--yes")
    street.work()
    assert quantity(street, "TEA-1") == 10
    qbwoo("mapping", "set", "location", "TEA-1", "first", code=2)


def test_mappings_go_out_to_a_file_and_come_back_as_they_were(
    street: Street, qbwoo: Qbwoo, tmp_path: Path
) -> None:
    number = product(street, "TEA-1")
    list_id = item_read(street, "TEA-1", "10")
    qbwoo("mapping", "match", "--store", "main")
    file = tmp_path / "products.csv"
    qbwoo("mapping", "export", "--kind", "product", "-o", file)
    text = file.read_text(encoding="utf-8-sig")
    # What begins with a minus is a formula to a spreadsheet.
    assert f"main,{number},'{list_id}," in text
    back = qbwoo("mapping", "import", file, "--kind", "product", "--yes", "--json").data
    assert (back["unchanged"], back["new"], back["changed"]) == (1, 0, 0)


def test_a_file_of_which_one_line_is_wrong_changes_nothing(
    street: Street, qbwoo: Qbwoo, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    lines = ["key,value", "A-1,-11", "A-2,eleven", '"A\n3",-12', "A-1,-13", "A-4", ",-5", "A-5,-6"]
    file.write_text("\r\n".join(lines), encoding="utf-8")
    said = qbwoo("mapping", "import", file, "--kind", "item", "--yes", code=1)
    told = [line.split(":")[0] for line in said.err.splitlines() if line.startswith("line ")]
    assert told == ["line 3", "line 6", "line 7", "line 8"]
    assert "4 of 7 lines" in said.err
    with street.database.read() as db:
        assert db.scalar(select(func.count()).select_from(Mapping)) == 0


def test_a_file_as_spreadsheets_save_it_is_read_and_a_dry_run_writes_nothing(
    street: Street, qbwoo: Qbwoo, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes("﻿Key;Value;Store\r\nTÉ-1;'-11;\r\n=A1;-12;main\r\n\r\n".encode())
    dry = qbwoo("mapping", "import", file, "--kind", "item", "--dry-run", "--json").data
    assert (dry["lines"], dry["new"], dry["bad"]) == (2, 2, 0)
    with street.database.read() as db:
        assert db.scalar(select(func.count()).select_from(Mapping)) == 0
    qbwoo("mapping", "import", file, "--kind", "item", given="n\n", code=1)
    qbwoo("mapping", "import", file, "--kind", "item", given="y\n")
    with street.database.read() as db:
        main = get_store(db, "main").id
        rows = db.execute(select(Mapping.store_id, Mapping.key, Mapping.list_id, Mapping.source))
        assert sorted(tuple(one) for one in rows) == [
            (0, "té-1", "-11", "operator"),
            (main, "=a1", "-12", "operator"),
        ]
        audited = db.scalars(select(AuditEntry.what).where(AuditEntry.what.like("mapping item%"))).all()
    assert sorted(audited) == ["mapping item =a1", "mapping item té-1"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"sku,item\r\nA,-1\r\n", "must name the columns"),
        (b"key,value\r\nA\xff,-1\r\n", "is not UTF-8"),
        (b"", "must name the columns"),
    ],
)
def test_what_is_no_such_file_says_so(
    street: Street, qbwoo: Qbwoo, tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "items.csv"
    file.write_bytes(content)
    assert problem in qbwoo("mapping", "import", file, "--kind", "item", "--yes", code=1).err


def test_an_edited_sku_keeps_its_match_and_the_report_says_by_which_it_was_made(
    street: Street, qbwoo: Qbwoo
) -> None:
    product(street, "TEA-1")
    item_read(street, "TEA-1", "10")
    qbwoo("mapping", "match", "--store", "main")
    edit(street, "TEA-1", sku="TEA-X")
    found = qbwoo("mapping", "match", "--store", "main", "--verdict", "matched", "--json").data
    assert [(one["sku"], one["why"]) for one in found["rows"]] == [("TEA-X", "by its SKU 'TEA-1' of then")]
