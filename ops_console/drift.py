"""The drift report: where a shop shows something else than it should, and why.

What does not flow to a store by its own settings is no drift: it is told on request.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from ops_console.csv_cells import safe_cell
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Company
from queue_store.product_status import ProductStatus, Status, statuses
from queue_store.readings import Readings, readings_of, want_reading
from woo_bridge.client import ShopClient
from woo_bridge.read_products import know_products

COLUMNS = ("sku", "id", "status", "field", "shop", "should", "books", "held", "since", "why")
#: What is told with `everything` only, beside what differs and does not flow.
_ASIDE = frozenset((Status.UNMATCHED, Status.HELD))


@dataclass(slots=True)
class Drift:
    """What a report found; `rows` are the first of those asked for."""

    store: str
    counts: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0
    #: When QuickBooks' items were read.
    books: Readings = field(default_factory=Readings)


def ask_quickbooks(database: Database, store_name: str) -> datetime:
    """Have QuickBooks' items read in the next run of the Web Connector; the moment after which they are fresh."""
    return database.write_again(lambda db: want_reading(db, get_store(db, store_name).company_id))


def is_read_since(database: Database, store_name: str, moment: datetime) -> bool:
    """True if QuickBooks' items were read to their end after `moment`."""
    with database.read() as db:
        latest = readings_of(db, get_store(db, store_name).company_id).latest
    return latest is not None and latest >= moment


def read_shop(database: Database, client: ShopClient, store_name: str) -> Iterator[int]:
    """Read all products of the shop now; how many, piece by piece. Raises ShopError."""
    with database.read() as db:
        store_id = get_store(db, store_name).id
    yield from know_products(database, client, store_id)


def report(
    database: Database, store_name: str, *, everything: bool, limit: int, file: IO[str] | None = None
) -> Drift:
    """Hold every product against its item, as both sides were read last. Raises NotFound.

    `limit` rows at most are kept (0: all); `file` gets all of them as CSV.
    """
    drift = Drift(store_name)
    writer = None if file is None else csv.writer(file)
    if writer is not None:
        writer.writerow(COLUMNS)
    with database.read() as db:
        store = get_store(db, store_name)
        drift.books = readings_of(db, db.get_one(Company, store.company_id).id)
        for one in statuses(db, store):
            drift.counts[one.status.value] += 1
            for row in rows_of(one, everything=everything):
                if writer is not None:
                    writer.writerow([safe_cell(row[column]) for column in COLUMNS])
                if limit and len(drift.rows) == limit:
                    drift.left_out += 1
                else:
                    drift.rows.append(row)
    return drift


def rows_of(one: ProductStatus, *, everything: bool) -> Iterator[dict[str, Any]]:
    """A row for each field that differs, of those that flow; with `everything` also of what does not flow."""
    about = {
        "sku": one.row.sku,
        "id": one.row.product_id,
        "status": one.status.value,
        "books": one.there,
        "held": one.allocation or None,
        "since": one.since,
        "why": one.why,
    }
    if one.status is Status.OUT_OF_SYNC:
        for differing in one.fields:
            if differing.flows or everything:
                yield about | {
                    "field": differing.field,
                    "shop": differing.shop,
                    "should": differing.should,
                }
        if one.fields:
            return
    if one.status is Status.OUT_OF_SYNC or (everything and one.status in _ASIDE):
        yield about | {"field": "", "shop": None, "should": None}
