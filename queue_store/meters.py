"""Counts of what happened in this process, for whoever watches it.

What is counted inside a transaction counts once that has committed, so that
nothing counts twice where a transaction is run again. A label is an id, or a
word of a fixed set: as many series as there are companies and stores, and
no stranger makes one more. Every process counts for itself, from zero.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Labels = tuple[str | int, ...]
_PENDING = "qbwoo_meters"


@dataclass(slots=True)
class Meter:
    """A count by labels; with `bounds` also how values are spread over these upper bounds."""

    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()
    _counts: dict[Labels, list[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *labels: str | int, value: float = 1.0) -> None:
        """Count one; `value` in seconds where there are bounds."""
        with self._lock:
            row = self._counts.get(labels)
            if row is None:
                # One count for each bound and one for what is beyond, then the sum of all values.
                row = self._counts[labels] = [0.0] * (len(self.bounds) + 2)
            row[bisect_left(self.bounds, value) if self.bounds else 0] += 1
            row[-1] += value

    def add_after(self, db: Session, *labels: str | int, value: float = 1.0) -> None:
        """The same, once the transaction of `db` has committed."""
        db.info.setdefault(_PENDING, []).append((self, labels, value))

    def read(self) -> Mapping[Labels, tuple[float, ...]]:
        """By labels: how many fell under each bound and above the one before, how many beyond, their sum."""
        with self._lock:
            return {labels: tuple(row) for labels, row in self._counts.items()}


def committed(db: Session) -> None:
    """To be called once the transaction of `db` has committed."""
    for meter, labels, value in db.info.pop(_PENDING, ()):
        meter.add(*labels, value=value)


#: Message sets that came to an end: purpose as `Exchange.purpose` has it, and "answered", "unusable", "hresult" or "lost".
EXCHANGES = Meter(("company", "purpose", "outcome"))
#: How long QuickBooks, the Web Connector and the line took over those that were answered.
EXCHANGE_SECONDS = Meter(("company",), bounds=(0.5, 1, 2, 5, 10, 20, 60, 300, 1800))
#: Activities that failed, by the class of the cause; what fails since another one did is not counted again.
FAILURES = Meter(("company", "cause"))
#: Deliveries by the store they are for: "taken", "refused" (signature), "unreadable" or "failed" (ours).
WEBHOOKS = Meter(("store", "outcome"))
#: Rounds of the worker: "done", "idle" or "failed".
ROUNDS = Meter(("outcome",), bounds=(0.01, 0.1, 1, 10, 60))
#: Messages about alerts: "mail" or "url", and "sent" or "failed".
ALERT_MESSAGES = Meter(("channel", "outcome"))

#: Classes of causes of `FAILURES`, beside "quickbooks " with an Outcome.
NOT_SENDABLE, UNREADABLE, POISON, UNDO, SHOP = "not sendable", "unreadable", "poison", "undo", "shop"
