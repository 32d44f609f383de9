"""The support page, which the Web Connector fetches when the application is added.

Anything but 200 there is QBWC1003, so it has no login and asks nothing of the
database. People come here too, from a link in the Web Connector's window.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
]

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>qbwoo: support</title>
</head>
<body>
<h1>qbwoo</h1>
<p>This service keeps a WooCommerce shop and QuickBooks in step. The QuickBooks Web Connector, on the
computer where QuickBooks runs, calls it on schedule.</p>
<p>Version: {version}</p>
<h2>When something does not work</h2>
<ul>
<li>The Web Connector asks for a password: it is the one that the operator of this service gave you together
with the .qwc file.</li>
<li>An update failed: the Web Connector's window shows the reason; "View Log" there shows more. Keep
QuickBooks open with the right company, then choose "Update Selected".</li>
<li>{guide}</li>
</ul>
</body>
</html>
"""
_GUIDE = "Everything else is in the operator's guide"


def make_support_app(*, guide_url: str | None = None, product_version: str | None = None) -> WSGIApplication:
    """The page as a WSGI application, for GET and HEAD.

    `guide_url` is where the operator's guide can be read, by http or https;
    without it the page says that the guide comes with the installation.
    `product_version` is the installed one unless given.
    """
    page = _page(guide_url, product_version or _installed_version())

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method = environ.get("REQUEST_METHOD")
        if method not in ("GET", "HEAD"):
            text = b"Only GET and HEAD.\n"
            headers = [("Allow", "GET, HEAD"), ("Content-Type", "text/plain; charset=utf-8")]
            start_response("405 Method Not Allowed", [*headers, ("Content-Length", str(len(text)))])
            return [text]
        start_response("200 OK", [*_HEADERS, ("Content-Length", str(len(page)))])
        return [] if method == "HEAD" else [page]

    return app


def _page(guide_url: str | None, product_version: str) -> bytes:
    if guide_url is None:
        guide = f"{_GUIDE}, which comes with the installation: ask its operator."
    elif guide_url.startswith(("https://", "http://")):
        guide = f'{_GUIDE}: <a href="{escape(guide_url)}" rel="noopener">{escape(guide_url)}</a>'
    else:
        raise ValueError(f"guide_url is {guide_url!r}. It must begin with https:// or http://.")
    return _PAGE.format(version=escape(product_version), guide=guide).encode()


def _installed_version() -> str:
    try:
        return version("qbwoo")
    except PackageNotFoundError:  # a checkout that is not installed
        return "not installed"
