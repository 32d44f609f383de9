"""How far a push or pull of many records has come, so that one that was broken off goes on."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from queue_store.models import HandRun
from queue_store.upsert import upsert


def begun(db: Session, store_id: int, name: str, selection: str) -> HandRun | None:
    """The run of just this selection that did not come to its end; None: there is none."""
    found = db.get(HandRun, (store_id, name))
    return found if found is not None and found.selection == selection else None


def keep_place(db: Session, store_id: int, name: str, selection: str, place: str, done: int) -> None:
    """All up to `place` is done; to be called in the transaction that did it."""
    row = {
        "store_id": store_id,
        "name": name,
        "selection": selection,
        "place": place,
        "done": done,
        "updated_at": datetime.now(UTC),
    }
    upsert(db, HandRun, [row], ("store_id", "name"))


def end(db: Session, store_id: int, name: str) -> None:
    """The run came to its end."""
    db.execute(delete(HandRun).where(HandRun.store_id == store_id, HandRun.name == name))
