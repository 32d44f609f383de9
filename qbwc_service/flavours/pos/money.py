"""The shop's amounts in the company's currency: its smallest unit, and rates for others.

Point of Sale keeps one currency. An order in another is refused, or converted
at a rate that the operator has set: its total first, and its parts so that they
add up to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.splitting import CENT, rounded
from queue_store.currencies import decimals_of
from queue_store.settings import Settings

_ONE = Decimal(1)
#: What the smallest amounts are called.
_WHOLE = {CENT: "cents", _ONE: "units"}


@dataclass(frozen=True, slots=True)
class Money:
    """How amounts of a document become amounts in the books."""

    #: Smallest amount in the books: 0.01, or 1 for a currency without decimals.
    unit: Decimal = CENT
    #: What one of the document's currency is worth; 1 for the company's own.
    rate: Decimal = _ONE
    currency: str = ""

    def exact(self, amount: Decimal) -> Decimal:
        """`amount` in the company's currency, unrounded."""
        return amount if self.rate is _ONE else amount * self.rate

    def in_books(self, amount: Decimal) -> Decimal:
        """`amount` in whole units of the company's currency."""
        return rounded(self.exact(amount), self.unit)

    def remarks(self, name: str, total: Decimal, in_books: Decimal) -> tuple[str, ...]:
        """What to say of the conversion, or of the rounding, if there was one."""
        if self.rate is _ONE:
            nearest = rounded(total, self.unit)
            if nearest == total:
                return ()
            return (f"{name}: its total of {total} is {nearest} in whole {_WHOLE[self.unit]}",)
        return (f"{name}: {self.currency} {total} at {self.rate} is {in_books}",)


def money_of(name: str, currency: str, company: Settings) -> Money:
    """How amounts in `currency` become the company's. Raises NotSendable where no rate is set."""
    own: str = company["currency"]
    # Point of Sale has no third decimal: where a currency has one, what is not in whole cents is refused.
    unit = _ONE if decimals_of(own or currency) == 0 else CENT
    if not own or currency == own:
        return Money(unit)
    rate: Decimal | None = company["currency.rates"].get(currency)
    if rate is None:
        raise NotSendable(
            f"{name} is in {currency}, the company file is kept in {own}: it is not sent. "
            "Enter it by hand, set the company's currency if that is wrong, or a rate: "
            f"qbwoo company set {company.owner} currency.rates {currency}=RATE"
        )
    return Money(unit, rate, currency)


def last_place(amount: Decimal) -> Decimal:
    """The smallest amount that a shop shows, told from how it writes `amount`: 0.01, or 1 without decimals."""
    exponent = int(amount.as_tuple().exponent)
    return _ONE.scaleb(min(exponent, 0))


def total_of(name: str, total: Decimal, money: Money) -> Decimal:
    """The document's total in the books: what a payment provider charges, halves up.

    A shop may show parts of a cent, which nobody can pay; see docs/decisions/0036-nobody-pays-parts-of-a-cent.md.
    Raises NotSendable where a receipt cannot have it.
    """
    if total < 0:
        raise NotSendable(
            f"{name} has a negative total of {total}, and a receipt cannot have one. "
            "Correct it in the shop, or enter it by hand and cancel it here."
        )
    return money.in_books(total)
