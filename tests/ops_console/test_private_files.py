"""Whatever the umask, what we make is for this user alone: it holds customers and keys."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ops_console.conftest import Qbwoo


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in sorted(folder.rglob("*"))
    }


def test_data_folder_database_and_key_are_made_for_one_user_alone(qbwoo: Qbwoo, tmp_path: Path) -> None:
    home = tmp_path / "new" / "data"
    (tmp_path / "password").write_text("a long password\n")
    (tmp_path / "cs").write_text("cs\n")
    where = {"QBWOO_DATA_DIR": str(home)}
    qbwoo("company", "add", "Main", "--username", "c", "--password-file", tmp_path / "password", **where)
    qbwoo(
        *("store", "add", "shop", "--company", "Main", "--url", "http://127.0.0.1:9", "--consumer-key", "ck"),
        *("--consumer-secret-file", tmp_path / "cs", "--webhook-secret-file", tmp_path / "cs"),
        **where,
    )
    qbwoo("db", "backup", home / "copy.db", **where)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    found = modes(home)
    assert {"qbwoo.db", "secret.key", "copy.db"} <= set(found)
    assert set(found.values()) == {"0o600"}


def test_while_the_database_is_open_its_log_is_for_one_user_alone_too(
    qbwoo: Qbwoo, company: str, data_dir: Path
) -> None:
    from queue_store.database import Database

    (data_dir / "qbwoo.db").chmod(0o600)
    database = Database(f"sqlite:///{data_dir / 'qbwoo.db'}")
    with database.write() as db:
        from queue_store.companies import get_company

        get_company(db, company).company_file = "x"
    found = modes(data_dir)
    database.close()
    assert set(found.values()) == {"0o600"}


def test_exported_mappings_and_reports_are_for_one_user_alone(
    qbwoo: Qbwoo, add_store: Callable[..., str], tmp_path: Path
) -> None:
    add_store()
    file = tmp_path / "mappings.csv"
    qbwoo("mapping", "export", "--kind", "customer", "-o", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
