"""Records that were never seen before, taken into the queue many at a time.

What `intake.take_in` does one record after another, with the same result: most
webhooks of a busy hour are new orders, and there is nothing to compare them with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select
from sqlalchemy.orm import Session

from queue_store.fingerprint import content_digest
from queue_store.ids import new_ids
from queue_store.intake import Incoming
from queue_store.models import Activity, ActivityEvent
from queue_store.states import ActivityState

# Statements on tables, not on mapped classes: no object is made, which is most of the cost of one insert.
_activities = cast(Table, Activity.__table__)
_events = cast(Table, ActivityEvent.__table__)
_add_activities = insert(_activities)
_add_events = insert(_events)
# Made once: putting a statement together costs more than SQLite takes to run it.
_seen = select(
    _activities.c.record_id,
    _activities.c.id,
    _activities.c.state,
    _activities.c.digest,
    _activities.c.generation,
).where(
    _activities.c.company_id == bindparam("company_id"),
    _activities.c.store_id == bindparam("store_id"),
    _activities.c.kind == bindparam("kind"),
    _activities.c.record_id.in_(bindparam("record_ids", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the queue has of a record: its newest generation."""

    activity_id: int
    state: str
    digest: str

    def has(self, payload: bytes) -> bool:
        """True if this very content is in the queue and due: taking it in again would change nothing."""
        return self.state in (ActivityState.PENDING, ActivityState.DELAYED) and (
            self.digest == content_digest(payload)
        )


def seen_records(
    db: Session, *, company_id: int, store_id: int, kind: str, record_ids: Iterable[str]
) -> dict[str, Seen]:
    """Those of `record_ids` (some hundreds at most) that the queue has already."""
    rows = db.connection().execute(
        _seen,
        {
            "company_id": company_id,
            "store_id": store_id,
            "kind": kind,
            "record_ids": list(record_ids),
        },
    )
    newest = sorted(rows, key=lambda row: int(row.generation))
    return {row.record_id: Seen(row.id, row.state, row.digest) for row in newest}


def add_records(db: Session, records: Sequence[Incoming]) -> list[int]:
    """Put records that are not in the queue yet into it; the activities' ids, in the same order.

    A record that somebody else adds at the same moment is refused by the
    schema (IntegrityError): take the records in one at a time then.
    """
    if not records:
        return []
    ids = new_ids(len(records))
    connection = db.connection()
    connection.execute(
        _add_activities, [_row(number, record) for number, record in zip(ids, records, strict=True)]
    )
    connection.execute(
        _add_events,
        [
            {
                "id": event_id,
                "activity_id": number,
                "to_state": record.state,
                "cause": record.sentence or record.cause,
            }
            for event_id, number, record in zip(new_ids(len(records)), ids, records, strict=True)
        ],
    )
    return ids


def _row(number: int, record: Incoming) -> dict[str, Any]:
    return {
        "id": number,
        "company_id": record.company_id,
        "store_id": record.store_id,
        "target": record.target,
        "kind": record.kind,
        "record_id": record.record_id,
        "state": record.state,
        "reason": record.reason,
        "sentence": record.sentence,
        "priority": record.priority,
        "payload": record.payload,
        "digest": content_digest(record.payload),
        "fingerprint": record.fingerprint,
        "modified_at": record.modified_at,
        "reference": record.reference,
        "order_id": record.order_id,
        "unwanted": record.state is ActivityState.CANCELLED,
    }
