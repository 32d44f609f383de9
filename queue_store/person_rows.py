"""Every row that tells of a person, whatever table it is in: what an export shows and what an erasure changes.

Tables are read as the models say, so that a new table, or a new column, is
looked through by itself. What stays is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, String, Table, select, tuple_
from sqlalchemy.orm import Session

from queue_store.anonymous import ERASED, erased_body, erased_payload, is_personal
from queue_store.database import Database
from queue_store.erasures import CUSTOMER_WITHOUT_PERSON
from queue_store.fingerprint import content_digest
from queue_store.models import Base
from queue_store.models.base import Amount, Packed
from queue_store.person import AT_ONCE, Person, Whose
from queue_store.redacting import without_person
from queue_store.states import ExchangeState

#: Tables of the installation itself, in which no person of a shop stands.
_OURS = frozenset(
    {
        "companies",
        "stores",
        "company_settings",
        "store_settings",
        "login_attempts",
        "erasures",
        "erasure_rests",
    }
)
#: What a thing is, or is called in QuickBooks: never erased.
_IDENTITIES = frozenset(
    {
        *("record_id", "record", "record_mark", "list_id", "txn_id", "txn_number", "number", "digest", "fingerprint"),
        *("newer_fingerprint", "facts", "state", "newer_state", "reason", "newer_reason", "kind", "type", "target"),
        *("from_state", "to_state", "order_id", "prepared_with", "ticket_hash", "customer_id_key", "sku", "sku_key"),
    }
)  # fmt: skip
#: Wanted by what still waits for its turn: not touched before that is over.
_FOR_OPEN = frozenset({"mappings", "lookups", "catalogue_customers"})

#: Tables whose rows tell of many at once.
_OF_MANY = frozenset({"reconciliations", "period_receipts"})
#: Tables whose rows may hold a megabyte, and how many of these are in memory at a time.
_LARGE, _LARGE_AT_ONCE = frozenset({"exchanges", "kept_bodies", "reconciliations"}), 10


@dataclass(frozen=True, slots=True)
class Found:
    """A row that tells of the person."""

    table: Table
    #: Its primary key.
    key: Mapping[str, Any]
    row: Mapping[str, Any]
    #: Columns as they are to be; None: the row goes.
    changes: Mapping[str, Any] | None


def tables() -> list[Table]:
    """Those that are looked through."""
    return [one for one in Base.metadata.sorted_tables if one.name not in _OURS and _columns(one)]


def rows_of(database: Database, person: Person, open_ids: set[int]) -> Iterator[Found]:
    """All rows that tell of the person, but for what is open; a piece at a time in memory."""
    for table in tables():
        if open_ids and table.name in _FOR_OPEN:
            continue
        key = list(table.primary_key.columns)
        at_once = _LARGE_AT_ONCE if table.name in _LARGE else AT_ONCE
        last: tuple[Any, ...] | None = None
        while True:
            query = _selected(table).order_by(*key).limit(at_once)
            if last is not None:
                query = query.where(tuple_(*key) > tuple_(*last) if len(key) > 1 else key[0] > last[0])
            with database.read() as db:
                rows = db.execute(query).mappings().all()
            for row in rows:
                if (found := look(table, dict(row), person, open_ids)) is not None:
                    yield found
            if len(rows) < at_once:
                break
            last = tuple(rows[-1][column.name] for column in key)


def read_again(db: Session, found: Found, person: Person, open_ids: set[int]) -> Found | None:
    """The row as it is now, for a change in this transaction; None: there is nothing left to change."""
    query = _selected(found.table).with_for_update()
    for name, value in found.key.items():
        query = query.where(found.table.c[name] == value)
    row = db.execute(query).mappings().first()
    if row is not None and dict(row) == found.row:
        # As it was: what was worked out without the writer's turn still holds.
        return found
    return None if row is None else look(found.table, dict(row), person, open_ids)


def look(table: Table, row: Mapping[str, Any], person: Person, open_ids: set[int]) -> Found | None:
    """What of a row is the person's; None: nothing."""
    number = row.get("id") if table.name == "activities" else row.get("activity_id")
    if number in open_ids:
        return None
    whose = _whose(table, number, person)
    special = _SPECIAL.get(table.name)
    if special is not None:
        changes = special(row, person, whose, open_ids)
    else:
        changes = _plain(table, row, person, whose)
    if changes is not None:
        changes = {name: value for name, value in changes.items() if value != row[name]}
        if not changes:
            return None
    key = {column.name: row[column.name] for column in table.primary_key.columns}
    return Found(table, key, dict(row), changes)


def _whose(table: Table, activity_id: int | None, person: Person) -> Whose:
    if activity_id in person.activity_ids:
        return Whose.THEIRS
    return Whose.OTHERS if activity_id is not None or table.name in _OF_MANY else Whose.NOBODYS


