"""Nothing that a full run writes for people or programs shows a secret: logs, metrics, pages, alerts."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from ops_console.logging import set_up_logging
from ops_console.service import Service
from ops_console.settings import read_settings
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from ops_sandbox.web_connector import QwcFile, WebConnector
from qbwc_service import authentication
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.secrets import new_ticket
from queue_store.tasks import raise_task
from tests.conftest import SECRET_KEY
from tests.ops_console.conftest import Qbwoo
from tests.receiving import PASSWORD as MAIL_PASSWORD
from tests.receiving import mail_server, receiver

#: As the fixtures of commands set them.
CONNECTOR_PASSWORD, WEBHOOK_SECRET = "a long password", "webhook secret"
TOKEN, SIGNING = "metrics-token-551177", "signing-secret-99113"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield io.StringIO()
    logging.basicConfig(handlers=handlers, force=True, level=level)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_full_run_writes_no_secret(
    log_format: str,
    qbwoo: Qbwoo,
    add_store: Callable[..., str],
    console_database: Database,
    data_dir: Path,
    tmp_path: Path,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tickets: list[str] = []

    def noted() -> str:
        tickets.append(new_ticket())
        return tickets[-1]

    monkeypatch.setattr(authentication, "new_ticket", noted)
    written: list[str] = []
    shop = Shop.create()
    with mail_server() as mail, receiver() as posted, shop.serve() as running:
        environ = {
            "QBWOO_DATA_DIR": str(data_dir),
            "QBWOO_ALLOW_PRIVATE_STORES": "true",
            "QBWOO_SECRET_KEY": SECRET_KEY,
            "QBWOO_METRICS_TOKEN": TOKEN,
            "QBWOO_SMTP_HOST": "127.0.0.1",
            "QBWOO_SMTP_PORT": str(mail.port),
            "QBWOO_SMTP_SECURITY": "none",
            "QBWOO_SMTP_PASSWORD": MAIL_PASSWORD,
            "QBWOO_MAIL_FROM": "qbwoo@example.net",
            "QBWOO_ALERT_MAIL_TO": "owner@example.net",
            "QBWOO_ALERT_URL": posted.url,
            "QBWOO_ALERT_SECRET": SIGNING,
            "QBWOO_LOG_LEVEL": "DEBUG",
            "QBWOO_LOG_FORMAT": log_format,
        }

        def command(*words: object, code: int = 0) -> None:
            said = qbwoo(*words, code=code, **environ)
            written.append(said.out + said.err)

        # The fixture makes company and store by commands of its own, under the key of the data folder.
        monkeypatch.setenv("QBWOO_SECRET_KEY", SECRET_KEY)
        add_store(running.url, CONSUMER_KEY, CONSUMER_SECRET, "main")
        with Service(replace(read_settings(environ)), worker=False) as service:
            command("store", "connect", "main", "--url", service.url)
            command("store", "live", "main", "--yes")
            command("qwc", "write", "Main", "--url", service.url, "-o", "main.qwc", "--rehearsal")
            set_up_logging("DEBUG", log, log_format=log_format)
            shop.place_order([(shop.add_products(1)[0], 2)])
            shop.run_queue()
            qwc = QwcFile.read(tmp_path / "main.qwc", allow_plain_http=True)
            qwc.add_checks()
            for password in ("a wrong password", CONNECTOR_PASSWORD):
                WebConnector(qwc, password, PosCompanyFile.create(None)).run_once()
            requests.post(f"{service.url}/qbwc", tickets[-1], timeout=20)
            written += [
                requests.get(
                    service.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
                ).text
                for path in ("/metrics", "/readyz", "/", "/healthz")
            ]
        with console_database.write() as db:
            company = get_company(db, "Main")
            leak = f"password={CONNECTOR_PASSWORD} {CONSUMER_SECRET}".replace(" ", "-")
            raise_task(db, company_id=company.id, kind="doubled", subject="x", sentence=f"It was {leak}.")
        command("alert", "test")
        command("worker", "--once")
        command("alert", "list")
        command("check", code=0)
        written += mail.texts() + mail.subjects() + [body.decode() for _, body in posted.posts]
        assert len(mail.mails) == len(posted.posts) == 2
    shop.close()
    written.append(log.getvalue())
    assert len(tickets) >= 2
    assert "session" in log.getvalue()
    for secret in (
        *(CONNECTOR_PASSWORD, WEBHOOK_SECRET, TOKEN, SIGNING, MAIL_PASSWORD, SECRET_KEY),
        *(CONSUMER_SECRET, CONSUMER_KEY, "T0P-s3cret-path", *tickets),
    ):
        for text in written:
            at = text.find(secret)
            assert at < 0, text[max(at - 300, 0) : at + 50]
    if log_format == "json":
        _every_line_is_an_object_that_says_what_it_is_about(log.getvalue())


def _every_line_is_an_object_that_says_what_it_is_about(text: str) -> None:
    records = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(one) for one in records)
    sent = [one for one in records if one["logger"] == "qbwc_service.sending"]
    assert sent
    assert all({"company", "session", "exchange"} <= set(one) for one in sent)
    assert all(one["exchange"] in one["message"] for one in sent)
    assert any(one.get("store") == "main" for one in records)
