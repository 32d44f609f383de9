"""Bad days, played from a seed: everything goes wrong on the way, and afterwards the books must be right.

    python -m tests.faults.simulator --seeds 1000           many days, from seed 1
    python -m tests.faults.simulator --seed 17 --verbose    one of them, call by call
    python -m tests.faults.simulator --seed 17 --shrink     the fewest steps that still go wrong
    python -m tests.faults.simulator --everything           web orders and undo in every day

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
import logging
import sys
from collections import Counter
from typing import Any

from tests.faults.day import Day
from tests.faults.scene import EVERYTHING, Plot
from tests.faults.stage import Report, Stage, sqlite_stage

#: What goes wrong; the report tells how often each did.
FAULTS = (
    "HRESULT after execution",
    "HRESULT before execution",
    "a request that QuickBooks cannot read",
    "answer cut",
    "answer repeated after the next set",
    "answer of a call lost",
    "answer of another set",
    "answer with illegal characters",
    "call lost before it arrived",
    "call made again",
    "clock of QuickBooks moved",
    "clock of QuickBooks put back by days",
    "company file cannot be opened",
    "connector died after QuickBooks executed",
    "connector died before QuickBooks executed",
    "database restored",
    "database restored within the minute",
    "late or repeated answer",
    "line broke after every second set",
    "operator: cancel",
    "operator: hold",
    "operator: release",
    "operator: retry",
    "operator: deletion tried again",
    "operator: deletion was done already",
    "operator: reversal tried again",
    "operator: reversal was done already",
    "operator: return undone before its sale",
    "operator: reversed elsewhere",
    "operator: sales order opened again",
    "operator: undo",
    "operator: undo and send anew",
    "operator: undo of a web order",
    "operator: undo of a web order and send anew",
    "order read again",
    "refund deleted",
    "refund made",
    "out of order: close",
    "out of order: connection error",
    "out of order: empty",
    "out of order: last error",
    "out of order: send",
    "request refused",
    "sales order deleted in QuickBooks",
    "second connector",
    "service restarted",
    "session never closed",
    "time passes",
    "webhook delayed",
    "webhook doubled",
    "webhook lost",
)


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
    """The command; 1 if anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulator")
    parser.add_argument("--seeds", type=int, default=100, help="how many days")
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--seed", type=int, help="only this day")
    parser.add_argument("--skip", default="", help="steps to leave out: 3,4,17")
    parser.add_argument("--verbose", action="store_true", help="tell every step")
    parser.add_argument("--everything", action="store_true", help="web orders and undo in every day")
    parser.add_argument("--shrink", action="store_true", help="leave out what does not matter")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)

    def say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    seeds = [asked.seed] if asked.seed else range(asked.first, asked.first + asked.seeds)
    plot = EVERYTHING if asked.everything else None
    fired: Counter[str] = Counter()
    broken, seconds = 0, []
    with sqlite_stage() as stage:
        skip = [int(number) for number in asked.skip.split(",") if number]
        if asked.shrink and asked.seed:
            skip = shrink(stage, asked.seed, plot)
        for seed in seeds:
            tell = asked.verbose or asked.shrink
            log = (lambda line: say(f"{line}\n")) if tell else None
            report = play(stage, seed, skip=skip, log=log, plot=plot)
            fired += report.fired
            seconds.append(report.seconds)
            if report.violations:
                broken += 1
                say(f"seed {seed}: {len(report.violations)} broken promises\n")
                for violation in report.violations[:6]:
                    say(f"  {violation}\n")
                how = " --everything" if asked.everything else ""
                left_out = f"{how} --skip {','.join(map(str, skip))}" if skip else how
                say(f"  replay: python -m tests.faults.simulator --seed {seed} --verbose{left_out}\n")
    for name in FAULTS:
        say(f"{fired[name]:8} {name}\n")
    median = sorted(seconds)[len(seconds) // 2]
    say(f"{len(seconds)} days, {broken} with broken promises, {median:.2f} s median\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
