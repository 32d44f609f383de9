"""The address of this service as others reach it, typed by a person.

It becomes part of a .qwc file and of the shop's webhooks, which are looked at
again only when nothing arrives; so it is checked where it is typed.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from ops_console.errors import WrongUsage

#: Longer ones are a slip of the clipboard.
_MOST = 255
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
#: What needs no escape, neither in a URL nor in XML.
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def service_address(text: str) -> str:
    """`text` without slashes at its end: http or https, a host, perhaps a port and a plain path.

    Raises ValueError with what is wrong about it.
    """
    address = text.strip().rstrip("/")
    if len(address) > _MOST:
        raise ValueError(f"it has {len(address)} characters, at most {_MOST} are taken")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(str(error)) from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("it must begin with https:// (or http://)")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it must be without a user name and password")
    if "?" in address or "#" in address:
        raise ValueError("it must be without ? and #")
    if not (_HOST.fullmatch(host) or _is_ip(host)):
        raise ValueError(f"{host!r} is no name of a host" if host else "it names no host")
    if port == 0:
        raise ValueError("its port is 0")
    if not _PATH.fullmatch(parts.path):
        raise ValueError(
            f"its path {parts.path!r} must be of letters, digits and - . _ ~ between single slashes"
        )
    return address


def told_address(option: str | None, public_url: str | None) -> str:
    """What `--url` says, else QBWOO_PUBLIC_URL. Raises WrongUsage."""
    if option is None:
        if public_url is None:
            raise WrongUsage(
                "Give --url, the address of this service as others reach it, or set QBWOO_PUBLIC_URL."
            )
        return public_url
    try:
        return service_address(option)
    except ValueError as error:
        shown = option if len(option) <= 100 else option[:97] + "..."
        raise WrongUsage(
            f"--url: {shown!r} does not fit: {error}. Expected https://qbwoo.example.com"
        ) from None


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """True for a name or address of this very machine, "127.0.0.1" inside of IPv6 too."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
