"""One event, one line, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

from ops_console.terminal import visible

#: Each first group stays, and what follows it is blotted out: the last defence, should a secret
#: ever get into a message of ours or of a library.
_SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(://[^/\s:@]+:)[^/\s@]+(?=@)",
        r"(\b(?:password|passwd|strPassword|secret|consumer_secret|consumer_key|oauth_signature)\b[\"']?\s*[=:>]\s*[\"']?)[^\s\"'<&,;)]+",
        r"(\b(?:ck|cs)_)[0-9a-f]{8,}",
        r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|oauth)\s+)[^\s\"',]+",
    )
)


def set_up_logging(level: str, stream: TextIO | None = None) -> None:
    """Everything from `level` up goes to `stream`, by default stderr. A second call replaces the first."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Their routine is not news: every request, every parsed namespace.
    # Spyne is not among them: its loggers print bodies, and are off altogether (`qbwc_service.soap`).
    for library in ("urllib3", "waitress.queue", "alembic"):
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def redact(text: str) -> str:
    """`text` without what looks like a password, a key or a secret."""
    for pattern in _SECRETS:
        text = pattern.sub(r"\1***", text)
    return text


class OneLine(logging.Formatter):
    """Time (UTC), level, logger and message; what has several lines is joined by " | "."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"

    def format(self, record: logging.LogRecord) -> str:
        # A name or a body from outside must not be able to forge a line of its own.
        lines = redact(super().format(record)).splitlines()
        return visible(" | ".join(line.strip() for line in lines if line.strip()))
