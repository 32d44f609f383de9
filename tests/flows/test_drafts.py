"""Items of QuickBooks become draft products of the shop: each once, whatever is lost, and never touched again."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.shop import Shop
from queue_store.companies import get_company, get_store
from queue_store.drafts import ask_to_find_drafts, create_products
from queue_store.mappings import set_mapping
from queue_store.tasks import open_tasks
from tests.flows.drafting import (
    another_shop,
    book_item,
    call,
    call_department,
    deleted,
    known,
    read,
    settings,
    wishes,
)
from tests.flows.shelves import edit, go_live, know_products, open_work, product, row, shown
from tests.flows.street import Street


@pytest.fixture
def street(street: Street) -> Street:
    settings(street, from_quickbooks="marked")
    go_live(street)
    return street


def ours(street: Street | Shop) -> list[Any]:
    """What was made of QuickBooks' items, variations too."""
    shop = street if isinstance(street, Shop) else street.shop
    table = shop.site.table("products").values()
    return [one for one in table if any(meta["key"] == "_qbwoo_list_id" for meta in one["meta_data"])]


def skus(street: Street) -> list[str]:
    return sorted(one["sku"] for one in ours(street))


def test_an_item_marked_for_the_web_becomes_a_draft(street: Street) -> None:
    call_department(street, "Shoes & Boots")
    read(
        street,
        book_item(
            "BOOT-1",
            "Boot <small> & strong",
            description="Waterproof\nboot, 5 > 4",
            web_description="<p>A <b>boot</b>.</p>",
            manufacturer="Smith & Sons",
            weight=Decimal("1.50"),
            prices={"web": "49.90", "1": "55.00"},
            on_hand="7",
        ),
    )
    street.work()
    made = shown(street, "BOOT-1")
    assert (made["status"], made["type"]) == ("draft", "simple")
    assert made["name"] == "Boot &lt;small&gt; &amp; strong"
    assert made["description"] == "<p>A <b>boot</b>.</p>\n"
    assert made["short_description"] == "<p>Waterproof\nboot, 5 &gt; 4</p>\n"
    assert (made["regular_price"], made["sale_price"]) == ("49.90", "")
    assert (made["manage_stock"], made["stock_quantity"]) == (True, 7)
    assert made["weight"] == "1.5"
    assert [one["name"] for one in made["categories"]] == ["Shoes &amp; Boots"]
    assert [(one["name"], one["options"], one["variation"]) for one in made["attributes"]] == [
        ("Manufacturer", ["Smith & Sons"], False)
    ]
    found = row(street, "BOOT-1")
    assert (found.name, found.matched_by, found.agreed_gross) == ("Boot <small> & strong", "added", 7)
    street.deliver()
    street.work()
    assert open_work(street) == []
    assert len(wishes(street, "succeeded")) == 1


def test_what_is_not_marked_is_not_made(street: Street) -> None:
    assert read(street, book_item("PLAIN", is_web=False)) == 0
    street.work()
    assert ours(street) == []
    assert read(street, book_item("PLAIN")) == 1
    street.work()
    assert skus(street) == ["PLAIN"]


def test_without_the_setting_nothing_is_made(street: Street) -> None:
    settings(street, from_quickbooks="off")
    assert read(street, book_item("PEN-9")) == 0


@pytest.mark.parametrize(
    ("rule", "is_made"),
    [
        ({}, False),
        ({"departments": "sho"}, True),
        ({"departments": "shoes"}, True),
        ({"departments": "hats"}, False),
        ({"vendors": "NIK, ADI"}, True),
        ({"keywords": "summer"}, True),
        ({"keywords": "winter"}, False),
        ({"departments": "Shoes", "keywords": "winter"}, False),
        ({"departments": "Shoes", "keywords": "Outdoor"}, True),
    ],
)
def test_a_rule_names_departments_vendors_and_keywords(
    street: Street, rule: dict[str, str], is_made: bool
) -> None:
    call_department(street, "Shoes")
    settings(street, from_quickbooks="rule", **rule)
    item = book_item("SHOE", is_web=False, vendor_code="NIK", keywords="summer, outdoor")
    assert read(street, item) == is_made


