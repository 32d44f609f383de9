"""Which items are read again: what documents moved since the read, what is wanted, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from queue_store.activities import add_activity
from queue_store.allocation import settle_moves
from queue_store.catalogue import AnsweredLookup, keep_lookups, store_items
from queue_store.companies import add_company, add_store
from queue_store.database import Database
from queue_store.models import Activity, Company, PullMark, ShopProduct, StockMove
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from queue_store.rereading import (
    changed_items,
    items_to_reread,
    read_everything,
    want_items,
    want_unseen,
)
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState

SESSION = 7


@pytest.fixture
def company_id(database: Database, box: SecretBox) -> int:
    """Items "1" to "4", read in turn 5 of 10; "1" to "3" are products of the shop."""
    with database.write() as db:
        company = add_company(
            db, name="books", flavour="pos", username="connector", password="a password", company_file=""
        )
        store = add_store(
            db,
            box,
            company=company,
            name="main",
            url="https://main.example",
            consumer_key="ck",
            consumer_secret="cs",
            webhook_secret="wh",
        )
        company.tracks_stock, company.turn = True, 10
        store_items(db, [row(company.id, str(number)) for number in range(1, 5)])
        for number in range(1, 4):
            db.add(
                ShopProduct(
                    store_id=store.id,
                    product_id=number,
                    company_id=company.id,
                    content=b"{}",
                    list_id=str(number),
                )
            )
        return company.id


def row(company_id: int, list_id: str, *, turn: int = 5, **fields: Any) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "list_id": list_id,
        "content": encode(BookItem(list_id=list_id, **fields)),
        "asked_turn": turn,
        "wanted": False,
        "deleted": False,
    }


def move(
    database: Database, company_id: int, list_id: str, *, settled: int | None, state: str = "succeeded"
) -> None:
    with database.write() as db:
        activity = add_activity(
            db,
            Activity(
                company_id=company_id,
                store_id=1,
                kind="sale",
                record_id=f"{list_id} {settled} {state}",
                state=ActivityState(state),
                payload=b"{}",
            ),
            cause="test",
        )
        db.add(
            StockMove(
                activity_id=activity.id,
                list_id=list_id,
                company_id=company_id,
                store_id=1,
                record="1",
                quantity=Decimal(1),
                sent_turn=3,
                settled_turn=settled,
            )
        )


def to_read(database: Database, company_id: int, limit: int = 10) -> list[str]:
    with database.write() as db:
        company = db.get_one(Company, company_id)
        return sorted(items_to_reread(db, company, session_id=SESSION, limit=limit))


def test_what_was_settled_since_the_read_is_read_again(database: Database, company_id: int) -> None:
    move(database, company_id, "1", settled=4)
    assert to_read(database, company_id) == []
    move(database, company_id, "1", settled=10)
    # In the books, and not settled before the next set leaves.
    move(database, company_id, "2", settled=None)
    move(database, company_id, "3", settled=None, state="in_doubt")
    # No product of a shop.
    move(database, company_id, "4", settled=10)
    assert to_read(database, company_id) == ["1", "2"]
    assert len(to_read(database, company_id, limit=1)) == 1
    with database.write() as db:
        company = db.get_one(Company, company_id)
        settle_moves(db, company)
        store_items(db, [row(company_id, "1", turn=11), row(company_id, "2", turn=11)])
    assert to_read(database, company_id) == []


def test_a_matched_item_that_was_never_read_is_read(
    database: Database, company_id: int, box: SecretBox
) -> None:
    with database.write() as db:
        known = db.get_one(ShopProduct, (db.query(ShopProduct.store_id).limit(1).scalar(), 1))
        known.list_id = "99"
    move(database, company_id, "99", settled=10)
    assert to_read(database, company_id) == ["99"]


def test_what_quickbooks_could_not_tell_waits_for_the_next_session(
    database: Database, company_id: int
) -> None:
    move(database, company_id, "1", settled=10)
    with database.write() as db:
        want_items(db, company_id, {"2"})
        answers = {("item id", key): AnsweredLookup(0, "no") for key in ("1", "2")}
        keep_lookups(db, company_id, SESSION, answers)
    assert to_read(database, company_id) == []
    with database.write() as db:
        company = db.get_one(Company, company_id)
        assert sorted(items_to_reread(db, company, session_id=SESSION + 1, limit=10)) == ["1", "2"]


def test_wanted_ones_are_read_whoever_shows_them(database: Database, company_id: int) -> None:
    with database.write() as db:
        want_items(db, company_id, {"3", "4"})
    assert to_read(database, company_id) == ["3", "4"]
    with database.write() as db:
        store_items(db, [row(company_id, "3", turn=11), row(company_id, "4", turn=11)])
        want_items(db, company_id, {"3", "4"}, matched_only=True)
    assert to_read(database, company_id) == ["3"]


def test_what_a_full_reading_did_not_see_is_wanted(database: Database, company_id: int) -> None:
    with database.write() as db:
        store_items(db, [row(company_id, "1", turn=9), {**row(company_id, "4"), "deleted": True}])
        want_unseen(db, company_id, before_turn=9)
    assert to_read(database, company_id) == ["2", "3"]


def test_what_a_read_changes(database: Database, company_id: int) -> None:
    with database.write() as db:
        company = db.get_one(Company, company_id)
        rows = [
            row(company_id, "1", turn=11, description="a text"),
            row(company_id, "2", turn=11, prices={"1": Decimal(3)}),
            row(company_id, "3", turn=4, prices={"1": Decimal(3)}),
            row(company_id, "5", turn=11),
        ]
        assert changed_items(db, company, rows) == {"2", "5"}
    # Its quantity is as before, and now has a sale in it.
    move(database, company_id, "1", settled=10)
    with database.write() as db:
        assert changed_items(db, db.get_one(Company, company_id), rows[:1]) == {"1"}


def test_everything_may_be_asked_for_again(database: Database, company_id: int) -> None:
    with database.write() as db:
        db.add(PullMark(company_id=company_id, kind="stock", finished_at=datetime.now(UTC)))
        db.flush()
        read_everything(db, db.get_one(Company, company_id))
    with database.read() as db:
        assert db.get_one(PullMark, (company_id, "stock")).finished_at is None
