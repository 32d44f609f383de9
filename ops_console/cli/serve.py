"""`qbwoo serve` and `qbwoo worker`: the processes that run on."""

from __future__ import annotations

import gc
import signal
import threading
from types import FrameType
from typing import NoReturn

import click

from ops_console import wiring
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import json_option, print_record, remark
from ops_console.logging import set_up_logging
from queue_store.doubting import doubt_agreements


@click.command(short_help="Run the service.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 200), help="Answers at once.")
@click.option("--no-worker", is_flag=True, help="Only answer; `qbwoo worker` does the rest.")
@with_desk
def serve(desk: Desk, host: str, port: int, threads: int, no_worker: bool) -> None:
    """Run the service: SOAP at /qbwc, webhooks at /webhooks/woocommerce/, the status page at /.

    The database is brought to the newest revision first. Ends at SIGTERM or Ctrl-C.

    \b
    For example:
      qbwoo serve --port 8080
    """
    from ops_console.service import Service

    settings = desk.settings
    set_up_logging(settings.log_level, log_format=settings.log_format)
    _end_at_signals()
    service = Service(settings, host=host, port=port, threads=threads, worker=not no_worker)
    _collect_rarely()
    remark(f"Serving at {service.url}  (status page: {service.url}/)  Ctrl-C ends it.")
    if settings.public_url is None:
        remark(
            "QBWOO_PUBLIC_URL is not set: shops and the Web Connector need an address that reaches this one."
        )
    service.run()


@click.command(short_help="Run another worker.")
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@json_option
@with_desk
def worker(desk: Desk, once: bool, as_json: bool) -> None:
    """Prepare documents and do what is addressed to the shops.

    `qbwoo serve` does this too; with PostgreSQL more of them may run beside it.

    \b
    For example:
      qbwoo worker --once
    """
    work = wiring.Work(desk.settings, desk.database, desk.box, patience=None if once else wiring.PATIENCE)
    if once:
        done = 0
        while number := work():
            done += number
        print_record({"done": done}, as_json=as_json)
        return
    from ops_console.working import WorkLoop

    set_up_logging(desk.settings.log_level, log_format=desk.settings.log_format)
    # As when `serve` starts: the database may be a backup that was put back.
    desk.database.write_again(doubt_agreements)
    loop = WorkLoop(work)
    _end_at_signals()
    loop.start()
    remark("Working. Ctrl-C ends it.")
    try:
        threading.Event().wait()
    except SystemExit:
        pass
    finally:
        loop.stop()
        work.wait(wiring.LAST_WAIT)


def _collect_rarely() -> None:
    """Python looks for cycles at every 700 new objects, which are a few orders, and now and then in all that is loaded."""
    gc.freeze()
    gc.set_threshold(10_000)


def _end_at_signals() -> None:
    """SIGTERM and Ctrl-C end the process with 0, what is at hand finished first."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
