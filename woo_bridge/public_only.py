"""Connections to public addresses alone, whatever a name resolves to at that very moment.

A look at a store's URL before the call is not enough: who rules the name may
answer the look with a public address and the call with one inside this
network. So the name is resolved once, here, what it gave is looked at, and the
connection goes to that address and no other. TLS goes on to check the name.
"""

from __future__ import annotations

import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from woo_bridge.errors import StoreNotCalled
from woo_bridge.store_urls import refusal_of_address


class PublicOnlyAdapter(HTTPAdapter):
    """For a session of requests: raises StoreNotCalled, before a connection, for a host that is not public."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _Looking(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        try:
            found = socket.getaddrinfo(host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, f"the host cannot be looked up: {error}") from error
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        for address in addresses:
            if why := refusal_of_address(address):
                raise StoreNotCalled(f"The host {host} {why}")
        try:
            for place, address in enumerate(addresses):
                self._dns_host = address
                try:
                    return super()._new_conn()
                except HTTPError:
                    if place == len(addresses) - 1:
                        raise
        finally:
            # The certificate and the Host header are of the name.
            self._dns_host = host
        raise AssertionError("unreachable")


class _SecureLooking(_Looking, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Looking


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureLooking
