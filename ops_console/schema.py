"""Bringing the database to the newest revision, one process at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

import migrations
from queue_store.database import Database
from queue_store.errors import SchemaOutdated, UpgradeFailed

logger = logging.getLogger(__name__)

#: Any number that no other program takes a lock by in the same database.
UPGRADE_LOCK = 0x7162776F6F
#: How long another process may hold the database, in seconds.
_PATIENCE = 30.0


def upgrade(database: Database, *, patience: float = _PATIENCE) -> tuple[str | None, str | None]:
    """The revision before and after. Processes that start at once take turns, and the later find it done.

    All of it is one transaction on both databases: cut off, it leaves the
    database as it was. `patience`: how long another process may hold it, in
    seconds. Raises UpgradeFailed.
    """
    before = None
    try:
        with _migrating(database, patience) as connection:
            before = migrations.current_revision(connection)
            # A newer version may have been here: its revision is unknown to us, and ensure_current says so.
            if before != migrations.head_revision() and (
                before is None or before in migrations.known_revisions()
            ):
                migrations.upgrade(connection)
            after = migrations.current_revision(connection)
    except (OperationalError, ProgrammingError) as error:
        reason = (str(error.orig).strip() or "no reason given").splitlines()[0]
        if _is_held(error):
            raise UpgradeFailed(
                f"The database is held by another process ({reason}): another upgrade, a backup being put back, a tool "
                "that looks into it. Wait for it or end it, and try again. Nothing was changed."
            ) from error
        if _is_shape(error):
            raise UpgradeFailed(
                f"The database says that it is at revision {before or 'none'}, but does not look so ({reason}): an upgrade "
                "was done by halves with other tools, or tables were changed by hand. Nothing was changed. Restore a "
                "backup; qbwoo db check tells more."
            ) from error
        raise
    if before != after:
        logger.info("database migrated from %s to %s", before or "empty", after)
    return before, after


def ensure_current(database: Database) -> None:
    """Raises SchemaOutdated if the database is not at the revision that this version needs."""
    found, wanted = revision(database), migrations.head_revision()
    if found != wanted:
        newer = found is not None and found not in migrations.known_revisions()
        raise SchemaOutdated(found, wanted, newer=newer)


def revision(database: Database) -> str | None:
    """The database's revision; None: empty."""
    with database.engine.connect() as connection:
        return migrations.current_revision(connection)


def differences(database: Database) -> list[Any]:
    """Where schema and models differ; empty: nowhere."""
    with database.engine.connect() as connection:
        return migrations.differences(connection)


def _is_held(error: DBAPIError) -> bool:
    """True if the database waited in vain for a lock."""
    # SQLSTATE 55P03: lock_not_available, after lock_timeout.
    return "locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "55P03"


def _is_shape(error: DBAPIError) -> bool:
    """True if a table or column is there that must not be, or the other way round."""
    # SQLSTATEs of class 42: a name that is not there, or is twice.
    shape = str(getattr(error.orig, "sqlstate", None) or "").startswith("42")
    return shape or any(word in str(error.orig) for word in ("already exists", "no such", "duplicate column"))


@contextmanager
def _migrating(database: Database, patience: float) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            with connection.begin():
                # Whole numbers need no quoting, and SET takes no parameters.
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(patience * 1000)}")
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
                yield connection
            return
        driver: Any = connection.connection.driver_connection
        # Copying a table drops the old one, which would delete what refers to it.
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute(f"PRAGMA busy_timeout={int(patience * 1000)}")
        try:
            # BEGIN IMMEDIATE: the second process waits here until the first has committed.
            with connection.execution_options(qbwoo_immediate=True).begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                assert broken is None, f"the migration broke a reference: {broken}"
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
            driver.execute(f"PRAGMA busy_timeout={int(_PATIENCE * 1000)}")


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
