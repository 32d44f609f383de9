"""Writing of answers, as recorded from Point of Sale.

Joined as text, not built with lxml: Point of Sale answers characters that no
XML parser takes, and lxml would refuse to write them.
Source: protocol reference 5.3.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from ops_sandbox.pos.dialect import PosDialect
from ops_sandbox.pos.errors import severity
from ops_sandbox.pos.moments import Moments
from ops_sandbox.pos.shapes import Shape
from ops_sandbox.pos.values import WRITERS, Fields

_DECLARATION = '<?xml version="1.0" encoding="windows-1252"?>\n'
_MARKUP = re.compile(r'[&<>"]')
_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Writer:
    """Spells records and statuses for one dialect."""

    def __init__(self, moments: Moments, dialect: PosDialect) -> None:
        self.moments = moments
        self._control = (lambda found: "") if dialect.control_characters == "dropped" else _reference

    def document(self, answers: list[str]) -> str:
        """A whole response document. No qbposxml instruction, as recorded."""
        body = "\n".join(answers)
        return f"{_DECLARATION}<QBPOSXML>\n<QBPOSXMLMsgsRs>\n{body}\n</QBPOSXMLMsgsRs>\n</QBPOSXML>\n"

    def answer(
        self, name: str, request_id: str | None, code: int, text: str, extra: dict[str, str], body: str = ""
    ) -> str:
        """One response element; its attributes come alphabetically, as recorded."""
        attributes = dict(extra, statusCode=str(code), statusMessage=text, statusSeverity=severity(code))
        if request_id is not None:
            attributes["requestID"] = request_id
        spelt = "".join(f' {key}="{self.escaped(attributes[key])}"' for key in sorted(attributes))
        return f"<{name}{spelt}>{body}</{name}>" if body else f"<{name}{spelt}/>"

    def element(self, name: str, shape: Shape, fields: Fields, only: Collection[str] = ()) -> str:
        """A Ret with its children; `only` names those that were asked for, none meaning all."""
        return f"<{name}>{self.children(shape, fields, only)}</{name}>"

    def children(self, shape: Shape, fields: Fields, only: Collection[str] = ()) -> str:
        """Simple values, ids first and the rest alphabetically, then aggregates."""
        parts = []
        for name, kind in shape.simple.items():
            if only and name not in only:
                continue
            value = fields.get(name)
            if value is None or value == "":
                continue
            if isinstance(value, list):
                parts += [f"<{name}>{self.text(kind, one)}</{name}>" for one in value]
            else:
                parts.append(f"<{name}>{self.text(kind, value)}</{name}>")
        for name, inner in shape.aggregates.items():
            if only and name not in only:
                continue
            value = fields.get(name)
            if not value:
                continue
            parts += [
                self.element(name, inner, one) for one in (value if isinstance(value, list) else [value])
            ]
        return "".join(parts)

    def text(self, kind: str, value: Any) -> str:
        """One simple value, escaped."""
        if kind == "DATETIMETYPE":
            return self.moments.text(value)
        text = WRITERS[kind](value)
        return self.escaped(text) if kind == "STRTYPE" else text

    def escaped(self, text: str) -> str:
        """With markup escaped, and as references what windows-1252 lacks."""
        text = _MARKUP.sub(lambda found: _NAMES[found[0]], text)
        text = _CONTROL.sub(self._control, text)
        if text.isascii():
            return text
        return text.encode("windows-1252", "xmlcharrefreplace").decode("windows-1252")


def _reference(found: re.Match[str]) -> str:
    """Illegal in XML 1.0, and answered all the same."""
    return f"&#x{ord(found[0]):X};"
