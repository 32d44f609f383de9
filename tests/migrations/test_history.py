"""The history of the schema ends where the models stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command as alembic_command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import migrations
from ops_console import schema
from queue_store.database import Database
from queue_store.errors import SchemaOutdated


def test_migrating_from_empty_equals_the_models(database: Database) -> None:
    assert schema.differences(database) == []


def test_a_missing_column_and_a_missing_index_are_seen(database: Database) -> None:
    with database.write() as db:
        db.execute(text("ALTER TABLE stores DROP COLUMN refused_webhooks"))
        db.execute(text("DROP INDEX ix_activities_claim"))
    kinds = {difference[0] for difference in schema.differences(database)}
    assert kinds == {"add_column", "add_index"}


def test_the_claim_index_runs_downwards_in_priority(database: Database) -> None:
    source = (
        "SELECT sql FROM sqlite_master WHERE name = 'ix_activities_claim'"
        if database.is_sqlite
        else "SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_activities_claim'"
    )
    with database.read() as db:
        assert "priority DESC, id)" in db.execute(text(source)).scalar_one()


def test_a_database_at_the_newest_revision_is_left_alone(database: Database) -> None:
    head = migrations.head_revision()
    assert schema.upgrade(database) == (head, head)
    schema.ensure_current(database)


def test_revisions_are_known_by_the_names_of_their_files() -> None:
    scripts = ScriptDirectory.from_config(migrations.configuration())
    assert migrations.known_revisions() == {script.revision for script in scripts.walk_revisions()}
    assert migrations.head_revision() == scripts.get_current_head()


def test_a_service_on_a_current_database_does_without_alembic(sqlite_database: Database) -> None:
    start = (
        "import sys; from ops_console import schema, service; from queue_store.database import Database;"
        "database = Database(sys.argv[1]); schema.upgrade(database); schema.ensure_current(database);"
        "print(sorted({'alembic', 'mako'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", start, sqlite_database.url]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    with database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    schema.upgrade(database)
    with pytest.raises(SchemaOutdated, match="9999"):
        schema.ensure_current(database)


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    upgrade = (
        "import sys; from ops_console import schema; from queue_store.database import Database;"
        "print(schema.upgrade(Database(sys.argv[1]))[0])"
    )
    command = [sys.executable, "-c", upgrade, f"sqlite:///{tmp_path / 'qbwoo.db'}"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    found = sorted(process.communicate()[0].strip() for process in started)
    head = migrations.head_revision()
    assert found == [head, head, "None"]


def test_every_revision_can_be_taken_back_to_empty(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection, connection.begin():
        alembic_command.downgrade(migrations.configuration(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
