"""Opening the database: SQLite (WAL) for one process, PostgreSQL for many.

The edge opens the transaction (one SOAP call, one webhook, one command) by
`write` or `read`; everything below it takes the `db` and never commits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from queue_store import meters

T = TypeVar("T")

#: SQLSTATEs after which PostgreSQL itself advises to run the transaction again.
_PG_AGAIN = {"40001", "40P01"}
#: Between two pieces of many, in seconds.
_LONGEST_REST = 1.0


class Database:
    """One engine and the ways into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _open_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite lets writers wait by sleeping and trying again; taking turns here costs far less.
        self._turn = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write; commits at the end, rolls back on any error."""
        if not self.is_sqlite:
            with Session(self.engine, expire_on_commit=False) as db:
                with db.begin():
                    yield db
                meters.committed(db)
            return
        with self._turn, self.engine.connect() as connection:
            immediate = connection.execution_options(qbwoo_immediate=True)
            with Session(immediate, expire_on_commit=False) as db:
                with db.begin():
                    yield db
                meters.committed(db)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads: nothing that is changed in it is kept."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as db:
            yield db

    def write_again(self, work: Callable[[Session], T], *, tries: int = 3) -> T:
        """Run `work` in a transaction; once more when the database says that this helps.

        That is: a deadlock or serialisation failure, and an id made twice in the
        same millisecond by two processes, or two callers creating one record at
        once, who then find it there. `work` must therefore bear to be run again.
        """
        for left in range(tries - 1, -1, -1):
            try:
                with self.write() as db:
                    return work(db)
            except IntegrityError:
                if not left:
                    raise
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", None) not in _PG_AGAIN:
                    raise
        raise AssertionError("unreachable")

    def write_in_turn(self, work: Callable[[Session], T]) -> T:
        """`write_again` for one piece of many: afterwards others get as much time, a second at most.

        Who waits for SQLite's writer sleeps, and would come too late for ever.
        """
        began = time.monotonic()
        done = self.write_again(work)
        time.sleep(min(time.monotonic() - began, _LONGEST_REST))
        return done

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _open_engine(url: str) -> Engine:
    # An error of the database names its statement, and not whose data were in it.
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=True, hide_parameters=True)
    # The connection given back last comes next: its pages are still in its cache, while what another
    # connection has written since would have to be read anew.
    engine = create_engine(
        url,
        connect_args={"timeout": 30, "check_same_thread": False},
        pool_use_lifo=True,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # SQLAlchemy's own "begin" below decides when a transaction starts, not the driver.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA cache_size=-16000")
        # What is erased or pruned is overwritten, not only let go. Many builds of SQLite do so by themselves.
        cursor.execute("PRAGMA secure_delete=ON")
        # A checkpoint flushes the whole file: rather seldom, and larger, than in the middle of a busy session.
        cursor.execute("PRAGMA wal_autocheckpoint=4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads and then writes fails at once with
        # SQLITE_BUSY_SNAPSHOT whatever the busy time-out, so writers begin as writers.
        immediate = connection.get_execution_options().get("qbwoo_immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def is_unreachable(error: BaseException) -> bool:
    """True if the database could not be reached or is locked: worth trying later, nobody's mistake."""
    return isinstance(error, OperationalError)


def is_damaged(error: BaseException) -> bool:
    """True if SQLite says that the file is no database, or a broken one."""
    # Of this very class and none of those below it.
    return type(error) is DatabaseError
