"""`qbwoo session`: runs of the Web Connector."""

from __future__ import annotations

from typing import Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.names import number
from ops_console.cli.output import json_option, print_json, print_record, print_rows, say
from queue_store.companies import get_company, list_companies
from queue_store.errors import NotFound
from queue_store.models import Exchange, QbwcSession
from queue_store.sessions import exchanges_of, list_sessions


@click.group()
def session() -> None:
    """Runs of the Web Connector."""


@session.command("list")
@click.option("--company", help="Only of this company.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(0), help="0: all.")
@json_option
@with_desk
def list_(desk: Desk, company: str | None, limit: int, as_json: bool) -> None:
    """List the sessions, newest first.

    \b
    For example:
      qbwoo session list --limit 5
    """
    with desk.read() as db:
        names = {found.id: found.name for found in list_companies(db)}
        company_id = get_company(db, company).id if company else None
        rows = [
            _row(found, names[found.company_id])
            for found in list_sessions(db, company_id=company_id, limit=limit or None)
        ]
    print_rows(
        rows,
        ("id", "company", "state", "started_at", "ended_at", "settled", "failed", "percent", "last_error"),
        as_json=as_json,
        empty="The Web Connector has not come yet.",
    )


@session.command()
@click.argument("session_id", metavar="ID")
@json_option
@with_desk
def show(desk: Desk, session_id: str, as_json: bool) -> None:
    """Show one session with its message sets.

    \b
    For example:
      qbwoo session show 251658240000123
    """
    with desk.read() as db:
        found = db.get(QbwcSession, number(session_id, "session"))
        if found is None:
            raise NotFound("session", session_id, "See: qbwoo session list")
        names = {company.id: company.name for company in list_companies(db)}
        record = _row(found, names[found.company_id])
        exchanges = [_exchange(exchange) for exchange in exchanges_of(db, found.id)]
    if as_json:
        print_json({**record, "exchanges": exchanges})
        return
    print_record(record)
    say()
    print_rows(
        exchanges,
        ("id", "purpose", "state", "requests", "sent_at", "received_at", "hresult", "message"),
        empty="Nothing was sent in it.",
    )


def _row(found: QbwcSession, company: str) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "company": company,
        "state": found.state,
        "address": found.address,
        "company_file_name": found.company_file_name,
        "work_at_start": found.work_at_start,
        "settled": found.settled,
        "failed": found.failed,
        "percent": found.percent,
        "last_error": found.last_error,
        "started_at": found.started_at,
        "last_call_at": found.last_call_at,
        "ended_at": found.ended_at,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "id": str(exchange.id),
        "purpose": exchange.purpose,
        "state": exchange.state,
        "requests": exchange.requests,
        "sent_at": exchange.sent_at,
        "received_at": exchange.received_at,
        "hresult": exchange.hresult,
        "message": exchange.message,
    }
