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
#: IPv6 networks whose last 32 bits are an IPv4 address: IPv4-compatible, NAT64, and IPv4-translated.
_LAST_BITS = tuple(
    ipaddress.IPv6Network(text) for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96")
)
#: What not every version of Python knows to be nobody's public address: IETF's own (a cloud's metadata among
#: them), NAT64 of a site, and site-local.
_NEVER = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10"))
_ALLOW = "Set QBWOO_ALLOW_PRIVATE_STORES=true if it really lives there."


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
        inner = _private_address(host, port or (443 if parts.scheme == "https" else 80))
    except UnicodeError as error:
        raise BadStoreUrl(url, f"names a host that cannot be: {host[:80]}. Check the spelling.") from error
    except OSError as error:
        raise UnknownHost(url, f"names a host that is not known: {host}. Check the spelling.") from error
    if inner and not allow_private:
        raise BadStoreUrl(url, refusal_of_address(inner))
    return url.strip().rstrip("/")


def _private_address(host: str, port: int) -> str:
    """The first address of `host` that is not public; "" if all are. Raises OSError, UnicodeError: it does not resolve."""
    addresses = (str(found[0]) for *_, found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return next((address for address in addresses if refusal_of_address(address)), "")


def refusal_of_address(text: str) -> str:
    """Why no shop is called at this IP address, as the end of a sentence; "" if it is a public one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    # Not global: loopback, private, link-local (where clouds answer for their metadata), reserved.
    if all(_is_public(one) for one in (address, *_carried(address))):
        return ""
    return f"leads to {text}, an address of a private network. {_ALLOW}"


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if getattr(address, "ipv4_mapped", None) is not None:
        # Told by the address that it carries: versions of Python differ about the whole.
        return True
    return (
        address.is_global
        and not address.is_multicast
        and not any(address.version == network.version and address in network for network in _NEVER)
    )


def _carried(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that a gateway or this machine would take out of an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _LAST_BITS):
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in inner if one is not None]
