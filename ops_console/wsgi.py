"""The whole service as one WSGI application: which address leads to which part.

The parts see the address as it was asked; nothing is cut off. Webhooks come
first, since they come most often and a shop waits for each answer.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ops_console import readiness, status_page
from ops_console.kept import Kept
from ops_console.proxies import is_forwarded
from queue_store.database import Database, is_unreachable
from queue_store.overview import Overview, read_overview

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ops_console.metrics import Reading

logger = logging.getLogger(__name__)

SOAP_PATH = "/qbwc"
SUPPORT_PATH = "/qbwc/support"
WEBHOOK_PREFIX = "/webhooks/woocommerce/"

_TEXT = "text/plain; charset=utf-8"
#: Anybody may ask as often as he likes; the database, the disk are asked this often.
_OVERVIEW_SECONDS, _METRICS_SECONDS, _READY_SECONDS = 2.0, 5.0, 3.0
#: Of every answer, whichever part gives it: none of them is to be guessed at, framed, or to load anything.
_PROTECTION = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'",
    ),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of our own."""

    status: str
    body: str
    content_type: str = _TEXT


class Site:
    """WSGI application: by its start "/webhooks/woocommerce/", by the whole path everything else."""

    def __init__(
        self, *, webhooks: WSGIApplication, paths: Mapping[str, WSGIApplication], pages: Pages
    ) -> None:
        self._webhooks, self._paths, self._pages = webhooks, dict(paths), pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if path.startswith(WEBHOOK_PREFIX):
            app = self._webhooks
        else:
            app = self._paths.get(path.rstrip("/"), self._pages)
        guarded = _guarded(start_response)
        try:
            return app(environ, guarded)
        except Exception as error:  # noqa: BLE001 - the outermost edge of a request
            return answer(_failed(error, path), environ, guarded)


class Pages:
    """WSGI application: the pages that belong to no other part."""

    def __init__(
        self,
        database: Database,
        look: Callable[[], list[readiness.Point]],
        *,
        metrics_token: str | None = None,
    ) -> None:
        """`look` says what /readyz tells; `metrics_token` opens /metrics, None: for this machine alone."""
        self._database, self._metrics_token = database, metrics_token
        self._overview = Kept(self._read_overview, _OVERVIEW_SECONDS)
        self._reading = Kept(self._read_metrics, _METRICS_SECONDS)
        self._points = Kept(look, _READY_SECONDS, share=0.5)
        self._pages: Mapping[str, Callable[[WSGIEnvironment], Page]] = {
            "": self._status,
            "/healthz": lambda environ: Page("200 OK", "ok\n"),
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        page = self._pages.get(environ.get("PATH_INFO", "").rstrip("/"))
        if page is None:
            return answer(Page("404 Not Found", "There is nothing here.\n"), environ, start_response)
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return answer(Page("405 Method Not Allowed", "Only GET and HEAD.\n"), environ, start_response)
        return answer(page(environ), environ, start_response)

    def _status(self, environ: WSGIEnvironment) -> Page:
        body = status_page.page(self._overview(), datetime.now(UTC))
        return Page("200 OK", body, "text/html; charset=utf-8")

    def _ready(self, environ: WSGIEnvironment) -> Page:
        ready, text = readiness.told(self._points())
        return Page("200 OK" if ready else "503 Service Unavailable", text)

    def _metrics(self, environ: WSGIEnvironment) -> Page:
        # Here and not above: no command but `serve` needs its library.
        from ops_console import metrics

        authorization, address = environ.get("HTTP_AUTHORIZATION", ""), environ.get("REMOTE_ADDR", "")
        if metrics.may_read(self._metrics_token, authorization, address, forwarded=is_forwarded(environ)):
            return Page("200 OK", metrics.exposition(self._reading()), metrics.CONTENT_TYPE)
        if self._metrics_token is None:
            return Page("403 Forbidden", "Set QBWOO_METRICS_TOKEN to read this from another machine.\n")
        return Page("401 Unauthorized", "Send the token: Authorization: Bearer ...\n")

    def _read_overview(self) -> Overview:
        with self._database.read() as db:
            return read_overview(db)

    def _read_metrics(self) -> Reading:
        from ops_console import metrics

        with self._database.read() as db:
            return metrics.read(db)


def answer(page: Page, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """`page` as a WSGI answer; HEAD gets its headers alone."""
    body = page.body.encode()
    headers = [
        ("Content-Type", page.content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if page.status.startswith("405"):
        headers.append(("Allow", "GET, HEAD"))
    if page.status.startswith("401"):
        headers.append(("WWW-Authenticate", 'Bearer realm="qbwoo metrics"'))
    if page.status.startswith("503"):
        headers.append(("Retry-After", "30"))
    start_response(page.status, headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def _guarded(start_response: StartResponse) -> StartResponse:
    """`start_response` that adds what protects an answer to the headers that its part gives."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        given = {name.lower() for name, _ in headers}
        added = [pair for pair in _PROTECTION if pair[0].lower() not in given]
        return start_response(status, [*headers, *added], exc_info)

    return start


def _failed(error: Exception, path: str) -> Page:
    if is_unreachable(error):
        logger.error("%s: the database is not available", path[:200])
        return Page("503 Service Unavailable", "The database is not available. Try again.\n")
    error_id = secrets.token_hex(4)
    logger.error("%s failed, error %s", path[:200], error_id, exc_info=error)
    return Page("500 Internal Server Error", f"Something went wrong here; the log has it as {error_id}.\n")
