"""Writes a revision from what the models need beyond the newest one.

    python -m migrations new "Keep the tender of each sale"
    python -m migrations again

`again` writes the newest revision anew, under its old message. Only for one
that no database but a developer's has seen.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from migrations import configuration, upgrade


def main(arguments: list[str]) -> int:
    scripts = ScriptDirectory.from_config(configuration())
    match arguments:
        case ["new", message]:
            pass
        case ["again"]:
            newest = scripts.get_revision("head")
            message = newest.doc
            Path(newest.path).unlink()
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    number = len(list(ScriptDirectory.from_config(configuration()).walk_revisions())) + 1
    with create_engine("sqlite://").connect() as connection:
        upgrade(connection)
        script = command.revision(
            configuration(connection), message, autogenerate=True, rev_id=f"{number:04d}"
        )
    if script is None or isinstance(script, list):
        return 1
    for tool in (["check", "--fix", "--select", "I,UP"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *tool, script.path], check=True)  # noqa: S603 - our own arguments
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
