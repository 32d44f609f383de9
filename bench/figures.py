"""What the benchmarks have in common in telling their results: medians, bars, the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def median(values: Iterable[float]) -> float:
    """The middle value, or the mean of the two middle ones."""
    return statistics.median(values)


def spread(values: Sequence[float], form: str = "{:.2f}") -> str:
    """Median, least and greatest, such as "0.42 (0.39 to 0.44)"."""
    low, middle, high = (form.format(value) for value in (min(values), median(values), max(values)))
    return f"{middle} ({low} to {high})"


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` of all lie; 0.0 if there are none."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else 0.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that has to be reached."""

    what: str
    value: float
    #: At most this, or with `is_floor` at least.
    limit: float
    is_floor: bool = False
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def __str__(self) -> str:
        word = "at least" if self.is_floor else "at most"
        unit = f" {self.unit}" if self.unit else ""
        mark = "met   " if self.is_met else "MISSED"
        return f"  {mark}  {self.what}: {self.value:.3f}{unit}, {word} {self.limit:g}{unit}"


def judge(bars: Sequence[Bar]) -> int:
    """Print every bar; the exit status, 1 when one is missed."""
    print("\nBars (medians)")
    for bar in bars:
        print(bar)
    return 0 if all(bar.is_met for bar in bars) else 1


def machine() -> str:
    """On what this runs, on one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{_processor()}, {cores} cores{load}; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()
