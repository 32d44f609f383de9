"""What Alembic runs: the migrations, on the connection that it was handed."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from migrations import COMPARISON, comparable_metadata
from queue_store.models import Amount, Packed, UtcDateTime


def render_plain(kind: str, column_type: Any, _context: AutogenContext) -> str | Literal[False]:
    """Our own types by what the database knows, so that old revisions need no class of today."""
    if kind == "type" and isinstance(column_type, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(column_type, Packed):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(column_type, Amount):
        length: int = Amount.impl.length  # type: ignore[assignment]
        return f"sa.String(length={length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=comparable_metadata(),
    render_item=render_plain,
    # SQLite cannot alter a column: the table is copied instead.
    render_as_batch=True,
    **COMPARISON,
)
# A transaction is open already; whoever opened it commits all revisions at once, or none.
context.run_migrations()
