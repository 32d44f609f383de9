"""Matching a shop's products to QuickBooks' items, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.matching import match_store
from queue_store.matching_report import Verdict, is_catalogue_read, matches
from queue_store.product_sync import ask_store_products
from woo_bridge.client import ShopClient
from woo_bridge.read_products import know_products

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(slots=True)
class Report:
    """What matching found; `rows` are the first of those asked for."""

    counts: dict[str, int] = field(default_factory=lambda: {word.value: 0 for word in Verdict})
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: int = 0
    #: Products that were matched now.
    matched: int = 0
    is_catalogue_read: bool = True


def read_products(database: Database, client: ShopClient, store_name: str) -> Iterator[int]:
    """Read all products of the shop and keep them, without matching; how many, piece by piece. Raises ShopError."""
    with database.read() as db:
        store_id = get_store(db, store_name).id
    yield from know_products(database, client, store_id)


def match(
    database: Database, store_name: str, *, dry_run: bool, verdict: Verdict | None = None, limit: int = 0
) -> Report:
    """Match what is certain, and tell the rest. `limit` rows at most; 0: all. Raises NotFound."""
    report = Report()
    listed: dict[Verdict, list[dict[str, Any]]] = {word: [] for word in Verdict}
    with database.read() as db:
        store = get_store(db, store_name)
        report.is_catalogue_read = is_catalogue_read(db, store.company_id)
        for one in matches(db, store):
            report.counts[one.verdict] += 1
            if one.verdict is not verdict and (verdict is not None or one.verdict is Verdict.MATCHED):
                continue
            if limit and len(listed[one.verdict]) == limit:
                report.left_out += 1
            else:
                listed[one.verdict].append(asdict(one))
    # What is certain and what is doubtful before what is merely missing.
    rows = [row for word in Verdict for row in listed[word]]
    report.rows = rows[: limit or None]
    report.left_out += len(rows) - len(report.rows)
    if dry_run:
        return report
    after: int | None = 0
    while after is not None:
        # A piece is a transaction: whoever else writes meanwhile waits for one of them at most.
        matched, after = database.write_again(partial(_match_piece, store_name, after))
        report.matched += matched
    return report


def _match_piece(store_name: str, after_id: int, db: Session) -> tuple[int, int | None]:
    store = get_store(db, store_name)
    matched, after = match_store(db, store, after_id=after_id)
    ask_store_products(db, store, matched, cause="matched to an item of QuickBooks")
    return len(matched), after
