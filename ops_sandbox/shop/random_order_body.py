"""A random order as GET orders/ID answers, key by key as recorded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from ops_sandbox.shop.dates import SiteTime
from ops_sandbox.shop.money.basket import Basket, FeeLine, GoodsLine, ShippingLine, Sums
from ops_sandbox.shop.money.rest import (
    charge_amounts,
    coupon_body,
    goods_amounts,
    meta_body,
    sums_body,
    tax_line_bodies,
)
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.random_shop import Customer, Product
from ops_sandbox.shop.site import CURRENCY_SYMBOLS, VERSION
from ops_sandbox.shop.wire import Doc, php_number

_PAID = {"processing", "completed", "refunded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """What of an order is not money. `line_id` is the first id of its lines and of their meta data."""

    id: int
    line_id: int
    created_via: str
    currency: str
    status: str
    gateway: tuple[str, str]
    created: datetime
    customer: Customer
    products: list[Product]
    note: str
    home: str
    time: SiteTime

    def stamps(self, name: str, at: datetime | None) -> dict[str, str | None]:
        """A date, site-local and GMT."""
        gmt = None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S")
        return {name: self.time.local(gmt), f"{name}_gmt": gmt}


def order_body(facts: OrderFacts, basket: Basket, sums: Sums) -> Doc:
    """The order, without refunds."""
    places, ids = basket.rules.decimals, count(facts.line_id)
    key = hashlib.sha256(f"{facts.home}/{facts.id}".encode()).hexdigest()[:13]
    paid = facts.created + timedelta(seconds=5) if facts.status in _PAID else None
    created = facts.stamps("date_created", facts.created)
    modified = facts.stamps("date_modified", facts.created + timedelta(seconds=5))
    completed = facts.stamps("date_completed", paid if facts.status == "completed" else None)
    dates = {**created, **modified, **completed, **facts.stamps("date_paid", paid)}
    amounts = sums_body(sums, places)
    address = {"address_1": "10 Main St", "address_2": "", **basket.address}
    person = {name: getattr(facts.customer, name) for name in ("first_name", "last_name", "company")}
    body: Doc = {
        "id": facts.id,
        "parent_id": 0,
        "status": facts.status,
        "currency": facts.currency,
        "version": VERSION,
        "prices_include_tax": basket.rules.prices_include_tax,
        "date_created": dates["date_created"],
        "date_modified": dates["date_modified"],
        **amounts,
        "customer_id": facts.customer.id,
        "order_key": f"wc_order_{key}",
        "billing": {**_address(person, address), "email": facts.customer.email, "phone": "+1 415 555 0123"},
        "shipping": {**_address(person, address), "phone": ""},
        "payment_method": facts.gateway[0],
        "payment_method_title": facts.gateway[1],
        "transaction_id": f"ch_{key}" if facts.gateway[0] in ("stripe", "ppcp-gateway") else "",
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": facts.created_via,
        "customer_note": facts.note,
        "date_completed": dates["date_completed"],
        "date_paid": dates["date_paid"],
        "cart_hash": "",
        "number": str(facts.id),
        "meta_data": [{"id": facts.line_id, "key": "is_vat_exempt", "value": "yes"}]
        if basket.vat_exempt
        else [],
        "line_items": [
            goods_body(line, product, next(ids), places)
            for line, product in zip(basket.goods, facts.products, strict=True)
        ],
        "tax_lines": [],
        "shipping_lines": [shipping_body(line, next(ids), places) for line in basket.shipping],
        "fee_lines": [fee_body(line, next(ids), places, n) for n, line in enumerate(basket.fees)],
        "coupon_lines": [coupon_body(c, 900 + n, next(ids), next(ids)) for n, c in enumerate(basket.coupons)],
        "refunds": [],
        "payment_url": f"{facts.home}/checkout/order-pay/{facts.id}/?pay_for_order=true&key=wc_order_{key}",
        "is_editable": facts.status in ("pending", "on-hold"),
        "needs_payment": facts.status in ("pending", "failed") and sums.total > 0,
        "needs_processing": any(not product.deleted for product in facts.products),
        "date_created_gmt": dates["date_created_gmt"],
        "date_modified_gmt": dates["date_modified_gmt"],
        "date_completed_gmt": dates["date_completed_gmt"],
        "date_paid_gmt": dates["date_paid_gmt"],
        "currency_symbol": CURRENCY_SYMBOLS.get(facts.currency, facts.currency),
    }
    body["tax_lines"] = tax_line_bodies(sums.cart_taxes, sums.shipping_taxes, basket.rules.rates, places, ids)
    body["_links"] = _links(facts)
    return body


def _address(person: dict[str, str], address: Doc) -> Doc:
    return {
        **person,
        **{key: address[key] for key in ("address_1", "address_2", "city", "state", "postcode", "country")},
    }


def _links(facts: OrderFacts) -> Doc:
    made = links(facts.home, f"/orders/{facts.id}", "/orders")
    templates = f"{facts.home}/wp-json/wc/v3/orders/{facts.id}/actions/email_templates"
    made["email_templates"] = [{"embeddable": True, "href": templates}]
    if facts.customer.id:
        made["customer"] = [{"href": f"{facts.home}/wp-json/wc/v3/customers/{facts.customer.id}"}]
    return made


def goods_body(line: GoodsLine, product: Product, line_id: int, places: int) -> Doc:
    """A line of goods; one whose product was deleted since names none."""
    gone = product.deleted
    quantity = php_number(line.quantity)
    amounts = goods_amounts(line, places)
    price = amounts.pop("price")
    metas = _variation_metas(product, line_id) if product.options else []
    if product.stocked and not gone:
        metas.append(meta_body(1000 * line_id + 5, "_reduced_stock", str(quantity)))
    return {
        "id": line_id,
        "name": product.name,
        "product_id": 0 if gone else product.parent_id or product.id,
        "variation_id": product.id if product.parent_id and not gone else 0,
        "quantity": quantity,
        "tax_class": line.tax_class,
        **amounts,
        "meta_data": metas,
        "sku": None if gone else product.sku,
        "global_unique_id": None if gone else "",
        "price": price,
        # WooCommerce writes a missing picture in two ways.
        "image": {"id": 0 if gone or product.parent_id else "", "src": ""},
        "parent_name": None if gone else product.parent_name,
    }


def _variation_metas(product: Product, line_id: int) -> list[Doc]:
    color, size = product.options
    return [
        meta_body(1000 * line_id, "pa_color", color.lower(), ("Color", color)),
        meta_body(1000 * line_id + 1, "size", size, ("Size", size)),
    ]


def shipping_body(line: ShippingLine, line_id: int, places: int) -> Doc:
    """A shipping line."""
    return {
        "id": line_id,
        "method_title": "Flat rate" if line.total else "Free shipping",
        "method_id": "flat_rate" if line.total else "free_shipping",
        "instance_id": "1",
        **charge_amounts(line, places),
        "tax_status": "taxable" if line.taxable else "none",
        "meta_data": [],
    }


def fee_body(line: FeeLine, line_id: int, places: int, number: int) -> Doc:
    """A fee line."""
    return {
        "id": line_id,
        "name": f"{'Discount' if line.total < 0 else 'Handling'} {number + 1}",
        "tax_class": line.tax_class,
        "tax_status": "taxable" if line.taxable else "none",
        "amount": "",
        **charge_amounts(line, places),
        "meta_data": [],
    }
