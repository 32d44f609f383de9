"""Commands: what they print, how they end, and that each tells an example."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from sqlalchemy.engine import URL

from ops_console.cli import COMMANDS, main
from queue_store.activities import add_activity
from queue_store.companies import get_company, get_store
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.states import ActivityState
from queue_store.store_setting_list import STORE_SETTINGS
from tests.ops_console.conftest import Qbwoo

FIELDS = (
    *("id", "kind", "state", "company", "store", "record_id", "order_id", "reference", "attempts"),
    *("sentence", "next_at", "created_at", "updated_at", "txn_id"),
)


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups left out."""
    context = click.Context(group)
    for name in group.list_commands(context):
        if name == "demo":
            continue
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


@pytest.fixture
def add(console_database: Database, add_store: Callable[..., str]) -> Callable[..., int]:
    """Adds an activity of the store; gives its id."""
    name = add_store()

    def add(state: str = "pending", reference: str = "71", **more: object) -> int:
        with console_database.write() as db:
            store = get_store(db, name)
            return add_activity(
                db,
                Activity(
                    company_id=store.company_id,
                    store_id=store.id,
                    kind="sale",
                    record_id=reference,
                    order_id=reference,
                    reference=reference,
                    state=state,
                    payload=b"{}",
                    **more,
                ),
                cause="arrived",
            ).id

    return add


@pytest.mark.parametrize(
    ("words", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in commands(main)]
)
def test_every_command_has_a_help_with_an_example(words: tuple[str, ...], command: click.Command) -> None:
    assert command.help
    assert f"qbwoo {' '.join(words)}" in command.help


def test_the_help_lists_every_command_without_loading_it(qbwoo: Qbwoo) -> None:
    said = qbwoo("--help").out
    for name in COMMANDS:
        assert f"  {name}" in said


def test_wrong_usage_ends_with_2_and_what_is_not_done_with_1(
    qbwoo: Qbwoo, company: str, tmp_path: Path
) -> None:
    qbwoo("nonsense", code=2)
    qbwoo("company", "list", "--josn", code=2)
    qbwoo("company", "set", company, "no.such.key", "1", code=2)
    qbwoo("company", "set", company, "pace.most", "many", code=2)
    qbwoo("company", "set", "Nobody", code=1)
    qbwoo("activity", "show", "999", code=1)
    said = qbwoo(
        "company", "add", company, "--username", "x", "--password-file", tmp_path / "password", code=1
    )
    assert said.err == "There is already a company called 'Main'. Choose another name.\n"


def test_wrong_settings_are_told_all_at_once(qbwoo: Qbwoo) -> None:
    said = qbwoo("company", "list", code=1, QBWOO_LOG_LEVEL="loud", QBWOO_PUBLIC_URL="here")
    assert "QBWOO_LOG_LEVEL" in said.err
    assert "QBWOO_PUBLIC_URL" in said.err


def test_a_database_that_cannot_be_reached_is_a_sentence(qbwoo: Qbwoo) -> None:
    url = "postgresql+psycopg://nobody:hunter2@127.0.0.1:9/none"
    said = qbwoo("company", "list", code=1, QBWOO_DATABASE_URL=url)
    assert "cannot be reached" in said.err
    assert "hunter2" not in said.err


def test_settings_are_shown_with_a_word_each_and_changed_one_by_one(
    qbwoo: Qbwoo, company: str, add_store: Callable[..., str]
) -> None:
    store = add_store()
    for noun, name, table in (("company", company, COMPANY_SETTINGS), ("store", store, STORE_SETTINGS)):
        rows = qbwoo(noun, "set", name, "--json").data
        assert {row["key"] for row in rows} == set(table)
        assert all(row["explanation"] for row in rows)
    qbwoo("company", "set", company, "retry.base_seconds", "30")
    assert qbwoo("company", "set", company, "retry.base_seconds", "--json").data[0]["value"] == "30"
    qbwoo("store", "set", store, "orders.since", "2026-01-31")
    assert "2026-01-31" in qbwoo("store", "set", store).out
    assert "qbwoo store set" in qbwoo("company", "set", company, "orders.since", "2026-01-31", code=2).err


