"""Where a text still stands in a database: in every column of every table, packed ones unpacked, and in its file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import make_url

from queue_store.database import Database
from queue_store.models import Base


def places_of(database: Database, texts: Iterable[str]) -> set[str]:
    """ "table.column: text" of each place, and "file: text" for SQLite's files, byte by byte."""
    wanted = [text.casefold() for text in texts]
    found = set()
    with database.read() as db:
        for table in Base.metadata.sorted_tables:
            for row in db.execute(select(table)).mappings():
                for name, value in row.items():
                    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    found |= {f"{table.name}.{name}: {one}" for one in wanted if one in shown.casefold()}
    path = make_url(database.url).database if database.is_sqlite else None
    for file in (Path(f"{path}{end}") for end in ("", "-wal", "-shm", "-journal")) if path else ():
        if file.exists():
            content = file.read_bytes().lower()
            found |= {f"file{file.suffix}: {one}" for one in wanted if one.encode() in content}
    return found
