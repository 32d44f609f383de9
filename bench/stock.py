"""`make bench-stock`: 50,000 items read through the real SOAP conversation, 2,000 of them changed, into a shop.

The served product reads all items of a played Point of Sale; then the worker, a
process of its own, brings what changed to a played shop over real HTTP. What counts is how
few calls the shop gets (batches of 100, one list for each hundred read), that memory
does not grow with the catalogue, and the time beside the bare time of the very
same calls: the floor sends them again, in the same run, and does nothing else.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from bench.figures import Bar, judge, machine, median, spread
from bench.installation import COMPANY, PASSWORD, STORE, Installation
from bench.served import ROOT, Server, environment, qbwoo, serve
from ops_console import going_live, wiring
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from ops_sandbox.web_connector import QwcFile, WebConnector
from queue_store.companies import get_company, get_store
from queue_store.models import Activity
from queue_store.rereading import read_everything
from queue_store.settings import set_store_setting
from woo_bridge.client import ShopClient

_LIVE = ("orders", "customers", "stock", "prices")
#: Variable products, and variations of each; the changed ones lie in some of them.
_PARENTS, _CHILDREN, _CHANGED_PARENTS = 20, 25, 4
_MOST_SESSIONS = 20
_BY_ITSELF = tuple(
    f"{name}_minutes" for name in ("orders", "products", "refunds", "deleted", "customers", "webhooks")
)
_PRICE = Decimal("9.90")

MOST_MIB_MORE = 60.0
MOST_CALLS_OF_LEAST = 1.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the shop got."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    sets: int
    pull_seconds: float
    server_mib: float
    worker_mib: float
    calls: Counter[str]
    seconds: float
    floor_seconds: float
    wrong: tuple[str, ...]


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.stock", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--changed", type=int, default=2_000)
    options = parser.parse_args(words)
    print(machine())
    print(
        f"{options.items} items, {_PARENTS * _CHILDREN} of them variations; {options.changed} change, "
        f"{_CHANGED_PARENTS * _CHILDREN} of these variations of {_CHANGED_PARENTS} products\n"
    )
    results = []
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
            result = run(Path(folder), options.items, options.changed)
        results.append(result)
        print(
            f"run {number}: read in {result.pull_seconds:.1f} s and {result.sets} sets, server +{result.server_mib:.0f} MiB; "
            f"{result.calls.total()} shop calls in {result.seconds:.2f} s (bare {result.floor_seconds:.2f} s), worker "
            f"+{result.worker_mib:.0f} MiB; {len(result.wrong)} wrong",
            flush=True,
        )
        for problem in result.wrong[:5]:
            print(f"  {problem}")
    return _report(results, options.changed)


def least_calls(changed: int) -> Counter[str]:
    """What cannot be done in fewer calls: each hundred is read and written once, between two looks at the orders."""
    variations = _CHANGED_PARENTS * _CHILDREN
    passes = ceil(changed / 100)
    products = changed - variations
    return Counter(
        {
            "orders": 2 * passes,
            "products read": ceil(products / 100),
            "variations read": ceil(variations / 100),
            "products written": ceil(products / 100),
            "variations written": _CHANGED_PARENTS,
        }
    )


def run(folder: Path, items: int, changed: int) -> Result:
    """Everything known and equal; then some of it changes."""
    pos, shop = PosCompanyFile.create(None), Shop.create(seed=False)
    _furnish(pos, shop, items)
    calls: list[Call] = []
    with shop.serve():
        installation = Installation(folder)
        installation.settings = replace(installation.settings, allow_private_stores=True)
        _install(installation, shop)
        with serve(installation.settings, "--no-worker") as server:
            qwc = folder / "books.qwc"
            qbwoo(
                installation.settings,
                "qwc",
                "write",
                COMPANY,
                "--url",
                server.url,
                "--rehearsal",
                "-o",
                str(qwc),
            )
            connector = WebConnector(QwcFile.read(qwc, allow_plain_http=True), PASSWORD, pos)
            at_start = server.weight().resident
            _read(connector)
            _work(installation)
            shop.before_next("ANY", ".*", lambda call: calls.append(_call(call)), count=None)
            expected = _change(pos, changed)
            with installation.database.write() as db:
                read_everything(db, get_company(db, COMPANY))
            began = time.perf_counter()
            sets = _read(connector)
            pull_seconds = time.perf_counter() - began
            server_mib = server.weight().most_resident - at_start
        start_seconds, start_mib = _idle_worker(folder, installation)
        assert not calls, calls
        began = time.perf_counter()
        mib = _work(installation)
        seconds = time.perf_counter() - began - start_seconds
        made = [call for call in calls if re.search("orders|products|variations", call.path)]
        others = len(calls) - len(made)
        floor_seconds = _again(shop, made)
    wrong = [
        f"{sku} shows {there}, not {expected.get(sku, 10)}"
        for sku, there in shop.stocks().items()
        if there != expected.get(sku, 10)
    ]
    if others:
        wrong.append(f"{others} calls that nobody needs")
    wrong += [f"{count} of {kind} are {state}" for kind, state, count in _open_work(installation)]
    installation.close()
    shop.close()
    return Result(
        sets, pull_seconds, server_mib, mib - start_mib, _told(made), seconds, floor_seconds, tuple(wrong)
    )


def _furnish(pos: PosCompanyFile, shop: Shop, items: int) -> None:
    plain = items - _PARENTS * _CHILDREN
    pos.add_items(plain, on_hand={1: 10})
    shop.add_products(plain, stock=10)
    sizes = [f"S{number}" for number in range(_CHILDREN)]
    for parent in range(_PARENTS):
        skus = [f"STYLE-{parent}-{size}" for size in sizes]
        variants = [
            {"alu": sku, "Size": size, "on_hand": {1: 10}} for sku, size in zip(skus, sizes, strict=True)
        ]
        pos.add_style(f"Style {parent}", variants, price1=_PRICE)
        shop.add_variable_product(
            f"Style {parent}",
            {"Size": sizes},
            [
                {"sku": sku, "price": _PRICE, "stock": 10, "options": {"Size": size}}
                for sku, size in zip(skus, sizes, strict=True)
            ],
        )
    # Not deliveries, which nobody would receive here.
    with shop.site.store.transaction():
        shop.site.table("actions").clear()


def _install(installation: Installation, shop: Shop) -> None:
    """The store is that shop, live for stock and prices; its products are known."""
    installation.set_up(items__missing="create")
    box = wiring.open_box(installation.settings)
    with installation.database.write() as db:
        store = get_store(db, STORE)
        store.url, store.consumer_key = shop.home_url, CONSUMER_KEY
        store.consumer_secret = box.seal(CONSUMER_SECRET)
        for key in _BY_ITSELF:
            # What is read again by schedule has nothing to do with what changed in QuickBooks.
            set_store_setting(db, store, f"catch_up.{key}", "0", who="benchmark")
        set_store_setting(db, store, "catch_up.comparison_hour", "never", who="benchmark")
    with ShopClient(shop.home_url, CONSUMER_KEY, CONSUMER_SECRET) as client:
        found = going_live.read_shop(installation.database, client, STORE, _LIVE)
    going_live.begin(installation.database, STORE, _LIVE, found, (), "benchmark")


def _read(connector: WebConnector) -> int:
    """Sessions until nothing is to be read; how many sets they took. Raises RuntimeError."""
    sets = 0
    for _ in range(_MOST_SESSIONS):
        report = connector.run_once()
        sets += report.sets
        if report.outcome == "none" or not report.sets:
            return sets
        if report.outcome != "ok":
            raise RuntimeError(f"the Web Connector: {report.outcome}, {report.status_text}")
    raise RuntimeError("The reading does not come to an end.")


def _change(pos: PosCompanyFile, changed: int) -> dict[str, int]:
    """Other quantities of so many items; by SKU."""
    variations = [f"STYLE-{p}-S{c}" for p in range(_CHANGED_PARENTS) for c in range(_CHILDREN)]
    plain = [item.alu for item in pos.items() if item.alu.startswith("LOAD-")]
    step = len(plain) // (changed - len(variations))
    wanted = [*plain[::step][: changed - len(variations)], *variations]
    ids = {item.alu: item.list_id for item in pos.items()}
    expected = {sku: 11 + number % 7 for number, sku in enumerate(wanted)}
    with pos.transaction():
        for sku, pieces in expected.items():
            pos.set_stock(ids[sku], 1, pieces)
    return expected


def _idle_worker(folder: Path, installation: Installation) -> tuple[float, float]:
    """Seconds and MiB of a worker that finds nothing to do."""
    empty = Installation(folder / "empty")
    empty.close()
    began = time.perf_counter()
    mib = _work(empty)
    return time.perf_counter() - began, mib


def _work(installation: Installation) -> float:
    """`qbwoo worker --once`; the most MiB that it had."""
    command = [sys.executable, "-c", "from ops_console.cli import main; main()", "worker", "--once"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(installation.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    most = 0.0
    done = threading.Event()

    def weigh() -> None:
        nonlocal most
        server = Server("", process, Path())
        while not done.wait(0.02):
            # One that has just ended weighs nothing any more.
            with suppress(KeyError):
                most = max(most, server.weight().most_resident)

    scale = threading.Thread(target=weigh)
    scale.start()
    _, said = process.communicate(timeout=600)
    done.set()
    scale.join()
    if process.returncode:
        raise RuntimeError(f"The worker failed: {said.decode()[-1000:]}")
    return most


def _call(call: Any) -> Call:
    return Call(call.method, call.path, dict(call.query), call.body)


def _again(shop: Shop, made: list[Call]) -> float:
    """The bare time of the same calls."""
    shop.assume_https = True
    began = time.perf_counter()
    with requests.Session() as session:
        session.auth = (CONSUMER_KEY, CONSUMER_SECRET)
        session.trust_env = False
        for call in made:
            url = f"{shop.home_url}{call.path}"
            answer = session.request(call.method, url, params=call.query, json=call.body or None, timeout=60)
            answer.raise_for_status()
            _ = answer.content
    return time.perf_counter() - began


def _told(made: list[Call]) -> Counter[str]:
    """Calls by what they are for."""
    told: Counter[str] = Counter()
    for call in made:
        if call.path.endswith("/orders"):
            told["orders"] += 1
        else:
            what = "variations" if "variations" in call.path else "products"
            told[f"{what} {'read' if call.method == 'GET' else 'written'}"] += 1
    return told


def _open_work(installation: Installation) -> list[tuple[str, str, int]]:
    query = (
        select(Activity.kind, Activity.state, func.count())
        .where(Activity.state.not_in(("succeeded", "superseded", "cancelled")))
        .group_by(Activity.kind, Activity.state)
    )
    with installation.database.read() as db:
        return [(kind, state, count) for kind, state, count in db.execute(query)]


def _report(results: list[Result], changed: int) -> int:
    least = least_calls(changed)
    print("\nshop calls of the last run, and the least that will do")
    for name in least:
        print(f"  {name:20} {results[-1].calls[name]:5} {least[name]:5}")
    ratios = [result.calls.total() / least.total() for result in results]
    times = [result.seconds / result.floor_seconds for result in results]
    lines = {
        "reading all items, s": [result.pull_seconds for result in results],
        "message sets": [float(result.sets) for result in results],
        "worker, s": [result.seconds for result in results],
        "bare calls, s": [result.floor_seconds for result in results],
        "worker / bare calls": times,
        "server MiB more": [result.server_mib for result in results],
        "worker MiB more": [result.worker_mib for result in results],
    }
    for name, values in lines.items():
        print(f"  {name:26} {spread(values, '{:.2f}')}")
    return judge(
        [
            Bar("shop calls / the least", max(ratios), MOST_CALLS_OF_LEAST),
            Bar("server memory above its start", median(lines["server MiB more"]), MOST_MIB_MORE, unit="MiB"),
            Bar("worker memory above its start", median(lines["worker MiB more"]), MOST_MIB_MORE, unit="MiB"),
            Bar("wrong in all runs", float(sum(len(result.wrong) for result in results)), 0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
