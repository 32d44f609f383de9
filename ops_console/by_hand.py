"""Pushes and pulls of many records by hand: piece by piece, each committed with the place where the next begins.

A run that is broken off goes on there when the same is asked for again. A dry
run does the very same and takes it back, so that it shows what would be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops_console import documents
from qbwc_service import previewing
from qbwc_service.run import Run
from queue_store import hand_runs
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity, Company, Store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which records a person named; nothing named: all of them."""

    ids: tuple[int, ...] = ()
    skus: tuple[str, ...] = ()
    since: datetime | None = None

    def __str__(self) -> str:
        since = self.since.isoformat() if self.since else ""
        return f"ids={','.join(map(str, self.ids))} skus={','.join(self.skus)} since={since}"

    @property
    def is_named(self) -> bool:
        return bool(self.ids or self.skus)


@dataclass(slots=True)
class Line:
    """What became of one record, or in a dry run: would become."""

    name: str
    #: A word or two, such as "sent", "unchanged", "not sent".
    outcome: str
    #: What is sent, in words: "quantity 8, was 10".
    what: str = ""
    sentence: str = ""
    activity_id: int | None = None
    #: In a dry run: the exact document.
    document: dict[str, Any] | None = None


#: Outcomes.
SENT, UNCHANGED, NOT_SENT, ON_ITS_WAY = "sent", "unchanged", "not sent", "on its way"
#: No item of QuickBooks: of a whole shop that is no failure.
UNMATCHED = "not matched"
WRITTEN, ASKED, WOULD_GO = "written", "asked for", "would go"


class _RollBack(Exception):
    """Undoes what a dry run did to learn what would happen."""


@dataclass(slots=True)
class HandRun:
    """One push or pull over the records of one store."""

    database: Database
    store_name: str
    #: "push customers" ...
    name: str
    selection: Selection
    dry_run: bool
    who: str
    #: How many documents a dry run makes; the rest it only counts.
    documents: int = 0
    place: str = ""
    done: int = 0
    store_id: int = field(init=False)
    company_id: int = field(init=False)

    def __post_init__(self) -> None:
        with self.database.read() as db:
            store = get_store(db, self.store_name)
            self.store_id, self.company_id = store.id, store.company_id
            if not self.dry_run:
                before = hand_runs.begun(db, store.id, self.name, str(self.selection))
                if before is not None:
                    self.place, self.done = before.place, before.done

    @property
    def cause(self) -> str:
        return f"{self.name} by hand ({self.who})"

    def piece(
        self, work: Callable[[Session, Store, Company], Sequence[Line]], place: str, records: int
    ) -> list[Line]:
        """Do a piece in one transaction, with all up to `place` done then; `records` were looked at."""
        lines: list[Line] = []

        def step(db: Session) -> None:
            store = db.get_one(Store, self.store_id)
            company = db.get_one(Company, self.company_id)
            lines[:] = work(db, store, company)
            if self.dry_run:
                self._show(db, company, lines)
                raise _RollBack
            hand_runs.keep_place(
                db, self.store_id, self.name, str(self.selection), place, self.done + records
            )

        with suppress(_RollBack):
            self.database.write_again(step)
        self.place, self.done = place, self.done + records
        return lines

    def finish(self) -> None:
        """All is done: the next time begins anew."""
        if not self.dry_run:
            self.database.write_again(lambda db: hand_runs.end(db, self.store_id, self.name))

    def _show(self, db: Session, company: Company, lines: Sequence[Line]) -> None:
        for line in lines:
            if line.outcome == SENT:
                line.outcome = WOULD_GO
                if line.activity_id is not None and self.documents > 0:
                    self.documents -= 1
                    activity = db.get_one(Activity, line.activity_id)
                    run = Run(db, company, datetime.now(UTC))
                    payload = activity.newer_payload or activity.payload
                    line.document = documents.as_json(previewing.preview(run, activity, payload))
            line.activity_id = None
