"""When QuickBooks' items were read, and having them read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from queue_store.models import PullMark

_ITEMS, _ALL = "items", "stock"


@dataclass(frozen=True, slots=True)
class Readings:
    """None: never."""

    #: Of items that changed.
    changes: datetime | None = None
    #: Of all items, one by one.
    everything: datetime | None = None

    @property
    def latest(self) -> datetime | None:
        """When either came to its end last."""
        return max(filter(None, (self.changes, self.everything)), default=None)


def readings_of(db: Session, company_id: int) -> Readings:
    """When QuickBooks' items were read to the end last."""
    found: dict[str, datetime | None] = {}
    for kind, at in db.execute(
        select(PullMark.kind, PullMark.finished_at).where(
            PullMark.company_id == company_id, PullMark.kind.in_((_ITEMS, _ALL))
        )
    ):
        found[kind] = at
    return Readings(found.get(_ITEMS), found.get(_ALL))


def want_reading(db: Session, company_id: int) -> datetime:
    """Items are due to be read in the next run of the Web Connector; gives the moment of asking."""
    db.execute(
        update(PullMark)
        .where(PullMark.company_id == company_id, PullMark.kind.in_((_ITEMS, _ALL)))
        .values(finished_at=None)
        .execution_options(synchronize_session=False)
    )
    return datetime.now(UTC)
