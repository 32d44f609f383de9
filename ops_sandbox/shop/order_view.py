"""How an order, a refund and a note look in REST answers and webhook bodies, key by key as recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ops_sandbox.shop.site import CURRENCY_SYMBOLS, Site
from ops_sandbox.shop.wire import Doc, money

ITEM_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_EDITABLE = {"pending", "on-hold", "auto-draft"}
_TO_BE_PAID = {"pending", "failed", "checkout-draft"}


def links(home: str, self_path: str, collection_path: str, methods: list[str] | None = None) -> Doc:
    """The "_links" of a record; paths are below /wp-json/wc/v3."""
    root = f"{home}/wp-json/wc/v3"
    return {
        "self": [{"href": f"{root}{self_path}", "targetHints": {"allow": methods or ITEM_METHODS}}],
        "collection": [{"href": f"{root}{collection_path}"}],
    }


def order_body(site: Site, order: Doc, home: str, places: int = 2) -> Doc:
    """An order as GET orders/ID gives it; `places` is the decimals asked for with `dp`."""

    def amount(key: str) -> str:
        return money(order[key], places)

    local = site.time.local
    lines = [_line_body(site, line, places) for line in order["line_items"]]
    body: Doc = {
        "id": order["id"],
        "parent_id": order["parent_id"],
        "status": order["status"],
        "currency": order["currency"],
        "version": order["version"],
        "prices_include_tax": order["prices_include_tax"],
        "date_created": local(order["date_created_gmt"]),
        "date_modified": local(order["date_modified_gmt"]),
        "discount_total": amount("discount_total"),
        "discount_tax": amount("discount_tax"),
        "shipping_total": amount("shipping_total"),
        "shipping_tax": amount("shipping_tax"),
        "cart_tax": amount("cart_tax"),
        "total": amount("total"),
        "total_tax": amount("total_tax"),
        "customer_id": order["customer_id"],
        "order_key": order["order_key"],
        "billing": dict(order["billing"]),
        "shipping": dict(order["shipping"]),
        "payment_method": order["payment_method"],
        "payment_method_title": order["payment_method_title"],
        "transaction_id": order["transaction_id"],
        "customer_ip_address": order["customer_ip_address"],
        "customer_user_agent": order["customer_user_agent"],
        "created_via": order["created_via"],
        "customer_note": order["customer_note"],
        "date_completed": local(order["date_completed_gmt"]),
        "date_paid": local(order["date_paid_gmt"]),
        "cart_hash": order["cart_hash"],
        "number": str(order["id"]),
        "meta_data": sorted((dict(m) for m in order["meta_data"]), key=lambda m: str(m["key"])),
        "line_items": lines,
        "tax_lines": [_tax_line_body(line, places) for line in order["tax_lines"]],
        "shipping_lines": [_plain_line_body(line, places) for line in order["shipping_lines"]],
        "fee_lines": [_plain_line_body(line, places) for line in order["fee_lines"]],
        "coupon_lines": [dict(line) for line in order["coupon_lines"]],
        "refunds": _refund_summaries(site, order, places),
        "payment_url": f"{home}/checkout/order-pay/{order['id']}/?pay_for_order=true&key={order['order_key']}",
        "is_editable": order["status"] in _EDITABLE,
        "needs_payment": order["status"] in _TO_BE_PAID and Decimal(order["total"]) > 0,
        "needs_processing": needs_processing(site, order),
        "date_created_gmt": order["date_created_gmt"],
        "date_modified_gmt": order["date_modified_gmt"],
        "date_completed_gmt": order["date_completed_gmt"],
        "date_paid_gmt": order["date_paid_gmt"],
        "currency_symbol": CURRENCY_SYMBOLS.get(order["currency"], order["currency"]),
    }
    body["_links"] = links(home, f"/orders/{order['id']}", "/orders")
    body["_links"]["email_templates"] = [
        {
            "embeddable": True,
            "href": f"{home}/wp-json/wc/v3/orders/{order['id']}/actions/email_templates",
        }
    ]
    if order["customer_id"]:
        body["_links"]["customer"] = [{"href": f"{home}/wp-json/wc/v3/customers/{order['customer_id']}"}]
    return body


def needs_processing(site: Site, order: Doc) -> bool:
    """Something has to be packed: a line whose product exists and is not both virtual and downloadable."""
    products = site.table("products")
    for line in order["line_items"]:
        product = products.get(line["variation_id"] or line["product_id"])
        if product is not None and not (product["virtual"] and product["downloadable"]):
            return True
    return False


def _refund_summaries(site: Site, order: Doc, places: int) -> list[Doc]:
    refunds = (site.table("refunds")[refund_id] for refund_id in order["_refund_ids"])
    return [
        {
            "id": refund["id"],
            "reason": refund["reason"],
            "total": money(-Decimal(refund["amount"]), places),
            "total_tax": money(_tax_of(refund), places),
        }
        for refund in refunds
    ]


def _tax_of(refund: Doc) -> Decimal:
    lines = refund["line_items"] + refund["shipping_lines"] + refund["fee_lines"]
    return sum((Decimal(line["total_tax"]) for line in lines), Decimal(0))


def _line_body(site: Site, line: Doc, places: int) -> Doc:
    products = site.table("products")
    product_id, variation_id = line["product_id"], line["variation_id"]
    product = products.get(variation_id or product_id)
    parent = products.get(product_id) if variation_id else None
    if product is None:
        product_id = variation_id = 0
    return {
        "id": line["id"],
        "name": line["name"],
        "product_id": product_id,
        "variation_id": variation_id,
        "quantity": line["quantity"],
        "tax_class": line["tax_class"],
        "subtotal": money(line["subtotal"], places),
        "subtotal_tax": money(line["subtotal_tax"], places),
        "total": money(line["total"], places),
        "total_tax": money(line["total_tax"], places),
        "taxes": [
            {"id": t["id"], "total": money(t["total"], places), "subtotal": money(t["subtotal"], places)}
            for t in line["taxes"]
        ],
        "meta_data": [dict(m) for m in line["meta_data"]],
        "sku": None if product is None else product["sku"] or (parent["sku"] if parent else ""),
        "global_unique_id": None if product is None else product["global_unique_id"],
        "price": line["price"],
        # WooCommerce writes a missing picture in two ways.
        "image": {"id": "" if product is not None and not variation_id else 0, "src": ""},
        "parent_name": parent["name"] if parent else None,
    }


def _plain_line_body(line: Doc, places: int) -> Doc:
    """A shipping or fee line; the taxes of both have an empty "subtotal"."""
    return {
        **line,
        "total": money(line["total"], places),
        "total_tax": money(line["total_tax"], places),
        "taxes": [{"id": t["id"], "total": money(t["total"], places), "subtotal": ""} for t in line["taxes"]],
    }


def _tax_line_body(line: Doc, places: int) -> Doc:
    return {
        **line,
        "tax_total": money(line["tax_total"], places),
        "shipping_tax_total": money(line["shipping_tax_total"], places),
    }


def refund_body(site: Site, refund: Doc, home: str, *, with_parent: bool = False, places: int = 2) -> Doc:
    """A refund as orders/ID/refunds gives it; `with_parent` as /refunds does, with the order's id."""
    body: dict[str, Any] = {"id": refund["id"]}
    if with_parent:
        body["parent_id"] = refund["parent_id"]
    body |= {
        "date_created": site.time.local(refund["date_created_gmt"]),
        "date_created_gmt": refund["date_created_gmt"],
        "amount": money(refund["amount"], places),
        "reason": refund["reason"],
        "refunded_by": refund["refunded_by"],
        "refunded_payment": refund["refunded_payment"],
        "meta_data": [dict(m) for m in refund["meta_data"]],
        "line_items": [_line_body(site, line, places) for line in refund["line_items"]],
        "shipping_lines": [_plain_line_body(line, places) for line in refund["shipping_lines"]],
        "tax_lines": [_tax_line_body(line, places) for line in refund["tax_lines"]],
        "fee_lines": [_plain_line_body(line, places) for line in refund["fee_lines"]],
    }
    parent = f"/orders/{refund['parent_id']}"
    body["_links"] = links(home, f"{parent}/refunds/{refund['id']}", f"{parent}/refunds", ["GET", "DELETE"])
    body["_links"]["up"] = [{"href": f"{home}/wp-json/wc/v3{parent}"}]
    return body


def note_body(site: Site, note: Doc, home: str) -> Doc:
    """An order note as orders/ID/notes gives it."""
    parent = f"/orders/{note['order_id']}"
    body: Doc = {
        "id": note["id"],
        "author": note["author"],
        "date_created": site.time.local(note["date_created_gmt"]),
        "date_created_gmt": note["date_created_gmt"],
        "note": note["note"],
        "customer_note": note["customer_note"],
        "_links": links(home, f"{parent}/notes/{note['id']}", f"{parent}/notes", ["GET", "DELETE"]),
    }
    body["_links"]["up"] = [{"href": f"{home}/wp-json/wc/v3{parent}"}]
    return body
