"""What travels on the queue: neither WooCommerce's JSON nor QuickBooks' XML.

Amounts are in the order's currency with the decimals that the shop gave,
quantities in pieces, times aware and in UTC. All are validated where they are
made (`woo_bridge`), and trusted everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec


class Payload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all payloads. None can refer to itself: the garbage collector need not follow them."""


class Address(Payload, frozen=True, kw_only=True):
    """A billing or shipping address; every field may be empty."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class TaxAmount(Payload, frozen=True, kw_only=True):
    """The tax of one rate on one line."""

    rate_id: int
    amount: Decimal


class OrderLine(Payload, frozen=True, kw_only=True):
    """One product line. `total` is after coupons, for the whole quantity, without tax."""

    line_id: int
    #: 0 when the product was deleted from the shop.
    product_id: int
    variation_id: int = 0
    sku: str = ""
    name: str = ""
    quantity: Decimal
    subtotal: Decimal
    total: Decimal
    total_tax: Decimal
    taxes: tuple[TaxAmount, ...] = ()
    tax_class: str = ""
    #: True: the shop keeps parts of a cent of this line, which `total` does not show.
    is_rounded: bool = False
    #: WooCommerce's own truth of what this line took from the stock; None: never seen on the line.
    reduced_stock: Decimal | None = None
    #: Pieces that restocking refunds gave back, in all.
    restocked: Decimal = Decimal(0)
    #: The line of the bundle that this line is a part of, never itself however far up; 0: of none.
    bundled_by: int = 0


class ShippingLine(Payload, frozen=True, kw_only=True):
    line_id: int
    title: str = ""
    method_id: str = ""
    total: Decimal
    total_tax: Decimal
    taxes: tuple[TaxAmount, ...] = ()


class FeeLine(Payload, frozen=True, kw_only=True):
    """A fee; negative ones are discounts that a person or plugin added."""

    line_id: int
    name: str = ""
    total: Decimal
    total_tax: Decimal
    taxes: tuple[TaxAmount, ...] = ()
    tax_status: str = ""


class CouponLine(Payload, frozen=True, kw_only=True):
    code: str
    discount: Decimal
    discount_tax: Decimal = Decimal(0)


class Redeemed(Payload, frozen=True, kw_only=True):
    """A gift card, or store credit, that paid for a part of an order after tax."""

    #: The last characters of its code, behind a "*": the whole code may still be worth money.
    code: str = ""
    amount: Decimal
    #: True: the plugin notes the amount also where it is in the lines' totals already.
    may_be_in_lines: bool = False


class Shipment(Payload, frozen=True, kw_only=True):
    """A parcel, as a tracking plugin notes it."""

    number: str
    carrier: str = ""
    #: Its day in UTC is the day that was typed: the plugin knows no zone.
    shipped_at: datetime | None = None


class TaxLine(Payload, frozen=True, kw_only=True):
    """What one tax rate came to on the whole order."""

    rate_id: int
    code: str = ""
    label: str = ""
    compound: bool = False
    percent: Decimal | None = None
    tax_total: Decimal
    shipping_tax_total: Decimal


class RefundSummary(Payload, frozen=True, kw_only=True):
    refund_id: int
    #: Negative, as the shop shows it.
    total: Decimal
    reason: str = ""


class Order(Payload, frozen=True, kw_only=True):
    """A shop order as it stood at `modified_at`."""

    order_id: int
    #: The number that people see; equal to the id unless a plugin renumbers.
    number: str
    status: str
    currency: str
    prices_include_tax: bool = False
    created_at: datetime
    modified_at: datetime
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    #: 0 for a guest.
    customer_id: int = 0
    billing: Address = Address()
    shipping: Address = Address()
    payment_method: str = ""
    payment_title: str = ""
    transaction_id: str = ""
    total: Decimal
    total_tax: Decimal
    discount_total: Decimal = Decimal(0)
    discount_tax: Decimal = Decimal(0)
    shipping_total: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    lines: tuple[OrderLine, ...] = ()
    shipping_lines: tuple[ShippingLine, ...] = ()
    fee_lines: tuple[FeeLine, ...] = ()
    coupon_lines: tuple[CouponLine, ...] = ()
    tax_lines: tuple[TaxLine, ...] = ()
    refunds: tuple[RefundSummary, ...] = ()
    customer_note: str = ""
    created_via: str = ""
    #: Seconds east of UTC of the shop's own clock when the order was placed, from its local and GMT stamps.
    utc_offset_seconds: int = 0
    #: The same for `paid_at` and `completed_at`, which may fall into another half of the year.
    paid_offset_seconds: int = 0
    completed_offset_seconds: int = 0
    #: What gift cards and store credit paid.
    redeemed: tuple[Redeemed, ...] = ()
    shipments: tuple[Shipment, ...] = ()


class RefundLine(Payload, frozen=True, kw_only=True):
    """What a refund gives back for one product line; amounts and quantity are positive, unlike the shop's."""

    #: The order's line; 0 where the shop does not tell.
    line_id: int
    sku: str = ""
    name: str = ""
    quantity: Decimal
    total: Decimal
    total_tax: Decimal
    taxes: tuple[TaxAmount, ...] = ()
    #: Of `quantity`, the pieces that this refund put back on the shelf.
    restocked: Decimal = Decimal(0)