def tells(found: Found, person: Person) -> bool:
    """True if the row is the person's for certain, so that it may be told to them; a name alone may be another's."""
    number = found.row.get("id") if found.table.name == "activities" else found.row.get("activity_id")
    if found.table.name in _SPECIAL or number in person.activity_ids:
        return True
    return any(isinstance(value, str) and person.has_address(value) for value in found.row.values())


def _plain(table: Table, row: Mapping[str, Any], person: Person, whose: Whose) -> dict[str, Any]:
    return {name: _without(row[name], person, whose) for name in _columns(table) if row[name]}


def _activity(row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]) -> dict[str, Any]:
    texts = {name: _without(row[name], person, whose) for name in ("sentence", "newer_sentence", "reference")}
    if whose is not Whose.THEIRS:
        return texts
    kind = row["kind"]
    texts["payload"] = erased_payload(kind, row["payload"])
    if row["newer_payload"] is not None:
        texts["newer_payload"] = erased_payload(kind, row["newer_payload"])
    if is_personal(kind) and (texts["payload"], texts.get("newer_payload")) != (
        row["payload"],
        row["newer_payload"],
    ):
        # What is read again comes in without the person too: it must equal this.
        newest = texts.get("newer_payload") or texts["payload"]
        texts |= {"prepared": None, "digest": content_digest(newest)}
    return texts


def _exchange(row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]) -> dict[str, Any]:
    if row["state"] == ExchangeState.OUTSTANDING:
        return {}
    list_ids = {list_id for company_id, list_id in person.customers if company_id == row["company_id"]}
    changes: dict[str, Any] = {
        name: _without(row[name], person, Whose.OTHERS) for name in ("message", "reads") if not open_ids
    }
    for name in ("request", "response"):
        if row[name]:
            text = row[name].decode("utf-8", "surrogateescape")
            cut = without_person(text, person, person.activity_ids, list_ids, open_ids)
            changes[name] = cut.encode("utf-8", "surrogateescape")
    return changes


def _customer(row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]) -> dict[str, Any]:
    if (row["company_id"], row["list_id"]) not in person.customers and row["email_key"] != person.email:
        return {}
    return dict(CUSTOMER_WITHOUT_PERSON)


def _mapping(row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]) -> dict[str, Any]:
    is_of_theirs = row["kind"] == "customer" and (row["company_id"], row["list_id"]) in person.customers
    key, label = row["key"], row["label"]
    if person.has_address(key):
        # The list id stays, under a key that tells nobody.
        key = f"erased:{row['id']}"
    if is_of_theirs or person.has_address(label):
        label = ERASED if label else ""
    return {"key": key, "label": label}


def _lookup(
    row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]
) -> dict[str, Any] | None:
    # What QuickBooks answered is believed for one session only: nothing is lost with it.
    return None if person.has_address(row["key"]) or person.has_address(row["problem"]) else {}


def _body(row: Mapping[str, Any], person: Person, whose: Whose, open_ids: set[int]) -> dict[str, Any]:
    changes = {"reason": _without(row["reason"], person, Whose.OTHERS)}
    if person.has_address(row["body"].decode("utf-8", "replace")):
        body = erased_body(row["body"])
        changes |= {"body": body, "digest": content_digest(body)}
    return changes


_SPECIAL = {
    "activities": _activity,
    "exchanges": _exchange,
    "catalogue_customers": _customer,
    "mappings": _mapping,
    "lookups": _lookup,
    "kept_bodies": _body,
}


def _without(value: Any, person: Person, whose: Whose) -> Any:
    if isinstance(value, str):
        return person.scrub(value, whose)
    if not isinstance(value, bytes):
        return value
    try:
        content = msgspec.json.decode(value)
    except msgspec.DecodeError:
        text = value.decode("utf-8", "surrogateescape")
        return person.scrub(text, whose).encode("utf-8", "surrogateescape")
    cleaned = _in_json(content, person, whose)
    return value if cleaned == content else msgspec.json.encode(cleaned)


def _in_json(value: Any, person: Person, whose: Whose) -> Any:
    if isinstance(value, str):
        return person.scrub(value, whose)
    if isinstance(value, list):
        return [_in_json(one, person, whose) for one in value]
    if isinstance(value, dict):
        return {person.scrub(key, Whose.OTHERS): _in_json(one, person, whose) for key, one in value.items()}
    return value


def _columns(table: Table) -> list[str]:
    """Texts and contents that may tell of somebody."""
    return [
        column.name
        for column in table.columns
        if isinstance(column.type, String | LargeBinary | Packed)
        and not isinstance(column.type, Amount)
        and not column.primary_key
        and column.name not in _IDENTITIES
    ]


def _selected(table: Table) -> Any:
    return select(table)
