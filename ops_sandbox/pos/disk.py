"""The SQLite file behind a company, as a list of records.

Nothing is looked up here. Writes are not flushed to the platter: a sandbox
survives the end of its process, not the end of the power.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_sandbox.pos.errors import NotACompanyFile

_SCHEMA = """
CREATE TABLE meta (body TEXT NOT NULL);
CREATE TABLE record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
INSERT INTO meta VALUES ('{}');
"""


class Disk:
    """One open SQLite file. Not for two threads at once; the company file sees to that."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._version = self._data_version()
        self._depth = 0

    @classmethod
    def create(cls, path: Path) -> Disk:
        """A new, empty file; one that stands there already is replaced."""
        for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            leftover.unlink(missing_ok=True)
        connection = _connect(path)
        connection.executescript(_SCHEMA)
        return cls(connection)

    @classmethod
    def open(cls, path: Path) -> Disk:
        """An existing file. Raises `NotACompanyFile`."""
        if not path.is_file():
            raise NotACompanyFile(path)
        connection = _connect(path)
        try:
            connection.execute("SELECT count(*) FROM record")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise NotACompanyFile(path) from error
        return cls(connection)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the file; what was put in is kept at the end. May be nested."""
        self._depth += 1
        try:
            if self._depth == 1:
                self.connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self.connection.in_transaction:
                self.connection.execute("COMMIT")

    def changed_elsewhere(self) -> bool:
        """Whether another process has written since the last call."""
        version = self._data_version()
        changed, self._version = version != self._version, version
        return changed

    def _data_version(self) -> int:
        return int(self.connection.execute("PRAGMA data_version").fetchone()[0])

    def put(self, kind: str, record_id: str, sequence: int, body: str) -> None:
        """Write one record."""
        self.connection.execute(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", (kind, record_id, sequence, body)
        )

    def remove(self, kind: str, record_id: str) -> None:
        """Take one record out."""
        self.connection.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, record_id))

    def put_meta(self, body: str) -> None:
        """Write name, stores, counters."""
        self.connection.execute("UPDATE meta SET body = ?", (body,))

    def meta(self) -> str:
        """What `put_meta` wrote."""
        return str(self.connection.execute("SELECT body FROM meta").fetchone()[0])

    def records(self) -> Iterator[tuple[str, str, int, str]]:
        """Every record, oldest first."""
        yield from self.connection.execute("SELECT kind, id, sequence, body FROM record ORDER BY sequence")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise NotACompanyFile(path) from error
    return connection