class Refund(Payload, frozen=True, kw_only=True):
    """Money given back for an order; amounts are positive where the buyer gets something.

    `shipping_lines` and `fee_lines` bear the ids of the order's own lines.
    """

    refund_id: int
    created_at: datetime
    #: All that the buyer gets, tax included; more than the lines tell where only an amount was typed.
    amount: Decimal
    reason: str = ""
    total_tax: Decimal
    lines: tuple[RefundLine, ...] = ()
    shipping_lines: tuple[ShippingLine, ...] = ()
    fee_lines: tuple[FeeLine, ...] = ()
    #: Seconds east of UTC of the shop's own clock when the money went back.
    utc_offset_seconds: int = 0
    #: The order as it stood when the refund was read.
    order: Order

    @property
    def order_id(self) -> int:
        return self.order.order_id

    @property
    def number(self) -> str:
        """The order's number, as people see it."""
        return self.order.number


class Customer(Payload, frozen=True, kw_only=True):
    """A person to be known in QuickBooks. Made from an order (guest) or a shop account."""

    #: The shop's account; 0 for a guest.
    customer_id: int = 0
    #: Trimmed and lower case; empty where the shop has none.
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    billing: Address = Address()
    shipping: Address = Address()
    modified_at: datetime | None = None


class ItemDetails(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What else an item may be told; a field that is left out stays as it is, or as QuickBooks makes it."""

    size: str = ""
    attribute: str = ""
    #: By level: "1" to "5", "web", "msrp". A level that is left out is no price of 0.00.
    prices: Mapping[str, Decimal] = {}
    cost: Decimal | None = None
    upc: str = ""
    description: str = ""
    web_description: str = ""
    is_web: bool | None = None
    keywords: str = ""
    web_categories: str = ""
    manufacturer: str = ""
    weight: Decimal | None = None


class Item(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A product to be known in QuickBooks: one SKU, or one of the items for extra lines."""

    sku: str
    name: str
    #: "Inventory" or "NonInventory".
    item_type: str
    price: Decimal = Decimal(0)
    tax_code: str = ""
    department: str = ""
    details: ItemDetails | None = None


class ItemChange(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Fields of an item of QuickBooks that are to be as they are here; what is left out stays."""

    list_id: str
    #: For people; the ALU is not changed.
    sku: str = ""
    name: str = ""
    tax_code: str = ""
    #: Name of the department to move it to.
    department: str = ""
    details: ItemDetails = ItemDetails()


class Department(Payload, frozen=True, kw_only=True):
    """A department that our own items live in."""

    name: str


class Undoing(Payload, frozen=True, kw_only=True):
    """A document in QuickBooks that is to be undone, because it was our mistake or is not wanted any more."""

    #: The activity that the document belongs to, and its kind.
    activity_id: int
    kind: str
    txn_id: str
    number: str = ""
    #: The mark that the document bears.
    mark: str
    #: True: the newest content of the record goes again once that is done.
    again: bool = False


_encoder = msgspec.json.Encoder()


def encode(payload: Payload) -> bytes:
    """The stored form: JSON with Decimals as text."""
    return _encoder.encode(payload)
