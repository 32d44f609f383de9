"""Items that QuickBooks answered: kept, and told to whoever shows them to buyers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.catalogue import forget, store_items
from queue_store.product_work import items_changed
from queue_store.rereading import changed_items


def take_items(
    run: Run,
    records: Sequence[Record],
    *,
    read_at: datetime | None = None,
    asked_turn: int | None = None,
    unknown_only: bool = False,
) -> list[dict[str, Any]]:
    """Keep what was read; the products of those that changed are asked for. Gives the catalogue's rows.

    `asked_turn`: the turn whose state they show, where that is not the one of the set that they came in.
    """
    at = read_at or run.now
    turn = run.asked_turn if asked_turn is None else asked_turn
    rows = [run.spelling.item_row(record, run.company.id, at, turn) for record in records]
    changed: Collection[str] = ()
    if run.feeds_shops and not unknown_only:
        changed = changed_items(run.db, run.company, rows)
    store_items(run.db, rows, unknown_only=unknown_only)
    if changed:
        items_changed(run.db, run.company, changed)
    return rows


def forget_items(run: Run, list_ids: Collection[str]) -> None:
    """QuickBooks has these no more."""
    forget(run.db, run.company.id, list_ids)
    if list_ids and run.feeds_shops:
        items_changed(run.db, run.company, list_ids)
