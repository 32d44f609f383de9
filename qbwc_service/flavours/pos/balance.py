"""The receipt that a document becomes, computed to the cent before it is sent.

`predict` and `balance` are pure: payload and settings in, the exact receipt
out. Only what is certain about Point of Sale is used: Price with two decimals,
Qty, TaxCode. Coupons are in the lines' totals already; shipping, fees, tips and
redeemed gift cards are lines of items of our own.

In tax mode `line` the shop's exact tax is such a line too, and QuickBooks taxes
nothing: the total is the sum of Price times Qty. In `flavour` QuickBooks taxes
by itself, and what it will come to is predicted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_DOWN, Decimal

from qbwc_service.errors import NotSendable, TaxRatesUnknown
from qbwc_service.flavours.pos.charges import (
    FEES,
    GIFT_CARDS,
    GOODS,
    SHIPPING,
    TIPS,
    Basket,
    Charge,
    basket_of,
)
from qbwc_service.flavours.pos.money import Money, last_place, money_of, total_of
from qbwc_service.flavours.pos.predicted import Receipt, ReceiptLine
from qbwc_service.flavours.pos.splitting import CENT, apportion, rounded, split
from qbwc_service.flavours.pos.tax import TaxBeyond, TaxPlan, plan, predicted
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from queue_store.payloads import Order
from queue_store.settings import Settings

#: A remaining difference up to so many cents (0.05) goes to the rounding item ...
CAP = Decimal(5)
#: ... and so many more (0.005) for each taxed line and rate, and each line of which the shop keeps parts of a
#: cent, since each was rounded by itself. See docs/decisions/0014-the-cap-grows-with-what-was-rounded.md.
CAP_PER_ROUNDING = Decimal("0.5")
_NOTHING = Decimal(0)


def predict(
    order: Order, company: Settings, taxes: TaxTable = NO_TAXES, *, in_pieces: bool = False
) -> Receipt:
    """The receipt of `order`. Raises NotSendable with the arithmetic where it does not come out."""
    return balance(basket_of(order, company), company, taxes, in_pieces=in_pieces)


def balance(
    basket: Basket,
    company: Settings,
    taxes: TaxTable = NO_TAXES,
    *,
    tax_mode: str = "",
    in_pieces: bool = False,
) -> Receipt:
    """The receipt of `basket`, in `tax_mode` ("": the company's).

    `in_pieces`: goods that no price in cents can hold are not one piece, but a cent each, and a line of the
    rounding item takes back what that is too much: so go items that keep stock.
    See docs/decisions/0037-stock-leaves-in-pieces.md.

    Raises NotSendable with the arithmetic, TaxRatesUnknown in `flavour` where QuickBooks was never asked.
    Amounts of the receipt are in the company's currency.
    """
    money = money_of(basket.name, basket.currency, company)
    job = _Job(basket, company, money, in_pieces)
    job.take_total()
    job.take_redeemed()
    if (tax_mode or company["tax.mode"]) == "flavour":
        try:
            return job.in_flavour(taxes)
        except TaxBeyond as beyond:
            if company["tax.beyond"] == "refuse":
                raise NotSendable(f"{basket.name} is not sent: {beyond.why}") from beyond
            job.remarks.append(f"{basket.name}: its tax goes as a line: {beyond.why}")
    return job.in_line()


@dataclass(slots=True)
class _Job:
    """One basket on its way to a receipt."""

    basket: Basket
    company: Settings
    money: Money
    in_pieces: bool
    #: What the receipt must come to.
    target: Decimal = _NOTHING
    charges: list[Charge] = field(default_factory=list)
    gifts: list[tuple[str, Decimal]] = field(default_factory=list)
    #: `basket.total`, and what gift cards add to it where they are tenders.
    shop_total: Decimal = _NOTHING
    remarks: list[str] = field(default_factory=list)

    def take_total(self) -> None:
        """What the receipt must come to; a total that rounding took below nothing is nothing."""
        basket = self.basket
        self.shop_total = basket.total
        if basket.total < 0 and -self.money.exact(basket.total) <= self._cap():
            self.shop_total = _NOTHING
            self.remarks.append(f"{basket.name}: its total of {basket.total} is nothing")
        self.target = total_of(basket.name, self.shop_total, self.money)

    def take_redeemed(self) -> None:
        """Gift cards become negative lines or tenders; where the total has no room for them, nothing."""
        basket, company = self.basket, self.company
        self.charges = list(basket.charges)
        self.remarks += basket.remarks
        cards = basket.redeemed
        if not cards:
            return
        amount = _sum(card.amount for card in cards)
        charged = _sum(charge.amount for charge in basket.charges) + basket.tax
        # The plugins do not agree whether the order's total is what is left to pay: the arithmetic tells.
        is_left = abs(charged - amount - self.shop_total) <= abs(charged - self.shop_total)
        if is_left and company["gift_cards.redeemed"] == "line":
            self.charges += [
                Charge("line", company["lines.gift_card"], _card_label(card.code), -card.amount, GIFT_CARDS)
                for card in cards
            ]
            return
        if not is_left:
            cards = tuple(card for card in cards if not card.may_be_in_lines)
            if len(cards) < len(basket.redeemed):
                self.remarks.append(f"{basket.name}: store credit is in its lines' totals already")
        paid = [(card.code, self.money.in_books(card.amount)) for card in cards]
        self.gifts = [(code, sum_) for code, sum_ in paid if sum_]
        if is_left:
            self.target += _sum(sum_ for _, sum_ in self.gifts)
            self.shop_total += amount

    # The two modes ----------------------------------------------------------

    def in_line(self) -> Receipt:
        """The shop's tax is a line; QuickBooks taxes nothing."""
        company = self.company
        exact = [charge.amount for charge in self.charges]
        # What the shop's total lacks. Half a unit is what rounding took from it, and lacks nowhere.
        lacking = self.money.exact(self.shop_total - _sum(exact) - self.basket.tax)
        rounding = lacking.quantize(self.money.unit, ROUND_HALF_DOWN)
        if all(self.money.exact(amount) % self.money.unit == 0 for amount in (*exact, self.basket.tax)):
            # Parts in whole cents stay as they are, also where only the total shows less than one.
            rounding = self.target - self.money.exact(_sum(exact) + self.basket.tax)
        amounts, lost = self._in_books([*exact, self.basket.tax], self.target - rounding)
        rounding = self._price_each_piece(amounts, rounding + lost)
        self._check_cap(rounding)
        code = company["lines.tax_code"]
        lines = self._lines(amounts, [code] * len(self.charges), [_NOTHING] * len(self.charges))
        lines += self._own_line(company["lines.tax"], amounts[-1], "Sales tax")
        return self._receipt(lines, rounding, "line")

    def in_flavour(self, taxes: TaxTable) -> Receipt:
        """QuickBooks taxes by its own category and codes.

        Raises TaxBeyond where that does not come out, TaxRatesUnknown where it cannot be told.
        """
        if taxes.percents is None:
            raise TaxRatesUnknown(
                f"{self.basket.name}: QuickBooks' tax rates are not known. They are read in the next session."
            )
        chosen: TaxPlan = plan(self.charges, taxes, self.company["lines.tax_code"])
        exact = [charge.amount for charge in self.charges]
        amounts, lost = self._in_books(exact, self.money.in_books(_sum(exact)))
        self._price_each_piece(amounts, lost)
        lines = self._lines(amounts, chosen.codes, chosen.percents)
        tax = predicted(((line.amount, line.percent) for line in lines), self.company)
        rounding = self.target - _sum(line.amount for line in lines) - tax
        cap = self._cap()
        if abs(rounding) > cap:
            raise TaxBeyond(
                f"{self._arithmetic(tax)} is {self.target - rounding}, the shop says {self.target} (difference "
                f"{rounding}, allowed {cap}; QuickBooks' tax {tax}, the shop's "
                f"{self.money.in_books(self.basket.tax)})."
            )
        return self._receipt(lines, rounding, "flavour", chosen.category, tax)

    def _receipt(
        self,
        lines: list[ReceiptLine],
        rounding: Decimal,
        tax_mode: str,
        tax_category: str = "",
        tax: Decimal = _NOTHING,
    ) -> Receipt:
        basket, company = self.basket, self.company
        if rounding:
            lines = [*lines, *self._own_line(company["lines.rounding"], rounding, "Rounding")]
            self.remarks.append(f"{basket.name}: {rounding} went to {company['lines.rounding']}")
        if not lines:
            raise NotSendable(
                f"{basket.name} has no lines at all: there is nothing to write. Cancel it here."
            )
        return Receipt(
            lines=tuple(lines),
            total=self.target,
            rounding=rounding,
            tax_mode=tax_mode,
            tax_category=tax_category,
            tax=tax,
            gifts=tuple(self.gifts),
            remarks=(*self.money.remarks(basket.name, basket.total, self.target), *self.remarks),
        )

    # Amounts ----------------------------------------------------------------

    def _in_books(self, exact: Sequence[Decimal], total: Decimal) -> tuple[list[Decimal], Decimal]:
        """`exact` in whole units of the company's currency with the sum `total`, less what the second is.

        A charge that has an amount keeps one: no price becomes 0.00 that was not.
        """
        unit = self.money.unit
        if not exact:
            return [], _NOTHING
        amounts = apportion([self.money.exact(amount) for amount in exact], total, unit)
        lost = _NOTHING
        for n, charge in enumerate(self.charges):
            if not amounts[n] and charge.amount:
                amounts[n] = unit.copy_sign(charge.amount)
                lost -= amounts[n]
        return amounts, lost

    def _price_each_piece(self, amounts: list[Decimal], rounding: Decimal) -> Decimal:
        """Goods that cost less than a cent a piece cost one, as far as the cap lets `rounding` take it back.

        `amounts` are changed; gives what is then to round. See docs/decisions/0016-no-piece-is-below-a-cent.md.
        """
        for n, charge in enumerate(self.charges):
            if charge.quantity <= 1 or charge.quantity % 1 or charge.kind != "sku":
                continue
            least = CENT * charge.quantity
            if 0 < amounts[n] < least and abs(rounding + amounts[n] - least) <= self._cap():
                rounding += amounts[n] - least
                amounts[n] = least
        return rounding

    def _cap(self) -> Decimal:
        roundings = sum(len(charge.rates) + charge.is_rounded for charge in self.basket.charges)
        # A shop may write its money without cents where the books have them: then it rounds to whole ones.
        shown = self.money.exact(last_place(self.basket.total))
        return (CAP + CAP_PER_ROUNDING * roundings) * max(self.money.unit, shown)

    def _check_cap(self, rounding: Decimal) -> None:
        cap = self._cap()
        if abs(rounding) <= cap:
            return
        raise NotSendable(
            f"{self.basket.name} does not add up: {self._arithmetic(self.money.exact(self.basket.tax))} is "
            f"{self.target - rounding}, the shop says {self.target} (difference {rounding}, allowed {cap}). "
            "Have it recalculated in the shop, or enter it by hand and cancel it here."
        )

    def _arithmetic(self, tax: Decimal) -> str:
        parts = []
        for what in (GOODS, SHIPPING, FEES, TIPS, GIFT_CARDS):
            amounts = [charge.amount for charge in self.charges if charge.what == what]
            if amounts or what == GOODS:
                parts.append(f"{self.money.exact(_sum(amounts))} {what}")
        parts += [f"{tax} tax"] if tax else []
        return " + ".join(parts)

    # Lines ------------------------------------------------------------------

    def _lines(
        self, amounts: Sequence[Decimal], codes: Sequence[str], percents: Sequence[Decimal]
    ) -> list[ReceiptLine]:
        lines: list[ReceiptLine] = []
        for charge, amount, code, percent in zip(self.charges, amounts, codes, percents, strict=False):
            # What is free stands on the receipt all the same, as one of the shop's own lines.
            if charge.kind == "line" and charge.quantity == 1 and (amount or charge.what != GOODS):
                lines += self._own_line(charge.key, amount, charge.label, code, percent)
            elif self._goes_in_pieces(charge, amount):
                least = CENT * charge.quantity
                lines += self._split(charge, least, code, percent)
                back, label = amount - least, f"Below a cent: {charge.label}"
                lines += self._own_line(self.company["lines.rounding"], back, label, code, percent)
            else:
                lines += self._split(charge, amount, code, percent)
        return lines

    def _goes_in_pieces(self, charge: Charge, amount: Decimal) -> bool:
        """Whether these goods are a cent each, since no price in cents can hold them."""
        if not self.in_pieces or charge.kind != "sku" or charge.quantity % 1:
            return False
        if amount < 0 and self.company["lines.negative"] == "quantity":
            return True
        return split(amount, charge.quantity, self.money.unit) is None

    def _split(self, charge: Charge, amount: Decimal, code: str, percent: Decimal) -> list[ReceiptLine]:
        unit = self.money.unit
        one = ReceiptLine(
            charge.kind,
            charge.key,
            Decimal(1),
            amount,
            charge.label,
            code,
            percent,
            unit_price=rounded(amount / charge.quantity, unit),
        )
        piece = replace(one, label=f"{_plain(charge.quantity)} x {charge.label}", one_piece=True)
        if amount < 0 and self.company["lines.negative"] == "quantity":
            # A negative quantity is not the true one either: it would put goods on the shelf.
            return [replace(piece, quantity=Decimal(-1), price=-amount)]
        pieces = split(amount, charge.quantity, unit)
        if pieces is None:
            return [piece]
        return [replace(one, quantity=quantity, price=price) for quantity, price in pieces]

    def _own_line(
        self, item: str, amount: Decimal, label: str, code: str = "", percent: Decimal = _NOTHING
    ) -> list[ReceiptLine]:
        if not amount:
            return []
        quantity = Decimal(1)
        if amount < 0 and self.company["lines.negative"] == "quantity":
            quantity, amount = Decimal(-1), -amount
        code = code or self.company["lines.tax_code"]
        return [ReceiptLine("line", item, quantity, amount, label, code, percent)]


def _card_label(code: str) -> str:
    return f"Gift card {code}".strip()


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _NOTHING)


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
