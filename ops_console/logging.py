"""One event, one record, without secrets: as a line of text, or as a line of JSON for a collector of logs."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from ops_console.terminal import visible
from queue_store import log_context

LOG_FORMATS = ("text", "json")

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


def set_up_logging(level: str, stream: TextIO | None = None, *, log_format: str = "text") -> None:
    """Everything from `level` up goes to `stream`, by default stderr, in a form of `LOG_FORMATS`.

    A second call replaces the first.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneObject() if log_format == "json" else OneLine())
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
    """Time (UTC), level, logger, message and what it is about; what has several lines is joined by " | "."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's own name
        return _moment(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        facts = _facts()
        about = f" ({' '.join(f'{name}={value}' for name, value in facts.items())})" if facts else ""
        return super().formatMessage(record) + about

    def format(self, record: logging.LogRecord) -> str:
        # A name or a body from outside must not be able to forge a line of its own.
        lines = redact(super().format(record)).splitlines()
        return visible(" | ".join(line.strip() for line in lines if line.strip()))


class OneObject(JsonFormatter):
    """An object in one line: time, level, logger, message, each of `log_context.FACTS` that is known, and exc_info.

    Ids are text, since they are longer than the numbers that JavaScript's programs read exactly.
    """

    def __init__(self) -> None:
        super().__init__(json_ensure_ascii=False, reserved_attrs=RESERVED_ATTRS)

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data |= {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.message,
            **{name: str(value) for name, value in _facts().items()},
        }
        super().add_fields(log_data, record, message_dict)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        # Before it is spelt as JSON, where a quotation mark looks otherwise.
        return {
            name: visible(redact(value)) if isinstance(value, str) else value
            for name, value in log_data.items()
        }


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _facts() -> Mapping[str, str | int]:
    known = log_context.known()
    return {name: known[name] for name in log_context.FACTS if name in known}
