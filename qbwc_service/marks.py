"""Marks: how a document in QuickBooks tells which record of which shop it is.

`<prefix><store code>-<record id>/<generation>`, at most 32 characters, for
example `WMAIN-1207/1`. A mark is the first word of a receipt's Comments, and
its TrackingNumber when the shop has none. It is always compared whole, here:
how QuickBooks' own filters compare is not certain.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MARK_LENGTH = 32

_MARK = re.compile(r"(?P<head>[A-Za-z0-9]+)-(?P<record>\d+(?:-R\d+)?)/(?P<generation>\d+)")


class Mark(NamedTuple):
    """One document of one record."""

    #: Prefix and store code, such as "WMAIN".
    head: str
    #: "1207", or "1207-R1209" for a refund.
    record_id: str
    generation: int

    @property
    def record_mark(self) -> str:
        """The mark without its generation."""
        return f"{self.head}-{self.record_id}"

    def __str__(self) -> str:
        return f"{self.head}-{self.record_id}/{self.generation}"


def read_mark(text: str) -> Mark | None:
    """The mark that `text` is, whole; None if it is something else."""
    found = _MARK.fullmatch(text) if len(text) <= MARK_LENGTH else None
    if found is None:
        return None
    return Mark(found["head"], found["record"], int(found["generation"]))


def mark_of_document(comments: str | None, tracking_number: str | None) -> Mark | None:
    """The mark that a receipt carries: first word of Comments, else TrackingNumber."""
    words = (comments or "").split(maxsplit=1)
    return (read_mark(words[0]) if words else None) or read_mark((tracking_number or "").strip())
