"""What became of one run, as tests and operators ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["ok", "none", "invalid user", "busy", "postponed", "failed"]


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """One run of the Web Connector, from serverVersion to its end."""

    outcome: Outcome
    #: Wire name to number of calls, failed ones included.
    calls: Mapping[str, int]
    #: Message sets received from sendRequestXML.
    sets: int
    #: Requests in those sets.
    requests: int
    #: The answers of receiveResponseXML, in order, one for each set answered.
    percentages: tuple[int, ...]
    #: What the status column shows: getLastError's text if asked, else closeConnection's, else the error.
    status_text: str
    #: The Web Connector's own code, such as "QBWC1042"; None without failure of its own, so also when
    #: receiveResponseXML was negative.
    qbwc_code: str | None = None
    #: getLastError's last answer, "" if not asked.
    last_error: str = ""
    #: Answers that work although they do not match Intuit's wire, and what else was strange.
    oddities: tuple[str, ...] = ()
    longest_call_seconds: float = 0.0
    slowest_method: str = ""
    #: authRet[0] in full; "" if the run did not come so far.
    ticket: str = ""
    #: authRet[2]: seconds by which this update was postponed.
    postponed_seconds: int = 0
    #: authRet[3]: the least interval that the service wants, 0 for none.
    minimum_seconds: int = 0
    #: Answers of receiveResponseXML to sets of an earlier run, delivered late in this one.
    late_percentages: tuple[int, ...] = field(default=())
