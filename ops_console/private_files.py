"""Files that hold what shops and customers are called: for this user alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TextIO

import click


def open_private(path: Path) -> TextIO:
    """A text file for CSV, with the mark by which spreadsheets know UTF-8. Raises OSError.

    A new one is for this user alone; one that stands there keeps its rights.
    """
    number = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    return os.fdopen(number, "w", encoding="utf-8-sig", newline="")


class PrivateFile(click.File):
    """A text file that a command writes, made when it is first written to; a new one is for this user alone."""

    def __init__(self) -> None:
        super().__init__("w", encoding="utf-8", lazy=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        file: Any = super().convert(value, param, ctx)
        # Standard output ("-") has no `open`, and is nobody's file.
        if (opened := getattr(file, "open", None)) is not None:

            def open_new() -> IO[Any]:
                # What is wrong with the name is told by the opening that follows.
                with suppress(OSError):
                    os.close(os.open(file.name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                stream: IO[Any] = opened()
                return stream

            file.open = open_new
        return file
