"""The shop's arithmetic beside the receipt's, row by row.

The receipt's side is read from its lines as they are sent: each belongs to the
row whose item it names, and every other one is goods. What the lines leave of
the predicted total is tax that QuickBooks computes itself. So it holds however
a receipt was balanced; an item for a new sort of line belongs into `_ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from qbwc_service.paper import Paper
from queue_store.activities import RETURN, SALE, WEB_ORDER
from queue_store.catalogue import fold
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.payloads import Order, Refund
from queue_store.settings import Settings

GOODS, SHIPPING, FEES, TAX, ROUNDING, TOTAL = "goods", "shipping", "fees", "tax", "rounding", "total"

#: With cents, so that nothing is shown as "0".
_ZERO = Decimal("0.00")

#: The row of each company setting that names an item of lines; others named "lines. ..." count as fees.
_ROWS = {
    "lines.tax": TAX,
    "lines.shipping": SHIPPING,
    "lines.fee": FEES,
    "lines.rounding": ROUNDING,
    "lines.refund": GOODS,
}
#: Settings called "lines. ..." that name no item.
_NO_ITEMS = frozenset({"lines.tax_code", "lines.negative", "lines.tip_names", "lines.gift_card"})


@dataclass(frozen=True, slots=True)
class Row:
    """One row; None where a side has no such thing: an order that is refused has no receipt."""

    name: str
    shop: Decimal | None
    receipt: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """What the receipt has more than the shop."""
        return None if self.shop is None or self.receipt is None else self.receipt - self.shop


def compare(
    kind: str, payload: bytes, paper: Paper | None, total: Decimal | None, company: Settings
) -> tuple[Row, ...]:
    """The rows of one document; none for what has no amounts, such as a customer.

    `total` is what QuickBooks is expected to compute; None: the sum of the lines.
    """
    shop = shop_amounts(kind, payload)
    if shop is None:
        return ()
    items, cards = _items(company), fold(company["lines.gift_card"])
    if kind == RETURN and (shop[SHIPPING] or shop[FEES]):
        # Whatever is given back beside goods put on the shelf stands on lines of one item.
        items[fold(company["lines.refund"])] = (GOODS, SHIPPING, FEES)
    names = {row: " and ".join(rows) for rows in items.values() if len(rows) > 1 for row in rows}
    names[TOTAL] = TOTAL
    receipt = None
    if paper is not None:
        # What the buyer gets is positive on the shop's side; on a return it is as `returns.signs` says.
        sign = -1 if kind == RETURN and paper.sum < 0 else 1
        receipt = _receipt(paper, total, items, cards, sign)
        if kind != RETURN:
            _take_off_cards(receipt, paper, shop[TOTAL])
    shown: dict[str, tuple[Decimal, Decimal]] = {}
    for row in (GOODS, SHIPPING, FEES, TAX, ROUNDING, TOTAL):
        name = names.get(row, row)
        ours, theirs = shown.get(name, (_ZERO, _ZERO))
        shown[name] = (ours + shop[row], theirs + (receipt[row] if receipt else 0))
    return tuple(Row(name, ours, theirs if receipt else None) for name, (ours, theirs) in shown.items())


def shop_amounts(kind: str, payload: bytes) -> Mapping[str, Decimal] | None:
    """The shop's side; None where this kind has no amounts, or the payload cannot be read."""
    known = _PAYLOADS.get(kind)
    if known is None:
        return None
    decoder, amounts = known
    try:
        return amounts(decoder.decode(payload))
    except msgspec.DecodeError:
        return None


def _of_order(order: Order) -> Mapping[str, Decimal]:
    return _amounts(order, order.total_tax, order.total)


def _of_refund(refund: Refund) -> Mapping[str, Decimal]:
    """An amount that was typed beside the lines, or without any, counts as goods, as its line does."""
    shipping, fees = (
        _sum(line.total for line in lines) for lines in (refund.shipping_lines, refund.fee_lines)
    )
    goods = refund.amount - shipping - fees - refund.total_tax
    return {
        GOODS: goods,
        SHIPPING: shipping,
        FEES: fees,
        TAX: refund.total_tax,
        ROUNDING: _ZERO,
        TOTAL: refund.amount,
    }


def _amounts(document: Any, tax: Decimal, total: Decimal) -> Mapping[str, Decimal]:
    goods, shipping, fees = (
        _sum(line.total for line in lines)
        for lines in (document.lines, document.shipping_lines, document.fee_lines)
    )
    # Gift cards that paid lower the total, as negative fees do.
    fees -= _sum(card.amount for card in document.redeemed)
    # What the shop's own rows lack of its total.
    rest = total - goods - shipping - fees - tax
    return {GOODS: goods, SHIPPING: shipping, FEES: fees, TAX: tax, ROUNDING: rest, TOTAL: total}


#: How the payload of a kind is read, and what its amounts are.
_PAYLOADS: Mapping[str, tuple[msgspec.json.Decoder[Any], Callable[[Any], Mapping[str, Decimal]]]] = {
    SALE: (msgspec.json.Decoder(Order), _of_order),
    WEB_ORDER: (msgspec.json.Decoder(Order), _of_order),
    RETURN: (msgspec.json.Decoder(Refund), _of_refund),
}


def _items(company: Settings) -> dict[str, tuple[str, ...]]:
    """Rows by item; one item may stand for several, which are then shown as one."""
    items: dict[str, tuple[str, ...]] = {}
    for key in COMPANY_SETTINGS:
        if key.startswith("lines.") and key not in _NO_ITEMS:
            row, item = _ROWS.get(key, FEES), fold(company.text(key))
            if item and row != GOODS and row not in items.get(item, ()):
                items[item] = (*items.get(item, ()), row)
    return items


def _receipt(
    paper: Paper, total: Decimal | None, items: Mapping[str, tuple[str, ...]], cards: str, sign: int
) -> dict[str, Decimal]:
    amounts = dict.fromkeys((GOODS, SHIPPING, FEES, TAX, ROUNDING), _ZERO)
    for line in paper.lines:
        rows = items.get(fold(line.item.text), (GOODS,))
        if fold(line.item.text) == cards and sign * line.amount < 0:
            rows = (FEES,)  # One that paid; one that was sold is goods.
        amounts[rows[0]] += sign * line.amount
    for name, amount in paper.extras:
        amounts[SHIPPING if name == "Shipping" else GOODS] += sign * amount
    amounts[TOTAL] = sign * (paper.sum if total is None else total)
    amounts[TAX] += amounts[TOTAL] - sign * paper.sum
    return amounts


def _take_off_cards(receipt: dict[str, Decimal], paper: Paper, shop_total: Decimal) -> None:
    """Cards that paid as a tender: the receipt's total has them, the shop's has not."""
    cards = _sum(amount for name, amount in paper.tenders if name.split()[0] == "Gift")
    if cards and receipt[TOTAL] - cards == shop_total:
        receipt[FEES] -= cards
        receipt[TOTAL] -= cards


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)
