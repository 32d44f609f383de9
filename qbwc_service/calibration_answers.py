"""What QuickBooks answered to the sets of a calibration, noted in its progress."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qbwc_service.calibration_progress import Progress, department_of, missing, token_of
from qbwc_service.calibration_report import fail
from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.pos import probe_requests, probes
from qbwc_service.flavours.pos.probes import Taken, World
from qbwc_service.run import Run
from qbxml.outcomes import Outcome
from qbxml.reader import Response, ResponseSet
from qbxml.records import Record
from qbxml.statuses import classify_status
from queue_store.models import Calibration

#: After so many, what is in it is taken to be unreadable.
_MOST_ALONE = 2


def note_answer(run: Run, asked: Calibration, state: Progress, answer: ResponseSet) -> None:
    """Note in `state` what the answer to its last set says. Raises UnreadableAnswer."""
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
    state.world = World(taxes=probe_requests.company_taxes(found[0]), untaxed=run.settings["lines.tax_code"])
    state.step = "items"


def _take_items(run: Run, state: Progress, by_id: Mapping[str, Response]) -> None:
    department, plain, stock = (_records(by_id.get(f"I{number}"), "an item") for number in range(3))
    name, alus = department_of(run).casefold(), (probe_requests.PLAIN_ITEM[0], probe_requests.STOCK_ITEM[0])
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
            fail(
                run,
                asked,
                f"QuickBooks refused an item of the calibration: {response.status_message} ({response.status_code}). "
                "Mend that, then run it again.",
            )


def _take_look(asked: Calibration, state: Progress, found: list[Record]) -> None:
    state.looked = True
    token = token_of(asked)
    by_number: dict[int, list[Record]] = {}
    for record in found:
        word = (record.text("Comments") or "").split(maxsplit=1)[:1]
        ending = word[0].removeprefix(token) if word and word[0].startswith(token) else ""
        if ending.isdigit():
            by_number.setdefault(int(ending), []).append(record)
    if state.step == "probes":
        for number, records in by_number.items():
            state.answers.setdefault(number, probe_requests.taken(records[0]))
        if state.alone >= _MOST_ALONE:
            spoiling = missing(state)[:1]
            state.answers |= {number: Taken(refusal="QuickBooks could not read it") for number in spoiling}
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
                state.answers[number] = probe_requests.taken(found[0])
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
