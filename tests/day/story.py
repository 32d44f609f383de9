"""What happened in a day, line by line, so that two plays of a seed can be held against each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

#: The machine gives the played shops and the service another port each time.
_PORT = re.compile(r"127\.0\.0\.1(:|%3A)\d+")


class Story:
    """Takes each line as it happens: what passes on the wires, what falls by chance, what is broken."""

    def __init__(self, say: Callable[[str], None] = lambda line: None, path: Path | None = None) -> None:
        self._say = say
        self._digest = hashlib.sha256()
        self._file = path.open("w", encoding="utf-8") if path is not None else None

    def tell(self, line: str) -> None:
        """Something that people want to know too."""
        self._say(line)
        self.note(line)

    def note(self, line: str) -> None:
        """A detail."""
        line = _PORT.sub("127.0.0.1", line)
        self._digest.update(line.encode("utf-8", "replace") + b"\n")
        if self._file is not None:
            self._file.write(f"{line}\n")

    @property
    def digest(self) -> str:
        """Of all lines until now: two plays with one digest were the same."""
        return self._digest.hexdigest()[:16]

    def close(self) -> None:
        """Nothing more is told."""
        if self._file is not None:
            self._file.close()
