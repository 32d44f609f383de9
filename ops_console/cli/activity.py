"""`qbwoo activity`: the queue, and what a person may do to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.orm import Session

from ops_console import documents, handwork, story
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.names import activities_called, activity_called
from ops_console.cli.output import (
    ask,
    json_option,
    lines_option,
    print_json,
    print_record,
    print_rows,
    remark,
    say,
    yes_option,
)
from queue_store.activities import SALE, called, get_activity, list_activities
from queue_store.adjustments import ADJUST_STOCK
from queue_store.companies import get_company, get_store, list_companies, list_stores
from queue_store.models import Activity
from queue_store.overview import STATES
from queue_store.product_payloads import decode_adjustment
from queue_store.undo_adjustments import undo_adjustment
from queue_store.undo_plan import WAYS, UndoPlan

if TYPE_CHECKING:
    from ops_console import undoing


@click.group()
def activity() -> None:
    """The queue."""


@activity.command("list")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated."
)
@click.option("--kind", help="Only this kind, such as sale.")
@click.option("--store", help="Only of this store.")
@click.option("--company", help="Only of this company.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="0: all.")
@json_option
@with_desk
def list_(
    desk: Desk,
    states: tuple[str, ...],
    kind: str | None,
    store: str | None,
    company: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List activities, newest first.

    \b
    For example:
      qbwoo activity list --state failed --state held
      qbwoo activity list --json --limit 0
    """
    with desk.read() as db:
        rows = rows_of(
            db,
            list_activities(
                db,
                company_id=get_company(db, company).id if company else None,
                states=states,
                kind=kind,
                store_id=get_store(db, store).id if store else None,
                limit=limit or None,
            ),
        )
    columns = (
        "id",
        "kind",
        "state",
        "store",
        "reference",
        "attempts",
        "updated_at",
        "txn_number",
        "sentence",
    )
    print_rows(rows, columns, as_json=as_json, empty="There is no such activity.")
    if limit and len(rows) == limit and not as_json:
        remark(f"These are the newest {limit}. For all: --limit 0")


@activity.command()
@click.argument("name", metavar="ID")
@lines_option
@json_option
@with_desk
def show(desk: Desk, name: str, limit: int, as_json: bool) -> None:
    """Show an activity's story, its document, and the exact request and answer of each attempt.

    ID is its id, an order number or a mark. The document is what was sent, or what would be sent now.

    \b
    For example:
      qbwoo activity show 1207
      qbwoo activity show WMAIN-1207/1
    """
    with desk.read() as db:
        found = activities_called(db, name)
        shown = [
            {**row, "events": story.events(db, one), "attempt_list": story.attempts(db, one)}
            for one, row in zip(found, rows_of(db, found), strict=True)
        ]
        papers = [story.document(db, one) for one in found]
    if as_json:
        shown = [
            {**record, "preview": None if paper is None else documents.as_json(paper.preview)}
            for record, paper in zip(shown, papers, strict=True)
        ]
        print_json(shown[0] if len(shown) == 1 else shown)
        return
    for index, (record, paper) in enumerate(zip(shown, papers, strict=True)):
        if index:
            say()
        _print_story(record, paper, limit)


def _print_story(record: dict[str, Any], paper: story.Document | None, limit: int) -> None:
    events, attempts = record.pop("events"), record.pop("attempt_list")
    print_record({name: value for name, value in record.items() if value not in (None, "")})
    say("\nStory")
    print_rows(events, ("at", "from_state", "to_state", "cause"))
    if paper is not None:
        refused = "It would be refused now" if paper.preview.refusal else "As it would be sent now"
        say(f"\n{'As it was sent' if paper.sent else refused}")
        # What was sent stands below, with its answer.
        for line in documents.as_text(paper.preview, limit=limit, xml=not paper.sent):
            say(line)
    for attempt in attempts:
        say(f"\nAttempt {attempt['number']}: {attempt['state']}")
        print_record(
            {
                name: value
                for name, value in attempt.items()
                if value not in (None, "") and name not in ("number", "state", "request", "answer")
            }
        )
        for title, without in (("Request", "(not kept)"), ("Answer", "(none)")):
            text = attempt[title.lower()]
            say(f"\n{title}\n{documents.pretty(text, limit=limit) if text else without}")


def _command(name: str, text: str, example: str, *, asks: bool) -> None:
    """One of the four commands, which differ in a word."""

    @activity.command(name, help=f"{text}\n\n\b\nFor example:\n  {example}")
    @click.argument("names", metavar="ID...", nargs=-1, required=True)
    @json_option
    @yes_option
    @with_desk
    def command(desk: Desk, names: tuple[str, ...], as_json: bool, yes: bool) -> None:
        with desk.read() as db:
            ids = [activity_called(db, one).id for one in names]
        # One named activity is meant; a list may hold one too many.
        if asks or len(ids) > 1:
            ask(f"{name.capitalize()} {len(ids)} activit{'y' if len(ids) == 1 else 'ies'}?", yes=yes)
        with desk.write() as db:
            moved = handwork.DEEDS[name](db, ids, desk.who)
            rows = rows_of(db, moved)
        print_rows(rows, ("id", "kind", "reference", "state", "sentence"), as_json=as_json)


_command(
    "retry",
    "Let failed activities go again, with what they need.",
    "qbwoo activity retry 1207",
    asks=False,
)
_command("hold", "Keep activities from being sent.", "qbwoo activity hold 1207", asks=False)
_command("release", "Let go what was held or cancelled by hand.", "qbwoo activity release 1207", asks=False)
_command("cancel", "Never send these activities.", "qbwoo activity cancel 1207 --yes", asks=True)


