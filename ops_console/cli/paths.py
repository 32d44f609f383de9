"""Files that commands are told to write or make."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import click


class FilePath(click.Path):
    """A file that may or may not be there: a name that no file can have is wrong usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(path_type=Path, dir_okay=False, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("The name of a file is empty.", param, ctx)
        path = super().convert(value, param, ctx)
        try:
            os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            shown = value if len(value) <= 100 else value[:97] + "..."
            self.fail(f"{shown!r}: {error.strerror}.", param, ctx)
        return path


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
