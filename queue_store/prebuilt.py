"""Statements that are spelt once: building and spelling one costs more than running it.

SQLAlchemy works out parameters, result columns and types anew at each
execution, at four times the cost of SQLite's own work. A busy session runs the
same twenty statements for each message set, so here that is done once.
"""

from __future__ import annotations

import re
import weakref
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.compiler import SQLCompiler

from queue_store.models import Activity, Attempt

_Convert = Callable[[Any], Any]

#: How SQLAlchemy spells a list whose length it does not know yet.
_LIST = re.compile(r"__\[POSTCOMPILE_(\w+)\]")
#: Where a session keeps its transaction and the connection of it.
_KNOWN = "queue_store.prebuilt"


class Prebuilt:
    """One statement, spelt once for each kind of driver.

    Its lists are `bindparam(..., expanding=True)`. Each way of running it first writes what the ORM has
    still to write of activities, and of nothing else, so that the ORM writes a call's other rows once.
    """

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._spelt: dict[str, _Spelt] = {}

    def rows(self, db: Session, values: Mapping[str, Any]) -> list[Any]:
        """What a SELECT finds, as named tuples."""
        connection = _connection(db)
        spelt = self._for(connection.dialect)
        sql, parameters = spelt.one(values)
        with _cursor(connection, sql) as cursor:
            cursor.execute(sql, parameters)
            return spelt.rows(cursor.fetchall())

    def run(self, db: Session, values: Mapping[str, Any]) -> int:
        """Write once; gives how many rows it met."""
        connection = _connection(db)
        sql, parameters = self._for(connection.dialect).one(values)
        with _cursor(connection, sql) as cursor:
            cursor.execute(sql, parameters)
            return int(cursor.rowcount)

    def run_many(self, db: Session, same: Mapping[str, Any], each: Mapping[str, Sequence[Any]]) -> int:
        """Write once for each row; gives how many rows it met. There are no lists among the parameters.

        `same` are the values that all rows share, `each` has for every other parameter its values in the
        order of the rows, of which there is one at least.
        """
        connection = _connection(db)
        spelt = self._for(connection.dialect)
        with _cursor(connection, spelt.sql) as cursor:
            cursor.executemany(spelt.sql, spelt.many(same, each))
            return int(cursor.rowcount)

    def _for(self, dialect: Dialect) -> _Spelt:
        spelt = self._spelt.get(dialect.name)
        if spelt is None:
            spelt = self._spelt[dialect.name] = _spelt(self._statement, dialect)
        return spelt


def _connection(db: Session) -> Connection:
    """The connection of the transaction; asking the session for it takes longer than a short statement."""
    if (db.identity_map.check_modified() or db.new) and any(
        isinstance(changed, (Activity, Attempt)) for changed in (*db.dirty, *db.new)
    ):
        db.flush()
    transaction = db.get_transaction()
    known: tuple[weakref.ref[SessionTransaction], Connection] | None = db.info.get(_KNOWN)
    if transaction is not None and known is not None and known[0]() is transaction:
        return known[1]
    connection = db.connection()
    transaction = db.get_transaction()
    assert transaction is not None
    # Weak, since it knows the session: the two would wait for the collector together.
    db.info[_KNOWN] = weakref.ref(transaction), connection
    return connection


@contextmanager
def _cursor(connection: Connection, sql: str) -> Iterator[Any]:
    """The driver's own cursor; its errors are SQLAlchemy's, as everywhere."""
    driver: Any = connection.dialect.loaded_dbapi
    proxied = connection.connection
    cursor: Any = proxied.cursor()
    try:
        yield cursor
    except driver.Error as error:
        if connection.dialect.is_disconnect(error, proxied, cursor):
            connection.invalidate(error)
        # Without the parameters: they are a shop's own data.
        raise DBAPIError.instance(sql, None, error, driver.Error, dialect=connection.dialect) from error
    finally:
        cursor.close()


@dataclass(frozen=True, slots=True)
class _Spelt:
    """A statement as one kind of driver takes it."""

    sql: str
    #: Each parameter's name, what makes its value the driver's (None: nothing has to), and whether it is a list.
    parameters: tuple[tuple[str, _Convert | None, bool], ...]
    #: Values that stand in the statement itself.
    fixed: Mapping[str, Any]
    is_positional: bool
    #: What a row is made with; the places of columns whose values are converted.
    row: Callable[[Sequence[Any]], Any]
    converted: tuple[tuple[int, _Convert], ...]

    def one(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Statement and parameters for one set of values, lists written out."""
        named: dict[str, Any] = {}
        lists: dict[str, str] = {}
        for name, convert, is_list in self.parameters:
            value = values[name] if name in values else self.fixed[name]
            if not is_list:
                named[name] = value if convert is None else convert(value)
                continue
            items = list(value) if convert is None else [convert(item) for item in value]
            names = [f"{name}_{place}" for place in range(len(items))]
            named.update(zip(names, items, strict=True))
            # What is in an empty list is nothing; NULL equals nothing either.
            lists[name] = ", ".join(["?"] * len(items) if self.is_positional else map("%({})s".format, names))
        sql = _LIST.sub(lambda found: lists[found[1]] or "NULL", self.sql) if lists else self.sql
        return sql, tuple(named.values()) if self.is_positional else named

    def many(self, same: Mapping[str, Any], each: Mapping[str, Sequence[Any]]) -> list[Any]:
        """Parameters for each row."""
        count = len(next(iter(each.values())))
        columns: list[Sequence[Any]] = []
        for name, convert, _ in self.parameters:
            if name in each:
                values = each[name]
                columns.append(values if convert is None else [convert(value) for value in values])
            else:
                value = same[name]
                columns.append([value if convert is None else convert(value)] * count)
        rows = list(zip(*columns, strict=True))
        if self.is_positional:
            return rows
        names = [name for name, _, _ in self.parameters]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def rows(self, fetched: list[tuple[Any, ...]]) -> list[Any]:
        """What was fetched, with every value of the type that its column has."""
        if self.converted and fetched:
            columns: list[Sequence[Any]] = list(zip(*fetched, strict=True))
            for place, convert in self.converted:
                columns[place] = [convert(value) for value in columns[place]]
            fetched = list(zip(*columns, strict=True))
        return [self.row(values) for values in fetched]


def _spelt(statement: Any, dialect: Dialect) -> _Spelt:
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    names = compiled.positiontup if compiled.positional else list(compiled.params)
    assert names is not None
    # A parameter that stands in two places would be counted once.
    assert len(set(names)) == len(names)
    types = {name: compiled.binds[name].type.dialect_impl(dialect) for name in names}
    columns = compiled._result_columns
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Spelt(
        sql=str(compiled),
        parameters=tuple(
            (name, types[name].bind_processor(dialect), compiled.binds[name].expanding) for name in names
        ),
        fixed={name: compiled.binds[name].value for name in names if not compiled.binds[name].required},
        is_positional=compiled.positional,
        row=_row_of([column.keyname for column in columns]),
        converted=tuple((place, reader) for place, reader in enumerate(readers) if reader is not None),
    )


def _row_of(names: list[str]) -> Callable[[Sequence[Any]], Any]:
    made: Any = namedtuple("Row", names)  # type: ignore[misc]
    make: Callable[[Sequence[Any]], Any] = made._make
    return make