@activity.command()
@click.argument("name", metavar="ID")
@click.option("--again", is_flag=True, help="Then send the shop's newest content anew.")
@click.option("--done", is_flag=True, help="You have done it in QuickBooks by hand: note that.")
@click.option("--dry-run", is_flag=True, help="Show the plan and the exact documents; do nothing.")
@json_option
@lines_option
@yes_option
@with_desk
def undo(
    desk: Desk, name: str, again: bool, done: bool, dry_run: bool, limit: int, as_json: bool, yes: bool
) -> None:
    """Take a document of an activity back out of QuickBooks, where it was our mistake.

    A receipt, or a return, is reversed. The sales order of a web order is
    deleted, if nothing was taken from it. An adjustment of stock is met by an
    opposite one. A return to a buyer is no undo: refund the order in the shop. A
    receipt on which a return hangs is not reversed before that is.

    \b
    For example:
      qbwoo activity undo 1207 --dry-run
      qbwoo activity undo 1207 --again
    """
    from ops_console import undoing

    with desk.read() as db:
        candidates = activities_called(db, name)
    if len(candidates) == 1 and candidates[0].kind == ADJUST_STOCK:
        _undo_adjustment(desk, candidates[0], dry_run=dry_run, as_json=as_json, yes=yes)
        return
    with desk.read() as db:
        found = _standing(db, name) or activity_called(db, name)
        plan = undoing.plan(db, found.id, again=again)
        shown = undoing.documents_of(db, plan)
        words = undoing.words_of(plan)
        # One that lies in doubt, or failed, may be confirmed all the same.
        hindered = bool(plan.hindrances) and not done
        activity_id = found.id
    if dry_run and as_json:
        print_json(_plan_as_json(plan, words, shown))
    elif dry_run or (hindered and plan.steps and not as_json):
        _print_plan(plan, words, shown, limit)
    if dry_run:
        return
    if not hindered and plan.way is not None:
        deed = f"Note as {plan.way.done}" if done else plan.way.verb.capitalize()
        what = f"{deed}: {plan.way.document} {plan.number} of {called(plan.activity)}"
        ask(f"{what}{', and send it anew' if again else ''}?", yes=yes)
    with desk.write() as db:
        ordered = undoing.undo(db, activity_id, desk.who, again=again, done=done)
        rows = rows_of(db, [ordered])
    print_rows(rows, ("id", "kind", "reference", "state", "sentence"), as_json=as_json)


def _undo_adjustment(desk: Desk, adjustment: Activity, *, dry_run: bool, as_json: bool, yes: bool) -> None:
    """By an opposite one: sales may have followed it, so the quantity before it is not simply put back."""
    what = decode_adjustment(adjustment.payload)
    plan = f"Adjust the stock of {adjustment.reference} in QuickBooks by {-what.difference}"
    if dry_run:
        say(f"{plan}.")
        return
    ask(f"{plan}?", yes=yes)
    with desk.write() as db:
        opposite = undo_adjustment(db, get_activity(db, adjustment.id), desk.who)
        rows = rows_of(db, [opposite])
    print_rows(rows, ("id", "kind", "reference", "state", "sentence"), as_json=as_json)


def _standing(db: Session, name: str) -> Activity | None:
    """The one document in QuickBooks that `name` can mean; None where there is none, or several.

    An order's number means its receipt, as long as one stands: returns have ids of
    their own, and its web order was fulfilled by it.
    """
    standing = [one for one in activities_called(db, name) if one.kind in WAYS and one.state == "succeeded"]
    chosen = [one for one in standing if one.kind == SALE] or standing
    return chosen[0] if len(chosen) == 1 else None


def _plan_as_json(plan: UndoPlan, words: list[str], shown: undoing.Documents) -> dict[str, Any]:
    activity = plan.activity
    record: dict[str, Any] = {
        "activity": str(activity.id),
        "kind": activity.kind,
        "reference": activity.reference,
        "document": "" if plan.way is None else plan.way.document,
        "number": plan.number,
        "txn_id": plan.txn_id,
        "total": plan.total,
        "hindrances": list(plan.hindrances),
        "steps": list(plan.steps),
        "plan": words,
    }
    for title, found in (("undoing", shown.undoing), ("following", shown.following)):
        if found is not None:
            record[title] = documents.as_json(found)
    return record


def _print_plan(plan: UndoPlan, words: list[str], shown: undoing.Documents, limit: int) -> None:
    activity = plan.activity
    where = "" if plan.way is None or not plan.txn_id else f": {plan.way.document} {plan.number}"
    total = "" if plan.total is None else f", {plan.total:,.2f}"
    say(f"{called(activity)} (activity {activity.id}){where}{total}")
    if plan.hindrances:
        say("\nIn the way\n" + "\n".join(f"  {one}" for one in plan.hindrances))
    if plan.steps:
        say("\nIn this order\n" + "\n".join(f"  {one}" for one in plan.steps))
    if plan.hindrances:
        return
    say("\nIt would go so")
    for number, step in enumerate(words, start=1):
        say(f"  {number}. {step}")
    for found in (shown.undoing, shown.following):
        if found is not None:
            say()
            for line in documents.as_text(found, limit=limit):
                say(line)


def rows_of(db: Session, activities: Iterable[Activity]) -> list[dict[str, Any]]:
    """Activities as lists and JSON show them."""
    companies = {company.id: company.name for company in list_companies(db)}
    stores = {store.id: store.name for store in list_stores(db)}
    return [story.summary(one, companies, stores) for one in activities]
