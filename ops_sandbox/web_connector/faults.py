"""Misfortunes to order: what a played Web Connector does wrong, and when.

A `Faults` counts the sets it has seen, over all runs of the connectors that
share it: `Faults(lose_answer=Every(3))` loses the answers to sets 3, 6, 9, ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, Protocol

_FIRST_TEXT = re.compile(r">\s*([^<>\s])[^<>]*</")

FaultName = Literal[
    "lose_answer",
    "late_answer",
    "hresult_after_execution",
    "hresult_before_execution",
    "duplicate_receive",
    "duplicate_send",
    "die_before_execution",
    "skip_close",
    "truncate_response",
    "illegal_characters",
    "answer_of_another_set",
]


class Strike(Protocol):
    """When a fault happens."""

    def hits(self, number: int) -> bool:
        """Whether set (for `skip_close`: run end) `number`, counted from 1, is struck."""
        ...


@dataclass(frozen=True)
class Once:
    """At the `number`th set, and never again."""

    number: int = 1

    def hits(self, number: int) -> bool:
        return number == self.number


@dataclass(frozen=True)
class Every:
    """At every `interval`th set; `Every(1)` is always."""

    interval: int = 1

    def hits(self, number: int) -> bool:
        return number % self.interval == 0


@dataclass(frozen=True)
class StoredAnswer:
    """What QuickBooks answered and the service was not told."""

    ticket: str
    request: str
    response: str
    hresult: str = ""
    message: str = ""
    #: Number of the set, as the faults count.
    set_number: int = 0


@dataclass(kw_only=True)
class Faults:
    """The order of misfortunes for a `WebConnector`. None means never.

    All but `skip_close` are counted in sets.
    """

    #: QuickBooks executed the set, then the connection broke; the run ends without closeConnection.
    lose_answer: Strike | None = None
    #: As `lose_answer`, but the next run delivers the answer, under the old ticket.
    late_answer: Strike | None = None
    #: The call in the next run after which the late answer arrives.
    late_answer_after: Literal["authenticate", "sendRequestXML"] = "authenticate"
    #: An error and no response, although QuickBooks executed the set.
    hresult_after_execution: Strike | None = None
    #: An error and no response; QuickBooks never executed the set.
    hresult_before_execution: Strike | None = None
    #: The response is posted twice; the second answer of the service counts.
    duplicate_receive: Strike | None = None
    #: The set is thrown away and asked for again, as after a broken answer.
    duplicate_send: Strike | None = None
    #: The set came, QuickBooks never saw it; the run ends without closeConnection.
    die_before_execution: Strike | None = None
    #: The run ends without closeConnection. Counted in ends.
    skip_close: Strike | None = None
    #: The second half of the response is missing.
    truncate_response: Strike | None = None
    #: U+0001 in the response, once as such (`&#x1;` in the envelope) and once as a reference within.
    illegal_characters: Strike | None = None
    #: The response to the set before is posted instead. Waits until there is one.
    answer_of_another_set: Strike | None = None
    #: What the hresult faults say.
    hresult: str = "0x80040402"
    hresult_message: str = "An unexpected error occurred. See the qbsdklog.txt file for details."

    #: Answers that the service never got, in order; deliver them with `WebConnector.deliver_late`.
    lost_answers: list[StoredAnswer] = field(default_factory=list)
    #: What has happened: fault and the number it struck.
    struck: list[tuple[FaultName, int]] = field(default_factory=list)
    #: Late answers that wait for the next run.
    late_answers: list[StoredAnswer] = field(default_factory=list, repr=False)
    #: The response before, for `answer_of_another_set`, and whether that fault still waits for one.
    last_response: str | None = field(default=None, repr=False)
    mix_up_waits: bool = field(default=False, repr=False)
    #: Counters, going on from run to run.
    sets_seen: int = 0
    ends_seen: int = 0

    def strikes(self, name: FaultName, number: int) -> bool:
        """Whether `name` happens now; if so, it is noted in `struck`."""
        strike: Strike | None = getattr(self, name)
        if strike is None or not strike.hits(number):
            return False
        self.struck.append((name, number))
        return True


def with_illegal_characters(response: str) -> str:
    """The document with a forbidden character and a reference to one, before its first text.

    Without any text they stand before the last end tag. Who strips both gets the original back.
    """
    found = _FIRST_TEXT.search(response)
    place = found.start(1) if found else max(response.rfind("</"), 0)
    return f"{response[:place]}\x01&#x1;{response[place:]}"
