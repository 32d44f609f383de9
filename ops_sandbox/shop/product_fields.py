"""The fields of a product or variation that a request can set, and how WooCommerce reads their values.

Single calls are validated before (`checks`); items of a batch come here as they are.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from ops_sandbox.shop import terms
from ops_sandbox.shop.product_view import is_on_sale
from ops_sandbox.shop.site import Site, set_meta
from ops_sandbox.shop.stock import set_stock
from ops_sandbox.shop.wire import Doc, as_bool, as_int, as_text, escape_ampersands

#: As WooCommerce lists them when it refuses another.
STATUSES = ("draft", "pending", "private", "publish", "future", "auto-draft", "trash")
TYPES = ("simple", "grouped", "external", "variable")

_TEXTS = (
    "slug",
    "description",
    "short_description",
    "weight",
    "tax_status",
    "tax_class",
    "external_url",
    "button_text",
    "purchase_note",
    "catalog_visibility",
    "global_unique_id",
    "shipping_class",
    "backorders",
)
_FLAGS = ("featured", "virtual", "downloadable", "sold_individually", "reviews_allowed")
_LISTS = (
    "images",
    "default_attributes",
    "upsell_ids",
    "cross_sell_ids",
    "grouped_products",
    "downloads",
)


def format_decimal(value: object) -> str:
    """A price as WooCommerce keeps it: "1,234.50" is 1234.50, "abc" clears it, "-1" stays."""
    text = as_text(value).strip().replace(",", "")
    try:
        return text if Decimal(text).is_finite() else ""
    except InvalidOperation:
        return ""


def apply_fields(site: Site, product: Doc, body: Doc) -> None:
    """Change a product or variation as a request asks; what it does not name stays."""
    if body.get("name") is not None and product["type"] != "variation":
        product["name"] = escape_ampersands(as_text(body["name"]))
    if body.get("sku") is not None:
        product["sku"] = as_text(body["sku"])
    if body.get("status"):
        product["status"] = body["status"] if body["status"] in STATUSES else "draft"
    for key in _TEXTS:
        if body.get(key) is not None:
            product[key] = as_text(body[key])
    for key in _FLAGS:
        if body.get(key) is not None:
            product[key] = as_bool(body[key])
    for key in _LISTS:
        if isinstance(body.get(key), list):
            product[key] = body[key]
    if isinstance(body.get("categories"), list):
        product["categories"] = terms.chosen(site, terms.CATEGORY, body["categories"])
    if isinstance(body.get("tags"), list):
        product["tags"] = terms.chosen_tags(site, body["tags"])
    if isinstance(body.get("attributes"), list):
        is_variation = product["type"] == "variation"
        product["attributes"] = (
            body["attributes"] if is_variation else terms.product_attributes(site, body["attributes"])
        )
    if isinstance(body.get("dimensions"), dict):
        product["dimensions"] |= {k: as_text(v) for k, v in body["dimensions"].items()}
    for key in ("menu_order", "low_stock_amount"):
        if body.get(key) is not None:
            product[key] = as_int(body[key])
    _apply_prices(site, product, body)
    _apply_stock(site, product, body)
    set_meta(site, product, body.get("meta_data"))


def _apply_prices(site: Site, product: Doc, body: Doc) -> None:
    if product["type"] in ("variable", "grouped"):
        # Ignored on a parent: its price is its cheapest variation's.
        product.update(regular_price="", sale_price="", date_on_sale_from_gmt=None, date_on_sale_to_gmt=None)
        return
    for key in ("regular_price", "sale_price"):
        if body.get(key) is not None:
            product[key] = format_decimal(body[key])
    for name in ("date_on_sale_from", "date_on_sale_to"):
        for key in (name, f"{name}_gmt"):
            if key in body:
                text = as_text(body[key])
                gmt = key.endswith("_gmt")
                product[f"{name}_gmt"] = (
                    site.time.threshold(key, _with_time(text), dates_are_gmt=gmt) if text else None
                )
    sale, regular = product["sale_price"], product["regular_price"]
    if sale != "" and (regular == "" or Decimal(sale) >= Decimal(regular)):
        product["sale_price"] = ""  # dropped in silence (recorded)
    on_sale = is_on_sale(product, site.time.stamp())
    product["price"] = product["sale_price"] if on_sale else product["regular_price"]


def _with_time(text: str) -> str:
    return text if "T" in text or " " in text else f"{text}T00:00:00"


def _apply_stock(site: Site, product: Doc, body: Doc) -> None:
    """Stock as asked for. A product that does not manage it has neither number nor backorders, and keeps
    its stock status unless that is sent: one that was sold out stays so (from WooCommerce's source)."""
    if body.get("manage_stock") is not None:
        product["manage_stock"] = body["manage_stock"] != "parent" and as_bool(body["manage_stock"])
    if product["type"] in ("external", "grouped"):
        product["manage_stock"] = False
    if body.get("stock_status") and product["type"] != "variable":
        product["stock_status"] = as_text(body["stock_status"])
    if not product["manage_stock"]:
        product.update(stock_quantity=None, backorders="no", low_stock_amount=None)
        return
    quantity = product["stock_quantity"]
    if "stock_quantity" in body:
        quantity = as_int(body["stock_quantity"])
    elif body.get("inventory_delta") is not None:
        quantity = as_int(quantity) + as_int(body["inventory_delta"])
    if "low_stock_amount" in body and body["low_stock_amount"] is None:
        product["low_stock_amount"] = None
    set_stock(product, quantity)
