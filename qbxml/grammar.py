"""The grammars of qbposXML 3.0 and qbXML 13.0, as data.

The JSON files under `grammars/` describe every message's elements in their
binding order, with type, length, bounds and enumeration. This module turns
them into frozen objects; `aggregates` and `enums` are resolved on the way, so
that a reader of the tree never meets a reference. Recursive aggregates do not
occur in either grammar.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

Dialect: TypeAlias = Literal["qbposxml", "qbxml"]

_FILES: Mapping[Dialect, str] = {"qbposxml": "qbposxml-3.0.json", "qbxml": "qbxml-13.0.json"}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a message, a message set or an element."""

    name: str
    type: str
    required: bool = False
    enum: tuple[str, ...] | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One element: a simple value (`type` is set) or an aggregate (`content` is set)."""

    name: str
    #: Simple type such as "STRTYPE" or "AMTTYPE"; None for an aggregate.
    type: str | None
    #: Children in their binding order; empty for a simple value.
    content: tuple[Element | Choice, ...] = ()
    required: bool = False
    repeats: bool = False
    #: Longest text in characters, by edition; "" stands for every edition.
    lengths: Mapping[str, int] = field(default_factory=dict)
    minimum: str | None = None
    maximum: str | None = None
    enum: tuple[str, ...] | None = None
    default: str | None = None
    #: First version that knows the element; None: all of them.
    since: str | None = None
    #: Editions that do not know the element.
    not_in: tuple[str, ...] = ()
    #: True: may refer to a `defMacro` of the same message set.
    macro: bool = False
    attrs: Mapping[str, Attribute] = field(default_factory=dict)

    def length(self, edition: str = "") -> int | None:
        """Longest text in `edition`, or None where no limit is stated."""
        return self.lengths.get(edition, self.lengths.get(""))


@dataclass(frozen=True, slots=True)
class Choice:
    """A group of which exactly one branch is used."""

    branches: tuple[tuple[Element | Choice, ...], ...]
    required: bool = True
    repeats: bool = False
    since: str | None = None
    not_in: tuple[str, ...] = ()


Entry: TypeAlias = Element | Choice


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response, such as `SalesReceiptAddRq`."""

    name: str
    attrs: Mapping[str, Attribute]
    content: tuple[Entry, ...]
    since: str | None = None
    not_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetKind:
    """A message set element, such as `QBPOSXMLMsgsRq`."""

    name: str
    attrs: Mapping[str, Attribute]
    messages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grammar:
    """One dialect with all of its messages."""

    dialect: Dialect
    version: str
    root: str
    editions: tuple[str, ...]
    sets: Mapping[str, SetKind]
    messages: Mapping[str, Message]

    @property
    def request_set(self) -> SetKind:
        """The set that holds requests."""
        return next(kind for name, kind in self.sets.items() if name.endswith("MsgsRq"))


@cache
def load_grammar(dialect: Dialect) -> Grammar:
    """The grammar of `dialect`; read once per process."""
    text = resources.files(__package__).joinpath("grammars", _FILES[dialect]).read_text("utf-8")
    return _Loader(json.loads(text)).grammar()


class _Loader:
    """Turns one grammar file into objects, each aggregate once."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self._aggregates: dict[str, tuple[Entry, ...]] = {}

    def grammar(self) -> Grammar:
        raw = self.raw
        return Grammar(
            dialect=raw["dialect"],
            version=raw["version"],
            root=raw["root"],
            editions=tuple(raw["editions"]),
            sets=MappingProxyType({name: self._set(name, node) for name, node in raw["sets"].items()}),
            messages=MappingProxyType(
                {name: self._message(name, node) for name, node in raw["messages"].items()}
            ),
        )

    def _set(self, name: str, node: dict[str, Any]) -> SetKind:
        return SetKind(name, self._attrs(node), frozenset(node["messages"]))

    def _message(self, name: str, node: dict[str, Any]) -> Message:
        return Message(
            name,
            self._attrs(node),
            self._children(node),
            node.get("since"),
            tuple(node.get("not_in", ())),
        )

    def _attrs(self, node: dict[str, Any]) -> Mapping[str, Attribute]:
        return MappingProxyType(
            {
                name: Attribute(
                    name,
                    spec["type"],
                    bool(spec.get("required")),
                    self._enum(spec.get("enum")),
                    spec.get("default"),
                )
                for name, spec in node.get("attrs", {}).items()
            }
        )

    def _enum(self, value: list[str] | str | None) -> tuple[str, ...] | None:
        if value is None:
            return None
        return tuple(self.raw["enums"][value] if isinstance(value, str) else value)

    def _children(self, node: dict[str, Any]) -> tuple[Entry, ...]:
        if "ref" in node:
            return self._aggregate(node["ref"])
        return tuple(self._entry(child) for child in node.get("content", ()))

    def _aggregate(self, key: str) -> tuple[Entry, ...]:
        if key not in self._aggregates:
            found = self.raw["aggregates"][key]
            content = found["content"] if isinstance(found, dict) else found
            self._aggregates[key] = tuple(self._entry(child) for child in content)
        return self._aggregates[key]

    def _entry(self, node: dict[str, Any]) -> Entry:
        occurs = node.get("occurs")
        required, repeats = occurs in (None, "+"), occurs in ("*", "+")
        since, not_in = node.get("since"), tuple(node.get("not_in", ()))
        if "choice" in node:
            branches = tuple(tuple(self._entry(child) for child in branch) for branch in node["choice"])
            return Choice(branches, required, repeats, since, not_in)
        length = node.get("len")
        return Element(
            name=node["name"],
            type=node.get("type"),
            content=self._children(node),
            required=required,
            repeats=repeats,
            lengths=MappingProxyType(length if isinstance(length, dict) else {"": length} if length else {}),
            minimum=None if "min" not in node else str(node["min"]),
            maximum=None if "max" not in node else str(node["max"]),
            enum=self._enum(node.get("enum")),
            default=None if "default" not in node else str(node["default"]),
            since=since,
            not_in=not_in,
            macro=bool(node.get("macro")),
            attrs=self._attrs(node),
        )
