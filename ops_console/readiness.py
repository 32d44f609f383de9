"""Whether this process can do its work now: what /readyz says.

Strangers may ask: the answer names no path, no address and no secret. What is
wrong in detail is for the log, and for `qbwoo check`.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

import migrations
from ops_console.settings import ProcessSettings
from ops_console.working import WorkLoop
from queue_store.errors import SchemaOutdated, WrongSecretKey
from queue_store.models import Store
from queue_store.secrets import SecretBox

logger = logging.getLogger(__name__)

#: How long the database may take over it, in seconds; a balancer that asks waits about as long.
_SECONDS = 3
#: As much as a message set with its answer takes; a disk with less room is full.
_PROBE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Point:
    """One thing looked at; `problem` is a sentence, "" where it is well."""

    name: str
    problem: str = ""


class Readiness:
    """Looks at everything anew each time."""

    def __init__(self, settings: ProcessSettings, box: SecretBox, loop: WorkLoop | None = None) -> None:
        """`loop`: the worker of this process; None: another process has it."""
        self._settings, self._box, self._loop = settings, box, loop

    def look(self) -> list[Point]:
        """Database, schema, disk, secret key and worker, in this order."""
        return [*self._database(), Point("disk", self._disk()), Point("worker", self._worker())]

    def _database(self) -> Iterator[Point]:
        settings = self._settings
        connect: dict[str, object] = {"timeout": _SECONDS}
        if not settings.is_sqlite:
            connect = {"connect_timeout": _SECONDS, "options": f"-c statement_timeout={_SECONDS}s"}
        if settings.database_file is not None and not settings.database_file.exists():
            # SQLite would make an empty one.
            yield Point("database", "The database file is not there.")
            return
        # A connection of its own: those at hand may all be busy, and keep a file open that is gone.
        engine = create_engine(settings.database_url, poolclass=NullPool, connect_args=connect)
        try:
            with engine.connect() as connection:
                revision, wanted = migrations.current_revision(connection), migrations.head_revision()
                yield Point("database")
                yield Point("schema", "" if revision == wanted else str(SchemaOutdated(revision, wanted)))
                if revision == wanted:
                    sealed = connection.execute(select(Store.webhook_secret).limit(1)).scalar()
                    yield Point("secret key", self._key(sealed))
                if (
                    not settings.is_sqlite
                    and connection.execute(text("SHOW transaction_read_only")).scalar() != "off"
                ):
                    yield Point(
                        "writing", "The database takes no writing: it is a copy, or set to read only."
                    )
        except DatabaseError as error:
            logger.warning("not ready: %s", error.orig)
            yield Point("database", "The database does not answer.")
        finally:
            engine.dispose()

    def _key(self, sealed: bytes | None) -> str:
        if sealed is not None:
            try:
                self._box.open(sealed)
            except WrongSecretKey as error:
                return str(error)
        return ""

    def _disk(self) -> str:
        path = self._settings.database_file
        if path is None:
            return ""
        return _writing(path.parent) or _database_writing(path)

    def _worker(self) -> str:
        if self._loop is None:
            return ""
        return "" if self._loop.is_alive else "The worker of this process stands still. Restart it."


def _writing(folder: Path) -> str:
    """Whether a file can be written there. SQLite needs it: its log of changes is a file beside the database."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".qbwoo-ready-") as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        logger.warning("not ready: %s cannot be written: %s", folder, error.strerror)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return "The disk of the database is full."
        return "The folder of the database cannot be written."
    return ""


def _database_writing(path: Path) -> str:
    """Whether the file takes a writer, or has one at work."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=1, isolation_level=None
        )
    except sqlite3.Error as error:
        return _not_writable(path, error)
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Of a file that only may be read this fails, and nothing of it is kept.
        connection.execute("CREATE TABLE qbwoo_ready (x)")
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        busy = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return "" if (error.sqlite_errorcode & 0xFF) in busy else _not_writable(path, error)
    finally:
        connection.close()
    return ""


def _not_writable(path: Path, error: sqlite3.Error) -> str:
    logger.warning("not ready: %s: %s", path, error)
    return "The database file cannot be written."


def told(points: list[Point]) -> tuple[bool, str]:
    """True if all is well, and the text that says so."""
    ready = not any(point.problem for point in points)
    lines = [f"{point.name}: {point.problem or 'ok'}" for point in points]
    return ready, "\n".join(["ready" if ready else "not ready", *lines, ""])
