"""`qbwoo privacy`: how long things are kept, and what is held of a person."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import (
    ask,
    json_option,
    json_text,
    print_json,
    print_rows,
    progress,
    remark,
    yes_option,
)
from ops_console.cli.paths import FilePath
from ops_console.errors import WrongUsage
from ops_console.person_export import export_person
from ops_console.private_files import write_private
from ops_console.pruning import prune_all
from queue_store.companies import list_companies
from queue_store.erasing import Erased, erase, look_for
from queue_store.erasures import emails_in, fold_email

email_option = click.option("--email", required=True, help="The person's e-mail address, in any case.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.group()
def privacy() -> None:
    """How long things are kept, and what is held of a person."""


@privacy.command()
@dry_run_option
@yes_option
@json_option
@with_desk
def prune(desk: Desk, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Prune now what was kept long enough; by itself that is done each day at `privacy.hour`.

    \b
    For example:
      qbwoo privacy prune --dry-run
    """
    if not dry_run:
        ask("Prune what was kept longer than the settings privacy.*_days say?", yes=yes)
    counts: Counter[tuple[str, str]] = Counter()
    pieces = prune_all(desk.database, datetime.now(UTC), only_count=dry_run)
    for company, kind, count in progress(pieces, "pruning", size=lambda one: one[2]):
        counts[company, kind] += count
    rows = [
        {"company": company, "what": kind, "pruned": 0 if dry_run else count, "old_enough": count}
        for (company, kind), count in counts.items()
    ]
    shown = ("company", "what", "old_enough" if dry_run else "pruned")
    print_rows(
        [one for one in rows if one["old_enough"] or as_json],
        shown,
        as_json=as_json,
        empty="Nothing was kept long enough.",
    )
    if dry_run:
        remark("Nothing was pruned.")


@privacy.command()
@email_option
@click.option(
    "-o", "--output", type=FilePath(), help="Write to this file, for your eyes alone, not to the screen."
)
@yes_option
@with_desk
def export(desk: Desk, email: str, output: Path | None, yes: bool) -> None:
    """Tell everything that is held of a person, as JSON.

    \b
    For example:
      qbwoo privacy export --email anna@example.com -o anna.json
    """
    told, person = export_person(desk.database, _address(email), datetime.now(UTC))
    if output is None:
        print_json(told)
    else:
        if output.exists():
            ask(f"{output} exists. Replace it?", yes=yes)
        write_private(output, json_text(told) + os.linesep)
        remark(f"Written to {output.absolute()}: delete it when it was handed over.")
    if len(told) == 2:
        remark("Nothing is held of this address.")
    if person.customers:
        remark(_in_quickbooks(person.customers))


@privacy.command("erase")
@email_option
@dry_run_option
@yes_option
@json_option
@with_desk
def erase_(desk: Desk, email: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Erase what tells who a person is; marks, ids, totals and the books stay.

    What is open is left, and erased by itself once it is over. Remembered by a
    digest of the address, the person's older orders come in without them if they
    are read again.

    \b
    For example:
      qbwoo privacy erase --email anna@example.com --dry-run
    """
    address = _address(email)
    if dry_run:
        _, erased = look_for(desk.database, address)
    else:
        ask(f"Erase everything that tells who {address} is? It cannot be brought back.", yes=yes)
        erased = erase(desk.database, address, who=desk.who, now=datetime.now(UTC))
    _tell(desk, erased, dry_run=dry_run, as_json=as_json)


def _tell(desk: Desk, erased: Erased, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "done": not dry_run,
                "rows": dict(sorted(erased.rows.items())),
                "left": [{"activity": str(one.activity_id), "sentence": one.sentence} for one in erased.left],
                "customers_in_quickbooks": sorted(list_id for _, list_id in erased.customers),
            }
        )
        return
    rows: list[dict[str, Any]] = [
        {"table": name, "rows": count} for name, count in sorted(erased.rows.items())
    ]
    print_rows(
        rows, ("table", "rows"), empty="Nothing is held of this address but what is told below, if anything."
    )
    for one in erased.left:
        remark(f"Left for now: {one.sentence}")
    if erased.left:
        remark("What is left is erased by itself within a day of its end.")
    remark(_in_quickbooks(erased.customers))
    with desk.read() as db:
        companies = len(list_companies(db))
    if dry_run:
        remark("Nothing was erased.")
    elif companies:
        remark("Backups made before still hold the person: delete them when their time is over.")


def _in_quickbooks(customers: set[tuple[int, str]]) -> str:
    sentence = "What stands in QuickBooks and in the shop is yours to erase there"
    if not customers:
        return sentence + "."
    return f"{sentence}: QuickBooks knows this address as customer {', '.join(sorted(one for _, one in customers))}."


def _address(email: str) -> str:
    """Raises WrongUsage for what is no address."""
    folded = fold_email(email)
    if emails_in(folded.encode()) != {folded}:
        raise WrongUsage(f"--email: {email!r} is no e-mail address; expected one such as anna@example.com.")
    return folded
