"""A request as a person reads it: what it is, its header, its lines, how it is paid.

Made by a flavour from the request's own text (`Spelling.read_paper`), so that
what is shown is what is sent, whoever computed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Name:
    """What an id in a request stands for."""

    #: What people call it: a SKU, the name of an item, of a customer, of a department.
    text: str
    #: False: QuickBooks' id of it is not known yet, and a gap stands in its place.
    known: bool = True


#: Names by what stands in the request: an id, or the gap in square brackets.
Naming = Mapping[str, Name]


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line; `amount` is what it adds to the total before QuickBooks' own tax."""

    item: Name
    description: str
    quantity: Decimal
    price: Decimal
    amount: Decimal
    tax_code: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One request. What has no lines (a customer, an item) is all header."""

    #: "Sales receipt", "New customer" ...
    title: str
    header: tuple[tuple[str, str], ...]
    lines: tuple[PaperLine, ...] = ()
    #: Amounts of the whole document beside its lines, such as a discount (negative).
    extras: tuple[tuple[str, Decimal], ...] = ()
    tenders: tuple[tuple[str, Decimal], ...] = ()
    #: What tenders do: "Paid by", of a return "Paid back by".
    paid: str = "Paid by"

    @property
    def sum(self) -> Decimal:
        """Of lines and extras."""
        amounts = (*(line.amount for line in self.lines), *(amount for _, amount in self.extras))
        return sum(amounts, Decimal(0))


def called(naming: Naming, written: str) -> Name:
    """The name of what is `written` where an id belongs."""
    return naming.get(written) or Name(written)
