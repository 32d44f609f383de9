"""Which bytes may reach the SOAP parser, and what a SOAP fault looks like.

Looked at as bytes, before any parser: the encoding, a DOCTYPE, the amount and
depth of the markup, characters that XML forbids. Text costs a parser about
its own size, but markup forty times as much, and whoever sends a body is not
yet known; so the markup is bounded here, the text only by the length of the body.
"""

from __future__ import annotations

import codecs
import re

from lxml import etree

from qbxml.reader import clean_references

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

#: An envelope of the Web Connector has about 1,000 bytes of markup, 4 levels deep.
MAX_MARKUP_BYTES = 64 * 1024
MAX_DEPTH = 64

_ENCODINGS = frozenset(
    codecs.lookup(name).name for name in ("utf-8", "ascii", "latin-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be")
)  # fmt: skip
_UTF8_AT_HEART = frozenset({"utf-8", "ascii"})
_UTF16_STARTS = (b"<\x00", b"\x00<", codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARED = re.compile(rb"\s*<\?xml\s[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_DECLARATION = re.compile(r"\s*<\?xml\s.*?\?>", re.DOTALL)
_CHUNK = 1024 * 1024

#: A start or end tag; a `>` within a quoted value does not end it.
_TAG = re.compile(rb"<(?P<end>/)?[^\s<>/!?\"'][^<>\"']*+(?:(?:\"[^\"<]*+\"|'[^'<]*+')[^<>\"']*+)*+>")
_CONTROL_BYTES = bytes(sorted(set(range(0x20)) - {0x09, 0x0A, 0x0D}))
#: References other than those that .NET itself writes; whether they are allowed is told by clean_references.
_UNUSUAL_REFERENCE = re.compile(rb"&#(?!x[9AD];|9;|1[03];)")
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")


class EnvelopeRefused(Exception):
    """A request that cannot be read as a call of the Web Connector.

    `sentence` is for the person in front of the Web Connector; neither it nor
    anything else here repeats what the request said. `http_status` is what
    HTTP calls it: .NET shows a fault's sentence with status 500 only. `code`
    is the fault's.
    """

    def __init__(
        self, sentence: str, *, code: str = "Client", http_status: str = "500 Internal Server Error"
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
        self.http_status = http_status


def checked_envelope(body: bytes, charset: str | None) -> bytes:
    """`body` as clean UTF-8 that is safe to parse; the same object when nothing had to be changed.

    `charset` is that of the Content-Type header, None when it has none. A byte
    order mark counts before it, the XML declaration after it. Not all that
    is wrong with the XML is found here. Raises EnvelopeRefused.
    """
    if not body.strip():
        raise EnvelopeRefused("The request has no body. Is a proxy in between that drops it?")
    body = _as_utf8(body, charset)
    _bound_markup(body)
    if _has_forbidden_characters(body):
        body = _NONCHARACTERS.sub(b"", clean_references(body))
    return body


def parsed_envelope(body: bytes) -> etree._Element:
    """The root of `body`, which `checked_envelope` has passed.

    Raises EnvelopeRefused, with the place and never with what stands there.
    """
    parser = etree.XMLParser(
        # Lifts the limit of 10 MB of text; depth and amount of markup are bounded above.
        huge_tree=True,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        # Both would cut the text of a parameter in two.
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as problem:
        line, column = problem.position
        raise EnvelopeRefused(
            f"The request is not well-formed XML at line {line}, column {column}."
        ) from None


def fault(sentence: str, *, code: str = "Client", soap_12: bool = False) -> bytes:
    """A SOAP fault with `sentence` as its faultstring, which the Web Connector shows and logs.

    `code` is "Client" or "Server". SOAP 1.2 has other names for all of it.
    """
    namespace = SOAP_12 if soap_12 else SOAP_11
    envelope = etree.Element(f"{{{namespace}}}Envelope", nsmap={"soap": namespace})
    inside = etree.SubElement(etree.SubElement(envelope, f"{{{namespace}}}Body"), f"{{{namespace}}}Fault")
    if soap_12:
        of_client = code.partition(".")[0] == "Client"
        value = etree.SubElement(etree.SubElement(inside, f"{{{namespace}}}Code"), f"{{{namespace}}}Value")
        value.text = "soap:Sender" if of_client else "soap:Receiver"
        text = etree.SubElement(etree.SubElement(inside, f"{{{namespace}}}Reason"), f"{{{namespace}}}Text")
        text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        text.text = sentence
    else:
        # The children of a SOAP 1.1 fault stand in no namespace.
        etree.SubElement(inside, "faultcode").text = f"soap:{code}"
        etree.SubElement(inside, "faultstring").text = sentence
    return etree.tostring(envelope, encoding="utf-8", xml_declaration=True)


def server_error_sentence(what: str, error_id: str) -> str:
    """What the person in front of the Web Connector reads when something failed in here."""
    return (
        f"The service could not {what}. Try again; "
        f"the operator finds the cause in the service's log under {error_id}."
    )


def _as_utf8(body: bytes, charset: str | None) -> bytes:
    encoding = _encoding_of(body, charset)
    if encoding not in _UTF8_AT_HEART:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError as problem:
            raise _not_in(encoding, problem.start) from None
        # What it declared is no longer true.
        return _DECLARATION.sub("", text.removeprefix("\ufeff"), count=1).encode("utf-8")
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.isascii():
        # In pieces: 60 MB in one string of Python's widest kind would be 240 MB.
        decoder = codecs.getincrementaldecoder("utf-8")()
        view = memoryview(body)
        for start in range(0, len(body), _CHUNK):
            piece = view[start : start + _CHUNK]
            try:
                decoder.decode(piece, final=start + _CHUNK >= len(body))
            except UnicodeDecodeError as problem:
                raise _not_in("utf-8", start + problem.start) from None
    return body


def _not_in(encoding: str, position: int) -> EnvelopeRefused:
    return EnvelopeRefused(
        f"The request is not {encoding.upper()}, as it should be, at or near byte {position}."
    )


def _encoding_of(body: bytes, charset: str | None) -> str:
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if body.startswith(_UTF16_STARTS):
        if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        return "utf-16-le" if body.startswith(b"<\x00") else "utf-16-be"
    if not charset:
        declared = _DECLARED.match(body, 0, 300)
        charset = declared[1].decode("ascii") if declared else "utf-8"
    try:
        encoding = codecs.lookup(charset).name
    except (LookupError, ValueError):
        encoding = ""
    if encoding not in _ENCODINGS:
        raise EnvelopeRefused("The request is in a charset that is not known here. Send UTF-8.")
    if encoding.startswith("utf-16"):
        # It says so, but neither has a mark nor looks so; whatever it is, it will not be guessed.
        raise EnvelopeRefused("The request says that it is UTF-16, and is not. Send UTF-8.")
    return encoding


def _bound_markup(body: bytes) -> None:
    """Walk from one `<` to the next and refuse what no SOAP call has.

    What this takes for a tag, a parser takes for a tag: elsewhere than in the
    four kinds below, a `<` is not well-formed.
    """
    markup = depth = 0
    at = body.find(b"<")
    while at >= 0:
        if body.startswith(b"<!", at) or body.startswith(b"<?", at):
            end, size = _beyond_special(body, at)
        else:
            tag = _TAG.match(body, at, at + MAX_MARKUP_BYTES)
            if tag is None:
                raise EnvelopeRefused(f"The request is not well-formed XML at byte {at}.")
            end, size = tag.end(), tag.end() - at
            if tag["end"]:
                depth -= 1
            elif body[end - 2] != 0x2F:  # not "/>"
                depth += 1
        markup += size
        if markup > MAX_MARKUP_BYTES or depth > MAX_DEPTH:
            raise EnvelopeRefused(
                f"The request has more elements or deeper ones than any call of the Web Connector (at byte {at})."
            )
        at = body.find(b"<", end)


def _beyond_special(body: bytes, at: int) -> tuple[int, int]:
    """Where CDATA, a comment or an instruction that begins at `at` ends, and how much markup it counts for."""
    for opening, closing in ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>")):
        if body.startswith(opening, at):
            found = body.find(closing, at + len(opening))
            if found < 0:
                raise EnvelopeRefused(f"The request is not well-formed XML at byte {at}.")
            return found + len(closing), len(opening) + len(closing)
    raise EnvelopeRefused("The request has a DOCTYPE, which SOAP forbids. Nothing of it was read.")


def _has_forbidden_characters(body: bytes) -> bool:
    # One search for each byte is quicker than one for all of them, and copies nothing.
    if any(control in body for control in _CONTROL_BYTES):
        return True
    if _UNUSUAL_REFERENCE.search(body):
        return True
    return not body.isascii() and _NONCHARACTERS.search(body) is not None
