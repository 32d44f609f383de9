"""Days of stock, from seeds: two shops, one company, everything that goes wrong, and an oracle beside it.

    python -m tests.day.run --seed 1                a full day
    python -m tests.day.run --seed 1 --seeds 20 --jobs 2
    python -m tests.day.run --seed 7 --small        a quarter of a day with few goods; --tiny, --brief: still less
    python -m tests.day.run --seed 7 --small --verbose --story day.txt --keep days

A seed tells the same story each time, to the byte: its digest is told. `--variation` plays it with
other ids. `--story` writes down all that passed on the wires, `--keep` the databases of days that broke a promise.

2,000 items of which 300 in styles, 600 web orders, 400 sales at the tills, 60
refunds, 30 changes of prices. Webhooks come late, doubled, or never, and are off for an
hour; a shop is down for 20 minutes; orders and sales fall between our reading
and our writing; the Point of Sale is any that the reference permits. What must hold is
said in `tests.day.oracle` and `tests.day.evening`.
"""

from __future__ import annotations

import argparse
import copy
import logging
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ops_console.handwork import release, retry
from queue_store.companies import get_company
from queue_store.models import Activity
from queue_store.rereading import read_everything
from tests.day import evening
from tests.day.chance import drawn_from
from tests.day.clock import running
from tests.day.oracle import Oracle
from tests.day.people import People
from tests.day.plot import SIZES, Plot, Size
from tests.day.story import Story
from tests.day.world import Broken, World, come_to_rest, make_world
from tests.faults.snapshots import Snapshot

_JOBS = ("orders", "refunds", "deleted", "products", "customers", "comparison")
#: A day that is wrong all over is told by its first lines.
_MOST_TOLD = 12


@dataclass
class Report:
    """How a day went."""

    seed: int
    broken: list[str] = field(default_factory=list)
    fired: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    calls: int = 0
    #: Of the processor.
    seconds: float = 0.0
    #: Days of one digest were one and the same.
    digest: str = ""


def play(
    seed: int,
    size: Size,
    *,
    variation: int = 0,
    say: Callable[[str], None] = lambda line: None,
    story_path: Path | None = None,
    keep: Path | None = None,
) -> Report:
    """One day; each `variation` of it has other ids. `keep` is a folder for the database of a day that broke a promise, `story_path` a file for every line."""
    report, began = Report(seed), time.process_time()
    plot, story = Plot.of(seed, size), Story(say, story_path)
    with (
        closing(story),
        drawn_from(f"{seed} {variation}"),
        tempfile.TemporaryDirectory(prefix="qbwoo-day-") as folder,
        running() as clock,
    ):
        try:
            with make_world(plot, clock, Path(folder), story) as world:
                Day(world, report).run()
        except Broken as broken:
            report.broken.append(str(broken))
        except Exception:  # noqa: BLE001 - whatever the service raises breaks the day
            report.broken.append(traceback.format_exc()[-2500:])
        for line in report.broken:
            story.note(line)
        report.digest = story.digest
        if report.broken and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(folder) / "qbwoo.db", keep / f"seed-{seed}.db")
    report.seconds = time.process_time() - began
    return report


