"""Where the demo keeps its files: a folder of the operator's, or one that is gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ops_console.errors import NotDone


class DemoFolder:
    """An empty folder at `path`, made if need be. Without a path a temporary one. Raises NotDone."""

    def __init__(self, path: Path | None) -> None:
        self._is_temporary = path is None
        try:
            if path is None:
                self.path = Path(tempfile.mkdtemp(prefix="qbwoo-demo-"))
                return
            self.path = path.absolute()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise NotDone(f"The folder {path} is not empty. Name a new one.")
        except OSError as error:
            where = "for temporary files" if path is None else str(path)
            raise NotDone(
                f"The folder {where} cannot be used: {error.strerror}. Name another one with --folder."
            ) from error

    def leave(self, *, keep: bool) -> str:
        """Remove a temporary folder, unless it is to be kept; a word on what is left, or ""."""
        if self._is_temporary and not keep:
            shutil.rmtree(self.path, ignore_errors=True)
            return ""
        return f"Everything is kept in {self.path} (the service's log: service.log)."
