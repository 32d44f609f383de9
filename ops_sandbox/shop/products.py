"""Products and variations: created, changed, trashed, erased, and what each of these fires."""

from __future__ import annotations

import copy
from decimal import Decimal

from ops_sandbox.shop import terms
from ops_sandbox.shop.errors import RestError, invalid_id
from ops_sandbox.shop.product_fields import TYPES, apply_fields
from ops_sandbox.shop.product_view import is_on_sale, slug_of
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.stock import follow_children, move_stock, stock_keeper
from ops_sandbox.shop.wire import Doc, as_int, as_text


def find_product(site: Site, product_id: int, *, status: int = 404) -> Doc:
    """A product or variation. An unknown id is 404, but 400 for a PUT (recorded)."""
    product = site.table("products").get(product_id)
    if product is None:
        raise invalid_id("product", status)
    return product


def refuse_variation(product: Doc) -> None:
    """Variations are written and deleted below their parent only. Raises `RestError` 404 (recorded for PUT)."""
    if product["type"] == "variation":
        raise RestError(
            "woocommerce_rest_invalid_product_id",
            "To manipulate product variations you should use the"
            " /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint.",
            404,
        )


def find_variation(site: Site, parent_id: int, variation_id: int) -> Doc:
    """A variation of this parent; another parent's is as unknown as none at all."""
    variation = site.table("products").get(variation_id)
    if variation is None or variation["type"] != "variation" or variation["parent_id"] != parent_id:
        raise invalid_id("product_variation")
    return variation


def blank_product(site: Site, kind: str = "simple", parent_id: int = 0) -> Doc:
    """A new product or variation without anything in it, not yet stored."""
    stamp = site.time.stamp()
    is_variation = kind == "variation"
    return {
        "id": site.store.next_id("post"),
        "name": "",
        "slug": "",
        "date_created_gmt": stamp,
        "date_modified_gmt": stamp,
        "type": kind,
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        "sku": "",
        "price": "",
        "regular_price": "",
        "sale_price": "",
        "date_on_sale_from_gmt": None,
        "date_on_sale_to_gmt": None,
        "total_sales": 0,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "external_url": "",
        "button_text": "",
        "tax_status": "taxable",
        "tax_class": "parent" if is_variation else "",
        "manage_stock": False,
        "stock_quantity": None,
        "stock_status": "instock",
        "backorders": "no",
        "low_stock_amount": None,
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": not is_variation,
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "parent_id": parent_id,
        "purchase_note": "",
        "categories": [] if is_variation else [dict(terms.UNCATEGORIZED)],
        "brands": [],
        "tags": [],
        "images": [],
        "attributes": [],
        "default_attributes": [],
        "grouped_products": [],
        "menu_order": 0,
        "related_ids": [],
        "meta_data": [],
        "post_password": "",
        "global_unique_id": "",
    }


def create_product(site: Site, body: Doc) -> Doc:
    """POST products: product.published unless it is a draft, then product.created."""
    _check_sku(site, body, None)
    kind = as_text(body.get("type")) or "simple"
    product = blank_product(site, kind if kind in TYPES else "simple")
    apply_fields(site, product, body)
    if product["status"] == "publish" and not product["slug"]:
        product["slug"] = slug_of(product["name"])
    site.store.save("products", product)
    if product["status"] == "publish":
        site.fire("product.published", product["id"])
    site.fire("product.created", product["id"])
    return product


def update_product(site: Site, product: Doc, body: Doc) -> Doc:
    """PUT products/ID, also with nothing new in it: moves the date and fires product.updated.

    Going live, also out of the trash, fires product.published before.
    """
    refuse_variation(product)
    _check_sku(site, body, product)
    product = copy.deepcopy(product)  # a refusal half-way leaves the stored one as it was
    if body.get("type") in TYPES:
        product["type"] = body["type"]
    was_live = product["status"] == "publish"
    apply_fields(site, product, body)
    if product["status"] == "publish" and not product["slug"]:
        product["slug"] = slug_of(product["name"])
    product["date_modified_gmt"] = site.time.stamp()
    site.store.save("products", product)
    if product["status"] == "publish" and not was_live:
        site.fire("product.published", product["id"])
    site.fire("product.updated", product["id"])
    return product


def trash_product(site: Site, product: Doc, *, by_rest: bool = True) -> None:
    """To the trash: fires product.deleted, and by REST coupon.deleted with the product's id (a quirk).

    Its variations go along (from WooCommerce's source); what they fire was not recorded, so they are silent.

    Raises `RestError` 410 when it is there already.
    """
    if product["status"] == "trash":
        raise RestError("woocommerce_rest_already_trashed", "The product has already been deleted.", 410)
    for one in (product, *site.store.catalog.children(product["id"])):
        one["_trashed_from"] = one["status"]
        one["status"] = "trash"
        one["date_modified_gmt"] = site.time.stamp()
        site.store.save("products", one)
    if by_rest:
        site.fire("coupon.deleted", product["id"])
    site.fire("product.deleted", product["id"])


