"""Calibration: a dozen receipts in practice mode find out how this QuickBooks computes.

Its progress is kept with the calibration, so that any call can go on. Before
receipts go, and again after each lost answer, QuickBooks is asked which of
them it has: none is written twice. At the end all are reversed, one first: it
shows how a reversal is seen here, and only then go the others.
"""

from __future__ import annotations

import msgspec

from qbwc_service.calibration_answers import note_answer
from qbwc_service.calibration_progress import (
    Progress,
    department_of,
    missing,
    progress_of,
    standing,
    token_of,
)
from qbwc_service.calibration_report import fail, finish
from qbwc_service.flavours.pos import probe_requests, probes
from qbwc_service.run import Run
from qbxml.reader import ResponseSet
from queue_store.calibrations import FAILED, is_practice, next_asked
from queue_store.models import Calibration

#: Sets that one calibration may take, and that may be lost.
_MOST_SETS = 80
_MOST_LOST = 15


def is_due(run: Run) -> bool:
    """True if a calibration waits, or is under way."""
    return next_asked(run.db, run.company.id) is not None


def requests(run: Run) -> list[str] | None:
    """The next set of the calibration that is under way; None if none is."""
    if run.open_session.exchanges and not is_practice(run.company):
        return None  # One that was asked for before has failed with the first set of the session.
    asked = next_asked(run.db, run.company.id)
    if asked is None:
        return None
    if not is_practice(run.company):
        fail(run, asked, "The company is not in practice mode any more: nothing was sent.")
        return None
    state = progress_of(asked)
    state.sets += 1
    if state.handed:
        _lost(state)
    if state.sets > _MOST_SETS or state.lost > _MOST_LOST:
        why = run.open_session.last_error or "its answers were lost again and again."
        fail(run, asked, f"The calibration came to no end: {why} Run it again.")
        return None
    found = _next(run, asked, state)
    asked.progress = msgspec.json.encode(state)
    run.db.flush()
    return found


def _lost(state: Progress) -> None:
    """The last set was not answered: what it did is asked first."""
    state.lost += 1
    if state.handed == "probes":
        state.alone += state.size == 1
        state.size = max(1, state.size // 4)
    state.handed, state.looked = "", False


def _next(run: Run, asked: Calibration, state: Progress) -> list[str]:
    name = run.request_id
    token = token_of(asked)
    if state.step == "company":
        state.handed = "company"
        return [run.spelling.company_request(name("C"))]
    if state.step == "items":
        state.handed = "items"
        return probe_requests.item_requests(
            state.world, department_of(run), [name(f"I{n}") for n in range(3)]
        )
    if state.step == "add":
        state.handed = "add"
        return _additions(run, state)
    if state.step == "after":
        state.handed = "after"
        return [probe_requests.stock_item_request(state.world, name("S"))]
    if not state.looked:
        state.handed = "look"
        return [probe_requests.receipts_request(token, name("K"))]
    if state.step == "probes":
        every = probes.probes(state.world)
        to_send = missing(state)[: state.size]
        state.handed, state.looked = "probes", False
        return [
            probe_requests.probe_request(every[number], state.world, f"{token}{number}", name(f"N{number}"))
            for number in to_send
        ]
    to_reverse = standing(state)[: None if state.shown else 1]
    state.handed, state.looked, state.unclear = "reverse", False, to_reverse
    return [
        probe_requests.reverse_request(state.answers[number].txn_id, name(f"V{number}"))
        for number in to_reverse
    ]


def _additions(run: Run, state: Progress) -> list[str]:
    world = state.world
    if not world.department_id:
        return [probe_requests.department_request(department_of(run), run.request_id("A"))]
    wanted = [stock for stock, known in ((False, world.item_id), (True, world.stock_id)) if not known]
    return [
        probe_requests.item_add_request(world, stock=stock, request_id=run.request_id(f"A{int(stock)}"))
        for stock in wanted
    ]


def take(run: Run, answer: ResponseSet) -> None:
    """Keep an answer and go on. Raises UnreadableAnswer."""
    asked = next_asked(run.db, run.company.id)
    if asked is None or asked.progress is None:
        return
    state = progress_of(asked)
    note_answer(run, asked, state, answer)
    asked.progress = msgspec.json.encode(state)
    run.db.flush()
    if asked.state == FAILED:
        return
    if state.step == "reverse" and not standing(state) and (state.looked or not state.answers):
        finish(run, asked, state)
