"""A copy of the SQLite database, taken while others read and write it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ops_console.errors import NotDone

#: Pages copied before writers get their turn.
_PAGES = 4096


def back_up(source: Path, target: Path) -> int:
    """Copy `source` to `target`, replacing it only once the copy is whole; gives its size in bytes.

    The copy holds every transaction that was committed before the last page
    was copied, and is a plain file that needs nothing beside it. Raises NotDone.
    """
    if not target.parent.is_dir():
        raise NotDone(f"There is no folder {target.parent}. Make it, or name a file in another one.")
    if target.exists() and not target.is_file():
        raise NotDone(f"{target} is no plain file. Name another one.")
    partial = target.with_name(f"{target.name}.partial")
    try:
        if target.exists() and target.samefile(source):
            raise NotDone(f"{target} is the database itself. Name another file.")
        partial.unlink(missing_ok=True)
        # It holds what the database holds: for this user alone.
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with (
            closing(
                sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)
            ) as database,
            closing(sqlite3.connect(partial)) as copy,
        ):
            database.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")
            if (found := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise NotDone(f"The copy is not whole ({found}); {target} was not made.")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise NotDone(f"{target} could not be written: {error.strerror}.") from error
    except sqlite3.Error as error:
        raise NotDone(f"The database could not be copied to {target}: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size
