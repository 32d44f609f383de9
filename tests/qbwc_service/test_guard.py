"""Whatever comes to the service's URL gets a short, well-formed answer, over real HTTP."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from lxml import etree

from qbwc_service.guard import Guard
from qbwc_service.soap import make_soap_app
from qbwc_service.wsdl import service_wsdl
from tests.serving import serving

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TNS = "http://developer.intuit.com/"
PASSWORD = "correct-horse-battery"
MB = 1024 * 1024

LOGIN = (
    f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body><authenticate xmlns="{TNS}">'
    f"<strUserName>u</strUserName><strPassword>{PASSWORD}</strPassword>"
    "</authenticate></soap:Body></soap:Envelope>"
)


class Quiet:
    """A conversation that keeps the last response it received."""

    response = ""

    def authenticate(self, username: str, password: str, address: str) -> list[str]:
        return [username, "" if password == PASSWORD else "nvu"]

    def receive_response_xml(self, ticket: str, response: str, hresult: str, message: str) -> int:
        self.response = response
        return 50

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *values: name


@pytest.fixture
def conversation() -> Quiet:
    return Quiet()


@pytest.fixture
def port(conversation: Quiet) -> Iterator[int]:
    with serving(Guard(make_soap_app(conversation), wsdl=service_wsdl)) as port:
        yield port


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.body = answer.read()

    @property
    def fault(self) -> tuple[str, str]:
        """Fault code without its prefix, and sentence, of an answer that is a fault in every respect."""
        assert self.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert self.body.startswith(b"<?xml")
        assert "Set-Cookie" not in self.headers
        assert "Content-Encoding" not in self.headers
        assert int(self.headers["Content-Length"]) == len(self.body)
        assert b"Traceback" not in self.body
        fault = etree.fromstring(self.body).find(f"{{{SOAP}}}Body/{{{SOAP}}}Fault")
        assert fault is not None
        return fault.findtext("faultcode").partition(":")[2], fault.findtext("faultstring")


@pytest.fixture
def ask(port: int) -> Callable[..., Answer]:
    def ask(method: str, body: object = None, path: str = "/qbwc", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    return ask


@pytest.fixture
def post(ask: Callable[..., Answer]) -> Callable[..., Answer]:
    def post(body: object, content_type: str = "text/xml; charset=utf-8", **headers: str) -> Answer:
        return ask("POST", body, Content_Type=content_type, SOAPAction='"x"', **headers)

    return post


def with_text(text: str) -> str:
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}"><soap:Body><receiveResponseXML xmlns="{TNS}"><ticket>t</ticket>'
        f"<response>{text}</response></receiveResponseXML></soap:Body></soap:Envelope>"
    )


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]>"
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'

BAD = {
    "no body": (b"", "no body"),
    "blanks": (b" \r\n ", "no body"),
    "not XML": (b"user=u&password=" + PASSWORD.encode(), "not well-formed"),
    "broken off": (LOGIN[:-40].encode(), "not well-formed"),
    "tags that do not match": (LOGIN.replace("</strUserName>", "</strPassword>").encode(), "not well-formed"),
    "a tag without end": (LOGIN.replace("</soap:Body></soap:Envelope>", "<x ").encode(), "not well-formed"),
    "a quote without end": (LOGIN.replace("<strUserName>", "<strUserName a='>").encode(), "not well-formed"),
    "unknown entity": (LOGIN.replace(">u<", ">&nbsp;<").encode(), "not well-formed"),
    "bare ampersand": (LOGIN.replace(">u<", ">a & b<").encode(), "not well-formed"),
    "unbound prefix": (LOGIN.replace("<strUserName>u</strUserName>", "<q:x/>").encode(), "not well-formed"),
    "no envelope": (f"<authenticate xmlns='{TNS}'/>".encode(), "no SOAP 1.1 envelope"),
    "another envelope": (LOGIN.replace(SOAP, "http://example/").encode(), "no SOAP 1.1 envelope"),
    "no soap:Body": (f'<s:Envelope xmlns:s="{SOAP}"/>'.encode(), "soap:Body must hold one call"),
    "empty soap:Body": (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>'.encode(),
        "soap:Body must hold one call",
    ),
    "two calls": (LOGIN.replace("</soap:Body>", "<x/></soap:Body>").encode(), "holds 2"),
    "a fault": (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault/></s:Body></s:Envelope>'.encode(),
        "must stand in the namespace",
    ),
    "namespace without slash": (LOGIN.replace(TNS, TNS[:-1]).encode(), "trailing slash"),
    "no namespace": (LOGIN.replace(f' xmlns="{TNS}"', "").encode(), "trailing slash"),
    "unknown method": (LOGIN.replace("authenticate", "login").encode(), "no method of this name"),
    "DOCTYPE": (b"<!DOCTYPE x>" + LOGIN.encode(), "DOCTYPE"),
    "DOCTYPE after a declaration": (b"<?xml version='1.0'?>\n<!DOCTYPE x>" + LOGIN.encode(), "DOCTYPE"),
    "DOCTYPE after a comment": (b"<!-- <x> --><!DOCTYPE x>" + LOGIN.encode(), "DOCTYPE"),
    "DOCTYPE in UTF-16": (("<!DOCTYPE x>" + LOGIN).encode("utf-16"), "DOCTYPE"),
    "DOCTYPE in UTF-16 without mark": (("<!DOCTYPE x>" + LOGIN).encode("utf-16-be"), "DOCTYPE"),
    "bomb": ((BOMB + LOGIN.replace(">u<", ">&i;<")).encode(), "DOCTYPE"),
    "external entity": ((EXTERNAL + LOGIN.replace(">u<", ">&e;<")).encode(), "DOCTYPE"),
    "an instruction without end": (b"<?xml version='1.0'" + LOGIN.encode(), "not well-formed"),
    "3,000 levels": (with_text("<a>" * 3000 + "</a>" * 3000).encode(), "deeper"),
    "a million elements": (with_text("<a/>" * 1_000_000).encode(), "more elements"),
    "a million attributes": (
        with_text("<a " + "".join(f"b{n}='>' " for n in range(100_000)) + "/>").encode(),
        "not well-formed",
    ),
    "endless declarations": (
        with_text("".join(f"<a xmlns:b{n}='u{n}'/>" for n in range(20_000))).encode(),
        "more elements",
    ),
    "Latin-1 instead of UTF-8": (LOGIN.replace(">u<", ">ü<").encode("latin-1"), "not UTF-8"),
    "half a character": (LOGIN.replace(">u<", ">ü<").encode().replace(b"\xbc", b""), "not UTF-8"),
    "half a UTF-16 unit": (LOGIN.encode("utf-16") + b"\x00", "not UTF-16"),
    "surrogates in UTF-8": (LOGIN.encode().replace(b">u<", b">\xed\xa0\x80<"), "not UTF-8"),
}


@pytest.mark.parametrize(("body", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_body_that_is_no_call_is_a_client_fault(post, caplog, body, sentence):
    with caplog.at_level(logging.DEBUG):
        started = time.monotonic()
        answer = post(body)
        seconds = time.monotonic() - started
    code, said = answer.fault
    assert answer.status == 500
    assert code in ("Client", "VersionMismatch")
    assert sentence in said
    assert seconds < 5
    assert PASSWORD not in said
    assert PASSWORD not in caplog.text
    assert "Traceback" not in caplog.text
    assert "root:" not in answer.body.decode()
    assert [record.levelname for record in caplog.records if record.name == "qbwc_service.guard"] == [
        "WARNING"
    ]


@pytest.mark.parametrize(
    ("content_type", "encoding", "declaration"),
    [
        ("text/xml; charset=utf-8", "utf-8", ""),
        ('text/xml; charset="UTF-8"', "utf-8", '<?xml version="1.0" encoding="windows-1252"?>'),
        ("text/xml; charset=utf-8", "utf-8-sig", '<?xml version="1.0" encoding="utf-8"?>'),
        ("text/xml", "utf-8", ""),
        ("text/xml", "windows-1252", '<?xml version="1.0" encoding="Windows-1252"?>'),
        ("text/xml; charset=iso-8859-1", "iso-8859-1", '<?xml version="1.0" encoding="utf-8"?>'),
        ("text/xml; charset=utf-16", "utf-16", '<?xml version="1.0" encoding="utf-16"?>'),
        ("text/xml", "utf-16-le", '<?xml version="1.0" encoding="utf-16"?>'),
        ("text/xml; charset=utf-16", "utf-16-be", ""),
        ("application/octet-stream", "utf-8", ""),
        ("", "utf-8", "  \r\n"),
    ],
)
def test_the_mark_then_the_header_then_the_declaration_tell_the_charset(
    post, conversation, content_type, encoding, declaration
):
    assert post((declaration + with_text("Jürgen")).encode(encoding), content_type).status == 200
    assert conversation.response == "Jürgen"


@pytest.mark.parametrize("charset", ["klingon", "utf-7", "base64", "idna", "utf-16", "utf-32", '"', "\\"])
def test_a_charset_that_is_not_known_or_not_true_is_a_client_fault(post, charset):
    answer = post(LOGIN.encode(), f"text/xml; charset={charset}")
    if charset == '"':  # a lone quote names nothing, so it is not a claim
        assert answer.status in (200, 500)
        return
    assert answer.status == 500
    assert "Send UTF-8" in answer.fault[1]


def test_control_characters_are_cleaned_before_the_parser(post, conversation):
    for dirty in (
        "a\x00b\x0bc",
        "a&#0;b&#xB;c",
        "a&#x1f;b&#XD800;c",
        "a&#xFFFE;b\ufffec",
        "a&#99999999;b&#x;c",
    ):
        answer = post(with_text(dirty).encode())
        if "&#x;" in dirty:  # no reference at all: not ours to mend
            assert answer.status == 500
            continue
        assert answer.status == 200
        assert conversation.response == "abc"


def test_what_is_allowed_is_not_cleaned(post, conversation):
    post(with_text("a&#xD;&#10;b&#x9;&#233;&#x1F600;&amp;#x1;").encode())
    assert conversation.response == "a\r\nb\té\N{GRINNING FACE}&#x1;"


def test_a_doctype_in_the_text_is_text(post, conversation):
    for form in ("&lt;!DOCTYPE x>", "<![CDATA[<!DOCTYPE x>]]>"):
        assert post(with_text(form).encode()).status == 200
        assert conversation.response == "<!DOCTYPE x>"


def test_the_body_decides_and_not_the_soapaction(ask):
    for action in (f'"{TNS}closeConnection"', "", "\"x'"):
        answer = ask("POST", LOGIN, Content_Type="text/xml; charset=utf-8", SOAPAction=action)
        assert answer.status == 200
        assert b"authenticateResult" in answer.body


def test_answers_carry_no_cookie_and_are_never_compressed(ask):
    answer = ask("POST", LOGIN, Content_Type="text/xml", Accept_Encoding="gzip", Cookie="a=b; c")
    assert answer.status == 200
    assert set(answer.headers.keys()) == {"Content-Length", "Content-Type", "Date", "Server"}
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.body.startswith(b"<?xml")


def test_a_compressed_request_is_refused(post):
    assert "compressed" in post(LOGIN.encode(), Content_Encoding="gzip").fault[1]


def test_get_and_head_say_hello_without_login_or_redirect(ask):
    get, head = ask("GET"), ask("HEAD")
    assert (get.status, head.status) == (200, 200)
    assert b"Web Connector" in get.body
    assert head.body == b""
    assert head.headers["Content-Length"] == str(len(get.body))
    assert "Location" not in get.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_learn_which_are_allowed(ask, method):
    answer = ask(method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("query", ["?wsdl", "?WSDL", "?Wsdl=", "?a=b&wsdl"])
def test_the_wsdl_is_served_with_the_requests_own_host_and_never_anothers(ask, query):
    for host in ("shop.example", "other.example:8443", "[::1]:8000", "shop.example"):
        answer = ask("GET", path="/qbwc" + query, Host=host)
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert set(etree.fromstring(answer.body).xpath("//@location")) == {f"http://{host}/qbwc"}
    assert ask("HEAD", path="/qbwc" + query).headers["Content-Type"] == "text/xml; charset=utf-8"


def test_a_host_that_is_none_is_not_repeated(ask, port):
    answer = ask("GET", path="/qbwc?wsdl", Host='x"><script>')
    assert answer.status == 200
    assert b"<script" not in answer.body
    assert b"&lt;script" not in answer.body
    (location,) = set(etree.fromstring(answer.body).xpath("//@location"))
    assert location.endswith(f":{port}/qbwc")


def test_the_wsdl_has_the_public_url_where_one_is_set(conversation):
    guard = Guard(make_soap_app(conversation), wsdl=service_wsdl, public_url="https://shop.example/qbwc")
    with serving(guard) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/qbwc?wsdl", headers={"Host": "other.example"})
        answer = Answer(connection.getresponse())
        connection.close()
    assert set(etree.fromstring(answer.body).xpath("//@location")) == {"https://shop.example/qbwc"}


def test_a_chunked_body_is_read(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    pieces = [LOGIN[:100].encode(), LOGIN[100:].encode()]
    connection.request("POST", "/qbwc", iter(pieces), {"Content-Type": "text/xml"}, encode_chunked=True)
    answer = Answer(connection.getresponse())
    connection.close()
    assert (answer.status, b"<tns:string>u</tns:string>" in answer.body) == (200, True)


def test_a_client_that_expects_100_continue_is_told_to_go_on(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(
            b"POST /qbwc HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n"
            b"Expect: 100-continue\r\nConnection: keep-alive\r\n"
            + f"Content-Length: {len(LOGIN)}\r\n\r\n".encode()
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(LOGIN.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_many_calls_go_over_one_connection(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for body, status in ((LOGIN, 200), ("<x", 500), ("", 500), (LOGIN, 200)):
        connection.request("POST", "/qbwc", body, {"Content-Type": "text/xml"})
        sock = connection.sock
        assert Answer(connection.getresponse()).status == status
        assert connection.sock is sock
    connection.close()


class Stream:
    """A body of `size` bytes that counts what is read of it."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.was_read = 0

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.left) if size >= 0 else self.left
        self.left -= size
        self.was_read += size
        return b" " * size


