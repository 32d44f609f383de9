"""What a calibration found, and the settings that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from qbwc_service.calibration_progress import Progress
from qbwc_service.flavours.pos import probes
from qbwc_service.flavours.pos.probes import Finding, Taken
from qbwc_service.run import Run
from queue_store.calibrations import DONE, FAILED
from queue_store.models import Calibration
from queue_store.settings import set_company_setting

#: Questions whose answer is a setting of that name.
_SETTINGS = (
    "lines.negative",
    "returns.signs",
    "tax.rounding",
    "tax.half",
    "reversals.shown",
    "stock.sales_move_modified",
)


class CalibrationReport(msgspec.Struct, kw_only=True):
    """What was found, which settings it changed (before, after), which receipts stayed."""

    findings: list[Finding]
    settings: dict[str, tuple[str, str]]
    receipts: int
    left: list[str]


report_decoder = msgspec.json.Decoder(CalibrationReport)


def finish(run: Run, asked: Calibration, state: Progress) -> None:
    """All is answered and reversed: the report, and the settings that follow from it."""
    every = probes.probes(state.world)
    answers = [state.answers[number] for number in range(len(every))]
    found = probes.findings(state.world, answers)
    found += [_touching(state), _showing(state)]
    plain = next(one for one in found if one.question == "plain")
    changed: dict[str, tuple[str, str]] = {}
    if plain.answer:
        changed = _set(run, found)
    report = CalibrationReport(
        findings=found,
        settings=changed,
        receipts=sum(bool(answer.txn_id) for answer in answers),
        left=[
            answers[number].number
            for number, how in sorted(state.reversed.items())
            if how not in ("done", "seen")
        ],
    )
    asked.report = msgspec.json.encode(report)
    asked.state, asked.finished_at = DONE, run.now
    if not plain.answer:
        fail(
            run,
            asked,
            f"QuickBooks refused the plainest of receipts: {plain.why}. Mend that, then run it again.",
        )
    run.db.flush()


def _touching(state: Progress) -> Finding:
    """Does a sale move the TimeModified of its item? Told only where the seconds differ."""
    question = "stock.sales_move_modified"
    sold = state.answers.get(0, Taken()).time_created
    if not (state.stock_before and state.stock_after and sold):
        return Finding(question=question, why="QuickBooks did not tell the times")
    before, after = (datetime.fromisoformat(text) for text in (state.stock_before, state.stock_after))
    if after > before:
        return Finding(question=question, answer="yes")
    if datetime.fromisoformat(sold) > before:
        return Finding(question=question, answer="no")
    return Finding(question=question, why="the sale and the item are of one second: run it again")


def _showing(state: Progress) -> Finding:
    question = "reversals.shown"
    if state.shown in ("status", "copy"):
        return Finding(question=question, answer=state.shown)
    return Finding(question=question, why="a reversed receipt looks like any other")


def _set(run: Run, found: Iterable[Finding]) -> dict[str, tuple[str, str]]:
    changed: dict[str, tuple[str, str]] = {}
    for one in found:
        if one.question not in _SETTINGS or not one.answer:
            continue
        before = run.settings.text(one.question)
        if before != one.answer:
            set_company_setting(run.db, run.company, one.question, one.answer, who="calibration")
            run.__dict__.pop("settings", None)
            changed[one.question] = (before, one.answer)
    return changed


def fail(run: Run, asked: Calibration, sentence: str) -> None:
    """It ends without a report; `sentence` says why, and what to do."""
    asked.state, asked.sentence, asked.finished_at = FAILED, sentence, run.now
    run.db.flush()


def shown_report(report: CalibrationReport) -> list[dict[str, Any]]:
    """Rows for people: each question with its answer and the setting that it set."""
    return [
        {
            "question": one.question,
            "answer": one.answer or "not known",
            "why": one.why,
            "set": " -> ".join(report.settings[one.question]) if one.question in report.settings else "",
        }
        for one in report.findings
    ]
