"""When which list of QuickBooks is read: by interval, and all items each night."""

from __future__ import annotations

from datetime import datetime, timedelta

from qbwc_service.run import Run
from queue_store.companies import live_kinds
from queue_store.models import PullMark

#: All items, each night; receipts, for what they sold.
STOCK, SALES = "stock", "sales"
#: All departments, whose names items do not tell: for shops that exchange products.
DEPARTMENTS = "departments"


def due(run: Run) -> str | None:
    """The list whose reading is due, or None. Nothing is read before a store is live."""
    if not any(live_kinds(store) for store in run.stores.values()):
        return None
    everything = _everything_is_due(run)
    for kind in (DEPARTMENTS, "items", SALES, "customers"):
        minutes = _minutes(run, kind)
        mark = run.db.get(PullMark, (run.company.id, kind)) if minutes else None
        if not minutes or (mark is not None and not _is_late(run, mark, timedelta(minutes=minutes))):
            continue
        if kind == "items" and everything and (mark is None or not mark.complete):
            break  # Both are the same reading.
        return kind
    return STOCK if everything else None


def overdue(run: Run, kind: str) -> bool:
    """True where a reading is late by its whole interval again, or was never finished."""
    minutes = timedelta(days=1) / timedelta(minutes=1) if kind == STOCK else _minutes(run, kind)
    return _is_late(run, mark_of(run, kind), 2 * timedelta(minutes=minutes))


def _is_late(run: Run, mark: PullMark, interval: timedelta) -> bool:
    return mark.finished_at is None or mark.finished_at <= run.now - interval


def _minutes(run: Run, kind: str) -> int:
    """Minutes between two readings of a list; 0: it is not read by itself."""
    if kind == "customers":
        return int(run.settings["pull.customers_minutes"])
    if kind == DEPARTMENTS and not run.exchanges_products:
        return 0
    minutes, while_shown = run.settings["pull.items_minutes"], run.settings["pull.stock_minutes"]
    if kind == SALES and (not run.company.tracks_stock or run.settings["stock.sales_move_modified"] == "yes"):
        return 0
    return int(min(minutes, while_shown) if run.feeds_shops else minutes)


def _everything_is_due(run: Run) -> bool:
    """True from the hour of the night on, until all items were read since; after a go-live of stock at once."""
    if not run.company.tracks_stock or not run.settings["pull.items_minutes"]:
        return False
    mark = run.db.get(PullMark, (run.company.id, STOCK))
    return mark is None or mark.finished_at is None or mark.finished_at < _last_hour(run)


def _last_hour(run: Run) -> datetime:
    hour = run.now.replace(hour=run.settings["stock.full_hour"], minute=0, second=0, microsecond=0)
    return hour if hour <= run.now else hour - timedelta(days=1)


def mark_of(run: Run, kind: str) -> PullMark:
    """How far a list has been read."""
    mark = run.db.get(PullMark, (run.company.id, kind))
    if mark is None:
        mark = PullMark(company_id=run.company.id, kind=kind)
        run.db.add(mark)
        run.db.flush()
    return mark
