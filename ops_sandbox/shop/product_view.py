"""How products and variations look in REST answers and webhook bodies.

A variation has two shapes: its own below products/ID/variations, and that of
a product (type "variation", parent_id set) under products/ID and in webhooks.
Answers to writes are in WooCommerce's edit context: texts as stored, and two
more keys.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from urllib.parse import quote

from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.stock import stock_keeper
from ops_sandbox.shop.wire import Doc

_SYMBOL = '<span class="woocommerce-Price-currencySymbol" translate="no">&#36;</span>'


def product_body(site: Site, product: Doc, home: str, *, edit: bool = False) -> Doc:
    """A product, or a variation in the shape of one."""
    local = site.time.local
    parent = _parent(site, product)
    keeper = stock_keeper(site, product)
    children = child_ids(site, product)
    body: Doc = {
        "id": product["id"],
        "name": variation_title(parent, product) if parent else product["name"],
        "slug": product["slug"],
        "permalink": permalink(product, parent, home),
        "date_created": local(product["date_created_gmt"]),
        "date_created_gmt": product["date_created_gmt"],
        "date_modified": local(product["date_modified_gmt"]),
        "date_modified_gmt": product["date_modified_gmt"],
        "type": product["type"],
        "status": product["status"],
        "featured": product["featured"],
        "catalog_visibility": product["catalog_visibility"],
        "description": _text(product["description"], edit),
        "short_description": _text(product["short_description"], edit),
        "sku": shown_sku(product, parent),
        "price": product["price"],
        "regular_price": product["regular_price"],
        "sale_price": product["sale_price"],
        "date_on_sale_from": local(product["date_on_sale_from_gmt"]),
        "date_on_sale_from_gmt": product["date_on_sale_from_gmt"],
        "date_on_sale_to": local(product["date_on_sale_to_gmt"]),
        "date_on_sale_to_gmt": product["date_on_sale_to_gmt"],
        "on_sale": is_on_sale(product, site.time.stamp()),
        "purchasable": product["type"] not in {"external", "grouped"} and product["price"] != "",
        # The one count that WooCommerce writes as text.
        "total_sales": str(product["total_sales"]) if parent else product["total_sales"],
        "virtual": product["virtual"],
        "downloadable": product["downloadable"],
        "downloads": product["downloads"],
        "download_limit": product["download_limit"],
        "download_expiry": product["download_expiry"],
        "external_url": product["external_url"],
        "button_text": product["button_text"],
        "tax_status": product["tax_status"],
        "tax_class": _tax_class(product, parent, edit=edit),
        "manage_stock": _manage_stock(product, keeper),
        "stock_quantity": keeper["stock_quantity"] if keeper else None,
        "backorders": product["backorders"],
        "backorders_allowed": product["backorders"] != "no",
        "backordered": product["stock_status"] == "onbackorder",
        "low_stock_amount": product["low_stock_amount"],
        "sold_individually": product["sold_individually"],
        "weight": product["weight"],
        "dimensions": product["dimensions"],
        "shipping_required": not product["virtual"],
        "shipping_taxable": not product["virtual"],
        "shipping_class": product["shipping_class"],
        "shipping_class_id": product["shipping_class_id"],
        "reviews_allowed": product["reviews_allowed"],
        "average_rating": "0" if edit else "0.00",
        "rating_count": product["rating_count"],
        "upsell_ids": product["upsell_ids"],
        "cross_sell_ids": product["cross_sell_ids"],
        "parent_id": product["parent_id"],
        "purchase_note": product["purchase_note"],
        "categories": product["categories"],
        "brands": product["brands"],
        "tags": product["tags"],
        "images": product["images"],
        "attributes": product["attributes"],
        "default_attributes": product["default_attributes"],
        "variations": children,
        "grouped_products": product["grouped_products"],
        "menu_order": product["menu_order"],
        "price_html": _price_html(site, product, children or product["grouped_products"]),
        "related_ids": product["related_ids"],
        "meta_data": [dict(m) for m in product["meta_data"]],
        "stock_status": (keeper or product)["stock_status"],
        "has_options": product["type"] == "variable",
        "post_password": product["post_password"],
        "global_unique_id": product["global_unique_id"],
    }
    if edit:
        body["permalink_template"] = f"{home}/product/%pagename%/"
        body["generated_slug"] = product["slug"] or slug_of(product["name"])
    body["_links"] = links(home, f"/products/{product['id']}", "/products")
    if parent:
        body["_links"]["up"] = [{"href": f"{home}/wp-json/wc/v3/products/{parent['id']}"}]
    return body


def variation_body(site: Site, variation: Doc, home: str, *, edit: bool = False) -> Doc:
    """A variation in its own shape."""
    parent = _parent(site, variation)
    whole = product_body(site, variation, home)
    keys_before = [
        "id",
        "type",
        "date_created",
        "date_created_gmt",
        "date_modified",
        "date_modified_gmt",
        "description",
        "permalink",
        "sku",
        "global_unique_id",
        "price",
        "regular_price",
        "sale_price",
        "date_on_sale_from",
        "date_on_sale_from_gmt",
        "date_on_sale_to",
        "date_on_sale_to_gmt",
        "on_sale",
        "status",
        "purchasable",
        "virtual",
        "downloadable",
        "downloads",
        "download_limit",
        "download_expiry",
        "tax_status",
        "tax_class",
        "manage_stock",
        "stock_quantity",
        "stock_status",
        "backorders",
        "backorders_allowed",
        "backordered",
        "low_stock_amount",
        "weight",
        "dimensions",
        "shipping_class",
        "shipping_class_id",
    ]
    body = {key: whole[key] for key in keys_before}
    body["tax_class"] = _tax_class(variation, parent, edit=edit)
    body |= {
        "image": None,
        "gallery_image_ids": [],
        "attributes": variation["attributes"],
        "menu_order": variation["menu_order"],
        "meta_data": [dict(m) for m in variation["meta_data"]],
        "name": variation["name"],
        "parent_id": variation["parent_id"],
    }
    collection = f"/products/{variation['parent_id']}/variations"
    body["_links"] = links(home, f"{collection}/{variation['id']}", collection)
    body["_links"]["up"] = [{"href": f"{home}/wp-json/wc/v3/products/{variation['parent_id']}"}]
    return body


def child_ids(site: Site, product: Doc) -> list[int]:
    """Ids of a variable product's variations, ascending."""
    if product["type"] != "variable":
        return []
    return [child["id"] for child in site.store.catalog.children(product["id"])]


