"""What a run did, call by call, and the line it would leave in QWCLog.txt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

#: At log level DEBUG the Web Connector shows this many characters of XML.
SHOWN_CHARACTERS = 50


@dataclass(frozen=True)
class Event:
    """One call of the service, or, with `method` "", a remark between two calls."""

    #: When it ended; UTC.
    at: datetime
    #: The wire name, such as "sendRequestXML".
    method: str
    seconds: float
    #: Short, on one line, without passwords.
    text: str


def log_line(event: Event) -> str:
    """The event as the Web Connector's log words it: `YYYYMMDD.HH:MM:SS UTC : ...`."""
    stamp = event.at.astimezone(UTC).strftime("%Y%m%d.%H:%M:%S UTC")
    place = f"QBWebConnector.SOAPWebService.do_{event.method}() : " if event.method else ""
    return f"{stamp} : {place}{event.text}"


def shorten(text: str) -> str:
    """At most 50 characters, on one line."""
    line = " ".join(text[: SHOWN_CHARACTERS * 4].split())
    return line if len(line) <= SHOWN_CHARACTERS else line[:SHOWN_CHARACTERS] + "..."
