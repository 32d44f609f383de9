"""The demo from its first line to its last: build up, one full round, and on until Ctrl-C."""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ops_console.cli.demo_screen import Screen
from ops_console.demo import stage, verdict
from ops_console.demo.operator import Operator
from ops_console.demo.shoppers import place_order
from ops_console.demo.watch import RECEIPTS, WEBHOOKS, Watch, amount
from ops_console.errors import NotDone
from ops_console.logging import set_up_logging
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import Shop

LOG_FILE = "service.log"
#: How long the round may take, and how many runs of the Web Connector with work.
MOST_SECONDS = 120.0
MOST_SESSIONS = 20

_LOOK_EVERY = 0.1
_COLUMNS = (">order", "in the shop", ">shop's total", ">receipt's total", ">receipt no.", "state")
_SECONDS_BETWEEN_ORDERS = 10.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that runs."""

    service: Service
    shop: Shop
    pos: PosCompanyFile
    watch: Watch


def run(screen: Screen, folder: Path, *, port: int = 0, once: bool = False) -> bool:
    """The whole demo in an empty folder. True if the round left both sides equal.

    Without `once` it goes on, placing orders, until KeyboardInterrupt or SystemExit.
    Raises NotDone and what the commands raise.
    """
    with _scene(screen, folder, port) as scene:
        told = _round(screen, scene)
        done = _compare(screen, scene, told)
        screen.line(f"\nStatus page: {scene.service.url}/")
        if not once:
            _go_on(screen, scene)
    return done


@contextmanager
def demo_folder(folder: Path | None) -> Iterator[Path]:
    """An empty folder: `folder`, which is kept, or one for the time of the block. Raises NotDone."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="qbwoo-demo-") as made:
            yield Path(made)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise NotDone(f"The folder {folder} is not empty. Name a new one.")
    except OSError as error:
        raise NotDone(
            f"The folder {folder} cannot be used: {error.strerror}. Name another one."
        ) from error
    yield folder.absolute()


@contextmanager
def _scene(screen: Screen, folder: Path, port: int) -> Iterator[Scene]:
    with ExitStack() as stack:
        log = stack.enter_context((folder / LOG_FILE).open("w", encoding="utf-8"))
        # Before the file is closed nothing may write to it any more.
        stack.callback(logging.shutdown)
        set_up_logging("INFO", log)
        shop, running_shop = stack.enter_context(stage.played_shop(folder))
        pos = stack.enter_context(stage.played_point_of_sale(folder))
        settings = ProcessSettings(
            data_dir=folder, database_url=f"sqlite:///{folder / 'qbwoo.db'}", allow_private_stores=True
        )
        service = stack.enter_context(Service(settings, port=port))
        screen.heading("Everything on this machine, over real HTTP")
        screen.line(f"  played   WooCommerce shop         {running_shop.url}  {len(shop.orders())} recorded orders")
        screen.line(
            f"  played   QuickBooks POS           {pos.name}: {len(pos.items())} items, {len(pos.stores)} stores, "
            f"{len(pos.receipts())} receipts from the tills"
        )
        screen.line(f"  real     qbwoo, this very product  {service.url}  on {folder / 'qbwoo.db'}")
        screen.heading("Set up, with the commands that set up a real shop")
        operator = Operator(settings, folder, lambda command: screen.line(f"  $ {command}", style="dim"))
        qwc = operator.set_up(service.url, running_shop.url)
        connector = stack.enter_context(stage.played_web_connector(qwc, operator.password, pos))
        screen.line(
            f"  played   QuickBooks Web Connector has taken {qwc.name} and runs every "
            f"{stage.SECONDS_BETWEEN_RUNS:g} s"
        )
        shop.start_cron(stage.SECONDS_BETWEEN_DELIVERIES)
        stack.callback(shop.stop_cron)
        yield Scene(service, shop, pos, Watch(screen, shop, pos, connector, service.database))


def _round(screen: Screen, scene: Scene) -> dict[int, verdict.Told]:
    """Every recorded order is saved in the shop; gives what the service says of each when all is settled."""
    orders = scene.shop.orders()
    lines, _ = verdict.compare(orders, (), {})
    screen.heading(f"Every one of the {len(orders)} recorded orders is saved in the shop, which sends its webhooks")
    for order in orders:
        scene.shop.touch_order(order["id"])
    watch, ends = scene.watch, time.monotonic() + MOST_SECONDS
    totals = {WEBHOOKS: len(orders), RECEIPTS: sum(line.must_go for line in lines)}
    with screen.bars(**totals):
        while True:
            time.sleep(_LOOK_EVERY)
            watch.look()
            told = watch.told()
            if all(told.get(line.order_id, verdict.Told()).is_settled for line in lines):
                break
            if time.monotonic() > ends or watch.sessions >= MOST_SESSIONS:
                screen.event("That took too long; comparing what there is.", style="red")
                break
        # The run at hand, and one that finds nothing to do any more.
        runs = watch.runs + 1
        while watch.runs < runs and time.monotonic() < ends:
            time.sleep(_LOOK_EVERY)
            watch.look()
    return watch.told()


def _compare(screen: Screen, scene: Scene, told: dict[int, verdict.Told]) -> bool:
    """Print both sides beside each other. True if nothing is wrong."""
    lines, problems = verdict.compare(scene.shop.orders(), scene.pos.receipts(), told)
    screen.heading("The shop's orders and the receipts in the company file")
    screen.table(_COLUMNS, [_cells(line) for line in lines])
    screen.heading("Not sent, and why")
    for line in lines:
        if not line.receipts:
            screen.line(f"  {line.told.sentence or f'Order {line.order_id}: nothing says why.'}")
    screen.line()
    if problems:
        screen.line("NOT as it must be:", style="bold red")
        for problem in problems:
            screen.line(f"  {problem}", style="red")
        return False
    sent = [line for line in lines if line.must_go]
    sold = sum((line.total for line in sent), Decimal(0))
    written = sum((receipt.total for line in sent for receipt in line.receipts), Decimal(0))
    screen.line(
        f"{len(sent)} orders, {amount(sold)} USD in the shop: {len(sent)} receipts, {amount(written)} USD in "
        f"QuickBooks, each order once and to the cent. {len(lines) - len(sent)} orders were not sent, and each "
        "says why.",
        style="bold green",
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
    """Orders without end."""
    screen.heading(f"Now a shopper comes about every {_SECONDS_BETWEEN_ORDERS:g} s. Ctrl-C ends it.")
    rng = random.Random()  # noqa: S311 - no secret
    next_order = time.monotonic()
    while True:
        if time.monotonic() >= next_order:
            order = place_order(scene.shop, rng)
            pieces = sum(line["quantity"] for line in order["line_items"])
            screen.event(
                f"order {order['id']} placed: {pieces} piece{'' if pieces == 1 else 's'}, {order['total']} "
                f"{order['currency']}, {order['payment_method_title']}",
                style="bold",
            )
            next_order += _SECONDS_BETWEEN_ORDERS * rng.uniform(0.6, 1.4)
        time.sleep(_LOOK_EVERY)
        scene.watch.look()
