"""Good and bad services, and a company file, for the played Web Connector to meet."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from lxml import etree

from ops_sandbox.request_processor import RequestProcessorError
from ops_sandbox.web_connector import QwcFile, WebConnector

TNS = "http://developer.intuit.com/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass
class Answer:
    """Bytes on the wire; `headers` beyond Content-Length."""

    body: bytes | str
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml; charset=utf-8"})
    framing: str = "length"  # or "chunked", "close", "cut" (shorter than announced)

    def written(self) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = dict(self.headers)
        if self.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
            body = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            body += b"0\r\nTrailer: x\r\n\r\n"
        elif self.framing == "length":
            headers["Content-Length"] = str(len(body))
        elif self.framing == "cut":
            headers["Content-Length"] = str(len(body) + 10)
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join((*lines, "", "")).encode() + body


@dataclass(frozen=True)
class Heard:
    """A request as the service got it."""

    connection: int
    client: str
    line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def call(self) -> etree._Element:
        # What a strict parser would refuse has a test of its own.
        root = etree.fromstring(self.body, etree.XMLParser(recover=True))
        return root[0][0]

    @property
    def method(self) -> str:
        return etree.QName(self.call).localname

    @property
    def parameters(self) -> dict[str, str]:
        return {etree.QName(child).localname: child.text or "" for child in self.call}


def envelope(inner: str, declaration: str = '<?xml version="1.0" encoding="utf-8"?>') -> str:
    return f'{declaration}<s:Envelope xmlns:s="{SOAP}"><s:Body>{inner}</s:Body></s:Envelope>'


def result(method: str, value: str | int | list[str]) -> str:
    """A right answer, as Intuit's own service words it."""
    if isinstance(value, list):
        inner = "".join(f"<string>{escape(item)}</string>" for item in value)
    else:
        inner = escape(str(value))
    return envelope(
        f'<{method}Response xmlns="{TNS}"><{method}Result>{inner}</{method}Result></{method}Response>'
    )


def fault(text: str) -> str:
    return envelope(
        f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>"
    )


