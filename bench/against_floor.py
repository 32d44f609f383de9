"""How the served product compares with the least that a service could do, driven by a load client from elsewhere.

    python -m bench.against_floor --loadclient DIR [--orders 5000] [--runs 7]

DIR holds `qbwc_load.py`, which plays the Web Connector and a QuickBooks that
takes no time, and `floor/serve.py` with `sql_app`: Spyne, one table, nothing
else. The product needs none of it. In each run ours and the floor are started
and drained in turn, so that both meet the same machine; then ours with a long
queue against a short one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.figures import Bar, judge, machine, median, spread
from bench.installation import PASSWORD, USER, Installation
from bench.orders import Line, make_order
from bench.served import Server, free_port, run_server, serve

_SKUS = tuple(f"SKU-{number}" for number in range(3))
#: Our own items, which an order with tax and shipping needs.
_OUR_LINES = ("Online Sales Tax", "Online Shipping")
_EMAIL = "load@example.net"
_FIRST_ID = 100_001

LEAST_RATIO = 0.4
LEAST_OF_SHORT_QUEUE = 0.9


@dataclass(frozen=True, slots=True)
class Drained:
    """One drain, as the load client tells it."""

    items: int
    wall: float
    client_cpu: float
    server_cpu: float
    resident: float
    problems: str

    @property
    def rate(self) -> float:
        return self.items / self.wall

    @property
    def rate_without_client(self) -> float:
        """Items a second of what is not the client's own work."""
        return self.items / max(self.wall - self.client_cpu, 1e-9)

    @property
    def cpu_ms(self) -> float:
        """The server's CPU for each item."""
        return 1000 * self.server_cpu / self.items


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.against_floor", description=__doc__)
    parser.add_argument("--loadclient", type=Path, required=True, metavar="DIR")
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--batch", type=int, default=50, help="requests in a message set")
    parser.add_argument(
        "--long", type=int, default=50_000, help="orders in the long queue; 0: leave that out"
    )
    parser.add_argument("--short", type=int, default=500, help="orders in the short queue, drained from both")
    parser.add_argument("--taxed", action="store_true", help="orders with tax and shipping: 5 lines, not 3")
    parser.add_argument("--log-level", default="INFO")
    options = parser.parse_args(words)
    print(machine())
    print(f"{options.orders} orders of 3 lines{' with tax and shipping' if options.taxed else ''}, "
          f"{options.batch} a set\n")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
        bars = _against_floor(options, Path(folder)) + _long_against_short(options, Path(folder))
    return judge(bars)


def _against_floor(options: argparse.Namespace, folder: Path) -> list[Bar]:
    ready = _ready(options, folder / "ready", options.orders)
    ours: list[Drained] = []
    floors: list[Drained] = []
    for number in range(1, options.runs + 1):
        with _our_server(ready, folder / "ours") as server:
            ours.append(_drain(options, server, "/qbwc", options.orders))
        with _floor_server(options, folder) as server:
            floors.append(_drain(options, server, "/", options.orders))
        print(f"run {number}: ours {_told(ours[-1])}\n       floor {_told(floors[-1])}", flush=True)
    pairs = list(zip(ours, floors, strict=True))
    walls = [one.rate / floor.rate for one, floor in pairs]
    without = [one.rate_without_client / floor.rate_without_client for one, floor in pairs]
    print(
        f"\n  ours, orders/s                   {spread([one.rate for one in ours], '{:.0f}')}\n"
        f"  floor, orders/s                  {spread([one.rate for one in floors], '{:.0f}')}\n"
        f"  ours, server CPU ms an order     {spread([one.cpu_ms for one in ours], '{:.3f}')}\n"
        f"  floor, server CPU ms an order    {spread([one.cpu_ms for one in floors], '{:.3f}')}\n"
        f"  ratio by wall                    {spread(walls, '{:.3f}')}\n"
        f"  ratio by wall less the client    {spread(without, '{:.3f}')}\n"
        f"  ours, MiB at most                {spread([one.resident for one in ours], '{:.0f}')}\n"
    )
    return [
        Bar("ratio to the floor by wall", median(walls), LEAST_RATIO, is_floor=True),
        Bar("ratio to the floor by wall less the client", median(without), LEAST_RATIO, is_floor=True),
    ]


