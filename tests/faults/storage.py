"""A database that fails under the service: locked by somebody else, its disk full, a commit that does not come through.

Each failure is the database's own: another connection really holds the lock,
the file really may not grow, and what was not committed is really gone. Only a
commit that fails is made to, just before it would be done.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from ops_sandbox.web_connector.errors import CallFailed
from queue_store.database import Database

T = TypeVar("T")

LOCKED, FULL, COMMIT = "database locked", "disk full", "commit failed"
#: As much as SQLite allows.
_MOST_PAGES = 1073741823


class StorageFailed(Exception):
    """The service could not do its work because of its database; nothing of it was kept."""


class Storage:
    """Lets transactions of one database fail to order. Made once for a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._armed = ""
        event.listen(database.engine, "begin", self._begin)
        event.listen(database.engine, "commit", self._commit)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What can be made to fail here."""
        return (LOCKED, FULL, COMMIT) if self._database.is_sqlite else (LOCKED, COMMIT)

    def run(self, kind: str, work: Callable[[], T]) -> T:
        """Do `work` while the database fails as `kind` says ("": not at all). Raises StorageFailed."""
        if not kind:
            return work()
        try:
            with self._failing(kind):
                return work()
        except (OperationalError, CallFailed) as error:
            # Over the wire it is heard as a SOAP fault.
            raise StorageFailed(kind) from error

    @contextmanager
    def _failing(self, kind: str) -> Iterator[None]:
        if kind == LOCKED:
            with self._locked():
                yield
            return
        self._armed = kind
        try:
            yield
        finally:
            self._armed = ""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._database.is_sqlite:
            with closing(sqlite3.connect(self._database.engine.url.database or "")) as other:
                other.isolation_level = None
                other.execute("BEGIN IMMEDIATE")
                yield
                other.execute("ROLLBACK")
            return
        self._armed = LOCKED
        try:
            with self._database.engine.connect() as connection:
                connection.execute(text("LOCK TABLE companies, stores, activities, qbwc_sessions"))
                yield
                connection.rollback()
        finally:
            self._armed = ""

    def _begin(self, connection: Connection) -> None:
        if self._database.is_sqlite:
            (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
            limit = pages if self._armed == FULL else _MOST_PAGES
            connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")
        elif self._armed == LOCKED:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5ms'")

    def _commit(self, connection: Connection) -> None:
        if self._armed == COMMIT:
            raise OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))


def choose(storage: Storage, rng: random.Random, chance: float) -> str:
    """What fails now, "" mostly."""
    return rng.choice(storage.kinds) if rng.random() < chance else ""
