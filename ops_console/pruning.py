"""Pruning by hand: every company, piece by piece, each piece one short transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from queue_store.companies import list_companies
from queue_store.database import Database
from queue_store.retention import MESSAGES, find_piece, prune_piece, prune_small
from woo_bridge.privacy import older_than


def prune_all(database: Database, now: datetime, *, only_count: bool) -> Iterator[tuple[str, str, int]]:
    """Company, kind and number of each piece; with `only_count` nothing is pruned."""
    with database.read() as db:
        companies = [(one.id, one.name) for one in list_companies(db)]
    for company_id, name in companies:
        with database.read() as db:
            before = older_than(db, company_id, now)
        oldest = before(MESSAGES)
        if oldest is not None and not only_count:
            database.write_again(partial(prune_small, company_id=company_id, before=oldest))
        place: tuple[int, int] | None = (0, 0)
        while place is not None:
            with database.read() as db:
                piece = find_piece(db, company_id, place, before)
            count = len(piece.ids)
            if not only_count and count:
                work = partial(prune_piece, company_id=company_id, piece=piece, older_than=before)
                count = database.write_in_turn(work)
            yield name, piece.kind, count
            place = piece.after
