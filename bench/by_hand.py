"""`make bench-by-hand`: what a person has done with all records at once, at 1,000, 10,000 and 100,000 of them.

Every `push` and `pull`, the matching and the lists of products, each as a process of
its own beside a played shop over real HTTP. What counts is that memory does not grow
with the records: the most that the process had, held against the smallest size. The
time is of the process itself (CPU), so that the played shop does not count.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.figures import Bar, judge, machine
from bench.installation import COMPANY, STORE, Installation
from bench.served import ROOT, Server, Weight, environment
from ops_console import wiring
from ops_console.settings import ProcessSettings
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from qbwc_service.flavours.pos.items import style_key
from queue_store.catalogue import fold, store_customers, store_items
from queue_store.companies import get_company, get_store
from queue_store.models import PullMark
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem

SIZES = (1_000, 10_000, 100_000)
MOST_MIB_MORE = 60.0
_AT_ONCE = 1_000
_PIECES_THERE = 12
_WATCHED_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Command:
    """One command of qbwoo, and the data that it is run on."""

    name: str
    words: tuple[str, ...]
    #: "unmatched", "matched", "no items", or "no products".
    base: str = "matched"
    #: What the store is live for beside that.
    live: str = ""


COMMANDS = (
    Command("mapping match", ("mapping", "match"), "unmatched"),
    Command("push customers", ("push", "customers", "--yes"), "unmatched"),
    Command("push products", ("push", "products", "--yes"), "no items"),
    Command("push inventory", ("push", "inventory", "--yes")),
    Command("push prices", ("push", "prices", "--yes")),
    Command("pull products", ("pull", "products", "--yes"), "no products", "products"),
    Command("pull inventory", ("pull", "inventory", "--yes")),
    Command("pull prices", ("pull", "prices", "--yes")),
    Command("pull prices, live", ("pull", "prices", "--yes"), live="prices"),
    Command("pull customers", ("pull", "customers"), "unmatched"),
    Command("product list", ("product", "list")),
    Command("reconcile products", ("reconcile", "products")),
    Command(
        "product sync",
        ("product", "sync", "--all", "--field", "price", "--from", "quickbooks", "--yes"),
        live="prices",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What one command cost."""

    name: str
    records: int
    seconds: float
    cpu_seconds: float
    #: The most that it had, MiB.
    mib: float


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.by_hand", description=__doc__)
    parser.add_argument("--records", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", nargs="+", help="Only commands whose name begins so.")
    parser.add_argument(
        "--most-seconds", type=float, default=1800, help="Of one command; then it is given up."
    )
    options = parser.parse_args(words)
    chosen = [
        one for one in COMMANDS if not options.only or any(one.name.startswith(word) for word in options.only)
    ]
    print(f"{machine()}\n")
    print(f"{'':20} {'records':>8} {'s':>8} {'CPU s':>8} {'peak MiB':>9}", flush=True)
    results: list[Result] = []
    for records in sorted(options.records):
        for result in measure(chosen, records, options.most_seconds):
            results.append(result)
            print(
                f"{result.name:20} {result.records:8} {result.seconds:8.1f} {result.cpu_seconds:8.1f} "
                f"{result.mib:9.0f}",
                flush=True,
            )
    return judge(list(_bars(results)))


def _bars(results: Sequence[Result]) -> Iterator[Bar]:
    for name in dict.fromkeys(one.name for one in results):
        sizes = {one.records: one.mib for one in results if one.name == name}
        more = sizes[max(sizes)] - sizes[min(sizes)]
        what = f"{name}, memory at {max(sizes)} above {min(sizes)}"
        yield Bar(what, more, MOST_MIB_MORE, unit="MiB")


def measure(commands: Sequence[Command], records: int, most_seconds: float) -> Iterator[Result]:
    """Each of these at so many records, on data of its own."""
    with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
        shop = Shop.create(seed=False)
        shop.add_products(records, stock=10)
        if any("customers" in one.name for one in commands):
            shop.add_customers(records)
        # Not deliveries, which nobody would receive here.
        with shop.site.store.transaction():
            shop.site.table("actions").clear()
        shop.assume_https = True
        try:
            with shop.serve():
                base = Path(folder) / "unmatched"
                settings = _furnish(base, shop, records)
                yield from _measure(commands, records, Path(folder), settings, most_seconds)
        finally:
            shop.close()


def _measure(
    commands: Sequence[Command], records: int, folder: Path, settings: ProcessSettings, most_seconds: float
) -> Iterator[Result]:
    wants_matched = any(one.base == "matched" for one in commands)
    if wants_matched or any(one.name == "mapping match" for one in commands):
        matched = _copy(settings, folder / "matched")
        result = _run(COMMANDS[0], records, matched, most_seconds)
        if COMMANDS[0] in commands:
            yield result
    for command in commands:
        if command is COMMANDS[0]:
            continue
        own = _copy(_base_of(settings, folder, command.base), folder / "own")
        if command.base == "no items":
            _execute(own, "DELETE FROM catalogue_items")
        if command.live:
            _execute(own, f"UPDATE stores SET live_kinds = '{command.live}'")
        yield _run(command, records, own, most_seconds)
        shutil.rmtree(own.data_dir)


def _base_of(settings: ProcessSettings, folder: Path, base: str) -> ProcessSettings:
    """The installation that a command begins with."""
    return _at(settings, folder / ("matched" if base == "matched" else "unmatched"))


def _at(settings: ProcessSettings, folder: Path) -> ProcessSettings:
    return replace(settings, data_dir=folder, database_url=f"sqlite:///{folder / 'qbwoo.db'}")


def _copy(settings: ProcessSettings, folder: Path) -> ProcessSettings:
    _execute(settings, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copytree(settings.data_dir, folder)
    return _at(settings, folder)


def _execute(settings: ProcessSettings, statement: str) -> None:
    with closing(sqlite3.connect(settings.data_dir / "qbwoo.db")) as connection, connection:
        connection.execute(statement)


def _furnish(folder: Path, shop: Shop, records: int) -> ProcessSettings:
    """QuickBooks' items and customers are read; the shop's are not yet."""
    installation = Installation(folder)
    installation.settings = replace(installation.settings, allow_private_stores=True)
    installation.set_up(stock__stores="1")
    box = wiring.open_box(installation.settings)
    now = datetime.now(UTC)
    with installation.database.write() as db:
        company = get_company(db, COMPANY)
        company.turn = 1
        store = get_store(db, STORE)
        store.url, store.live_kinds = shop.home_url, ""
        store.consumer_key, store.consumer_secret = CONSUMER_KEY, box.seal(CONSUMER_SECRET)
        for kind in ("items", "customers"):
            db.add(PullMark(company_id=company.id, kind=kind, complete=True, finished_at=now))
        company_id = company.id
    for start in range(0, records, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, records))
        with installation.database.write() as db:
            store_items(db, [_item(company_id, number) for number in numbers])
            store_customers(db, [_customer(company_id, number, now) for number in numbers])
    installation.close()
    return installation.settings


def _item(company_id: int, number: int) -> dict[str, Any]:
    """The item of the shop's product of this number: two pieces and a dime more than that shows."""
    item = BookItem(
        list_id=str(-1_000_000 - number),
        item_number=str(number + 1),
        item_type="Inventory",
        alu=f"LOAD-{number:05d}",
        name=f"Load item {number}",
        is_web=True,
        on_hand={"1": Decimal(_PIECES_THERE)},
        prices={"1": Decimal(f"{1 + number % 97}.{number % 100:02d}") + Decimal("0.10")},
    )
    return {
        "company_id": company_id,
        "list_id": item.list_id,
        "item_number": item.item_number,
        "alu_key": fold(item.alu),
        "name": item.name,
        "item_type": item.item_type,
        "is_web": True,
        "style_key": style_key(item),
        "content": encode(item),
        "asked_turn": 1,
        "deleted": False,
    }


def _customer(company_id: int, number: int, now: datetime) -> dict[str, Any]:
    """Half of them have an account in the shop."""
    mail = f"customer{number}@{'load.example' if number % 2 else 'other.example'}"
    return {
        "company_id": company_id,
        "list_id": str(-5_000_000 - number),
        "email_key": mail,
        "customer_id_key": "",
        "first_name": f"Load{number}",
        "last_name": f"Customer{number}",
        "postcode": "94105",
        "fields": b"{}",
        "time_modified": now,
        "read_at": now,
        "deleted": False,
    }


def _run(command: Command, records: int, settings: ProcessSettings, most_seconds: float) -> Result:
    """Run it to its end, heard by nobody, and watch what it costs. Raises RuntimeError if it fails."""
    store = () if command.words[:2] == ("product", "list") else ("--store", STORE)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", "from ops_console.cli import main; main()", *command.words, *store],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    watched = Server("", process, Path())
    last = Weight()
    done = threading.Event()

    def watch() -> None:
        nonlocal last
        while not done.wait(_WATCHED_EVERY):
            # One that has just ended weighs nothing any more.
            with suppress(KeyError):
                weight = watched.weight()
                last = weight if weight.most_resident else last

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        _, said = process.communicate(timeout=most_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    finally:
        done.set()
        watching.join()
    # 1: some of the records could not be sent, which is no failure of the command.
    if process.returncode not in (0, 1) or b"Traceback" in said:
        raise RuntimeError(f"{command.name} failed ({process.returncode}): {said.decode()[-2000:]}")
    return Result(command.name, records, time.perf_counter() - began, last.cpu_seconds, last.most_resident)


if __name__ == "__main__":
    sys.exit(main())
