"""The service's WSDL: Intuit's shape, with the address under which it is asked for.

Not Spyne's own: its soapActions are relative and its part names unusual, so
that proxies made from it come out bare, and it keeps the address of whoever
asked first.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from lxml import etree

_FILE = "QBWebConnectorSvc.wsdl"
_ADDRESSES = tuple(f"{{http://schemas.xmlsoap.org/wsdl/{version}/}}address" for version in ("soap", "soap12"))


def service_wsdl(url: str) -> bytes:
    """The description as UTF-8, both ports at `url`, which is the service's own without a query."""
    root = etree.fromstring(_file())
    for address in root.iter(*_ADDRESSES):
        address.set("location", url)
    return etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=True)


@cache
def _file() -> bytes:
    return resources.files(__package__).joinpath(_FILE).read_bytes()
