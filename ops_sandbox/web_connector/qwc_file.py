"""The .qwc file, read as severely as the Web Connector reads it.

Rules: QuickBooks Web Connector Programmer's Guide, the .qwc file and its error codes.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from lxml import etree

from ops_sandbox.web_connector.errors import CertificateRefused, QwcRefused, ServiceNotReached
from ops_sandbox.web_connector.transport import HttpAnswer, HttpConnection

_REQUIRED = (
    *("AppName", "AppID", "AppURL", "AppDescription", "AppSupport"),
    *("UserName", "OwnerID", "FileID", "QBType"),
)
_OPTIONAL = (
    *("AppDisplayName", "AppUniqueName", "AuthFlags", "CertURL", "IsReadOnly"),
    *("Notify", "PersonalDataPref", "UnattendedModePref", "Scheduler", "Style"),
)
_MAY_BE_EMPTY = ("AppID", "AppDescription")
_VALUES = {
    "QBType": ("QBFS", "QBPOS"),
    "PersonalDataPref": ("pdpNotNeeded", "pdpOptional", "pdpRequired"),
    "UnattendedModePref": ("umpRequired", "umpOptional"),
    # The other styles exist, but this player speaks document/literal alone.
    "Style": ("Document",),
}
_SECONDS = {"RunEveryNMinutes": 60, "RunEveryNSeconds": 1}
_GUID = re.compile(r"\{[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}")
_MALFORMED = "QBWC1039"


@dataclass(frozen=True, kw_only=True)
class QwcFile:
    """One application, as its .qwc file describes it to the Web Connector."""

    app_name: str
    app_id: str
    app_url: str
    app_description: str
    app_support: str
    user_name: str
    #: GUIDs in braces, as written.
    owner_id: str
    file_id: str
    #: "QBFS" (Desktop) or "QBPOS".
    qb_type: str
    cert_url: str | None = None
    #: The Scheduler's interval; None leaves Auto-Run off.
    run_every_seconds: int | None = None
    #: What the Web Connector takes, but an operator should know.
    remarks: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path, *, allow_plain_http: bool = False) -> QwcFile:
        """The file at `path`. Raises `QwcRefused` and OSError.

        `allow_plain_http` lifts the rules against http and IP addresses, for rehearsals on
        127.0.0.1; the real Web Connector has no such switch.
        """
        return cls.parse(path.read_bytes(), allow_plain_http=allow_plain_http)

    @classmethod
    def parse(cls, data: bytes, *, allow_plain_http: bool = False) -> QwcFile:
        """As `read`, from the file's bytes."""
        root = _parse(data)
        remarks: list[str] = []
        found = _elements(root, remarks)
        for name in _REQUIRED:
            if name not in found:
                raise QwcRefused(_MALFORMED, f"{name} is missing. Every .qwc file must have it.")
            if not found[name] and name not in _MAY_BE_EMPTY:
                raise QwcRefused(_MALFORMED, f"{name} is empty.")
        for name, values in _VALUES.items():
            if name in found and found[name] not in values:
                raise QwcRefused(
                    _MALFORMED, f"{name} is {found[name]!r}; it must be one of {', '.join(values)}."
                )
        for name in ("OwnerID", "FileID"):
            if not _GUID.fullmatch(found[name]):
                raise QwcRefused(_MALFORMED, f"{name} is {found[name]!r}; it must be a GUID in braces.")
        _check_urls(found, allow_plain_http=allow_plain_http)
        if len(found["AppDescription"]) > 80:
            remarks.append("AppDescription is longer than 80 characters")
        if found.get("IsReadOnly", "false").casefold() == "true":
            remarks.append("IsReadOnly is true: newer Web Connectors fail on adding, QuickBooks status 3263")
        if "AuthFlags" in found and found["QBType"] == "QBPOS":
            remarks.append("AuthFlags is for QBFS only")
        return cls(
            app_name=found["AppName"],
            app_id=found["AppID"],
            app_url=found["AppURL"],
            app_description=found["AppDescription"],
            app_support=found["AppSupport"],
            user_name=found["UserName"],
            owner_id=found["OwnerID"],
            file_id=found["FileID"],
            qb_type=found["QBType"],
            cert_url=found.get("CertURL") or None,
            run_every_seconds=_interval(root),
            remarks=tuple(remarks),
        )

    def add_checks(
        self, *, ca_file: Path | None = None, source_address: str | None = None, timeout: float = 100
    ) -> None:
        """The GETs made when a user adds the application. Raises `QwcRefused`.

        AppSupport must answer 200 or 202; CertURL, else AppURL, must answer 200 without a
        log-in. Redirects count as refusals.
        """
        support = _get(self.app_support, "QBWC1004", "AppSupport", ca_file, source_address, timeout)
        if support.status not in (200, 202):
            raise QwcRefused("QBWC1003", _told("AppSupport", self.app_support, support, "200 or 202"))
        name, url = ("CertURL", self.cert_url) if self.cert_url else ("AppURL", self.app_url)
        checked = _get(url, "QBWC1048", name, ca_file, source_address, timeout)
        if checked.status != 200:
            raise QwcRefused("QBWC1048", _told(name, url, checked, "200, without a log-in"))


