"""How a session gets on: the size of its sets, and the percentage that the Web Connector shows."""

from __future__ import annotations

from datetime import timedelta

from qbwc_service import sending
from qbwc_service.run import Run
from queue_store.models import Exchange


def adapt_pace(run: Run, exchange: Exchange) -> None:
    """Sets grow while QuickBooks answers well inside the target, and shrink when it does not."""
    if exchange.purpose != "write" and not exchange.reads:
        return
    target = timedelta(seconds=run.settings["pace.target_seconds"])
    taken = run.now - exchange.sent_at
    size, most = sending.set_size(run), run.settings["pace.most"]
    if taken > target:
        adapted = max(1, size // 2)
    elif taken < target / 2 and exchange.requests >= size // 2:
        adapted = min(most, size * 2)
    else:
        return
    if adapted != run.company.set_size:
        # Not set where nothing changes: the ORM would look for what does.
        run.company.set_size = adapted


def percent(run: Run, *, outstanding: bool) -> int:
    """0 to 99 while work is waiting, never falling; 100 when none is, which ends the session.

    `outstanding`: an answer is still to come.
    """
    session = run.open_session
    if not outstanding and not sending.has_more(run):
        session.percent = 100
        return 100
    whole = max(session.work_at_start, session.settled + 1)
    session.percent = max(session.percent, min(99, 100 * session.settled // whole))
    return session.percent