def called(environ: dict[str, object], *, max_body: int = MB) -> tuple[str, dict[str, str], bytes]:
    """One call of a guard below any server, for what servers themselves keep away."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    guard = Guard(make_soap_app(Quiet()), wsdl=service_wsdl, max_body=max_body)
    basis = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "text/xml", "PATH_INFO": "/qbwc"}
    body = guard({**basis, **environ}, lambda status, headers, _=None: started.append((status, headers)))
    ((status, headers),) = started
    return status, dict(headers), b"".join(body)


def test_a_body_that_is_told_too_long_is_refused_unread():
    for told in (str(MB + 1), "9" * 30, "9" * 5000):
        stream = Stream(2 * MB)
        status, headers, body = called({"CONTENT_LENGTH": told, "wsgi.input": stream})
        assert status == "413 Request Entity Too Large"
        assert headers["Content-Type"] == "text/xml; charset=utf-8"
        assert b"longer than 1 MB" in body
        assert stream.was_read == 0


def test_a_body_of_untold_length_is_read_no_further_than_allowed():
    for how in ({"wsgi.input_terminated": True}, {"HTTP_TRANSFER_ENCODING": "chunked"}):
        stream = Stream(100 * MB)
        status, _, _ = called({"wsgi.input": stream, **how})
        assert status == "413 Request Entity Too Large"
        assert stream.was_read == MB + 1


def test_a_body_of_untold_length_is_not_waited_for():
    stream = Stream(10)
    status, _, body = called({"wsgi.input": stream})
    assert (status[:3], b"no body" in body, stream.was_read) == ("500", True, 0)


def test_a_body_that_broke_off_is_told():
    _, _, body = called({"CONTENT_LENGTH": "100", "wsgi.input": Stream(40)})
    assert b"40 of 100 bytes" in body
    _, _, body = called({"CONTENT_LENGTH": "-1", "wsgi.input": Stream(40)})
    assert b"not a number" in body


def test_whatever_escapes_from_behind_is_a_fault_and_its_place_is_logged(caplog):
    def broken(environ, start_response):
        raise LookupError(f"in {environ['wsgi.input'].read()!r}")

    def without_answer(environ, start_response):
        start_response("200 OK", [])
        return []

    for app, place in ((broken, "in broken"), (without_answer, "in _run")):
        caplog.clear()
        with serving(Guard(app, wsdl=service_wsdl)) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/qbwc", LOGIN, {"Content-Type": "text/xml"})
            answer = Answer(connection.getresponse())
            connection.close()
        code, sentence = answer.fault
        assert (answer.status, code) == (500, "Server")
        assert sentence.startswith("The service could not answer this call. Try again;")
        assert sentence.rstrip(".").rpartition(" ")[2] in caplog.text
        assert place in caplog.text
        assert PASSWORD not in caplog.text


BIG_SERVER = """
from pathlib import Path
import waitress.server
from qbwc_service.guard import Guard
from qbwc_service.soap import make_soap_app
from qbwc_service.wsdl import service_wsdl

