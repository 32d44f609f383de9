"""Bad days, played from a seed: everything goes wrong on the way, and afterwards the books must be right.

    python -m tests.faults.simulator --seeds 1000           many days, from seed 1
    python -m tests.faults.simulator --seed 17 --verbose    one of them, call by call
    python -m tests.faults.simulator --seed 17 --shrink     the fewest steps that still go wrong

A day is a list of steps, each with random numbers of its own, so that one can
be left out (`--skip`) without changing the others. After the storm comes a
quiet time: the newest content of every order arrives once more (as catch-up
would bring it), sessions run until there is nothing to do, and the invariants
of `tests.faults.invariants` must hold; then all that failed is retried with
nothing refused any more, and they must hold again.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from lxml import etree
from sqlalchemy import event, select

from ops_console import handwork, schema
from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.exchange import WebConnectorConversation
from qbwc_service.marks import read_mark
from qbwc_service.preparing import prepare_pending
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.operations import OperationRefused
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting, store_settings
from queue_store.shop_work import claim_shop_work, settle_shop_work
from queue_store.states import ActivityState
from tests.faults.connectors import Connector, World
from tests.faults.invariants import broken_refunds, violations
from tests.faults.shop import SKUS, Body, Shop, is_wanted, total_of
from tests.faults.snapshots import Snapshot, let_time_pass
from tests.harness import PASSWORD, make_house
from woo_bridge.disposition import order_rules
from woo_bridge.kinds.read_refunds import READ_REFUNDS, OrderAndRefunds
from woo_bridge.kinds.reread_order import REREAD_ORDER
from woo_bridge.take_orders import take_order
from woo_bridge.translate_orders import translate_order

S = ActivityState
Known = dict[int, list[Body]]

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
    "order read again",
    "refund deleted",
    "refund made",
    "out of order: close",
    "out of order: connection error",
    "out of order: empty",
    "out of order: last error",
    "out of order: send",
    "request refused",
    "second connector",
    "service restarted",
    "session never closed",
    "time passes",
    "webhook delayed",
    "webhook doubled",
    "webhook lost",
)
#: Sessions and sets that the quiet time may take.
_MOST_SESSIONS = 25
_MOST_SETS = 150
_KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="


class Violation(Exception):
    """A promise was broken at once, not only at the end."""


@dataclass
class Stage:
    """A database that is used for day after day, and the state in which each begins."""

    database: Database
    morning: Snapshot


@dataclass
class Report:
    """How one day went."""

    seed: int
    violations: list[str]
    fired: Counter[str]
    steps: int
    seconds: float = 0.0


def make_stage(database: Database) -> Stage:
    """Prepare an empty, migrated database."""
    if database.is_sqlite:

        @event.listens_for(database.engine, "connect")
        def hurry(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        database.engine.dispose()
    make_house(database, SecretBox(_KEY))
    with database.write() as db:
        company = get_company(db, "books")
        # The cheapest hash there is: a day has many sessions.
        company.password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for key, value in (("retry.base_seconds", "60"), ("pull.page", "10")):
            set_company_setting(db, company, key, value, who="test")
    return Stage(database, Snapshot(database))


class Day:
    """One day of one seed."""

    def __init__(
        self, stage: Stage, seed: int, *, skip: Collection[int] = (), log: Callable[[str], None] | None = None
    ) -> None:
        self.database, self.seed, self.skip = stage.database, seed, set(skip)
        self.log = log or (lambda _line: None)
        rng = random.Random(f"day {seed}")
        stage.morning.restore(self.database)
        #: Webhooks that are still on their way.
        self.mail: list[Body] = []
        #: What the service was told last of each order: several where they bear one second.
        self.known: Known = {}
        #: Totals of each order, as the shop had them when its receipt was handed out.
        self.sent: dict[int, set[Decimal]] = {}
        self.fired: Counter[str] = Counter()
        self.pos_ahead = timedelta(hours=rng.choice((0, 0, 0, -30, 5, 40)))
        self.pos_most_ahead = self.pos_ahead
        self.dialect = replace(
            PosDialect.random(rng),
            negative_line="both",
            several_filters="and",
            empty_company_text="opens_last",
        )
        # Where QuickBooks tells case, two SKUs that differ in nothing else are two items to it.
        self.shop = Shop(SKUS if self.dialect.filter_ignores_case else SKUS[:-1])
        self.pos = PosCompanyFile.create(
            None, dialect=self.dialect, clock=lambda: datetime.now(UTC) + self.pos_ahead
        )
        self._furnish(rng)
        self.world = World(
            WebConnectorConversation(self.database), self.pos, self.fired, self.log, self._on_set
        )
        self.connectors = [
            Connector(self.world, "A", "192.0.2.1"),
            Connector(self.world, "B", "198.51.100.2"),
        ]
        for connector in self.connectors:
            connector.took_over = self._others_of(connector)  # type: ignore[method-assign]
        self.backups: list[tuple[Snapshot, Known]] = []
        self.steps = rng.randrange(50, 121)
        self.refusing = rng.random() < 0.4
        # Such a line is as good as another one but for this: every session lives for one answer.
        self.world.breaks_after = 2 if rng.random() < 0.12 else 0
        #: True once QuickBooks' clock was put back by more than look-back can bridge: what it wrote since
        #: is found by its own mark, and only if it is known that it was sent.
        self.blind = False

    def _furnish(self, rng: random.Random) -> None:
        for sku in rng.sample(SKUS[:-1], rng.randrange(3)):
            self.pos.add_item(f"Shelf {sku}", alu=sku, price1=Decimal("9.99"))
        self.pos.add_item("Till thing", alu="TILL", price1=Decimal("1.00"))
        if rng.random() < 0.5:
            # A house that has been at work for long: documents go at once.
            for sku in (*SKUS[:-1], "Online Sales Tax", "Online Shipping", "Online Fee", "Online Item"):
                if sku not in [item.alu for item in self.pos.items()]:
                    self.pos.add_item(f"Known {sku}", alu=sku, price1=Decimal("9.99"))
            for _ in range(rng.randrange(25)):
                self._till_sale(rng)
        self.sign = -1 if self.dialect.return_signs == "negative" else 1
        settings = {
            "returns.signs": self.dialect.return_signs,
            "pace.start": str(rng.choice((1, 2, 5, 20))),
            "items.missing": rng.choice(("create", "create", "create", "fallback")),
            "pull.items_minutes": str(rng.choice((0, 0, 30))),
            "pull.customers_minutes": str(rng.choice((0, 0, 30))),
        }
        with self.database.write() as db:
            company = get_company(db, "books")
            for key, value in settings.items():
                set_company_setting(db, company, key, value, who="test")

    def _others_of(self, connector: Connector) -> Callable[[], None]:
        def took_over() -> None:
            # QuickBooks works one set at a time: what another connector had handed over before is
            # executed by now, or never will be.
            for other in self.connectors:
                if other is connector or other.stage not in ("asked", "answered"):
                    continue
                if other.stage == "asked":
                    if self.seed % 2 and other.books is not None:
                        other.execute()
                    else:
                        other.forget()

        return took_over

    # What happens ----------------------------------------------------------

    def run(self) -> Report:
        """The day, the quiet time, and what was broken."""
        began, found = time.perf_counter(), []
        try:
            with self._refusals():
                for number in range(self.steps):
                    if number not in self.skip:
                        self._step(random.Random(f"{self.seed} {number}"), number)
            self._calm()
            self._quiet()
            found += self._check(healed=False)
            self._retry_all()
            self._quiet()
            found += self._check(healed=True)
        except Violation as violation:
            found.append(str(violation))
        except Exception:  # noqa: BLE001 - whatever the service raises breaks the call
            found.append("".join(traceback.format_exc()[-1500:]))
        finally:
            for connector in self.connectors:
                connector.forget()
            for backup, _ in self.backups:
                backup.close()
        return Report(self.seed, found, self.fired, self.steps, time.perf_counter() - began)

    def _step(self, rng: random.Random, number: int) -> None:
        actions: dict[Callable[[random.Random], None], float] = {
            self._go_on: 40,
            self._place: 7,
            self._change: 8,
            self._refund: 5,
            self._delete_refund: 0.7,
            self._deliver: 6,
            self._late_answer: 4,
            self._out_of_order: 3,
            self._time_passes: 4,
            self._restart: 1,
            self._backup: 2,
            self._restore: 1.2,
            self._operator: 4,
            self._prepare: 3,
            self._read_again: 4,
            self._till_sale: 2,
            self._clock_of_pos: 1,
            self._poison: 0.8,
        }
        action = rng.choices(list(actions), list(actions.values()))[0]
        self.log(f"{number:3} {action.__name__.strip('_')}")
        action(rng)

    def _go_on(self, rng: random.Random) -> None:
        connector = self.connectors[0 if rng.random() < 0.88 else 1]
        if connector is self.connectors[1] and connector.stage == "idle":
            self.fired["second connector"] += 1
        for _ in range(rng.randrange(1, 5)):
            was_idle = connector.stage == "idle"
            connector.step(rng)
            if was_idle and connector.says:
                # Nothing to do: it comes again some other time.
                break

    def _place(self, rng: random.Random) -> None:
        for _ in range(rng.choice((1, 1, 2, 4))):
            self._post(self.shop.place(rng), rng)

    def _change(self, rng: random.Random) -> None:
        if self.shop.ids():
            self._post(self.shop.change(rng.choice(self.shop.ids()), rng), rng)

    def _refund(self, rng: random.Random) -> None:
        if self.shop.ids():
            body = self.shop.refund(rng.choice(self.shop.ids()), rng)
            if body is not None:
                self.fired["refund made"] += 1
                self.log(f"   refund {body['refunds'][-1]}")
                self._post(body, rng)

    def _delete_refund(self, rng: random.Random) -> None:
        if self.shop.refunds:
            refund_id = self.shop.delete_refund(rng.choice(list(self.shop.refunds)), rng)
            if refund_id is not None:
                self.fired["refund deleted"] += 1
                self.log(f"   refund {refund_id} deleted")

    def _post(self, body: Body, rng: random.Random) -> None:
        self.log(f"   order {body['id']}: {body['status']} {body['total']} at {body['date_modified_gmt']}")
        if self.world.happens(rng, "webhook delayed", 0.3):
            self.mail.append(body)
        elif not self.world.happens(rng, "webhook lost", 0.03):
            self._take(body)

    def _deliver(self, rng: random.Random) -> None:
        if self.mail:
            place = rng.randrange(len(self.mail))
            body = (
                self.mail[place] if self.world.happens(rng, "webhook doubled", 0.3) else self.mail.pop(place)
            )
            self._take(body)

    def _take(self, body: Body, *, read_now: bool = False) -> None:
        self.log(f"   told: order {body['id']} {body['status']} {body['total']}")
        with self.database.write() as db:
            store = get_store(db, "main")
            rules = order_rules(store, store_settings(db, store))
            take_order(db, store, rules, translate_order(json.dumps(body).encode()), read_now=read_now)
        self._told(body, read_now=read_now)

    def _told(self, body: Body, *, read_now: bool) -> None:
        before = self.known.get(body["id"], [])
        stamp = before[0]["date_modified_gmt"] if before else ""
        if body["date_modified_gmt"] > stamp or (read_now and body["date_modified_gmt"] == stamp):
            self.known[body["id"]] = [body]
        elif body["date_modified_gmt"] == stamp:
            self.known[body["id"]] = [*before, body]

    def _late_answer(self, rng: random.Random) -> None:
        if self.world.answers:
            ticket, response = rng.choice(self.world.answers)
            self.fired["late or repeated answer"] += 1
            self.log(f"   late, under {ticket[1:6]}: {self.world.receive(ticket, response)}")

    def _out_of_order(self, rng: random.Random) -> None:
        world = self.world
        if not world.tickets:
            return
        ticket = rng.choice((world.tickets[-1], rng.choice(world.tickets)))
        what = rng.choice(("send", "close", "connection error", "last error", "empty"))
        self.fired[f"out of order: {what}"] += 1
        self.log(f"   {what} under {ticket[1:6]}")
        match what:
            case "send":
                world.send(ticket)
            case "close":
                world.conversation.close_connection(ticket)
            case "connection error":
                world.conversation.connection_error(ticket, "0x80040408", "no")
            case "last error":
                world.conversation.get_last_error(ticket)
            case "empty":
                world.receive(ticket, "", rng.choice(("", "0x80040402")), "")

    def _time_passes(self, rng: random.Random) -> None:
        self.fired["time passes"] += 1
        let_time_pass(self.database, rng.choice((2, 20, 70)))

    def _restart(self, rng: random.Random) -> None:
        self.fired["service restarted"] += 1
        self._start()

    def _start(self) -> None:
        conversation = WebConnectorConversation(self.database)
        conversation.start()
        self.world.conversation = conversation

    def _backup(self, rng: random.Random) -> None:
        self.backups.append((Snapshot(self.database), dict(self.known)))

    def _restore(self, rng: random.Random) -> None:
        if self.backups and not self.blind:
            self.fired["database restored"] += 1
            snapshot, known = rng.choice(self.backups)
            snapshot.restore(self.database)
            if rng.random() < 0.5:
                self.fired["database restored within the minute"] += 1
                self._start()
            else:
                let_time_pass(self.database, rng.choice((2, 30, 600)))
            self.known = dict(known)

    def _operator(self, rng: random.Random) -> None:
        with self.database.read() as db:
            states = (S.PENDING, S.DELAYED, S.WAITING, S.HELD, S.FAILED, S.CANCELLED)
            rows = db.execute(
                select(Activity.id, Activity.state)
                .where(Activity.target == "quickbooks", Activity.state.in_(states))
                .order_by(Activity.id)
            ).all()
        if not rows:
            return
        # What failed is what a person looks at first.
        row = rng.choice([row for row in rows if row.state == S.FAILED] or rows)
        deeds = (
            ("retry", "retry", "cancel") if row.state == S.FAILED else ("hold", "release", "cancel", "retry")
        )
        deed = rng.choice(deeds)
        try:
            with self.database.write() as db:
                handwork.DEEDS[deed](db, [row.id], "test")
        except OperationRefused as refused:
            self.log(f"   refused: {refused}")
            return
        self.fired[f"operator: {deed}"] += 1

    def _prepare(self, rng: random.Random) -> None:
        prepare_pending(self.database)

    def _read_again(self, rng: random.Random) -> None:
        self._work_for_the_shop()

    def _work_for_the_shop(self) -> None:
        with self.database.write() as db:
            store = get_store(db, "main")
            for activity in claim_shop_work(db, store.company_id, datetime.now(UTC), 50):
                order_id = int(activity.record_id)
                body = self.shop.newest(order_id)
                raw, settings = json.dumps(body).encode(), store_settings(db, store)
                if activity.kind == READ_REFUNDS.name:
                    refunds = [json.dumps(one).encode() for one in self.shop.refunds.get(order_id, ())]
                    READ_REFUNDS.settle(db, store, settings, activity, OrderAndRefunds(raw, refunds))
                else:
                    self.fired["order read again"] += 1
                    REREAD_ORDER.settle(db, store, settings, activity, raw)
                settle_shop_work(db, activity, cause="done")
                self._told(body, read_now=True)

    def _till_sale(self, rng: random.Random) -> None:
        till = next(item for item in self.pos.items() if item.alu == "TILL")
        for _ in range(rng.randrange(1, 6)):
            self.pos.sell_in_store([(till.list_id, 1)], comments=rng.choice(("", "W", "WMAIN-", "WMAIN-x/1")))

    def _clock_of_pos(self, rng: random.Random) -> None:
        self.fired["clock of QuickBooks moved"] += 1
        if rng.random() < 0.5:
            self.pos.utc_offset_hours = rng.choice((-5, -4))
        else:
            hours = rng.choice((1, 30, 9000, -1, -20, -48, -48, -9000))
            self.pos_ahead += timedelta(hours=hours)
            if self.pos_ahead < min(self.pos_most_ahead, timedelta(0)) - timedelta(hours=23):
                self.fired["clock of QuickBooks put back by days"] += 1
                self.blind = True
            self.pos_most_ahead = max(self.pos_most_ahead, self.pos_ahead)

    def _poison(self, rng: random.Random) -> None:
        if self.pos.poison is not None or not self.shop.ids():
            self.pos.poison = None
            return
        mark = f"WMAIN-{rng.choice(self.shop.ids())}{rng.choice(('/', '/', '-R'))}"
        self.fired["a request that QuickBooks cannot read"] += 1
        self.pos.poison = lambda element: mark in "".join(element.itertext())

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        rng = random.Random(f"refusals {self.seed}")

        def refuse(element: Any) -> tuple[int, str] | None:
            if not str(element.tag).endswith(("AddRq", "ModRq")) or rng.random() > 0.08:
                return None
            self.fired["request refused"] += 1
            return rng.choice(
                (
                    (3180, "The record could not be saved."),
                    (3175, "In use."),
                    (3120, "Not found."),
                    (1000, "Internal."),
                )
            )

        self.pos.refuse_when = refuse if self.refusing else None
        yield
        self.pos.refuse_when = None

    # What the service hands out --------------------------------------------

    def _on_set(self, request: str) -> None:
        if "<SalesReceiptAddRq" not in request:
            return
        for add in etree.fromstring(request.encode()).iter("SalesReceiptAdd"):
            mark = read_mark((add.findtext("Comments") or "").split(" ")[0])
            if mark is None:
                raise Violation(f"a receipt without mark: {add.findtext('Comments')}")
            total = sum((Decimal(one.text or "0") for one in add.iter("TenderAmount")), Decimal(0))
            order, _, refund = mark.record_id.partition("-R")
            order_id = int(order)
            if refund:
                self._check_return(order_id, int(refund), total, add.findtext("SalesReceiptType") or "")
                continue
            known = self.known.get(order_id, [])
            self.sent.setdefault(order_id, set()).add(total)
            if total not in [total_of(body) for body in known]:
                totals = [body["total"] for body in known]
                raise Violation(f"order {order_id} was sent with {total}, the shop said {totals}")
            if not any(map(is_wanted, known)):
                statuses = [body["status"] for body in known]
                raise Violation(f"order {order_id} was sent though the shop said {statuses}")

    def _check_return(self, order_id: int, refund_id: int, total: Decimal, kind: str) -> None:
        name, amount = f"refund {refund_id} of order {order_id}", self.shop.amounts[refund_id] * self.sign
        if kind != "Return" or total != amount:
            raise Violation(f"{name} was sent as {kind} of {total}, the shop said {amount}")
        marks = {
            (one.comments or "").partition("/")[0] for one in self.pos.receipts() if one.status == "Regular"
        }
        if f"WMAIN-{order_id}" not in marks:
            raise Violation(f"{name} was sent before its sale was in the books")

    # The quiet time --------------------------------------------------------

    def _calm(self) -> None:
        """No more faults; what the shop has arrives once more."""
        self.log("    quiet")
        self.world.faults = False
        self.pos.poison = None
        for connector in self.connectors:
            connector.forget()
        for body in self.mail:
            self._take(body)
        self.mail.clear()
        for order_id in self.shop.ids():
            self._take(self.shop.newest(order_id), read_now=True)
        # The shop goes on, so that there is a document to look back for.
        self._take(self.shop.place_paid(random.Random(self.seed)))

    def _quiet(self) -> None:
        connector, rng = self.connectors[0], random.Random(0)
        for number in range(_MOST_SESSIONS):
            if not number or self._is_delayed():
                let_time_pass(self.database, 70)
            self._work_for_the_shop()
            prepare_pending(self.database)
            connector.forget()
            connector.step(rng)
            if connector.says == "none" and not self._is_delayed():
                return
            if connector.says:
                continue
            while connector.stage != "idle":
                connector.step(rng)
                if connector.sets > _MOST_SETS:
                    raise Violation(f"a quiet session takes more than {_MOST_SETS} sets")
            percents = connector.percents
            if percents != sorted(percents) or 100 in percents[:-1] or percents[-1:] != [100]:
                raise Violation(f"the percentages of a quiet session were {percents}")
        raise Violation(f"the queue is not drained after {_MOST_SESSIONS} quiet sessions")

    def _is_delayed(self) -> bool:
        with self.database.read() as db:
            query = select(Activity.id).where(Activity.state == S.DELAYED).limit(1)
            return db.scalars(query).first() is not None

    def _retry_all(self) -> None:
        self.log("    everything that failed is retried")
        for _ in range(3):
            with self.database.read() as db:
                ids = db.scalars(select(Activity.id).where(Activity.state == S.FAILED)).all()
            for activity_id in ids:
                with self.database.write() as db:
                    if db.get_one(Activity, activity_id).state == S.FAILED:
                        handwork.retry(db, [activity_id], "test")

    def _check(self, *, healed: bool) -> list[str]:
        with self.database.read() as db:
            # An order that a person cancelled and the shop changed since may hold anything.
            found = list(violations(db, self.pos, self.known, self.sent, healed=healed))
            return found + list(broken_refunds(db, self.pos, self.shop, self.sign, healed=healed))


def play(stage: Stage, seed: int, **how: Any) -> Report:
    """One day."""
    return Day(stage, seed, **how).run()


def shrink(stage: Stage, seed: int) -> list[int]:
    """Steps that can be left out with the day still going wrong."""
    report = play(stage, seed)
    wanted = _kind(report.violations[0])
    skipped: set[int] = set()
    size = max(1, report.steps // 4)
    while True:
        for start in range(0, report.steps, size):
            candidate = skipped | set(range(start, min(start + size, report.steps)))
            if candidate == skipped:
                continue
            found = play(stage, seed, skip=candidate).violations
            if any(_kind(one) == wanted for one in found):
                skipped = candidate
        if size == 1:
            return sorted(skipped)
        size = max(1, size // 2)


def _kind(violation: str) -> str:
    """A violation without its numbers, to tell whether two are the same."""
    return "".join(letter for letter in violation if letter.isalpha())[:25]


@contextmanager
def sqlite_stage() -> Iterator[Stage]:
    """A stage in a temporary file."""
    with tempfile.TemporaryDirectory(prefix="qbwoo-faults-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'qbwoo.db'}")
        schema.upgrade(database)
        stage = make_stage(database)
        try:
            yield stage
        finally:
            stage.morning.close()
            database.close()


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 if anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulator")
    parser.add_argument("--seeds", type=int, default=100, help="how many days")
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--seed", type=int, help="only this day")
    parser.add_argument("--skip", default="", help="steps to leave out: 3,4,17")
    parser.add_argument("--verbose", action="store_true", help="tell every step")
    parser.add_argument("--shrink", action="store_true", help="leave out what does not matter")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)

    def say(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    seeds = [asked.seed] if asked.seed else range(asked.first, asked.first + asked.seeds)
    fired: Counter[str] = Counter()
    broken, seconds = 0, []
    with sqlite_stage() as stage:
        skip = [int(number) for number in asked.skip.split(",") if number]
        if asked.shrink and asked.seed:
            skip = shrink(stage, asked.seed)
        for seed in seeds:
            tell = asked.verbose or asked.shrink
            report = play(stage, seed, skip=skip, log=(lambda line: say(f"{line}\n")) if tell else None)
            fired += report.fired
            seconds.append(report.seconds)
            if report.violations:
                broken += 1
                say(f"seed {seed}: {len(report.violations)} broken promises\n")
                for violation in report.violations[:6]:
                    say(f"  {violation}\n")
                left_out = f" --skip {','.join(map(str, skip))}" if skip else ""
                say(f"  replay: python -m tests.faults.simulator --seed {seed} --verbose{left_out}\n")
    for name in FAULTS:
        say(f"{fired[name]:8} {name}\n")
    median = sorted(seconds)[len(seconds) // 2]
    say(f"{len(seconds)} days, {broken} with broken promises, {median:.2f} s median\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
