"""Pruning by hand: every company, piece by piece, each piece one short transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from queue_store.companies import list_companies
from queue_store.database import Database
from queue_store.retention import MESSAGES, find_piece, prune_piece, prune_small
from woo_bridge.privacy import older_than

#: In seconds.
_LONGEST_REST = 1.0


def prune_all(database: Database, now: datetime, *, only_count: bool) -> Iterator[tuple[str, str, int]]:
    """Company, kind and number of each piece; with `only_count` nothing is pruned."""
    with database.read() as db:
        companies = [(one.id, one.name) for one in list_companies(db)]
    for company_id, name in companies:
        with database.read() as db:
            before = older_than(db, company_id, now)
        oldest = before(MESSAGES)
        if oldest is not None and not only_count:
            database.write_again(lambda db, number=company_id, at=oldest: prune_small(db, number, at))  # type: ignore[misc]
        place: tuple[int, int] | None = (0, 0)
        while place is not None:
            with database.read() as db:
                piece = find_piece(db, company_id, place, before)
            count = len(piece.ids)
            if not only_count and count:
                began = time.monotonic()
                count = database.write_again(
                    lambda db, number=company_id, one=piece, moment=before: prune_piece(
                        db, number, one, moment
                    )  # type: ignore[misc]
                )
                # The same time for others: who waits for SQLite's writer sleeps, and would come too late for ever.
                time.sleep(min(time.monotonic() - began, _LONGEST_REST))
            yield name, piece.kind, count
            place = piece.after
