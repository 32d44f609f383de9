"""What became of a shop's orders in QuickBooks, to be told to the shop.

The queue is the only road between the two sides: whoever settles or refuses a
document calls `note_outcomes` in the same transaction, and the worker of the
shop's side does the rest whenever it comes. A company none of whose stores
wants notes costs no statement at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import QUICKBOOKS, SHOP, called, note
from queue_store.bulk_intake import add_records
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.fingerprint import content_digest
from queue_store.intake import Incoming
from queue_store.models import Activity, Company, CompanySetting, Store, StoreSetting
from queue_store.payloads import Payload, encode
from queue_store.shop_work import ask_shop
from queue_store.states import ActivityState
from queue_store.undo_plan import UNDOINGS
from queue_store.undoings import decode_undoing

NOTE_ORDER = "note_order"
_MOST_SENTENCE = 1000
_AT_ONCE = 500


class OrderNote(Payload, frozen=True, kw_only=True):
    """How one document of an order stands; the shop's side finds the words."""

    order_id: int
    #: Kind of the document: "sale", "return", "web_order"; or of what undid one: "reversal", "deletion".
    document: str
    #: Its mark, such as WMAIN-1207/1.
    mark: str
    #: "succeeded" or "failed".
    state: str
    #: QuickBooks' own number and id, once it is there.
    number: str = ""
    txn_id: str = ""
    total: Decimal | None = None
    #: Why it was refused.
    sentence: str = ""
    #: Of an undoing: what it is, such as "reversal of receipt 12", and QuickBooks' id of what it undid.
    name: str = ""
    undoes: str = ""


def note_outcomes(db: Session, company: Company, activity_ids: Collection[int]) -> None:
    """Enqueue a note for each of these that is a document of an order, in the books or refused.

    As each store's `orders.notes` says: "all", or "failures", which tells of a
    success only where a refusal was told before. What was told already is not
    told again. Call it last in the transaction, whatever the activities are.
    """
    if not company.tells_shops or not activity_ids:
        return
    ids = list(activity_ids)
    # Thousands of orders may fail with one item that they wait for.
    for start in range(0, len(ids), _AT_ONCE):
        _note_some(db, company, ids[start : start + _AT_ONCE])


def _note_some(db: Session, company: Company, activity_ids: Collection[int]) -> None:
    rows = _outcomes(db, company, activity_ids)
    known = _known_notes(db, company, rows)
    fresh: list[Incoming] = []
    for row in rows:
        activity = known.get((row.store_id, _record_id(row)))
        payload = encode(_note_of(db, row))
        if activity is not None:
            _tell_again(db, activity, row, payload)
        elif row.mode == "all" or row.state == ActivityState.FAILED:
            fresh.append(_incoming(company, row, payload))
    add_records(db, fresh)


def _outcomes(db: Session, company: Company, activity_ids: Collection[int]) -> list[Any]:
    prefix = COMPANY_SETTINGS["documents.prefix"]
    rows = db.execute(
        select(
            Activity.id,
            Activity.store_id,
            Activity.kind,
            Activity.record_id,
            Activity.generation,
            Activity.state,
            Activity.order_id,
            Activity.reference,
            Activity.sentence,
            Activity.txn_id,
            Activity.txn_number,
            Activity.total,
            Store.code,
            StoreSetting.value.label("mode"),
            CompanySetting.value.label("prefix"),
        )
        .join(Store, Store.id == Activity.store_id)
        # A row is there only where the setting is not its default, "off".
        .join(StoreSetting, (StoreSetting.store_id == Store.id) & (StoreSetting.key == "orders.notes"))
        .outerjoin(
            CompanySetting,
            (CompanySetting.company_id == Activity.company_id) & (CompanySetting.key == prefix.key),
        )
        .where(
            Activity.id.in_(activity_ids),
            Activity.company_id == company.id,
            Activity.target == QUICKBOOKS,
            Activity.order_id != "",
            Activity.state.in_((ActivityState.SUCCEEDED, ActivityState.FAILED)),
        )
        .order_by(Activity.id)
    )
    return list(rows)


def _known_notes(db: Session, company: Company, rows: Iterable[Any]) -> dict[tuple[int, str], Activity]:
    """The newest note of each of these documents, locked."""
    wanted = {(row.store_id, _record_id(row)) for row in rows}
    if not wanted:
        return {}
    found = db.scalars(
        select(Activity)
        .where(
            Activity.company_id == company.id,
            Activity.store_id.in_({store_id for store_id, _ in wanted}),
            Activity.kind == NOTE_ORDER,
            Activity.record_id.in_({record_id for _, record_id in wanted}),
        )
        .order_by(Activity.generation)
        .with_for_update()
    )
    return {(one.store_id, one.record_id): one for one in found}


def _tell_again(db: Session, activity: Activity, row: Any, payload: bytes) -> None:
    digest = content_digest(payload)
    if activity.digest == digest:
        return
    if activity.state == ActivityState.HELD and activity.reason == "operator":
        # It stays with the person who holds it, and will say what is true by then.
        activity.payload, activity.digest = payload, digest
        note(db, activity.id, activity.state, activity.state, _cause(row))
        db.flush()
        return
    ask_shop(
        db,
        company_id=activity.company_id,
        store_id=activity.store_id,
        kind=NOTE_ORDER,
        record_id=activity.record_id,
        payload=payload,
        reference=activity.reference,
        cause=_cause(row),
    )


def _incoming(company: Company, row: Any, payload: bytes) -> Incoming:
    name = called(row)
    return Incoming(
        company_id=company.id,
        store_id=row.store_id,
        kind=NOTE_ORDER,
        record_id=_record_id(row),
        # No order id, and a reference of its own: who types an order's number means its document.
        reference=f"for {name[0].lower()}{name[1:]}"[:120],
        payload=payload,
        target=SHOP,
        cause=_cause(row),
    )


def _note_of(db: Session, row: Any) -> OrderNote:
    name, undoes = "", ""
    if row.kind in UNDOINGS:
        name = f"{row.reference[0].lower()}{row.reference[1:]}"
        undoes = decode_undoing(db.get_one(Activity, row.id).payload).txn_id
    refused = row.state == ActivityState.FAILED
    head = (row.prefix or COMPANY_SETTINGS["documents.prefix"].default) + row.code
    return OrderNote(
        order_id=int(row.order_id),
        document=row.kind,
        mark=f"{head}-{row.record_id}/{row.generation}",
        state=row.state,
        number="" if refused else row.txn_number or "",
        txn_id="" if refused else row.txn_id or "",
        total=None if refused else row.total,
        sentence=row.sentence[:_MOST_SENTENCE] if refused else "",
        name=name,
        undoes=undoes,
    )


def _record_id(row: Any) -> str:
    return f"{row.kind}:{row.record_id}"


def _cause(row: Any) -> str:
    return f"{row.kind} {row.record_id} {'was refused' if row.state == ActivityState.FAILED else 'is in QuickBooks'}"