class Service:
    """A tiny HTTP server. `on` scripts it: method to value, `Answer`, or a list of these.

    A list is used up item by item; its last item stays. GETs look for their path.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.on: dict[str, Any] = {
            "serverVersion": "1.0",
            "clientVersion": "",
            "authenticate": ["{A1}", ""],
            "sendRequestXML": ["<QBXML/>"],
            "receiveResponseXML": [100],
            "getLastError": "No error",
            "closeConnection": "OK",
            "connectionError": "done",
        }
        self.heard: list[Heard] = []
        self.expect = "continue"  # or "silent", or a status line to refuse with
        self.close_each = False
        self.connections = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                service.connections += 1
                self.number = service.connections

            def handle_expect_100(self) -> bool:
                if service.expect == "continue":
                    return super().handle_expect_100()
                if service.expect == "silent":
                    return True
                self.wfile.write(f"HTTP/1.1 {service.expect}\r\nContent-Length: 0\r\n\r\n".encode())
                self.close_connection = True
                return False

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard = self.hear(body)
                self.answer(service.next_answer(heard.method))

            def do_GET(self) -> None:
                self.hear(b"")
                self.answer(service.next_answer(self.path))

            def hear(self, body: bytes) -> Heard:
                items = self.headers.items()
                heard = Heard(self.number, self.client_address[0], self.requestline, items, body)
                service.heard.append(heard)
                return heard

            def answer(self, answer: Answer | None) -> None:
                if answer is None:
                    self.close_connection = True
                    return
                self.wfile.write(answer.written())
                if service.close_each or answer.framing in ("close", "cut"):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        scheme, host = "http", "127.0.0.1"
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            scheme, host = "https", "localhost"
        self.base = f"{scheme}://{host}:{self.server.server_address[1]}"
        self.url = f"{self.base}/qbwc"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def next_answer(self, name: str) -> Answer | None:
        script = self.on.get(name, Answer("", "404 Not Found"))
        one_value = name == "authenticate" and isinstance(script, list) and isinstance(script[0], str)
        if isinstance(script, list) and not one_value:
            script = script.pop(0) if len(script) > 1 else script[0]
        if script is None or isinstance(script, Answer):
            return script
        return Answer(result(name, script))

    @property
    def methods(self) -> list[str]:
        return [heard.method for heard in self.heard]

    def received(self, method: str) -> list[dict[str, str]]:
        return [heard.parameters for heard in self.heard if heard.method == method]


@dataclass
class CompanyFile:
    """QuickBooks on this machine: answers each set with its number, or fails as told."""

    #: For each attempt to open: an error, or None; used up, then it opens.
    openings: list[RequestProcessorError | None] = field(default_factory=list)
    #: For each set: an error, or None; used up, then it answers.
    failures: list[RequestProcessorError | None] = field(default_factory=list)
    asked_for: list[str] = field(default_factory=list)
    processed: list[str] = field(default_factory=list)
    open_sessions: int = 0

    def begin_session(self, company_file: str) -> CompanySession:
        self.asked_for.append(company_file)
        error = self.openings.pop(0) if self.openings else None
        if error is not None:
            raise error
        self.open_sessions += 1
        return CompanySession(self)


class CompanySession:
    hcp_response = "<QBXML><QBXMLMsgsRs><HostQueryRs/></QBXMLMsgsRs></QBXML>"
    company_file_name = "C:\\Books\\Leaf & Co.QBW"
    country = "US"
    major_version = 13
    minor_version = 0

    def __init__(self, company: CompanyFile) -> None:
        self.company = company
        self.ended = False

    def process(self, request: str) -> str:
        company = self.company
        error = company.failures.pop(0) if company.failures else None
        if error is not None:
            raise error
        company.processed.append(request)
        number = len(company.processed)
        return f'<?xml version="1.0" ?>\n<QBXML><QBXMLMsgsRs><Name>set {number}</Name></QBXMLMsgsRs></QBXML>'

    def end(self) -> None:
        if not self.ended:
            self.company.open_sessions -= 1
        self.ended = True


class Clock:
    """UTC that stands still until told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def qwc_text(url: str, support: str, **changes: str | None) -> str:
    elements: dict[str, str | None] = {
        "AppName": "Shop Sync",
        "AppID": "",
        "AppURL": url,
        "AppDescription": "Web shop to QuickBooks",
        "AppSupport": support,
        "UserName": "store-1",
        "OwnerID": "{5E7B1C3A-6C1D-4F6B-9D52-0B8C2C7E4A11}",
        "FileID": "{0D0F5C86-21B4-4B1E-8A5C-9F3E7A6D2B43}",
        "QBType": "QBFS",
    }
    elements |= changes
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in elements.items() if text is not None)
    return f'<?xml version="1.0"?>\n<QBWCXML>{inner}</QBWCXML>'


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.stop()


@pytest.fixture
def company() -> CompanyFile:
    return CompanyFile()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_connector(
    service: Service, company: CompanyFile, clock: Clock, tmp_path: Path
) -> Callable[..., WebConnector]:
    def make(*, scheduler: str | None = None, **options: Any) -> WebConnector:
        path = tmp_path / "shop.qwc"
        path.write_text(qwc_text(service.url, service.base + "/support", Scheduler=scheduler))
        qwc = QwcFile.read(path, allow_plain_http=True)
        return WebConnector(qwc, "secret", company, clock=clock, sleep=clock.sleep, **options)

    return make


@pytest.fixture
def connector(make_connector: Callable[..., WebConnector]) -> WebConnector:
    return make_connector()


@pytest.fixture
def say() -> Any:
    """The vocabulary of answers, for tests that write their own."""

    class Say:
        answer = Answer
        envelope = staticmethod(envelope)
        result = staticmethod(result)
        fault = staticmethod(fault)
        qwc = staticmethod(qwc_text)
        service = Service
        tns = TNS

    return Say
