"""Secrets as commands get them: from files, never from arguments, which every user of a machine can see."""

from __future__ import annotations

from typing import IO

import click

from ops_console.errors import WrongUsage

#: More than any of them has; a whole document named by mistake has more.
_MOST = 255

#: An option's file, whatever the machine's own encoding is. Some editors begin a file with a mark of theirs.
SecretFile = click.File(encoding="utf-8-sig")


def first_line(file: IO[str], what: str) -> str:
    """The first line of `file`, without its line end. Raises WrongUsage."""
    try:
        line = file.readline(_MOST + 2).rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongUsage(f"The {what} in {file.name} is not text in UTF-8.") from None
    if not line:
        raise WrongUsage(f"{file.name} is empty; expected the {what} in its first line.")
    if len(line) > _MOST or not line.isprintable():
        raise WrongUsage(
            f"The first line of {file.name} is no {what}: expected at most {_MOST} characters, "
            "and none that cannot be typed."
        )
    return line
