"""SOAP 1.1 as .NET's stock client class writes and reads it.

What it forgives and what it does not was measured with that class
(`SoapHttpClientProtocol`); the Web Connector is built on it. Most telling:
an answer in a wrong namespace is no error, it reads as null or 0.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from ops_sandbox.web_connector.errors import AnswerUnreadable, CallFailed, FaultReceived, HttpStatusRefused
from ops_sandbox.web_connector.transport import HttpAnswer

TNS = "http://developer.intuit.com/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

#: The media types that the client reads as SOAP.
SOAP_TYPES = ("text/xml", "application/soap+xml")

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_INT = re.compile(r"[\t\n\v\f\r ]*([+-]?[0-9]+)[\t\n\v\f\r ]*", re.ASCII)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def write_envelope(method: str, parameters: Sequence[tuple[str, str | int | None]]) -> bytes:
    """The request, byte for byte as the client class sends it.

    An empty string becomes `<name />`, None is left out. Control characters become
    references such as `&#x1;`, which XML 1.0 forbids: the client filters nothing, and no
    XML library would write them, hence plain text.
    Raises UnicodeEncodeError for half a surrogate pair.
    """
    written = "".join(
        f"<{name}>{_escape(str(value))}</{name}>" if value != "" else f"<{name} />"
        for name, value in parameters
        if value is not None
    )
    body = f'<{method} xmlns="{TNS}">{written}</{method}>' if written else f'<{method} xmlns="{TNS}" />'
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


def _escape(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _FORBIDDEN.sub(lambda found: f"&#x{ord(found[0]):X};", text)


@dataclass(frozen=True)
class SoapAnswer:
    """A read answer: the result element, or None where the client would see null.

    `remarks` are things that the client takes without a word, although they differ from
    what Intuit's own service puts on the wire.
    """

    method: str
    url: str
    result: etree._Element | None
    remarks: list[str] = field(default_factory=list)

    def as_string(self) -> str | None:
        """The text, or None. Raises `AnswerUnreadable` if there is markup in it."""
        if self.result is None or _is_nil(self.result):
            return None
        return self._text(self.result)

    def as_int(self) -> int:
        """A 32-bit integer, 0 where the result is missing. Raises `AnswerUnreadable`."""
        if self.result is None:
            return 0
        text = self._text(self.result)
        found = _INT.fullmatch(text)
        if found is None or not -(2**31) <= int(found[1]) < 2**31:
            raise AnswerUnreadable(
                self.method, self.url, f"Input string was not in a correct format: {text[:40]!r} is no int."
            )
        return int(found[1])

    def as_strings(self) -> list[str]:
        """The `<string>` elements in Intuit's namespace; nil ones read as empty, others are ignored."""
        if self.result is None or _is_nil(self.result):
            return []
        strings: list[str] = []
        for child in self.result.iterchildren(etree.Element):
            if child.tag != f"{{{TNS}}}string":
                self.remarks.append(f"{self.method}: {child.tag} in the array is ignored")
            elif _is_nil(child):
                strings.append("")
            else:
                strings.append(self._text(child))
        return strings

    def _text(self, element: etree._Element) -> str:
        if len(element):
            raise AnswerUnreadable(
                self.method,
                self.url,
                f"There is markup inside {etree.QName(element).localname}; escape the inner document.",
            )
        return element.text or ""


def read_answer(method: str, url: str, answer: HttpAnswer) -> SoapAnswer:
    """The answer's result element, by the rules of the client class.

    Raises `HttpStatusRefused`, `AnswerUnreadable` and `FaultReceived`.
    """
    content_type = answer.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().casefold()
    _check_carrier(method, url, answer, content_type, media_type)

    remarks: list[str] = []
    if media_type != "text/xml":
        remarks.append(f"{method}: content type {media_type}, where Intuit's service says text/xml")
    root = _parse(method, url, _decode(method, answer.body, content_type, remarks))
    if root.tag != f"{{{SOAP}}}Envelope":
        raise AnswerUnreadable(
            method, url, f"Possible SOAP version mismatch: {root.tag} was unexpected. Expecting {SOAP}."
        )
    body = root.find(f"{{{SOAP}}}Body")
    if body is None:
        raise AnswerUnreadable(method, url, "The envelope has no Body.")
    content = next(body.iterchildren(etree.Element), None)
    if content is not None and content.tag == f"{{{SOAP}}}Fault":
        raise FaultReceived(
            method, url, content.findtext("faultcode", ""), content.findtext("faultstring", "")
        )

    result = None
    if content is not None and content.tag == f"{{{TNS}}}{method}Response":
        result = content.find(f"{{{TNS}}}{method}Result")
    if result is None:
        found = "nothing" if content is None else content.tag
        remarks.append(f"{method}: no {method}Result in namespace {TNS} (found {found}); read as null or 0")
    return SoapAnswer(method, url, result, remarks)


def _check_carrier(method: str, url: str, answer: HttpAnswer, content_type: str, media_type: str) -> None:
    # 400 and 500 may carry a Fault; every other status from 300 up is judged by itself.
    if answer.status >= 300 and answer.status not in (400, 500):
        raise HttpStatusRefused(method, url, answer.status, answer.reason)
    if media_type in SOAP_TYPES and answer.body:
        return
    if answer.status == 400:
        raise HttpStatusRefused(method, url, answer.status, answer.reason)
    told = answer.body[:200].decode("ascii", "replace")
    raise AnswerUnreadable(
        method,
        url,
        f"Client found response content type of '{content_type}', but expected 'text/xml'. "
        + (f"The request failed with the error message: {told}" if told else "")
        + ("" if told else "The request failed with an empty response."),
    )


def _decode(method: str, body: bytes, content_type: str, remarks: list[str]) -> str:
    """Text by byte order mark, else by charset, else ASCII; the declaration inside is not asked."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    found = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", content_type, re.IGNORECASE)
    if found is not None:
        try:
            return body.decode(found[1], "replace")
        except LookupError:
            remarks.append(f"{method}: unknown charset {found[1]!r}; read as ASCII")
    else:
        remarks.append(f"{method}: Content-Type without charset; read as ASCII")
    if not body.isascii():
        remarks.append(f"{method}: characters beyond ASCII were lost, for want of a charset")
    return body.decode("ascii", "replace").replace("\ufffd", "?")


def _parse(method: str, url: str, text: str) -> etree._Element:
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise AnswerUnreadable(method, url, f"Response is not well-formed XML: {error.msg}.") from error
    docinfo = root.getroottree().docinfo
    if docinfo is not None and docinfo.internalDTD is not None:
        raise AnswerUnreadable(method, url, "For security reasons DTD is prohibited in this XML document.")
    return root


def _is_nil(element: etree._Element) -> bool:
    return str(element.get(f"{{{XSI}}}nil", "")).strip() in ("true", "1")


def unwritable(method: str, url: str, error: UnicodeEncodeError) -> CallFailed:
    """The failure for a parameter with half a surrogate pair, on which .NET's writer throws too."""
    return CallFailed(method, url, f"A parameter cannot be written as XML: {error.reason}.")
