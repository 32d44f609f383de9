"""`qbwoo db`: the database as a whole."""

from __future__ import annotations

from pathlib import Path

import click

from ops_console import backup as copying
from ops_console import schema, wiring
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import ask, json_option, print_record, yes_option
from ops_console.cli.paths import FilePath
from ops_console.errors import NotDone


@click.group()
def db() -> None:
    """The database: upgrade, check, back up."""


@db.command()
@json_option
@with_desk
def upgrade(desk: Desk, as_json: bool) -> None:
    """Bring the database to the newest revision. `qbwoo serve` does this by itself.

    \b
    For example:
      qbwoo db upgrade
    """
    settings = desk.settings
    database = wiring.open_database(settings)
    try:
        before, after = schema.upgrade(database)
        schema.ensure_current(database)
    finally:
        database.close()
    print_record(
        {"database": settings.shown_database_url, "before": before or "empty", "now": after}, as_json=as_json
    )


@db.command()
@json_option
@with_desk
def check(desk: Desk, as_json: bool) -> None:
    """Check that the database is whole, and at the revision that this version needs.

    \b
    For example:
      qbwoo db check
    """
    settings = desk.settings
    path = settings.database_file
    if path is not None and not path.exists():
        raise NotDone(f"There is no database at {path}. Run: qbwoo db upgrade")
    database = wiring.open_database(settings)
    try:
        schema.ensure_current(database)
        problems = schema.problems(database)
    finally:
        database.close()
    print_record(
        {"database": settings.shown_database_url, "problems": problems or ("[]" if as_json else "none")}
        if not as_json
        else {"database": settings.shown_database_url, "problems": problems},
        as_json=as_json,
    )
    if problems:
        raise NotDone(
            "The database is not as it must be. Restore a backup, or ask for help with the lines above."
        )


@db.command()
@click.argument("file", type=FilePath())
@json_option
@yes_option
@with_desk
def backup(desk: Desk, file: Path, as_json: bool, yes: bool) -> None:
    """Copy the database to FILE while everything goes on. SQLite only; for PostgreSQL use pg_dump.

    \b
    For example:
      qbwoo db backup /var/backups/qbwoo-monday.db
    """
    settings = desk.settings
    source = settings.database_file
    if source is None:
        raise NotDone(
            "The database is PostgreSQL, which has its own tool for this: "
            "pg_dump --format=custom --file=qbwoo.dump NAME. Nothing was done."
        )
    if not source.exists():
        raise NotDone(f"There is no database at {source}. Nothing was done.")
    if file.exists():
        ask(f"{file} exists. Replace it?", yes=yes)
    size = copying.back_up(source, file)
    print_record({"file": str(file.absolute()), "bytes": size}, as_json=as_json)
