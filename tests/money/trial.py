"""Random orders of one shop, all the way into a played Point of Sale, and what became of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

from ops_sandbox.shop.wire import Doc
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.receipts import prepare_receipt
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared
from tests.money.amounts import in_cents, in_whole_cents_a_piece, shown_sum
from tests.money.company import Answer, PlayedCompany, random_dialect, tax_table
from tests.money.drawing import Bad, Drawing, Drawn
from tests.money.giving_back import faults_of_return, give_back
from tests.money.switches import company_settings, exchange_rate, store_settings, switches_of, wrong_switches
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order

#: Requests in a message set.
_SET = 25
_CENT = Decimal("0.01")
#: Why in mode `flavour` the tax of some goes as a line all the same, by words of the remark.
_BEYOND = (
    ("no tax category and code of QuickBooks is chosen", "a line with the rates of several classes"),
    ("QuickBooks' tax", "QuickBooks' tax is too far from the shop's"),
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An order that did not come out, and what is wrong with it."""

    seed: int
    number: int
    what: str


@dataclass(slots=True)
class Outcome:
    """What became of some orders; reasons and statuses are counted."""

    orders: int = 0
    #: How many of them are bad on purpose.
    bad: int = 0
    #: Draws that came out below nothing by themselves; others were drawn instead.
    passed_over: int = 0
    receipts: int = 0
    #: Refunds of orders whose receipts were written, and the returns that were.
    refunds: int = 0
    returns: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    refused_by_pos: Counter[str] = field(default_factory=Counter)
    #: Refused before sending though they must go: "order" or "refund".
    refused: Counter[str] = field(default_factory=Counter)
    #: Refused before sending as they must be, by what is bad.
    refused_bad: Counter[str] = field(default_factory=Counter)
    #: In mode `flavour`: with the tax as a line all the same, by reason.
    by_line: Counter[str] = field(default_factory=Counter)
    #: Under a wrong switch: answers that are not what the shop says, and those that would stop the company.
    differing: int = 0
    noticed: int = 0

    def add(self, other: Outcome) -> None:
        """Takes the figures of `other` in."""
        self.orders += other.orders
        self.bad += other.bad
        self.passed_over += other.passed_over
        self.receipts += other.receipts
        self.refunds += other.refunds
        self.returns += other.returns
        self.wrong += other.wrong
        self.refused_by_pos += other.refused_by_pos
        self.refused += other.refused
        self.refused_bad += other.refused_bad
        self.by_line += other.by_line
        self.differing += other.differing
        self.noticed += other.noticed


@dataclass(frozen=True, slots=True)
class _Sent:
    number: int
    drawn: Drawn
    prepared: Prepared

    @property
    def order(self) -> Doc:
        return self.drawn.order


