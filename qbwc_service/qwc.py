"""The .qwc file, with which a Web Connector learns of the service.

The Web Connector refuses a wrong file with a number and little more, often
only after the file was taken to another machine. So all its rules are
checked here, and all that is wrong is told at once.

Source: QuickBooks Web Connector Programmer's Guide, chapter on the .qwc file,
and its error codes 1000, 1001, 1002, 1010 and 1039.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from importlib import resources
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from lxml import etree

QbType = Literal["QBPOS", "QBFS"]

MAX_DESCRIPTION = 80
REHEARSAL_MARK = " (rehearsal over plain http)"

_TEMPLATES = {"QBPOS": "qbpos.qwc", "QBFS": "qbfs.qwc"}
_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_OPTIONAL = frozenset({"AppDisplayName", "AppUniqueName"})
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'


class QwcInvalid(ValueError):
    """The .qwc file was not written, since the Web Connector would refuse it.

    `problems` are sentences, each with the element and what to do about it.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(" ".join(["The Web Connector would refuse this .qwc file.", *problems]))
        self.problems = problems


def render_qwc(
    *,
    app_name: str,
    app_url: str,
    support_url: str,
    username: str,
    owner_guid: str,
    file_guid: str,
    qb_type: QbType,
    every_minutes: int,
    description: str,
    app_id: str = "",
    display_name: str = "",
    unique_name: str = "",
    allow_plain_http: bool = False,
) -> bytes:
    """The .qwc file, byte for byte the same for the same values, in ASCII.

    `owner_guid` is the application's, `file_guid` the company's, both in
    braces and never changed once in use. `every_minutes` is the first value
    of the schedule, which the user may change. With `unique_name` the file
    replaces an application of that name without a question. With
    `allow_plain_http` plain http and IP addresses are let pass on this very
    machine, for rehearsals, and the application's name says so.
    Raises QwcInvalid with everything that is wrong.
    """
    if allow_plain_http:
        app_name += REHEARSAL_MARK
        display_name = display_name and display_name + REHEARSAL_MARK
    values = {
        "AppName": app_name,
        "AppID": app_id,
        "AppURL": app_url,
        "AppDescription": description,
        "AppSupport": support_url,
        "UserName": username,
        "OwnerID": owner_guid,
        "FileID": file_guid,
        "AppDisplayName": display_name,
        "AppUniqueName": unique_name,
    }
    problems = [
        *_text_problems(values),
        *_url_problems(app_url, support_url, allow_plain_http=allow_plain_http),
        *_other_problems(values, qb_type, every_minutes),
    ]
    if problems:
        raise QwcInvalid(tuple(problems))
    return _filled(_TEMPLATES[qb_type], {**values, "RunEveryNMinutes": str(every_minutes)})


def _filled(template: str, values: dict[str, str]) -> bytes:
    data = resources.files("qwc_templates").joinpath(template).read_bytes()
    root = etree.fromstring(data, etree.XMLParser(remove_comments=True, resolve_entities=False))
    for name, value in values.items():
        element = root.find(f".//{name}")
        if element is None:
            raise LookupError(f"The template {template} has no element {name}. Reinstall qbwoo.")
        if value or name not in _OPTIONAL:
            element.text = value or None
        else:
            root.remove(element)
    # ASCII with references, so that no editor on the way can spoil a name.
    return _DECLARATION + etree.tostring(root) + b"\n"


def _text_problems(values: dict[str, str]) -> list[str]:
    problems = []
    for name, value in values.items():
        if not value.strip() and name != "AppID" and name not in _OPTIONAL:
            problems.append(f"{name} is empty. Give it a value.")
        elif any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in value):
            problems.append(f"{name} has a line break or another control character. Take it out.")
        elif value != value.strip():
            problems.append(f"{name} begins or ends with a blank. Take it out.")
    return problems


def _other_problems(values: dict[str, str], qb_type: str, every_minutes: int) -> list[str]:
    problems = []
    for name in ("OwnerID", "FileID"):
        if values[name].strip() and not _GUID.fullmatch(values[name]):
            problems.append(
                f"{name} is {values[name]!r}. It must be a GUID in braces, "
                "such as {5E7B1C3A-6C1D-4F6B-9D52-0B8C2C7E4A11}."
            )
    if len(values["AppDescription"]) > MAX_DESCRIPTION:
        problems.append(
            f"AppDescription has {len(values['AppDescription'])} characters. Shorten it to {MAX_DESCRIPTION}."
        )
    if qb_type not in _TEMPLATES:
        problems.append(f"QBType is {qb_type!r}. It must be QBPOS (Point of Sale) or QBFS (Desktop).")
    if isinstance(every_minutes, bool) or not isinstance(every_minutes, int) or every_minutes < 1:
        problems.append(f"RunEveryNMinutes is {every_minutes!r}. It must be a whole number, 1 or more.")
    return problems


def _url_problems(app_url: str, support_url: str, *, allow_plain_http: bool) -> list[str]:
    problems: list[str] = []
    hosts = []
    for name, url, code in (("AppURL", app_url, "QBWC1001"), ("AppSupport", support_url, "QBWC1002")):
        if not url.strip():
            continue  # told already
        parts = _split(url)
        host = (parts.hostname or "") if parts else ""
        if parts is None or not host or re.search(r"\s", url):
            problems.append(f"{name} is {url!r}, which is no URL. Give it as https://host/path.")
            continue
        hosts.append(host)
        if parts.username is not None or parts.fragment:
            problems.append(f"{name} must have no user name and no '#'. Take that out.")
        rehearsed = allow_plain_http and _is_this_machine(host)
        if parts.scheme != "https" and not (parts.scheme == "http" and (host == "localhost" or rehearsed)):
            problems.append(
                f"{name} begins with {parts.scheme}:// and its host is {host}. The Web Connector takes "
                "plain http from localhost only (QBWC1010). Use https."
            )
        if _is_address(host) and not rehearsed:
            problems.append(f"{name} has the IP address {host} ({code}). Use the host's name.")
    if len(hosts) == 2 and hosts[0] != hosts[1]:
        problems.append(
            f"AppURL is on {hosts[0]} and AppSupport on {hosts[1]} (QBWC1000). Both must be on the same host."
        )
    return problems


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # brackets or a port that are none
        return None
    return parts if parts.scheme in ("http", "https") else None


def _is_address(host: str) -> bool:
    # "3232235521" and "0xC0A80001" are addresses too for Windows.
    return _address(host) is not None or re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host) is not None


def _is_this_machine(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
