"""Another key for the secrets at rest, with no moment at which they cannot be read.

The new key stands beside the old one until everything is written with it. So a
run that is cut off anywhere leaves secrets that both keys, or the keys that are
kept, still open; run again, it comes to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from ops_console import wiring
from ops_console.errors import NotDone
from ops_console.private_files import write_private
from ops_console.settings import ProcessSettings
from queue_store.companies import reseal_stores
from queue_store.database import Database
from queue_store.secrets import SecretBox, split_keys

#: Any number that no other program takes a lock by in the same database.
_ADVISORY_LOCK = 0x7162776B6579


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation came to."""

    #: Stores whose secrets were written anew.
    stores: int
    #: Where the key is kept; None: it is set from outside.
    file: Path | None


def rotate(settings: ProcessSettings, database: Database) -> Rotated:
    """Write all secrets with another key: a fresh one in the data folder, or the first of those that are set.

    Raises NotDone, WrongSecretKey, SettingsProblem; then all is as it was.
    """
    if settings.secret_key is not None:
        if len(split_keys(settings.secret_key)) == 1:
            raise NotDone(
                "QBWOO_SECRET_KEY is set from outside, and holds one key. Make another (qbwoo db rotate-key "
                "--new-key), set both, NEW,OLD, restart every process, and run this again. Nothing was done."
            )
        with database.write() as db:
            return Rotated(reseal_stores(db, SecretBox(settings.secret_key)), None)
    path = wiring.key_path(settings)
    wiring.open_box(settings)
    with database.write() as db:
        _take_turn(db)
        both = [SecretBox.new_key(), *split_keys(path.read_text(encoding="ascii"))]
        stores = reseal_stores(db, SecretBox("\n".join(both)))
        # Before the commit: what is cut off here has one key more than it needs.
        _keep(path, both)
    with database.write() as db:
        _take_turn(db)
        # Unless somebody else has begun to rotate since: then it is theirs to end.
        if split_keys(path.read_text(encoding="ascii")) == both:
            _keep(path, both[:1])
    return Rotated(stores, path)


def _keep(path: Path, keys: list[str]) -> None:
    write_private(path, "\n".join(keys) + "\n")


def _take_turn(db: Session) -> None:
    """One rotation at a time: on SQLite each writer has the database for itself anyway."""
    if db.get_bind().dialect.name != "sqlite":
        db.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