class Trial:
    """One shop and one company. `mode` is that of the tax; `wrong_switch` sets the company up wrongly."""

    def __init__(self, seed: int, mode: str = "line", *, wrong_switch: bool = False) -> None:
        self.seed, self.mode, self.wrong_switch = seed, mode, wrong_switch
        self.drawing = Drawing(seed)
        dialect = random_dialect(seed)
        switches = {**switches_of(dialect), **(wrong_switches(dialect, mode) if wrong_switch else {})}
        self.rules = rules = self.drawing.rules
        self.exchange = exchange_rate(rules, seed)
        if self.exchange is not None:
            self.drawing.with_foreign(0.03)
        self.settings = company_settings(rules, mode, switches, self.exchange)
        self.taxes = tax_table(self.drawing.orders)
        self.company = PlayedCompany(self.drawing.orders, dialect, self.settings, self.taxes)
        self.outcome = Outcome()

    def run(self, numbers: range) -> Outcome:
        """The orders of these numbers."""
        waiting: list[_Sent] = []
        for number in numbers:
            sent = self._prepare(number)
            if sent is not None:
                waiting.append(sent)
            if len(waiting) == _SET:
                self._send(waiting)
                waiting = []
        if waiting:
            self._send(waiting)
        return self.outcome

    def _prepare(self, number: int) -> _Sent | None:
        drawn = self.drawing[number]
        self.outcome.orders += 1
        self.outcome.bad += drawn.bad is not None
        self.outcome.passed_over += drawn.passed_over
        try:
            translated = translate_order(json.dumps(drawn.order).encode())
            mark = Mark("WMAIN", str(translated.order_id), 1)
            prepared = prepare_receipt(translated, mark, self.settings, store_settings(), self.taxes)
        except (NotSendable, Untranslatable) as refusal:
            self._refused(number, "order", str(refusal), drawn.bad)
            return None
        chosen = self.company.known(prepared)
        if chosen is None:
            self._refused(number, "order", "a stock item's line goes as one piece", drawn.bad)
            return None
        if drawn.bad is not None:
            self._wrong(number, f"was to be refused ({drawn.bad.kind}), but is sent")
        self._note_mode(number, chosen)
        return _Sent(number, drawn, chosen)

    def _refused(self, number: int, what: str, sentence: str, bad: Bad | None) -> None:
        """Right where it is bad, and for that very reason."""
        if bad is None:
            self.outcome.refused[what] += 1
            self._wrong(number, f"{what} refused before sending: {sentence}")
            return
        self.outcome.refused_bad[bad.kind] += 1
        if bad.words not in sentence:
            self._wrong(number, f"was to be refused for {bad.kind}, but: {sentence}")

    def _note_mode(self, number: int, prepared: Prepared) -> None:
        """In `flavour`, why a document goes with its tax as a line after all."""
        if self.mode == prepared.tax_mode:
            return
        remark = next((one for one in prepared.remarks if "its tax goes as a line" in one), "")
        reason = next((reason for words, reason in _BEYOND if words in remark), None)
        self.outcome.by_line[reason or "unexpected"] += 1
        if reason is None:
            self._wrong(number, f"goes with its tax as a line, and does not say why: {remark}")

    def _rate(self, order: Doc) -> Decimal | None:
        """What one of an order's currency is worth in the company's; None where that is not set."""
        if order["currency"] == self.rules.currency:
            return Decimal(1)
        return None if self.exchange is None else self.exchange[1]

    def _in_books(self, order: Doc, amount: Decimal) -> Decimal:
        rate, unit = self._rate(order), self._unit
        assert rate is not None
        return (amount * rate).quantize(unit, ROUND_HALF_UP)

    def _total(self, order: Doc) -> Decimal:
        """What the buyer paid: nobody pays parts of a cent, nor less than nothing."""
        return self._in_books(order, max(Decimal(order["total"]), Decimal(0)))

    @property
    def _unit(self) -> Decimal:
        """The smallest amount in the books: yen have no cents."""
        return Decimal(1) if self.rules.currency == "JPY" else _CENT

    def _send(self, sent: list[_Sent]) -> None:
        requests = [self.company.fill(one.prepared, str(one.number)) for one in sent]
        answers = self.company.send(requests)
        for one, answer in zip(sent, answers, strict=True):
            self._judge(one, answer)

    def _judge(self, sent: _Sent, answer: Answer) -> None:
        if self.wrong_switch:
            self._judge_wrong_switch(sent, answer)
            return
        if answer.status or answer.total is None:
            self.outcome.refused_by_pos[f"{answer.status} {answer.message}"] += 1
            self._wrong(sent.number, f"refused by QuickBooks: {answer.status} {answer.message}")
            return
        self.outcome.receipts += 1
        for what in self._faults(sent, answer):
            self._wrong(sent.number, what)
        self._give_back(sent)

    def _give_back(self, sent: _Sent) -> None:
        """Its refunds, as returns after their sale."""
        company, refunds = self.company, sent.drawn.refunds
        if not refunds:
            return
        for given in give_back(sent.order, refunds, sent.prepared, self.settings, self.taxes, company):
            self.outcome.refunds += 1
            is_newest = given.refund.refund_id == refunds[0]["id"]
            bad = sent.drawn.bad_refund if is_newest else None
            if given.refusal:
                self._refused(sent.number, "refund", given.refusal, bad)
                continue
            if bad is not None:
                self._wrong(sent.number, f"refund was to be refused ({bad.kind}), but is sent")
            self.outcome.returns += 1
            tax_item = company.items["line", self.settings["lines.tax"]]
            in_books = partial(self._in_books, sent.order)
            for what in faults_of_return(
                given, self.settings, company.stocked, company.items, tax_item, in_books
            ):
                self._wrong(sent.number, what)

    def _faults(self, sent: _Sent, answer: Answer) -> Iterator[str]:
        order = sent.order
        total = self._total(order)
        if answer.total != total:
            yield f"Total {answer.total}, the shop says {total}"
        if sent.prepared.predicted_total != answer.total:
            yield f"Total {answer.total}, predicted {sent.prepared.predicted_total}"
        if answer.tenders != total:
            yield f"tenders {answer.tenders}, the shop says {total}"
        if sent.prepared.tax_mode == "line":
            yield from self._faults_of_pieces(order, answer)
        if self._rate(order) != 1:
            # Converted parts are rounded so that they add up to the converted total.
            return
        if sent.prepared.tax_mode == "line":
            yield from self._faults_of_lines(order, answer)
        else:
            yield from self._faults_of_tax(order, answer)

    def _faults_of_tax(self, order: Doc, answer: Answer) -> Iterator[str]:
        """In mode flavour QuickBooks' tax and the rounding line come to the shop's tax and its own rounding."""
        rounding = answer.amounts.get(self.company.items["line", self.settings["lines.rounding"]], Decimal(0))
        tax = (answer.tax or Decimal(0)) + rounding
        wanted = self._total(order) - (shown_sum(order) - Decimal(order["total_tax"]))
        wanted -= self._lifted(order, answer)
        slack = self._slack(order)
        if abs(tax - wanted) > slack:
            yield f"TaxAmount {answer.tax} and rounding {rounding}, the shop's tax is {wanted}"

    def _slack(self, order: Doc) -> Decimal:
        """What lines may differ by: where the shop has parts of cents, a cent each."""
        lines = sum(len(order[key]) for key in ("line_items", "shipping_lines", "fee_lines"))
        return _CENT * lines if self.rules.decimals > 2 else Decimal(0)

    def _faults_of_lines(self, order: Doc, answer: Answer) -> Iterator[str]:
        """In mode line every part of the order stands on its own item, in its exact amount."""
        slack = self._slack(order)
        parts = [
            ("lines.tax", [order["total_tax"]]),
            ("lines.shipping", [line["total"] for line in order["shipping_lines"]]),
            ("lines.fee", [line["total"] for line in order["fee_lines"]]),
        ]
        for key, totals in parts:
            list_id = self.company.items["line", self.settings[key]]
            amount, wanted = answer.amounts.get(list_id, Decimal(0)), in_cents(totals)
            if abs(amount - wanted) > slack:
                yield f"{self.settings[key]} {amount}, the shop says {wanted}"
        for list_id, lines in self._goods(order).items():
            amount, wanted = (
                answer.amounts.get(list_id, Decimal(0)),
                in_cents(line["total"] for line in lines),
            )
            # Of pieces below a cent each is a cent.
            least = sum(map(in_whole_cents_a_piece, lines), Decimal(0))
            if abs(amount - wanted) > slack and amount != least:
                yield f"{lines[0]['name']}: {amount}, the shop says {wanted}"
        rounding = answer.amounts.get(self.company.items["line", self.settings["lines.rounding"]], Decimal(0))
        wanted = self._total(order) - shown_sum(order) - self._lifted(order, answer)
        if abs(rounding - wanted) > slack:
            yield f"{rounding} for rounding, the shop's parts and its total differ by {wanted}"

    def _faults_of_pieces(self, order: Doc, answer: Answer) -> Iterator[str]:
        """The pieces that leave the shelf are the shop's, and QuickBooks taxes nothing."""
        if answer.tax:
            yield f"TaxAmount {answer.tax}, QuickBooks was to tax nothing"
        for list_id, lines in self._goods(order).items():
            pieces = sum((Decimal(str(line["quantity"])) for line in lines), Decimal(0))
            if self.company.stocked[list_id] and answer.quantities.get(list_id) != pieces:
                yield f"{lines[0]['name']}: {answer.quantities.get(list_id)} pieces, the shop says {pieces}"

    def _lifted(self, order: Doc, answer: Answer) -> Decimal:
        """What goods come to beyond the shop's totals, so that no piece is below a cent."""
        found = Decimal(0)
        for list_id, lines in self._goods(order).items():
            amount = answer.amounts.get(list_id, Decimal(0))
            more = amount - in_cents(line["total"] for line in lines)
            # A few cents on each of several items are more than any of them may differ by.
            least = sum(map(in_whole_cents_a_piece, lines), Decimal(0))
            found += more if amount == least or abs(more) > self._slack(order) else 0
        return found

    def _goods(self, order: Doc) -> dict[str, list[Doc]]:
        """The product lines by the ListID of their item."""
        goods: dict[str, list[Doc]] = {}
        for line in order["line_items"]:
            goods.setdefault(self._item_of(line), []).append(line)
        return goods

    def _item_of(self, line: Doc) -> str:
        if line["sku"]:
            return self.company.items["sku", line["sku"]]
        return self.company.items["line", self.settings["items.fallback"]]

    def _judge_wrong_switch(self, sent: _Sent, answer: Answer) -> None:
        """The service stops a company on a Total that is not the predicted one, and on a refusal."""
        refused = bool(answer.status) or answer.total is None
        if refused:
            self.outcome.refused_by_pos[f"{answer.status}"] += 1
        else:
            self.outcome.receipts += 1
        differs = refused or answer.total != self._total(sent.order)
        noticed = refused or answer.total != sent.prepared.predicted_total
        self.outcome.differing += differs
        self.outcome.noticed += noticed
        if differs and not noticed:
            self._wrong(sent.number, f"Total {answer.total} passes for the shop's {sent.order['total']}")

    def _wrong(self, number: int, what: str) -> None:
        self.outcome.wrong.append(Wrong(self.seed, number, what))
