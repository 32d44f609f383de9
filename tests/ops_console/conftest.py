"""The command line as a person uses it, in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops_console.cli import main
from queue_store.database import Database


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Qbwoo = Callable[..., Said]


@pytest.fixture
def data_dir(tmp_path: Path, sqlite_template: Path) -> Path:
    """A data folder with a migrated database."""
    folder = tmp_path / "data"
    folder.mkdir(0o700)
    shutil.copy(sqlite_template, folder / "qbwoo.db")
    return folder


@pytest.fixture
def console_database(data_dir: Path) -> Any:
    """The database that the commands work on."""
    database = Database(f"sqlite:///{data_dir / 'qbwoo.db'}")
    yield database
    database.close()


@pytest.fixture
def qbwoo(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Qbwoo:
    """Runs one command; expects it to be done unless told another code."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, code: int = 0, given: str | None = None, **environ: str) -> Said:
        env = {"QBWOO_DATA_DIR": str(data_dir), "QBWOO_ALLOW_PRIVATE_STORES": "true", **environ}
        result = CliRunner().invoke(main, [str(word) for word in words], input=given, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        said = Said(result.exit_code, result.stdout, result.stderr)
        assert said.code == code, f"{words}\n{said.out}{said.err}"
        assert "Traceback" not in said.err
        return said

    return run


@pytest.fixture
def company(qbwoo: Qbwoo, tmp_path: Path) -> str:
    """A company, made by command."""
    (tmp_path / "password").write_text("a long password\n")
    qbwoo("company", "add", "Main", "--username", "connector", "--password-file", tmp_path / "password")
    return "Main"


@pytest.fixture
def add_store(qbwoo: Qbwoo, company: str, tmp_path: Path) -> Callable[..., str]:
    """Adds a store of that company."""

    def add(
        url: str = "http://127.0.0.1:9", key: str = "ck_x", secret: str = "cs_x", name: str = "shop"
    ) -> str:
        (tmp_path / "cs").write_text(secret + "\n")
        (tmp_path / "ws").write_text("webhook secret\n")
        qbwoo(
            *("store", "add", name, "--company", company, "--url", url, "--consumer-key", key),
            *("--consumer-secret-file", tmp_path / "cs", "--webhook-secret-file", tmp_path / "ws"),
        )
        return name

    return add
