"""`qbwoo db rotate-key`: another key, and no moment at which the secrets cannot be read."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ops_console import wiring
from ops_console.key_rotation import rotate
from ops_console.settings import ProcessSettings
from queue_store.companies import get_store, list_stores
from queue_store.database import Database
from queue_store.errors import WrongSecretKey
from queue_store.secrets import SecretBox, split_keys
from tests.harness import make_house
from tests.ops_console.conftest import Qbwoo

#: A process that rotates and is killed at the n-th of these seams: files put in place, transactions committed.
CUT_OFF = """
import os, signal, sys
from sqlalchemy import event
from ops_console import key_rotation, settings, wiring
found, wanted = 0, int(sys.argv[1])

def seam(*_):
    global found
    found += 1
    if found == wanted:
        os.kill(os.getpid(), signal.SIGKILL)

process = settings.read_settings()
database = wiring.open_current_database(process)
sys.addaudithook(lambda name, given: seam() if name == "os.rename" else None)
event.listen(database.engine, "commit", seam)
event.listen(database.engine, "begin", seam)
key_rotation.rotate(process, database)
print(found)
"""


@pytest.fixture
def shops(qbwoo: Qbwoo, add_store: Callable[..., str]) -> list[str]:
    return [add_store(name=name, secret=f"cs_{name}") for name in ("one", "two")]


def secrets(database: Database, box: SecretBox) -> list[tuple[str, str]]:
    with database.read() as db:
        return [(box.open(one.consumer_secret), box.open(one.webhook_secret)) for one in list_stores(db)]


KEPT = [("cs_one", "webhook secret"), ("cs_two", "webhook secret")]


def settings_of(data_dir: Path, secret_key: str | None = None) -> ProcessSettings:
    return ProcessSettings(
        data_dir=data_dir, database_url=f"sqlite:///{data_dir / 'qbwoo.db'}", secret_key=secret_key
    )


def test_a_kept_key_is_made_anew_and_the_old_one_opens_nothing(
    qbwoo: Qbwoo, shops: list[str], data_dir: Path, console_database: Database
) -> None:
    file = data_dir / "secret.key"
    before = file.read_text().strip()
    # A service that was started before.
    running = wiring.open_box(settings_of(data_dir))
    mask = os.umask(0)
    try:
        assert "Backups made before need the old one" in qbwoo("db", "rotate-key", "--yes").err
    finally:
        os.umask(mask)
    (after,) = split_keys(file.read_text())
    assert after != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secrets(console_database, SecretBox(after)) == KEPT
    assert secrets(console_database, running) == KEPT
    with pytest.raises(WrongSecretKey, match="not the key it was written with"):
        secrets(console_database, SecretBox(before))


def test_killed_anywhere_in_the_middle_the_secrets_can_be_read_and_a_second_run_ends_it(
    shops: list[str], data_dir: Path, console_database: Database
) -> None:
    environ = {**os.environ, "QBWOO_DATA_DIR": str(data_dir)}
    killed = 0
    for seam in range(1, 40):
        done = subprocess.run(
            [sys.executable, "-c", CUT_OFF, str(seam)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert secrets(console_database, wiring.open_box(settings_of(data_dir))) == KEPT
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        killed += 1
    assert killed >= 4
    assert len(split_keys((data_dir / "secret.key").read_text())) == 1
    assert [one.name for one in data_dir.iterdir() if "partial" in one.name] == []


def test_a_key_that_is_set_is_changed_in_three_steps(
    qbwoo: Qbwoo, shops: list[str], data_dir: Path, console_database: Database
) -> None:
    old = (data_dir / "secret.key").read_text().strip()
    said = qbwoo("db", "rotate-key", "--yes", code=1, QBWOO_SECRET_KEY=old)
    assert "NEW,OLD" in said.err
    assert old not in said.err
    new = qbwoo("db", "rotate-key", "--new-key").out.strip()
    both = f"{new},{old}"
    assert secrets(console_database, SecretBox(both)) == KEPT
    said = qbwoo("db", "rotate-key", "--yes", QBWOO_SECRET_KEY=both)
    assert "to the new key alone" in said.err
    assert secrets(console_database, SecretBox(new)) == KEPT


def test_with_a_wrong_key_nothing_is_changed_and_a_sentence_says_which(
    qbwoo: Qbwoo, shops: list[str], data_dir: Path, console_database: Database
) -> None:
    right, wrong = (data_dir / "secret.key").read_text(), SecretBox.new_key()
    (data_dir / "secret.key").write_text(wrong)
    assert "the key it was written with" in qbwoo("db", "rotate-key", "--yes", code=1).err
    assert (data_dir / "secret.key").read_text() == wrong
    assert secrets(console_database, SecretBox(right.strip())) == KEPT
    assert "expected 32 random bytes" in qbwoo("check", code=1, QBWOO_SECRET_KEY=f"{wrong},nonsense").err


def test_secrets_of_postgresql_are_rotated_too(postgres_database: Database, tmp_path: Path) -> None:
    settings = ProcessSettings(data_dir=tmp_path, database_url=postgres_database.url)
    make_house(postgres_database, wiring.open_box(settings))
    assert rotate(settings, postgres_database).stores == 1
    (key,) = split_keys((tmp_path / "secret.key").read_text())
    with postgres_database.read() as db:
        assert SecretBox(key).open(get_store(db, "main").webhook_secret) == "whsec"
