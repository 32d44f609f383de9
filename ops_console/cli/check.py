"""`qbwoo check`: the whole configuration, without starting anything."""

from __future__ import annotations

import click

from ops_console import checking
from ops_console.cli.desk import Desk, with_desk
from ops_console.cli.output import json_option, print_rows
from ops_console.errors import NotDone


@click.command()
@json_option
@with_desk
def check(desk: Desk, as_json: bool) -> None:
    """Look through settings, folders, keys, database, companies and stores. Changes nothing, calls nobody.

    \b
    For example:
      qbwoo check
    """
    findings = checking.look_through(desk.settings)
    rows = [{"what": one.what, "state": one.state, "sentence": one.sentence} for one in findings]
    print_rows(rows, ("state", "what", "sentence"), as_json=as_json)
    if any(one.state == checking.PROBLEM for one in findings):
        raise NotDone("Something is not as it must be: see the lines above.")
