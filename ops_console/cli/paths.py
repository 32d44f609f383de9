"""Files that commands are told to write or make."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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
