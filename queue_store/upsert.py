"""Insert or update many rows in one statement, on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from queue_store.models import Base, table_of


def upsert(
    db: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    replace: bool = True,
    newer_by: str | None = None,
) -> None:
    """Write `rows` (all with the same columns); where `keys` exist already, the other columns change.

    Without `replace` what exists already stays as it is. With `newer_by` it stays
    where that column of it is greater than the new row's.
    """
    if not rows:
        return
    insert = (sqlite if db.get_bind().dialect.name == "sqlite" else postgresql).insert
    # A statement must not name one row twice: the last one counts.
    unique = {tuple(row[key] for key in keys): row for row in rows}
    statement = insert(table_of(model))
    changes = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    is_newer = None if newer_by is None else statement.excluded[newer_by] >= table_of(model).c[newer_by]
    statement = (
        statement.on_conflict_do_update(index_elements=list(keys), set_=changes, where=is_newer)
        if changes and replace
        else statement.on_conflict_do_nothing(index_elements=list(keys))
    )
    db.execute(statement, list(unique.values()))
