"""Statements that are built once: building one costs more than running it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.orm import Session

from queue_store.models import Activity, Attempt


def run_prebuilt(db: Session, statement: Executable, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run a statement below the ORM, after what the ORM has still to write of activities.

    Of nothing else, so that the ORM writes a call's session and exchange once, at its end.
    """
    if any(isinstance(changed, (Activity, Attempt)) for changed in (*db.dirty, *db.new)):
        db.flush()
    return db.connection().execute(statement, values)
