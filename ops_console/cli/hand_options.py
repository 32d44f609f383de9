"""What pushes and pulls by hand have in common: how records are named, asked about, counted and shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from ops_console.cli.desk import Desk
from ops_console.cli.output import ask, print_json, print_rows, progress, remark, say
from ops_console.errors import NotDone, WrongUsage

if TYPE_CHECKING:
    from ops_console.by_hand import HandRun, Line, Selection

#: Outcomes of what nothing is sent of.
_STAYING = ("unchanged", "not sent", "on its way", "not matched")
_COLUMNS = ("name", "outcome", "what", "sentence")
#: Documents of a dry run that are shown unless more are asked for.
_DOCUMENTS = 3


@dataclass(frozen=True, slots=True)
class HandOptions:
    """What a person said beside which records."""

    store: str
    dry_run: bool
    anew: bool
    limit: int
    as_json: bool
    yes: bool


def hand_options(*, ids: str = "", sku: bool = False, since: str = "") -> Callable[[Any], Any]:
    """The options of one command; `ids` and `since` say what they name, "": there is no such option."""

    def decorate(command: Any) -> Any:
        options = [click.option("--store", required=True, help="The shop.")]
        if ids:
            options.append(click.option("--ids", help=f"{ids}, separated by commas."))
        if sku:
            options.append(
                click.option("--sku", "skus", multiple=True, help="Only this one; may be repeated.")
            )
        if since:
            options.append(click.option("--since", help=f"{since}: 2026-01-31, or 2026-01-31T08:00:00Z."))
        options += [
            click.option("--dry-run", is_flag=True, help="Show exactly what would be sent; send nothing."),
            click.option("--anew", is_flag=True, help="From the beginning, where a run was broken off."),
            click.option(
                "--limit", default=50, show_default=True, type=click.IntRange(0), help="Lines; 0: all."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print JSON."),
            click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        ]
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def numbers(text: str | None) -> tuple[int, ...]:
    """Ids from "71,92". Raises WrongUsage."""
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    wrong = [word for word in words if not (word.isascii() and word.isdigit() and len(word) < 19)]
    if wrong:
        raise WrongUsage(f"--ids: {', '.join(wrong)} is no id. It stands in the address of its admin page.")
    return tuple(sorted({int(word) for word in words}))


def moment(text: str | None) -> datetime | None:
    """A time from "2026-01-31" or "2026-01-31T08:00:00Z". Raises WrongUsage."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongUsage(
            f"--since: {text!r} is no time; expected 2026-01-31 or 2026-01-31T08:00:00Z (UTC)."
        ) from None


def go_through(
    desk: Desk,
    name: str,
    selection: Selection,
    options: HandOptions,
    pieces: Callable[[HandRun], Iterator[Sequence[Line]]],
    question: str,
) -> None:
    """Show what would be sent, ask, send; `question` has {count} and {s} in it. Raises NotDone if not all could go."""
    from ops_console.by_hand import HandRun

    def run_of(*, dry_run: bool) -> HandRun:
        return HandRun(desk.database, options.store, name, selection, dry_run, desk.who)

    run = run_of(dry_run=options.dry_run)
    if options.anew:
        run.place, run.done = "", 0
    resumed = run.done
    if resumed:
        remark(f"It goes on after {resumed} records that were done before. To begin anew: --anew")
    if not options.dry_run and not options.yes:
        look = run_of(dry_run=True)
        look.place, look.done = run.place, run.done
        going = _Tally(options.limit)
        going.take_all(progress(pieces(look), "Looking at records", size=len))
        count = going.going
        if not count:
            _show(options, look, resumed, going)
            _see_to_stuck(going, selection)
            return
        if going.counts["not sent"]:
            remark(f"{going.counts['not sent']} others cannot be sent; a dry run says why.")
        ask(question.format(count=count, s="" if count == 1 else "s"), yes=False)
    tally = _Tally(options.limit)
    if options.dry_run:
        run.documents = options.limit if options.as_json else _DOCUMENTS
    try:
        tally.take_all(progress(pieces(run), name.capitalize(), size=len))
    except KeyboardInterrupt:
        raise NotDone(f"Stopped after {run.done} records. Run the same again: it goes on there.") from None
    _show(options, run, resumed, tally)
    _see_to_stuck(tally, selection)


def _see_to_stuck(tally: _Tally, selection: Selection) -> None:
    """Raises NotDone if not all that was meant could go: of a whole shop, what is no item was not meant."""
    stuck = tally.counts["not sent"] + (tally.counts["not matched"] if selection.is_named else 0)
    if stuck:
        raise NotDone(f"{stuck} could not be sent; see their sentences.")


class _Tally:
    """Counts lines, and keeps the first of those that say something: memory does not grow with the records."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.counts: Counter[str] = Counter()
        self.lines: list[Line] = []
        self.left_out = 0

    def take_all(self, pieces: Iterator[Sequence[Line]]) -> None:
        for lines in pieces:
            for line in lines:
                self.counts[line.outcome] += 1
                if line.outcome == "unchanged" and not line.sentence:
                    continue
                if self._limit and len(self.lines) == self._limit:
                    self.left_out += 1
                else:
                    self.lines.append(line)

    @property
    def going(self) -> int:
        return self.counts.total() - sum(self.counts[word] for word in _STAYING)

    def remark_on(self) -> None:
        told = ", ".join(f"{count} {word}" for word, count in sorted(self.counts.items()) if count)
        remark(f"{told}." if told else "There is no such record.")


def _show(options: HandOptions, run: HandRun, resumed: int, tally: _Tally) -> None:
    rows = [
        {
            "name": line.name,
            "outcome": line.outcome,
            "what": line.what,
            "sentence": line.sentence,
            "activity": None if line.activity_id is None else str(line.activity_id),
            **({"document": line.document["document"]} if line.document else {}),
        }
        for line in tally.lines
    ]
    if options.as_json:
        counts = dict(sorted(tally.counts.items()))
        print_json(
            {
                "store": run.store_name,
                "dry_run": run.dry_run,
                "resumed_after": resumed,
                "records": run.done,
                "counts": counts,
                "rows": rows,
            }
        )
        return
    if rows:
        print_rows(rows, _COLUMNS)
    if tally.left_out:
        remark(f"{tally.left_out} more; for all: --limit 0")
    documents = [line for line in tally.lines if line.document]
    for line in documents:
        assert line.document is not None
        say(f"\n{line.name}")
        say(_pretty(line.document))
    if len(documents) == _DOCUMENTS and tally.going > _DOCUMENTS:
        remark(f"These are the first {_DOCUMENTS} documents. For more: --json --limit 0")
    tally.remark_on()
    if options.dry_run:
        remark("Nothing was sent: a dry run.")
    elif run.dry_run:
        remark("There is nothing to send.")


def _pretty(document: dict[str, Any]) -> str:
    from ops_console.documents import pretty

    if document["refusal"]:
        return f"It would be refused: {document['refusal']}"
    return pretty(document["document"])
