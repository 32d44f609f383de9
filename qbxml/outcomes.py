"""What an answer of QuickBooks means for the queue, in eight words.

Both tables of codes, `statuses` and `hresults`, speak in these.
"""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What a status code or an HRESULT means for what was asked."""

    DONE = "done"  # executed, or read
    EMPTY = "empty"  # a query found nothing, or not all; an answer, not a failure
    RETRY = "retry"  # not executed; the very same request may pass later
    STALE = "stale"  # what we know of the record is out of date: read it again, then send anew
    DUPLICATE = "duplicate"  # the name is taken: look up who has it
    IN_DOUBT = "in_doubt"  # executed or not: look it up before anything is sent again
    OUR_BUG = "our_bug"  # the request is wrong and would be refused again
    OPERATOR = "operator"  # somebody has to change something in QuickBooks or in the settings

    @property
    def is_success(self) -> bool:
        """True where nothing is left to be done."""
        return self in (Outcome.DONE, Outcome.EMPTY)
