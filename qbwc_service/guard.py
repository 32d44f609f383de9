"""The gate in front of the SOAP service: whatever comes, a short and well-formed answer goes back.

Answers GET, HEAD and `?wsdl` itself, bounds and cleans what is posted, and
turns everything that escapes from behind it into a SOAP fault. Nothing of a
request's body is ever logged, since passwords are in there.
"""

from __future__ import annotations

import gc
import logging
import re
import secrets
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lxml import etree

from .envelope import SOAP_11, SOAP_12, EnvelopeRefused, checked_envelope, fault, server_error_sentence
from .spyne_compat import parse_header

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024 * 1024
#: Only an answer of QuickBooks is longer; everything else is a few words.
_LONG = 1024 * 1024
#: What is longer is read by one thread. Pages of items are, answers to a set of documents are not.
_READ_IN_TURN = 256 * 1024
_LONG_CALL = b"receiveResponseXML"
CONTENT_TYPE = "text/xml; charset=utf-8"
_CONTENT_TYPE_12 = "application/soap+xml; charset=utf-8"

_OK = "200 OK"
_FAILED = "500 Internal Server Error"
_CHUNK = 256 * 1024
#: A host as a browser or the Web Connector sends it; anything else is not repeated in an answer.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_HELLO = (
    b"This address is for the QuickBooks Web Connector, which posts SOAP to it. "
    b"It is up and reachable; there is nothing more to see here.\n"
)


class Guard:
    """WSGI middleware around the application of `make_soap_app`, for the service's own URL.

    `wsdl` gives the description as bytes for the URL that it is told.
    `public_url` is the service's URL as clients reach it; without it, each
    request is told its own host's. `max_body` is in bytes.
    """

    def __init__(
        self,
        soap_app: WSGIApplication,
        *,
        wsdl: Callable[[str], bytes],
        public_url: str | None = None,
        max_body: int = MAX_BODY_BYTES,
    ) -> None:
        self._soap_app = soap_app
        self._wsdl = wsdl
        self._public_url = public_url
        self._max_body = max_body
        # Whoever calls is not known yet, and a long body costs a multiple of its length while it is
        # read. So one thread reads all of them, in turn: the memory that it has used it uses again, while
        # each thread that ever read one would keep as much for its next.
        self._reader = ThreadPoolExecutor(1, "qbwoo-long-bodies")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD", "")
        headers: list[tuple[str, str]] = []
        try:
            status, content_type, body = self._answer(method, environ, headers)
        except Exception as problem:  # noqa: BLE001  # the outermost edge
            status, content_type, body = _FAILED, CONTENT_TYPE, _unexpected(problem, environ)
        headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [] if method == "HEAD" else [body]

    def _answer(
        self, method: str, environ: WSGIEnvironment, headers: list[tuple[str, str]]
    ) -> tuple[str, str, bytes]:
        if method == "POST":
            return self._answer_call(environ)
        if method in ("GET", "HEAD"):
            # What depends on the Host header must not be kept by a cache.
            headers.append(("Cache-Control", "no-store"))
            if _asks_for_wsdl(environ):
                return _OK, CONTENT_TYPE, self._wsdl(self._public_url or _own_url(environ))
            return _OK, "text/plain; charset=utf-8", _HELLO
        headers.append(("Allow", "GET, HEAD, POST"))
        return "405 Method Not Allowed", "text/plain; charset=utf-8", b"Only GET, HEAD and POST.\n"

    def _answer_call(self, environ: WSGIEnvironment) -> tuple[str, str, bytes]:
        if _is_short(environ):
            return self._answer_body(environ)
        return self._reader.submit(self._answer_long_body, environ).result()

    def _answer_long_body(self, environ: WSGIEnvironment) -> tuple[str, str, bytes]:
        try:
            return self._answer_body(environ)
        finally:
            environ["wsgi.input"] = BytesIO()
            # Spyne's objects refer to each other and to the body; the collector counts objects, not bytes,
            # and would leave them for long.
            gc.collect()

    def _answer_body(self, environ: WSGIEnvironment) -> tuple[str, str, bytes]:
        is_soap_12 = False
        try:
            body = self._read(environ)
            _, options = parse_header(environ.get("CONTENT_TYPE") or "")
            body = checked_envelope(body, options.get("charset"))
            head = body[:1000]
            if len(body) > _LONG and _LONG_CALL not in head:
                raise EnvelopeRefused(
                    f"Only an answer of QuickBooks may be longer than {_LONG // 1024} KB.",
                    http_status="413 Request Entity Too Large",
                )
            is_soap_12 = SOAP_12.encode() in head and SOAP_11.encode() not in head
            # From here on the body decides; its old length and charset are no longer true.
            environ["CONTENT_TYPE"] = CONTENT_TYPE
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            # SOAPAction may contradict the body, which alone decides.
            environ.pop("HTTP_SOAPACTION", None)
            environ["wsgi.input"] = BytesIO(body)
            del body
            status, answer = _run(self._soap_app, environ)
        except EnvelopeRefused as refused:
            logger.warning("refused a call from %s: %s", environ.get("REMOTE_ADDR", "-"), refused.sentence)
            status = refused.http_status
            answer = fault(refused.sentence, code=refused.code, soap_12=is_soap_12)
        else:
            if is_soap_12:
                answer = _as_soap_12(status, answer)
        return status, _CONTENT_TYPE_12 if is_soap_12 else CONTENT_TYPE, answer

    def _read(self, environ: WSGIEnvironment) -> bytes:
        """The whole body, never more than allowed, refused before it is read where its length is told."""
        if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
            raise EnvelopeRefused("The request is compressed, which no Web Connector does. Send it as it is.")
        told = environ.get("CONTENT_LENGTH") or ""
        if told:
            if not (told.isascii() and told.isdigit()):
                raise EnvelopeRefused("The request's Content-Length is not a number.")
            # Counted first: int() refuses numbers of some thousand digits.
            if len(told) > 18 or int(told) > self._max_body:
                raise self._too_long()
            length = int(told)
        elif environ.get("wsgi.input_terminated") or environ.get("HTTP_TRANSFER_ENCODING"):
            length = self._max_body + 1
        else:
            length = 0
        stream = environ["wsgi.input"]
        pieces: list[bytes] = []
        missing = length
        while missing > 0:
            piece = stream.read(missing if told else min(missing, _CHUNK))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        if told and missing:
            raise EnvelopeRefused(f"The request broke off: {length - missing} of {length} bytes arrived.")
        if not told and length and not missing:
            raise self._too_long()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _too_long(self) -> EnvelopeRefused:
        return EnvelopeRefused(
            f"The request is longer than {self._max_body // 1024 // 1024} MB, the most that is read here. "
            "Ask QuickBooks for less at a time.",
            http_status="413 Request Entity Too Large",
        )


