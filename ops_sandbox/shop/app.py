"""The WSGI application: authentication, routing, the recorded headers, and faults to order."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from ops_sandbox.shop.auth import Call, KeyRing, nobody
from ops_sandbox.shop.calls import RestAnswer, RestCall
from ops_sandbox.shop.errors import RestError, no_route
from ops_sandbox.shop.hooks import CallFault, Hooks, ordered_error
from ops_sandbox.shop.listing import only_fields
from ops_sandbox.shop.routes import find_route
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, php_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = "/wp-json"
BASE = f"{ROOT}/wc/v3"

_EXPIRED = [
    ("Expires", "Wed, 11 Jan 1984 05:00:00 GMT"),
    ("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private"),
]


@dataclass
class RestFaults:
    """Faults to order; all off by default."""

    #: The site is down: every request is answered by the web server with 503.
    down: bool = False
    #: Down until this moment of the shop's clock.
    down_until: datetime | None = None
    hooks: Hooks = field(default_factory=Hooks)


class ShopApp:
    """The shop over HTTP.

    `trust_https_header` takes X-Forwarded-Proto for the scheme; `assume_https`
    takes every request as come over https, while addresses stay as they are.
    """

    def __init__(self, site: Site, faults: RestFaults, ping: Callable[[int], None]) -> None:
        self.site = site
        self.faults = faults
        self.assume_https = False
        self.trust_https_header = False
        self._ping = ping
        self._keys = KeyRing(site)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # an unread body would break the connection
        response = self._respond(request)
        # A web server dates its answers by the same clock.
        response.date = self.site.time.now()
        return response(environ, start_response)

    @property
    def is_down(self) -> bool:
        """Neither answers nor works off its queue now."""
        until = self.faults.down_until
        return self.faults.down or (until is not None and self.site.time.clock() < until)

    def _respond(self, request: Request) -> Response:
        if self.is_down:
            return Response("<h1>503 Service Unavailable</h1>", status=503, mimetype="text/html")
        path = request.path.removeprefix(BASE)
        fault = self.faults.hooks.fault(("status", "drop", "lost"), request.method, path)
        if fault is not None and fault.kind == "status":
            return self._error(fault)
        if fault is not None and fault.kind == "drop" and not fault.after_doing:
            return _hung_up(request)
        response = self._work(request)
        if fault is None:
            return response
        if fault.kind == "drop":
            return _hung_up(request)
        return Response("<h1>504 Gateway Time-out</h1>", status=504, mimetype="text/html")

    def _work(self, request: Request) -> Response:
        allow = ""
        try:
            if not request.path.startswith(ROOT):
                return Response("<!DOCTYPE html><title>Shop</title>", mimetype="text/html")
            if request.path.rstrip("/") == ROOT:
                return self._answer(RestAnswer(self._index(self._home(request))), "")
            answer, allow = self._rest(request)
        except RestError as error:
            answer = RestAnswer(error.body(), error.status)
        return self._answer(answer, allow, request.args.get("_fields", ""))

    def _rest(self, request: Request) -> tuple[RestAnswer, str]:
        permissions = self._keys.permissions(
            Call(
                method=request.method,
                path=request.path,
                query=list(request.args.items(multi=True)),
                authorization=request.headers.get("Authorization", ""),
                is_https=self._is_https(request),
            )
        )
        if not request.path.startswith(BASE):
            raise no_route()
        route, ids = find_route(request.path.removeprefix(BASE))
        handler = route.handler(request.method)
        call = RestCall(
            method=request.method,
            path=request.path,
            query=_query(request),
            body=_body(request),
            home=self._home(request),
        )
        if permissions is None:
            raise nobody(_action(request, is_item=route.is_item))
        hooks, path = self.faults.hooks, request.path.removeprefix(BASE)
        hooks.run("before", call, path)
        call = replace(call, before_item=hooks.item_deeds(call, path))
        try:
            with self.site.store.transaction():
                answer = handler(self.site, call, **ids)
        except RestError as error:
            answer = RestAnswer(error.body(), error.status)
        if answer.status == 201 and request.path.rstrip("/").endswith("/webhooks"):
            # Before the answer to the caller, and without holding the shop meanwhile.
            created: Any = answer.body
            self._ping(created["id"])
        hooks.run("after", call, path)
        return answer, route.allow

    def _is_https(self, request: Request) -> bool:
        if self.assume_https or request.scheme == "https":
            return True
        return self.trust_https_header and request.headers.get("X-Forwarded-Proto") == "https"

    def _home(self, request: Request) -> str:
        if self.trust_https_header and request.headers.get("X-Forwarded-Proto") == "https":
            return self.site.home_url.replace("http://", "https://", 1)
        return self.site.home_url

    def _error(self, fault: CallFault) -> Response:
        error = ordered_error(fault.status)
        response = Response(
            php_json(error.body()), status=fault.status, content_type="application/json; charset=UTF-8"
        )
        if fault.status in {429, 503}:
            response.headers["Retry-After"] = str(fault.retry_after_seconds)
        return response

    def _answer(self, answer: RestAnswer, allow: str, fields: str = "") -> Response:
        body = only_fields(answer.body, fields) if answer.status < 300 and fields else answer.body
        response = Response(
            php_json(body), status=answer.status, content_type="application/json; charset=UTF-8"
        )
        extra = dict(answer.headers)
        link = extra.pop("Link", f'<{self.site.home_url}{ROOT}/>; rel="https://api.w.org/"')
        response.headers.extend(
            [
                ("X-Robots-Tag", "noindex"),
                ("X-Content-Type-Options", "nosniff"),
                ("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link"),
                (
                    "Access-Control-Allow-Headers",
                    "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type",
                ),
                *extra.items(),
                ("Link", link),
                *([("Allow", allow)] if allow else []),
                *([("Vary", "Origin")] if answer.status == 401 else _EXPIRED),
            ]
        )
        return response

    def _index(self, home: str) -> Doc:
        return {
            "name": "Sandbox shop",
            "description": "",
            "url": home,
            "home": home,
            "gmt_offset": str(self.site.time.offset_hours),
            "timezone_string": "America/Los_Angeles" if self.site.time.offset_hours == -8 else "",
            "namespaces": ["wc/v1", "wc/v2", "wc/v3", "wp/v2"],
            "authentication": [],
            "routes": {BASE.removeprefix(ROOT): {"namespace": "wc/v3", "methods": ["GET"]}},
        }


def _hung_up(request: Request) -> Response:
    """End the connection: the caller gets nothing. Needs the server of `Shop.serve`."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    with contextlib.suppress(OSError):  # the caller may have hung up first
        connection.shutdown(socket.SHUT_RDWR)
    return Response("")


