"""State of the shop: tables of documents and number lines, in memory, kept in SQLite when a path is given.

Every change happens inside `Store.transaction()`, which holds the one lock of
the shop and writes what was touched when the outermost one ends.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops_sandbox.shop.catalog import Catalog
from ops_sandbox.shop.wire import Doc

#: Orders, products, refunds and coupons share the number line "post", as WordPress does.
TABLES = (
    "orders",
    "refunds",
    "products",
    "terms",
    "attributes",
    "customers",
    "taxes",
    "notes",
    "coupons",
    "webhooks",
    "actions",
    "keys",
    "site",
)


class Store:
    """Documents by table and id. A document is changed in place and then passed to `save`."""

    def __init__(self, path: Path | None = None) -> None:
        self.tables: dict[str, dict[int, Doc]] = {name: {} for name in TABLES}
        self.catalog = Catalog()
        #: Counts the changes of each table, so that a list that was made can be known to be still right.
        self.versions: dict[str, int] = dict.fromkeys(TABLES, 0)
        self._numbers: dict[str, int] = {}
        self._lock = threading.RLock()
        self._depth = 0
        self._touched: set[tuple[str, int]] = set()
        self._db: sqlite3.Connection | None = None
        if path is not None:
            self._db = sqlite3.connect(path, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS documents"
                " (name TEXT, id INTEGER, body TEXT NOT NULL, PRIMARY KEY (name, id))"
            )
            self._load(self._db)

    @property
    def is_empty(self) -> bool:
        """Nothing was ever stored: a new shop."""
        return not self._numbers

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the shop; nested calls are part of the outer one."""
        with self._lock:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._flush()

    def next_id(self, line: str) -> int:
        """The next number of a line: "post", "line", "meta", "user", "note", "webhook", "action",
        "key", "term", "attribute"."""
        number = self._numbers.get(line, 0) + 1
        self._numbers[line] = number
        self._touched.add(("numbers", 0))
        return number

    def reserve(self, line: str, number: int) -> None:
        """The line goes on after `number` at the earliest."""
        self._numbers[line] = max(self._numbers.get(line, 0), number)
        self._touched.add(("numbers", 0))

    def save(self, table: str, doc: Doc) -> Doc:
        """Keep `doc` under its "id"."""
        self.tables[table][doc["id"]] = doc
        self.versions[table] += 1
        if table == "products":
            self.catalog.put(doc)
        self._touched.add((table, doc["id"]))
        return doc

    def remove(self, table: str, doc_id: int) -> None:
        """Forget a document; an unknown id is no error."""
        self.tables[table].pop(doc_id, None)
        self.versions[table] += 1
        if table == "products":
            self.catalog.drop(doc_id)
        self._touched.add((table, doc_id))

    def close(self) -> None:
        """Write and close the file; a second call does nothing."""
        with self._lock:
            self._flush()
            if self._db is not None:
                self._db.close()
                self._db = None

    def _flush(self) -> None:
        if self._db is None:
            self._touched.clear()
            return
        with self._db:
            for table, doc_id in self._touched:
                doc: Doc | None = (
                    dict(self._numbers) if table == "numbers" else self.tables[table].get(doc_id)
                )
                if doc is None:
                    self._db.execute("DELETE FROM documents WHERE name = ? AND id = ?", (table, doc_id))
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)",
                        (table, doc_id, json.dumps(doc)),
                    )
        self._touched.clear()

    def _load(self, db: sqlite3.Connection) -> None:
        for name, doc_id, body in db.execute("SELECT name, id, body FROM documents ORDER BY name, id"):
            if name == "numbers":
                self._numbers = json.loads(body)
            elif name in self.tables:
                self.tables[name][doc_id] = json.loads(body)
        for product in self.tables["products"].values():
            self.catalog.put(product)
