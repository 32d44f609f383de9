"""Records of a reconciliation that a person leaves as they are: told once, and again only if they change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from ops_console.comparing import DIFFERS, EQUAL, Row
from ops_console.reconciliation_report import Report
from queue_store.reconciliations import accepted_of


def record_of(row: Row) -> str:
    """What a row is about, in every report: kind and mark."""
    return f"{row.kind} {row.mark}"


def facts_of(row: Row) -> str:
    """Digest (32 hex digits) of what a person accepts: another total, receipt or verdict is another matter.

    Why a record is on one side only is told by a sentence that changes with the days: it does not count.
    """
    why = row.why if row.verdict == DIFFERS else ""
    facts = [row.verdict, row.shop_total, row.books_total, sorted(row.txn_ids), why]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:32]


def marked(db: Session, store_id: int, report: Report) -> Report:
    """The report with those of its rows that were accepted as they are; they alarm no more."""
    known = accepted_of(db, store_id)
    rows = []
    for row in report.rows:
        found = known.get(record_of(row))
        if found is not None and found.facts == facts_of(row):
            accepted = f"{found.who}, {found.at:%Y-%m-%d}" + (f": {found.note}" if found.note else "")
            row = msgspec.structs.replace(row, accepted=accepted, alarming=False)
        rows.append(row)
    return msgspec.structs.replace(report, rows=rows)


def rows_named(report: Report, name: str) -> Sequence[Row]:
    """Rows that do not agree and bear this reference (an order's number) or mark."""
    return [row for row in report.rows if row.verdict != EQUAL and name in (row.reference, row.mark)]
