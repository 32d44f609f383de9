"""Bringing the database to the newest revision, one process at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

import migrations
from queue_store.database import Database
from queue_store.errors import SchemaOutdated

logger = logging.getLogger(__name__)

#: Any number that no other program takes a lock by in the same database.
_ADVISORY_LOCK = 0x7162776F6F


def upgrade(database: Database) -> tuple[str | None, str | None]:
    """The revision before and after. Processes that start at once take turns, and the later find it done."""
    with _migrating(database) as connection:
        before = migrations.current_revision(connection)
        # A newer version may have been here: its revision is unknown to us, and ensure_current says so.
        if before is None or before in migrations.known_revisions():
            migrations.upgrade(connection)
        after = migrations.current_revision(connection)
    if before != after:
        logger.info("database migrated from %s to %s", before or "empty", after)
    return before, after


def ensure_current(database: Database) -> None:
    """Raises SchemaOutdated if the database is not at the revision that this version needs."""
    found, wanted = revision(database), migrations.head_revision()
    if found != wanted:
        raise SchemaOutdated(found, wanted)


def revision(database: Database) -> str | None:
    """The database's revision; None: empty."""
    with database.engine.connect() as connection:
        return migrations.current_revision(connection)


def differences(database: Database) -> list[Any]:
    """Where schema and models differ; empty: nowhere."""
    with database.engine.connect() as connection:
        return migrations.differences(connection)


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        # Copying a table drops the old one, which would delete what refers to it.
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            # BEGIN IMMEDIATE: the second process waits here until the first has committed.
            with connection.execution_options(qbwoo_immediate=True).begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                assert broken is None, f"the migration broke a reference: {broken}"
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def problems(database: Database) -> list[str]:
    """What is wrong with the database, a line each: schema, and on SQLite the file itself."""
    found = [f"schema differs: {_shown(difference)}" for difference in differences(database)]
    if database.is_sqlite:
        with database.engine.connect() as connection:
            found += [
                str(line) for (line,) in connection.exec_driver_sql("PRAGMA integrity_check") if line != "ok"
            ]
            found += [
                f"table {row[0]}, row {row[1]} refers to nothing in {row[2]}"
                for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
    return found


def _shown(difference: Any) -> str:
    # Alembic gives tuples, and lists of them for changes of one column.
    parts = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(getattr(part, "name", part)) for part in parts if part is not None)
