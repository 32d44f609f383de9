"""How commands speak: results on stdout, remarks and questions on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from ops_console.errors import NotDone
from ops_console.terminal import visible

T = TypeVar("T")
#: Steering characters that JSON does not escape by itself.
_BARE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
Row = Mapping[str, Any]

#: `--json` of every command that prints data.
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
#: `--limit` of commands that print documents, which may have hundreds of lines.
lines_option = click.option(
    "--limit",
    default=25,
    show_default=True,
    type=click.IntRange(0),
    help="Lines of each document that are printed; 0: all.",
)
#: `--yes` of every command that sends or destroys.
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def print_rows(
    rows: Iterable[Row], columns: Sequence[str], *, as_json: bool = False, empty: str = ""
) -> None:
    """A table of these columns: drawn on a terminal, tab-separated in a pipe; with `as_json` every field."""
    rows = list(rows)
    if as_json:
        print_json(rows)
        return
    if not rows and empty:
        remark(empty)
        return
    titles = [column.replace("_", " ") for column in columns]
    if not sys.stdout.isatty():
        for line in (titles, *([_plain(row.get(column)) for column in columns] for row in rows)):
            say("\t".join(line))
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for title, column in zip(titles, columns, strict=True):
        # Amounts stand under each other.
        is_amount = any(isinstance(row.get(column), Decimal) for row in rows)
        table.add_column(title, overflow="fold", justify="right" if is_amount else "left")
    for row in rows:
        # Text, not str: square brackets in a shop's data are no markup.
        table.add_row(*(Text(visible(_shown(row.get(column)))) for column in columns))
    Console().print(table)


def print_record(record: Row, *, as_json: bool = False) -> None:
    """One thing, a line for each field."""
    if as_json:
        print_json(record)
        return
    width = max((len(name) for name in record), default=0)
    for name, value in record.items():
        say(f"{name.replace('_', ' '):<{width}}  {_shown(value)}".rstrip())


def print_json(value: Any) -> None:
    """`value` as JSON: times in ISO 8601 with Z, amounts as text."""
    # As JSON has it, for what JSON leaves as it is.
    say(_BARE.sub(lambda found: f"\\u{ord(found[0]):04x}", json_text(value)))


def json_text(value: Any) -> str:
    """The same, to be written elsewhere."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_json_value)


def progress(
    things: Iterable[T], what: str, *, size: Callable[[T], int] = lambda _thing: 1, total: int | None = None
) -> Iterator[T]:
    """`things`, counted on stderr while they come, if that is a terminal.

    `size`: how many records one of them stands for; `total`: of how many, if that is known.
    """
    if not sys.stderr.isatty():
        yield from things
        return
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed}" + ("" if total is None else f" of {total}")),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=total)
        for thing in things:
            bar.advance(task, size(thing))
            yield thing


def remark(text: str) -> None:
    """A sentence that is no result."""
    say(text, err=True)


def say(text: str = "", *, err: bool = False) -> None:
    """`text` and a line break; what would steer a terminal is shown instead."""
    click.echo(visible(text), err=err)


def ask(question: str, *, yes: bool) -> None:
    """Go on if the person agrees or `--yes` was given. Raises NotDone."""
    if yes:
        return
    try:
        agreed = click.confirm(visible(question), err=True)
    except click.Abort:
        raise NotDone(
            "Nobody answered the question; nothing was done. Add --yes to go on without it."
        ) from None
    if not agreed:
        raise NotDone("Nothing was done.")


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC, with Z."""
    return (
        None if value is None else value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    )


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case Decimal():
            return format(value, "f")
        case list() | tuple():
            return ", ".join(map(_shown, value))
    return str(value)


def _plain(value: Any) -> str:
    return " ".join(_shown(value).split())