def test_the_sku_is_the_first_key_that_is_filled(street: Street) -> None:
    read(street, book_item("", "No ALU", upc="036000291452"), book_item("", "Neither"))
    street.work()
    assert skus(street) == ["036000291452"]
    (failed,) = wishes(street, "failed")
    assert "'Neither' has nothing in ALU, UPC (items.keys)" in failed.sentence
    read(street, book_item("GIVEN", "Neither", list_id=failed.record_id))
    street.work()
    assert skus(street) == ["036000291452", "GIVEN"]


def test_a_product_that_a_person_made_is_bound_and_not_made_again(street: Street) -> None:
    number = product(street, "hand-1", 3)
    read(street, book_item("HAND-1"))
    street.work()
    assert ours(street) == []
    assert known(street, number).matched_by == "sku"


@pytest.mark.parametrize("times", [1, 3])
def test_an_answer_lost_after_the_creation_makes_no_second_product(street: Street, times: int) -> None:
    items = [book_item(f"LOST-{number}") for number in range(5)]
    street.shop.lose_next_answers("POST", times, path="/products/batch")
    read(street, *items)
    street.work()
    for _ in range(times + 1):
        street.ahead += timedelta(hours=1)
        street.work()
    assert skus(street) == [f"LOST-{number}" for number in range(5)]
    assert {row(street, item.alu).matched_by for item in items} == {"added"}
    assert {one.state for one in wishes(street)} == {"succeeded"}


def test_a_worker_that_died_after_the_creation_makes_no_second_product(street: Street) -> None:
    """Nothing of it is known here, as after a restored backup: the SKU is looked for first."""
    read(street, book_item("DEAD-1"))
    body = {
        "name": "Thing DEAD-1",
        "sku": "DEAD-1",
        "status": "draft",
        "meta_data": [{"key": "_qbwoo_list_id", "value": book_item("DEAD-1").list_id}],
    }
    call(street, "POST", "products", body)
    street.work()
    assert skus(street) == ["DEAD-1"]
    assert row(street, "DEAD-1").matched_by == "added"


def test_half_a_batch_is_bound_and_the_rest_is_made_later(street: Street) -> None:
    street.shop.break_next_batch(3, path="/products/batch")
    read(street, *(book_item(f"HALF-{number}") for number in range(8)))
    street.work()
    assert len(ours(street)) == 3
    assert len(wishes(street, "succeeded")) == 3
    assert len(wishes(street, "delayed")) == 5
    street.ahead += timedelta(hours=1)
    street.work()
    assert skus(street) == [f"HALF-{number}" for number in range(8)]


def test_a_sku_taken_between_looking_and_making_is_bound(street: Street) -> None:
    read(street, book_item("RACE"))
    street.shop.before_next("POST", "/products/batch", lambda _call: product(street, "RACE", 2))
    street.work()
    assert len(street.shop.site.store.catalog.all_by_sku({"race"})) == 1
    assert row(street, "RACE").list_id == book_item("RACE").list_id


def test_a_sku_that_another_items_product_bears_is_told(street: Street) -> None:
    number = product(street, "SWAP", 2)
    read(street, book_item("OTHER", is_web=False), book_item("SWAP", is_web=False))
    know_products(street)
    with street.database.write() as db:
        found = db.get_one(type(known(street, number)), (get_store(db, "main").id, number))
        found.list_id = book_item("OTHER").list_id
    read(street, book_item("SWAP"))
    street.work()
    assert ours(street) == []
    (failed,) = wishes(street, "failed")
    assert f"is taken in store main by product {number}" in failed.sentence


def test_a_sku_in_two_products_of_the_shop_is_told(street: Street) -> None:
    first = product(street, "TWIN", 2)
    second = product(street, "TWIN-B", 2)
    street.shop.site.table("products")[second]["sku"] = "TWIN"
    street.shop.site.store.save("products", street.shop.site.table("products")[second])
    read(street, book_item("TWIN"))
    street.work()
    (failed,) = wishes(street, "failed")
    assert f"Products {first}, {second} of store main bear one SKU" in failed.sentence
    assert ours(street) == []