def _long_against_short(options: argparse.Namespace, folder: Path) -> list[Bar]:
    if not options.long:
        return []
    short = _ready(options, folder / "short", options.short)
    long = _ready(options, folder / "long", options.long)
    rates: dict[str, list[float]] = {"short": [], "long": []}
    for _ in range(options.runs):
        for name, ready in (("short", short), ("long", long)):
            with _our_server(ready, folder / "ours") as server:
                drained = _drain(options, server, "/qbwc", options.short)
            rates[name].append(drained.rate)
    ratios = [long_rate / rate for rate, long_rate in zip(rates["short"], rates["long"], strict=True)]
    print(
        f"the first {options.short} orders of a queue of {options.short}, and of {options.long}\n"
        f"  short, orders/s                  {spread(rates['short'], '{:.0f}')}\n"
        f"  long, orders/s                   {spread(rates['long'], '{:.0f}')}\n"
        f"  ratio                            {spread(ratios, '{:.3f}')}"
    )
    return [Bar("long queue to short queue", median(ratios), LEAST_OF_SHORT_QUEUE, is_floor=True)]


def _ready(options: argparse.Namespace, folder: Path, count: int) -> Installation:
    """A queue of orders made ready by the worker, their items and their customer known."""
    installation = Installation(folder, log_level=options.log_level)
    installation.set_up(
        pace__start=str(options.batch),
        pace__most=str(options.batch),
        pull__items_minutes="0",
        pull__customers_minutes="0",
    )
    installation.know(_SKUS, _OUR_LINES, [_EMAIL])
    lines = [Line(sku, 2, Decimal("19.99")) for sku in _SKUS]
    installation.take(
        make_order(_FIRST_ID + number, lines, _EMAIL, taxed=options.taxed) for number in range(count)
    )
    installation.prepare()
    # All of it into the one file that is copied.
    with installation.database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    installation.close()
    return installation


@contextlib.contextmanager
def _our_server(ready: Installation, folder: Path) -> Iterator[Server]:
    """The product on a fresh copy of what is ready."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ready.settings.data_dir, folder)
    copy = Installation(folder, log_level=ready.settings.log_level)
    copy.close()
    with serve(copy.settings) as server:
        yield server


@contextlib.contextmanager
def _floor_server(options: argparse.Namespace, folder: Path) -> Iterator[Server]:
    port = free_port()
    env = {
        **os.environ,
        "FLOOR_BATCH": str(options.batch),
        "FLOOR_ITEMS": str(options.orders),
        "FLOOR_DB": str(folder / "floor.db"),
    }
    script = options.loadclient.absolute() / "floor" / "serve.py"
    command = [sys.executable, str(script), "waitress", "sql_app", str(port)]
    url = f"http://127.0.0.1:{port}"
    with run_server(command, env, folder / "floor.log", url, cwd=folder) as server:
        yield server


def _drain(options: argparse.Namespace, server: Server, path: str, count: int) -> Drained:
    # One session; where the queue is longer, as many sets of it as hold `count` orders, and the look-back.
    rounds = [] if count == options.orders else ["--rounds", str(-(-count // options.batch) + 1)]
    command: Sequence[str] = (
        *(sys.executable, str(options.loadclient.absolute() / "qbwc_load.py"), server.url + path),
        *("--user", USER, "--password", PASSWORD, "--sessions", "1", *rounds),
        *("--items", str(count), "--pid", str(server.pid), "--time-limit", "120", "--json"),
        *(("--pos", "--any-item") if path != "/" else ()),
    )
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if not ended.stdout.strip():
        raise RuntimeError(f"The load client failed: {ended.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    wrong = {
        name: told[name]
        for name in (
            "items_missing",
            "items_applied_twice_or_more",
            "bad_message_sets",
            "oddities",
            "troubles",
        )
        if told.get(name)
    }
    return Drained(
        items=told["items_unique"],
        wall=told["wall_s"],
        client_cpu=told["client_cpu_s"],
        server_cpu=told["server_cpu_s"],
        resident=told["server_peak_rss_mib"],
        problems=str(wrong) if wrong else "",
    )


def _told(drained: Drained) -> str:
    return (
        f"{drained.rate:6.0f}/s, {drained.cpu_ms:.3f} ms CPU an order, {drained.resident:.0f} MiB "
        f"{drained.problems}"
    )


if __name__ == "__main__":
    sys.exit(main())
