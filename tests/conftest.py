"""Fixtures of all tests: a migrated database of each kind, and a wall around the tests."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from ops_console import schema
from queue_store.database import Database
from queue_store.secrets import SecretBox

# Read before the wall goes up: the only thing that tests take from the caller's environment.
POSTGRES_URL = os.environ.get("QBWOO_TEST_POSTGRES_URL")
POSTGRES_MUST_RUN = os.environ.get("CI") == "true"

# How long a busy machine takes to draw an example tells nothing of the rule that is tested.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the caller's QBWOO_* settings, nor writes to the caller's home."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("QBWOO_")]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """A connection to anything but this machine, or the look-up of its name, fails the test."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(sock: socket.socket, address: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                _refuse_foreign(address[0])
            return call(sock, address)

        return checked

    def checked_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if host is not None:
            _refuse_foreign(host)
        return getaddrinfo(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", checked_getaddrinfo)
        yield


def _refuse_foreign(host: str | bytes) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name in ("", "localhost", "0.0.0.0"):
        return
    with suppress(ValueError):
        if ipaddress.ip_address(name.partition("%")[0]).is_loopback:
            return
    pytest.fail(f"a test reached for {name}; tests use 127.0.0.1 only")


#: As QBWOO_SECRET_KEY has it.
SECRET_KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="


@pytest.fixture(scope="session")
def box() -> SecretBox:
    """Encrypts the secrets of all tests."""
    return SecretBox(SECRET_KEY)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "qbwoo.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    return path


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database of its own."""
    path = tmp_path / "qbwoo.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres_url: Callable[[], URL]) -> Iterator[Database]:
    """A migrated PostgreSQL database of its own."""
    database = Database(postgres_url().render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database: the test runs once on SQLite and once on PostgreSQL."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    return database


@pytest.fixture
def postgres_url(postgres_template: tuple[URL, str]) -> Iterator[Callable[[], URL]]:
    """Makes migrated PostgreSQL databases, dropped after the test."""
    server, template = postgres_template
    made = []

    def make() -> URL:
        name = f"qbwoo_test_{uuid.uuid4().hex[:12]}"
        _administer(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
        made.append(name)
        return server.set(database=name)

    yield make
    for name in made:
        _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: URL) -> Iterator[tuple[URL, str]]:
    """The server, and the name of a migrated database in it, to be copied."""
    name = f"qbwoo_test_{uuid.uuid4().hex[:12]}_template"
    _administer(postgres_server, "CREATE DATABASE {}", name)
    database = Database(postgres_server.set(database=name).render_as_string(hide_password=False))
    schema.upgrade(database)
    database.close()
    yield postgres_server, name
    _administer(postgres_server, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server: the one named, else a local one, else one started for the tests."""
    with postgres_servers() as url:
        if url is None:
            sentence = "PostgreSQL: set QBWOO_TEST_POSTGRES_URL, or install its server; none was found"
            pytest.fail(sentence) if POSTGRES_MUST_RUN else pytest.skip(sentence)
        yield url


@contextmanager
def new_database(server: URL) -> Iterator[str]:
    """The URL of an empty database, dropped afterwards."""
    name = f"qbwoo_test_{uuid.uuid4().hex[:12]}"
    _administer(server, "CREATE DATABASE {}", name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, "DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def postgres_servers() -> Iterator[URL | None]:
    """That server; None where there is none."""
    if POSTGRES_URL:
        yield make_url(POSTGRES_URL).set(drivername="postgresql+psycopg")
        return
    local = URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=5432, database="postgres")
    if _answers(local):
        yield local
        return
    with _started_server() as url:
        yield url


def _answers(url: URL) -> bool:
    try:
        psycopg.connect(_dsn(url), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _started_server() -> Iterator[URL | None]:
    """A server in a temporary folder, from installed binaries; None without them."""
    initdb = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)
    initdb = initdb or (Path(found) if (found := shutil.which("initdb")) else None)
    if initdb is None:
        yield None
        return
    # PostgreSQL refuses to run as root.
    as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="qbwoo-postgres-") as folder, socket.socket() as probe:
        data = Path(folder) / "data"
        data.mkdir(0o700)
        if as_other:
            shutil.chown(folder, "nobody")
            shutil.chown(data, "nobody")
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
        pg_ctl = [*as_other, str(initdb.with_name("pg_ctl")), "-D", str(data), "-w", "-s"]
        _quietly(
            [*as_other, str(initdb), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
        )
        _quietly([*pg_ctl, "-l", str(data / "log"), "-o", options, "start"])
        try:
            yield URL.create(
                "postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database="postgres"
            )
        finally:
            _quietly([*pg_ctl, "-m", "immediate", "stop"])


def _quietly(command: list[str]) -> None:
    # Its folder must be one that the other user may enter.
    subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _administer(server: URL, statement: str, *names: str) -> None:
    with psycopg.connect(_dsn(server), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
