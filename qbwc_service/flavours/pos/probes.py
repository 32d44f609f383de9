"""Receipts that tell one Point of Sale from another: what they ask, and what their answers mean.

A question has several answers, and each foretells a Total. For each total one
receipt is sent, tendered to it: where tenders must be balanced only the true
one is taken, and where they need not be, its Total tells. All is computed from
what CompanyQuery says of taxes, so that the same receipts come out again after
a lost answer.

Source: what protocol reference 5.5 marks uncertain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import msgspec

_CENT = Decimal("0.01")
_TEN = Decimal("10.00")

_OF_TAX = ("tax.omitted_code", "tax.rounding", "tax.half")
ACCEPTED, REFUSED = "accepted", "refused"


class TaxRate(msgspec.Struct, frozen=True):
    """Percent of one tax code in one tax category."""

    category: str
    code: str
    percent: Decimal


class World(msgspec.Struct, kw_only=True):
    """What must be known before the receipts can be written."""

    taxes: tuple[TaxRate, ...] = ()
    #: Tax code of what is not taxed.
    untaxed: str = "Non"
    department_id: str = ""
    item_id: str = ""
    stock_id: str = ""

    @property
    def rate(self) -> TaxRate | None:
        """A rate that taxes anything."""
        return max((one for one in self.taxes if one.percent), key=lambda one: one.percent, default=None)


class ProbeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; None leaves an element out."""

    price: Decimal = _TEN
    quantity: Decimal = Decimal(1)
    #: "taxed", "untaxed", or "" to leave the code out.
    tax: str = "untaxed"
    discount: Decimal | None = None
    extended: Decimal | None = None
    stock: bool = False


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt, and the question that it belongs to."""

    question: str
    #: What it tenders; a Return with negative signs tenders less than nothing.
    tender: Decimal
    lines: tuple[ProbeLine, ...]
    #: The answer that its being taken gives; "": its Total tells.
    meaning: str = ""
    type: str = "Sales"
    shipping: Decimal | None = None
    discount: Decimal | None = None


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a probe."""

    #: TxnID; "": it was refused.
    txn_id: str = ""
    number: str = ""
    total: Decimal | None = None
    time_created: str = ""
    refusal: str = ""


def probes(world: World) -> list[Probe]:
    """All receipts, in an order that never changes for one world."""
    return list(_probes(world))


