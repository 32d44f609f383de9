"""The reading that a session has under way: a look-back or a pull, page by page; its state is the session's cursor."""

from __future__ import annotations

import msgspec

from qbwc_service import asking, look_back, pulls
from qbwc_service.doubt_documents import settle_at_home
from qbwc_service.look_up import take_answers
from qbwc_service.run import Run
from qbxml.reader import ResponseSet
from queue_store.models import Exchange

#: A long reading that is late gets one set in so many while documents wait.
_TURN = 5


def looks_back(run: Run) -> bool:
    """True if the reading under way is a look-back."""
    return '"look back"' in (run.open_session.cursor or "")


def is_turn(run: Run) -> bool:
    """Every fifth set: so that a backlog of documents cannot starve the catalogue, nor it them."""
    return run.open_session.exchanges % _TURN == _TURN - 1


def begin_pull(run: Run, kind: str) -> list[str]:
    """The requests that begin to read a list."""
    state = pulls.begin(run, kind)
    _keep(run, state)
    return list(pulls.requests(run, state))


def begin_look_back(run: Run) -> list[str]:
    """The requests that begin a look-back; a pull under way begins again later."""
    state = look_back.begin(run)
    run.open_session.looked_back = False
    _keep(run, state)
    return look_back.requests(run, state)


def go_on(run: Run) -> tuple[str, list[str]]:
    """Purpose and requests of the next pages."""
    cursor = run.open_session.cursor or ""
    if looks_back(run):
        return "look back", look_back.requests(run, look_back.decode_look_back(cursor))
    return "read", list(pulls.requests(run, pulls.decode_pull(cursor)))


def stop(run: Run) -> list[str]:
    """What gives QuickBooks its iterators back when the session has to end."""
    cursor = run.open_session.cursor
    if not cursor:
        return []
    if looks_back(run):
        requests = look_back.stop_requests(run, look_back.decode_look_back(cursor))
    else:
        pull = pulls.decode_pull(cursor)
        pulls.cut_short(run, pull)
        requests = [pulls.stop_request(run, pull)] if pull.iterator_id else []
    _keep(run, None)
    return requests


def take_look_back(run: Run, exchange: Exchange, answer: ResponseSet) -> None:
    """Pages of receipts, and the answers to the look-ups that went with them. Raises UnreadableAnswer."""
    state = look_back.decode_look_back(run.open_session.cursor or "")
    take_answers(run, exchange, answer)
    _keep(run, look_back.take_page(run, state, answer))
    read = {txn_id for found in answer.responses for one in found.records if (txn_id := one.text("TxnID"))}
    settle_at_home(run, read)
    asking.settle_what_was_asked(run)


def take_pull(run: Run, answer: ResponseSet) -> None:
    """Pages of a list. Raises UnreadableAnswer."""
    _keep(run, pulls.take_page(run, pulls.decode_pull(run.open_session.cursor or ""), answer))


def _keep(run: Run, state: look_back.LookBack | pulls.Pull | None) -> None:
    run.open_session.cursor = msgspec.json.encode(state).decode() if state else None
