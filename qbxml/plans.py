"""How a request is written: per aggregate, what each name becomes and where it stands.

Writing costs one look-up per element. In both grammars a name occurs once per
aggregate, inside of choices or not, so its place is one number. `compiler`
makes the plans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .errors import (
    BodyError,
    ChoiceConflict,
    MissingElement,
    NotInEnum,
    RepeatedElement,
    UnknownElement,
    ValueTooLong,
    WrongType,
)
from .grammar import Attribute, Message
from .markup import escaped
from .values import ToText

#: Writes one element; None: it was given, but holds nothing.
Write: TypeAlias = Callable[[object], str | None]


@dataclass(frozen=True, slots=True)
class Macro:
    """A reference to the `defMacro` of an Add earlier in the same message set."""

    name: str


class Attributes:
    """The attributes of one element, written in the order of the grammar."""

    __slots__ = ("_writers", "required")

    def __init__(self, specs: Mapping[str, Attribute], convert: Mapping[str, ToText], narrow: bool) -> None:
        self.required = tuple(f"@{spec.name}" for spec in specs.values() if spec.required)
        self._writers = {
            f"@{spec.name}": (index, _attribute(spec, convert[spec.type], narrow))
            for index, spec in enumerate(specs.values())
        }

    def write(self, given: Mapping[str, object]) -> str:
        """`given` maps "@name" to a value; the text starts with a blank, or is empty."""
        parts: list[tuple[int, str]] = []
        for name, value in given.items():
            if value is None:
                continue
            if name not in self._writers:
                raise UnknownElement(name, name)
            index, write = self._writers[name]
            try:
                parts.append((index, write(value)))
            except BodyError as error:
                error.beneath(name)
                raise
        for name in self.required:
            if given.get(name) is None:
                raise MissingElement(name)
        return "".join([text for _, text in sorted(parts)])


@dataclass(frozen=True, slots=True)
class Branch:
    """What using one branch of a choice demands besides."""

    required: tuple[str, ...]
    required_choices: tuple[int, ...]


class _Group:
    """One choice of an aggregate."""

    __slots__ = ("branches", "names", "repeats")

    def __init__(self, repeats: bool) -> None:
        self.repeats = repeats
        self.names: list[str] = []
        self.branches: list[Branch] = []


class AggregatePlan:
    """An aggregate, or the body of a message: its elements in their binding order."""

    __slots__ = ("_attributes", "_choices_of", "_groups", "_name", "_slots", "_top")

    def __init__(self, name: str, attributes: Attributes) -> None:
        self._name = name
        self._attributes = attributes
        #: name -> (place, writer, repeats)
        self._slots: dict[str, tuple[int, Write, bool]] = {}
        #: name -> the branches it stands in, as (group, branch), the outermost first
        self._choices_of: dict[str, tuple[tuple[int, int], ...]] = {}
        self._groups: list[_Group] = []
        self._top = Branch((), ())

    def write(self, body: object) -> str | None:
        """The whole element. None when `body` holds nothing but None and nothing is required."""
        inner, attributes = self.inner(body)
        if inner:
            return f"<{self._name}{attributes}>{inner}</{self._name}>"
        if not attributes and body and not self._top.required and not self._top.required_choices:
            return None
        return f"<{self._name}{attributes}/>"

    def inner(self, body: object) -> tuple[str, str]:
        """The children and the attributes of `body`, each as text."""
        if not isinstance(body, Mapping):
            raise WrongType("", body, "mapping of element names to values")
        slots, parts, attributes = self._slots, [], {}
        given: list[str] = []
        for name, value in body.items():
            if value is None:
                continue
            slot = slots.get(name)
            if slot is None:
                if not isinstance(name, str) or name[:1] != "@":
                    raise UnknownElement(str(name), str(name))
                attributes[name] = value
                continue
            place, write, repeats = slot
            try:
                is_list = isinstance(value, (list, tuple))
                text = _each(write, value, repeats) if is_list else write(value)
            except BodyError as error:
                error.beneath(name)
                raise
            if text is not None:
                parts.append((place, text))
                given.append(name)
        self._check(given)
        parts.sort()
        written = self._attributes.write(attributes) if attributes or self._attributes.required else ""
        return "".join([text for _, text in parts]), written

    def _check(self, given: list[str]) -> None:
        """Refuse absent required elements and a second branch of a choice."""
        for name in self._top.required:
            if name not in given:
                raise MissingElement(name)
        if not self._groups:
            return
        used: dict[int, dict[int, str]] = {}
        for name in given:
            for group, branch in self._choices_of.get(name, ()):
                branches = used.setdefault(group, {})
                branches.setdefault(branch, name)
                if len(branches) > 1 and not self._groups[group].repeats:
                    names = sorted(branches.values(), key=lambda name: self._slots[name][0])
                    raise ChoiceConflict("", names)
        self._check_branch(self._top, given, used)
        for group, branches in used.items():
            for branch in branches:
                self._check_branch(self._groups[group].branches[branch], given, used)

    def _check_branch(self, branch: Branch, given: list[str], used: Mapping[int, object]) -> None:
        for name in branch.required:
            if name not in given:
                raise MissingElement(name)
        for group in branch.required_choices:
            if group not in used:
                raise MissingElement(" or ".join(self._groups[group].names))

    def add_slot(self, name: str, write: Write, repeats: bool, within: tuple[tuple[int, int], ...]) -> None:
        """Put an element at the next place."""
        assert name not in self._slots, f"{name} occurs twice in {self._name}"
        self._slots[name] = (len(self._slots), write, repeats)
        if within:
            self._choices_of[name] = within

    def add_group(self, repeats: bool) -> int:
        """Open a choice; the answer is its number."""
        self._groups.append(_Group(repeats))
        return len(self._groups) - 1

    def close_branch(self, group: int, branch: Branch, names: Sequence[str]) -> None:
        """Add a finished branch to a choice."""
        self._groups[group].branches.append(branch)
        self._groups[group].names.extend(names)

    def offers(self, group: int) -> bool:
        """Whether any branch of a choice holds anything."""
        return bool(self._groups[group].names)

    def finish(self, top: Branch) -> None:
        """Say what is required outside of all choices."""
        self._top = top


class MessagePlan:
    """One request: its attributes and its body."""

    __slots__ = ("_attributes", "_body", "_knows_iterator", "_name")

    def __init__(self, message: Message, attributes: Attributes, body: AggregatePlan) -> None:
        self._name = message.name
        self._attributes = attributes
        self._body = body
        self._knows_iterator = "iterator" in message.attrs

    def write(self, body: Mapping[str, object], attrs: Mapping[str, str]) -> str:
        """The request element; errors carry the whole path."""
        try:
            written = self._attributes.write({f"@{name}": value for name, value in attrs.items()})
            if self._knows_iterator and attrs.get("iterator"):
                _check_iterator(body, attrs)
            inner, _ = self._body.inner(body)
        except BodyError as error:
            error.beneath(self._name)
            raise
        return f"<{self._name}{written}>{inner}</{self._name}>" if inner else f"<{self._name}{written}/>"


def _attribute(spec: Attribute, convert: ToText, narrow: bool) -> Callable[[object], str]:
    # requestID is echoed, and the SDK's UUIDTYPE takes 50 characters; a message set id takes 24.
    limit = 24 if spec.name.endswith("MessageSetID") else 50 if spec.type == "UUIDTYPE" else None
    allowed = spec.enum

    def write(value: object) -> str:
        text = convert(value)
        if limit is not None and len(text) > limit:
            raise ValueTooLong("", value, limit)
        if allowed is not None and text not in allowed:
            raise NotInEnum("", value, allowed)
        return f' {spec.name}="{escaped(text, narrow)}"'

    return write


def _each(write: Write, values: Sequence[object], repeats: bool) -> str | None:
    """The elements of a list one after another; None where it holds none."""
    if not repeats and len(values) > 1:
        raise RepeatedElement("", len(values))
    texts = []
    for number, value in enumerate(values, 1):
        if value is None:
            continue
        try:
            text = write(value)
        except BodyError as error:
            error.beneath(f"[{number}]")
            raise
        if text is not None:
            texts.append(text)
    return "".join(texts) if texts else None


def _check_iterator(body: Mapping[str, object], attrs: Mapping[str, str]) -> None:
    """Start opens a list of its own; Continue and Stop name the one they mean."""
    if attrs["iterator"] == "Start":
        if attrs.get("iteratorID") is not None:
            raise ChoiceConflict("", ["@iterator Start", "@iteratorID"])
    elif attrs.get("iteratorID") is None:
        raise MissingElement("@iteratorID")
    if attrs["iterator"] != "Stop" and body.get("MaxReturned") is None:
        raise MissingElement("MaxReturned")
