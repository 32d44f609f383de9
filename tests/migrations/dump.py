"""The data of a revision, kept for ever: what its databases hold, as plain JSON.

    python -m tests.migrations.dump

writes the dump of the newest revision, by a day's work of the version at hand.
Run it while that revision is not released and its tables change; never after.
"""

from __future__ import annotations

import base64
import json
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, MetaData, inspect, select

import migrations
from ops_console import schema
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.operations import audit
from queue_store.secrets import SecretBox
from queue_store.tasks import raise_task
from queue_store.webhook_log import keep_body
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order, recorded_refunds

DUMPS = Path(__file__).parent.parent / "data" / "migrations"
#: For the dumps alone.
KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="

Dump = dict[str, list[dict[str, Any]]]


def read_rows(connection: Connection) -> Dump:
    """All rows of all tables, as the database has them, by table."""
    tables = MetaData()
    tables.reflect(connection)
    return {
        table.name: [
            {name: _plain(value) for name, value in row.items()}
            for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        ]
        for table in tables.sorted_tables
        if table.name != "alembic_version"
    }


def write_rows(connection: Connection, dump: Dump) -> None:
    """Put a dump into the empty tables of its revision."""
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        for row in dump.get(table.name, []):
            connection.execute(
                table.insert().values(
                    {name: _stored(table.c[name].type, value) for name, value in row.items()}
                )
            )


def read_dump(revision: str) -> Dump:
    found: Dump = json.loads((DUMPS / f"{revision}.json").read_text(encoding="utf-8"))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, datetime):
        # SQLite keeps no zone, PostgreSQL does: all are UTC.
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | date) else value


def _stored(kind: Any, value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"])
    if isinstance(kind, DateTime) and value is not None:
        moment = datetime.fromisoformat(value)
        return moment if getattr(kind, "timezone", False) else moment.replace(tzinfo=None)
    return value


def a_day(database: Database) -> House:
    """Work in every state: in the books, refunded, lost on the way, failed, waiting, and to come."""
    house = make_house(database, SecretBox(KEY))
    order = recorded_order("rpart")
    house.take(order)
    house.take_refunds(order, recorded_refunds(order["id"]))
    house.run_until_quiet()

    def lost(number: int, ticket: str, request: str, response: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    plain = recorded_order("plain")
    house.take(numbered(plain, 901))
    house.run(on_answer=lost)
    house.take(numbered(plain, 902))
    house.take(numbered(plain, 903, status="on-hold", date_paid_gmt=None, date_completed_gmt=None))
    with database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        raise_task(db, company_id=company.id, kind="x", subject="1", sentence="Look here.")
        audit(db, company.id, "test", "tried", "a", "b")
        keep_body(db, store_id=store.id, topic="customer.updated", reason="odd", body=b"{}")
    return house


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'qbwoo.db'}")
        schema.upgrade(database)
        a_day(database)
        with database.engine.connect() as connection:
            assert inspect(connection).has_table("activities")
            dump = read_rows(connection)
        database.close()
    DUMPS.mkdir(parents=True, exist_ok=True)
    path = DUMPS / f"{migrations.head_revision()}.json"
    path.write_text(json.dumps(dump, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
