"""Reading of request documents, strictly by the grammar.

Point of Sale refuses a document as a whole when it cannot parse any of it, so
everything is read and typed here, before the first request is executed.
Text that is merely too long is another matter: it costs its request only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ops_sandbox.pos.dialect import PosDialect
from ops_sandbox.pos.errors import VERSION_UNKNOWN, RequestRefused, parse_error
from ops_sandbox.pos.values import READERS, Fields, MalformedId
from ops_sandbox.request_processor import RequestProcessorError
from qbxml.grammar import Choice, Element, Entry, Message, load_grammar

_DECLARATION = re.compile(
    r"""<\?xml\s+version\s*=\s*["']1\.0["'](\s+encoding\s*=\s*["'][A-Za-z][\w.-]*["'])?"""
    r"""(\s+standalone\s*=\s*["'](yes|no)["'])?\s*\?>"""
)
_VERSION = re.compile(r"""version\s*=\s*["']([0-9]\.[0-9])["']\s*""")
_VERSIONS = ("1.0", "1.1", "1.2", "2.0", "2.5", "3.0", "4.0")


class Unparseable(Exception):
    """Something in the document is against the grammar; the whole of it is refused."""


@dataclass(frozen=True, slots=True)
class MacroUse:
    """The id of a record that an earlier request of the set made, such as "ListID:Cust1"."""

    name: str


