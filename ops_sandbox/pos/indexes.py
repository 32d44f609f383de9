"""Sorted look-ups by one field, so that a query need not read every record."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from math import inf
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A range of keys; `None` is an open end. `prefix` asks for texts that start with `low`."""

    low: Any = None
    low_open: bool = False
    high: Any = None
    high_open: bool = False
    prefix: bool = False

    def holds(self, key: Any) -> bool:
        """Whether `key` lies in this range."""
        if self.prefix:
            return bool(key.startswith(self.low))
        if self.low is not None and (key < self.low or (self.low_open and key == self.low)):
            return False
        return not (self.high is not None and (key > self.high or (self.high_open and key == self.high)))


class SortedIndex:
    """Record ids by key, then by the order in which the records were created."""

    def __init__(self, rows: list[tuple[Any, int, str]]) -> None:
        self._rows = sorted(rows)

    def add(self, key: Any, sequence: int, record_id: str) -> None:
        """Enter one record."""
        insort(self._rows, (key, sequence, record_id))

    def remove(self, key: Any, sequence: int) -> None:
        """Take out the record that was entered under `key`."""
        del self._rows[bisect_left(self._rows, (key, sequence))]

    def bounds(self, span: Span) -> tuple[int, int]:
        """First and past-the-last row of `span`."""
        first, last = 0, len(self._rows)
        if span.prefix:
            low, high = (span.low,), (span.low + "\U0010ffff",)
            return bisect_left(self._rows, low), bisect_left(self._rows, high)
        if span.low is not None:
            first = bisect_right(self._rows, (span.low, inf)) if span.low_open else self._at(span.low)
        if span.high is not None:
            last = self._at(span.high) if span.high_open else bisect_right(self._rows, (span.high, inf))
        return first, max(first, last)

    def _at(self, key: Any) -> int:
        return bisect_left(self._rows, (key,))

    def ids(self, first: int, last: int) -> list[str]:
        """The record ids of these rows."""
        return [row[2] for row in self._rows[first:last]]
