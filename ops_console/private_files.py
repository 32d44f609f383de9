"""Files that hold what shops and customers are called: for this user alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO


def open_private(path: Path) -> TextIO:
    """A text file for CSV, with the mark by which spreadsheets know UTF-8. Raises OSError.

    A new one is for this user alone; one that stands there keeps its rights.
    """
    number = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    return os.fdopen(number, "w", encoding="utf-8-sig", newline="")
