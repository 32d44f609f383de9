"""What a reconciliation found, as it is kept, shown, and given to a spreadsheet."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import IO, Any

import msgspec

from ops_console.comparing import EQUAL, Row
from ops_console.csv_cells import safe_cell


class Report(msgspec.Struct, kw_only=True):
    """What a reconciliation found."""

    store: str
    since: str
    until: str
    #: When QuickBooks showed the last receipt.
    read_at: datetime | None
    #: Why the shop itself could not be asked; "": it was.
    shop_problem: str = ""
    counts: dict[str, int]
    rows: list[Row]

    @property
    def alarming(self) -> list[Row]:
        """What a person should look at, and has not been told of otherwise."""
        return [row for row in self.rows if row.alarming]


report_decoder = msgspec.json.Decoder(Report)


COLUMNS = (
    *("verdict", "kind", "reference", "mark", "day", "shop_total", "books_total", "difference"),
    *("receipts", "why", "accepted", "activity"),
)


def rows_of(report: Report, *, equal: bool) -> list[dict[str, Any]]:
    """Rows in plain values; with `equal`, those that agree too."""
    return [msgspec.structs.asdict(row) for row in report.rows if equal or row.verdict != EQUAL]


def write_csv(report: Report, file: IO[str]) -> None:
    """All rows, as a spreadsheet reads them; no text begins like a formula, and amounts stay numbers."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows_of(report, equal=True):
        writer.writerow([safe_cell(row[column]) for column in COLUMNS])
