"""Mutated input for everything that is read from outside, from seeds.

    python -m tests.fuzz.run --cases 50000 --seed 1 --what all
    python -m tests.fuzz.run --what webhooks --seed 1 --first 1234 --cases 1     one case again
    python -m tests.fuzz.run --replay var/fuzz/answers-0123456789ab.json         a kept one

`--what` is soap, answers, webhooks, headers or all. A case that breaks a promise is
made small, kept, and printed with the command that plays it again. What must hold is
said in `tests.fuzz.targets` and `tests.fuzz.promises`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops_console import schema
from queue_store.database import Database
from tests.fuzz.case import Case, shrunk
from tests.fuzz.targets import TARGETS, Finding, Target
from tests.fuzz.world import Unexpected, World

#: By so much the process may grow after the first 500 cases or the first tenth of them, in MB.
MOST_GROWTH = 96
BATCH = 500
KEPT = Path("var/fuzz")


@dataclass
class Report:
    """How the cases of one target went."""

    what: str
    cases: int = 0
    deep: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    growth: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.what}: {self.cases} cases ({self.deep} followed into the books) in {self.seconds:.0f} s, "
            f"slowest answer {self.slowest:.2f} s, memory +{self.growth:.0f} MB, answers {{{statuses}}}, "
            f"{len(self.findings)} findings"
        )


def fuzz(
    kind: type[Target],
    folder: Path,
    template: Path,
    *,
    seed: int,
    cases: int,
    first: int = 0,
    most_findings: int = 10,
    deep: int = 40,
    keep: Path = KEPT,
    minutes: float = 0,
) -> Report:
    """Play `cases` of one target from number `first` on, or as many as go into `minutes`."""
    report = Report(kind.name)
    began, base = time.perf_counter(), 0.0
    with _listening() as unexpected:
        target = kind(lambda: World(folder / kind.name, template, unexpected), seed, deep)
        try:
            for number in range(first, first + cases):
                case = target.case(number)
                problem = _problem(target, case, report)
                done = number + 1 - first
                is_over = done == cases or (minutes and time.perf_counter() - began > 60 * minutes)
                if problem is None and (done % BATCH == 0 or is_over):
                    problem = _settled(target)
                if problem is not None:
                    unexpected.said.clear()
                    report.findings.append(_kept(target, case, problem, seed, keep))
                    if len(report.findings) >= most_findings:
                        break
                    target.fresh()
                if not base and done >= max(1, cases // 10, BATCH):
                    base = _memory()
                if is_over:
                    break
            report.growth = max(0.0, _memory() - (base or _memory()))
        finally:
            target.close()
    report.seconds = time.perf_counter() - began
    if report.growth > MOST_GROWTH:
        report.findings.append(
            f"{kind.name}: memory grew by {report.growth:.0f} MB, at most {MOST_GROWTH} are allowed"
        )
    return report


def _problem(target: Target, case: Case, report: Report | None = None) -> str | None:
    """What the case breaks."""
    try:
        reply = target.play(case)
    except Finding as finding:
        return str(finding)
    except Exception as error:  # noqa: BLE001 - what no part of the application caught
        return f"{type(error).__name__} came through: {error}"
    if report is not None:
        report.cases += 1
        report.deep += case.deep
        report.slowest = max(report.slowest, min(reply.seconds, reply.cpu))
        report.statuses[reply.status] += 1
    return None


def _settled(target: Target) -> str | None:
    try:
        target.settle()
    except Finding as finding:
        return f"after the batch: {finding}"
    return None


def _kept(target: Target, case: Case, problem: str, seed: int, keep: Path) -> str:
    again = f"python -m tests.fuzz.run --what {case.what} --seed {seed} --first {case.number} --cases 1"
    if problem.startswith("after the batch"):
        first = max(0, case.number + 1 - BATCH)
        again = f"python -m tests.fuzz.run --what {case.what} --seed {seed} --first {first} --cases {BATCH}"
        return f"{problem}\n  replay: {again}"

    def fails(smaller: Case) -> bool:
        target.world.unexpected.said.clear()
        return _problem(target, smaller) is not None

    small = shrunk(case, fails, most=25 if case.deep else 200)
    file = small.save(keep)
    return f"{problem}\n  kept ({len(small.data)} bytes): {file}\n  replay: python -m tests.fuzz.run --replay {file}\n  or: {again}"


@contextmanager
def _listening() -> Iterator[Unexpected]:
    """Hears what the application logs, which is not printed meanwhile."""
    root, handler = logging.getLogger(), Unexpected()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    try:
        yield handler
    finally:
        root.handlers[:] = before
        root.setLevel(level)


def _memory() -> float:
    """Resident memory of this process in MB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


@contextmanager
def stage() -> Iterator[tuple[Path, Path]]:
    """A folder for worlds, in memory where the system has that, and a migrated database to be copied."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(
        prefix="qbwoo-fuzz-", dir=shared if os.access(shared, os.W_OK) else None
    ) as folder:
        template = Path(folder) / "template.db"
        database = Database(f"sqlite:///{template}")
        schema.upgrade(database)
        database.close()
        yield Path(folder), template


def main() -> int:
    names = [kind.name for kind in TARGETS]
    parser = argparse.ArgumentParser(prog="tests.fuzz.run", description="Mutated input, from seeds.")
    parser.add_argument("--cases", type=int, default=50_000, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--what", choices=[*names, "all"], default="all")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--minutes", type=float, default=0, help="end earlier, after so long with each")
    parser.add_argument("--replay", type=Path, help="a kept case")
    given = parser.parse_args()
    with stage() as (folder, template):
        if given.replay:
            case = Case.load(given.replay)
            kind = next(kind for kind in TARGETS if kind.name == case.what)
            with _listening() as unexpected:
                target = kind(lambda: World(folder / kind.name, template, unexpected), given.seed)
                problem = _problem(target, case)
                target.close()
            print(problem or "nothing is wrong with it")
            return 1 if problem else 0
        failed = False
        for kind in TARGETS:
            if given.what in (kind.name, "all"):
                report = fuzz(
                    *(kind, folder, template),
                    seed=given.seed,
                    cases=given.cases,
                    first=given.first,
                    minutes=given.minutes,
                )
                print(report, flush=True)
                for finding in report.findings:
                    failed = True
                    print(f"- {finding}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
