"""`qbwoo reconcile`: the shop and QuickBooks held against each other."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import IO

import click

from ops_console import wiring
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import json_option, moment, print_json, print_rows, progress, remark
from ops_console.cli.paths import PrivateFile
from ops_console.errors import NotDone, WrongUsage
from queue_store import reconciliations
from queue_store.companies import get_store
from queue_store.models import Reconciliation
from queue_store.operations import audit
from queue_store.settings import store_settings
from queue_store.tasks import close_tasks

_LOOK = 1.0
_COLUMNS = (
    "verdict",
    "reference",
    "day",
    "shop_total",
    "books_total",
    "difference",
    "receipts",
    "why",
    "accepted",
)


@click.group()
def reconcile() -> None:
    """Hold shop and QuickBooks against each other."""


@reconcile.command()
@click.option("--store", required=True, help="The shop.")
@click.option(
    "--since",
    help="First day of the documents, such as 2026-01-31; without it only the last report is shown.",
)
@click.option("--until", help="Last day; today unless named.")
@click.option(
    "--wait", "seconds", type=click.IntRange(1, 86_400), help="Wait so many seconds for the new report."
)
@click.option("--all", "equal", is_flag=True, help="In the table, show also what agrees.")
@click.option("--csv", "file", type=PrivateFile(), help="Write all rows as CSV.")
@json_option
@with_desk
def orders(
    desk: Desk,
    store: str,
    since: str | None,
    until: str | None,
    seconds: int | None,
    equal: bool,
    file: IO[str] | None,
    as_json: bool,
) -> None:
    """Ask QuickBooks for a period's receipts, and show which orders agree with them.

    QuickBooks is asked in the next run of the Web Connector. Without --wait the
    last report is shown, with its time.

    \b
    For example:
      qbwoo reconcile orders --store main --since 2026-01-01 --wait 600
      qbwoo reconcile orders --store main --since 2026-01-01 --csv january.csv
    """
    from ops_console import accepting, reconciliation_report

    asked_id, period = _ask(desk, store, since, until)
    if asked_id is not None and seconds is not None:
        _wait(desk, asked_id, seconds)
    with desk.read() as db:
        there = get_store(db, store)
        done = reconciliations.last_done(db, there, period) or reconciliations.last_done(db, there)
        stored = None if done is None else done.report
        if stored is None:
            raise NotDone(
                f"There is no report of store {store} yet. QuickBooks is asked in the next run of the Web Connector; "
                "then run this again."
                if asked_id is not None
                else _no_report(store)
            )
        report = accepting.marked(db, there.id, reconciliation_report.report_decoder.decode(stored))
    if file is not None:
        reconciliation_report.write_csv(report, file)
    if as_json:
        rows = reconciliation_report.rows_of(report, equal=True)
        print_json(
            {
                "store": report.store,
                "since": report.since,
                "until": report.until,
                "read_at": report.read_at,
                "shop_problem": report.shop_problem,
                "counts": report.counts,
                "rows": rows,
            }
        )
        return
    print_rows(
        reconciliation_report.rows_of(report, equal=equal), _COLUMNS, empty="Shop and QuickBooks agree."
    )
    counts = ", ".join(f"{number} {verdict}" for verdict, number in report.counts.items() if number)
    remark(
        f"{report.since} to {report.until}, as read at {moment(report.read_at)}: {counts or 'no documents'}."
    )
    if report.shop_problem:
        remark(report.shop_problem)
    if asked_id is not None and seconds is None:
        remark("QuickBooks is asked anew in the next run of the Web Connector. To wait for it: --wait 600")


@reconcile.command()
@click.option("--store", required=True, help="The shop.")
@click.option(
    "--fresh", is_flag=True, help="Have QuickBooks' items read again, by the Web Connector's next run."
)
@click.option("--wait", "seconds", type=click.IntRange(1, 86_400), help="With --fresh: wait so many seconds.")
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Also what does not flow to this shop: not live, not matched, held.",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Lines; 0: all.")
@click.option("--csv", "file", type=PrivateFile(), help="Write all rows as CSV.")
@json_option
@with_desk
def products(
    desk: Desk,
    store: str,
    fresh: bool,
    seconds: int | None,
    everything: bool,
    limit: int,
    file: IO[str] | None,
    as_json: bool,
) -> None:
    """Read the shop's products now, and show where they differ from what QuickBooks' items ask for, and why.

    QuickBooks is taken as it was read last; it says when that was. With --fresh it is
    read again in the next run of the Web Connector.

    \b
    For example:
      qbwoo reconcile products --store main
      qbwoo reconcile products --store main --fresh --wait 900 --csv drift.csv
    """
    from ops_console import drift, shops

    if seconds is not None and not fresh:
        raise WrongUsage("--wait goes with --fresh.")
    if fresh:
        asked_at = drift.ask_quickbooks(desk.database, store)
        end = time.monotonic() + (seconds or 0)
        while not drift.is_read_since(desk.database, store, asked_at):
            if seconds is None:
                remark("QuickBooks is read in the next run of the Web Connector; then run this again.")
                break
            if time.monotonic() >= end:
                raise NotDone(
                    f"QuickBooks was not read within {seconds} s: did the Web Connector come? See: qbwoo session list"
                )
            time.sleep(min(_LOOK, max(0.0, end - time.monotonic())))
    with shops.shop_client(desk.settings, desk.database, desk.box, store) as client:
        read = sum(progress(drift.read_shop(desk.database, client, store), "Reading products", size=int))
    found = drift.report(desk.database, store, everything=everything, limit=limit, file=file)
    if as_json:
        print_json(
            {
                "store": store,
                "products": read,
                "quickbooks_changes_read_at": found.books.changes,
                "quickbooks_all_read_at": found.books.everything,
                "counts": dict(found.counts),
                "rows": found.rows,
            }
        )
        return
    print_rows(found.rows, drift.COLUMNS, empty="Every product shows what it should.")
    if found.left_out:
        remark(f"{found.left_out} more; for all: --limit 0")
    remark(", ".join(f"{number} {word}" for word, number in sorted(found.counts.items())) + ".")
    remark(
        f"QuickBooks' changes were read {_age(found.books.changes)}, all its items one by one "
        f"{_age(found.books.everything)}."
    )


@reconcile.command()
@click.argument("names", metavar="ORDER...", nargs=-1, required=True)
@click.option("--store", required=True, help="The shop.")
@click.option("--note", default="", help="Why; kept with it.")
@click.option("--take-back", is_flag=True, help="Let it alarm again.")
@with_desk
def accept(desk: Desk, names: tuple[str, ...], store: str, note: str, take_back: bool) -> None:
    """Leave records of the last report as they are: they alarm no more, until they change.

    ORDER is the order's number or the mark, as the report names it.

    \b
    For example:
      qbwoo reconcile accept 1207 --store main --note "paid the 0.02 myself"
    """
    from ops_console import accepting, reconciliation, reconciliation_report

    with desk.write() as db:
        there = get_store(db, store)
        done = reconciliations.last_done(db, there)
        if done is None or done.report is None:
            raise NotDone(_no_report(store))
        report = reconciliation_report.report_decoder.decode(done.report)
        for name in names:
            rows = accepting.rows_named(report, name)
            if not rows:
                raise NotDone(
                    f"{name} is no record of the last report ({report.since} to {report.until}) that does not agree. "
                    f"Nothing was done. See: qbwoo reconcile orders --store {store}"
                )
            for row in rows:
                record = accepting.record_of(row)
                if take_back:
                    if not reconciliations.forget_accepted(db, there, record):
                        raise NotDone(f"{name} was not accepted; nothing was done.")
                else:
                    reconciliations.accept(
                        db, there, record, accepting.facts_of(row), who=desk.who, note=note
                    )
                what = f"store {store}: {record} {'taken back' if take_back else 'accepted'}"
                audit(db, there.company_id, desk.who, what, row.verdict, note)
        close_tasks(db, there.company_id, reconciliation.TASK, subjects=[str(there.id)])
        marked = accepting.marked(db, there.id, report)
        reconciliation.tell(db, done, marked)
        left = len(marked.alarming)
    said = ", ".join(names)
    if take_back:
        remark(f"{said}: accepted no more.")
    else:
        remark(
            f"{said}: stays as it is, and alarms again only if it changes. Alarming besides: {left or 'nothing'}."
        )


def _no_report(store: str) -> str:
    return f"There is no report of store {store} yet. Run: qbwoo reconcile orders --store {store} --since DAY"


def _age(at: datetime | None) -> str:
    if at is None:
        return "not yet, or not since it was asked for anew"
    minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
    ago = f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
    return f"at {moment(at)} ({ago})"


def _ask(
    desk: Desk, store: str, since: str | None, until: str | None
) -> tuple[int | None, tuple[date, date] | None]:
    from woo_bridge.shop_clock import shop_zone

    if since is None:
        if until is not None:
            raise WrongUsage("--until goes with --since.")
        return None, None
    first = _day("--since", since)
    with desk.write() as db:
        there = get_store(db, store)
        today = datetime.now(shop_zone(db, there, store_settings(db, there))).date()
        last = today if until is None else _day("--until", until)
        if last < first:
            raise WrongUsage(f"--since {first} is after --until {last}.")
        return reconciliations.ask(db, there, first, last, who=desk.who).id, (first, last)


def _wait(desk: Desk, asked_id: int, seconds: int) -> None:
    """Until the report is there. Raises NotDone where it is not in time."""
    from ops_console.reconciliation import compare_due

    end = time.monotonic() + seconds
    open_client = wiring.make_open_client(desk.settings, desk.box)
    while True:
        # Here too, not in the worker alone: it may not run.
        compare_due(desk.database, open_client)
        with desk.read() as db:
            found = db.get_one(Reconciliation, asked_id)
            state, sentence = found.state, found.sentence
        if state == reconciliations.DONE:
            return
        if state == reconciliations.FAILED:
            raise NotDone(sentence)
        if time.monotonic() + _LOOK > end:
            raise NotDone(
                f"QuickBooks has not been asked within {seconds} seconds: does the Web Connector run? The request stays in "
                f"the queue. {sentence}".strip()
            )
        time.sleep(_LOOK)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{option}: {text!r} is no day; expected 2026-01-31.") from None
