"""`qbwoo mapping match|export|import`: many mappings at once."""

from __future__ import annotations

from pathlib import Path

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.mapping import company_option, kind_choice, mapping, owner_of
from ops_console.cli.output import (
    ask,
    json_option,
    print_json,
    print_record,
    print_rows,
    progress,
    remark,
    yes_option,
)
from ops_console.cli.paths import FilePath
from ops_console.errors import NotDone
from queue_store.matching_report import Verdict

_MATCH_COLUMNS = ("verdict", "product_id", "sku", "name", "item_number", "item_name", "why")


@mapping.command()
@click.option("--store", required=True, help="The shop.")
@click.option("--verdict", type=click.Choice([word.value for word in Verdict]), help="List only these.")
@click.option("--known", is_flag=True, help="Do not read the shop; its products as last read.")
@click.option("--dry-run", is_flag=True, help="Show what would be matched; match nothing.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Lines; 0: all.")
@json_option
@with_desk
def match(
    desk: Desk, store: str, verdict: str | None, known: bool, dry_run: bool, limit: int, as_json: bool
) -> None:
    """Match the shop's products to QuickBooks' items by SKU, where that is certain; show what is not.

    Certain is a SKU that one product bears and that is the key of one item. What is
    doubtful, or missing on either side, is shown and never guessed. What was matched
    before is only counted, unless you ask: --verdict matched.

    \b
    For example:
      qbwoo mapping match --store main --dry-run
      qbwoo mapping match --store main --verdict doubtful --limit 0
    """
    from ops_console import matching, shops

    if not known:
        with shops.shop_client(desk.settings, desk.database, desk.box, store) as client:
            read = matching.read_products(desk.database, client, store)
            count = sum(progress(read, "Reading products", size=int))
        remark(f"{count} products and variations of store {store} were read.")
    wanted = None if verdict is None else Verdict(verdict)
    report = matching.match(desk.database, store, dry_run=dry_run, verdict=wanted, limit=limit)
    if as_json:
        print_json({"store": store, "dry_run": dry_run, "counts": report.counts, "rows": report.rows})
        return
    print_rows(report.rows, _MATCH_COLUMNS, empty="There is nothing to list.")
    if report.left_out:
        remark(f"{report.left_out} more; for all: --limit 0")
    remark(", ".join(f"{number} {word}" for word, number in report.counts.items()) + ".")
    if not report.is_catalogue_read:
        remark(
            "QuickBooks' items were not read to their end yet, so that some seem missing: they are read once a store is "
            "live, in the runs of the Web Connector."
        )
    if report.counts[Verdict.CERTAIN]:
        remark(
            "Nothing was matched: a dry run."
            if dry_run
            else f"{report.matched} matched now, as listed as certain."
        )


@mapping.command()
@click.option("--kind", type=kind_choice, required=True)
@company_option
@click.option("--output", "-o", "path", type=FilePath(), required=True, help="The file to write.")
@with_desk
def export(desk: Desk, kind: str, company: str | None, path: Path) -> None:
    """Write all mappings of a kind to a CSV file, which `mapping import` reads again.

    \b
    For example:
      qbwoo mapping export --kind product -o products.csv
    """
    from ops_console.mapping_csv import export_csv
    from ops_console.private_files import open_private

    with desk.read() as db:
        owner = owner_of(db, company, None)[0].name
    try:
        # With a mark by which spreadsheets know UTF-8.
        with open_private(path) as file:
            count = export_csv(desk.database, owner, kind, file)
    except OSError as error:
        raise NotDone(f"{path} cannot be written: {error.strerror}.") from error
    remark(f"{count} mappings of kind {kind} are in {path}.")


@mapping.command("import")
@click.argument("path", metavar="FILE", type=FilePath())
@click.option("--kind", type=kind_choice, required=True)
@company_option
@click.option("--dry-run", is_flag=True, help="Check every line; write nothing.")
@json_option
@yes_option
@with_desk
def import_(
    desk: Desk, path: Path, kind: str, company: str | None, dry_run: bool, as_json: bool, yes: bool
) -> None:
    """Read mappings from a CSV file with the columns key and value, and store where one is meant.

    Every line must be good, or nothing is written. What the file does not name stays as it is.

    \b
    For example:
      qbwoo mapping import products.csv --kind product --dry-run
    """
    from ops_console.mapping_csv import import_csv

    with desk.read() as db:
        owner = owner_of(db, company, None)[0].name
    if not dry_run and not yes:
        plan = import_csv(desk.database, owner, kind, path, desk.who, dry_run=True)
        if not plan.bad and plan.new + plan.changed:
            ask(f"{plan.new} new and {plan.changed} changed mappings of kind {kind}. Write them?", yes=False)
    done = import_csv(desk.database, owner, kind, path, desk.who, dry_run=dry_run)
    record = {
        "lines": done.lines,
        "bad": done.bad,
        "new": done.new,
        "changed": done.changed,
        "unchanged": done.unchanged,
    }
    for problem in done.problems:
        remark(problem)
    if done.bad > len(done.problems):
        remark(f"... and {done.bad - len(done.problems)} more")
    print_record({**record, "problems": done.problems} if as_json else record, as_json=as_json)
    if done.bad:
        raise NotDone(f"{done.bad} of {done.lines} lines of {path} are not right: nothing was written.")
    if dry_run:
        remark("Nothing was written: a dry run.")
