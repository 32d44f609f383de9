"""Products are asked for by the thousand with few statements, and each once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from queue_store.catalogue import store_items
from queue_store.companies import add_company, add_store
from queue_store.database import Database
from queue_store.models import Activity, ActivityEvent, CatalogueItem, Company, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem, ShopItem
from queue_store.product_work import items_changed
from queue_store.secrets import SecretBox

COUNT = 2000


@pytest.fixture
def company_id(database: Database, box: SecretBox) -> int:
    with database.write() as db:
        company = add_company(
            db, name="books", flavour="pos", username="connector", password="a password", company_file=""
        )
        for name, kinds in (("main", "stock"), ("other", "prices"), ("idle", "orders")):
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
            store.live_kinds = kinds
            for number in range(COUNT if name == "main" else 2):
                db.add(
                    ShopProduct(
                        store_id=store.id,
                        product_id=number + 1,
                        company_id=company.id,
                        parent_id=7 if number == 1 else 0,
                        content=encode(
                            ShopItem(
                                product_id=number + 1, type="simple", status="publish", manage_stock="yes"
                            )
                        ),
                        regular_price=None,
                        list_id=str(number),
                        gone=number == 5,
                    )
                )
        rows = [
            {
                "company_id": company.id,
                "list_id": str(number),
                "content": encode(
                    BookItem(
                        list_id=str(number),
                        on_hand={"1": Decimal(3)},
                        prices={"1": Decimal(7)},
                        alu=str(number),
                    )
                ),
            }
            for number in range(COUNT)
        ]
        store_items(db, rows)
        return company.id


def ask(database: Database, company_id: int, list_ids: set[str]) -> tuple[int, int]:
    """How many products were asked for, and with how many statements."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    with database.write() as db:
        company = db.get_one(Company, company_id)
        event.listen(database.engine, "before_cursor_execute", note)
        asked = items_changed(db, company, list_ids)
        event.remove(database.engine, "before_cursor_execute", note)
    return asked, len(statements)


def activities(database: Database) -> list[Activity]:
    with database.read() as db:
        return list(db.scalars(select(Activity).order_by(Activity.id)))


def test_thousands_are_asked_for_with_few_statements(database: Database, company_id: int) -> None:
    every = {str(number) for number in range(COUNT)}
    asked, statements = ask(database, company_id, every)
    # One is gone; the second store has two; the third shows nothing.
    assert asked == COUNT - 1 + 2
    assert statements < COUNT / 40
    assert len(activities(database)) == asked
    ask(database, company_id, every)
    assert len(activities(database)) == asked
    with database.read() as db:
        assert db.scalar(select(func.count()).select_from(ActivityEvent)) == asked


def test_a_product_that_shows_what_it_should_is_not_asked_for(database: Database, company_id: int) -> None:
    with database.write() as db:
        for row in db.scalars(select(ShopProduct).where(ShopProduct.list_id == "3")):
            row.content = encode(
                ShopItem(
                    product_id=row.product_id,
                    type="simple",
                    status="publish",
                    manage_stock="yes",
                    quantity=Decimal(3),
                )
            )
    assert ask(database, company_id, {"3", "4"})[0] == 1
    assert [one.record_id for one in activities(database)] == ["5"]


@pytest.mark.parametrize(
    ("state", "reason", "after", "rows"),
    [
        ("succeeded", "", "pending", 2),
        ("failed", "", "pending", 1),
        # The shop is down: its time comes.
        ("delayed", "", "delayed", 1),
        ("held", "limit", "pending", 1),
        ("held", "operator", "held", 1),
    ],
)
def test_what_is_there_is_armed_again(
    database: Database, company_id: int, state: str, reason: str, after: str, rows: int
) -> None:
    ask(database, company_id, {"3"})
    with database.write() as db:
        db.execute(update(Activity).values(state=state, reason=reason, next_at=datetime.now(UTC)))
    ask(database, company_id, {"3"})
    found = activities(database)
    assert (found[-1].state, len(found)) == (after, rows)
    assert found[-1].generation == rows


def test_what_is_being_done_is_done_once_more(database: Database, company_id: int) -> None:
    ask(database, company_id, {"3"})
    with database.write() as db:
        db.execute(update(Activity).values(state="sent"))
    ask(database, company_id, {"3"})
    (one,) = activities(database)
    assert (one.state, one.newer_payload) == ("sent", one.payload)


@pytest.mark.parametrize(("first", "second", "kept"), [(5, 4, "first"), (5, 5, "second"), (5, 6, "second")])
def test_an_older_read_never_overwrites_a_newer_one(
    database: Database, company_id: int, first: int, second: int, kept: str
) -> None:
    for turn, name in ((first, "first"), (second, "second")):
        row = {
            "company_id": company_id,
            "list_id": "read twice",
            "name": name,
            "content": encode(BookItem(list_id="read twice", name=name)),
            "asked_turn": turn,
        }
        with database.write() as db:
            store_items(db, [row])
    with database.read() as db:
        assert (
            db.scalars(select(CatalogueItem.name).where(CatalogueItem.list_id == "read twice")).one() == kept
        )
