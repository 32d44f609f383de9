"""`qbwoo push`: records of a shop sent because somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import ask, json_option, lines_option, print_rows, progress, say, yes_option
from ops_console.errors import NotDone, WrongUsage
from queue_store.activities import RETURN, SALE
from queue_store.states import ActivityState

if TYPE_CHECKING:
    from ops_console import shops
    from qbwc_service.previewing import Preview


@click.group()
def push() -> None:
    """Send records of a shop to QuickBooks."""


@push.command()
@click.option("--store", required=True, help="The shop.")
@click.option("--ids", help="Ids of orders, separated by commas.")
@click.option("--since", help="Orders placed at this time or later: 2026-01-31, or 2026-01-31T08:00:00Z.")
@click.option("--status", "statuses", multiple=True, help="Orders in this status; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Show the exact documents; write and send nothing.")
@lines_option
@json_option
@yes_option
@with_desk
def orders(
    desk: Desk,
    store: str,
    ids: str | None,
    since: str | None,
    statuses: tuple[str, ...],
    dry_run: bool,
    limit: int,
    as_json: bool,
    yes: bool,
) -> None:
    """Read orders from a shop and put them into the queue, also those from before the go-live.

    \b
    For example:
      qbwoo push orders --store main --ids 71,92 --dry-run
      qbwoo push orders --store main --since 2026-01-01 --yes
    """
    from ops_console import documents, shops

    wanted: dict[str, Any] = {
        "ids": _ids(ids),
        "since": _moment(since),
        "statuses": [word.strip() for given in statuses for word in given.split(",") if word.strip()],
    }
    if not any(wanted.values()):
        raise WrongUsage("Say which orders: --ids, --since or --status.")

    def results(*, dry: bool) -> Iterator[shops.PushResult]:
        with shops.shop_client(desk.settings, desk.database, desk.box, store) as client:
            yield from shops.push_orders(
                desk.database, client, store, **wanted, dry_run=dry, read_refunds=dry_run
            )

    if not dry_run and not yes:
        going = sum(map(shops.would_go, progress(results(dry=True), "Reading orders")))
        if going:
            ask(f"{going} order{'' if going == 1 else 's'} will be sent to QuickBooks. Go on?", yes=False)
    rows = []
    for result in progress(results(dry=dry_run), "Reading orders" if dry_run else "Pushing orders"):
        row: dict[str, Any] = {
            "name": result.name,
            "kind": SALE,
            "outcome": result.outcome,
            "state": None if result.state is None else result.state.shown,
            "total": None if result.order is None else result.order.total,
            "sentence": result.sentence,
            "activity": None if result.activity_id is None or dry_run else str(result.activity_id),
        }
        if dry_run and result.order is not None and shops.has_document(result):
            with desk.read() as db:
                found = shops.preview(db, store, result.order)
            row |= documents.as_json(found)
            if found.refusal:
                row |= {"outcome": "refused", "state": "failed", "sentence": found.refusal}
            if not as_json:
                _print_document(result, found, limit)
        rows.append(row)
        for one in result.beside if dry_run else ():
            rows.append(_row_beside(desk, store, result, one, None if as_json else limit))
    columns = ("name", "outcome", "state", "total", "activity", "sentence")
    print_rows(rows, columns, as_json=as_json, empty="The shop has no such orders.")
    failed = [
        row["name"] for row in rows if row["outcome"] in ("untranslatable", "not in the shop", "refused")
    ]
    if failed:
        raise NotDone(f"Not all of them can go: {', '.join(failed)}.")


def _print_document(result: shops.PushResult, found: Preview, limit: int) -> None:
    from ops_console import documents, shops

    if found.refusal:
        what = "it would be refused"
    elif shops.would_go(result):
        what = "it would go"
    else:
        what = f"it failed before, and would go after: qbwoo activity retry {result.activity_id}"
    say(f"{result.name}: {what}")
    for line in documents.as_text(found, limit=limit):
        say(line)
    say()


def _row_beside(
    desk: Desk, store: str, result: shops.PushResult, one: shops.Beside, limit: int | None
) -> dict[str, Any]:
    """The row of a web order or a return; its document is printed before, but for `limit` None."""
    from ops_console import documents, shops

    row: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind,
        "outcome": one.outcome,
        "state": one.state.shown,
        "total": one.total,
        "sentence": one.sentence,
        "activity": None,
    }
    if result.order is None or not (shops.goes_beside(result, one) or one.state is ActivityState.FAILED):
        return row
    with desk.read() as db:
        found = shops.preview_beside(db, store, result.order, one)
    row |= documents.as_json(found)
    if found.refusal:
        row |= {"outcome": "refused", "state": "failed", "sentence": found.refusal}
    if limit is not None:
        after = " after its order" if one.kind == RETURN else ""
        say(f"{one.name}: {'it would be refused' if found.refusal else f'it would go{after}'}")
        for line in documents.as_text(found, limit=limit):
            say(line)
        say()
    return row


def _ids(text: str | None) -> list[int]:
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and len(word) < 19)]
    if wrong:
        raise WrongUsage(
            f"--ids: {', '.join(wrong)} is no id of an order. It stands in the address of its admin page."
        )
    return [int(word) for word in words]


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongUsage(
            f"--since: {text!r} is no time; expected 2026-01-31 or 2026-01-31T08:00:00Z (UTC)."
        ) from None
