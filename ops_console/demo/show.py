"""The demo from its first line to its last: build up, one full round, and on until Ctrl-C."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ops_console.cli.demo_screen import Screen
from ops_console.demo import stage, verdict
from ops_console.demo.operator import Operator
from ops_console.demo.shoppers import bring_money, place_order
from ops_console.demo.watch import RECEIPTS, WEBHOOKS, Watch, amount
from ops_console.logging import set_up_logging
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import Shop
from ops_sandbox.shop.wire import Doc

LOG_FILE = "service.log"
DATABASE_FILE = "qbwoo.db"
#: When the round is given up: so much time, runs of the Web Connector with work, failed runs in a row.
MOST_SECONDS = 120.0
MOST_SESSIONS = 20
MOST_FAILURES = 5

_LOOK_EVERY = 0.1
_SECONDS_BETWEEN_ORDERS = 10.0
_PAYS_NOW = 0.33
_COLUMNS = (">order", "in the shop", ">shop's total", ">receipt's total", ">receipt no.", "state")


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    service: Service
    shop: Shop
    pos: PosCompanyFile
    watch: Watch


def run(screen: Screen, folder: Path, *, port: int = 0, once: bool = False) -> bool:
    """The whole demo in an empty folder. True if the round left both sides equal.

    Without `once` it goes on, placing orders, until KeyboardInterrupt.
    Raises NotDone and what the commands raise.
    """
    with _scene(screen, folder, port) as scene:
        known = len(scene.pos.items()), len(scene.pos.customers())
        told = _round(screen, scene)
        done = _compare(screen, scene, told, known)
        if not once:
            _go_on(screen, scene)
    return done


@contextmanager
def _scene(screen: Screen, folder: Path, port: int) -> Iterator[Scene]:
    with ExitStack() as stack:
        log = stack.enter_context((folder / LOG_FILE).open("w", encoding="utf-8"))
        # Nothing may write to the file once it is closed.
        stack.callback(logging.basicConfig, handlers=[logging.NullHandler()], force=True)
        set_up_logging("INFO", log)
        shop, running_shop = stack.enter_context(stage.played_shop(folder))
        pos = stack.enter_context(stage.played_point_of_sale(folder))
        settings = ProcessSettings(
            data_dir=folder, database_url=f"sqlite:///{folder / DATABASE_FILE}", allow_private_stores=True
        )
        service = stack.enter_context(Service(settings, port=port))
        screen.heading("qbwoo: a WooCommerce shop into QuickBooks Point of Sale, all on this machine")
        screen.line(f"  real    qbwoo            {service.url}/  (status page)")
        screen.line(f"  played  WooCommerce      {running_shop.url}  ({len(shop.orders())} recorded orders)")
        screen.line(
            f"  played  QuickBooks POS   {len(pos.items())} items, {len(pos.stores)} stores, "
            f"{len(pos.receipts())} receipts from the tills"
        )
        screen.line(f"  played  Web Connector    runs by itself every {stage.SECONDS_BETWEEN_RUNS:g} s")
        screen.heading("Set up, with the commands that connect a real shop")
        operator = Operator(settings, folder, lambda line: screen.line(f"  {line}"))
        qwc = operator.set_up(service.url, running_shop.url)
        connector = stack.enter_context(stage.played_web_connector(qwc, operator.password, pos))
        screen.line(f"  ({qwc.name} was added to the Web Connector, and Auto-Run ticked)")
        shop.start_cron(stage.SECONDS_BETWEEN_DELIVERIES)
        stack.callback(shop.stop_cron)
        yield Scene(service, shop, pos, Watch(screen, shop, pos, connector, service.database))


def _round(screen: Screen, scene: Scene) -> dict[int, verdict.Told]:
    """Every order is saved in the shop; gives what the service says of each when all is settled."""
    orders, watch = scene.shop.orders(), scene.watch
    lines, _ = verdict.compare(orders, (), {})
    screen.heading(f"Each of the {len(orders)} orders is saved in the shop; its webhooks do the rest")
    for order in orders:
        scene.shop.touch_order(order["id"])
    ends = time.monotonic() + MOST_SECONDS
    documents = sum(line.must_go + len(line.refunds) for line in lines)
    totals = {WEBHOOKS: len(orders), RECEIPTS: documents}
    with screen.bars(**totals):
        while not _are_settled(orders, watch.told()):
            if time.monotonic() > ends or watch.sessions >= MOST_SESSIONS or watch.failures >= MOST_FAILURES:
                screen.event("This leads nowhere; comparing what there is.", style="red")
                break
            time.sleep(_LOOK_EVERY)
            watch.look()
        # Until the run at hand is over, or one more has found nothing to do.
        runs = watch.runs
        while watch.runs == runs and time.monotonic() < ends:
            time.sleep(_LOOK_EVERY)
            watch.look()
    return watch.told()


def _are_settled(orders: list[Doc], told: dict[int, verdict.Told]) -> bool:
    lines, _ = verdict.compare(orders, (), told)
    return all(line.is_settled for line in lines)


def _compare(screen: Screen, scene: Scene, told: dict[int, verdict.Told], known: tuple[int, int]) -> bool:
    """Print both sides beside each other. True if nothing is wrong. `known`: items and customers before."""
    lines, problems = verdict.compare(scene.shop.orders(), scene.pos.receipts(), told)
    screen.heading("The shop's orders beside the receipts in the company file")
    screen.table(_COLUMNS, [_cells(line) for line in lines])
    screen.heading("Not sent, and why")
    for line in lines:
        if not line.problem and not line.receipts:
            screen.line(f"  {line.told.sentence}")
    screen.line()
    if problems:
        screen.line("Both sides are NOT as they must be:", style="bold red")
        for problem in problems:
            screen.line(f"  {problem}", style="red")
        return False
    sent = [line for line in lines if line.must_go]
    sold = sum((line.total for line in sent), Decimal(0))
    written = sum((receipt.total for line in sent for receipt in line.receipts), Decimal(0))
    good = "bold green"
    screen.line(f"{len(sent)} orders are in QuickBooks, each exactly once and to the cent:", style=good)
    screen.line(f"{amount(sold)} USD in the shop, {amount(written)} USD on the receipts.", style=good)
    refunds = sum(len(line.refunds) for line in sent)
    back = sum((sum(line.refunds.values(), Decimal(0)) for line in sent), Decimal(0))
    screen.line(f"{refunds} refunds are there as returns, to the cent too: {amount(back)} USD.", style=good)
    screen.line(f"{len(lines) - len(sent)} orders were not sent, and each says why.", style=good)
    items, customers = len(scene.pos.items()) - known[0], len(scene.pos.customers()) - known[1]
    screen.line(
        f"Made in QuickBooks on the way: {items} items, {customers} customers. The rest was found there."
    )
    return True


def _cells(line: verdict.Line) -> tuple[list[str], str]:
    currency = line.order["currency"]
    cells = [
        str(line.order_id),
        line.order["status"],
        amount(line.total) if currency == verdict.CURRENCY else f"{currency} {amount(line.total)}",
        ", ".join(amount(receipt.total) for receipt in line.receipts),
        ", ".join(str(receipt.number) for receipt in line.receipts),
        line.told.state,
    ]
    return cells, "red" if line.problem else "" if line.receipts else "dim"


def _go_on(screen: Screen, scene: Scene) -> None:
    """Orders, and money for those that wait for it, without end."""
    screen.heading(f"From here a shopper comes about every {_SECONDS_BETWEEN_ORDERS:g} s. Ctrl-C ends it.")
    screen.line(f"Status page: {scene.service.url}/")
    rng = random.Random()  # noqa: S311 - no secret
    placed: list[int] = []
    next_order = time.monotonic()
    while True:
        if time.monotonic() >= next_order:
            _shop_once(screen, scene, rng, placed)
            next_order += _SECONDS_BETWEEN_ORDERS * rng.uniform(0.6, 1.4)
        time.sleep(_LOOK_EVERY)
        scene.watch.look()


def _shop_once(screen: Screen, scene: Scene, rng: random.Random, placed: list[int]) -> None:
    paid = bring_money(scene.shop, rng, placed) if rng.random() < _PAYS_NOW else None
    if paid is not None:
        screen.event(f"order {paid} paid and completed in the shop", style="bold")
        return
    order = place_order(scene.shop, rng)
    placed.append(order["id"])
    pieces = sum(line["quantity"] for line in order["line_items"])
    screen.event(
        f"order {order['id']} placed: {pieces} piece{'' if pieces == 1 else 's'}, {order['total']} "
        f"{order['currency']}, {order['payment_method_title']}",
        style="bold",
    )
