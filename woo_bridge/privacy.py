"""What runs by itself for privacy: pruning what was kept long enough, and erasing what is over now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from queue_store.erasing import finish_erasures
from queue_store.models import Company, Store
from queue_store.retention import MESSAGES, find_piece, prune_piece, prune_small
from queue_store.settings import Settings, company_settings
from woo_bridge.job import Found, Job, Keep, Next, Piece, When, counted

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_PRUNE = "prune"


def older_than(db: Session, company_id: int, now: datetime) -> Callable[[str], datetime | None]:
    """For a setting of days: the moment before which things go; None: they are kept for ever."""
    settings = company_settings(db, db.get_one(Company, company_id))

    def moment(key: str) -> datetime | None:
        days: int = settings[key]
        return now - timedelta(days=days) if days else None

    return moment


def _when(db: Session, store: Store, settings: Settings) -> When:
    return When(hour=company_settings(db, db.get_one(Company, store.company_id))["privacy.hour"])


def _step(piece: Piece) -> Keep:
    place = dict(piece.place)
    left, found = 0, None
    if place and place["what"] == _PRUNE:
        with piece.read() as (db, store, _):
            number, after = place["at"]
            before = older_than(db, store.company_id, piece.began_at)
            found = find_piece(db, store.company_id, (number, after), before)
    elif place and _is_first(piece):
        # In transactions of its own, of which each is as short as a piece.
        _, left = finish_erasures(piece.database, piece.now)

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        if not _is_first_of(db, store):
            return Next(None, remark="It is done with the company's first store.")
        before = older_than(db, store.company_id, piece.began_at)
        if not place:
            oldest = before(MESSAGES)
            if oldest is not None:
                prune_small(db, store.company_id, oldest)
            return Next({"what": _PRUNE, "at": [0, 0]})
        if place["what"] != _PRUNE:
            return Next(None, {"left": left})
        assert found is not None
        pruned = prune_piece(db, store.company_id, found, before)
        then = {"what": "erase"} if found.after is None else {"what": _PRUNE, "at": list(found.after)}
        return Next(then, {found.kind: pruned})

    return keep


def _is_first(piece: Piece) -> bool:
    with piece.read() as (db, store, _):
        return _is_first_of(db, store)


def _is_first_of(db: Session, store: Store) -> bool:
    """What is pruned is the company's: one of its stores sees to it, the oldest."""
    return (
        store.id
        == db.scalars(
            select(Store.id).where(Store.company_id == store.company_id).order_by(Store.id).limit(1)
        ).first()
    )


def _tell(found: Found) -> str:
    told = [f"{number} {kind}" for kind, number in found.items() if number and kind != "left"]
    sentence = f"Pruned: {', '.join(told)}." if told else "Nothing was old enough to be pruned."
    if left := found.get("left"):
        sentence += f" {counted(left, 'activity', 'activities')} of erased persons not over yet."
    return sentence


PRIVACY = Job(
    name="privacy",
    title="What was kept long enough, and what is left of erased persons",
    when=_when,
    step=_step,
    tell=_tell,
    needs_shop=False,
)
