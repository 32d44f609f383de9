"""A full round with planted secrets, and then everything that was written or said is searched for them."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from sqlalchemy import text

from ops_console.logging import set_up_logging
from ops_console.service import Service
from ops_console.settings import ProcessSettings
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import CONSUMER_KEY, Shop
from ops_sandbox.web_connector import QwcFile, SoapClient, WebConnector
from ops_sandbox.web_connector.wire import write_envelope
from queue_store.database import Database
from tests.conftest import SECRET_KEY
from tests.harness import numbered, recorded_order
from tests.ops_console.conftest import Qbwoo, Said

PASSWORD = "planted-Password-7b1c9e"
WRONG = "planted-Wrong-Password-55aa"
CONSUMER_SECRET = "cs_" + "5ec7e7" * 6 + "beef"
WEBHOOK_SECRET = "planted-Webhook-Secret-d00d"
DATABASE_PASSWORD = "planted-Database-Pw-77"


def forms(secret: str) -> set[bytes]:
    """How a secret might stand somewhere: plain, in base 64, quoted for a URL or for XML."""
    raw = secret.encode()
    return {raw, base64.b64encode(raw).rstrip(b"="), quote(secret).encode(), raw.hex().encode(), raw[::-1]}


@contextmanager
def logged(stream: StringIO) -> Iterator[None]:
    """Everything that is logged, from DEBUG up."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_logging("DEBUG", stream)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)


class Round:
    """One installation, and everything that it said."""

    def __init__(self, run: Callable[..., Said], folder: Path, data_dir: Path) -> None:
        self.qbwoo, self.folder, self.data_dir = run, folder, data_dir
        self.log = StringIO()
        self.said: list[bytes] = []
        self.tickets: set[str] = set()

    def run(self, *words: object, code: int = 0, **environ: str) -> Said:
        """A command that ends with this code."""
        try:
            done = self.qbwoo(*words, code=code, **{"QBWOO_SECRET_KEY": SECRET_KEY, **environ})
        finally:
            # Some commands have the log to themselves.
            set_up_logging("DEBUG", self.log)
        self.said += [done.out.encode(), done.err.encode()]
        return done

    def command(self, *words: object, **environ: str) -> None:
        """A command that may end with any code."""
        for code in (0, 1, 2):
            try:
                self.run(*words, code=code, **environ)
            except AssertionError:
                continue
            return
        raise AssertionError(words)

    def http(self, method: str, url: str, **named: object) -> requests.Response:
        answer = requests.request(method, url, timeout=20, **named)  # type: ignore[arg-type]
        self.said.append(answer.content + repr(dict(answer.headers)).encode())
        return answer


@pytest.fixture
def full_round(qbwoo: Qbwoo, data_dir: Path, tmp_path: Path) -> Round:
    """Set up, connect, drain, everything that can fail, every command that shows something."""
    round_ = Round(qbwoo, tmp_path, data_dir)
    for name, secret in (("pw", PASSWORD), ("cs", CONSUMER_SECRET), ("ws", WEBHOOK_SECRET)):
        (tmp_path / name).write_text(secret + "\n")
    shop = Shop.create(consumer_secret=CONSUMER_SECRET)
    url = f"sqlite:///{data_dir / 'qbwoo.db'}"
    settings = ProcessSettings(
        data_dir=data_dir, database_url=url, secret_key=SECRET_KEY, allow_private_stores=True
    )
    with logged(round_.log), shop.serve(), Service(settings, worker=False) as service:
        round_.command(
            "company", "add", "Main", "--username", "connector", "--password-file", tmp_path / "pw"
        )
        round_.command(
            *(
                "store",
                "add",
                "shop",
                "--company",
                "Main",
                "--url",
                shop.home_url,
                "--consumer-key",
                CONSUMER_KEY,
            ),
            *("--consumer-secret-file", tmp_path / "cs", "--webhook-secret-file", tmp_path / "ws"),
        )
        round_.command("store", "check", "shop")
        round_.command("store", "connect", "shop", "--url", service.url)
        round_.command("store", "set", "shop", "orders.since", "2020-01-01")
        round_.command("store", "live", "shop", "--yes")
        round_.command(
            "qwc", "write", "Main", "--url", service.url, "--rehearsal", "-o", tmp_path / "main.qwc"
        )
        _drain(round_, service, tmp_path / "main.qwc")
        _fail(round_, service, Database(url))
        _show(round_, service)
    shop.close()
    round_.said.append(round_.log.getvalue().encode())
    return round_


def _post(round_: Round, service: Service, order: dict[str, object]) -> None:
    body = json.dumps(order).encode()
    sign = base64.b64encode(hmac.digest(WEBHOOK_SECRET.encode(), body, "sha256")).decode()
    headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": sign}
    assert round_.http("POST", f"{service.url}/webhooks/woocommerce/shop", data=body, headers=headers).ok


