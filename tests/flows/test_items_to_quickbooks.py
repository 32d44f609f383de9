"""Products of the shop become items of QuickBooks, and fields that the shop rules are changed there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from qbwc_service.flavours.pos.item_records import prepare_item_add, prepare_item_mod
from queue_store.companies import get_company
from queue_store.item_orders import order_item, order_item_change
from queue_store.models import CatalogueItem
from queue_store.operations import hold
from queue_store.payloads import Item, ItemChange, ItemDetails
from queue_store.product_payloads import decode_book_item
from tests.harness import AnswerLost, House

SHIRT = Item(
    sku="SHIRT-R-M",
    name="Shirt",
    item_type="Inventory",
    department="Clothing",
    tax_code="Tax",
    details=ItemDetails(
        size="M",
        attribute="Red",
        prices={"1": Decimal("19.9"), "web": Decimal("18.50")},
        cost=Decimal("7.25"),
        upc="012345678905",
        description="A shirt for summer days.",
        web_description="Soft.",
        is_web=True,
        keywords="summer",
        web_categories="Clothing>Shirts",
        manufacturer="Loom Inc.",
        weight=Decimal("0.25"),
    ),
)


def add(house: House, item: Item = SHIRT) -> None:
    with house.database.write() as db:
        order_item(db, company_id=get_company(db, "books").id, item=item, cause="test")


def change(house: House, list_id: str, **details: object) -> None:
    with house.database.write() as db:
        wanted = ItemChange(list_id=list_id, sku="T", details=ItemDetails(**details))  # type: ignore[arg-type]
        order_item_change(db, company_id=get_company(db, "books").id, change=wanted, cause="test")


def fields(house: House, list_id: str) -> dict[str, object]:
    return dict(next(one for one in house.pos._store.all("ItemInventory") if one.id == list_id).fields)


def test_a_product_becomes_an_item_with_all_that_the_shop_tells(house: House) -> None:
    add(house)
    house.run_until_quiet()
    (item,) = house.pos.items()
    found = fields(house, item.list_id)
    assert {
        name: found[name] for name in ("ALU", "Desc1", "Desc2", "Size", "Attribute", "UPC", "Manufacturer")
    } == {
        "ALU": "SHIRT-R-M",
        "Desc1": "Shirt",
        "Desc2": "A shirt for summer days.",
        "Size": "M",
        "Attribute": "Red",
        "UPC": "012345678905",
        "Manufacturer": "Loom Inc.",
    }
    assert (found["Price1"], found["WebPrice"], found["Cost"]) == (
        Decimal("19.90"),
        Decimal("18.50"),
        Decimal("7.25"),
    )
    assert "Price2" not in found
    assert (found["IsWebItem"], found["WebCategories"]) == (True, "Clothing>Shirts")
    (department,) = [one for one in house.pos.departments() if one.name == "Clothing"]
    assert item.department_list_id == department.list_id
    with house.database.read() as db:
        assert db.scalars(select(CatalogueItem.alu_key)).one() == "shirt-r-m"


@pytest.mark.parametrize("executed", [True, False])
def test_an_item_whose_answer_is_lost_is_added_once(house: House, executed: bool) -> None:
    add(house)

    def lost(request: str) -> None:
        if "<ItemInventoryAddRq" in request:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: lost(request))
    else:
        house.run(on_set=lambda number, request: lost(request))
    house.run_until_quiet()
    assert len(house.pos.items()) == 1
    assert house.states("add_item") == ["succeeded"]


def test_a_change_writes_the_given_fields_and_no_other(house: House) -> None:
    list_id = house.pos.add_item(
        "Tea", alu="T", price1=Decimal(5), Price2=Decimal(4), Cost=Decimal(2)
    ).list_id
    before = fields(house, list_id)
    change(house, list_id, prices={"1": Decimal(6)})
    house.run()
    changed = {name for name, value in fields(house, list_id).items() if before.get(name) != value}
    assert changed - {"TimeModified"} == {"Price1"}
    assert house.states("change_item") == ["succeeded"]
    with house.database.read() as db:
        item = decode_book_item(db.scalars(select(CatalogueItem.content)).one())
        assert item.prices["1"] == 6


def test_a_change_whose_answer_is_lost_goes_again(house: House) -> None:
    list_id = house.pos.add_item("Tea", alu="T", price1=Decimal(5)).list_id
    change(house, list_id, cost=Decimal(3))

    def lost(number: int, ticket: str, request: str, response: str) -> None:
        if "<ItemInventoryModRq" in request:
            raise AnswerLost

    house.run(on_answer=lost)
    house.run_until_quiet()
    assert fields(house, list_id)["Cost"] == 3
    assert house.states("change_item") == ["succeeded"]


def test_changes_that_wait_become_one(house: House) -> None:
    list_id = house.pos.add_item("Tea", alu="T", price1=Decimal(5)).list_id
    change(house, list_id, prices={"1": Decimal(6), "2": Decimal(5)})
    change(house, list_id, prices={"1": Decimal(7)}, manufacturer="Loom")
    assert house.states("change_item") == ["pending"]
    house.run()
    found = fields(house, list_id)
    assert (found["Price1"], found["Price2"], found["Manufacturer"]) == (7, 5, "Loom")


@pytest.mark.parametrize("answered", [True, False])
def test_a_change_while_another_is_on_its_way_goes_after_it(house: House, answered: bool) -> None:
    list_id = house.pos.add_item("Tea", alu="T", price1=Decimal(5)).list_id
    change(house, list_id, prices={"1": Decimal(6), "2": Decimal(5)})

    def again(number: int, ticket: str, request: str, response: str) -> None:
        if "<ItemInventoryModRq" in request and len(house.activities("change_item")) == 1:
            change(house, list_id, prices={"1": Decimal(7)})
            if not answered:
                raise AnswerLost

    house.run(on_answer=again)
    house.run_until_quiet()
    found = fields(house, list_id)
    assert (found["Price1"], found["Price2"]) == (7, 5)
    assert set(house.states("change_item")) == {"succeeded"}


def test_a_change_that_is_held_stays_held_with_the_newest_content(house: House) -> None:
    list_id = house.pos.add_item("Tea", alu="T", price1=Decimal(5)).list_id
    change(house, list_id, cost=Decimal(3))
    with house.database.write() as db:
        (one,) = [db.merge(one) for one in house.activities("change_item")]
        hold(db, one, "test")
    change(house, list_id, cost=Decimal(4))
    (one,) = house.activities("change_item")
    assert (one.state, one.reason) == ("held", "operator")
    assert b'"4"' in one.payload


def test_what_does_not_fit_is_cut_and_said() -> None:
    item = Item(
        sku="T",
        name="x" * 31,
        item_type="Inventory",
        details=ItemDetails(size="Extraordinarily", upc="1" * 19, manufacturer="m" * 51),
    )
    prepared = prepare_item_add(item)
    text = "".join(prepared.parts)
    assert "<Size>Extraordinar</Size>" in text
    # A part of a code would be another product's.
    assert "<UPC>" not in text
    assert len(prepared.remarks) == 4


def test_a_change_of_nothing_but_prices_names_nothing_else() -> None:
    prepared = prepare_item_mod(ItemChange(list_id="7", details=ItemDetails(prices={"web": Decimal("9.5")})))
    text = "".join(prepared.parts)
    assert "<ItemInventoryMod><ListID>7</ListID><WebPrice>9.50</WebPrice></ItemInventoryMod>" in text
