"""Calibration: a dozen receipts in practice mode find out how this QuickBooks computes.

Its progress is kept with the calibration, so that any call can go on. Before
receipts go, and again after each lost answer, QuickBooks is asked which of
them it has: none is written twice. At the end all are reversed, one first: it
shows how a reversal is seen here, and only then go the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.pos import probes
from qbwc_service.flavours.pos.probes import Finding, Taken, World
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.records import Record
from qbxml.statuses import classify_status
from queue_store.calibrations import DONE, FAILED, is_practice, next_asked
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.models import Calibration
from queue_store.settings import set_company_setting

#: Sets that one calibration may take, and that may be lost.
_MOST_SETS = 80
_MOST_LOST = 15
_MOST_PROBES = 50
#: After so many, what is in it is taken to be unreadable.
_MOST_ALONE = 2
#: Questions whose answer is a setting of that name.
_SETTINGS = ("lines.negative", "returns.signs", "tax.rounding", "tax.half", "reversals.shown")


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


class CalibrationReport(msgspec.Struct, kw_only=True):
    """What was found, which settings it changed (before, after), which receipts stayed."""

    findings: list[Finding]
    settings: dict[str, tuple[str, str]]
    receipts: int
    left: list[str]


_decoder = msgspec.json.Decoder(Progress)
report_decoder = msgspec.json.Decoder(CalibrationReport)


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
        _fail(run, asked, "The company is not in practice mode any more: nothing was sent.")
        return None
    state = _decoder.decode(asked.progress) if asked.progress else Progress()
    state.sets += 1
    if state.handed:
        _lost(state)
    if state.sets > _MOST_SETS or state.lost > _MOST_LOST:
        why = run.open_session.last_error or "its answers were lost again and again."
        _fail(run, asked, f"The calibration came to no end: {why} Run it again.")
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


def _token(asked: Calibration) -> str:
    return f"qbwoo-calibration-{asked.id}-"


def _next(run: Run, asked: Calibration, state: Progress) -> list[str]:
    name = run.request_id
    token = _token(asked)
    if state.step == "company":
        state.handed = "company"
        return [run.spelling.company_request(name("C"))]
    if state.step == "items":
        state.handed = "items"
        return probes.item_requests(state.world, _department(run), [name(f"I{n}") for n in range(3)])
    if state.step == "add":
        state.handed = "add"
        return _additions(run, state)
    if state.step == "after":
        state.handed = "after"
        return [probes.stock_item_request(state.world, name("S"))]
    if not state.looked:
        state.handed = "look"
        return [probes.receipts_request(token, name("K"))]
    if state.step == "probes":
        every = probes.probes(state.world)
        missing = _missing(state)[: state.size]
        state.handed, state.looked = "probes", False
        return [
            probes.probe_request(every[number], state.world, f"{token}{number}", name(f"N{number}"))
            for number in missing
        ]
    to_reverse = _standing(state)[: None if state.shown else 1]
    state.handed, state.looked, state.unclear = "reverse", False, to_reverse
    return [probes.reverse_request(state.answers[number].txn_id, name(f"V{number}")) for number in to_reverse]


def _department(run: Run) -> str:
    return str(run.settings["items.department"])


def _additions(run: Run, state: Progress) -> list[str]:
    world = state.world
    if not world.department_id:
        return [probes.department_request(_department(run), run.request_id("A"))]
    wanted = [stock for stock, known in ((False, world.item_id), (True, world.stock_id)) if not known]
    return [
        probes.item_add_request(world, stock=stock, request_id=run.request_id(f"A{int(stock)}"))
        for stock in wanted
    ]


def _missing(state: Progress) -> list[int]:
    """Probes of which nothing is known yet."""
    return [number for number in range(len(probes.probes(state.world))) if number not in state.answers]


def _standing(state: Progress) -> list[int]:
    """Probes with a receipt that is not settled to be reversed."""
    return [
        number
        for number, answer in sorted(state.answers.items())
        if answer.txn_id and number not in state.reversed
    ]


# Answers ------------------------------------------------------------------------


def take(run: Run, answer: ResponseSet) -> None:
    """Keep an answer and go on. Raises UnreadableAnswer."""
    asked = next_asked(run.db, run.company.id)
    if asked is None or asked.progress is None:
        return
    state = _decoder.decode(asked.progress)
    handed, state.handed = state.handed, ""
    by_id = {response.request_id or "": response for response in answer.responses}
    if handed == "company":
        _take_company(run, state, _records(by_id.get("C"), "the company"))
    elif handed == "items":
        _take_items(run, state, by_id)
    elif handed == "add":
        _take_additions(run, asked, by_id.values())
        state.step = "items"
    elif handed == "look":
        _take_look(asked, state, _records(by_id.get("K"), "the receipts"))
    elif handed == "probes":
        _take_probes(state, by_id)
    elif handed == "after":
        state.stock_after = _moment(_records(by_id.get("S"), "the item"))
        state.step = "reverse"
    elif handed == "reverse":
        _take_reversals(state, by_id)
    asked.progress = msgspec.json.encode(state)
    run.db.flush()
    if asked.state == FAILED:
        return
    if state.step == "reverse" and not _standing(state) and (state.looked or not state.answers):
        _finish(run, asked, state)


def _outcome(response: Response) -> Outcome:
    return classify_status(response.status_code, response.status_severity, response.status_message).outcome


def _records(response: Response | None, what: str) -> list[Record]:
    if response is None:
        raise UnreadableAnswer(f"{what} is missing from the answer")
    if _outcome(response) not in (Outcome.DONE, Outcome.EMPTY):
        raise UnreadableAnswer(
            f"{what} could not be read: {response.status_message} ({response.status_code})"
        )
    return [record for record in response.records if len(record.element)]


def _take_company(run: Run, state: Progress, found: list[Record]) -> None:
    if not found:
        raise UnreadableAnswer("QuickBooks tells nothing of its company")
    state.world = World(taxes=probes.company_taxes(found[0]), untaxed=run.settings["lines.tax_code"])
    state.step = "items"


def _take_items(run: Run, state: Progress, by_id: Mapping[str, Response]) -> None:
    department, plain, stock = (_records(by_id.get(f"I{number}"), "an item") for number in range(3))
    name, alus = _department(run).casefold(), (probes.PLAIN_ITEM[0], probes.STOCK_ITEM[0])
    world = state.world
    world.department_id = _id(department, "DepartmentName", name)
    world.item_id, world.stock_id = _id(plain, "ALU", alus[0]), _id(stock, "ALU", alus[1])
    state.stock_before = _moment(stock)
    state.step = "probes" if world.department_id and world.item_id and world.stock_id else "add"


def _id(found: list[Record], field: str, name: str) -> str:
    # Compared here: how QuickBooks' own filters compare is not certain.
    return next(
        (
            record.text("ListID") or ""
            for record in found
            if (record.text(field) or "").casefold() == name.casefold()
        ),
        "",
    )


def _moment(found: list[Record]) -> str:
    moment = found[0].moment("TimeModified") if found else None
    return moment.isoformat() if moment else ""


def _take_additions(run: Run, asked: Calibration, responses: Iterable[Response]) -> None:
    for response in responses:
        if _outcome(response) not in (Outcome.DONE, Outcome.RETRY, Outcome.IN_DOUBT):
            _fail(
                run,
                asked,
                f"QuickBooks refused an item of the calibration: {response.status_message} ({response.status_code}). "
                "Mend that, then run it again.",
            )


def _take_look(asked: Calibration, state: Progress, found: list[Record]) -> None:
    state.looked = True
    token = _token(asked)
    by_number: dict[int, list[Record]] = {}
    for record in found:
        word = (record.text("Comments") or "").split(maxsplit=1)[:1]
        ending = word[0].removeprefix(token) if word and word[0].startswith(token) else ""
        if ending.isdigit():
            by_number.setdefault(int(ending), []).append(record)
    if state.step == "probes":
        for number, records in by_number.items():
            state.answers.setdefault(number, probes.taken(records[0]))
        if state.alone >= _MOST_ALONE:
            missing = _missing(state)[:1]
            state.answers |= {number: Taken(refusal="QuickBooks could not read it") for number in missing}
            state.alone = 0
        _end_probes(state)
        return
    for number, records in by_number.items():
        _see_reversal(state, number, records)
    for number in state.unclear:
        if number not in state.reversed and state.shown not in ("status", "copy"):
            # Whether it was reversed cannot be told: never a second time.
            state.reversed[number] = "unclear"
    state.unclear = []


def _see_reversal(state: Progress, number: int, records: list[Record]) -> None:
    answer = state.answers.get(number)
    if answer is None or not answer.txn_id:
        return
    own = next((record for record in records if record.text("TxnID") == answer.txn_id), None)
    others = [record for record in records if record.text("TxnID") != answer.txn_id]
    if own is not None and (own.text("HistoryDocStatus") or "Regular") != "Regular":
        seen = "status"
    elif answer.total and any(record.decimal("Total") == -answer.total for record in others):
        seen = "copy"
    else:
        seen = ""
    if seen:
        state.shown = seen
        state.reversed.setdefault(number, "seen")
    elif state.reversed.get(number) == "done" and not state.shown:
        state.shown = "none"


def _take_probes(state: Progress, by_id: Mapping[str, Response]) -> None:
    state.alone = 0
    for number in range(len(probes.probes(state.world))):
        response = by_id.get(f"N{number}")
        if response is None:
            continue
        outcome = _outcome(response)
        if outcome is Outcome.DONE:
            found = [record for record in response.records if record.text("TxnID")]
            if found:
                state.answers[number] = probes.taken(found[0])
        elif outcome not in (Outcome.RETRY, Outcome.IN_DOUBT):
            refusal = f"{response.status_message.strip()} (status {response.status_code})"
            state.answers[number] = Taken(refusal=refusal)
    _end_probes(state)


def _end_probes(state: Progress) -> None:
    if len(state.answers) == len(probes.probes(state.world)):
        # None of them is reversed yet, so there is nothing to look for.
        state.step, state.looked = "after", True


def _take_reversals(state: Progress, by_id: Mapping[str, Response]) -> None:
    for number in list(state.unclear):
        response = by_id.get(f"V{number}")
        if response is None or _outcome(response) is Outcome.IN_DOUBT:
            continue
        state.unclear.remove(number)
        if _outcome(response) is Outcome.DONE:
            state.reversed[number] = "done"
        elif _outcome(response) is not Outcome.RETRY:
            state.reversed[number] = f"refused: {response.status_message} ({response.status_code})"
    # How the first one shows is looked at, and what was not answered.
    state.looked = bool(state.shown) and not state.unclear


# The end ------------------------------------------------------------------------


def _finish(run: Run, asked: Calibration, state: Progress) -> None:
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
        _fail(
            run,
            asked,
            f"QuickBooks refused the plainest of receipts: {plain.why}. Mend that, then run it again.",
        )
    run.db.flush()


def _touching(state: Progress) -> Finding:
    """Does a sale move the TimeModified of its item? Told only where the seconds differ."""
    question = "items.time_modified"
    sold = state.answers.get(0, Taken()).time_created
    if not (state.stock_before and state.stock_after and sold):
        return Finding(question=question, why="QuickBooks did not tell the times")
    before, after = (datetime.fromisoformat(text) for text in (state.stock_before, state.stock_after))
    if after > before:
        return Finding(question=question, answer="moved by sales")
    if datetime.fromisoformat(sold) > before:
        return Finding(question=question, answer="not moved by sales")
    return Finding(question=question, why="the sale and the item are of one second: run it again")


def _showing(state: Progress) -> Finding:
    question = "reversals.shown"
    if state.shown in ("status", "copy"):
        return Finding(question=question, answer=state.shown)
    return Finding(question=question, why="a reversed receipt looks like any other")


def _set(run: Run, found: Iterable[Finding]) -> dict[str, tuple[str, str]]:
    changed: dict[str, tuple[str, str]] = {}
    for one in found:
        if one.question not in _SETTINGS or one.question not in COMPANY_SETTINGS or not one.answer:
            continue
        before = run.settings.text(one.question)
        if before != one.answer:
            set_company_setting(run.db, run.company, one.question, one.answer, who="calibration")
            run.__dict__.pop("settings", None)
            changed[one.question] = (before, one.answer)
    return changed


def _fail(run: Run, asked: Calibration, sentence: str) -> None:
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


__all__ = ["CalibrationReport", "is_due", "report_decoder", "requests", "shown_report", "take"]