def test_an_empty_password_file_and_a_bad_store_name_are_refused(
    qbwoo: Qbwoo, company: str, add_store: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    qbwoo("company", "add", "B", "--username", "b", "--password-file", tmp_path / "empty", code=2)
    with pytest.raises(AssertionError, match="letters, digits and dashes"):
        add_store(name="my shop")


def test_a_store_in_a_private_network_is_refused_unless_allowed(
    qbwoo: Qbwoo, company: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("x\n")
    said = qbwoo(
        *("store", "add", "shop", "--company", company, "--url", "http://127.0.0.1", "--consumer-key", "ck"),
        *("--consumer-secret-file", tmp_path / "secret", "--webhook-secret-file", tmp_path / "secret"),
        code=2,
        QBWOO_ALLOW_PRIVATE_STORES="false",
    )
    assert "QBWOO_ALLOW_PRIVATE_STORES" in said.err


def test_secrets_are_encrypted_and_never_shown(
    qbwoo: Qbwoo, add_store: Callable[..., str], data_dir: Path, company: str
) -> None:
    add_store(secret="cs_very_private")
    stored = b"".join(path.read_bytes() for path in data_dir.glob("qbwoo.db*"))
    assert b"cs_very_private" not in stored
    assert b"a long password" not in stored
    shown = "".join(
        qbwoo(*words).out
        for words in (("store", "list", "--json"), ("company", "list", "--json"), ("check",))
    )
    assert "cs_very_private" not in shown


def test_a_list_of_activities_as_json_has_the_promised_fields(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    moment = datetime(2026, 1, 31, 8, tzinfo=UTC)
    number = add("delayed", sentence="later", next_at=moment)
    (row,) = qbwoo("activity", "list", "--json").data
    assert set(FIELDS) <= set(row)
    assert row["id"] == str(number)
    assert row["state"] == "pending"
    assert row["next_at"] == "2026-01-31T08:00:00Z"
    assert (row["company"], row["store"], row["txn_id"]) == ("Main", "shop", None)


def test_a_list_of_activities_is_filtered_and_limited(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    for number in range(60):
        add("failed" if number % 3 == 0 else "succeeded", str(number))
    assert len(qbwoo("activity", "list", "--json").data) == 50
    assert len(qbwoo("activity", "list", "--json", "--limit", 0).data) == 60
    assert len(qbwoo("activity", "list", "--json", "--limit", 0, "--state", "failed").data) == 20
    assert len(qbwoo("activity", "list", "--json", "--limit", 7).data) == 7
    assert qbwoo("activity", "list", "--json", "--kind", "add_item").data == []
    assert len(qbwoo("activity", "list", "--json", "--store", "shop", "--company", "Main").data) == 50
    assert "--limit 0" in qbwoo("activity", "list").err
    qbwoo("activity", "list", "--state", "delayed", code=2)
    qbwoo("activity", "list", "--store", "none", code=1)


def test_in_a_pipe_a_list_is_tab_separated_with_one_line_each(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    add("failed", sentence="one\ntwo\tthree")
    title, line = qbwoo("activity", "list").out.splitlines()
    assert title.split("\t")[:3] == ["id", "kind", "state"]
    assert len(line.split("\t")) == len(title.split("\t"))
    assert line.endswith("one two three")


def test_activities_are_retried_held_released_and_cancelled(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    number = add("failed")
    state = lambda: qbwoo("activity", "show", number, "--json").data["state"]  # noqa: E731
    qbwoo("activity", "retry", number)
    assert state() == "pending"
    qbwoo("activity", "hold", "71")
    assert state() == "held"
    assert "Nobody answered" in qbwoo("activity", "cancel", number, given="", code=1).err
    qbwoo("activity", "cancel", number, "--yes")
    assert state() == "cancelled"
    said = qbwoo("activity", "cancel", number, "--yes", code=1)
    assert "nothing to cancel" in said.err
    story = [event["to_state"] for event in qbwoo("activity", "show", number, "--json").data["events"]]
    assert story == ["failed", "pending", "held", "cancelled"]


def test_several_activities_change_together_or_not_at_all(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    first, second = add("failed", "71"), add("sent", "72")
    qbwoo("activity", "retry", first, second, "--yes", code=1)
    assert qbwoo("activity", "show", first, "--json").data["state"] == "failed"


def test_a_name_of_several_activities_is_refused_for_a_change(qbwoo: Qbwoo, add: Callable[..., int]) -> None:
    add("failed", "71"), add("failed", "71", generation=2)
    assert "names 2 activities" in qbwoo("activity", "retry", "71", code=2).err
    assert len(qbwoo("activity", "show", "71", "--json").data) == 2


def test_a_backup_is_whole_private_and_replaces_nothing_unasked(
    qbwoo: Qbwoo, company: str, tmp_path: Path
) -> None:
    target = tmp_path / "backup.db"
    assert qbwoo("db", "backup", target, "--json").data["bytes"] == target.stat().st_size
    assert target.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(target) as copy:
        assert copy.execute("SELECT name FROM companies").fetchall() == [("Main",)]
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copy.close()
    assert "Replace it?" in qbwoo("db", "backup", target, given="n\n", code=1).err
    qbwoo("db", "backup", target, "--yes")
    assert qbwoo("db", "check", code=0, QBWOO_DATABASE_URL=f"sqlite:///{target}")
    assert not list(tmp_path.glob("*.partial"))


def test_a_backup_never_replaces_the_database_itself(qbwoo: Qbwoo, data_dir: Path) -> None:
    assert "the database itself" in qbwoo("db", "backup", data_dir / "qbwoo.db", "--yes", code=1).err
    qbwoo("db", "check")


def test_a_damaged_or_missing_database_is_noticed(qbwoo: Qbwoo, tmp_path: Path, data_dir: Path) -> None:
    assert "qbwoo db upgrade" in qbwoo("db", "check", code=1, QBWOO_DATA_DIR=str(tmp_path / "new")).err
    with sqlite3.connect(data_dir / "qbwoo.db") as database:
        database.execute("DROP INDEX ix_activities_claim")
    database.close()
    said = qbwoo("db", "check", code=1)
    assert "ix_activities_claim" in said.out


def test_the_first_command_on_a_new_machine_makes_the_database(qbwoo: Qbwoo, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    qbwoo("company", "list", QBWOO_DATA_DIR=str(folder))
    assert (folder / "qbwoo.db").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_check_finds_a_lost_key_a_misspelt_variable_and_an_open_folder(
    qbwoo: Qbwoo, add_store: Callable[..., str], data_dir: Path
) -> None:
    add_store()
    assert "problem" not in {row["state"] for row in qbwoo("check", "--json").data}
    data_dir.chmod(0o755)
    remarks = qbwoo("check", QBWOO_DATABSE_URL="x").out
    assert "QBWOO_DATABSE_URL" in remarks
    assert "can be read by others" in remarks
    (data_dir / "secret.key").write_text("cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw=")
    assert "QBWOO_SECRET_KEY is not the key" in qbwoo("check", code=1).out
    (data_dir / "secret.key").unlink()
    qbwoo("check", code=1)
    assert not (data_dir / "secret.key").exists()


def test_a_stopped_company_shows_in_check(qbwoo: Qbwoo, company: str) -> None:
    qbwoo("company", "set", company, "documents.stopped", "true")
    assert "documents.stopped false" in qbwoo("check").out


def test_a_store_that_takes_and_is_not_sold_shows_in_check(qbwoo: Qbwoo, company: str) -> None:
    qbwoo("company", "set", company, "stock.stores", "2,3")
    assert "documents.store_number" not in qbwoo("check").out
    qbwoo("company", "set", company, "documents.store_number", "1")
    assert "Receipts go to store 1" in qbwoo("check").out
    qbwoo("company", "set", company, "documents.store_number", "3")
    assert "Receipts go to store" not in qbwoo("check").out


@pytest.mark.parametrize(
    "url", ["https://qbwoo.example.com", "https://qbwoo.example.com/", "https://qbwoo.example.com/qbwc"]
)
def test_a_qwc_is_written_for_the_service_or_its_own_address(
    qbwoo: Qbwoo, company: str, url: str, tmp_path: Path
) -> None:
    qbwoo("qwc", "write", company, "--url", url, "-o", "main.qwc")
    text = (tmp_path / "main.qwc").read_text()
    assert "<AppURL>https://qbwoo.example.com/qbwc</AppURL>" in text
    assert "<AppSupport>https://qbwoo.example.com/qbwc/support</AppSupport>" in text
    assert "<QBType>QBPOS</QBType>" in text
    qbwoo("qwc", "write", company, "--url", url, "-o", "again.qwc")
    assert (tmp_path / "again.qwc").read_bytes() == (tmp_path / "main.qwc").read_bytes()


def test_a_qwc_that_the_web_connector_would_refuse_is_not_written(
    qbwoo: Qbwoo, company: str, tmp_path: Path
) -> None:
    for url in ("http://qbwoo.example.com", "https://192.0.2.1", "nonsense"):
        qbwoo("qwc", "write", company, "--url", url, "-o", "main.qwc", code=2)
    assert not (tmp_path / "main.qwc").exists()
    qbwoo("qwc", "write", company, "-o", "main.qwc", code=2)
    qbwoo("qwc", "write", company, "-o", "main.qwc", QBWOO_PUBLIC_URL="https://qbwoo.example.com")


def test_tasks_are_listed_and_closed(qbwoo: Qbwoo, company: str, console_database: Database) -> None:
    from queue_store.tasks import raise_task

    with console_database.write() as db:
        raise_task(
            db, company_id=get_company(db, company).id, kind="doubled", subject="x", sentence="Look here."
        )
    (task,) = qbwoo("task", "list", "--json").data["decisions"]
    assert task["sentence"] == "Look here."
    qbwoo("task", "done", task["id"])
    assert qbwoo("task", "list", "--json").data == {"decisions": [], "schedules": []}
    assert "closed before" in qbwoo("task", "done", task["id"], code=1).err


def test_every_state_that_people_see_can_be_asked_for(qbwoo: Qbwoo) -> None:
    for state in ActivityState:
        qbwoo("activity", "list", "--state", state.shown)


def test_with_postgresql_commands_work_alike_and_a_backup_names_its_own_tool(
    qbwoo: Qbwoo, postgres_url: Callable[[], URL], tmp_path: Path
) -> None:
    environ = {"QBWOO_DATABASE_URL": postgres_url().render_as_string(hide_password=False)}
    (tmp_path / "password").write_text("a long password\n")
    assert qbwoo("db", "upgrade", "--json", **environ).data["before"] != "empty"
    qbwoo("company", "add", "Main", "--username", "x", "--password-file", tmp_path / "password", **environ)
    assert [row["name"] for row in qbwoo("company", "list", "--json", **environ).data] == ["Main"]
    qbwoo("db", "check", **environ)
    assert "QBWOO_SECRET_KEY" in qbwoo("check", **environ).out
    assert "pg_dump" in qbwoo("db", "backup", tmp_path / "x.db", code=1, **environ).err
    assert not (tmp_path / "x.db").exists()