def _is_short(environ: WSGIEnvironment) -> bool:
    told = environ.get("CONTENT_LENGTH") or ""
    return told.isascii() and told.isdigit() and len(told) < 18 and int(told) <= _READ_IN_TURN


def _run(soap_app: WSGIApplication, environ: WSGIEnvironment) -> tuple[str, bytes]:
    """Status and whole body of the SOAP application's answer; .NET shows a fault with status 500 alone."""
    statuses: list[str] = []
    written: list[bytes] = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return written.append

    parts = soap_app(environ, start_response)
    try:
        written.extend(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    answer = b"".join(written)
    if not statuses or not answer.startswith(b"<?xml"):
        raise RuntimeError("the SOAP application gave no XML")
    return (_OK if statuses[-1].startswith("200") else _FAILED), answer


def _as_soap_12(status: str, answer: bytes) -> bytes:
    """The SOAP 1.1 `answer` for a client of 1.2, which asked in that version's envelope."""
    if status == _OK:
        return answer.replace(SOAP_11.encode(), SOAP_12.encode(), 1)
    root = etree.fromstring(answer)
    code = root.findtext(".//faultcode") or ""
    return fault(root.findtext(".//faultstring") or "", code=code.rpartition(":")[2], soap_12=True)


def _asks_for_wsdl(environ: WSGIEnvironment) -> bool:
    query = environ.get("QUERY_STRING") or ""
    return any(part.partition("=")[0].lower() == "wsdl" for part in query.split("&"))


def _own_url(environ: WSGIEnvironment) -> str:
    """The URL that was asked, without its query."""
    scheme = environ.get("wsgi.url_scheme", "http")
    host = environ.get("HTTP_HOST") or ""
    if not _HOST.fullmatch(host):
        host = f"{environ.get('SERVER_NAME', 'localhost')}:{environ.get('SERVER_PORT', '80')}"
    path = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
    return f"{scheme}://{host}{quote(path.encode('latin-1', 'replace'))}"


def _unexpected(problem: BaseException, environ: WSGIEnvironment) -> bytes:
    """The fault for what nobody foresaw; the log gets where it happened, under an id.

    Not the exceptions' own texts: a library's may quote what was posted.
    """
    error_id = secrets.token_hex(4)
    places: list[str] = []
    link: BaseException | None = problem
    while link is not None:
        places += [
            f"{type(link).__module__}.{type(link).__qualname__}\n",
            *traceback.format_tb(link.__traceback__),
        ]
        link = link.__cause__ or link.__context__
    logger.error(
        "a call from %s failed unforeseen, error %s\n%s",
        environ.get("REMOTE_ADDR", "-"),
        error_id,
        "".join(places),
    )
    return fault(server_error_sentence("answer this call", error_id), code="Server")