def _parse(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise QwcRefused(
            _MALFORMED,
            f"The file is not well-formed XML ({error.msg}). Nothing may stand before <?xml, "
            "and & in URLs must be written &amp;.",
        ) from error
    if root.tag != "QBWCXML":
        raise QwcRefused(_MALFORMED, f"The root element is {root.tag}; it must be QBWCXML.")
    return root


def _elements(root: etree._Element, remarks: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in root.iterchildren(etree.Element):
        name = str(child.tag)
        if name in found:
            remarks.append(f"{name} stands twice; the first is taken")
        elif name in _REQUIRED or name in _OPTIONAL:
            found[name] = (child.text or "").strip()
        else:
            remarks.append(f"{name} is unknown and ignored")
    return found


def _interval(root: etree._Element) -> int | None:
    scheduler = root.find("Scheduler")
    if scheduler is None:
        return None
    for child in scheduler.iterchildren(etree.Element):
        name, text = str(child.tag), (child.text or "").strip()
        if name in _SECONDS:
            if not (text.isascii() and text.isdecimal() and int(text) >= 1):
                raise QwcRefused(_MALFORMED, f"{name} is {text!r}; it must be a whole number, 1 or more.")
            return int(text) * _SECONDS[name]  # with both, the first wins
    raise QwcRefused(_MALFORMED, "Scheduler holds neither RunEveryNMinutes nor RunEveryNSeconds.")


def _check_urls(found: dict[str, str], *, allow_plain_http: bool) -> None:
    hosts: list[str] = []
    for name, code in (("AppURL", "QBWC1001"), ("AppSupport", "QBWC1002")):
        parts = _split(name, found[name])
        host = parts.hostname or ""
        hosts.append(host.casefold())
        if not allow_plain_http and _is_ip_address(host):
            raise QwcRefused(code, f"{name} {found[name]} has an IP address; give a host name.")
        if not allow_plain_http and parts.scheme == "http" and host.casefold() != "localhost":
            raise QwcRefused("QBWC1010", f"{name} {found[name]} must be https; only localhost may be http.")
    if found.get("CertURL"):
        _split("CertURL", found["CertURL"])
    if hosts[0] != hosts[1]:
        # Whether www.x.com and x.com count as equal differs by version; identical names pass in all.
        raise QwcRefused(
            "QBWC1000", f"AppURL is on {hosts[0]}, AppSupport on {hosts[1]}; give both the same host."
        )


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        well_formed = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed:
        raise QwcRefused(_MALFORMED, f"{name} {url!r} is no http or https URL.")
    return parts


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _get(
    url: str, code: str, name: str, ca_file: Path | None, source_address: str | None, timeout: float
) -> HttpAnswer:
    connection = HttpConnection(url, timeout=timeout, source_address=source_address, ca_file=ca_file)
    try:
        return connection.request("GET", "GET", ())
    except CertificateRefused as error:
        raise QwcRefused("QBWC1048", f"{name}: {error}") from error
    except ServiceNotReached as error:
        raise QwcRefused(code, f"{name} was not reached: {error}") from error
    finally:
        connection.close()


def _told(name: str, url: str, answer: HttpAnswer, wanted: str) -> str:
    return f"{name} {url} answered {answer.status} {answer.reason}; it must answer {wanted}."
