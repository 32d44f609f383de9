"""Commands about products from QuickBooks."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from queue_store.catalogue import store_items
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from tests.ops_console.conftest import Qbwoo


def keep(database: Database, company: str) -> None:
    items = [
        BookItem(list_id="1", alu="A", name="Shirt", size="S", attribute="Wine", is_web=True),
        BookItem(list_id="2", alu="B", name="Shirt", size="s", attribute="Red", is_web=True),
    ]
    with database.write() as db:
        number = get_company(db, company).id
        rows = [
            {"company_id": number, "list_id": one.list_id, "style_key": "x", "content": encode(one)}
            for one in items
        ]
        store_items(db, rows)


def test_sizes_and_attributes_without_a_mapping_are_listed(
    qbwoo: Qbwoo, console_database: Database, add_store: Callable[..., str], company: str
) -> None:
    store = add_store()
    keep(console_database, company)
    qbwoo("mapping", "set", "attribute", "attribute:wine", "Red")
    rows = qbwoo("mapping", "list", "--kind", "attribute", "--unknown", "--json").data
    assert rows == [
        {"store": store, "key": "attribute:Red", "items": 1},
        {"store": store, "key": "size:S", "items": 2},
    ]
    qbwoo("mapping", "list", "--unknown", code=2)


def test_a_change_of_the_rule_has_the_catalogue_looked_through(
    qbwoo: Qbwoo, console_database: Database, add_store: Callable[..., str]
) -> None:
    store = add_store()
    with console_database.write() as db:
        get_store(db, store).live_kinds = "products"
    qbwoo("store", "set", store, "products.name", "desc2")
    qbwoo("store", "set", store, "products.from_quickbooks", "marked")
    qbwoo("store", "set", store, "products.when_gone", "draft")
    with console_database.read() as db:
        assert [(one.kind, one.state) for one in db.scalars(select(Activity))] == [("find_drafts", "pending")]
    assert "expected" in qbwoo("store", "set", store, "products.cost_meta", "color", code=2).err
    qbwoo("store", "set", store, "products.cost_meta", "_wc_cog_cost")
