"""Files for the user alone who runs this, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from ops_console.errors import NotDone


def write_private(path: Path, text: str) -> None:
    """Write `text` whole or not at all, with mode 0600. Raises NotDone."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        file = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise NotDone(f"{path} could not be written: {error.strerror}.") from error


def open_private(path: Path, *, encoding: str) -> IO[str]:
    """Open for writing: a new file with mode 0600, one that stands there keeps the rights that it was given. Raises OSError."""
    file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    return os.fdopen(file, "w", encoding=encoding, newline="")