def untrash_product(site: Site, product: Doc) -> None:
    """What the Restore link of the admin page does."""
    for one in (product, *site.store.catalog.children(product["id"])):
        one["status"] = one.pop("_trashed_from", None) or "publish"
        one["date_modified_gmt"] = site.time.stamp()
        site.store.save("products", one)
    for topic in ("product.published", "product.updated", "coupon.restored", "product.restored"):
        site.fire(topic, product["id"])


def erase_product(site: Site, product: Doc) -> None:
    """DELETE with force=true, of a variation too: gone with its variations; fires nothing."""
    for child in site.store.catalog.children(product["id"]):
        site.store.remove("products", child["id"])
    site.store.remove("products", product["id"])
    if product["type"] == "variation":
        _refresh_parent(site, product)


def create_variation(site: Site, parent: Doc, body: Doc) -> Doc:
    """POST products/ID/variations: product.published and product.created with the variation's id."""
    _check_sku(site, body, None)
    variation = blank_product(site, "variation", parent["id"])
    apply_fields(site, variation, body)
    _name_variation(site, parent, variation)
    site.store.save("products", variation)
    _refresh_parent(site, variation)
    if variation["status"] == "publish":
        site.fire("product.published", variation["id"])
    site.fire("product.created", variation["id"])
    return variation


def update_variation(site: Site, variation: Doc, body: Doc) -> Doc:
    """PUT products/ID/variations/ID: product.updated with the variation's id; the parent's date moves too."""
    _check_sku(site, body, variation)
    variation = copy.deepcopy(variation)
    was_live = variation["status"] == "publish"
    apply_fields(site, variation, body)
    if "attributes" in body:
        _name_variation(site, site.table("products")[variation["parent_id"]], variation)
    variation["date_modified_gmt"] = site.time.stamp()
    site.store.save("products", variation)
    _refresh_parent(site, variation)
    if variation["status"] == "publish" and not was_live:
        site.fire("product.published", variation["id"])
    site.fire("product.updated", variation["id"])
    return variation


def end_sales(site: Site) -> None:
    """What the shop's daily work does: prices of sales that ran out or began follow, with product.updated."""
    stamp = site.time.stamp()
    for product in list(site.table("products").values()):
        if product["sale_price"] == "" or product["type"] == "variable":
            continue
        price = product["sale_price"] if is_on_sale(product, stamp) else product["regular_price"]
        if price != product["price"]:
            product["price"] = price
            product["date_modified_gmt"] = stamp
            site.store.save("products", product)
            site.fire("product.updated", product["id"])


def _check_sku(site: Site, body: Doc, product: Doc | None) -> None:
    sku = as_text(body.get("sku"))
    if not sku:
        return
    catalog = site.store.catalog
    owner = catalog.by_sku(sku)
    if owner is None or (product is not None and owner["id"] == product["id"]):
        return
    number = 1
    while catalog.by_sku(f"{sku}-{number}") is not None:
        number += 1
    raise RestError(
        "product_invalid_sku",
        "Invalid or duplicated SKU.",
        400,
        extra={"resource_id": owner["id"], "unique_sku": f"{sku}-{number}"},
    )


def _name_variation(site: Site, parent: Doc, variation: Doc) -> None:
    """Complete the chosen attributes from the parent's and name the variation after its options."""
    chosen = []
    for wanted in variation["attributes"]:
        for attribute in parent["attributes"]:
            same_id = attribute["id"] and as_int(wanted.get("id")) == attribute["id"]
            if same_id or as_text(wanted.get("name")).lower() == attribute["name"].lower():
                option = as_text(wanted.get("option"))
                same = (known for known in attribute["options"] if slug_of(known) == slug_of(option))
                slug = attribute["slug"] if attribute["id"] else slug_of(attribute["name"])
                chosen.append(
                    {
                        "id": attribute["id"],
                        "name": attribute["name"],
                        "slug": slug,
                        "option": next(same, option),
                    }
                )
    variation["attributes"] = chosen
    variation["name"] = ", ".join(a["option"] for a in chosen)
    variation["slug"] = slug_of(f"{parent['name']} {variation['name']}")


def _refresh_parent(site: Site, variation: Doc) -> None:
    parent = site.table("products").get(variation["parent_id"])
    if parent is None:
        return
    siblings = site.store.catalog.children(parent["id"])
    prices = sorted((p["price"] for p in siblings if p["price"] != ""), key=Decimal)
    parent["price"] = prices[0] if prices else ""
    follow_children(site, parent)
    parent["date_modified_gmt"] = site.time.stamp()
    site.store.save("products", parent)


def set_stock_by_plugin(site: Site, product: Doc, quantity: int) -> None:
    """Another plugin sets the stock through WooCommerce: product.updated."""
    keeper = stock_keeper(site, product)
    if keeper is not None:
        move_stock(site, keeper, quantity - int(keeper["stock_quantity"] or 0))
