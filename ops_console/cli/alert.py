"""`qbwoo alert`: what is not as it should be, and whether you would hear of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import json_option, print_json, print_rows, remark
from ops_console.errors import NotDone, NotTold
from ops_console.logging import redact
from queue_store.alerts import list_alerts, unsent
from queue_store.companies import get_company, list_companies
from queue_store.models import Alert, AlertMessage, Company
from queue_store.settings import company_settings

_COLUMNS = ("company", "topic", "opened_at", "told_at", "closed_at", "sentence")


@click.group()
def alert() -> None:
    """What is not as it should be, and whether you would hear of it."""


@alert.command("list")
@click.option("--company", help="Only of this company.")
@click.option("--all", "closed", is_flag=True, help="Also what is over (kept for 90 days).")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="Alerts that are printed."
)
@json_option
@with_desk
def list_(desk: Desk, company: str | None, closed: bool, limit: int, as_json: bool) -> None:
    """List what is not as it should be, newest first, as the worker saw it last.

    \b
    For example:
      qbwoo alert list
      qbwoo alert list --all --json
    """
    with desk.read() as db:
        names = {found.id: found.name for found in list_companies(db)}
        company_id = get_company(db, company).id if company else None
        alerts = [_alert(one, names) for one in list_alerts(db, company_id, closed=closed, limit=limit)]
        waiting = [_message(one, names) for one in unsent(db, company_id)]
    if as_json:
        print_json({"alerts": alerts, "unsent": waiting})
        return
    print_rows(alerts, _COLUMNS, empty="Nothing is known to be wrong.")
    for one in waiting:
        why = f": {one['problem']}" if one["problem"] else "."
        remark(f"A message of company {one['company']} by {one['channel']} is still to be sent{why}")


@alert.command()
@click.option("--company", help="Only of this company.")
@json_option
@with_desk
def test(desk: Desk, company: str | None, as_json: bool) -> None:
    """Send a test message to everybody who would be told, and say whether it went.

    \b
    For example:
      qbwoo alert test --company "Main Street"
    """
    from ops_console.alerts.channels import channels_of
    from ops_console.alerts.message import trial

    channels = channels_of(desk.settings)
    with desk.read() as db:
        companies = [get_company(db, company)] if company else list_companies(db)
        told = [(found, company_settings(db, found)) for found in companies]
    rows: list[dict[str, Any]] = []
    for found, settings in told:
        for channel in channels.of(settings):
            try:
                problem, sent = channels.send(channel, settings, trial(found.name, datetime.now(UTC))), True
            except NotTold as error:
                problem, sent = str(error), False
            rows.append({"company": found.name, "channel": channel, "sent": sent, "problem": problem})
    silent = [found for found, settings in told if not channels.of(settings)]
    if as_json or rows:
        print_rows(rows, ("company", "channel", "sent", "problem"), as_json=as_json)
    _complain(silent, rows)


def _complain(silent: list[Company], rows: list[dict[str, Any]]) -> None:
    """Raises NotDone if somebody would hear nothing."""
    if silent:
        names = ", ".join(found.name for found in silent)
        raise NotDone(
            f"Nobody would be told of company {names}: set QBWOO_SMTP_HOST, QBWOO_MAIL_FROM and QBWOO_ALERT_MAIL_TO, or "
            "QBWOO_ALERT_URL (or of the company alerts.mail_to, alerts.url). See docs/watching.md."
        )
    if not all(row["sent"] for row in rows):
        raise NotDone("Not every message went.")


def _alert(one: Alert, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "company": names.get(one.company_id, ""),
        "topic": one.topic,
        "cause": one.cause,
        "sentence": redact(one.sentence),
        "opened_at": one.opened_at,
        "told_at": one.told_at,
        "retold_at": one.retold_at,
        "closed_at": one.closed_at,
    }


def _message(one: AlertMessage, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "company": names.get(one.company_id, ""),
        "channel": one.channel,
        "tries": one.tries,
        "next_at": one.next_at,
        "problem": one.problem,
    }
