"""What the demo shows: bars and colours on a terminal, one line for each event in a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


class Screen:
    """Standard output. Not for several threads."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._progress: Progress | None = None
        self._bars: dict[str, TaskID] = {}

    def heading(self, text: str) -> None:
        """The title of what comes next."""
        self._print(Text(f"\n{text}", style="bold"))

    def line(self, text: str = "", *, style: str = "") -> None:
        """One line without time."""
        indent = len(text) - len(text.lstrip())
        self._print(Text(text, style=style), indent + 2 if indent else 0)

    def event(self, text: str, *, counted: bool = False, style: str = "") -> None:
        """What just happened. What is `counted` by a bar that is shown is not told in words too."""
        if counted and self._progress is not None:
            return
        line = Text(f"{datetime.now(UTC).astimezone():%H:%M:%S} ", style="dim")
        line.append(text, style=style or "not dim")
        self._print(line, len("00:00:00 "))

    def table(self, columns: Sequence[str], rows: Sequence[tuple[Sequence[str], str]]) -> None:
        """Rows of cells with a style each. Columns whose title begins with ">" are flushed right."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for title in columns:
            justify: JustifyMethod = "right" if title.startswith(">") else "left"
            table.add_column(title.lstrip(">"), justify=justify, no_wrap=True)
        for cells, style in rows:
            table.add_row(*map(Text, cells), style=style)
        with self._console.capture() as drawn:
            self._console.print(table)
        # Flushed-right columns leave blanks at the ends, which only spoil what is copied.
        for line in drawn.get().splitlines():
            self._console.print(Text.from_ansi(line.rstrip()), soft_wrap=True)

    @contextmanager
    def bars(self, **totals: int) -> Iterator[None]:
        """Within the block show a bar for each name, on a terminal; underscores are blanks."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, refresh_per_second=10) as progress:
            self._bars = {
                name: progress.add_task(name.replace("_", " ").capitalize(), total=total)
                for name, total in totals.items()
            }
            self._progress = progress
            try:
                yield
            finally:
                self._progress, self._bars = None, {}

    def count(self, name: str) -> None:
        """One more of what the bar `name` counts; nothing without it."""
        if self._progress is not None and name in self._bars:
            self._progress.advance(self._bars[name])

    def _print(self, text: Text, hang: int = 0) -> None:
        """One paragraph: wrapped on a terminal, later lines moved in by `hang`; whole in a pipe, for grep."""
        if not self._console.is_terminal or len(text) <= self._console.width:
            self._console.print(text, soft_wrap=True)
            return
        first, *others = text.wrap(self._console, max(self._console.width - hang, 20)) or [text]
        self._console.print(first, soft_wrap=True)
        for line in others:
            self._console.print(Text(" " * hang).append_text(line), soft_wrap=True)
