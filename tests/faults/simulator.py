"""Bad days, played from a seed: everything goes wrong on the way, and afterwards the books must be right.

    python -m tests.faults.simulator --seeds 1000           many days, from seed 1
    python -m tests.faults.simulator --seed 17 --verbose    one of them, call by call
    python -m tests.faults.simulator --seed 17 --shrink     the fewest steps that still go wrong
    python -m tests.faults.simulator --everything           web orders and undo in every day
    python -m tests.faults.simulator --wire                 over real SOAP and HTTP
    python -m tests.faults.simulator --database postgresql  on PostgreSQL

A day is a list of steps, each with random numbers of its own, so that one can
be left out (`--skip`) without changing the others. Its seed decides too whether
the store sends web orders and whether the operator undoes receipts. After the
storm comes a quiet time: the newest content of every order arrives once more (as
catch-up would bring it), sessions run until there is nothing to do, and the
invariants must hold; then all that failed is retried with nothing refused any
more, and they must hold again.
"""

from __future__ import annotations

import argparse
import gc
import logging
import statistics
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from tests.faults.day import Day
from tests.faults.scene import EVERYTHING, Plot
from tests.faults.stage import Report, Stage, postgres_stage, sqlite_stage
from tests.faults.storage import FULL
from tests.faults.wire import wired

#: What goes wrong; the report tells how often each did.
FAULTS = (
    "HRESULT after execution",
    "HRESULT before execution",
    "a request that QuickBooks cannot read",
    "another company open",
    "answer cut",
    "answer of a call lost",
    "answer of another set",
    "answer repeated after the next set",
    "answer with illegal characters",
    "call lost before it arrived",
    "call made again",
    "clock of QuickBooks moved",
    "clock of QuickBooks put back by days",
    "clock of the service put back",
    "commit failed",
    "company file cannot be opened",
    "connector died after QuickBooks executed",
    "connector died before QuickBooks executed",
    "database locked",
    "database restored",
    "database restored within the minute",
    "disk full",
    "late or repeated answer",
    "line broke after every second set",
    "operator: cancel",
    "operator: deletion tried again",
    "operator: deletion was done already",
    "operator: hold",
    "operator: release",
    "operator: retry",
    "operator: return undone before its sale",
    "operator: reversal tried again",
    "operator: reversal was done already",
    "operator: reversed elsewhere",
    "operator: sales order opened again",
    "operator: undo",
    "operator: undo and send anew",
    "operator: undo of a web order",
    "operator: undo of a web order and send anew",
    "order read again",
    "out of order: close",
    "out of order: connection error",
    "out of order: empty",
    "out of order: last error",
    "out of order: send",
    "refund deleted",
    "refund made",
    "request refused",
    "sales order deleted in QuickBooks",
    "second connector",
    "service restarted",
    "session never closed",
    "shop answered 429",
    "shop answered 500",
    "shop answered a page",
    "shop answered half",
    "shop answered nothing",
    "time passes",
    "webhook delayed",
    "webhook doubled",
    "webhook lost",
    "webhook lost with the database",
    "webhook with an error body",
    "webhooks of an order out of order",
)


#: Faults that a database cannot have here: PostgreSQL's disk is not ours to fill.
NOT_IN = {"postgresql": (FULL,)}
#: Among so many days each fault must have struck.
ENOUGH = 200


def play(stage: Stage, seed: int, **how: Any) -> Report:
    """One day."""
    return Day(stage, seed, **how).run()


def shrink(stage: Stage, seed: int, plot: Plot | None = None) -> list[int]:
    """Steps that can be left out with the day still going wrong."""
    report = play(stage, seed, plot=plot)
    wanted = _kind(report.violations[0])
    skipped: set[int] = set()
    size = max(1, report.steps // 4)
    while True:
        for start in range(0, report.steps, size):
            candidate = skipped | set(range(start, min(start + size, report.steps)))
            if candidate == skipped:
                continue
            found = play(stage, seed, skip=candidate, plot=plot).violations
            if any(_kind(one) == wanted for one in found):
                skipped = candidate
        if size == 1:
            return sorted(skipped)
        size = max(1, size // 2)


def _kind(violation: str) -> str:
    """A violation without its numbers, to tell whether two are the same."""
    return "".join(letter for letter in violation if letter.isalpha())[:25]


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 if anything was broken, or if a fault never fired in 200 days or more."""
    asked = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    # What is loaded by now stays: the collector need not go through it again and again.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    seeds = [asked.seed] if asked.seed else range(asked.first, asked.first + asked.seeds)
    plot = EVERYTHING if asked.everything else None
    how = "".join(
        (
            " --everything" if asked.everything else "",
            " --wire" if asked.wire else "",
            f" --database {asked.database}" if asked.database != "sqlite" else "",
        )
    )
    fired: Counter[str] = Counter()
    reports: list[Report] = []
    with ExitStack() as open_things:
        stage = open_things.enter_context(sqlite_stage() if asked.database == "sqlite" else postgres_stage())
        if asked.wire:
            stage = replace(stage, wire=open_things.enter_context(wired()))
        skip = [int(number) for number in asked.skip.split(",") if number]
        if asked.shrink and asked.seed:
            skip = shrink(stage, asked.seed, plot)
        for seed in seeds:
            tell = asked.verbose or asked.shrink
            report = play(
                stage, seed, skip=skip, log=(lambda line: _say(f"{line}\n")) if tell else None, plot=plot
            )
            fired += report.fired
            reports.append(report)
            if report.violations:
                # One that is shrunk already, or to be played as it is, is told as it is.
                left_out = skip if asked.seed else _shortest(stage, seed, plot)
                _tell(report, how, left_out)
    for name in FAULTS:
        _say(f"{fired[name]:8} {name}\n")
    broken = sum(bool(report.violations) for report in reports)
    wall = statistics.median(report.seconds for report in reports)
    cpu = statistics.median(report.cpu_seconds for report in reports)
    _say(
        f"{len(reports)} days, {broken} with broken promises; a day: {wall:.2f} s, {cpu:.2f} s of CPU (medians)\n"
    )
    absent = [name for name in FAULTS if not fired[name] and name not in NOT_IN.get(asked.database, ())]
    if absent and len(reports) >= ENOUGH:
        _say(f"never fired in {len(reports)} days: {', '.join(absent)}\n")
        return 1
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulator")
    parser.add_argument("--seeds", type=int, default=100, help="how many days")
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--seed", type=int, help="only this day")
    parser.add_argument("--skip", default="", help="steps to leave out: 3,4,17")
    parser.add_argument("--verbose", action="store_true", help="tell every step")
    parser.add_argument("--everything", action="store_true", help="web orders and undo in every day")
    parser.add_argument("--shrink", action="store_true", help="leave out what does not matter")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--wire", action="store_true", help="over real SOAP and HTTP, with a server thread")
    return parser


def _shortest(stage: Stage, seed: int, plot: Plot | None) -> list[int]:
    """Steps that can be left out; none where the day does not go wrong a second time."""
    if not play(stage, seed, plot=plot).violations:
        return []
    return shrink(stage, seed, plot)


def _tell(report: Report, how: str, skip: list[int]) -> None:
    _say(f"seed {report.seed}: {len(report.violations)} broken promises\n")
    for violation in report.violations[:6]:
        _say(f"  {violation}\n")
    command = f"python -m tests.faults.simulator --seed {report.seed} --verbose{how}"
    _say(f"  replay: {command}\n")
    if skip:
        _say(f"  {report.steps - len(skip)} steps do too: {command} --skip {','.join(map(str, skip))}\n")


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
