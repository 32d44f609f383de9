"""Items that are to be made or changed in QuickBooks: put into the queue, one activity for each."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.orm import Session

from queue_store.activities import add_activity, move, newest_of_record, note
from queue_store.catalogue import fold
from queue_store.fingerprint import content_digest
from queue_store.models import Activity
from queue_store.payloads import Item, ItemChange, encode
from queue_store.states import ABROAD, ActivityState

ADD_ITEM, CHANGE_ITEM = "add_item", "change_item"
_changes = msgspec.json.Decoder(ItemChange)


def decode_item_change(payload: bytes) -> ItemChange:
    return _changes.decode(payload)


def item_record_id(kind: str, key: str) -> str:
    """record_id of the activity that adds an item: "line:online shipping", "sku:tea-50" ..."""
    return f"{kind}:{fold(key)}"


def order_item(db: Session, *, company_id: int, item: Item, cause: str) -> Activity:
    """Let QuickBooks have an item of this SKU; one that waits, or failed, goes with this content."""
    record_id = item_record_id("sku", item.sku)
    known = newest_of_record(db, company_id=company_id, store_id=0, kind=ADD_ITEM, record_id=record_id)
    payload = encode(item)
    if known is None or known.state == ActivityState.SUCCEEDED:
        return _add(db, company_id, ADD_ITEM, record_id, payload, item.sku, known, cause)
    if known.state not in ABROAD:
        _replace(db, known, payload, cause)
    return known


def order_item_change(db: Session, *, company_id: int, change: ItemChange, cause: str) -> Activity:
    """Let an item of QuickBooks have these fields. Several changes that wait become one, the newest of each field."""
    known = newest_of_record(
        db, company_id=company_id, store_id=0, kind=CHANGE_ITEM, record_id=change.list_id
    )
    if known is None or known.state == ActivityState.SUCCEEDED:
        payload = encode(change)
        return _add(
            db, company_id, CHANGE_ITEM, change.list_id, payload, change.sku or change.list_id, known, cause
        )
    merged = encode(_merged(decode_item_change(known.newer_payload or known.payload), change))
    if known.state in ABROAD:
        # All of it again: whether QuickBooks takes what is out is not known.
        known.newer_payload, known.digest = merged, content_digest(merged)
        note(db, known.id, known.state, known.state, cause)
        db.flush()
        return known
    _replace(db, known, merged, cause)
    return known


def _replace(db: Session, known: Activity, payload: bytes, cause: str) -> None:
    """Newer content for what nobody outside has; what a person holds stays held."""
    is_held = known.state == ActivityState.HELD
    move(
        db,
        known,
        ActivityState.HELD if is_held else ActivityState.PENDING,
        cause=cause,
        payload=payload,
        digest=content_digest(payload),
        prepared=None,
        sentence=known.sentence if is_held else "",
        reason=known.reason if is_held else "",
    )


def follow_change(db: Session, done: Activity, *, cause: str) -> Activity | None:
    """What was asked for while `done` was on its way goes now, as the next generation."""
    if done.newer_payload is None:
        return None
    payload = done.newer_payload
    done.newer_payload = None
    return _add(db, done.company_id, done.kind, done.record_id, payload, done.reference, done, cause)


def _add(
    db: Session,
    company_id: int,
    kind: str,
    record_id: str,
    payload: bytes,
    reference: str,
    before: Activity | None,
    cause: str,
) -> Activity:
    return add_activity(
        db,
        Activity(
            company_id=company_id,
            kind=kind,
            record_id=record_id,
            generation=1 if before is None else before.generation + 1,
            state=ActivityState.PENDING,
            payload=payload,
            digest=content_digest(payload),
            reference=reference[:120],
        ),
        cause=cause,
    )


def _merged(older: ItemChange, newer: ItemChange) -> ItemChange:
    """Fields of both, the newer one's where both have one; prices level by level."""
    details = {**_given(older.details), **_given(newer.details)}
    if older.details.prices and newer.details.prices:
        details["prices"] = {**older.details.prices, **newer.details.prices}
    fields = {**_given(older), **_given(newer)}
    fields["details"] = msgspec.structs.replace(older.details, **details)
    return ItemChange(**fields)


def _given(of: msgspec.Struct) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for field in msgspec.structs.fields(of):
        value = getattr(of, field.name)
        if value is not None and value != "" and value != {}:
            given[field.name] = value
    return given
