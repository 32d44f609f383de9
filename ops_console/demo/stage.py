"""What the demo plays: a shop, a Point of Sale company with a past, and a Web Connector."""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.request_processor import RequestProcessorSession
from ops_sandbox.shop import RunningShop, Shop
from ops_sandbox.web_connector import QwcFile, RunReport, WebConnector
from qbxml.reader import read_requests

COMPANY_NAME = "Sandbox Goods"
#: What the Web Connector asks Point of Sale to open.
COMPANY_FILE = f"Computer Name=TILL1;Company Data={COMPANY_NAME};Version=18"
#: Real machines leave minutes between two runs.
SECONDS_BETWEEN_RUNS = 2.0
#: A real shop delivers its webhooks about once a minute.
SECONDS_BETWEEN_DELIVERIES = 1.0
#: About what Point of Sale takes for a request, made shorter.
_SECONDS_A_REQUEST = 0.004

#: The shop's SKUs that the till knows too: by ALU, and by UPC. What is sold beyond them has to be made there.
_BY_ALU = tuple(f"WID-{number:03d}" for number in range(1, 11))
_BY_UPC = ("WID-011", "WID-012", "MUG")
_SHELF = {
    "Fasteners": (("Hex bolt", "Wood screw", "Washer", "Wall plug", "Cable tie"), Decimal("0.15")),
    "Tools": (("Chisel", "File", "Pliers", "Drill bit", "Spanner"), Decimal("6.90")),
    "Garden": (("Plant pot", "Trellis", "Hose", "Rake", "Seed tray"), Decimal("4.50")),
    "Paint": (("Wall paint", "Varnish", "Primer", "Brush", "Roller"), Decimal("8.75")),
}
_SIZES = tuple(f"No. {number}" for number in range(1, 16))
_REGULARS = (("Rosa", "Marin", "reg@example.net"), ("Ann", "Lee", "plain@example.net"), ("Sam", "Ito", ""))


@contextmanager
def played_shop(folder: Path) -> Iterator[tuple[Shop, RunningShop]]:
    """A shop with the orders that were recorded on a real WooCommerce, served on this machine."""
    shop = Shop.create(folder / "shop.db")
    try:
        with shop.serve() as running:
            yield shop, running
    finally:
        shop.close()


@contextmanager
def played_point_of_sale(folder: Path) -> Iterator[PosCompanyFile]:
    """A company with two stores, some hundred items, a few regulars and a morning's sales at the tills."""
    with PosCompanyFile.create(folder / "sandbox-goods.pos", company_name=COMPANY_NAME, stores=(1, 2)) as pos:
        with pos.transaction():
            _fill_shelves(pos)
            _sell_at_the_tills(pos, random.Random(1))  # noqa: S311 - no secret
        pos.latency_seconds_per_request = _SECONDS_A_REQUEST
        yield pos


def _fill_shelves(pos: PosCompanyFile) -> None:
    for department, (names, price) in _SHELF.items():
        made = pos.add_department(department)
        for name in names:
            for place, size in enumerate(_SIZES, start=1):
                pos.add_item(
                    f"{name} {size}",
                    alu=f"{department[:2].upper()}-{name[:3].upper()}{place:02d}",
                    price1=price * place,
                    on_hand={1: 10 * place, 2: 5 * place},
                    department_list_id=made.list_id,
                )
    widgets = pos.add_department("Widgets", code="WID")
    for sku in (*_BY_ALU, *_BY_UPC):
        key = {"alu": sku} if sku in _BY_ALU else {"upc": sku}
        pos.add_item(
            f"{sku.capitalize()} as at the till",
            price1=Decimal("9.99"),
            on_hand={1: 100, 2: 40},
            department_list_id=widgets.list_id,
            **key,
        )
    for first_name, last_name, email in _REGULARS:
        pos.add_customer(last_name, first_name=first_name, email=email)


def _sell_at_the_tills(pos: PosCompanyFile, rng: random.Random) -> None:
    items, customers = pos.items(), [customer.list_id for customer in pos.customers()]
    for number in range(24):
        basket = rng.sample(items, rng.randint(1, 4))
        pos.sell_in_store(
            [(item.list_id, rng.randint(1, 3)) for item in basket],
            store=1 + number % 2,
            customer_list_id=rng.choice([None, *customers]),
        )


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """One run of the Web Connector."""

    report: RunReport
    #: How many requests of each name, such as "CustomerAdd", QuickBooks got.
    requests: Counter[str]


@dataclass(frozen=True, slots=True)
class PlayedConnector:
    """A Web Connector on Auto-Run in a thread of its own."""

    #: What became of each run, in order; an error that ended the thread comes last.
    runs: queue.SimpleQueue[FinishedRun | Exception]


@contextmanager
def played_web_connector(qwc_path: Path, password: str, pos: PosCompanyFile) -> Iterator[PlayedConnector]:
    """Add the application of a .qwc file, as a person does on the machine of QuickBooks, and tick Auto-Run.

    Raises QwcRefused.
    """
    # Only on one machine may the Web Connector do without https.
    qwc = QwcFile.read(qwc_path, allow_plain_http=True)
    qwc.add_checks()
    quickbooks = _Counting(pos)
    connector = WebConnector(qwc, password, quickbooks)
    runs: queue.SimpleQueue[FinishedRun | Exception] = queue.SimpleQueue()
    stop = threading.Event()

    def finish(report: RunReport) -> None:
        runs.put(FinishedRun(report, quickbooks.requests))
        quickbooks.requests = Counter()

    def run() -> None:
        try:
            connector.auto_run(stop, every_seconds=SECONDS_BETWEEN_RUNS, on_report=finish)
        except Exception as error:  # noqa: BLE001 - the edge of a thread; whoever reads the runs raises it
            runs.put(error)

    thread = threading.Thread(target=run, name="web-connector", daemon=True)
    thread.start()
    try:
        yield PlayedConnector(runs)
    finally:
        stop.set()
        thread.join()


class _Counting:
    """The company file as a request processor that notes what it is asked for."""

    def __init__(self, pos: PosCompanyFile) -> None:
        self._pos = pos
        self.requests: Counter[str] = Counter()

    def begin_session(self, company_file: str) -> RequestProcessorSession:
        return _CountingSession(self._pos.begin_session(company_file), self.requests)


class _CountingSession:
    def __init__(self, session: RequestProcessorSession, requests: Counter[str]) -> None:
        self._session, self._requests = session, requests
        self.hcp_response = session.hcp_response
        self.company_file_name = session.company_file_name
        self.country = session.country
        self.major_version, self.minor_version = session.major_version, session.minor_version

    def process(self, request: str) -> str:
        self._requests.update(found.name.removesuffix("Rq") for found in read_requests(request))
        return self._session.process(request)

    def end(self) -> None:
        self._session.end()
