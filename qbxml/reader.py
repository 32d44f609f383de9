"""What QuickBooks sent back, read as a message set of responses.

Parsed without entities, without a DOCTYPE and without the network. Order,
encoding claims and missing version instructions do not matter; what cannot be
understood is refused with its place, never guessed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from .cleaning import clean_references, document_bytes
from .errors import MalformedResponse, UnknownMessage, bare_tags
from .grammar import Grammar
from .records import Record

__all__ = [
    "Record",
    "Request",
    "Response",
    "ResponseSet",
    "clean_references",
    "read_requests",
    "read_response",
]

_ROOTS = ("QBXML", "QBPOSXML")


class Response:
    """The answer to one request.

    `request_id` is None where none was sent. `ret_count` and the iterator's
    fields are None where the answer has none. `records` are its children.
    """

    __slots__ = (
        "_element",
        "iterator_id",
        "iterator_remaining",
        "name",
        "request_id",
        "ret_count",
        "status_code",
        "status_message",
        "status_severity",
    )

    def __init__(self, element: etree._Element) -> None:
        get = element.get
        self._element = element
        self.name = str(element.tag)
        self.request_id = get("requestID")
        code = _whole(element, "statusCode")
        if code is None:
            raise MalformedResponse(f"{_named(element)} has no statusCode", line=_line(element))
        self.status_code: int = code
        self.status_severity: str = get("statusSeverity") or ""
        self.status_message: str = get("statusMessage") or ""
        self.ret_count = _whole(element, "retCount")
        self.iterator_remaining = _whole(element, "iteratorRemainingCount")
        self.iterator_id = get("iteratorID")

    def __repr__(self) -> str:
        return f"<Response {self.name} {self.request_id!r} {self.status_code}>"

    @property
    def records(self) -> list[Record]:
        """What was returned, in the order of the answer."""
        return [Record(element) for element in self._element.iterchildren("*")]

    @property
    def written(self) -> Record:
        """What was written: the first aggregate, or this response where it holds its values itself.

        Raises IndexError where it holds nothing.
        """
        first = self.records[0]
        return first if len(first.element) else Record(self._element)

    def xml(self) -> str:
        """The response as text, for showing it."""
        return etree.tostring(self._element, encoding="unicode", with_tail=False)


@dataclass(frozen=True, slots=True)
class ResponseSet:
    """The responses to one message set, in the order of the document.

    A requestID may occur twice; it is the caller's to decide what that means.
    """

    responses: tuple[Response, ...]
    #: messageSetStatusCode, which Desktop's error recovery sets; see `statuses`.
    status_code: int | None = None
    #: newMessageSetID as Desktop echoes it.
    message_set_id: str | None = None

    @property
    def repeated_ids(self) -> frozenset[str]:
        """The requestIDs that more than one response carries."""
        counts = Counter(response.request_id for response in self.responses)
        return frozenset(name for name, count in counts.items() if name is not None and count > 1)


class Request(NamedTuple):
    """One request of our own, read back to show it."""

    name: str
    request_id: str | None
    element: etree._Element


def read_response(text: str | bytes, grammar: Grammar | None = None) -> ResponseSet:
    """The responses in `text`, a document as receiveResponseXML brings it.

    With `grammar`, the root must be its root and every response one of its messages.
    Raises MalformedResponse, and UnknownMessage for a response that `grammar` lacks.
    """
    root = _parsed(text)
    if grammar is not None and root.tag != grammar.root:
        raise MalformedResponse(f"the root is {root.tag}, not {grammar.root}", line=_line(root))
    sets = [child for child in root if str(child.tag).endswith("MsgsRs")]
    if len(sets) != 1:
        raise MalformedResponse(f"it holds {len(sets)} response message sets instead of one")
    (found,) = sets
    if grammar is not None:
        for child in found:
            if child.tag not in grammar.messages:
                raise UnknownMessage(str(child.tag), grammar.dialect)
    return ResponseSet(
        tuple([Response(child) for child in found]),
        _whole(found, "messageSetStatusCode"),
        found.get("newMessageSetID"),
    )


def read_requests(text: str | bytes) -> list[Request]:
    """The requests of a document of ours, in order. Raises MalformedResponse."""
    return [
        Request(str(child.tag), child.get("requestID"), child)
        for kind in _parsed(text)
        if str(kind.tag).endswith("MsgsRq")
        for child in kind
    ]


def _parsed(text: str | bytes) -> etree._Element:
    data = document_bytes(text)
    if not data.strip():
        raise MalformedResponse("it is empty")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = (error.msg or "it is not XML").partition(", line ")[0]
        raise MalformedResponse(
            reason, line=line, column=column, excerpt=_excerpt(data, line, column)
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedResponse("it declares a DOCTYPE, which is refused")
    if root.tag not in _ROOTS:
        raise MalformedResponse(f"the root is {root.tag}, not QBXML or QBPOSXML")
    return root


def _excerpt(data: bytes, line: int, column: int) -> str:
    """The tags just before the place of an error."""
    start = 0
    for _ in range(line - 1):
        found = data.find(b"\n", start)
        if found < 0:
            break
        start = found + 1
    end = start + max(column - 1, 0)
    return bare_tags(data[max(end - 60, 0) : end].decode("utf-8", "replace"))


def _named(element: etree._Element) -> str:
    request_id = element.get("requestID")
    return f"{element.tag} (requestID {request_id!r})" if request_id else f"{element.tag}"


def _whole(element: etree._Element, name: str) -> int | None:
    text = element.get(name)
    if text is None:
        return None
    try:
        number = int(text)
    except ValueError as error:
        raise MalformedResponse(
            f"{name} of {_named(element)} is not a number", line=_line(element)
        ) from error
    # An INTTYPE of the grammar. What is longer would fit no column either.
    if not -(2**31) <= number < 2**31:
        raise MalformedResponse(
            f"{name} of {_named(element)} is not a number of 32 bits", line=_line(element)
        )
    return number


def _line(element: etree._Element) -> int:
    line = element.sourceline
    return line if isinstance(line, int) else 0
