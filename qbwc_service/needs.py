"""What a request needs to know of QuickBooks before it can leave, and requests with gaps for it.

Everything but QuickBooks' own ids is made ready beforehand, as text with named
gaps. At claim the needs are looked up in mappings and catalogue, many
activities at once, and the gaps are filled.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from queue_store.payloads import Customer, Item


class ItemNeed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An item that a line refers to."""

    #: "sku" for a product, "line" for one of our own items (shipping, tax ...).
    kind: str
    #: The SKU, or the item's name.
    key: str
    #: What to add to QuickBooks if it is not there and may be added.
    item: Item
    #: True: the line carries the whole amount as one piece, which only a non-stock item may.
    one_piece: bool = False
    #: What a person calls the line.
    label: str = ""


class CustomerNeed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The customer that a sale belongs to."""

    customer: Customer
    #: CustomerID under which we add it.
    customer_id: str
    #: True: nobody can tell who it is; the named web customer stands in.
    fallback: bool = False


class Tender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How a part of a document was paid."""

    #: As in Tender<kind>Add.
    kind: str
    amount: Decimal
    #: CardName, or GiftCertificateNumber.
    name: str = ""


class StockNeed(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity that is written as a whole: what is there when the item was just read, and a difference."""

    list_id: str
    #: "": where our documents count, or the only one that there is.
    location: str
    difference: Decimal


class Prepared(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request made ready, but for QuickBooks' ids."""

    #: Text and the names of gaps, in turn, beginning and ending with text.
    parts: tuple[str, ...]
    items: tuple[ItemNeed, ...] = ()
    customer: CustomerNeed | None = None
    #: Department that an item goes into.
    department: str = ""
    #: ListID of the record to change.
    list_id: str = ""
    #: Fills the gaps "quantity" and "location".
    stock: StockNeed | None = None
    #: (kind, key) pairs to ask QuickBooks for before it can be made ready at all; then `parts` are empty.
    look_ups: tuple[tuple[str, str], ...] = ()
    predicted_total: Decimal | None = None
    #: "line" or "flavour": the tax mode that a document was predicted in, which its returns follow.
    tax_mode: str = ""
    #: TaxCategory that it names; "": none.
    tax_category: str = ""
    #: TxnID of the sales order that it fulfils; "": none.
    sales_order: str = ""
    #: How a document was paid; its returns are paid back the same way.
    tenders: tuple[Tender, ...] = ()
    #: How it goes instead where an item of a line that is one piece keeps stock.
    for_stock: Prepared | None = None
    #: What was shortened or respelt, for the log.
    remarks: tuple[str, ...] = ()

    def fill(self, values: Mapping[str, str]) -> str:
        """The request with every gap filled. `values` are safe in XML: ids only."""
        parts = list(self.parts)
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)


class Gaps:
    """Marks gaps in a body while it is rendered, then cuts the text at them.

    QuickBooks' ids are numbers, so a gap is rendered as a number that nothing
    else in the text can be: random, for this one rendering.
    """

    def __init__(self) -> None:
        # With the four digits behind it 18: within the 63 bits that an id may have.
        self._stem = str(10**13 + secrets.randbelow(9 * 10**13))
        self._names: list[str] = []

    def gap(self, name: str) -> str:
        """A stand-in for the value called `name`; there may be 10,000 in one text."""
        self._names.append(name)
        return f"{self._stem}{len(self._names) - 1:04d}"

    def cut(self, text: str) -> tuple[str, ...]:
        """`text` as parts: text, name of a gap, text, ..."""
        pieces = text.split(self._stem)
        parts = [pieces[0]]
        for piece in pieces[1:]:
            parts.append(self._names[int(piece[:4])])
            parts.append(piece[4:])
        return tuple(parts)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Prepared)


def encode_prepared(prepared: Prepared) -> bytes:
    return _encoder.encode(prepared)


def decode_prepared(stored: bytes) -> Prepared:
    return _decoder.decode(stored)
