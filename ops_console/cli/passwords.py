"""Secrets as commands get them: from files, never from arguments, which every user of a machine can see."""

from __future__ import annotations

from typing import IO

from ops_console.errors import WrongUsage


def first_line(file: IO[str], what: str) -> str:
    """The first line of `file`, without its line end. Raises WrongUsage."""
    try:
        line = file.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise WrongUsage(f"The {what} in {file.name} is not text in UTF-8.") from None
    if not line:
        raise WrongUsage(f"{file.name} is empty; expected the {what} in its first line.")
    return line
