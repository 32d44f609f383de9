"""The states of an activity, of a session and of an exchange, and which changes are allowed."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ActivityState(StrEnum):
    """Where an activity stands. Rows are never deleted by success."""

    PENDING = "pending"  # in the queue, due now
    DELAYED = "delayed"  # pending, but not before `next_at`; shown to people as "pending"
    WAITING = "waiting"  # for another activity, for money or for a status
    HELD = "held"  # by the operator, or because the store is not live
    SENT = "sent"  # handed to the Web Connector, no answer yet
    IN_DOUBT = "in_doubt"  # the answer was lost: QuickBooks may have done it
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # an operator has to look; the sentence says what to do
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # a newer payload of the same record took its place

    @property
    def shown(self) -> str:
        """The word that people and JSON see."""
        return "pending" if self is ActivityState.DELAYED else self.value


S = ActivityState

#: Every allowed change. What is not here is a defect, and `move` refuses it.
TRANSITIONS: Mapping[ActivityState, frozenset[ActivityState]] = {
    S.PENDING: frozenset(
        {S.SENT, S.FAILED, S.HELD, S.WAITING, S.CANCELLED, S.SUPERSEDED, S.DELAYED, S.SUCCEEDED}
    ),
    S.DELAYED: frozenset({S.PENDING, S.FAILED, S.HELD, S.WAITING, S.CANCELLED, S.SUPERSEDED, S.SUCCEEDED}),
    S.WAITING: frozenset({S.PENDING, S.FAILED, S.HELD, S.CANCELLED, S.SUPERSEDED, S.SUCCEEDED}),
    S.HELD: frozenset({S.PENDING, S.WAITING, S.FAILED, S.CANCELLED, S.SUPERSEDED, S.SUCCEEDED}),
    S.SENT: frozenset(
        {S.SUCCEEDED, S.PENDING, S.DELAYED, S.WAITING, S.FAILED, S.IN_DOUBT, S.CANCELLED, S.HELD}
    ),
    S.IN_DOUBT: frozenset(
        {S.SUCCEEDED, S.PENDING, S.DELAYED, S.WAITING, S.FAILED, S.CANCELLED, S.SUPERSEDED, S.HELD}
    ),
    S.SUCCEEDED: frozenset({S.SUPERSEDED}),
    S.FAILED: frozenset({S.PENDING, S.WAITING, S.HELD, S.CANCELLED, S.SUCCEEDED, S.SUPERSEDED}),
    S.CANCELLED: frozenset({S.PENDING, S.WAITING, S.HELD, S.SUCCEEDED}),
    S.SUPERSEDED: frozenset({S.SUCCEEDED}),
}

#: States in which nobody outside has the activity, and a newer payload simply takes its place.
AT_HOME: frozenset[ActivityState] = frozenset(
    {S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED, S.CANCELLED}
)
#: States in which QuickBooks may have it: a newer payload waits beside it.
ABROAD: frozenset[ActivityState] = frozenset({S.SENT, S.IN_DOUBT})


class SessionState(StrEnum):
    """A Web Connector run."""

    OPEN = "open"
    CLOSED = "closed"  # by closeConnection, or ended by us
    TAKEN_OVER = "taken_over"  # by a newer authenticate


class ExchangeState(StrEnum):
    """One message set on its way."""

    OUTSTANDING = "outstanding"  # committed and handed out, no answer yet
    ANSWERED = "answered"
    LOST = "lost"  # never answered, or by an HRESULT, or by something unreadable


class AttemptState(StrEnum):
    """One request for one activity inside an exchange."""

    SENT = "sent"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    LOST = "lost"
