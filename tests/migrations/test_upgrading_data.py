"""Data that a released version made comes up to the newest revision whole, and work goes on with it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

import migrations
from ops_console import schema
from queue_store.database import Database
from queue_store.errors import SchemaOutdated, UpgradeFailed
from tests.harness import House, numbered, recorded_order
from tests.migrations.dump import DUMPS, Dump, read_dump, read_rows, write_rows

#: Every revision that was ever released, and the newest: one dump each in tests/data/migrations.
REVISIONS = sorted(migrations.known_revisions())

#: Adds a column, with something in it made from what is there, as later revisions will.
SECOND = '''
"""A later revision."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{before}", None, None


def upgrade() -> None:
    with op.batch_alter_table("activities") as batch:
        batch.add_column(sa.Column("shouted", sa.String(120), nullable=True))
    op.execute("UPDATE activities SET shouted = upper(reference)")
    {then}


def downgrade() -> None:
    with op.batch_alter_table("activities") as batch:
        batch.drop_column("shouted")
'''


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        database = request.getfixturevalue("postgres_database")
        with database.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    yield database
    database.close()


def made_by(database: Database, revision: str) -> Dump:
    """The database as a version of this revision left it; gives what it holds."""
    dump = read_dump(revision)
    with database.engine.connect() as connection, connection.begin():
        command.upgrade(migrations.configuration(connection), revision)
        write_rows(connection, dump)
    return dump


def rows(database: Database) -> Dump:
    with database.engine.connect() as connection:
        return read_rows(connection)


def add_revision(folder: Path, monkeypatch: pytest.MonkeyPatch, *, then: str = "") -> str:
    """A revision after the newest, in a copy of the history."""
    head = migrations.head_revision()
    assert head is not None
    history = folder / "history"
    shutil.copytree(migrations.FOLDER, history, dirs_exist_ok=True)
    revision = f"{int(head) + 1:04d}"
    (history / "versions" / f"{revision}_later.py").write_text(
        SECOND.format(revision=revision, before=head, then=then)
    )
    monkeypatch.setattr(migrations, "FOLDER", history)
    return revision


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_revision_has_a_dump_that_fits_its_tables(revision: str) -> None:
    again = "Run: python -m tests.migrations.dump (while the revision is not released)"
    assert (DUMPS / f"{revision}.json").exists(), again
    with closing(sqlite3.connect(":memory:")):
        dump = read_dump(revision)
    assert {"activities", "exchanges", "attempts", "mappings", "kept_bodies", "operator_tasks"} <= {
        name for name, found in dump.items() if found
    }, again


@pytest.mark.parametrize("revision", REVISIONS)
def test_data_of_a_released_revision_comes_up_whole_and_work_goes_on(empty: Database, revision: str) -> None:
    before = made_by(empty, revision)
    schema.upgrade(empty)
    schema.ensure_current(empty)
    assert schema.problems(empty) == []
    after = rows(empty)
    for table, found in before.items():
        assert [
            {name: row[name] for name in old} for old, row in zip(found, after[table], strict=True)
        ] == found
    # Its orders are known: what is read again is nothing new, and what was to come goes once.
    from ops_sandbox.pos import PosCompanyFile

    house = House(empty, PosCompanyFile.create(None))
    states = house.states()
    for number in (901, 902):
        house.take(numbered(recorded_order("plain"), number))
    house.take(recorded_order("rpart"))
    assert house.states() == states == ["succeeded", "sent", "pending", "waiting"]
    house.run_until_quiet()
    assert house.states() == ["succeeded", "succeeded", "succeeded", "waiting"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_data_goes_through_every_later_revision(
    empty: Database, revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made_by(empty, revision)
    later = add_revision(tmp_path, monkeypatch)
    assert schema.upgrade(empty) == (revision, later)
    after = rows(empty)
    assert [row.pop("shouted") for row in after["activities"]] == [
        row["reference"].upper() for row in before["activities"]
    ]
    assert {name: after[name] for name in before} == before


def test_an_upgrade_that_breaks_in_the_middle_leaves_all_as_it_was(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = migrations.head_revision()
    before = made_by(empty, str(head))
    with monkeypatch.context() as patch:
        add_revision(tmp_path, patch, then='op.execute("UPDATE nowhere SET a = 1")')
        with pytest.raises(UpgradeFailed, match=r"does not look so .*nowhere.* Nothing was changed"):
            schema.upgrade(empty)
    assert schema.revision(empty) == head
    assert rows(empty) == before


def test_tables_that_a_revision_does_not_have_are_told_in_a_sentence(empty: Database) -> None:
    with empty.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("CREATE TABLE companies (id INTEGER)")
    with pytest.raises(
        UpgradeFailed, match=r"at revision none, but does not look so \(.*already exists.*by halves"
    ):
        schema.upgrade(empty)


def test_a_database_held_by_another_process_is_told_in_a_sentence(database: Database) -> None:
    other = Database(database.url)
    with other.engine.connect() as connection, connection.execution_options(qbwoo_immediate=True).begin():
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema.UPGRADE_LOCK})
        with pytest.raises(UpgradeFailed, match="held by another process"):
            schema.upgrade(database, patience=0.05)
    other.close()
    head = migrations.head_revision()
    assert schema.upgrade(database) == (head, head)


def test_a_database_of_a_newer_version_is_told_so(database: Database) -> None:
    with database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    schema.upgrade(database)
    with pytest.raises(
        SchemaOutdated, match=r"9999, which this version does not know: a newer qbwoo was here"
    ):
        schema.ensure_current(database)
