"""The records of a company file: held in memory, kept in one SQLite file.

Everything is looked up in memory, through sorted indexes that are made when a
field is first asked for. What a request changed is written when the request
is done; another process that has the same file open notices and reads anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ops_sandbox.pos.disk import Disk
from ops_sandbox.pos.indexes import SortedIndex
from ops_sandbox.pos.shapes import KINDS, shape_of, store_form
from ops_sandbox.pos.values import Fields


@dataclass(frozen=True, slots=True)
class Record:
    """One record. It is never changed, but replaced by another with the same id."""

    kind: str
    id: str
    #: Order of creation within the company.
    sequence: int
    fields: Fields

    def changed(self, changes: Fields) -> Record:
        """The record with `changes`; a value of None removes the field."""
        merged = {**self.fields, **changes}
        kept = {name: value for name, value in merged.items() if value is not None}
        return Record(self.kind, self.id, self.sequence, kept)


#: Makes the comparable form of one value; the dialect decides on case and on clock times.
KeyOf = Callable[[str, Any], Any]


class Store:
    """All records by kind and id, counters, and the file behind them."""

    def __init__(self, disk: Disk | None, key_of: KeyOf) -> None:
        self.disk = disk
        self._key_of = key_of
        self.meta: dict[str, Any] = {}
        self._records: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}
        self._indexes: dict[tuple[str, str], SortedIndex] = {}
        self._undo: list[tuple[str, str, Record | None]] = []
        self._dirty: dict[tuple[str, str], Record | None] = {}
        self._written_meta = ""

    # Reading

    def find(self, kind: str, record_id: str) -> Record | None:
        """The record, or None."""
        return self._records[kind].get(record_id)

    def all(self, kind: str) -> Iterable[Record]:
        """Every record of `kind`, oldest first."""
        return self._records[kind].values()

    def count(self, kind: str) -> int:
        """How many records of `kind` there are."""
        return len(self._records[kind])

    def index(self, kind: str, field: str) -> SortedIndex:
        """The look-up by `field`, kept up to date from its first use on."""
        index = self._indexes.get((kind, field))
        if index is None:
            rows = [
                (self._key_of(field, record.fields[field]), record.sequence, record.id)
                for record in self._records[kind].values()
                if field in record.fields
            ]
            index = self._indexes[kind, field] = SortedIndex(rows)
        return index

    # Changing

    def next(self, counter: str) -> int:
        """The next number of a counter, from 1. Numbers of failed requests stay unused."""
        self.meta[counter] = number = int(self.meta.get(counter, 0)) + 1
        return number

    def add(self, kind: str, record_id: str, fields: Fields) -> Record:
        """Put in a new record."""
        record = Record(kind, record_id, self.next("sequence"), fields)
        self.put(record)
        return record

    def put(self, record: Record) -> None:
        """Put in a record in place of the one with its id."""
        self._replace(record.kind, record.id, record)

    def remove(self, record: Record) -> None:
        """Take a record out."""
        self._replace(record.kind, record.id, None)

    def _replace(self, kind: str, record_id: str, new: Record | None) -> None:
        old = self._records[kind].get(record_id)
        self._undo.append((kind, record_id, old))
        self._dirty[kind, record_id] = new
        self._swap(kind, record_id, old, new)

    def _swap(self, kind: str, record_id: str, old: Record | None, new: Record | None) -> None:
        if new is None:
            self._records[kind].pop(record_id, None)
        else:
            self._records[kind][record_id] = new
        for (indexed_kind, field), index in self._indexes.items():
            if indexed_kind != kind:
                continue
            before = None if old is None else old.fields.get(field)
            after = None if new is None else new.fields.get(field)
            if before == after and old is not None and new is not None:
                continue
            if before is not None and old is not None:
                index.remove(self._key_of(field, before), old.sequence)
            if after is not None and new is not None:
                index.add(self._key_of(field, after), new.sequence, record_id)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Undo what was put in if the block fails: a refused request changes nothing."""
        mark = len(self._undo)
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                kind, record_id, old = self._undo.pop()
                self._swap(kind, record_id, self._records[kind].get(record_id), old)
                self._dirty[kind, record_id] = old
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep what the block puts in. Another process on the same file waits for its end."""
        if self.disk is None:
            try:
                yield
            finally:
                self._settle()
            return
        with self.disk.transaction():
            if self.disk.changed_elsewhere():
                self.load()
            try:
                yield
            finally:
                # Refused requests have undone themselves; whatever else was done stays done.
                self._write(self.disk)

    def _write(self, disk: Disk) -> None:
        for (kind, record_id), record in self._dirty.items():
            if record is None:
                disk.remove(kind, record_id)
            else:
                body = json.dumps(record.fields, default=store_form, separators=(",", ":"))
                disk.put(kind, record_id, record.sequence, body)
        meta = json.dumps(self.meta)
        if meta != self._written_meta:
            disk.put_meta(meta)
            self._written_meta = meta
        self._settle()

    def _settle(self) -> None:
        self._undo.clear()
        self._dirty.clear()

    # The file

    @staticmethod
    def peek(disk: Disk) -> dict[str, Any]:
        """Name, stores, dialect and counters, before anything else is read."""
        meta: dict[str, Any] = json.loads(disk.meta())
        return meta

    def load(self) -> None:
        """Read everything from the file, forgetting what is in memory."""
        assert self.disk is not None
        self._written_meta = self.disk.meta()
        self.meta = json.loads(self._written_meta)
        self._records = {kind: {} for kind in KINDS}
        self._indexes.clear()
        self._settle()
        for kind, record_id, sequence, body in self.disk.records():
            fields = shape_of(kind).revive(json.loads(body))
            self._records[kind][record_id] = Record(kind, record_id, sequence, fields)

    def take_from(self, other: Store) -> None:
        """Become a copy of `other`, on disk too."""
        for kind in KINDS:
            self._dirty.update(((kind, record_id), None) for record_id in self._records[kind])
            # Records are never changed, so they can be shared.
            self._records[kind] = dict(other._records[kind])
            self._dirty.update(((kind, record_id), one) for record_id, one in self._records[kind].items())
        self._indexes.clear()
        self.meta = dict(other.meta)
        if self.disk is None:
            self._settle()
        else:
            with self.disk.transaction():
                self._write(self.disk)
