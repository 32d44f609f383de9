"""Who really calls, where a reverse proxy stands before the service."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ops_console.settings import Network

_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


#: True in the environment of a call that a proxy says it has passed on, believed or not.
_FORWARDED = "qbwoo.forwarded"


def is_forwarded(environ: WSGIEnvironment) -> bool:
    """True if anything tells that a proxy passed this call on."""
    return bool(environ.get(_FORWARDED))


class TrustedProxies:
    """WSGI middleware: believes X-Forwarded-For, -Proto and -Host from these networks, and from nobody else.

    The client is the last address of the chain that is not a trusted proxy:
    what stands before it was written by the client itself.
    """

    def __init__(self, app: WSGIApplication, networks: Sequence[Network]) -> None:
        self._app, self._networks = app, tuple(networks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        told = [environ.pop(name, "") for name in _HEADERS]
        others = [
            environ.pop("HTTP_FORWARDED", ""),
            environ.get("HTTP_VIA", ""),
            environ.get("HTTP_X_REAL_IP", ""),
        ]
        environ[_FORWARDED] = any((*told, *others))
        if self._networks and self._is_trusted(environ.get("REMOTE_ADDR", "")):
            chain, scheme, host = told
            environ["REMOTE_ADDR"] = self._client(chain) or environ["REMOTE_ADDR"]
            scheme = _last(scheme).lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            if _last(host):
                environ["HTTP_HOST"] = _last(host)
        return self._app(environ, start_response)

    def _client(self, chain: str) -> str:
        """The client's address in X-Forwarded-For; "" if it names none."""
        client = ""
        for word in reversed(chain.split(",")):
            try:
                # Some proxies add the port.
                client = str(ipaddress.ip_address(_without_port(word.strip())))
            except ValueError:
                break
            if not self._is_trusted(client):
                break
        return client

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)


def _without_port(word: str) -> str:
    if word.startswith("["):
        return word[1:].partition("]")[0]
    return word.partition(":")[0] if word.count(":") == 1 else word


def _last(value: str) -> str:
    return value.rpartition(",")[2].strip()
