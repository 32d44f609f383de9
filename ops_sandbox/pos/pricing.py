"""What a sale comes to: lines, discounts, tax, shipping, total.

Everything is computed with the signs of a sale; a Return that is spelt with
negative figures is turned over before, and its result turned back after.
Source: protocol reference 5.5. What it leaves open is a switch of the dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ops_sandbox.pos.books import CENT, Books
from ops_sandbox.pos.errors import invalid_reference, invalid_value
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.taxes import UNTAXED, percent_of, shipping_percent
from ops_sandbox.pos.values import Fields

_NOTHING = Decimal(0)
_HUNDRED = Decimal(100)
_UNITS = ("UnitOfMeasure1", "UnitOfMeasure2", "UnitOfMeasure3")


@dataclass(slots=True)
class Line:
    """One line of a receipt or an order, priced."""

    sent: Fields
    item: Record
    qty: Decimal
    #: Pieces that leave the shelf: qty in base units.
    base_units: Decimal
    price: Decimal
    extended: Decimal
    tax_code: str | None
    percent: Decimal
    tax: Decimal = _NOTHING


@dataclass(frozen=True, slots=True)
class Priced:
    """A whole receipt or order, priced."""

    lines: list[Line]
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    tax: Decimal
    total: Decimal


def price_sale(
    books: Books, fields: Fields, sent_lines: list[Fields], category: str, sign: int = 1
) -> Priced:
    """Price `sent_lines`; `sign` -1 turns their quantities and the shipping over.

    Raises status 3120 for an item that does not exist, 3140 for an unknown tax
    code or unit, 3210 for a negative line in a form that the dialect refuses.
    """
    lines = [_line(books, fields, sent, category, sign) for sent in sent_lines]
    subtotal = sum((line.extended for line in lines), _NOTHING)
    discount = _discount(fields, subtotal)
    shipping = Decimal(fields.get("ShippingInformation", {}).get("Shipping") or 0) * sign
    tax = _tax(books, lines, 1 - discount / subtotal if discount and subtotal else Decimal(1))
    if books.dialect.shipping_taxed and shipping:
        tax += books.cents(shipping * shipping_percent(books, category) / _HUNDRED)
    tax = books.cents(tax)
    return Priced(lines, subtotal, discount, shipping, tax, subtotal - discount + shipping + tax)


def _line(books: Books, fields: Fields, sent: Fields, category: str, sign: int) -> Line:
    item = books.find("ItemInventory", sent["ListID"])
    qty = Decimal(sent.get("Qty", 1)) * sign
    price = _price(item, fields, sent)
    form = books.dialect.negative_line
    if (price < 0 and form == "negative_qty") or (qty < 0 and form == "negative_price"):
        raise invalid_value("A line that lowers the total is taken in another form only.")
    extended = _extended(books, sent, price, qty)
    if sent.get("ExtendedPrice") is not None and books.dialect.extended_price_sent == "kept":
        extended = sent["ExtendedPrice"] * sign
    code = sent.get("TaxCode") or None
    if code is None and books.dialect.omitted_tax_code == "item":
        code = item.fields.get("TaxCode")
    percent = percent_of(books, category, code or UNTAXED)
    return Line(sent, item, qty, qty * base_units(item, sent), price, extended, code, percent)


def _price(item: Record, fields: Fields, sent: Fields) -> Decimal:
    """As sent, else the item's price at the line's or the receipt's price level."""
    price: Decimal | None = sent.get("Price")
    if price is not None:
        return price
    level = sent.get("PriceLevelNumber") or fields.get("PriceLevelNumber") or "1"
    return Decimal(item.fields.get(f"Price{level}") or item.fields["Price1"])


def _extended(books: Books, sent: Fields, price: Decimal, qty: Decimal) -> Decimal:
    extended = price * qty
    if books.dialect.price_is_before_discount:
        if (amount := sent.get("Discount")) is not None:
            pieces = qty if books.dialect.line_discount_per == "unit" else Decimal(1 if qty >= 0 else -1)
            extended -= amount * pieces
        elif (percent := sent.get("DiscountPercent")) is not None:
            extended *= 1 - percent / _HUNDRED
    return extended.quantize(CENT, ROUND_HALF_UP)


def base_units(item: Record, sent: Fields) -> Decimal:
    """Pieces in one of the unit that a line names. Raises status 3140 for a unit the item does not have."""
    unit = sent.get("UnitOfMeasure")
    if not unit or unit == item.fields.get("UnitOfMeasure"):
        return Decimal(1)
    for name in _UNITS:
        known = item.fields.get(name, {})
        if known.get("UnitOfMeasure") == unit:
            return Decimal(known.get("NumberOfBaseUnits", 1))
    raise invalid_reference("UnitOfMeasure", unit)


def _discount(fields: Fields, subtotal: Decimal) -> Decimal:
    if (amount := fields.get("Discount")) is not None:
        return Decimal(amount)
    percent = Decimal(fields.get("DiscountPercent") or 0)
    return (subtotal * percent / _HUNDRED).quantize(CENT, ROUND_HALF_UP)


def _tax(books: Books, lines: list[Line], share: Decimal) -> Decimal:
    """Tax on the lines; `share` is what the receipt's discount leaves of each."""
    exact = _NOTHING
    for line in lines:
        tax = line.extended * share * line.percent / _HUNDRED
        line.tax = books.cents(tax)
        exact += tax
    if books.dialect.tax_rounding == "receipt":
        return books.cents(exact)
    return sum((line.tax for line in lines), _NOTHING)


def line_fields(books: Books, line: Line, sign: int, copied: Callable[[str], bool]) -> Fields:
    """The fields of a line's Ret: those sent, else the item's, and the computed ones.

    `copied` tells which names of the item the Ret knows.
    """
    shown = {name: value for name, value in line.item.fields.items() if copied(name)}
    shown.update({name: value for name, value in line.sent.items() if value != ""})
    one_piece = books.cents(line.tax / line.qty) if line.qty else line.tax
    discounted = "Discount" in line.sent or "DiscountPercent" in line.sent
    shown.update(
        Price=line.price,
        Qty=line.qty * sign,
        ExtendedPrice=line.extended * sign,
        ExtendedTax=line.tax * sign,
        TaxAmount=one_piece if books.dialect.line_tax_amount == "unit" else line.tax * sign,
        TaxPercentage=line.percent,
        DiscountSource="Manual" if discounted else "None",
        NumberOfBaseUnits=line.base_units / line.qty if line.qty else Decimal(1),
    )
    if line.tax_code is not None:
        shown["TaxCode"] = line.tax_code
    return shown
