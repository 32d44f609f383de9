"""Errors of the message language, each with its facts and a sentence for the operator.

* QbxmlError
  * UnknownMessage            the grammar has no such request or response
  * UnknownEdition            the grammar has no such edition or version
  * BodyError                 a request cannot be written; `path` says where
    - UnknownElement          no such element or attribute at this place
    - MissingElement          a required element or attribute is absent
    - RepeatedElement         several values where one is allowed
    - ChoiceConflict          two branches of one choice are used
    - ValueRefused            a value does not fit its place
      + WrongType             another type than the place wants
      + ValueTooLong          more characters or digits than allowed
      + TooPrecise            more decimals than allowed; nothing is rounded
      + OutOfRange            below the minimum or above the maximum
      + NotInEnum             not one of the allowed words
      + BadCharacter          a character that cannot travel
  * MalformedResponse         what QuickBooks sent cannot be read

A path looks like `SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptItemAdd[2]/Price`;
an attribute's last step starts with "@", and counting starts at one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SHOWN_CHARACTERS = 40
_TEXT_BETWEEN_TAGS = re.compile(r">[^<]*")
_QUOTED = re.compile(r"\"[^\"]*(?:\"|$)|'[^']*(?:'|$)")


class QbxmlError(Exception):
    """A QuickBooks message could not be written or read."""


class UnknownMessage(QbxmlError):
    """The grammar does not describe this message."""

    def __init__(self, name: str, dialect: str) -> None:
        super().__init__(name, dialect)
        self.name = name
        self.dialect = dialect

    def __str__(self) -> str:
        return f"{self.dialect} has no message {self.name!r}, or none in this edition and version."


class UnknownEdition(QbxmlError):
    """The grammar does not know this edition or version."""

    def __init__(self, edition: str, dialect: str, known: Sequence[str]) -> None:
        super().__init__(edition, dialect, known)
        self.edition = edition
        self.dialect = dialect
        self.known = tuple(known)

    def __str__(self) -> str:
        known = ", ".join(self.known) or "none"
        return f"{self.dialect} has no edition or version {self.edition!r}; it knows: {known}."


class BodyError(QbxmlError):
    """A request cannot be written; `path` names the element."""

    def __init__(self, path: str, *facts: object) -> None:
        super().__init__(path, *facts)
        self.path = path

    def beneath(self, step: str) -> None:
        """Put `step` before the path, while the error rises through the aggregates."""
        # "[2]" numbers the step that comes next, so it takes no slash.
        joint = "/" if self.path and self.path[0] != "[" else ""
        self.path = f"{step}{joint}{self.path}"

    def __str__(self) -> str:
        return f"{self.path}: {self._sentence()}"

    def _sentence(self) -> str:
        return (type(self).__doc__ or "").splitlines()[0]


class UnknownElement(BodyError):
    """There is no such element or attribute at this place."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(path, name)
        self.name = name

    def _sentence(self) -> str:
        return f"there is no {self.name!r} here, or not in this edition and version. Check the spelling."


class MissingElement(BodyError):
    """This element is required and was not given."""

    def _sentence(self) -> str:
        return "this is required and was not given."


class RepeatedElement(BodyError):
    """Several values were given for an element that may occur once."""

    def __init__(self, path: str, count: int) -> None:
        super().__init__(path, count)
        self.count = count

    def _sentence(self) -> str:
        return f"may occur once, but {self.count} were given."


class ChoiceConflict(BodyError):
    """Elements were given that exclude one another."""

    def __init__(self, path: str, names: Sequence[str]) -> None:
        super().__init__(path, names)
        self.names = tuple(names)

    def _sentence(self) -> str:
        return f"{' and '.join(self.names)} exclude one another; give one of them."


class ValueRefused(BodyError):
    """A value does not fit the place where it was put."""

    def __init__(self, path: str, value: object, *facts: object) -> None:
        super().__init__(path, value, *facts)
        self.value = value


class WrongType(ValueRefused):
    """A value is of another type than its place wants."""

    def __init__(self, path: str, value: object, type: str) -> None:
        super().__init__(path, value, type)
        self.type = type

    def _sentence(self) -> str:
        return f"{shown(self.value)} is not a {self.type}."


class ValueTooLong(ValueRefused):
    """A value has more characters, or more digits before the point, than its place takes."""

    def __init__(self, path: str, value: object, limit: int) -> None:
        super().__init__(path, value, limit)
        self.limit = limit

    def _sentence(self) -> str:
        return f"{shown(self.value)} is longer than {self.limit}. Shorten it first."


class TooPrecise(ValueRefused):
    """A number has more decimals than its place takes; nothing is rounded in silence."""

    def __init__(self, path: str, value: object, decimals: int) -> None:
        super().__init__(path, value, decimals)
        self.decimals = decimals

    def _sentence(self) -> str:
        return f"{shown(self.value)} has more than {self.decimals} decimals. Round it first."


class OutOfRange(ValueRefused):
    """A value is below the minimum or above the maximum of its place."""

    def __init__(self, path: str, value: object, minimum: object, maximum: object) -> None:
        super().__init__(path, value, minimum, maximum)
        self.minimum = minimum
        self.maximum = maximum

    def _sentence(self) -> str:
        low = "" if self.minimum is None else f" at least {self.minimum}"
        high = "" if self.maximum is None else f" at most {self.maximum}"
        return f"{shown(self.value)} must be{low}{' and' if low and high else ''}{high}."


class NotInEnum(ValueRefused):
    """A word is not among those allowed at this place; case matters."""

    def __init__(self, path: str, value: object, allowed: Sequence[str]) -> None:
        super().__init__(path, value, allowed)
        self.allowed = tuple(allowed)

    def _sentence(self) -> str:
        first = ", ".join(self.allowed[:8]) + (", ..." if len(self.allowed) > 8 else "")
        return f"{shown(self.value)} is not one of {first}."


class BadCharacter(ValueRefused):
    """A text holds a character that cannot travel to QuickBooks."""

    def __init__(self, path: str, value: object, character: str, position: int) -> None:
        super().__init__(path, value, character, position)
        self.character = character
        self.position = position

    def _sentence(self) -> str:
        return (
            f"the character U+{ord(self.character):04X} at position {self.position + 1} cannot be"
            " held by QuickBooks. Transliterate the text first."
        )


class MalformedResponse(QbxmlError):
    """What QuickBooks sent cannot be read as a message set.

    `line` and `column` count from one, 0 where unknown. `excerpt` shows tags
    only: what stood between them may be somebody's address or card.
    """

    def __init__(self, reason: str, *, line: int = 0, column: int = 0, excerpt: str = "") -> None:
        super().__init__(reason, line, column, excerpt)
        self.reason = reason
        self.line = line
        self.column = column
        self.excerpt = excerpt

    def __str__(self) -> str:
        place = f" at line {self.line}, column {self.column}" if self.line else ""
        near = f" near {self.excerpt}" if self.excerpt else ""
        return f"The message from QuickBooks cannot be read: {self.reason}{place}{near}."


def shown(value: object) -> str:
    """`value` as errors show it: quoted and short."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def bare_tags(text: str, limit: int = 80) -> str:
    """The tags of `text`, without what stands between and in them, `limit` characters at most."""
    start = text.find("<")
    if start < 0:
        return ""
    masked = _TEXT_BETWEEN_TAGS.sub(">", _QUOTED.sub('"."', text[start:]))
    return masked[:limit]
