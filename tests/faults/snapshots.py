"""Putting the database back to an earlier state under the feet of the service, as a restored backup does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from sqlalchemy import delete, insert, select, text

from queue_store.database import Database
from queue_store.models import Base

_STAMPS = {
    "activities": ("next_at", "updated_at"),
    "exchanges": ("sent_at",),
    "qbwc_sessions": ("started_at", "last_call_at"),
    "pull_marks": ("finished_at",),
}


class Snapshot:
    """All that a database held at one moment."""

    def __init__(self, database: Database) -> None:
        self._copy: sqlite3.Connection | None = None
        self._rows: dict[str, list[Any]] = {}
        if database.is_sqlite:
            self._copy = sqlite3.connect(":memory:")
            with closing(sqlite3.connect(database.engine.url.database or "")) as source:
                source.backup(self._copy)
            return
        with database.engine.begin() as connection:
            for table in Base.metadata.sorted_tables:
                self._rows[table.name] = [dict(row) for row in connection.execute(select(table)).mappings()]

    def restore(self, database: Database) -> None:
        """Make the database what it was."""
        if self._copy is not None:
            with closing(sqlite3.connect(database.engine.url.database or "")) as target:
                target.execute("PRAGMA synchronous=OFF")
                self._copy.backup(target)
            return
        with database.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))
            for table in Base.metadata.sorted_tables:
                if self._rows[table.name]:
                    connection.execute(insert(table), self._rows[table.name])

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()


def let_time_pass(database: Database, minutes: int) -> None:
    """Everything that is remembered happened so much earlier; later, if `minutes` is negative."""
    with database.engine.begin() as connection:
        for table, names in _STAMPS.items():
            for name in names:
                earlier = (
                    f"strftime('%Y-%m-%d %H:%M:%f000', {name}, '{-minutes} minutes')"
                    if database.is_sqlite
                    else f"{name} - interval '{minutes} minutes'"
                )
                connection.execute(text(f"UPDATE {table} SET {name} = {earlier} WHERE {name} IS NOT NULL"))
