"""Answers that come late, twice, or to another set: what they say of the past is true, whenever it comes.

Writes: a success always binds, see `settling`. Reads: what they found is known
from now on, unless something newer is; that something was *not* there is no
longer believed, and no look-back is saved by one that comes late. See
docs/decisions/0010-what-a-late-reading-says.md.
"""

from __future__ import annotations

import logging

from qbwc_service import look_back, look_up
from qbwc_service.attributing import settle_evidence
from qbwc_service.errors import UnreadableAnswer
from qbwc_service.run import Run, exchange_of, exchange_suffix
from qbxml.errors import QbxmlError
from qbxml.reader import ResponseSet, read_response
from queue_store.models import Exchange
from queue_store.sessions import answer_to_keep, distrust_sessions, exchanges_by_id
from queue_store.states import ExchangeState

logger = logging.getLogger(__name__)


def take_late(run: Run, response: str) -> None:
    """An answer under a closed or taken-over ticket, or one that nobody waits for: it is used, and opens nothing."""
    if not response:
        return
    try:
        take_evidence(run, read_response(response), response)
    except (QbxmlError, UnreadableAnswer) as error:
        logger.error("late answer in session %s: %s", run.open_session.id, error)


def take_evidence(run: Run, answer: ResponseSet, response: str) -> None:
    """What an answer says of sets of the past."""
    named = {
        exchange_id for one in answer.responses if (exchange_id := exchange_of(one.request_id)) is not None
    }
    known = exchanges_by_id(run.db, run.company.id, named)
    if named - known.keys():
        # We sent it and do not know of it: a backup was put back, and QuickBooks has more than it tells.
        logger.error("company %s: an answer to a set that is not known here; looking back", run.company.name)
        distrust_sessions(run.db, run.company.id)
    with run.db.begin_nested():
        settled = settle_evidence(run, answer)
        read = [
            one for one in known.values() if one.state == ExchangeState.LOST and _take_read(run, one, answer)
        ]
        for exchange in (*settled, *read):
            if exchange.state == ExchangeState.LOST:
                exchange.response = answer_to_keep(run.db, exchange, response)
                exchange.received_at = run.now
                exchange.state = ExchangeState.ANSWERED
        run.db.flush()


def _take_read(run: Run, exchange: Exchange, answer: ResponseSet) -> bool:
    """What a set of look-ups, or a page of look-back, found; True if it was one."""
    if exchange.purpose not in ("look back", "look up"):
        return False
    suffix = exchange_suffix(exchange.id)
    own = [one for one in answer.responses if (one.request_id or "").endswith(suffix)]
    for response in own:
        response.request_id = (response.request_id or "").removesuffix(suffix)
    look_up.take_late_answers(run, exchange, own)
    for response in own:
        if exchange.purpose == "look back" and (response.request_id or "").startswith(look_back.REQUEST_ID):
            look_back.keep(run, look_back.read_documents(run, response), asked_at=exchange.sent_at)
    return True
