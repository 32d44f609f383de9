"""`qbwoo task`: what waits for a person, and what runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ops_console import wiring
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.names import number
from ops_console.cli.output import json_option, print_json, print_record, print_rows, progress, remark
from ops_console.errors import NotDone, WrongUsage
from queue_store.activities import count_by_state
from queue_store.companies import get_company, list_companies, list_stores
from queue_store.errors import NotFound
from queue_store.models import OperatorTask
from queue_store.operations import audit
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks

if TYPE_CHECKING:
    from woo_bridge.planning import Planned
    from woo_bridge.scheduler import Progress

_DECISIONS = ("id", "company", "kind", "updated_at", "sentence")
_SCHEDULES = ("name", "store", "every", "last_run", "next_run", "result", "sentence")


@click.group()
def task() -> None:
    """What waits for a person, and what runs by itself."""


@task.command("list")
@click.option("--company", help="Only of this company.")
@json_option
@with_desk
def list_(desk: Desk, company: str | None, as_json: bool) -> None:
    """List what waits for your decision, newest first, and what runs by itself, store by store.

    \b
    For example:
      qbwoo task list
    """
    with desk.read() as db:
        names = {found.id: found.name for found in list_companies(db)}
        company_id = get_company(db, company).id if company else None
        failed = count_by_state(db, company_id).get(ActivityState.FAILED, 0)
        decisions = [_decision(one, names) for one in open_tasks(db, company_id)]
    scheduler = wiring.make_scheduler(desk.settings, desk.database, desk.box)
    schedules = [_schedule(one) for one in scheduler.planned() if company_id in (None, one.store.company_id)]
    if as_json:
        print_json({"decisions": decisions, "schedules": schedules})
        return
    print_rows(decisions, _DECISIONS, empty="No task is open." if failed else "Nothing waits for you.")
    if failed:
        what = "activity has failed and needs" if failed == 1 else "activities have failed and need"
        remark(f"{failed} {what} you: qbwoo activity list --state failed")
    if schedules:
        remark("\nWhat runs by itself (times in UTC):")
        print_rows(schedules, _SCHEDULES)


@task.command()
@click.argument("name")
@click.option("--store", "store_name", help="Of this store; not needed where there is one only.")
@json_option
@with_desk
def run(desk: Desk, name: str, store_name: str | None, as_json: bool) -> None:
    """Run now what runs by itself, whatever the hour, and say what it did. NAME is as `task list` shows it.

    \b
    For example:
      qbwoo task run orders --store main
    """
    from woo_bridge.scheduler import NotNow

    scheduler = wiring.make_scheduler(desk.settings, desk.database, desk.box)
    store_name = store_name or _only_store(desk)
    last: Progress | None = None
    try:
        for piece in progress(scheduler.run_now(name, store_name), name):
            if last is not None:
                remark(last.sentence)
            last = piece
    except NotNow as error:
        raise NotDone(str(error)) from error
    assert last is not None
    if last.failed:
        raise NotDone(last.sentence)
    record = {"name": name, "store": store_name, "result": "done", "sentence": last.sentence}
    print_record(record, as_json=as_json)


@task.command()
@click.argument("task_id", metavar="ID")
@with_desk
def done(desk: Desk, task_id: str) -> None:
    """Close a task that was seen to.

    \b
    For example:
      qbwoo task done 251658240000123
    """
    with desk.write() as db:
        found = db.get(OperatorTask, number(task_id, "task"))
        if found is None:
            raise NotFound("task", task_id, "See: qbwoo task list")
        if not found.open:
            raise NotDone(f"Task {task_id} was closed before.")
        audit(db, found.company_id, desk.who, f"task {found.id}: done", found.sentence, "")
        found.open = False
    remark(f"Task {task_id} is closed.")


def _only_store(desk: Desk) -> str:
    """Raises WrongUsage unless there is exactly one."""
    with desk.read() as db:
        names = [store.name for store in list_stores(db)]
    if len(names) != 1:
        raise WrongUsage(f"--store: say which store: {', '.join(names) or 'there is none yet'}.")
    return names[0]


def _decision(one: OperatorTask, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "company": names.get(one.company_id, ""),
        "kind": one.kind,
        "subject": one.subject,
        "sentence": one.sentence,
        "activity": None if one.activity_id is None else str(one.activity_id),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


def _schedule(one: Planned) -> dict[str, Any]:
    row = one.schedule
    return {
        "name": row.name,
        "store": one.store.name,
        "what": one.job.title,
        "every": _every(one),
        "minutes": one.timetable.minutes,
        "hour": one.timetable.hour,
        "last_run": row.began_at,
        "finished_at": row.finished_at,
        "next_run": None if one.idle else row.next_at,
        "running_since": row.running_since,
        "result": "running" if row.running_since is not None and not one.idle else row.result,
        "sentence": one.idle or row.sentence,
    }


def _every(one: Planned) -> str:
    if one.timetable.hour is not None:
        return f"daily at {one.timetable.hour}"
    minutes = one.timetable.minutes
    if not minutes:
        return "never"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
