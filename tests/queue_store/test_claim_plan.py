"""The claim walks its index in the order of the queue, however long the queue is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite

from queue_store.claim import CLAIMABLE
from queue_store.database import Database
from queue_store.ids import new_ids
from queue_store.models import Activity, Company, table_of


def fill(database: Database, waiting: int) -> int:
    """A company with `waiting` pending activities and some of every other state."""
    with database.write() as db:
        company = Company(
            name="books",
            flavour="pos",
            username="u",
            password_hash="x",
            owner_guid="{0}",
            file_guid="{1}",
        )
        db.add(company)
        db.flush()
        rows = [
            {
                "id": activity_id,
                "company_id": company.id,
                "store_id": 0,
                "target": "quickbooks",
                "kind": "sale",
                "record_id": str(number),
                "generation": 1,
                "state": "pending" if number < waiting else "succeeded",
                "priority": number % 3,
                "attempts": 0,
                "payload": b"{}",
                "digest": "",
                "fingerprint": "",
                "newer_fingerprint": "",
                "reason": "",
                "unwanted": False,
                "order_id": "",
                "reference": "",
                "sentence": "",
                "prepared_with": "",
                "set_failures": 0,
                "suspect_size": 0,
                "created_at": company.created_at,
                "updated_at": company.created_at,
            }
            for number, activity_id in enumerate(new_ids(waiting + 500))
        ]
        db.execute(insert(table_of(Activity)), rows)
        return company.id


def plan(database: Database, company_id: int) -> str:
    query = CLAIMABLE.params(company_id=company_id, newest_id=2**62, session_id=1, limit=50)
    dialect: Any = sqlite.dialect() if database.is_sqlite else postgresql.dialect()
    compiled = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text("ANALYZE"))
        return "\n".join(str(row) for row in connection.execute(text(explain + compiled)))


@pytest.mark.parametrize("waiting", [500, 20_000])
def test_the_claim_uses_its_index_without_sort_or_scan(database: Database, waiting: int) -> None:
    found = plan(database, fill(database, waiting))
    assert "ix_activities_claim" in found
    assert "TEMP B-TREE" not in found
    assert "Sort" not in found
    assert "Seq Scan" not in found
    assert "SCAN" not in found