def _drain(round_: Round, service: Service, qwc: Path) -> None:
    _post(round_, service, numbered(recorded_order("plain"), 501))
    _post(round_, service, numbered(recorded_order("plain"), 502, total="99.99"))
    round_.command("worker", "--once")
    connector = WebConnector(QwcFile.read(qwc, allow_plain_http=True), PASSWORD, PosCompanyFile.create(None))
    connector.run_once()
    with SoapClient(service.url + "/qbwc") as client:
        _post(round_, service, numbered(recorded_order("plain"), 503))
        ticket = client.authenticate("connector", PASSWORD)[0]
        round_.tickets.add(ticket)
        client.send_request_xml(ticket, "", "", "US", 3, 0)
        client.receive_response_xml(ticket, "<rubbish", "", "")
        client.receive_response_xml(ticket, "", "0x80040400", "QuickBooks failed")
        client.connection_error(ticket, "0x80040408", "no company")
        round_.said.append((client.get_last_error(ticket) or "").encode())
        client.close_connection(ticket)
        client.authenticate("connector", WRONG)


def _fail(round_: Round, service: Service, database: Database) -> None:
    """Everything that can go wrong with a secret in its hands."""
    call = write_envelope("authenticate", (("strUserName", "connector"), ("strPassword", PASSWORD)))
    soap = {"Content-Type": "text/xml; charset=utf-8"}
    for body in (
        call[:-20],
        call.replace(b"strPassword>", b"strPasswort>"),
        call.replace(b"authenticate", b"authenticat3"),
        call.replace(b"<soap:Body>", b"<!DOCTYPE a><soap:Body>"),
        b"\xff" + call,
        PASSWORD.encode() * 3,
    ):
        round_.http("POST", service.url + "/qbwc", data=body, headers=soap)
    for headers in ({"X-WC-Webhook-Signature": "x"}, {}):
        round_.http("POST", f"{service.url}/webhooks/woocommerce/shop", data=b"{}", headers=headers)
    round_.command("store", "check", "shop", QBWOO_ALLOW_PRIVATE_STORES="false")
    for name, value in (
        ("QBWOO_SECRET_KEY", CONSUMER_SECRET),
        ("QBWOO_DATABASE_URL", f"postgresql://u:{DATABASE_PASSWORD}@127.0.0.1:1/x"),
        ("QBWOO_DATABASE_URL", f"mysql://u:{DATABASE_PASSWORD}@127.0.0.1:1/x"),
    ):
        for words in (("check",), ("company", "list"), ("db", "upgrade")):
            round_.run(*words, code=1, **{name: value})
    # A fault of ours in the middle of a call: the log has its traceback, outside there is a number.
    with database.write() as db:
        db.execute(text("ALTER TABLE login_attempts RENAME TO gone"))
        db.execute(text("ALTER TABLE operator_tasks RENAME TO gone_too"))
    answer = round_.http("POST", service.url + "/qbwc", data=call, headers=soap)
    assert answer.status_code == 500
    round_.http("GET", service.url + "/")
    round_.http("GET", service.url + "/metrics")
    with database.write() as db:
        db.execute(text("ALTER TABLE gone RENAME TO login_attempts"))
        db.execute(text("ALTER TABLE gone_too RENAME TO operator_tasks"))
    database.close()


def _show(round_: Round, service: Service) -> None:
    """Every command that shows something."""
    for path in (
        "/",
        "/metrics",
        "/readyz",
        "/qbwc",
        "/qbwc?wsdl",
        "/qbwc/support",
        "/webhooks/woocommerce/shop",
    ):
        round_.http("GET", service.url + path)
    ids = {
        noun: [one["id"] for one in round_.run(noun, "list", "--json").data]
        for noun in ("activity", "session")
    }
    assert ids["activity"]
    assert ids["session"]
    for words in (
        *(
            ("check",),
            ("db", "check"),
            ("company", "list"),
            ("store", "list"),
            ("task", "list"),
            ("mapping", "list"),
        ),
        *(
            ("company", "show", "Main"),
            ("store", "show", "shop"),
            ("company", "set", "Main"),
            ("store", "set", "shop"),
        ),
        *((noun, "list") for noun in ids),
        *((noun, "show", one) for noun, found in ids.items() for one in found),
        ("push", "orders", "--store", "shop", "--ids", "1", "--dry-run"),
    ):
        round_.command(*words)
        round_.command(*words, "--json")


def test_no_secret_is_written_or_said_anywhere(full_round: Round) -> None:
    secrets = {
        "the Web Connector's password": PASSWORD,
        "a wrong password": WRONG,
        "the consumer secret": CONSUMER_SECRET,
        "the webhook secret": WEBHOOK_SECRET,
        "the database's password": DATABASE_PASSWORD,
        "the key": SECRET_KEY,
    }
    secrets |= {f"ticket {number}": ticket for number, ticket in enumerate(full_round.tickets)}
    everything = {f"output {number}": said for number, said in enumerate(full_round.said)}
    for path in full_round.folder.rglob("*"):
        if path.is_file() and path.name not in ("pw", "cs", "ws"):
            everything[path.name] = path.read_bytes()
    assert len(everything) > 80
    assert any(b"failed in session" in said for said in everything.values())
    found = [
        f"{what} in {where}: {content[max(0, content.find(form) - 80) : content.find(form) + 20]!r}"
        for what, secret in secrets.items()
        for form in forms(secret)
        for where, content in everything.items()
        if form in content
    ]
    assert not found, "\n".join(found)

    # And nobody else reads the files.
    for path in full_round.data_dir.rglob("*"):
        if path.name == "qbwoo.db":
            # Copied into the folder by the tests.
            continue
        assert path.stat().st_mode & 0o077 == 0, path
