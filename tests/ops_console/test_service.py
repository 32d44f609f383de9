"""The served process: addresses, shutdown, and what shows when the database is gone."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from ops_console.errors import NotDone
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from queue_store.activities import add_activity
from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.models import Activity


@pytest.fixture
def settings(sqlite_database: Database, tmp_path: Path) -> ProcessSettings:
    return ProcessSettings(data_dir=tmp_path, database_url=sqlite_database.url)


@pytest.fixture
def service(settings: ProcessSettings) -> Iterator[Service]:
    with Service(settings, worker=False) as service:
        yield service


def ask(
    service: Service, path: str, method: str = "GET", body: bytes | None = None
) -> tuple[int, dict[str, str], str]:
    """Status, headers by lower-case name, and body."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "status", "found"),
    [
        ("/", 200, "Activities"),
        ("/healthz", 200, "ok"),
        ("/readyz", 200, "ready"),
        ("/metrics", 200, "# TYPE qbwoo_activities gauge"),
        ("/qbwc", 200, "Web Connector"),
        ("/qbwc/", 200, "Web Connector"),
        ("/qbwc?wsdl", 200, "/qbwc"),
        ("/qbwc/support", 200, "qbwoo"),
        ("/webhooks/woocommerce/none", 404, "No store"),
        ("/nothing", 404, "nothing here"),
        ("/webhooks", 404, "nothing here"),
    ],
)
def test_each_address_leads_to_its_part(service: Service, path: str, status: int, found: str) -> None:
    answered, headers, body = ask(service, path)
    assert (answered, found in body) == (status, True)
    assert "server" not in headers


def test_head_gets_headers_alone_and_other_methods_are_refused(service: Service) -> None:
    status, headers, body = ask(service, "/healthz", "HEAD")
    assert (status, headers["content-length"], body) == (200, "3", "")
    status, headers, _ = ask(service, "/", "POST", b"x")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_the_status_page_shows_numbers_and_names_nobody(service: Service, sqlite_database: Database) -> None:
    with sqlite_database.write() as db:
        company = add_company(db, name="Secretive Ltd", flavour="pos", username="wc-user", password="pw")
        for number, state in enumerate(("pending", "delayed", "failed")):
            add_activity(
                db,
                Activity(
                    company_id=company.id,
                    kind="sale",
                    record_id=str(number),
                    state=state,
                    payload=b"{}",
                    reference="jane@example.net",
                    sentence="Jane's order",
                ),
                cause="arrived",
            )
    status, headers, body = ask(service, "/")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    rows = dict(re.findall(r'<tr><td>([a-z ]+)</td><td class="n">(\d+)</td></tr>', body))
    assert (rows["pending"], rows["failed"], rows["in doubt"]) == ("2", "1", "0")
    for private in ("Secretive", "wc-user", "jane", "Jane", "example.net"):
        assert private not in body


def test_a_database_of_another_revision_is_not_ready(service: Service, sqlite_database: Database) -> None:
    with sqlite_database.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    status, headers, body = ask(service, "/readyz")
    assert (status, headers["retry-after"]) == (503, "30")
    assert "9999" in body
    assert ask(service, "/healthz")[0] == 200


def test_a_fault_behind_a_page_shows_no_trace_outside(
    service: Service, sqlite_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_database.write() as db:
        db.execute(text("ALTER TABLE operator_tasks RENAME TO gone"))
    status, _, body = ask(service, "/")
    assert status in (500, 503)
    assert "Traceback" not in body
    assert "operator_tasks" not in body
    assert caplog.records


def test_closing_gives_the_port_back_and_may_be_repeated(settings: ProcessSettings) -> None:
    service = Service(settings, worker=False)
    service.start()
    port = urlsplit(service.url).port
    assert ask(service, "/healthz")[0] == 200
    service.close()
    service.close()
    with Service(settings, port=port or 0, worker=False) as again:
        assert again.url == service.url


def test_a_taken_port_is_told_in_a_sentence(service: Service, settings: ProcessSettings) -> None:
    port = urlsplit(service.url).port or 0
    with pytest.raises(NotDone, match=f"Cannot listen at 127.0.0.1:{port}: .*Choose another"):
        Service(settings, port=port, worker=False)


def test_a_key_is_made_once_and_kept_private(settings: ProcessSettings) -> None:
    with Service(settings, worker=False):
        first = (settings.data_dir / "secret.key").read_text()
    with Service(settings, worker=False):
        assert (settings.data_dir / "secret.key").read_text() == first
    assert (settings.data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in settings.data_dir.glob("secret.key*")] == ["secret.key"]
