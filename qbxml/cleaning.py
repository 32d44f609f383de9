"""Bytes from QuickBooks made readable: forbidden characters out, before any XML parser looks.

Both products put control characters that were once pasted into a name into
their answers as references (`&#x1;`), which no XML parser accepts. Within
SOAP the inner document is escaped text, so that `&amp;#x1;` passes here and
becomes a reference only in the inner document, which is cleaned in its turn.
"""

from __future__ import annotations

import codecs
import re

from .errors import MalformedResponse, bare_tags

_CONTROL_BYTES = bytes(sorted(set(range(0x20)) - {0x09, 0x0A, 0x0D}))
#: The references that are wrong, and any with a capital X, which XML does not know.
_REFERENCE = re.compile(rb"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECLARATION = re.compile(r"\ufeff?\s*<\?xml\s[^>]*?\?>")
#: Only what keeps ASCII: a declaration that could be read cannot stand in UTF-16, whatever it says.
_DECLARED_ENCODING = re.compile(
    rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']"
    rb"(utf-8|us-ascii|latin-?1|iso-8859-[0-9]{1,2}|windows-125[0-9]|cp125[0-9])[\"']",
    re.IGNORECASE,
)
_NONCHARACTERS = re.compile(rb"\xef\xbf[\xbe\xbf]")
_PROLOG = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)


def clean_references(data: bytes) -> bytes:
    """`data` without forbidden character references and forbidden control bytes.

    Forbidden is what XML 1.0 does not allow: C0 controls but tab, LF and CR,
    surrogates, U+FFFE, U+FFFF, and beyond U+10FFFF. For every encoding that
    keeps ASCII; UTF-16 with its mark is given back as it is. The very same
    object comes back when there is nothing to clean.
    """
    if data.startswith(_UTF16_MARKS):
        return data
    cleaned = data.translate(None, _CONTROL_BYTES)
    if len(cleaned) == len(data):
        cleaned = data
    if b"&#" not in cleaned:
        return cleaned
    return _REFERENCE.sub(_allowed_reference, cleaned)


def document_bytes(text: str | bytes) -> bytes:
    """The document as clean UTF-8 without its XML declaration.

    The declaration is dropped, since Point of Sale claims "windows-1252" for
    what is Unicode by the time it arrives. Bytes are decoded by their mark or
    declaration, else as UTF-8, and as Windows-1252 where that fails.
    Raises MalformedResponse for a DOCTYPE.
    """
    if isinstance(text, bytes):
        text = _decoded(text)
    declaration = _DECLARATION.match(text)
    # Every byte order mark goes, or one could hide a DOCTYPE from the check below.
    body = (text[declaration.end() :] if declaration else text).lstrip("\ufeff \t\r\n")
    # "ignore" drops halves of surrogate pairs, the only thing UTF-8 cannot hold.
    data = clean_references(body.encode("utf-8", "ignore"))
    data = _NONCHARACTERS.sub(b"", data)
    prolog = _PROLOG.match(data)
    if prolog and data.startswith(b"<!DOCTYPE", prolog.end()):
        raise MalformedResponse("it declares a DOCTYPE, which is refused", excerpt=bare_tags(text[:200]))
    return data


def _allowed_reference(found: re.Match[bytes]) -> bytes:
    hexadecimal, decimal = found[1], found[2]
    digits = (hexadecimal or decimal).lstrip(b"0")
    # Nothing allowed has more digits, and int() refuses a few thousand of them.
    if not digits or len(digits) > 7:
        return b""
    code = int(digits, 16 if hexadecimal else 10)
    if code < 0x20:
        allowed = code in (0x09, 0x0A, 0x0D)
    else:
        allowed = not (0xD800 <= code <= 0xDFFF or 0xFFFE <= code <= 0xFFFF or code > 0x10FFFF)
    if not allowed:
        return b""
    return found[0].replace(b"X", b"x")


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF16_MARKS):
        return data.decode("utf-16", "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    declared = _DECLARED_ENCODING.match(data[:200])
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return data.decode(name)
    except (LookupError, UnicodeDecodeError):
        pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
