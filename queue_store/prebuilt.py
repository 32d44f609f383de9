"""Statements that are built once: building one costs more than running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from queue_store.models import Activity, Attempt


def run_prebuilt(db: Session, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run a statement below the ORM, after what the ORM has still to write of activities.

    Of nothing else, so that the ORM writes a call's session and exchange once, at its end.
    """
    if any(isinstance(changed, (Activity, Attempt)) for changed in (*db.dirty, *db.new)):
        db.flush()
    return db.connection().execute(statement, values)


class ManyRows:
    """An insert or update of many rows, each with a value for every parameter.

    SQLAlchemy works out each row's parameters anew, at four times the cost of
    SQLite's own work. Here that is done once, and the driver gets the values.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._spelt: dict[str, _Spelt] = {}

    def run(self, db: Session, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many rows it met, of one at least."""
        dialect = db.get_bind().dialect
        spelt = self._spelt.get(dialect.name)
        if spelt is None:
            spelt = self._spelt[dialect.name] = _spelt(self._statement, dialect)
        return db.connection().exec_driver_sql(spelt.sql, spelt.values(rows)).rowcount


@dataclass(frozen=True, slots=True)
class _Spelt:
    """A statement as one kind of driver takes it."""

    sql: str
    #: Each parameter's name and what makes its value the driver's; None: nothing has to.
    parameters: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    is_positional: bool

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        if self.is_positional:
            return [tuple([p(row[name]) if p else row[name] for name, p in self.parameters]) for row in rows]
        return [{name: p(row[name]) if p else row[name] for name, p in self.parameters} for row in rows]


def _spelt(statement: Any, dialect: Dialect) -> _Spelt:
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    names = compiled.positiontup if compiled.positional else list(compiled.binds)
    assert names is not None
    return _Spelt(
        str(compiled),
        tuple(
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names
        ),
        compiled.positional,
    )
