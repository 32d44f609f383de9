"""Mappings as CSV files: store, key, value, label, source. All lines of a file are good, or nothing of it is written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from ops_console.csv_cells import plain_cell, safe_cell
from ops_console.errors import NotDone
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.mapping_files import MappingImport, MappingLine, export_lines

COLUMNS = ("store", "key", "value", "label", "source")
_NEEDED = ("key", "value")
_AT_ONCE = 500
#: Bad lines that are told one by one.
_TOLD = 20

Numbered = tuple[int, MappingLine]


@dataclass(slots=True)
class Imported:
    """What a file held, and what became of it."""

    lines: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    #: Number of a bad line and what is wrong with it, of the first of them; and how many there are.
    found: list[tuple[int, str]] = field(default_factory=list)
    bad: int = 0

    @property
    def problems(self) -> list[str]:
        """ "line 7: ...", in the order of the file."""
        return [f"line {number}: {problem}" for number, problem in sorted(self.found)]

    def tell(self, number: int, problem: str) -> None:
        self.bad += 1
        if len(self.found) < _TOLD:
            self.found.append((number, problem))


class _DryRun(Exception):
    """Undoes what a dry run did to learn what would happen."""


def export_csv(database: Database, company: str, kind: str, file: IO[str]) -> int:
    """Write all mappings of a kind; how many. Raises NotFound."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    count = 0
    with database.read() as db:
        for line in export_lines(db, get_company(db, company), kind):
            writer.writerow(map(safe_cell, (line.store, line.key, line.value, line.label, line.source)))
            count += 1
    return count


def import_csv(
    database: Database, company: str, kind: str, path: Path, who: str, *, dry_run: bool
) -> Imported:
    """Read a file twice: to check every line, and to write them in one transaction. Raises NotDone, NotFound."""
    done = Imported()
    with database.read() as db:
        importer = MappingImport(db, get_company(db, company), kind)
        seen: dict[int, int] = {}
        for some in _pieces(_lines(path, done)):
            problems = importer.check([line for _, line in some])
            for (number, line), problem in zip(some, problems, strict=True):
                done.lines += 1
                # Of 100,000 lines no more than a number each is kept.
                first = seen.setdefault(hash(importer.identity(line)), number)
                if problem or first != number:
                    done.tell(number, problem or f"line {first} has the same key already.")
            db.expire_all()
    if done.bad:
        return done

    def write() -> None:
        done.new = done.changed = done.unchanged = 0
        with database.write() as db:
            importer = MappingImport(db, get_company(db, company), kind)
            for some in _pieces(_lines(path, Imported())):
                new, changed, same = importer.write([line for _, line in some], who)
                done.new, done.changed, done.unchanged = (
                    done.new + new,
                    done.changed + changed,
                    done.unchanged + same,
                )
            if dry_run:
                raise _DryRun

    with suppress(_DryRun):
        write()
    return done


def _lines(path: Path, done: Imported) -> Iterator[Numbered]:
    """The lines of a file with their numbers; what cannot be split into cells is told in `done`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(file, done)
    except UnicodeDecodeError as error:
        raise NotDone(f"{path} is not UTF-8 (byte {error.start}): save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise NotDone(f"{path} is no CSV file: {error}.") from error
    except OSError as error:
        raise NotDone(f"{path} cannot be read: {error.strerror}.") from error


def _rows(file: IO[str], done: Imported) -> Iterator[Numbered]:
    head = file.readline()
    # Spreadsheets of many countries write semicolons.
    delimiter = ";" if head.count(";") > head.count(",") else "," if "\t" not in head else "\t"
    names = [plain_cell(name).casefold() for name in next(csv.reader([head], delimiter=delimiter), [])]
    lacking = [name for name in _NEEDED if name not in names]
    if lacking:
        raise NotDone(
            f"The first line must name the columns; {' and '.join(lacking)} is not there. Expected: {','.join(COLUMNS)}"
        )
    reader = csv.reader(file, delimiter=delimiter)
    for cells in reader:
        number = reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < len(names) and any(name in _NEEDED for name in names[len(cells) :]):
            done.lines += 1
            done.tell(number, f"it has {len(cells)} columns, not {len(names)}.")
            continue
        of = dict(zip(names, map(plain_cell, cells), strict=False))
        yield number, MappingLine(of.get("store", ""), of["key"], of["value"], of.get("label", ""))


def _pieces(lines: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    rest = iter(lines)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