def test_a_key_of_two_items_makes_no_product(street: Street) -> None:
    read(street, book_item("SAME"), book_item("SAME", "Another", list_id="-77"))
    street.work()
    assert ours(street) == []
    assert all("is a key of 2 items in QuickBooks" in one.sentence for one in wishes(street, "failed"))


def test_a_sku_with_a_comma_is_bound_by_the_shops_refusal(street: Street) -> None:
    """The shop's filter takes it for two SKUs."""
    number = product(street, "1,5MM", 2)
    read(street, book_item("1,5MM"))
    street.work()
    assert ours(street) == []
    assert known(street, number).list_id == book_item("1,5MM").list_id


def test_what_a_person_does_with_a_draft_stays(street: Street) -> None:
    item = book_item("KEEP", "Name", web_description="Text")
    read(street, item)
    street.work()
    street.deliver()
    edit(street, "KEEP", name="Mine", description="My text", status="publish", categories=[], weight="9")
    street.deliver()
    before = dict(shown(street, "KEEP"))
    read(
        street,
        book_item(
            "KEEP", "Renamed", web_description="New", on_hand="3", prices={"1": "5.50"}, weight=Decimal(2)
        ),
    )
    street.work()
    after = dict(shown(street, "KEEP"))
    moved = {key for key in after if json.dumps(after[key]) != json.dumps(before[key])}
    dates = {"date_modified", "date_modified_gmt"}
    assert moved == {"regular_price", "price", "price_html", "stock_quantity", *dates}
    assert (after["regular_price"], after["stock_quantity"]) == ("5.50", 3)


def test_a_draft_that_a_person_deleted_is_not_made_again_but_by_hand(street: Street) -> None:
    read(street, book_item("GONE"))
    street.work()
    number = shown(street, "GONE")["id"]
    call(street, "DELETE", f"products/{number}?force=true")
    read(street, book_item("GONE", on_hand="3"))
    street.work()
    read(street, book_item("GONE", "Renamed"))
    street.work()
    assert ours(street) == []
    with street.database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        ids = [book_item("GONE").list_id]
        (would,) = create_products(db, company, store, ids, who="test", dry_run=True)
        assert [draft.sku for draft in would.drafts] == ["GONE"]
        create_products(db, company, store, ids, who="test", dry_run=False)
    street.work()
    assert skus(street) == ["GONE"]


@pytest.mark.parametrize("how", ["unmarked", "deleted"])
@pytest.mark.parametrize("when_gone", ["nothing", "out_of_stock", "draft"])
def test_an_item_that_is_gone_never_deletes_its_product(street: Street, how: str, when_gone: str) -> None:
    settings(street, when_gone=when_gone)
    hand = product(street, "HAND", 4)
    read(street, book_item("END"), book_item("HAND"))
    street.work()
    edit(street, "END", status="publish")
    street.deliver()
    street.work()
    if how == "unmarked":
        read(street, book_item("END", is_web=False), book_item("HAND", is_web=False))
    else:
        deleted(street, book_item("END"), book_item("HAND"))
    street.work()
    street.deliver()
    street.work()
    found = shown(street, "END")
    assert found["status"] == ("draft" if when_gone == "draft" else "publish")
    assert found["stock_quantity"] == (0 if when_gone == "out_of_stock" else 10)
    assert street.shop.site.table("products")[hand]["status"] == "publish"
    assert open_work(street) == []
    # What a person does now stays, and an item that comes back is sold again.
    edit(street, "END", status="publish")
    street.deliver()
    read(street, book_item("END", on_hand="6"))
    street.work()
    assert (shown(street, "END")["status"], shown(street, "END")["stock_quantity"]) == ("publish", 6)
    assert skus(street) == ["END"]


