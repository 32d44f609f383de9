"""The reading that a session has under way: a look-back, a pull or a period, page by page; its state is the session's cursor."""

from __future__ import annotations

import msgspec

from qbwc_service import asking, look_back, pulls, reconciling
from qbwc_service.doubt_documents import settle_at_home
from qbwc_service.look_up import take_answers
from qbwc_service.run import Run
from qbwc_service.undone_elsewhere import bind_later_orders, take_note_of_deleted, tell_of_reversed
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


def begin_period(run: Run) -> list[str]:
    """The request that begins to read a period's receipts; none if nobody wants one."""
    period = reconciling.begin(run)
    if period is None:
        return []
    _keep(run, period)
    return [reconciling.request(run, period)]


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
    if reconciling.is_period(cursor):
        return "read", [reconciling.request(run, reconciling.decode_period(cursor))]
    return "read", list(pulls.requests(run, pulls.decode_pull(cursor)))


def stop(run: Run) -> list[str]:
    """What gives QuickBooks its iterators back when the session has to end."""
    cursor = run.open_session.cursor
    if not cursor:
        return []
    if looks_back(run):
        requests = look_back.stop_requests(run, look_back.decode_look_back(cursor))
    elif reconciling.is_period(cursor):
        period = reconciling.decode_period(cursor)
        reconciling.cut_short(run, period)
        requests = [reconciling.stop_request(run, period)] if period.iterator_id else []
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
    if run.open_session.looked_back:
        tell_of_reversed(run, state.suspects)
        bind_later_orders(run, state.suspects)
        take_note_of_deleted(run, look_back.stores_with_all_orders(run, state))
    asking.settle_what_was_asked(run)


def take_read(run: Run, answer: ResponseSet) -> None:
    """Pages of a list, or of a period's receipts. Raises UnreadableAnswer."""
    cursor = run.open_session.cursor or ""
    if reconciling.is_period(cursor):
        _keep(run, reconciling.take_page(run, reconciling.decode_period(cursor), answer))
    else:
        _keep(run, pulls.take_page(run, pulls.decode_pull(cursor), answer))


def give_up(run: Run, why: str) -> None:
    """The reading under way came to nothing: it begins anew another time."""
    cursor = run.open_session.cursor
    if not cursor:
        return
    if reconciling.is_period(cursor):
        reconciling.give_up(run, reconciling.decode_period(cursor), why)
    else:
        pulls.give_up(run, pulls.decode_pull(cursor).kind)


def _keep(run: Run, state: look_back.LookBack | pulls.Pull | reconciling.Period | None) -> None:
    run.open_session.cursor = msgspec.json.encode(state).decode() if state else None
