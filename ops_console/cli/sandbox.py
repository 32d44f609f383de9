"""`qbwoo sandbox`: the world outside, played, to rehearse with before the real one is connected."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

import click

from ops_console.cli.output import json_option, print_rows, remark, say
from ops_console.cli.passwords import SecretFile, first_line
from ops_console.cli.paths import FilePath
from ops_console.errors import NotDone, WrongUsage


@click.group()
def sandbox() -> None:
    """A played Web Connector, Point of Sale and shop."""


@sandbox.command("web-connector")
@click.argument("qwc", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--password-file", required=True, type=SecretFile, help="File with the password; - for stdin.")
@click.option("--pos", required=True, type=FilePath(), help="The played company file.")
@click.option("--once", is_flag=True, help="One update, then end.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), help="Seconds between updates; default: as the .qwc says."
)
@click.option("--rehearsal", is_flag=True, help="Allow plain http and IP addresses in the .qwc.")
def web_connector(
    qwc: Path, password_file: IO[str], pos: Path, once: bool, every: float | None, rehearsal: bool
) -> None:
    """Run a played Web Connector with the .qwc file QWC, against any service, until Ctrl-C.

    \b
    For example:
      qbwoo sandbox web-connector main.qwc --password-file pw.txt --pos company.pos --once
    """
    from ops_sandbox.web_connector import Event, QwcFile, RunReport, WebConnector, log_line

    password = first_line(password_file, "password")

    def show(event: Event) -> None:
        say(log_line(event))

    def tell(report: RunReport) -> None:
        remark(f"Update ended: {report.outcome}. {report.status_text}".strip())

    with _known_errors(), _company_file(pos) as company:
        application = QwcFile.read(qwc, allow_plain_http=rehearsal)
        for sentence in application.remarks:
            remark(f"Remark: {sentence}.")
        application.add_checks()
        connector = WebConnector(application, password, company, on_event=show)
        if not once:
            with _until_interrupted() as stop:
                connector.auto_run(stop, every_seconds=every, on_report=tell)
            return
        report = connector.run_once()
        tell(report)
        if report.outcome not in ("ok", "none"):
            raise NotDone("The update came to nothing: see the lines above.")


@sandbox.command()
@click.argument("file", type=FilePath())
@click.option(
    "--add-item", "items", multiple=True, metavar="ALU=PRICE", help="Enter an item; may be repeated."
)
@click.option(
    "--what", type=click.Choice(("receipts", "items", "customers")), default="receipts", show_default=True
)
@json_option
def pos(file: Path, items: tuple[str, ...], what: str, as_json: bool) -> None:
    """Show what the played Point of Sale company in FILE holds; it is made if there is none.

    Its company is called Sandbox Goods: "Company Data=Sandbox Goods" opens it, with ";Practice=Yes" in practice mode,
    as `company calibrate` wants it.

    \b
    For example:
      qbwoo sandbox pos company.pos --add-item TS-RED-M=19.90
      qbwoo sandbox pos company.pos --json
    """
    new = [_item(text) for text in items]
    with _known_errors(), _company_file(file) as company:
        for alu, price in new:
            company.add_item(alu, alu=alu, price1=price, on_hand={company.store_number: 100})
        rows = list(_SHOWN[what](company))
    print_rows(rows, tuple(rows[0]) if rows else (), as_json=as_json, empty=f"The company holds no {what}.")


@sandbox.command()
@click.option("--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--file", type=FilePath(), help="Where it is kept; default: in memory.")
@click.option("--place", default=0, type=click.IntRange(0), help="Place this many paid orders at the start.")
@click.option(
    "--cron",
    default=5.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="Seconds between runs of its webhook queue.",
)
def shop(port: int, file: Path | None, place: int, cron: float) -> None:
    """Serve a played WooCommerce shop on this machine, until Ctrl-C.

    \b
    For example:
      qbwoo sandbox shop --port 8081 --place 3
    """
    from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop

    with _known_errors():
        played = Shop.create(file)
        try:
            with played.serve(port) as running, _until_interrupted() as stop:
                played.start_cron(cron)
                say(f"Shop at {running.url}")
                say(f"Consumer key {CONSUMER_KEY}, secret {CONSUMER_SECRET}")
                skus = [
                    product["sku"]
                    for product in played.products()
                    if product["sku"] and product["purchasable"]
                ]
                for number in range(place):
                    order = played.place_order([(skus[number % len(skus)], 1)])
                    say(f"Order {order['number']} placed: {order['total']} {order['currency']}")
                remark("Ctrl-C ends it.")
                stop.wait()
        finally:
            played.close()


@contextmanager
def _company_file(path: Path) -> Iterator[Any]:
    """The played company at `path`, made if there is none."""
    from ops_sandbox.pos import PosCompanyFile

    if not path.exists():
        if not path.parent.is_dir():
            raise NotDone(f"There is no folder {path.parent}. Make it, or name a file in another one.")
        remark(f"{path} is new: an empty company.")
    company = PosCompanyFile.open(path) if path.exists() else PosCompanyFile.create(path)
    try:
        yield company
    finally:
        company.close()


@contextmanager
def _known_errors() -> Iterator[None]:
    from ops_sandbox.pos.errors import CompanyFileExists, NotACompanyFile, RequestRefused
    from ops_sandbox.shop import ShopError
    from ops_sandbox.web_connector import WebConnectorError

    try:
        yield
    except (CompanyFileExists, NotACompanyFile, RequestRefused, ShopError, WebConnectorError) as error:
        raise NotDone(str(error)) from error


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """Ctrl-C ends the block without a trace."""
    stop = threading.Event()
    try:
        yield stop
    except KeyboardInterrupt:
        stop.set()


def _item(text: str) -> tuple[str, Decimal]:
    alu, _, price = text.rpartition("=")
    try:
        amount = Decimal(price)
    except InvalidOperation:
        amount = Decimal(-1)
    if not alu or not amount.is_finite() or amount < 0:
        raise WrongUsage(f"--add-item {text!r}: expected ALU=PRICE, such as TS-RED-M=19.90.")
    return alu, amount


def _receipts(company: Any) -> Iterator[dict[str, Any]]:
    for receipt in company.receipts():
        yield {
            "number": receipt.number,
            "type": receipt.type,
            "status": receipt.status,
            "date": receipt.txn_date.isoformat(),
            "total": receipt.total,
            "tax": receipt.tax_amount,
            "comments": receipt.comments,
            "txn_id": receipt.txn_id,
        }


def _items(company: Any) -> Iterator[dict[str, Any]]:
    for item in company.items():
        yield {
            "item_number": item.item_number,
            "alu": item.alu,
            "desc1": item.desc1,
            "type": item.item_type,
            "on_hand": item.quantity_on_hand,
            "list_id": item.list_id,
        }


def _customers(company: Any) -> Iterator[dict[str, Any]]:
    for customer in company.customers():
        yield {
            "first_name": customer.first_name,
            "last_name": customer.last_name,
            "email": customer.email,
            "list_id": customer.list_id,
        }


_SHOWN = {"receipts": _receipts, "items": _items, "customers": _customers}