@dataclass(slots=True)
class Request:
    """One request of a set, typed."""

    element: etree._Element
    name: str
    attrs: dict[str, str]
    values: Fields = field(default_factory=dict)
    #: The name under which the set may refer to the record that this request makes.
    macro: str | None = None
    #: What is wrong with this request alone, found while it was read.
    fault: RequestRefused | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A message set. `broken` tells that reading ended at a request that nobody can parse."""

    stops_on_error: bool
    requests: list[Request]
    broken: bool = False


def read_document(text: str, dialect: PosDialect) -> Document:
    """The set in `text`.

    Raises `RequestProcessorError` for a document without a readable set; one whose
    set holds something unreadable comes back `broken`, with the requests before it.
    """
    try:
        version, messages = _open(text, dialect)
        if set(messages.attrib) != {"onError"}:
            raise Unparseable
        allowed = load_grammar("qbposxml").request_set
        if messages.get("onError") not in (allowed.attrs["onError"].enum or ()):
            raise Unparseable
        _no_text(messages)
    except Unparseable as error:
        raise parse_error() from error
    stops = messages.get("onError") == "stopOnError"
    plain_text = text.isascii() and "&#" not in text
    requests: list[Request] = []
    try:
        for element in _children(messages):
            if str(element.tag) not in allowed.messages:
                raise Unparseable
            requests.append(_RequestReader(element, version, dialect, plain_text).read())
    except Unparseable:
        return Document(stops, requests, broken=True)
    return Document(stops, requests)


def _open(text: str, dialect: PosDialect) -> tuple[str, etree._Element]:
    """The version asked for, and the set element."""
    declaration = _DECLARATION.match(text)
    if declaration is None:
        raise Unparseable
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(text[declaration.end() :].encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise Unparseable from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unparseable
    before = [node for node in root.itersiblings(preceding=True) if not isinstance(node, etree._Comment)]
    if len(before) != 1 or not isinstance(before[0], etree._ProcessingInstruction):
        raise Unparseable
    asked = _VERSION.fullmatch((before[0].text or "").strip())
    if before[0].target != "qbposxml" or asked is None:
        raise Unparseable
    version = asked[1]
    if version not in _VERSIONS or float(version) > float(dialect.highest_version):
        raise RequestProcessorError(
            VERSION_UNKNOWN, "The version of qbposXML that was requested is not supported."
        )
    sets = _children(root)
    if root.tag != "QBPOSXML" or root.attrib or len(sets) != 1 or sets[0].tag != "QBPOSXMLMsgsRq":
        raise Unparseable
    _no_text(root)
    return version, sets[0]


def _children(element: etree._Element) -> list[etree._Element]:
    children = []
    for child in element:
        if isinstance(child, etree._Comment):
            continue
        if not isinstance(child.tag, str):
            raise Unparseable  # an entity or an instruction
        children.append(child)
    return children


def _no_text(element: etree._Element) -> None:
    """An aggregate holds nothing but elements."""
    texts = [element.text, *(child.tail for child in element)]
    if any(text and not text.isspace() for text in texts):
        raise Unparseable


class _RequestReader:
    """Reads one request element."""

    def __init__(self, element: etree._Element, version: str, dialect: PosDialect, plain_text: bool) -> None:
        self.version = float(version)
        self.dialect = dialect
        self.plain_text = plain_text
        self.request = Request(element, str(element.tag), {str(k): str(v) for k, v in element.attrib.items()})

    def read(self) -> Request:
        request = self.request
        message = load_grammar("qbposxml").messages[request.name]
        if message.since and float(message.since) > self.version:
            raise Unparseable
        self._attributes(message)
        request.values = self._aggregate(request.element, message.content)
        return request

    def _attributes(self, message: Message) -> None:
        attrs = self.request.attrs
        for name, text in attrs.items():
            known = message.attrs.get(name)
            if known is None or (known.enum and text not in known.enum):
                raise Unparseable
            self._typed(known.type, text)
        if any(known.required and name not in attrs for name, known in message.attrs.items()):
            raise Unparseable
        iterator = attrs.get("iterator")
        if (iterator in ("Continue", "Stop")) != ("iteratorID" in attrs):
            raise Unparseable
        children = [child.tag for child in self.request.element]
        if iterator in ("Start", "Continue") and "MaxReturned" not in children:
            raise Unparseable

    def _aggregate(self, element: etree._Element, content: tuple[Entry, ...]) -> Fields:
        _no_text(element)
        children = _children(element)
        if not self.dialect.strict_order:
            places = {name: place for place, name in enumerate(_names(content))}
            if any(child.tag not in places for child in children):
                raise Unparseable
            children.sort(key=lambda child: places[str(child.tag)])
        fields: Fields = {}
        used = self._entries(content, children, 0, fields)
        if used != len(children):
            raise Unparseable
        return fields

    def _entries(
        self, content: tuple[Entry, ...], children: list[etree._Element], at: int, fields: Fields
    ) -> int:
        """Read as many of `children` as fit `content`, from `at`; the place after the last."""
        for entry in content:
            if isinstance(entry, Choice):
                at = self._choice(entry, children, at, fields)
                continue
            if at == len(children):
                if entry.required:
                    raise Unparseable
                continue
            first = at
            while at < len(children) and children[at].tag == entry.name and (entry.repeats or at == first):
                value = self._element(children[at], entry)
                if entry.repeats:
                    fields.setdefault(entry.name, []).append(value)
                else:
                    fields[entry.name] = value
                at += 1
            if at == first and entry.required:
                raise Unparseable
        return at

    def _choice(self, choice: Choice, children: list[etree._Element], at: int, fields: Fields) -> int:
        """Exactly one branch: the one that knows the next child."""
        while True:
            branch = None
            if at < len(children):
                tag = children[at].tag
                branch = next((one for one in choice.branches if tag in _names(one)), None)
            if branch is None:
                if choice.required:
                    raise Unparseable
                return at
            at = self._entries(branch, children, at, fields)
            if not choice.repeats:
                return at

    def _element(self, element: etree._Element, known: Element) -> Any:
        if known.since and float(known.since) > self.version:
            raise Unparseable
        if known.type is None:
            for name, text in element.attrib.items():
                attribute = known.attrs.get(str(name))
                if attribute is None:
                    raise Unparseable
                self.request.macro = str(self._typed(attribute.type, str(text)))
            return self._aggregate(element, known.content)
        if _children(element):
            raise Unparseable
        text = "".join([element.text or "", *((child.tail or "") for child in element)])
        if element.attrib:
            if not known.macro or list(element.attrib) != ["useMacro"] or text.strip():
                raise Unparseable
            return MacroUse(self._typed("MACROTYPE", str(element.attrib["useMacro"])))
        return self._simple(known, text)

    def _simple(self, known: Element, text: str) -> Any:
        assert known.type is not None
        if known.enum is not None and text not in known.enum:
            raise Unparseable
        if not self.plain_text:
            text = self._representable(text)
        value = self._typed(known.type, text)
        longest = known.length()
        if longest is not None and len(text) > longest and self.request.fault is None:
            self.request.fault = RequestRefused(
                3070, f'The string "{text}" in the field "{known.name}" is too long (at most {longest}).'
            )
        return value

    def _typed(self, kind: str, text: str) -> Any:
        try:
            return READERS[kind](text)
        except MalformedId as error:
            if self.dialect.malformed_id == "parse_error":
                raise Unparseable from error
            if self.request.fault is None:
                self.request.fault = RequestRefused(3000, f'The given object ID "{text}" is invalid.')
            return text
        except ValueError as error:
            raise Unparseable from error

    def _representable(self, text: str) -> str:
        try:
            text.encode("windows-1252")
        except UnicodeEncodeError as error:
            if self.dialect.outside_windows_1252 == "refuse":
                raise Unparseable from error
            return text.encode("windows-1252", "replace").decode("windows-1252")
        return text


def _names(content: tuple[Entry, ...]) -> list[str]:
    """Every element name of `content`, in binding order."""
    names: list[str] = []
    for entry in content:
        if isinstance(entry, Choice):
            for branch in entry.branches:
                names += _names(branch)
        else:
            names.append(entry.name)
    return names
