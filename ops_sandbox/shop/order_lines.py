"""Lines of an order as a request asks for them: goods, shipping, fees.

A request line with an "id" edits the line of that id; without one it adds a line.
An edited quantity leaves the amounts as they were (recorded).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.product_view import variation_title
from ops_sandbox.shop.site import Site, set_meta
from ops_sandbox.shop.stock import set_line_meta
from ops_sandbox.shop.wire import Doc, as_int, as_text, decimal_or


def put_lines(site: Site, order: Doc, body: Doc) -> list[Doc]:
    """Apply line_items, shipping_lines and fee_lines of a request; gives the goods lines that were edited.

    Raises `RestError` 400 for a line with neither a product nor a SKU.
    """
    edited = []
    for wanted in _entries(body, "line_items"):
        line = _existing(order["line_items"], wanted)
        if line is None:
            order["line_items"].append(_new_line(site, wanted))
        elif "quantity" in wanted and as_int(wanted["quantity"]) == 0:
            order["line_items"].remove(line)
        else:
            _edit_line(site, line, wanted)
            edited.append(line)
    for wanted in _entries(body, "shipping_lines"):
        line = _existing(order["shipping_lines"], wanted)
        if line is None:
            order["shipping_lines"].append(line := _new_shipping(site))
        for key in ("method_title", "method_id", "instance_id"):
            if wanted.get(key) is not None:
                line[key] = as_text(wanted[key])
        _set_amount(line, "total", wanted)
        set_line_metas(site, line, wanted.get("meta_data"))
    for wanted in _entries(body, "fee_lines"):
        line = _existing(order["fee_lines"], wanted)
        if line is None:
            order["fee_lines"].append(line := _new_fee(site))
        for key in ("name", "tax_class", "tax_status"):
            if wanted.get(key) is not None:
                line[key] = as_text(wanted[key])
        _set_amount(line, "total", wanted)
        set_line_metas(site, line, wanted.get("meta_data"))
    return edited


def goods_line(
    site: Site,
    product: Doc | None,
    quantity: int,
    subtotal: Decimal | None = None,
    total: Decimal | None = None,
) -> Doc:
    """A new line for `quantity` of a product or variation; amounts default to its price.

    Without a product the line is empty: nameless, of 0.00.
    """
    variation = product is not None and product["type"] == "variation"
    parent = site.table("products").get(product["parent_id"]) if product and variation else None
    price = Decimal(product["price"] or "0") if product else Decimal(0)
    subtotal = price * quantity if subtotal is None else subtotal
    total = subtotal if total is None else total
    tax_class = product["tax_class"] if product else ""
    if product and tax_class == "parent":
        tax_class = parent["tax_class"] if parent else ""
    line: Doc = {
        "id": site.store.next_id("line"),
        "name": variation_title(parent, product)
        if product and parent
        else product["name"]
        if product
        else "",
        "product_id": (parent["id"] if parent else product["id"]) if product else 0,
        "variation_id": product["id"] if product and variation else 0,
        "quantity": quantity,
        "tax_class": tax_class,
        "subtotal": str(subtotal),
        "subtotal_tax": "0",
        "total": str(total),
        "total_tax": "0",
        "taxes": [],
        "meta_data": [],
        "price": 0,
    }
    for attribute in product["attributes"] if product and variation else []:
        option = attribute["option"]
        value = option.lower().replace(" ", "-") if attribute["id"] else option
        set_line_meta(site, line, attribute["slug"], value, (attribute["name"], option))
    return line


def set_line_metas(site: Site, line: Doc, entries: object) -> None:
    """`meta_data` of a line, which carries display_key and display_value beside the usual three."""
    set_meta(site, line, entries)
    for meta in line["meta_data"]:
        meta.setdefault("display_key", meta["key"])
        meta.setdefault("display_value", meta["value"])


def _entries(body: Doc, key: str) -> list[Doc]:
    value = body.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _existing(lines: list[Doc], wanted: Doc) -> Doc | None:
    if not wanted.get("id"):
        return None
    return next((line for line in lines if line["id"] == as_int(wanted["id"])), None)


def _new_line(site: Site, wanted: Doc) -> Doc:
    product = _wanted_product(site, wanted)
    quantity = as_int(wanted.get("quantity", 1))
    subtotal = _amount(wanted, "subtotal")
    total = _amount(wanted, "total")
    line = goods_line(site, product, quantity, subtotal if subtotal is not None else total, total)
    if wanted.get("name"):
        line["name"] = as_text(wanted["name"])
    set_line_metas(site, line, wanted.get("meta_data"))
    return line


def _wanted_product(site: Site, wanted: Doc) -> Doc | None:
    products = site.table("products")
    if wanted.get("sku"):
        return site.store.catalog.by_sku(as_text(wanted["sku"]))
    product_id = as_int(wanted.get("variation_id")) or as_int(wanted.get("product_id"))
    if not product_id:
        raise RestError("woocommerce_rest_required_product_reference", "Product ID or SKU is required.", 400)
    return products.get(product_id)


def _edit_line(site: Site, line: Doc, wanted: Doc) -> None:
    if "quantity" in wanted:
        line["quantity"] = as_int(wanted["quantity"])
    for key in ("subtotal", "total"):
        _set_amount(line, key, wanted)
    if wanted.get("name") is not None:
        line["name"] = as_text(wanted["name"])
    set_line_metas(site, line, wanted.get("meta_data"))


def _new_shipping(site: Site) -> Doc:
    return {
        "id": site.store.next_id("line"),
        "method_title": "",
        "method_id": "",
        "instance_id": "",
        "total": "0",
        "total_tax": "0",
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": [],
    }


def _new_fee(site: Site) -> Doc:
    return {
        "id": site.store.next_id("line"),
        "name": "",
        "tax_class": "",
        "tax_status": "taxable",
        "amount": "",
        "total": "0",
        "total_tax": "0",
        "taxes": [],
        "meta_data": [],
    }


def _amount(wanted: dict[str, Any], key: str) -> Decimal | None:
    value = wanted.get(key)
    return None if value in (None, "") else decimal_or(value, Decimal(0))


def _set_amount(line: Doc, key: str, wanted: Doc) -> None:
    amount = _amount(wanted, key)
    if amount is not None:
        line[key] = str(amount)
