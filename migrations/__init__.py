"""The history of the database's schema, one for SQLite and PostgreSQL.

Everything here works on a connection that the caller opened, inside the
caller's transaction: `ops_console.schema` opens it and takes the lock.
Alembic is loaded where something is to be migrated or compared only: a service
that finds its database as it should be keeps 11 MB less.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Index, MetaData, TextClause, inspect, text

from queue_store.models import Base

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent


def head_revision() -> str | None:
    """The newest revision that this version brings."""
    return max(known_revisions(), default=None)


def known_revisions() -> frozenset[str]:
    """Every revision that this version brings: they follow each other, and their files begin with their numbers."""
    return frozenset(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def current_revision(connection: Connection) -> str | None:
    """The revision of the database; None: it has no tables of ours yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection) -> None:
    """Bring the database to the newest revision. The caller commits."""
    from alembic import command

    command.upgrade(configuration(connection), "head")


def differences(connection: Connection) -> list[Any]:
    """Where the database's schema and the models differ, as Alembic's operations; empty: nowhere."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts=COMPARISON)
    return list(compare_metadata(context, comparable_metadata()))


#: How schema and models are compared, when checking and when writing a new revision.
COMPARISON: dict[str, Any] = {"compare_type": True, "compare_server_default": True}


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration: no ini file, so that an installed package needs none either."""
    from alembic.config import Config

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
