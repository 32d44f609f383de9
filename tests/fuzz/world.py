"""The real WSGI application on a database of its own, called in this process, and what it logged as unexpected."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from sqlalchemy import event

from ops_console import wiring
from ops_console.settings import ProcessSettings
from ops_sandbox.pos import PosCompanyFile
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.conftest import SECRET_KEY
from tests.faults.snapshots import Snapshot
from tests.harness import House, make_house

SOAP = "/qbwc"
WEBHOOKS = "/webhooks/woocommerce/main"
#: Words of the log that only what nobody foresaw has.
_UNEXPECTED = (
    "failed unforeseen",
    "its body is kept",
    " failed, error ",
    "webhook request to ",
    " failed in session ",
)


class Finding(Exception):
    """A promise that a case broke."""


@dataclass
class Reply:
    """What a caller gets; `seconds` of wall clock and `cpu` of this process."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0
    cpu: float = 0.0


class Unexpected(logging.Handler):
    """Keeps what the application logged at an outermost edge."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info or any(word in record.getMessage() for word in _UNEXPECTED):
            text = logging.Formatter().format(record)
            # A body that is no JSON is kept and told, as is meant.
            if "is not JSON; its body is kept" not in text:
                self.said.append(text)


@dataclass
class World:
    """One company with one store and its books, behind the application as `serve` has it."""

    folder: Path
    template: Path
    unexpected: Unexpected
    database: Database = field(init=False)
    house: House = field(init=False)
    app: Any = field(init=False)
    #: Transactions that were committed.
    commits: int = 0

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "qbwoo.db"
        shutil.copy(self.template, file)
        self.database = Database(f"sqlite:///{file}")

        # Whether bytes survive a power cut is not what is asked here.
        @event.listens_for(self.database.engine, "connect")
        def in_haste(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        @event.listens_for(self.database.engine, "commit")
        def committed(_connection: Any) -> None:
            self.commits += 1

        self.house = make_house(self.database, SecretBox(SECRET_KEY), PosCompanyFile.create(None))
        settings = ProcessSettings(
            data_dir=self.folder, database_url=self.database.url, secret_key=SECRET_KEY
        )
        self.app = wiring.build(settings, self.database, wiring.open_box(settings)).app

    def close(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(
        self, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST", **environ: Any
    ) -> Reply:
        """One request, whose headers are given in CGI's names; the answer as a server would pass it on."""
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            **headers,
            **environ,
        }
        setup_testing_defaults(environ)
        told: list[Any] = []
        started, began = time.perf_counter(), time.process_time()
        answer = b"".join(self.app(environ, lambda *words: told.append(words)))
        seconds, cpu = time.perf_counter() - started, time.process_time() - began
        if not told:
            raise Finding("the application began no answer")
        status, answered = told[-1][:2]
        return Reply(
            int(status.split()[0]), {name.lower(): value for name, value in answered}, answer, seconds, cpu
        )


@dataclass
class Moment:
    """A world at one moment, to be gone back to."""

    world: World
    snapshot: Snapshot
    books: PosCompanyFile

    @classmethod
    def of(cls, world: World) -> Moment:
        return cls(world, Snapshot(world.database), copied(world.house.pos))

    def restore(self) -> None:
        """Make database and books what they were."""
        self.snapshot.restore(self.world.database)
        self.world.house.pos = copied(self.books)


def copied(pos: PosCompanyFile) -> PosCompanyFile:
    """A company file in memory with the same content, as the sandbox makes its practice copy."""
    copy = PosCompanyFile._assemble(None, pos.dialect, pos._books.moments.clock)
    with pos._store.transaction():
        copy._store.take_from(pos._store)
    copy._books.moments.utc_offset_hours = pos.utc_offset_hours
    return copy