def _query(request: Request) -> dict[str, str]:
    """The query with lists (`include[]=1&include[]=2`) as comma lists, without credentials."""
    query: dict[str, str] = {}
    for name, values in request.args.lists():
        if name.startswith("oauth_") or name in {"consumer_key", "consumer_secret"}:
            continue
        plain = name.split("[", 1)[0]
        joined = ",".join(values) if "[" in name else values[-1]
        query[plain] = f"{query[plain]},{joined}" if plain in query and "[" in name else joined
    return query


def _body(request: Request) -> Doc:
    """The request's JSON object or form. Raises `RestError` 400 for broken JSON."""
    raw = request.get_data()
    if not raw:
        return {}
    if "json" not in (request.content_type or "json"):
        return dict(request.form.items())
    try:
        value = json.loads(raw)
    except ValueError as exc:
        raise RestError(
            "rest_invalid_json",
            "Invalid JSON body passed.",
            400,
            extra={"json_error_code": 4, "json_error_message": "Syntax error"},
        ) from exc
    return value if isinstance(value, dict) else {}


def _action(request: Request, *, is_item: bool) -> str:
    if request.path.rstrip("/").endswith("/batch"):
        return "batch"
    if request.method in {"GET", "HEAD"}:
        return "GET" if is_item else "list"
    if request.method == "DELETE":
        return "DELETE"
    return "PUT" if is_item else "POST"