def test_a_persons_copy_of_a_draft_is_not_taken_for_ours(street: Street) -> None:
    settings(street, when_gone="draft")
    item = book_item("MINE")
    read(street, item)
    street.work()
    copied = [{"key": "_qbwoo_list_id", "value": item.list_id}]
    product(street, "MINE-1", 2, meta_data=copied)
    edit(street, "MINE", status="publish")
    street.deliver()
    street.work()
    assert row(street, "MINE-1").list_id is None
    read(street, book_item("MINE", is_web=False), book_item("MINE-1", is_web=False))
    street.work()
    assert (shown(street, "MINE")["status"], shown(street, "MINE-1")["status"]) == ("draft", "publish")
    assert row(street, "MINE-1").matched_by == "sku"


def test_two_shops_of_a_company_have_rules_of_their_own(street: Street) -> None:
    with another_shop(street, "outlet") as outlet:
        settings(street, "outlet", from_quickbooks="rule", keywords="outlet", name="desc2")
        read(
            street,
            book_item("WEB"),
            book_item("SALE", is_web=False, keywords="outlet", description="On sale"),
            book_item("BOTH", keywords="outlet", description="Twice"),
        )
        street.work()
        assert skus(street) == ["BOTH", "WEB"]
        assert sorted(one["name"] for one in ours(outlet)) == ["On sale", "Twice"]
        assert shown(street, "BOTH")["name"] == "Thing BOTH"
        assert open_work(street) == []


def test_a_changed_rule_is_held_against_the_whole_catalogue(street: Street) -> None:
    read(street, book_item("WEB"), book_item("SALE", is_web=False, keywords="outlet"))
    street.work()
    assert skus(street) == ["WEB"]
    settings(street, from_quickbooks="rule", keywords="outlet")
    with street.database.write() as db:
        ask_to_find_drafts(db, get_store(db, "main"), cause="test")
    street.work()
    assert skus(street) == ["SALE", "WEB"]
    assert open_work(street) == []


def test_categories_are_found_made_mapped_or_left_out(street: Street) -> None:
    call_department(street, "Outdoor")
    other = call(street, "POST", "products/categories", {"name": "Elsewhere"})["id"]
    settings(street, categories="both")
    with street.database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        for key, value in (("web:boots", str(other)), ("web:secret", "0")):
            set_mapping(db, company, kind="category", key=key, list_id=value, store_id=store.id, who="test")
    item = book_item("CAT-1", web_categories="Boots; Secret, Salt & Pepper, Ботинки")
    read(street, item)
    street.work()
    names = [one["name"] for one in shown(street, "CAT-1")["categories"]]
    assert sorted(names) == ["Elsewhere", "Outdoor", "Salt &amp; Pepper", "Ботинки"]
    settings(street, new_categories="false")
    read(street, book_item("CAT-2", web_categories="Salt & Pepper, Nobody's"))
    street.work()
    assert "Nobody's" not in [one["name"] for one in shown(street, "CAT-2")["categories"]]
    table = street.shop.site.table("terms").values()
    assert len([one for one in table if one["name"] == "Salt &amp; Pepper"]) == 1


def test_long_and_foreign_texts_arrive_whole(street: Street) -> None:
    name = "Зимние ботинки 冬のブーツ"
    text = "é" * 5000 + " <не тег> & 5 < 6"
    read(street, book_item("Ж-1", name, description=text))
    street.work()
    made = shown(street, "Ж-1")
    assert made["name"] == name
    assert made["short_description"] == "<p>" + "é" * 5000 + " &lt;не тег&gt; &amp; 5 &lt; 6</p>\n"


def test_an_item_without_a_price_never_costs_nothing(street: Street) -> None:
    read(street, book_item("FREE", prices={"1": "0.00"}))
    street.work()
    assert shown(street, "FREE")["regular_price"] == ""


def test_a_store_that_is_not_live_for_products_makes_nothing(street: Street) -> None:
    read(street, book_item("LATE"))
    go_live(street, "orders", "stock")
    street.work()
    assert ours(street) == []
    go_live(street)
    with street.database.write() as db:
        ask_to_find_drafts(db, get_store(db, "main"), cause="live")
    street.work()
    assert skus(street) == ["LATE"]
    assert not open_tasks_of(street)


def open_tasks_of(street: Street) -> list[str]:
    with street.database.read() as db:
        return [task.kind for task in open_tasks(db, get_company(db, "books").id)]
