"""`qbwoo db`: the database as a whole."""

from __future__ import annotations

from pathlib import Path

import click

from ops_console import backup as copying
from ops_console import key_rotation, schema, wiring
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import ask, json_option, print_record, remark, yes_option
from ops_console.cli.paths import FilePath
from ops_console.errors import NotDone
from queue_store.secrets import SecretBox


@click.group()
def db() -> None:
    """The database: upgrade, check, back up, another key for its secrets."""


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


@db.command("rotate-key")
@click.option("--new-key", is_flag=True, help="Print a fresh key, for QBWOO_SECRET_KEY, and do nothing else.")
@yes_option
@json_option
@with_desk
def rotate_key(desk: Desk, new_key: bool, yes: bool, as_json: bool) -> None:
    """Write all stored secrets with another key, while everything goes on.

    A key in the data folder is made anew. One that is set by QBWOO_SECRET_KEY is
    yours to change: set NEW,OLD and restart, run this, then set NEW alone.

    \b
    For example:
      qbwoo db rotate-key
    """
    if new_key:
        click.echo(SecretBox.new_key())
        return
    ask("Write all stored secrets with another key?", yes=yes)
    done = key_rotation.rotate(desk.settings, desk.database)
    print_record({"stores": done.stores, "key": str(done.file or "QBWOO_SECRET_KEY")}, as_json=as_json)
    remark(
        "Keep a copy of the new key with your backups. Backups made before need the old one."
        if done.file
        else "Now set QBWOO_SECRET_KEY to the new key alone, and restart. Backups made before need the old one."
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
