"""The shop's first stock of records: what was recorded on a real WooCommerce, shipped with the package.

The recorded bodies are turned into the store's own documents: addresses of
the recorded host and everything that can be worked out again are left away.
Widgets and hoodies whose own body was not recorded are filled in from the
order lines and the product list that name them.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from ops_sandbox.shop.orders import STATUSES
from ops_sandbox.shop.product_view import child_ids
from ops_sandbox.shop.products import blank_product
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.terms import CATEGORY, UNCATEGORIZED, create_term, plant_term, terms_of
from ops_sandbox.shop.wire import Doc

_KEPT_STOCK = set(STATUSES) & {"processing", "completed", "on-hold", "refunded"}


def recorded(name: str) -> Any:
    """One file of the package's data, parsed."""
    text = resources.files("ops_sandbox.shop").joinpath("data", name).read_text(encoding="utf-8")
    return json.loads(text)


def plant_rules(site: Site) -> None:
    """Tax rates, coupons and the first category, which every shop has."""
    plant_term(site, CATEGORY, UNCATEGORIZED["id"], UNCATEGORIZED["name"], UNCATEGORIZED["slug"])
    for tax in recorded("taxes.json"):
        site.store.save("taxes", tax)
    for coupon in recorded("coupons.json"):
        site.store.save("coupons", coupon)
        site.store.reserve("post", coupon["id"])


def plant_records(site: Site) -> None:
    """Products, variations, customers, orders, refunds and notes as recorded."""
    products = recorded("products.json")
    # Terms that are made below take no number of a recorded one.
    for category in [one for body in products for one in body["categories"]]:
        site.store.reserve("term", category["id"])
    for body in products:
        _plant_product(site, body)
    for body in recorded("variations.json"):
        _plant_variation(site, body)
    for product in site.table("products").values():
        if product["type"] == "variable" and not child_ids(site, product):
            raise ValueError(f"seeded product {product['id']} has no variations")
    for body in recorded("customers.json"):
        customer = _without(body, "date_created", "date_modified", "avatar_url")
        site.store.save("customers", customer)
        site.store.reserve("user", customer["id"])
        _reserve_metas(site, [customer])
    for body in recorded("refunds.json"):
        refund = _without(body, "date_created")
        site.store.save("refunds", refund)
        _reserve_lines(site, refund)
    for body in recorded("orders.json"):
        _plant_order(site, body)
    for body in recorded("notes.json"):
        site.store.save("notes", _without(body, "date_created"))
        site.store.reserve("note", body["id"])


def _plant_product(site: Site, body: Doc) -> None:
    product: Doc = {key: body.get(key, value) for key, value in blank_product(site).items()}
    # Stored as typed: paragraphs are made when a text is shown.
    for key in ("description", "short_description"):
        product[key] = body[key].strip()
    site.store.save("products", product)
    site.store.reserve("post", product["id"])
    _reserve_metas(site, [product])
    for category in product["categories"]:
        plant_term(site, CATEGORY, category["id"], category["name"], category["slug"])
    for attribute in product["attributes"]:
        if attribute["id"]:
            _plant_attribute(site, attribute)


def _plant_attribute(site: Site, attribute: Doc) -> None:
    """A global attribute as a product carries it; the ids of its terms were not recorded."""
    if attribute["id"] not in site.table("attributes"):
        name = {key: attribute[key] for key in ("id", "name", "slug")}
        kind = {"type": "select", "order_by": "menu_order", "has_archives": False}
        site.store.save("attributes", {**name, **kind})
        site.store.reserve("attribute", attribute["id"])
    known = {term["name"] for term in terms_of(site, attribute["slug"])}
    for option in attribute["options"]:
        if option not in known:
            create_term(site, attribute["slug"], {"name": option})


def _plant_variation(site: Site, body: Doc) -> None:
    product: Doc = {key: body.get(key, value) for key, value in blank_product(site, "variation").items()}
    parent = site.table("products")[body["parent_id"]]
    product["slug"] = f"{parent['slug']}-{product['name'].lower().replace(', ', '-')}"
    product["tax_class"] = "parent"
    if body["manage_stock"] == "parent":
        product.update(manage_stock=False, stock_quantity=None)
    if product["sku"] == parent["sku"]:
        product["sku"] = ""  # it has none of its own and shows its parent's
    site.store.save("products", product)
    site.store.reserve("post", product["id"])


def _plant_order(site: Site, body: Doc) -> None:
    order = _without(
        body,
        "number",
        "date_created",
        "date_modified",
        "date_completed",
        "date_paid",
        "payment_url",
        "is_editable",
        "needs_payment",
        "needs_processing",
        "currency_symbol",
    )
    order["_refund_ids"] = [refund["id"] for refund in order.pop("refunds")]
    order["_stock_reduced"] = order["status"] in _KEPT_STOCK
    order["_trashed_from"] = None
    for line in order["line_items"]:
        for key in ("sku", "global_unique_id", "image", "parent_name"):
            line.pop(key)
    site.store.save("orders", order)
    site.store.reserve("post", order["id"])
    _reserve_lines(site, order)
    _reserve_metas(site, [order])


def _without(body: Doc, *keys: str) -> Doc:
    return {key: value for key, value in body.items() if key not in keys}


def _reserve_lines(site: Site, doc: Doc) -> None:
    site.store.reserve("post", doc["id"])
    for kind in ("line_items", "tax_lines", "shipping_lines", "fee_lines", "coupon_lines"):
        for line in doc.get(kind, []):
            site.store.reserve("line", line["id"])
            _reserve_metas(site, [line])
    for line in doc["line_items"]:
        for key in ("sku", "global_unique_id", "image", "parent_name"):
            line.pop(key, None)


def _reserve_metas(site: Site, docs: list[Doc]) -> None:
    for doc in docs:
        for meta in doc["meta_data"]:
            site.store.reserve("meta", meta["id"])