class Measuring:
    def server_version(self):
        # Not getrusage: its peak begins with that of the process which started this one.
        status = Path("/proc/self/status").read_text()
        return str(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
    def receive_response_xml(self, ticket, response, hresult, message):
        return 42 if len(response) == 60 * 1024 * 1024 else -1
    def __getattr__(self, name):
        return lambda *values: ""

app = Guard(make_soap_app(Measuring()), wsdl=service_wsdl)
server = waitress.server.create_server(app, host="127.0.0.1", port=0, threads=4)
print(server.effective_port, flush=True)
server.run()
"""


@pytest.fixture
def big_server() -> Iterator[int]:
    """A service in a process of its own, whose serverVersion is its peak memory in MB."""
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", BIG_SERVER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def peak_mb(connection: http.client.HTTPConnection) -> int:
    call = f'<s:Envelope xmlns:s="{SOAP}"><s:Body><serverVersion xmlns="{TNS}"/></s:Body></s:Envelope>'
    connection.request("POST", "/qbwc", call, {"Content-Type": "text/xml"})
    return int(
        etree.fromstring(Answer(connection.getresponse()).body).findtext(f".//{{{TNS}}}serverVersionResult")
    )


@pytest.fixture
def big_connection(big_server: int) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", big_server, timeout=120)) as connection:
        yield connection


def test_60_mb_pass_and_65_do_not_and_memory_stays_bounded(big_connection):
    before = peak_mb(big_connection)

    big_connection.request("POST", "/qbwc", with_text("y" * 65 * MB), {"Content-Type": "text/xml"})
    answer = Answer(big_connection.getresponse())
    assert answer.status == 413
    assert "longer than 64 MB" in answer.fault[1]
    refused = peak_mb(big_connection)

    body = with_text("é" + "y" * (60 * MB - 1)).encode()
    big_connection.request("POST", "/qbwc", body, {"Content-Type": "text/xml"})
    answer = Answer(big_connection.getresponse())
    assert answer.status == 200
    assert b">42<" in answer.body
    passed = peak_mb(big_connection)

    assert refused - before < 20
    # The body, the parser's text while it grows, and Python's string of it.
    assert passed - before < 60 * 5


def test_large_answers_take_turns_so_that_many_cost_the_memory_of_one(big_server, big_connection):
    before = peak_mb(big_connection)
    body = with_text("y" * 30 * MB).encode()

    def post(_number: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", big_server, timeout=120)) as connection:
            connection.request("POST", "/qbwc", body, {"Content-Type": "text/xml"})
            return connection.getresponse().status

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(post, range(8))) == {200}
    assert peak_mb(big_connection) - before < 30 * 7


def test_pages_of_a_reading_cost_the_memory_of_one_whichever_thread_gets_them(big_server, big_connection):
    body = with_text("y" * (MB - 64 * 1024)).encode()

    def post(_number: int) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", big_server, timeout=120)) as connection:
            connection.request("POST", "/qbwc", body, {"Content-Type": "text/xml"})
            return connection.getresponse().status

    assert post(0) == 200
    after_one = peak_mb(big_connection)
    # One after the other, as the Web Connector sends them: the server's threads get them by turns.
    assert {post(number) for number in range(16)} == {200}
    assert peak_mb(big_connection) - after_one < 3


def test_only_an_answer_of_quickbooks_may_be_long(big_connection):
    before = peak_mb(big_connection)
    for long in (LOGIN.replace(">u<", f">{'u' * 60 * MB}<"), LOGIN.replace(PASSWORD, "p" * 60 * MB)):
        big_connection.request("POST", "/qbwc", long, {"Content-Type": "text/xml"})
        answer = Answer(big_connection.getresponse())
        assert answer.status == 413
        assert "Only an answer of QuickBooks" in answer.fault[1]
    assert peak_mb(big_connection) - before < 60 * 2


def test_markup_costs_no_memory(big_connection):
    before = peak_mb(big_connection)
    for inside in (
        "<a/>" * (5 * MB),
        "<a>" * (5 * MB),
        "<a " + "b='' " * (4 * MB) + "/>",
        "<a>&#1;</a>" * MB,
    ):
        big_connection.request("POST", "/qbwc", with_text(inside), {"Content-Type": "text/xml"})
        assert Answer(big_connection.getresponse()).status == 500
    after = peak_mb(big_connection)
    # The body alone has up to 20 MB here.
    assert after - before < 60
