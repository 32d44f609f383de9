"""Items of one style become one variable product with a variation each, which grows without surprising anybody."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from queue_store.attribute_values import unknown_values
from queue_store.companies import get_company, get_store
from queue_store.draft_rules import style_sku
from queue_store.drafts import create_products
from queue_store.mappings import set_mapping
from queue_store.product_payloads import BookItem
from queue_store.tasks import open_tasks
from tests.flows.drafting import book_item, call, read, settings, wishes
from tests.flows.shelves import edit, go_live, know_products, open_work, product, row, shown, variable_product
from tests.flows.street import Street

SHIRT = style_sku("-1 shirt")


@pytest.fixture
def street(street: Street) -> Street:
    settings(street, from_quickbooks="marked")
    go_live(street)
    return street


def shirt(size: str, attribute: str = "", **more: Any) -> BookItem:
    alu = more.pop("alu", f"SH-{size}-{attribute}".rstrip("-").upper())
    return book_item(alu, more.pop("name", "Shirt"), size=size, attribute=attribute, **more)


def parents(street: Street) -> list[Any]:
    table = street.shop.site.table("products").values()
    return [one for one in table if one["sku"].startswith("STYLE-")]


def children(street: Street, parent_id: int) -> list[Any]:
    return list(street.shop.site.store.catalog.children(parent_id))


def values(variation: Any) -> dict[str, str]:
    return {one["name"]: one["option"] for one in variation["attributes"]}


def map_word(street: Street, key: str, word: str) -> None:
    with street.database.write() as db:
        set_mapping(db, get_company(db, "books"), kind="attribute", key=key, list_id=word, who="test")


def tasks(street: Street) -> list[str]:
    with street.database.read() as db:
        return [task.sentence for task in open_tasks(db, get_company(db, "books").id)]


def test_a_style_becomes_one_variable_product(street: Street) -> None:
    read(
        street,
        shirt("S", "Red", prices={"1": "10"}, on_hand="1", description="A shirt"),
        shirt("M", "Red", prices={"1": "12"}, on_hand="2"),
        shirt("M", "Blue", prices={"1": "12"}, on_hand="0"),
    )
    street.work()
    (parent,) = parents(street)
    assert (parent["sku"], parent["type"], parent["status"], parent["name"]) == (
        SHIRT,
        "variable",
        "draft",
        "Shirt",
    )
    assert (parent["regular_price"], parent["manage_stock"]) == ("", False)
    assert {one["name"]: set(one["options"]) for one in parent["attributes"]} == {
        "Size": {"S", "M"},
        "Attribute": {"Red", "Blue"},
    }
    made = {one["sku"]: one for one in children(street, parent["id"])}
    assert {sku: values(one) for sku, one in made.items()} == {
        "SH-S-RED": {"Size": "S", "Attribute": "Red"},
        "SH-M-RED": {"Size": "M", "Attribute": "Red"},
        "SH-M-BLUE": {"Size": "M", "Attribute": "Blue"},
    }
    assert {one["status"] for one in made.values()} == {"publish"}
    assert [made[sku]["stock_quantity"] for sku in ("SH-S-RED", "SH-M-RED", "SH-M-BLUE")] == [1, 2, 0]
    assert [made[sku]["regular_price"] for sku in ("SH-S-RED", "SH-M-RED")] == ["10.00", "12.00"]
    assert row(street, "SH-S-RED").matched_by == "added"
    street.deliver()
    street.work()
    assert open_work(street) == []
    assert len(wishes(street)) == 1


def test_the_first_of_a_style_waits_for_no_other(street: Street) -> None:
    """Its items may be read one by one: they end in one product all the same."""
    for size in ("S", "M", "L"):
        read(street, shirt(size))
        street.work()
    (parent,) = parents(street)
    assert [values(one) for one in children(street, parent["id"])] == [{"Size": one} for one in "SML"]


@pytest.mark.parametrize(("status", "arrives"), [("draft", "publish"), ("publish", "private")])
def test_what_joins_a_published_product_arrives_private(street: Street, status: str, arrives: str) -> None:
    read(street, shirt("S"))
    street.work()
    street.deliver()
    edit(street, SHIRT, status=status, name="Renamed", description="Mine", categories=[])
    street.deliver()
    before = dict(shown(street, SHIRT))
    sibling = dict(shown(street, "SH-S"))
    read(street, shirt("M", name="Shirt"))
    street.work()
    assert shown(street, "SH-M")["status"] == arrives
    after = dict(shown(street, SHIRT))
    moved = {key for key in after if json.dumps(after[key]) != json.dumps(before[key])}
    assert (
        moved - {"date_modified", "date_modified_gmt"} == {"attributes", "variations", "price_html"} & moved
    )
    assert not moved & {"name", "status", "description", "categories"}
    assert [one["options"] for one in after["attributes"]] == [["S", "M"]]
    assert dict(shown(street, "SH-S")) | {"permalink": ""} == sibling | {"permalink": ""}


def test_a_style_joins_the_variable_product_that_a_person_made(street: Street) -> None:
    number = variable_product(street, "TEE", ["TEE-S", "TEE-M"])
    read(street, shirt("TEE-S", alu="TEE-S"), shirt("TEE-M", alu="TEE-M"), shirt("L", alu="TEE-L"))
    street.work()
    assert parents(street) == []
    found = {one["sku"]: one for one in children(street, number)}
    assert values(found["TEE-L"]) == {"Size": "L"}
    assert found["TEE-L"]["status"] == "private"
    assert row(street, "TEE-S").matched_by == "sku"


def test_a_simple_product_is_never_turned_into_a_variable_one(street: Street) -> None:
    number = product(street, "SH-S", 4)
    read(street, shirt("S"), shirt("M"))
    street.work()
    assert parents(street) == []
    assert street.shop.site.table("products")[number]["type"] == "simple"
    (failed,) = wishes(street, "failed")
    assert "a simple product is never turned into a variable one" in failed.sentence
    assert any("a simple product is never turned" in task for task in tasks(street))
    # A person makes it variable: the rest follows.
    options = [{"name": "Size", "variation": True, "visible": True, "options": ["S"]}]
    call(street, "PUT", f"products/{number}", {"type": "variable", "sku": "SH", "attributes": options})
    body = {"sku": "SH-S", "attributes": [{"name": "Size", "option": "S"}]}
    call(street, "POST", f"products/{number}/variations", body)
    know_products(street)
    read(street, shirt("M", on_hand="3"))
    street.work()
    assert sorted(one["sku"] for one in children(street, number)) == ["SH-M", "SH-S"]
    assert not any("a simple product is never turned" in task for task in tasks(street))


def test_with_simple_styles_each_item_is_a_product(street: Street) -> None:
    settings(street, styles="simple")
    read(street, shirt("S"), shirt("M"))
    street.work()
    assert [shown(street, sku)["type"] for sku in ("SH-S", "SH-M")] == ["simple", "simple"]


def test_many_words_of_quickbooks_are_one_of_the_shop(street: Street) -> None:
    for word in ("rose", "wine"):
        map_word(street, f"attribute:{word}", "Red")
    map_word(street, "size:med", "M")
    read(street, shirt("S", "Rose"), shirt("Med", "WINE"), shirt("M", "Blue"))
    with street.database.read() as db:
        unknown = unknown_values(db, get_store(db, "main"))
    assert unknown == {("attribute", "Blue"): 1, ("size", "M"): 1, ("size", "S"): 1}
    street.work()
    (parent,) = parents(street)
    assert {one["name"]: set(one["options"]) for one in parent["attributes"]} == {
        "Size": {"S", "M"},
        "Attribute": {"Red", "Blue"},
    }
    assert sorted(tuple(values(one).values()) for one in children(street, parent["id"])) == [
        ("M", "Blue"),
        ("M", "Red"),
        ("S", "Red"),
    ]


def test_two_items_that_would_be_one_variation_are_told(street: Street) -> None:
    map_word(street, "attribute:wine", "Red")
    read(street, shirt("S", "Red"), shirt("S", "Wine"))
    street.work()
    (failed,) = wishes(street, "failed")
    assert "two variations cannot be the same" in failed.sentence
    (parent,) = parents(street)
    assert len(children(street, parent["id"])) == 1


def test_the_shops_global_attribute_is_used(street: Street) -> None:
    settings(street, attribute_name="Color")
    read(street, shirt("S", "Red"))
    street.work()
    (parent,) = parents(street)
    assert {(one["name"], bool(one["id"])) for one in parent["attributes"]} == {
        ("Size", False),
        ("Color", True),
    }
    assert values(children(street, parent["id"])[0]) == {"Size": "S", "Color": "Red"}


@pytest.mark.parametrize("path", ["/products/batch", "/products/[0-9]+/variations/batch"])
@pytest.mark.parametrize("times", [1, 2])
def test_lost_answers_make_no_second_product_or_variation(street: Street, path: str, times: int) -> None:
    street.shop.lose_next_answers("POST", times, path=path)
    read(street, *(shirt(size) for size in ("S", "M", "L")))
    for _ in range(times + 2):
        street.work()
        street.ahead += timedelta(hours=1)
    (parent,) = parents(street)
    assert sorted(one["sku"] for one in children(street, parent["id"])) == ["SH-L", "SH-M", "SH-S"]
    assert {one.state for one in wishes(street)} == {"succeeded"}


def test_half_a_batch_of_variations_is_completed(street: Street) -> None:
    street.shop.break_next_batch(2, path="/products/[0-9]+/variations/batch")
    read(street, *(shirt(f"{size}") for size in range(30, 38)))
    street.work()
    (parent,) = parents(street)
    assert len(children(street, parent["id"])) == 2
    street.ahead += timedelta(hours=1)
    street.work()
    assert len(children(street, parent["id"])) == 8


def test_by_hand_only_what_was_asked_for_is_made(street: Street) -> None:
    read(street, *(shirt(size, is_web=False) for size in ("S", "M", "L")))
    with street.database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        ids = [shirt(size).list_id for size in ("S", "L")]
        (would,) = create_products(db, company, store, ids, who="test", dry_run=True)
        assert sorted(draft.sku for draft in would.drafts) == ["SH-L", "SH-S"]
        create_products(db, company, store, ids, who="test", dry_run=False)
    street.work()
    (parent,) = parents(street)
    assert sorted(one["sku"] for one in children(street, parent["id"])) == ["SH-L", "SH-S"]
    # The store's rule has no say in what becomes of them.
    settings(street, when_gone="out_of_stock")
    read(street, shirt("S", is_web=False, on_hand="3"))
    street.work()
    assert shown(street, "SH-S")["stock_quantity"] == 3


def test_three_hundred_styles_take_three_batches_and_one_each(street: Street) -> None:
    items = [
        shirt(size, alu=f"ST-{number}-{size}", name=f"Style {number}")
        for number in range(300)
        for size in ("S", "M")
    ]
    for start in range(0, len(items), 200):
        read(street, *items[start : start + 200])
    street.calls.clear()
    street.work(rounds=40)
    assert len(parents(street)) == 300
    assert all(len(children(street, one["id"])) == 2 for one in parents(street))
    assert street.calls.count("POST products/batch") == 3
    assert sum(one.endswith("variations/batch") for one in street.calls) == 300
    assert len([one for one in street.calls if one.startswith("GET")]) < 30
    assert {one.state for one in wishes(street)} == {"succeeded"}
    assert open_work(street) == []
