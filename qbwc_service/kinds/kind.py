"""What a kind of activity means, whatever QuickBooks product it goes to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record


class Doubt(StrEnum):
    """How it is found out whether QuickBooks did what it never answered."""

    LOOK_BACK = "look back"  # a document: every receipt with a mark of ours is read
    LOOK_UP = "look up"  # a list element: asked for by its key
    AGAIN = "again"  # may go again: doing it twice is doing it once
    STATUS = "status"  # a reversal: by what the receipt that it reverses says of itself


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
    learn: Callable[[Run, Any, Record], None]
    #: (kind, key) of the look-ups that settle a doubt.
    asked_as: Callable[[Any, bytes], Collection[tuple[str, str]]] = lambda _activity, _payload: ()