class Day:
    """One day of one world."""

    def __init__(self, world: World, report: Report) -> None:
        self.world, self.report = world, report
        self.oracle = Oracle(world)
        self.people = People(world, random.Random(f"people {world.plot.seed}"))
        self.rng = random.Random(f"troubles {world.plot.seed}")
        self._is_disabled = False
        self._snapshot: Snapshot | None = None
        self._remembered: Any = None

    def run(self) -> None:
        world = self.world
        world.after_pass = self._look
        begin = world.clock.now
        end = begin + timedelta(hours=world.plot.size.hours)
        world.clock.every(timedelta(minutes=1), self._minute, until=end)
        world.clock.every(timedelta(minutes=10), self._connector, until=end)
        self.people.plan(begin + timedelta(minutes=5), end - timedelta(minutes=45))
        self._plan_troubles(begin, end)
        self._hooks()
        world.is_storm = True
        try:
            world.clock.run_until(end)
            self._evening()
        finally:
            self.report.fired.update(world.fired)
            self.report.looks, self.report.calls = self.oracle.looks, world.calls
            if self._snapshot is not None:
                self._snapshot.close()

    def _look(self) -> None:
        found = self.oracle.look()
        for line in found:
            self.world.story.tell(f"BROKEN {line}")
        self.report.broken += [f"{self.world.clock.now:%H:%M:%S} {line}" for line in found]
        if len(self.report.broken) > _MOST_TOLD:
            raise Broken("and more")

    # What happens by the clock

    def _minute(self) -> None:
        world, rng = self.world, self.rng
        for shop in world.shops.values():
            if world.is_storm and rng.random() < 0.04:
                world.count("webhooks lost")
                shop.lose_next_deliveries(rng.randrange(1, 8))
            if world.is_storm and rng.random() < 0.03:
                shop.duplicate_deliveries = not shop.duplicate_deliveries
                world.count("webhooks doubled, or no more")
            if world.is_storm and rng.random() < 0.03:
                shop.delay_deliveries(rng.choice((None, timedelta(minutes=rng.randrange(2, 40)))))
                world.count("webhooks late, or no more")
            if world.is_storm and rng.random() < 0.03:
                shop.reorder_deliveries(rng.choice((None, rng)))
            if world.is_storm and rng.random() < 0.02:
                world.count("answers of a shop lost")
                shop.lose_next_answers("POST", 1, path=r"/products.*batch")
            if world.is_storm and rng.random() < 0.01:
                world.count("a batch breaks off")
                shop.break_next_batch(rng.randrange(3))
            if self._is_disabled:
                self._set_webhooks("disabled")
        world.deliver()
        world.work()

    def _connector(self) -> None:
        self.world.session()

    def _set_webhooks(self, status: str) -> None:
        for shop in self.world.shops.values():
            for number in list(shop.site.table("webhooks")):
                shop.set_webhook_status(number, status)

    def _plan_troubles(self, begin: Any, end: Any) -> None:
        world, rng, plot = self.world, self.rng, self.world.plot
        span = end - begin - timedelta(hours=2.5)

        def moment() -> Any:
            return begin + timedelta(minutes=20) + span * rng.random()

        down = rng.choice(sorted(world.shops))
        world.clock.at(moment(), lambda: self._down(down))
        off = moment()
        world.clock.at(off, lambda: self._disable(True))
        world.clock.at(off + timedelta(hours=1), lambda: self._disable(False))
        if plot.pauses:
            name, at = rng.choice(sorted(world.shops)), moment()
            world.clock.at(at, lambda: self._pause(name))
        if plot.restores:
            at = moment()
            world.clock.at(at, self._back_up)

    def _down(self, name: str) -> None:
        self.world.shops[name].down_for(timedelta(minutes=20))
        self.world.count("a shop down for 20 minutes")

    def _disable(self, disabled: bool) -> None:
        self._is_disabled = disabled
        if disabled:
            self.world.count("webhooks off for an hour")
            self._set_webhooks("disabled")

    def _pause(self, name: str) -> None:
        world = self.world
        if name == "north":
            world.no_edits.add(name)
        busy = {world.items[name][number] for number in world.busy(name) if number in world.items[name]}
        if any(edit.shop == name and edit.told and edit.list_id in busy for edit in world.ledger.edits):
            # Nobody but the service knows whether it has made an adjustment of it by now: the operator waits.
            world.clock.after(timedelta(minutes=5), lambda: self._pause(name))
            return
        world.pause(name)
        self.oracle.pause(name)
        world.count("paused, and live again")
        world.clock.after(timedelta(minutes=45), lambda: self._go_live(name))

    def _go_live(self, name: str) -> None:
        world = self.world
        if world.shops[name].app.is_down:
            world.clock.after(timedelta(minutes=5), lambda: self._go_live(name))
            return
        with world.shops[name].site.store.transaction():
            table = world.shops[name].site.table("orders")
            open_then = [
                number
                for number, one in table.items()
                if one["status"] in ("pending", "on-hold", "processing")
            ]
        world.go_live(name)
        self.oracle.gone_live(name, open_then)
        world.work()
        world.no_edits.discard(name)

    def _back_up(self) -> None:
        world = self.world
        if self.people.are_home:
            return
        world.no_edits.add("north")
        if self.oracle.open_edits():
            # What of them is in the backup only the service knows: the operator waits until all are in the books.
            world.clock.after(timedelta(minutes=5), self._back_up)
            return
        world.clock.after(timedelta(hours=1), self._restore)
        self._snapshot = Snapshot(world.database)
        self._remembered = (
            world.ledger.now,
            copy.deepcopy(world.ledger.told),
            set(self.oracle.paused),
            {name: set(orders) for name, orders in self.oracle.before.items()},
        )

    def _restore(self) -> None:
        world = self.world
        world.no_edits.discard("north")
        if self.people.are_home:
            return
        if set(self.oracle.paused) != self._remembered[2]:
            return
        if any(orders != self._remembered[3].get(name, set()) for name, orders in self.oracle.before.items()):
            # It went live meanwhile: another story.
            return
        world.database.engine.dispose()
        assert self._snapshot is not None
        self._snapshot.restore(world.database)
        moment, world.ledger.told, *_ = self._remembered
        world.ledger.forgotten(moment)
        world.conversation.start()
        world.new_scheduler()
        world.count("database of the service put back by an hour")
        world.ledger.touched.update(world.skus)
        # What the shops show was written by what is forgotten now, and knew more.
        world.ledger.strange |= {(name, number) for name in world.shops for number in world.items[name]}

    # What falls in between

    def _hooks(self) -> None:
        world, rng, chance = self.world, world_rng(self.world), self.world.plot.in_between

        def sale_between(where: str) -> None:
            if world.happens(f"sale at the till {where}", chance):
                self.people.sell()

        world.between = sale_between

        def at_adjustment(request: Any) -> None:
            if world.happens("sale of what is being adjusted", 0.3):
                self.people.sell(request.findtext(".//ListID"))

        world.pos.before_next("InventoryQtyAdjustmentAddRq", at_adjustment, count=None)
        for name, shop in world.shops.items():

            def order_written(call: Any, name: str = name) -> None:
                if world.happens("order between reading and writing", chance):
                    number = rng.choice([one["id"] for one in call.body["update"]])
                    list_id = world.items[name].get(number)
                    if list_id is not None:
                        self.people.order(name, world.skus[list_id])

            def order_read(call: Any, name: str = name) -> None:
                if world.happens("order right after orders were read", chance / 4):
                    self.people.order(name)

            shop.before_next("WRITE", r"/products.*/batch", order_written, count=None)
            shop.after_next("WRITE", r"/products.*/batch", order_written, count=None)
            shop.after_next("GET", r"/orders", order_read, count=None)

    # The evening

    def _evening(self) -> None:
        world = self.world
        world.is_storm, self._is_disabled = False, False
        # An order that is brought back now would stay a web order: nobody completes it any more.
        self.people.are_home = True
        for shop in world.shops.values():
            shop.end_faults()
            shop.lose_next_deliveries(0)
            shop.duplicate_deliveries = False
            shop.delay_deliveries(None)
            shop.reorder_deliveries(None)
            for order in shop.orders():
                if order["status"] in ("on-hold", "processing"):
                    shop.complete(order["id"])
                    self.people._touch(order)
        self._calm()
        self._operate()
        self._calm()
        for name in world.shops:
            for job in _JOBS:
                for progress in world.scheduler.run_now(job, name):
                    if progress.failed:
                        self.report.broken.append(f"{job} of {name}: {progress.sentence}")
        with world.database.write() as db:
            read_everything(db, get_company(db, "books"))
        self._calm()
        self._operate()
        self._calm()
        calls, writes = world.calls, world.writes
        come_to_rest(world)
        if world.writes != writes:
            self.report.broken.append(
                f"{world.writes - writes} writes in a quiet world ({world.calls - calls} calls)"
            )
        self.report.broken += self.oracle.evening()
        self.report.broken += evening.broken_documents(world, self.people)
        self.report.broken += evening.broken_work(world)
        self.report.broken += evening.broken_prices(world)

    def _calm(self) -> None:
        self.world.clock.now = self.world.clock.now + timedelta(minutes=90)
        come_to_rest(self.world)

    def _operate(self) -> None:
        """The operator lets go what a limit held, and tries again what failed."""
        with self.world.database.write() as db:
            held = select(Activity.id).where(Activity.state == "held", Activity.reason == "limit")
            release(db, list(db.scalars(held)), "day")
        with self.world.database.write() as db:
            failed = list(db.scalars(select(Activity).where(Activity.state == "failed")))
            for one in failed:
                self.report.broken.append(f"{one.kind} {one.record_id} failed: {one.sentence}")
            retry(db, [one.id for one in failed], "day")


