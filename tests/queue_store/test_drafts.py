"""Products that a store lacks are asked for once each, with few statements, and what a person decided stays."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import event, select, update

from queue_store.catalogue import bind, fold, store_items
from queue_store.companies import add_company, add_store, get_store
from queue_store.database import Database
from queue_store.departments import department_names, keep_departments
from queue_store.drafts import ask_all_drafts, ask_drafts, create_products
from queue_store.errors import BadSetting
from queue_store.mappings import category_mappings, set_mapping
from queue_store.models import Activity, CatalogueItem, Company, Store
from queue_store.operations import cancel
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from queue_store.secrets import SecretBox
from queue_store.settings import set_store_setting

COUNT = 1500


@pytest.fixture
def company_id(database: Database, box: SecretBox) -> int:
    with database.write() as db:
        company = add_company(
            db, name="books", flavour="pos", username="connector", password="a password", company_file=""
        )
        for name in ("main", "idle"):
            store = add_store(
                db,
                box,
                company=company,
                name=name,
                url=f"https://{name}.example",
                consumer_key="ck",
                consumer_secret="cs",
                webhook_secret="wh",
            )
            store.live_kinds = "products"
        set_store_setting(db, get_store(db, "main"), "products.from_quickbooks", "marked", who="test")
        return company.id


def keep(database: Database, company_id: int, *items: BookItem, style: str = "") -> list[str]:
    with database.write() as db:
        store_items(
            db,
            [
                {
                    "company_id": company_id,
                    "list_id": item.list_id,
                    "alu_key": fold(item.alu),
                    "content": encode(item),
                    "style_key": style,
                }
                for item in items
            ],
        )
    return [item.list_id for item in items]


def marked(number: int, **more: Any) -> BookItem:
    values = {"list_id": str(number), "alu": f"A{number}", "name": f"Item {number}", "is_web": True}
    return BookItem(**(values | more))


def ask(database: Database, company_id: int, list_ids: Collection[str]) -> int:
    with database.write() as db:
        company = db.get_one(Company, company_id)
        stores = db.scalars(select(Store)).all()
        return sum(ask_drafts(db, company, store, list_ids, cause="test") for store in stores)


def activities(database: Database) -> list[Activity]:
    with database.read() as db:
        return list(db.scalars(select(Activity).order_by(Activity.id)))


def test_a_whole_catalogue_is_asked_for_with_few_statements(database: Database, company_id: int) -> None:
    keep(database, company_id, *(marked(number, is_web=number % 3 != 0) for number in range(COUNT)))
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    for _ in range(2):
        asked, after = 0, ""
        event.listen(database.engine, "before_cursor_execute", note)
        while after is not None:
            with database.write() as db:
                company, store = db.get_one(Company, company_id), get_store(db, "main")
                number, after = ask_all_drafts(db, company, store, cause="test", after=after)
            asked += number
        event.remove(database.engine, "before_cursor_execute", note)
        assert len(activities(database)) == COUNT // 3 * 2
        assert asked in (COUNT // 3 * 2, 0)
    assert len(statements) < COUNT / 10


def test_the_items_of_a_style_are_one_wish(database: Database, company_id: int) -> None:
    items = [marked(number, name="Shirt", size=str(number)) for number in range(5)]
    ask(database, company_id, keep(database, company_id, *items, style="1 shirt"))
    (one,) = activities(database)
    assert one.record_id.startswith("STYLE-")
    assert one.reference == "style Shirt"


def test_what_was_cancelled_by_hand_stays_so_and_the_rest_is_armed_again(
    database: Database, company_id: int
) -> None:
    ids = keep(database, company_id, marked(1), marked(2), marked(3))
    ask(database, company_id, ids)
    with database.write() as db:
        first, second, third = db.scalars(select(Activity).order_by(Activity.record_id)).all()
        cancel(db, first, "test")
        db.execute(update(Activity).where(Activity.id == second.id).values(state="failed"))
        db.execute(update(Activity).where(Activity.id == third.id).values(state="sent"))
    assert ask(database, company_id, ids) == 2
    found = {one.record_id: one for one in activities(database)}
    assert [found[key].state for key in "123"] == ["cancelled", "pending", "sent"]
    # It is done once more when its worker is through.
    assert found["3"].newer_payload is not None


def test_items_for_extra_lines_are_no_goods(database: Database, company_id: int) -> None:
    ids = keep(database, company_id, marked(1))
    with database.write() as db:
        bind(db, company_id=company_id, kind="line", key="online shipping", list_id="1", source="added")
    assert ask(database, company_id, ids) == 0


def test_deleted_items_are_not_wanted(database: Database, company_id: int) -> None:
    ids = keep(database, company_id, marked(1))
    with database.write() as db:
        db.execute(update(CatalogueItem).values(deleted=True))
    assert ask(database, company_id, ids) == 0


def test_a_dry_run_tells_what_would_be_made_and_what_not(database: Database, company_id: int) -> None:
    ids = keep(database, company_id, marked(1, is_web=False), marked(2, alu=""))
    with database.write() as db:
        company, store = db.get_one(Company, company_id), get_store(db, "idle")
        found = create_products(db, company, store, ids, who="test", dry_run=True)
        assert [[draft.sku for draft in one.drafts] for one in found] == [["A1"], []]
        assert "has nothing in ALU, UPC" in found[1].problems[0]
        assert not db.scalars(select(Activity)).all()
        create_products(db, company, store, ids, who="test", dry_run=False)
    assert [one.record_id for one in activities(database)] == ["1"]


def test_departments_are_called_as_quickbooks_calls_them_now(database: Database, company_id: int) -> None:
    with database.write() as db:
        assert keep_departments(db, company_id, {"1": "Shoes", "2": "Twice", "3": "twice"})
        assert department_names(db, company_id) == {"1": "Shoes"}
        assert not keep_departments(db, company_id, {"1": "Shoes", "2": "Twice", "3": "twice"})
        assert keep_departments(db, company_id, {"1": "Boots"})
        assert department_names(db, company_id) == {"1": "Boots"}
        company = db.get_one(Company, company_id)
        set_mapping(db, company, kind="department", key="Stiefel", list_id="1", who="test")
        keep_departments(db, company_id, {"1": "Boots"})
        assert not keep_departments(db, company_id, {"1": "Boots"})


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("category", "shoes", "12"),
        ("category", "department:shoes", "Shoes"),
        ("attribute", "red", "Red"),
        ("attribute", "colour:red", "Red"),
        ("attribute", "size:xl", ""),
        ("attribute", "size:xl", "x" * 37),
    ],
)
def test_a_mapping_that_nothing_could_use_is_refused(
    database: Database, company_id: int, kind: str, key: str, value: str
) -> None:
    with database.write() as db:
        company = db.get_one(Company, company_id)
        with pytest.raises(BadSetting):
            set_mapping(db, company, kind=kind, key=key, list_id=value, who="test")


def test_a_stores_own_category_goes_before_the_companys(database: Database, company_id: int) -> None:
    with database.write() as db:
        company, store = db.get_one(Company, company_id), get_store(db, "main")
        for number, owner in (("7", store.id), ("8", 0)):
            set_mapping(
                db,
                company,
                kind="category",
                key="department:Shoes",
                list_id=number,
                store_id=owner,
                who="test",
            )
        assert category_mappings(db, store) == {"department:shoes": 7}
        assert category_mappings(db, get_store(db, "idle")) == {"department:shoes": 8}
