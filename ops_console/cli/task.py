"""`qbwoo task`: what waits for a person."""

from __future__ import annotations

import click

from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.names import number
from ops_console.cli.output import json_option, print_rows, remark
from ops_console.errors import NotDone
from queue_store.activities import count_by_state
from queue_store.companies import get_company, list_companies
from queue_store.errors import NotFound
from queue_store.models import OperatorTask
from queue_store.operations import audit
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks


@click.group()
def task() -> None:
    """What waits for a person."""


@task.command("list")
@click.option("--company", help="Only of this company.")
@json_option
@with_desk
def list_(desk: Desk, company: str | None, as_json: bool) -> None:
    """List the open tasks, newest first.

    \b
    For example:
      qbwoo task list
    """
    with desk.read() as db:
        names = {found.id: found.name for found in list_companies(db)}
        company_id = get_company(db, company).id if company else None
        failed = count_by_state(db, company_id).get(ActivityState.FAILED, 0)
        rows = [
            {
                "id": str(one.id),
                "company": names.get(one.company_id, ""),
                "kind": one.kind,
                "subject": one.subject,
                "sentence": one.sentence,
                "activity": None if one.activity_id is None else str(one.activity_id),
                "created_at": one.created_at,
                "updated_at": one.updated_at,
            }
            for one in open_tasks(db, company_id)
        ]
    columns = ("id", "company", "kind", "updated_at", "sentence")
    print_rows(
        rows, columns, as_json=as_json, empty="No task is open." if failed else "Nothing waits for you."
    )
    if failed and not as_json:
        what = "activity has failed and needs" if failed == 1 else "activities have failed and need"
        remark(f"{failed} {what} you: qbwoo activity list --state failed")


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
