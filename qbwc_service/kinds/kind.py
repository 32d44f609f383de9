"""What a kind of activity means, whatever QuickBooks product it goes to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record

#: What QuickBooks is asked for by key: ("item", a SKU), ("customer", an e-mail), ("mark", a record mark) ...
LookUp: TypeAlias = tuple[str, str]
#: Look-ups of documents by their own marks, a receipt's and a sales order's; these keys are of our own making.
MARK, ORDER_MARK = "mark", "order mark"
MARKS = frozenset((MARK, ORDER_MARK))


#: Look-up of an item by its ListID: it is read again.
ITEM_ID = "item id"


class Doubt(StrEnum):
    """How it is found out whether QuickBooks did what it never answered."""

    LOOK_BACK = "look back"  # a document: receipts with a mark of ours are read, and its own is asked for
    LOOK_UP = "look up"  # a list element: asked for by its key
    AGAIN = "again"  # may go again: doing it twice is doing it once
    STATUS = "status"  # an undoing: by what QuickBooks says of the document that it undoes


@dataclass(frozen=True, slots=True)
class ActivityKind:
    """One kind; registered in the table of `qbwc_service.kinds`."""

    name: str
    #: Is it a document, which "documents.stopped" holds back?
    is_document: bool
    doubt: Doubt
    #: Everything but QuickBooks' ids: run, activity (row or model), payload. Raises NotSendable.
    prepare: Callable[[Run, Any, bytes], Prepared]
    #: What a success means beyond the activity itself: mappings, catalogue. Run, activity, record.
    learn: Callable[[Run, Any, Record], None] = lambda _run, _activity, _record: None
    #: The look-ups that settle a doubt; of a document exactly one. Run, activity (row or model), payload.
    asked_as: Callable[[Run, Any, bytes], Collection[LookUp]] = lambda _run, _activity, _payload: ()
    #: True: what waits for it goes without it if it fails.
    is_dispensable: bool = False
    #: What look-back calls such a document.
    document_type: str = "Sales"


def asked_by_mark(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    """A receipt is asked for by what its Comments begin with."""
    return [(MARK, run.mark(activity.store_id, activity.record_id, activity.generation).record_mark)]
