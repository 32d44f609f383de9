"""Telling the shop what became of an order in QuickBooks: a private note, and meta data on the order.

WooCommerce takes no idempotency key: a repeated POST makes a second note. So
the order's notes are read first, each time, and ours is written only if it is
not among them: a lost answer, a worker that died and a database restored from
backup are then one case. Meta data are written only where they differ, since
that moves the order's date and fires order.updated to everybody who listens;
to us too, where the queue sees content that is equal but for its date.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from queue_store.activities import RETURN, SALE, WEB_ORDER
from queue_store.models import Activity, Store
from queue_store.settings import Settings
from queue_store.shop_notes import NOTE_ORDER as NAME
from queue_store.shop_notes import OrderNote
from woo_bridge.client import ShopClient
from woo_bridge.errors import NoSuchRecord, ShopError, ShopRefused
from woo_bridge.kinds.kind import Done, ShopKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RECEIPT_NUMBER, TXN_ID, STATE = "_qbwoo_receipt_number", "_qbwoo_txn_id", "_qbwoo_state"

#: What people call a document; others by their kind's own name.
_NAMES = {SALE: "sales receipt", RETURN: "return receipt", WEB_ORDER: "web order"}
#: WordPress drops backslashes, and plugins prettify quotes and dashes.
_NOT_TEXT = re.compile(r"[\W_]+")
_payload = msgspec.json.Decoder(OrderNote)


def note_text(note: OrderNote) -> str:
    """The note as people read it on the order's page; it ends with the document's mark."""
    if note.state == "failed":
        return f"{'Not undone' if note.undoes else 'Not'} in QuickBooks. {note.sentence} ({note.mark})"
    if note.undoes:
        return f"In QuickBooks: {note.name} ({note.mark})"
    name = _NAMES.get(note.document, note.document.replace("_", " "))
    number = f" {note.number}" if note.number else ""
    total = f", total {note.total:.2f}" if note.total is not None else ""
    return f"In QuickBooks: {name}{number}{total} ({note.mark})"


def note_meta(note: OrderNote) -> Mapping[str, str | None]:
    """Meta data of the order: what became of its sale; None: not there. A refund has a note only."""
    if note.document != SALE:
        return {}
    return {RECEIPT_NUMBER: note.number or None, TXN_ID: note.txn_id or None, STATE: note.state}


def _call(client: ShopClient, payload: bytes) -> bool:
    """False: the shop has no such order any more."""
    note = _payload.decode(payload)
    try:
        _write(client, note)
    except NoSuchRecord:
        return False
    except ShopRefused as error:
        # Deleted between two calls: a PUT of an unknown record is 400, not 404.
        if not error.code.endswith("_invalid_id"):
            raise
        return False
    return True


def _write(client: ShopClient, note: OrderNote) -> None:
    text = note_text(note)
    if _folded(text) not in map(_folded, client.list_order_notes(note.order_id)):
        client.add_order_note(note.order_id, text)
    meta = note_meta(note)
    if note.undoes:
        # Nothing to say where a newer receipt stands there, or none ever did.
        there = client.get_order_meta(note.order_id)
        if note.state == "succeeded" and there.get(TXN_ID) == note.undoes:
            client.set_order_meta(note.order_id, {RECEIPT_NUMBER: None, TXN_ID: None, STATE: "reversed"})
    elif meta:
        there = client.get_order_meta(note.order_id)
        if any(there.get(key) != value for key, value in meta.items()):
            client.set_order_meta(note.order_id, meta)


def _folded(text: str) -> str:
    return _NOT_TEXT.sub(" ", html.unescape(text).replace("\\", "")).strip().casefold()


def _settle(db: Session, store: Store, settings: Settings, activity: Activity, is_there: bool) -> Done:
    note = _payload.decode(activity.payload)
    if not is_there:
        sentence = f"The shop has no order {note.order_id} any more: there was nothing to write the note on."
        return Done(sentence, sentence)
    return Done(f"noted on order {note.order_id}: {note.state}")


def _without_answer(
    db: Session, store: Store, settings: Settings, activity: Activity, error: ShopError
) -> None:
    """Nothing waits for a note."""


def _not_wanted(settings: Settings, payload: bytes) -> str:
    return "orders.notes is off by now: nothing was written." if settings["orders.notes"] == "off" else ""


NOTE_ORDER = ShopKind(
    name=NAME, call=_call, settle=_settle, without_answer=_without_answer, not_wanted=_not_wanted
)
