"""One record of an answer, read by name.

Point of Sale answers in another order than its grammar and leaves out what has
no value, so nothing is read by position and everything may be absent. A
record looks its values up when asked, so a long answer costs little until
then; keeping a record keeps the whole answer in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import TypeVar

from lxml import etree

from .errors import WrongType
from .values import boolean_value, date_value, decimal_value, integer_value, moment_value

_T = TypeVar("_T")


class Record:
    """An aggregate such as `SalesReceiptRet`.

    Names may lead downwards: `text("CustomerRef/ListID")`. Of a repeated
    element the first is read; see `children`. An absent element gives None, and so does an
    empty one where a number, a date or a boolean is read. A value that cannot
    be read raises WrongType with its path.
    """

    __slots__ = ("_element",)

    def __init__(self, element: etree._Element) -> None:
        self._element = element

    def __repr__(self) -> str:
        return f"<Record {self.name}>"

    @property
    def name(self) -> str:
        """The element's name as QuickBooks spells it."""
        return str(self._element.tag)

    @property
    def element(self) -> etree._Element:
        """The element itself, for what this class does not offer."""
        return self._element

    def xml(self) -> str:
        """The record as text, for showing it."""
        return etree.tostring(self._element, encoding="unicode", with_tail=False)

    def attribute(self, name: str) -> str | None:
        """An attribute's text."""
        return self._element.get(name)

    def text(self, name: str) -> str | None:
        """A simple value without blanks around it; "" when it is there and empty."""
        found = self._find(name)
        return None if found is None else (found.text or "").strip()

    def first_texts(self, *names: str) -> dict[str, str]:
        """Those of these simple values that are there and not empty, by name; of a repeated one the first.

        One walk through a record of many fields is quicker than one for each name.
        """
        found: dict[str, str] = {}
        for element in self._element.iterchildren(*names):
            text = (element.text or "").strip()
            if text:
                found.setdefault(str(element.tag), text)
        return found

    def texts(self, name: str) -> list[str]:
        """The values of a repeated simple element; "Line/Note" are those of every `Line` of this record."""
        within, _, leaf = name.rpartition("/")
        if not within:
            return [(found.text or "").strip() for found in self._element.iterchildren(leaf)]
        return [
            (found.text or "").strip()
            for found in self._element.iter(leaf)
            if (parent := found.getparent()) is not None
            and parent.tag == within
            and parent.getparent() is self._element
        ]

    def decimal(self, name: str) -> Decimal | None:
        """A number."""
        return self._read(name, decimal_value)

    def integer(self, name: str) -> int | None:
        """A whole number."""
        return self._read(name, integer_value)

    def boolean(self, name: str) -> bool | None:
        """True for `true`, `True` and `1`."""
        return self._read(name, boolean_value)

    def date(self, name: str) -> date | None:
        """A date."""
        return self._read(name, date_value)

    def moment(self, name: str, zone: tzinfo = UTC) -> datetime | None:
        """A moment in UTC; `zone` is assumed where the text carries no offset."""
        return self._read(name, lambda text: moment_value(text, zone))

    def child(self, name: str) -> Record | None:
        """The first aggregate of that name."""
        found = self._find(name)
        return None if found is None else Record(found)

    def children(self, name: str | None = None) -> list[Record]:
        """All elements of that name, or all there are, in the order of the answer."""
        return [Record(element) for element in self._element.iterchildren(name or "*")]

    def fields(self) -> dict[str, str]:
        """The simple values by name; of a repeated one the first."""
        # Backwards, so that of a repeated name the first is kept.
        by_name = {str(child.tag): child for child in self._element.iterchildren(reversed=True)}
        return {name: (element.text or "").strip() for name, element in by_name.items() if not len(element)}

    def __iter__(self) -> Iterator[Record]:
        return iter(self.children())

    def _find(self, name: str) -> etree._Element | None:
        if "/" in name:
            return self._element.find(name)
        # A few fields of many are found sooner than all of them are listed.
        return next(self._element.iterchildren(name), None)

    def _read(self, name: str, value_of: Callable[[str], _T]) -> _T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return value_of(text)
        except WrongType as error:
            error.beneath(f"{self.name}/{name}")
            raise