def world_rng(world: World) -> random.Random:
    """What falls by chance within the calls of this world."""
    return world.rng


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 if anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.day.run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from that one on")
    parser.add_argument("--variation", type=int, default=0, help="the same day with other ids")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--small", action="store_const", dest="size", const="small", help="a quarter of a day, few goods"
    )
    sizes.add_argument("--tiny", action="store_const", dest="size", const="tiny", help="still fewer")
    sizes.add_argument(
        "--brief", action="store_const", dest="size", const="brief", help="as the tests play it"
    )
    parser.set_defaults(size="full")
    parser.add_argument("--verbose", action="store_true", help="tell what falls by chance (one seed)")
    parser.add_argument(
        "--story", type=Path, help="a file for everything that passes on the wires (one seed)"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the databases of days that broke a promise")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    how: dict[str, Any] = {"size": SIZES[asked.size], "variation": asked.variation, "keep": asked.keep}
    if asked.seeds == 1:
        say = _say if asked.verbose else lambda line: None
        return _tell([play(asked.seed, say=say, story_path=asked.story, **how)], asked)
    # Each in a process of its own, as if it were played alone.
    with ProcessPoolExecutor(
        asked.jobs, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        seeds = range(asked.seed, asked.seed + asked.seeds)
        return _tell(processes.map(partial(_play_quietly, **how), seeds), asked)


def _play_quietly(seed: int, **how: Any) -> Report:
    logging.disable(logging.CRITICAL)
    return play(seed, **how)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tell(reports: Iterable[Report], asked: argparse.Namespace) -> int:
    fired: Counter[str] = Counter()
    days = broken = 0
    for report in reports:
        days += 1
        fired += report.fired
        _say(
            f"seed {report.seed}: {len(report.broken)} broken promises, {report.looks} looks, "
            f"{report.calls} calls of the shops, {report.seconds:.0f} s, story {report.digest}"
        )
        if report.broken:
            broken += 1
            for line in report.broken[:_MOST_TOLD]:
                _say(f"  {line}")
            size = "" if asked.size == "full" else f" --{asked.size}"
            other = f" --variation {asked.variation}" if asked.variation else ""
            _say(f"  replay: python -m tests.day.run --seed {report.seed}{size}{other} --verbose")
    for name, count in sorted(fired.items()):
        _say(f"{count:8} {name}")
    _say(f"{days} days, {broken} with broken promises")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
