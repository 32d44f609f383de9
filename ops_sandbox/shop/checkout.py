"""A shopper at the checkout: an order as the storefront makes it, with the webhooks in its order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ops_sandbox.shop.coupons import apply_coupons, coupon_by_code
from ops_sandbox.shop.customers import create_customer, customer_by_email
from ops_sandbox.shop.errors import NoSuchRecord
from ops_sandbox.shop.order_lines import goods_line
from ops_sandbox.shop.orders import BILLING_KEYS, blank_order, pay, set_status
from ops_sandbox.shop.pricing import recalculate
from ops_sandbox.shop.site import Site, set_meta
from ops_sandbox.shop.stock import set_line_meta
from ops_sandbox.shop.wire import Doc

FLAT_RATE = Decimal("7.50")

TITLES = {
    "stripe": "Credit card (Stripe)",
    "cod": "Cash on delivery",
    "bacs": "Direct bank transfer",
    "cheque": "Check payments",
    "paypal": "PayPal",
}
#: Payments that come later: the order waits on hold.
_OFFLINE = {"bacs", "cheque"}

_SHOPPER: Doc = {
    "first_name": "Sho",
    "last_name": "Pper",
    "company": "",
    "address_1": "10 Main St",
    "address_2": "",
    "city": "San Francisco",
    "state": "CA",
    "postcode": "94105",
    "country": "US",
    "phone": "+14155550000",
}


@dataclass(frozen=True)
class Basket:
    """What a shopper orders. `shipping` is the flat rate without tax, None for none."""

    #: (SKU or product id, quantity) per line.
    items: Sequence[tuple[str | int, int]]
    email: str = "shopper@example.net"
    paid: bool = True
    payment_method: str = "stripe"
    coupon: str | None = None
    shipping: Decimal | None = None
    customer_id: int = 0
    new_account: bool = False
    billing: Doc = field(default_factory=dict)
    ship_to: Doc | None = None
    currency: str = "USD"
    customer_note: str = ""
    transaction_id: str = ""
    meta: Doc = field(default_factory=dict)
    created_via: str = "store-api"


def check_out(site: Site, basket: Basket) -> Doc:
    """Place the order.

    Deliveries as recorded: order.updated, those of a new account,
    order.created, product.updated. Cash on delivery makes a processing order
    that is not paid yet; a bank transfer one on hold; any other is paid and
    processing, or pending when `paid` is false. Raises `NoSuchRecord`.
    """
    order = blank_order(site)
    _fill_in(order, basket)
    for key, quantity in basket.items:
        order["line_items"].append(goods_line(site, find_by_key(site, key), quantity))
    if basket.shipping is not None:
        order["shipping_lines"].append(_flat_rate(site, order, basket.shipping))
    if basket.coupon is not None:
        coupon = coupon_by_code(site, basket.coupon)
        if coupon is None:
            raise NoSuchRecord("coupon", basket.coupon)
        apply_coupons(site, order, [coupon])
    set_meta(site, order, [{"key": key, "value": value} for key, value in basket.meta.items()])
    recalculate(site, order)
    site.store.save("orders", order)
    site.fire("order.updated", order["id"])
    order["customer_id"] = _account(site, order, basket)
    site.fire("order.created", order["id"])
    _settle(site, order, basket)
    return order


def find_by_key(site: Site, key: str | int) -> Doc:
    """A product or variation by SKU in any case, or by id. Raises `NoSuchRecord`."""
    if isinstance(key, str):
        product = site.store.catalog.by_sku(key)
        if product is None:
            raise NoSuchRecord("product with SKU", key)
        return product
    if key not in site.table("products"):
        raise NoSuchRecord("product", key)
    return site.table("products")[key]


def _fill_in(order: Doc, basket: Basket) -> None:
    billing = {**_SHOPPER, **basket.billing, "email": basket.email}
    ship_to = basket.ship_to if basket.ship_to is not None else billing
    order["billing"] = {key: str(billing.get(key, "")) for key in BILLING_KEYS}
    order["shipping"] = {key: str(ship_to.get(key, "")) for key in order["shipping"]}
    order.update(
        currency=basket.currency,
        payment_method=basket.payment_method,
        payment_method_title=TITLES.get(basket.payment_method, basket.payment_method),
        customer_ip_address="127.0.0.1",
        customer_user_agent="Mozilla/5.0",
        created_via=basket.created_via,
        customer_note=basket.customer_note,
        cart_hash=hashlib.md5(repr(list(basket.items)).encode(), usedforsecurity=False).hexdigest(),
    )


def _flat_rate(site: Site, order: Doc, amount: Decimal) -> Doc:
    line: Doc = {
        "id": site.store.next_id("line"),
        "method_title": "Flat rate",
        "method_id": "flat_rate",
        "instance_id": "1",
        "total": str(amount),
        "total_tax": "0",
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": [],
    }
    packed = ", ".join(f"{goods['name']} &times; {goods['quantity']}" for goods in order["line_items"])
    set_line_meta(site, line, "Items", packed)
    return line


def _account(site: Site, order: Doc, basket: Basket) -> int:
    if basket.customer_id or not basket.new_account:
        return basket.customer_id
    known = customer_by_email(site, basket.email)
    if known is None:
        names = {key: order["billing"][key] for key in ("first_name", "last_name")}
        known = create_customer(
            site,
            {"email": basket.email, "billing": order["billing"], "shipping": order["shipping"], **names},
        )
    return int(known["id"])


def _settle(site: Site, order: Doc, basket: Basket) -> None:
    if basket.payment_method == "cod":
        set_status(site, order, "processing")
    elif basket.payment_method in _OFFLINE:
        set_status(site, order, "on-hold")
    elif basket.paid:
        pay(site, order, basket.transaction_id)
