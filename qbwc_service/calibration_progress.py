"""How far a calibration is: kept with it, so that any call can go on."""

from __future__ import annotations

import msgspec

from qbwc_service.flavours.pos import probes
from qbwc_service.flavours.pos.probes import Taken, World
from qbwc_service.run import Run
from queue_store.models import Calibration

_MOST_PROBES = 50


class Progress(msgspec.Struct, kw_only=True):
    """How far a calibration is; `handed` is the set that left and was not answered yet."""

    step: str = "company"
    handed: str = ""
    #: False: ask which receipts are there before any goes.
    looked: bool = False
    sets: int = 0
    lost: int = 0
    world: World = msgspec.field(default_factory=World)
    #: What became of each probe, by its number.
    answers: dict[int, Taken] = {}
    size: int = _MOST_PROBES
    #: How often a set with one probe alone was lost in a row.
    alone: int = 0
    stock_before: str = ""
    stock_after: str = ""
    #: Probes whose reversal is settled, and how.
    reversed: dict[int, str] = {}
    #: Probes whose reversal was sent and not answered.
    unclear: list[int] = []
    #: How a reversal shows: "", "status", "copy" or "none".
    shown: str = ""


_decoder = msgspec.json.Decoder(Progress)


def progress_of(asked: Calibration) -> Progress:
    """What is kept with the calibration; a fresh one at its beginning."""
    return _decoder.decode(asked.progress) if asked.progress else Progress()


def token_of(asked: Calibration) -> str:
    """What the comments of its receipts begin with."""
    return f"qbwoo-calibration-{asked.id}-"


def department_of(run: Run) -> str:
    """Name of the department that its items are in."""
    return str(run.settings["items.department"])


def missing(state: Progress) -> list[int]:
    """Probes of which nothing is known yet."""
    return [number for number in range(len(probes.probes(state.world))) if number not in state.answers]


def standing(state: Progress) -> list[int]:
    """Probes with a receipt that is not settled to be reversed."""
    return [
        number
        for number, answer in sorted(state.answers.items())
        if answer.txn_id and number not in state.reversed
    ]
