"""Everything that is held of one person, in a form that the person can read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from queue_store.database import Database
from queue_store.person import Person, find_person
from queue_store.person_rows import rows_of, tells
from queue_store.redacting import parts_of_person

#: Under which word a table is told.
_WORDS = {
    "activities": "documents",
    "activity_events": "history",
    "attempts": "attempts",
    "exchanges": "message_sets",
    "kept_bodies": "webhook_bodies",
    "catalogue_customers": "customers_in_quickbooks",
    "mappings": "mappings",
    "lookups": "look_ups",
    "operator_tasks": "tasks",
    "audit": "audit",
    "reconciliations": "reconciliations",
}
#: Ready for QuickBooks, or digests: nothing that the content beside it does not tell.
_LEFT_OUT = frozenset({"prepared", "prepared_with", "digest", "fingerprint", "newer_fingerprint"})


def export_person(database: Database, email: str, now: datetime) -> tuple[dict[str, Any], Person]:
    """All rows of the person, by what they are, as plain values; writes nothing."""
    person = find_person(database, email)
    told: dict[str, Any] = {"email": person.email, "made_at": now}
    for found in rows_of(database, person, set()):
        if not tells(found, person):
            continue
        word = _WORDS.get(found.table.name, found.table.name)
        told.setdefault(word, []).append(_shown(found.table.name, found.row, person))
    return told, person


def _shown(table: str, row: Mapping[str, Any], person: Person) -> dict[str, Any]:
    if table == "exchanges":
        list_ids = {list_id for company_id, list_id in person.customers if company_id == row["company_id"]}
        return {
            "id": str(row["id"]),
            "sent_at": row["sent_at"],
            # Of others' documents in the same set nothing is told.
            "request": parts_of_person(_text(row["request"]), person, person.activity_ids, list_ids),
            "answer": parts_of_person(_text(row["response"]), person, person.activity_ids, list_ids),
        }
    if table == "reconciliations":
        return {
            "id": str(row["id"]),
            "since": row["since"],
            "until": row["until"],
            "sentence": row["sentence"],
        }
    return {
        name: _value(name, value)
        for name, value in row.items()
        if value not in (None, "", b"") and name not in _LEFT_OUT
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return _text(value)
    if isinstance(value, datetime | Decimal | str | bool):
        return value
    # Ids are longer than what JSON readers keep of a number.
    return str(value) if name == "id" or name.endswith("_id") else value


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace")
