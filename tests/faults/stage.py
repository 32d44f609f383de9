"""The database that day after day is played on, and how each day went."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import event

from ops_console import schema
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting
from tests.faults.snapshots import Snapshot
from tests.faults.storage import Storage
from tests.faults.wire import Wire
from tests.harness import PASSWORD, make_house

#: What the secrets of a stage are sealed with.
SECRET_KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="
BOX = SecretBox(SECRET_KEY)


@dataclass
class Stage:
    """A database that is used for day after day, and the state in which each begins."""

    database: Database
    morning: Snapshot
    storage: Storage
    #: None: the service is called without SOAP and HTTP.
    wire: Wire | None = None


@dataclass
class Report:
    """How one day went."""

    seed: int
    violations: list[str]
    fired: Counter[str]
    steps: int
    seconds: float = 0.0
    #: Of this process alone, whatever else the machine does.
    cpu_seconds: float = 0.0


def make_stage(database: Database) -> Stage:
    """Prepare an empty, migrated database."""
    if database.is_sqlite:

        @event.listens_for(database.engine, "connect")
        def hurry(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")
            # Who meets a lock waits no longer than this: a lock of a bad day is not given back.
            connection.execute("PRAGMA busy_timeout=5")

        database.engine.dispose()
    make_house(database, BOX)
    with database.write() as db:
        company = get_company(db, "books")
        # The cheapest hash there is: a day has many sessions.
        company.password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for key, value in (("retry.base_seconds", "60"), ("pull.page", "10")):
            set_company_setting(db, company, key, value, who="test")
    return Stage(database, Snapshot(database), Storage(database))


@contextmanager
def sqlite_stage() -> Iterator[Stage]:
    """A stage in a temporary file."""
    with tempfile.TemporaryDirectory(prefix="qbwoo-faults-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'qbwoo.db'}")
        schema.upgrade(database)
        stage = make_stage(database)
        try:
            yield stage
        finally:
            stage.morning.close()
            database.close()


@contextmanager
def postgres_stage() -> Iterator[Stage]:
    """A stage in a PostgreSQL database of its own, made and dropped as for the tests."""
    from tests import conftest

    with conftest.postgres_servers() as server:
        if server is None:
            raise SystemExit("PostgreSQL: set QBWOO_TEST_POSTGRES_URL, or install its server; none was found")
        with conftest.new_database(server) as url:
            database = Database(url)
            schema.upgrade(database)
            try:
                yield make_stage(database)
            finally:
                database.close()