def variation_title(parent: Doc | None, variation: Doc) -> str:
    """ "T-Shirt - Red, S": what order lines and webhooks call a variation."""
    name: str = variation["name"]
    return f"{parent['name']} - {name}" if parent else name


def is_on_sale(product: Doc, stamp: str) -> bool:
    """The sale price is below the regular one and its time, if it has one, has come and not gone."""
    sale, regular = product["sale_price"], product["regular_price"]
    if sale == "" or regular == "" or _number(sale) >= _number(regular):
        return False
    begins, ends = product["date_on_sale_from_gmt"], product["date_on_sale_to_gmt"]
    return not ((begins and begins > stamp) or (ends and ends < stamp))


def shown_sku(product: Doc, parent: Doc | None) -> str:
    """A variation without a SKU of its own shows its parent's."""
    sku: str = product["sku"]
    return sku or (parent["sku"] if parent else "")


def slug_of(name: str) -> str:
    """WordPress' slug: lower case, hyphens, everything beyond ASCII percent-encoded."""
    plain = re.sub(r"<[^>]*>|&\w+;", "", name).lower()
    plain = re.sub(r"[^\w\s-]", "", plain).strip()
    return quote(re.sub(r"[\s_-]+", "-", plain)).lower()


def permalink(product: Doc, parent: Doc | None, home: str) -> str:
    """The address of a product's page."""
    if parent:
        chosen = "&".join(
            f"attribute_{a['slug']}={quote(a['option'].lower() if a['id'] else a['option'])}"
            for a in product["attributes"]
        )
        return f"{home}/product/{parent['slug']}/?{chosen}"
    if product["slug"]:
        return f"{home}/product/{product['slug']}/"
    return f"{home}/?post_type=product&p={product['id']}"


def _parent(site: Site, product: Doc) -> Doc | None:
    return site.table("products").get(product["parent_id"]) if product["type"] == "variation" else None


def _manage_stock(product: Doc, keeper: Doc | None) -> bool | str:
    if product["manage_stock"]:
        return True
    return "parent" if keeper is not None else False


def _tax_class(product: Doc, parent: Doc | None, *, edit: bool) -> str:
    tax_class: str = product["tax_class"]
    if tax_class == "parent" and not edit:
        return parent["tax_class"] if parent else ""
    return tax_class


def _text(text: str, edit: bool) -> str:
    if edit or not text:
        return text
    return f"{text}\n" if text.startswith("<p>") else f"<p>{text}</p>\n"


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(0)


def _price_html(site: Site, product: Doc, children: list[int]) -> str:
    if children:
        table = site.table("products")
        prices = sorted({_number(table[child]["price"]) for child in children if child in table})
        if not prices:
            return ""
        if len(prices) > 1:
            low, high = prices[0], prices[-1]
            return (
                f'{_amount(low, hidden=True)} <span aria-hidden="true">&ndash;</span>'
                f' {_amount(high, hidden=True)}<span class="screen-reader-text">'
                f"Price range: &#36;{low:,.2f} through &#36;{high:,.2f}</span>"
            )
        return _amount(prices[0])
    if product["price"] == "":
        return ""
    if is_on_sale(product, site.time.stamp()):
        was, now = _number(product["regular_price"]), _number(product["price"])
        return (
            f'<del aria-hidden="true">{_amount(was)}</del> <span class="screen-reader-text">'
            f"Original price was: &#036;{was:,.2f}.</span>"
            f'<ins aria-hidden="true">{_amount(now)}</ins><span class="screen-reader-text">'
            f"Current price is: &#036;{now:,.2f}.</span>"
        )
    return _amount(_number(product["price"]))


def _amount(value: Decimal, *, hidden: bool = False) -> str:
    attribute = ' aria-hidden="true"' if hidden else ""
    return f'<span class="woocommerce-Price-amount amount"{attribute}><bdi>{_SYMBOL}{value:,.2f}</bdi></span>'
