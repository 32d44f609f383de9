"""The history of the database's schema, one for SQLite and PostgreSQL.

Everything here works on a connection that the caller opened, inside the
caller's transaction: `ops_console.schema` opens it and takes the lock.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Index, MetaData, TextClause

from queue_store.models import Base

FOLDER = Path(__file__).parent


def head_revision() -> str | None:
    """The newest revision that this version brings."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def known_revisions() -> frozenset[str]:
    """Every revision that this version brings."""
    scripts = ScriptDirectory.from_config(configuration())
    return frozenset(script.revision for script in scripts.walk_revisions())


def current_revision(connection: Connection) -> str | None:
    """The revision of the database; None: it has no tables of ours yet."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision. The caller commits."""
    command.upgrade(configuration(connection), "head")


def differences(connection: Connection) -> list[Any]:
    """Where the database's schema and the models differ, as Alembic's operations; empty: nowhere."""
    context = MigrationContext.configure(connection, opts=COMPARISON)
    return list(compare_metadata(context, comparable_metadata()))


#: How schema and models are compared, when checking and when writing a new revision.
COMPARISON: dict[str, Any] = {"compare_type": True, "compare_server_default": True}


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration: no ini file, so that an installed package needs none either."""
    config = Config()
    # "%" has a meaning in Alembic's options, and folders may hold one.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def comparable_metadata() -> MetaData:
    """The models' schema, with "column DESC" of an index as the column that it is.

    Alembic takes such a text for an expression, and leaves the index out on SQLite.
    """
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        copy = table.to_metadata(metadata)
        for index in [index for index in copy.indexes if _has_text(index)]:
            copy.indexes.remove(index)
            columns = []
            for expression in index.expressions:
                name, _, direction = str(getattr(expression, "name", expression)).partition(" ")
                columns.append(copy.c[name].desc() if direction == "DESC" else copy.c[name])
            Index(index.name, *columns, unique=index.unique)
    return metadata


def _has_text(index: Index) -> bool:
    return any(isinstance(expression, TextClause) for expression in index.expressions)