def _probes(world: World) -> Iterator[Probe]:
    one = (ProbeLine(),)
    yield Probe(question="plain", tender=_TEN, lines=(ProbeLine(stock=True),), meaning=ACCEPTED)
    yield Probe(question="tenders.unbalanced", tender=_TEN - _CENT, lines=one, meaning=ACCEPTED)
    pair = ProbeLine(price=Decimal("15.00"))
    yield Probe(
        question="lines.negative",
        tender=_TEN,
        lines=(pair, ProbeLine(price=Decimal("-5.00"))),
        meaning="price",
    )
    yield Probe(
        question="lines.negative",
        tender=_TEN,
        lines=(pair, ProbeLine(price=Decimal("5.00"), quantity=Decimal(-1))),
        meaning="quantity",
    )
    yield Probe(question="returns.signs", type="Return", tender=_TEN, lines=one, meaning="positive")
    yield Probe(
        question="returns.signs",
        type="Return",
        tender=-_TEN,
        lines=(ProbeLine(quantity=Decimal(-1)),),
        meaning="negative",
    )
    for question in _by_total(world):
        for total in sorted(set(question.totals.values())):
            yield Probe(
                question=question.name,
                tender=total,
                lines=question.lines,
                shipping=question.shipping,
                discount=question.discount,
            )


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question whose answers foretell totals."""

    name: str
    #: Total by answer.
    totals: Mapping[str, Decimal]
    lines: tuple[ProbeLine, ...] = (ProbeLine(),)
    shipping: Decimal | None = None
    discount: Decimal | None = None


def _by_total(world: World) -> Iterator[Question]:
    yield Question(
        name="lines.discount",
        totals={
            "off the line": Decimal("19.00"),
            "off each piece": Decimal("18.00"),
            "price is net of it": Decimal("20.00"),
        },
        lines=(ProbeLine(quantity=Decimal(2), discount=Decimal("1.00")),),
    )
    yield Question(
        name="lines.extended_price",
        totals={"kept": _TEN, "recomputed": Decimal("9.99")},
        lines=(ProbeLine(price=Decimal("3.33"), quantity=Decimal(3), extended=_TEN),),
    )
    yield Question(
        name="header.discount",
        totals={"lowers the total": Decimal("8.00"), "ignored": _TEN},
        discount=Decimal("2.00"),
    )
    yield _shipping(world)
    rate = world.rate
    if rate is None:
        return
    price = _certain(_TEN, [rate.percent])
    yield Question(
        name="tax.omitted_code",
        totals={"the item's": price + _tax(price, rate.percent), "untaxed": price},
        lines=(ProbeLine(price=price, tax=""),),
    )
    half_of = _rounding_price(rate.percent)
    if half_of is not None:
        yield Question(
            name="tax.rounding",
            totals={
                "line": 2 * (half_of + _tax(half_of, rate.percent)),
                "receipt": 2 * half_of + _tax(2 * half_of, rate.percent),
            },
            lines=(ProbeLine(price=half_of, tax="taxed"),) * 2,
        )
    price_of_half = _half_price(rate.percent)
    if price_of_half is not None:
        yield Question(
            name="tax.half",
            totals={
                "up": price_of_half + _tax(price_of_half, rate.percent),
                "even": price_of_half + _tax(price_of_half, rate.percent, ROUND_HALF_EVEN),
            },
            lines=(ProbeLine(price=price_of_half, tax="taxed"),),
        )


def _shipping(world: World) -> Question:
    category = world.rate.category if world.rate else ""
    percents = sorted({one.percent for one in world.taxes if one.category == category and one.percent})
    amount = _certain(Decimal("5.00"), percents)
    totals = {"untaxed": _TEN + amount, "left out": _TEN}
    for percent in percents:
        totals[f"taxed at {percent.normalize():f} %"] = _TEN + amount + _tax(amount, percent)
    return Question(name="header.shipping", totals=totals, shipping=amount)


def _certain(least: Decimal, percents: Sequence[Decimal]) -> Decimal:
    """The first amount from `least` on whose tax never ends on half a cent."""
    amount = least
    while any(_is_half(amount, percent) for percent in percents) and amount < 2 * least:
        amount += _CENT
    return amount


def _tax(amount: Decimal, percent: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
    return (amount * percent / 100).quantize(_CENT, rounding)


def _is_half(amount: Decimal, percent: Decimal) -> bool:
    """True if the tax on `amount` ends on half a cent."""
    return amount * percent % 1 == Decimal("0.5")


def _rounding_price(percent: Decimal) -> Decimal | None:
    """A price of which two show where tax is rounded, whichever way halves go."""
    for cents in range(101, 3000):
        price = cents * _CENT
        if _is_half(price, percent) or _is_half(2 * price, percent):
            continue
        if 2 * _tax(price, percent) != _tax(2 * price, percent):
            return price
    return None


def _half_price(percent: Decimal) -> Decimal | None:
    """A price whose tax ends on half a cent, with an even cent below."""
    for cents in range(1, 100_000):
        price = cents * _CENT
        if _is_half(price, percent) and _tax(price, percent) != _tax(price, percent, ROUND_HALF_EVEN):
            return price
    return None


# Verdicts ---------------------------------------------------------------------


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one question; "" where it could not be told, with why."""

    question: str
    answer: str = ""
    why: str = ""


def findings(world: World, answers: Sequence[Taken]) -> list[Finding]:
    """What the answers to all of `probes(world)` mean, one finding for each question."""
    asked = probes(world)
    options = {question.name: question.totals for question in _by_total(world)}
    found = []
    for question in dict.fromkeys(probe.question for probe in asked):
        pairs = [
            (probe, answer)
            for probe, answer in zip(asked, answers, strict=True)
            if probe.question == question
        ]
        accepted = [(probe, answer) for probe, answer in pairs if answer.txn_id]
        if not accepted:
            why = "; ".join(dict.fromkeys(answer.refusal for _, answer in pairs))
            refused = REFUSED if question == "tenders.unbalanced" else ""
            found.append(Finding(question=question, answer=refused, why=why))
        elif question in options:
            total = accepted[0][1].total
            meanings = [meaning for meaning, foretold in options[question].items() if foretold == total]
            why = "" if meanings else f"QuickBooks computed {total}, which no answer foretold"
            found.append(Finding(question=question, answer=" or ".join(meanings), why=why))
        else:
            found.append(Finding(question=question, answer=_meaning(question, accepted), why=""))
    why = "no tax category of this company taxes anything"
    if world.rate is not None:
        why = f"at {world.rate.percent.normalize():f} % no price shows it: it makes no difference"
    known = {one.question for one in found}
    return found + [Finding(question=name, why=why) for name in _OF_TAX if name not in known]


def _meaning(question: str, accepted: Sequence[tuple[Probe, Taken]]) -> str:
    if question == "returns.signs" and len(accepted) > 1:
        # Both are taken: the one whose Total has the sign that it was sent with.
        straight = [probe for probe, answer in accepted if answer.total == probe.tender]
        return (straight or [accepted[0][0]])[0].meaning
    return accepted[0][0].meaning
