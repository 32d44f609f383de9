"""Which addresses may be called as a shop.

An operator types a store's URL, and this machine then calls it: an address
inside its own network (a router, a cloud's metadata service) must not be
reachable that way unless the process setting QBWOO_ALLOW_PRIVATE_STORES says so.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from woo_bridge.errors import BadStoreUrl, UnknownHost

#: As much as the database keeps.
_MOST = 500
_ALLOW = "Set QBWOO_ALLOW_PRIVATE_STORES=true if the shop really lives there."


def check_store_url(url: str, allow_private: bool = False) -> str:
    """`url` without a slash at its end, if it may be called. Raises BadStoreUrl; UnknownHost where
    the host does not resolve now.

    http or https, a host that resolves, no user, query or fragment; no
    address that is not public, unless `allow_private`.
    """
    if len(url) > _MOST:
        raise BadStoreUrl(url[:80] + "...", f"has {len(url)} characters; at most {_MOST} are taken.")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadStoreUrl(url, f"cannot be read: {error}.") from error
    if parts.scheme not in ("http", "https"):
        raise BadStoreUrl(url, "must begin with https:// (or http://).")
    if parts.username is not None or parts.password is not None:
        raise BadStoreUrl(parts.scheme + "://...", "must not hold a user or password.")
    if parts.query or parts.fragment:
        raise BadStoreUrl(url, "must be the shop's home address, without ? and #.")
    if not parts.hostname or any(character.isspace() or ord(character) < 32 for character in url.strip()):
        raise BadStoreUrl(url, "names no host.")
    host = parts.hostname
    try:
        inner = private_address(host, port or (443 if parts.scheme == "https" else 80))
    except UnicodeError as error:
        raise BadStoreUrl(url, f"names a host that cannot be: {host[:80]}. Check the spelling.") from error
    except OSError as error:
        raise UnknownHost(url, f"names a host that is not known: {host}. Check the spelling.") from error
    if inner and not allow_private:
        raise BadStoreUrl(url, f"leads to {inner}, an address of a private network. {_ALLOW}")
    return url.strip().rstrip("/")


def private_address(host: str, port: int) -> str:
    """The first address of `host` that is not public; "" if all are. Raises OSError, UnicodeError: it does not resolve."""
    for *_, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        text = str(found[0])
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or address
        # Not global: loopback, private, link-local (where clouds answer for their metadata), reserved.
        if not inner.is_global or inner.is_multicast:
            return text
    return ""
