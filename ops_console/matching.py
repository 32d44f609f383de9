"""Matching a shop's products to QuickBooks' items, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.matching import match_products
from queue_store.matching_report import Verdict, is_catalogue_read, matches
from queue_store.product_sync import ask_store_products
from queue_store.shop_products import pieces
from woo_bridge.client import ShopClient
from woo_bridge.read_products import know_products


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
    certain: list[int] = []
    listed: dict[Verdict, list[dict[str, Any]]] = {word: [] for word in Verdict}
    with database.read() as db:
        store = get_store(db, store_name)
        report.is_catalogue_read = is_catalogue_read(db, store.company_id)
        for one in matches(db, store):
            report.counts[one.verdict] += 1
            if one.verdict is Verdict.CERTAIN and one.product_id is not None:
                certain.append(one.product_id)
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
    for some in pieces(certain):

        def work(db: Any, some: list[int] = some) -> int:
            store = get_store(db, store_name)
            matched = match_products(db, store, some)
            ask_store_products(db, store, matched, cause="matched to an item of QuickBooks")
            return len(matched)

        report.matched += database.write_again(work)
    # What is doubtful says so in lists.
    database.write_again(lambda db: match_products(db, get_store(db, store_name)))
    return report
