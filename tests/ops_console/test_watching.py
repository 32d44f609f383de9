"""/metrics and /readyz of a served process: who may read them, what they say, and that it is true."""

from __future__ import annotations

import http.client
import re
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.engine import URL

from ops_console import readiness
from ops_console.kept import Kept
from ops_console.readiness import Point, Readiness
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from ops_console.working import WorkLoop
from queue_store import meters
from queue_store.companies import add_company, add_store
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.conftest import SECRET_KEY
from tests.queue_store.test_queue_depth import work

TOKEN = "a-token-of-some-length"


@pytest.fixture
def settings(sqlite_database: Database, tmp_path: Path) -> ProcessSettings:
    return ProcessSettings(data_dir=tmp_path, database_url=sqlite_database.url, secret_key=SECRET_KEY)


def ask(service: Service, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=20)
    try:
        connection.request(
            "GET", path, headers={name.replace("_", "-"): one for name, one in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def fill(database: Database, box: SecretBox) -> None:
    with database.write() as db:
        company = add_company(db, name='Main "Street"', flavour="pos", username="wc-user", password="pw")
        add_store(
            db,
            box,
            company=company,
            name="shop",
            url="https://shop.example",
            consumer_key="ck_1",
            consumer_secret="cs_1",
            webhook_secret="whsec-1",
        )
    work(database)
    work(database)


# /metrics ---------------------------------------------------------------------


def test_without_a_token_only_this_machine_reads_the_metrics(settings: ProcessSettings) -> None:
    with Service(settings, worker=False) as service:
        assert ask(service, "/metrics")[0] == 200
        # A proxy on this machine passes on whoever asks it.
        for header in ("X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"):
            assert ask(service, "/metrics", **{header: "127.0.0.1"})[0] == 403


def test_with_a_token_whoever_shows_it_reads_them_and_nobody_else(settings: ProcessSettings) -> None:
    with Service(replace(settings, metrics_token=TOKEN), worker=False) as service:
        assert ask(service, "/metrics")[0] == 401
        assert ask(service, "/metrics", Authorization=f"Bearer {TOKEN}x")[0] == 401
        assert ask(service, "/metrics", Authorization=f"Basic {TOKEN}")[0] == 401
        status, body = ask(service, "/metrics", Authorization=f"Bearer {TOKEN}", X_Forwarded_For="8.8.8.8")
        assert (status, "qbwoo_activities" in body) == (200, True)
    assert TOKEN not in repr(replace(settings, metrics_token=TOKEN))


def test_prometheus_can_read_all_of_it_and_labels_are_names_or_of_a_fixed_set(
    settings: ProcessSettings, sqlite_database: Database, box: SecretBox
) -> None:
    fill(sqlite_database, box)
    with Service(settings, worker=False) as service:
        # Strangers make no series: neither an unknown store nor a wrong signature names anything.
        assert ask(service, "/webhooks/woocommerce/other")[0] == 404
        _, body = ask(service, "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(body)}
    samples = {
        (sample.labels["company"], sample.labels["target"], sample.labels["state"]): sample.value
        for sample in families["qbwoo_activities"].samples
    }
    assert samples["Main", "quickbooks", "pending"] == 2
    assert samples['Main "Street"', "shop", "failed"] == 0
    (oldest,) = [
        s for s in families["qbwoo_oldest_activity_seconds"].samples if s.labels["state"] == "pending"
    ]
    assert 9 * 3600 < oldest.value < 11 * 3600
    labels = {name for family in families.values() for s in family.samples for name in s.labels}
    assert labels <= {"company", "store", "target", "state", "purpose", "outcome", "cause", "channel", "le"}
    assert "other" not in body
    for secret in ("wc-user", "whsec", "cs_1", "ck_1"):
        assert secret not in body


def test_what_is_counted_in_a_transaction_counts_once_and_only_if_it_commits(
    sqlite_database: Database,
) -> None:
    meter = meters.Meter(("cause",))
    with suppress(RuntimeError), sqlite_database.write() as db:
        meter.add_after(db, "x")
        raise RuntimeError
    assert meter.read() == {}
    with sqlite_database.write() as db:
        meter.add_after(db, "x")
        assert meter.read() == {}
    assert meter.read() == {("x",): (1.0, 1.0)}


def test_values_fall_under_the_first_bound_that_holds_them() -> None:
    meter = meters.Meter((), bounds=(1, 10))
    for value in (0.5, 1, 5, 100):
        meter.add(value=value)
    assert meter.read() == {(): (2.0, 1.0, 1.0, 106.5)}


def test_many_threads_read_once_and_a_slow_reading_holds_longer() -> None:
    reads, now = [0], [0.0]

    def read() -> int:
        reads[0] += 1
        now[0] += 1.0
        return reads[0]

    kept = Kept(read, 5.0, clock=lambda: now[0])
    threads = [threading.Thread(target=kept) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert reads == [1]
    now[0] = 50.0
    assert kept() == 1
    now[0] = 51.1
    assert kept() == 2


# /readyz -----------------------------------------------------------------------


def problems(points: list[Point]) -> dict[str, str]:
    return {point.name: point.problem for point in points if point.problem}


def test_a_process_that_can_do_its_work_is_ready(
    settings: ProcessSettings, sqlite_database: Database, box: SecretBox
) -> None:
    fill(sqlite_database, box)
    with Service(settings) as service:
        status, body = ask(service, "/readyz")
    assert status == 200
    assert body == "ready\ndatabase: ok\nschema: ok\nsecret key: ok\ndisk: ok\nworker: ok\n"


def test_a_key_that_opens_no_secret_is_not_ready(
    settings: ProcessSettings, sqlite_database: Database, box: SecretBox
) -> None:
    fill(sqlite_database, box)
    other = SecretBox(SecretBox.new_key())
    assert "QBWOO_SECRET_KEY" in problems(Readiness(settings, other).look())["secret key"]


def test_a_database_file_that_is_gone_is_told_and_none_is_made(
    settings: ProcessSettings, sqlite_database: Database, box: SecretBox
) -> None:
    assert settings.database_file is not None
    settings.database_file.rename(settings.database_file.with_suffix(".away"))
    found = problems(Readiness(settings, box).look())
    assert found["database"] == "The database file is not there."
    assert not settings.database_file.exists()


def test_a_folder_that_takes_no_file_is_told(
    settings: ProcessSettings, box: SecretBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tests may run as a user whom no mode of a folder keeps out.
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(readiness.tempfile, "TemporaryFile", full)
    assert problems(Readiness(settings, box).look()) == {"disk": "The disk of the database is full."}


def test_a_writer_at_work_is_no_reason_not_to_be_ready(settings: ProcessSettings, box: SecretBox) -> None:
    assert settings.database_file is not None
    writer = sqlite3.connect(settings.database_file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert problems(Readiness(settings, box).look()) == {}
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def test_a_file_that_is_no_database_is_told(
    settings: ProcessSettings, box: SecretBox, tmp_path: Path
) -> None:
    (tmp_path / "other.db").write_text("this is no database, but a text of some length" * 40)
    wrong = replace(settings, database_url=f"sqlite:///{tmp_path / 'other.db'}")
    found = problems(Readiness(wrong, box).look())
    assert found["database"] == "The database does not answer."
    assert str(tmp_path) not in str(found)


def test_a_worker_that_stands_still_is_told(settings: ProcessSettings, box: SecretBox) -> None:
    loop = WorkLoop(lambda: 0, interval=0.01)
    assert problems(Readiness(settings, box, loop).look()) == {
        "worker": "The worker of this process stands still. Restart it."
    }
    loop.start()
    assert problems(Readiness(settings, box, loop).look()) == {}
    loop.stop()
    assert "worker" in problems(Readiness(settings, box, loop).look())


def test_postgresql_is_ready_unless_it_only_may_be_read(
    postgres_url: Callable[[], URL], settings: ProcessSettings, box: SecretBox
) -> None:
    url = postgres_url()
    served = replace(settings, database_url=url.render_as_string(hide_password=False))
    assert problems(Readiness(served, box).look()) == {}
    database = Database(served.database_url)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'ALTER DATABASE "{url.database}" SET default_transaction_read_only = on'))
    database.close()
    assert "takes no writing" in problems(Readiness(served, box).look())["writing"]
    gone = replace(settings, database_url=url.set(port=9).render_as_string(hide_password=False))
    assert problems(Readiness(gone, box).look())["database"] == "The database does not answer."


def test_a_process_that_is_not_ready_says_so_and_stays_alive(
    settings: ProcessSettings, sqlite_database: Database
) -> None:
    with Service(settings, worker=False) as service:
        with sqlite_database.write() as db:
            db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        status, body = ask(service, "/readyz")
        assert (status, body.splitlines()[0]) == (503, "not ready")
        assert re.search(r"schema: The database is at revision 9999", body)
        assert ask(service, "/healthz") == (200, "ok\n")
