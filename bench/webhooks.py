"""`make bench-webhooks`: how many signed orders a second the service takes, beside the least a receiver could do.

Both are served in processes of their own and posted to in turn, in the same
run, by a client in a third. Ours runs as installed, its worker included, which
makes documents ready while orders still come. A webhook is lost when it was
answered 200 and its order is not in the database; WooCommerce sends none twice.

With `--loadclient DIR` client and floor are those of DIR (`webhook_load.py`,
`floor/webhook_app.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Bar, judge, machine, median, spread
from bench.installation import STORE, WEBHOOK_SECRET, Installation
from bench.served import ROOT, Server, free_port, run_server, serve

LEAST_RATIO = 0.4
LEAST_A_SECOND = 200.0
MOST_P99_MS = 50.0
_FIRST_ID = 200_001


@dataclass(frozen=True, slots=True)
class Posted:
    """One run of the client against one receiver."""

    rate: float
    #: The same without the client's own CPU time.
    rate_without_client: float
    p50: float
    p99: float
    longest: float
    ok: int
    lost: int
    cpu_ms: float
    most_resident: float

    def __str__(self) -> str:
        return (
            f"{self.rate:6.0f}/s, p50 {self.p50:.2f} ms, p99 {self.p99:.2f} ms, longest {self.longest:.0f} ms, "
            f"{self.cpu_ms:.3f} ms CPU each, {self.most_resident:.0f} MiB, {self.ok} answered 200, {self.lost} lost"
        )


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.webhooks", description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--loadclient", type=Path, metavar="DIR")
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--no-worker", action="store_true")
    options = parser.parse_args(words)
    print(machine())
    print(f"{options.count} webhooks, {options.connections} connections\n")
    ours: list[Posted] = []
    floors: list[Posted] = []
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
            ours.append(_ours(options, Path(folder)))
        with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
            floors.append(_floor(options, Path(folder)))
        print(f"run {number}: ours  {ours[-1]}\n       floor {floors[-1]}", flush=True)
    ratios = [one.rate / floor.rate for one, floor in zip(ours, floors, strict=True)]
    without = [
        one.rate_without_client / floor.rate_without_client for one, floor in zip(ours, floors, strict=True)
    ]
    print(
        f"\n  ours, webhooks/s                {spread([one.rate for one in ours], '{:.0f}')}\n"
        f"  floor, webhooks/s               {spread([one.rate for one in floors], '{:.0f}')}\n"
        f"  ratio                           {spread(ratios, '{:.3f}')}\n"
        f"  ratio less the client's CPU     {spread(without, '{:.3f}')}\n"
        f"  ours, p50 ms                    {spread([one.p50 for one in ours])}\n"
        f"  ours, p99 ms                    {spread([one.p99 for one in ours])}\n"
        f"  floor, p99 ms                   {spread([one.p99 for one in floors])}\n"
        f"  ours, CPU ms a webhook          {spread([one.cpu_ms for one in ours], '{:.3f}')}\n"
        f"  ours, MiB at most               {spread([one.most_resident for one in ours], '{:.0f}')}"
    )
    return judge(
        [
            Bar("ratio to the floor", median(ratios), LEAST_RATIO, is_floor=True),
            Bar("webhooks a second", median([one.rate for one in ours]), LEAST_A_SECOND, is_floor=True),
            Bar("p99", median([one.p99 for one in ours]), MOST_P99_MS, unit="ms"),
            Bar("lost in all runs", float(sum(one.lost for one in ours)), 0),
            Bar("not answered 200 in all runs", float(sum(options.count - one.ok for one in ours)), 0),
        ]
    )


def _ours(options: argparse.Namespace, folder: Path) -> Posted:
    installation = Installation(folder, log_level=options.log_level)
    installation.set_up()
    installation.close()
    with serve(installation.settings, *(["--no-worker"] if options.no_worker else [])) as server:
        told = _post(options, server, f"/webhooks/woocommerce/{STORE}")
        # Counted before the server ends: what was answered is committed already.
        rows = _ids(installation.database_file, "SELECT record_id FROM activities WHERE kind = 'sale'")
        return _posted(options, server, told, rows)


def _floor(options: argparse.Namespace, folder: Path) -> Posted:
    with _floor_server(options, folder) as server:
        told = _post(options, server, "/")
        table = "webhook" if options.loadclient else "webhooks"
        return _posted(options, server, told, _ids(folder / "floor.db", f"SELECT id FROM {table}"))


@contextlib.contextmanager
def _floor_server(options: argparse.Namespace, folder: Path) -> Iterator[Server]:
    port = free_port()
    common = ("--port", str(port), "--secret", WEBHOOK_SECRET)
    if options.loadclient:
        script = options.loadclient.absolute() / "floor" / "webhook_app.py"
        command: Sequence[str] = (sys.executable, str(script), *common, "--db", str(folder / "floor.db"))
    else:
        database = str(folder / "floor.db")
        command = (sys.executable, "-m", "bench.floor_webhooks", *common, "--database", database)
    with run_server(command, os.environ, folder / "floor.log", f"http://127.0.0.1:{port}") as server:
        yield server


def _post(options: argparse.Namespace, server: Server, path: str) -> dict[str, Any]:
    before = server.weight()
    common = (
        *(server.url + path, "--secret", WEBHOOK_SECRET, "--count", str(options.count)),
        *("--connections", str(options.connections), "--first-id", str(_FIRST_ID)),
    )
    if options.loadclient:
        script = options.loadclient.absolute() / "webhook_load.py"
        command: Sequence[str] = (sys.executable, str(script), *common, "--json")
    else:
        command = (sys.executable, "-m", "bench.webhook_client", *common)
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    if not ended.stdout.strip():
        raise RuntimeError(f"The client failed: {ended.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    told["cpu"] = server.weight().cpu_seconds - before.cpu_seconds
    return told


def _posted(options: argparse.Namespace, server: Server, told: dict[str, Any], rows: set[str]) -> Posted:
    ok = int(told["answered"]) - int(told["non_200"]) if options.loadclient else int(told["ok"])
    sent = {str(_FIRST_ID + number) for number in range(options.count)}
    return Posted(
        rate=ok / told["wall_s"],
        rate_without_client=ok / max(told["wall_s"] - told["client_cpu_s"], 1e-9),
        p50=told["p50_ms"],
        p99=told["p99_ms"],
        longest=told["max_ms"],
        ok=ok,
        # With all answered 200 this names each; else it is how many rows are too few.
        lost=len(sent - rows) if ok == options.count else max(0, ok - len(rows & sent)),
        cpu_ms=1000 * told["cpu"] / max(ok, 1),
        most_resident=server.weight().most_resident,
    )


def _ids(database: Path, query: str) -> set[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return {str(row[0]) for row in connection.execute(query)}


if __name__ == "__main__":
    sys.exit(main())
