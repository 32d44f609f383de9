"""What a log record is about: company, store, session, exchange, activity, schedule, by name or id.

Whoever begins a piece of work opens a frame (`about`) and notes in it what it
learns (`noting`); the log's formatter reads it when a record is really written.
So work that writes no record pays for a dictionary, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

#: What may be noted, in the order in which a line shows it.
FACTS = ("company", "store", "session", "exchange", "activity", "schedule")

_frame: ContextVar[dict[str, str | int] | None] = ContextVar("log facts", default=None)


@contextmanager
def about(**facts: str | int) -> Iterator[None]:
    """Records written inside are about these, of `FACTS`, and about what the frame around says."""
    outer = _frame.get()
    token = _frame.set({**outer, **facts} if outer else facts)
    try:
        yield
    finally:
        _frame.reset(token)


def noting(**facts: str | int) -> None:
    """Add to the innermost frame; without one nothing is noted, since nothing would take it back."""
    frame = _frame.get()
    if frame is not None:
        frame.update(facts)


def known() -> Mapping[str, str | int]:
    """What a record written now is about."""
    return _frame.get() or {}
