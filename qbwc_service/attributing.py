"""Whose an answer is: each response finds its attempt by requestID, and settles its activity.

The same rules hold for an answer in time and for one that comes under an old
ticket. What an answer leaves out of its own exchange is in doubt.
"""

from __future__ import annotations

import logging
from typing import TypeAlias

from qbwc_service.binding import read_request_id
from qbwc_service.run import Run
from qbwc_service.settling import Batch, Settled
from qbxml.reader import Response, ResponseSet
from queue_store.drain import attempts_by_number, attempts_in
from queue_store.models import Exchange
from queue_store.sessions import look_back_again
from queue_store.states import ActivityState

logger = logging.getLogger(__name__)

#: Activity, number, exchange.
_Attempt: TypeAlias = tuple[int, int, int]


def settle_answer(run: Run, exchange: Exchange, answer: ResponseSet) -> Settled:
    """Settle all that the answer speaks of; what it leaves out of its own exchange is in doubt."""
    responses = _by_attempt(answer)
    exchange_id = exchange.id
    rows = {(row.id, row.number, exchange_id): row for row in attempts_in(run.db, exchange.id)}
    batch = Batch(run, exchange)
    for attempt, row in rows.items():
        response = responses.get(attempt)
        if response is not None:
            batch.take(row, response)
        elif row.state == ActivityState.SENT and row.attempts == row.number:
            batch.leave_in_doubt(row)
    batch.write()
    if strangers := responses.keys() - rows.keys():
        # An answer to other sets of this company as well: what it says is still true.
        logger.warning("exchange %s: %d responses belong to another set", exchange.id, len(strangers))
        _settle_past(run, {attempt: responses[attempt] for attempt in strangers})
    return batch.result


def settle_evidence(run: Run, answer: ResponseSet) -> list[Exchange]:
    """Settle what an answer says of attempts of the past; gives the exchanges that carried them."""
    return _settle_past(run, _by_attempt(answer))


def _by_attempt(answer: ResponseSet) -> dict[_Attempt, Response]:
    return {
        attempt: response
        for response in answer.responses
        if (attempt := read_request_id(response.request_id)) is not None
    }


def _settle_past(run: Run, responses: dict[_Attempt, Response]) -> list[Exchange]:
    batches: dict[int, Batch] = {}
    for row in attempts_by_number(run.db, run.company.id, {attempt[:2] for attempt in responses}):
        response = responses.get((row.id, row.number, row.attempt_exchange_id))
        exchange = run.db.get(Exchange, row.attempt_exchange_id)
        if response is not None and exchange is not None:
            run.asked_turn = exchange.turn
            batch = batches.setdefault(exchange.id, Batch(run, exchange))
            batch.take(row, response)
    for batch in batches.values():
        batch.write()
    if any(batch.unclear for batch in batches.values()):
        look_back_again(run.db, run.company.id)
    return [batch.exchange for batch in batches.values()]
