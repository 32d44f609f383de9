"""Stock: taken by orders, given back when they are cancelled or refunded.

An order line remembers in its meta `_reduced_stock` how many pieces it has
taken; a refund with restocking lowers that and counts `_restock_refunded_items`.
"""

from __future__ import annotations

from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc

REDUCED = "_reduced_stock"
RESTOCKED = "_restock_refunded_items"


def stock_keeper(site: Site, product: Doc | None) -> Doc | None:
    """The product whose number counts: itself, a variation's parent, or None when stock is not managed."""
    if product is None:
        return None
    if product["manage_stock"]:
        return product
    if product["type"] == "variation":
        parent = site.table("products").get(product["parent_id"])
        if parent is not None and parent["manage_stock"]:
            return parent
    return None


def set_stock(product: Doc, quantity: int | None) -> None:
    """Set the number and the stock status that follows from it; a number that nobody gave counts as 0."""
    product["stock_quantity"] = quantity
    if (quantity or 0) > 0:
        product["stock_status"] = "instock"
    else:
        product["stock_status"] = "outofstock" if product["backorders"] == "no" else "onbackorder"


def move_stock(site: Site, product: Doc, change: int) -> tuple[int, int]:
    """Add `change` pieces, move the product's date on, a variation's parent's too, and fire
    product.updated. Gives before and after."""
    before = int(product["stock_quantity"] or 0)
    set_stock(product, before + change)
    product["date_modified_gmt"] = site.time.stamp()
    site.store.save("products", product)
    parent = site.table("products").get(product["parent_id"])
    if product["type"] == "variation" and parent is not None:
        parent["date_modified_gmt"] = product["date_modified_gmt"]
        follow_children(site, parent)
        site.store.save("products", parent)
    site.fire("product.updated", product["id"])
    return before, before + change


def follow_children(site: Site, parent: Doc) -> None:
    """A variable product without stock of its own is in stock while one of its variations is (from
    WooCommerce's source)."""
    children = site.store.catalog.children(parent["id"])
    if parent["manage_stock"] or not children:
        return
    statuses = {child["stock_status"] for child in children if child["status"] in ("publish", "private")}
    parent["stock_status"] = next(
        (status for status in ("instock", "onbackorder") if status in statuses), "outofstock"
    )


def line_product(site: Site, line: Doc) -> Doc | None:
    """The product or variation of an order line, None when it is gone."""
    return site.table("products").get(line["variation_id"] or line["product_id"])


def reduce_for(site: Site, order: Doc) -> None:
    """Take the order's pieces, once."""
    if order["_stock_reduced"]:
        return
    order["_stock_reduced"] = True
    remarks = []
    for line in order["line_items"]:
        product = line_product(site, line)
        keeper = stock_keeper(site, product)
        if product is not None:
            _count_sale(site, product, line["quantity"])
        if keeper is None or line_meta(line, REDUCED) is not None:
            continue
        before, after = move_stock(site, keeper, -line["quantity"])
        set_line_meta(site, line, REDUCED, str(line["quantity"]))
        remarks.append(f"{line['name']} ({before}&rarr;{after})")
    if remarks:
        add_note(site, order, "Stock levels reduced: " + ", ".join(remarks))


def restore_for(site: Site, order: Doc) -> None:
    """Give back what the order took."""
    if not order["_stock_reduced"]:
        return
    order["_stock_reduced"] = False
    remarks = []
    for line in order["line_items"]:
        taken = line_meta(line, REDUCED)
        keeper = stock_keeper(site, line_product(site, line))
        if taken is None:
            continue
        line["meta_data"] = [m for m in line["meta_data"] if m["key"] != REDUCED]
        if keeper is not None:
            before, after = move_stock(site, keeper, int(taken))
            remarks.append(f"{line['name']} ({before}&rarr;{after})")
    if remarks:
        add_note(site, order, "Stock levels increased: " + ", ".join(remarks))


def adjust_for_edit(site: Site, line: Doc) -> None:
    """A line whose quantity was edited takes or gives back the difference."""
    taken = line_meta(line, REDUCED)
    keeper = stock_keeper(site, line_product(site, line))
    if keeper is None:
        return
    difference = line["quantity"] - int(taken or 0)
    if difference:
        move_stock(site, keeper, -difference)
        set_line_meta(site, line, REDUCED, str(line["quantity"]))


def restock_line(site: Site, line: Doc, quantity: int) -> None:
    """Put `quantity` refunded pieces of an order line back; lines that took no stock are left alone."""
    taken = int(line_meta(line, REDUCED) or 0)
    keeper = stock_keeper(site, line_product(site, line))
    if keeper is None or taken <= 0 or quantity <= 0:
        return
    pieces = min(quantity, taken)
    already = int(line_meta(line, RESTOCKED) or 0)
    move_stock(site, keeper, pieces)
    set_line_meta(site, line, REDUCED, str(taken - pieces))
    set_line_meta(site, line, RESTOCKED, str(already + pieces))


def line_meta(line: Doc, key: str) -> str | None:
    """The value of one meta of a line, or None."""
    return next((str(m["value"]) for m in line["meta_data"] if m["key"] == key), None)


def set_line_meta(
    site: Site, line: Doc, key: str, value: object, display: tuple[str, str] | None = None
) -> None:
    """Overwrite or add one meta of a line; `display` is what a customer would read, if not the same."""
    shown_key, shown_value = display or (key, value)
    for meta in line["meta_data"]:
        if meta["key"] == key:
            meta.update(value=value, display_value=shown_value)
            return
    line["meta_data"].append(
        {
            "id": site.store.next_id("meta"),
            "key": key,
            "value": value,
            "display_key": shown_key,
            "display_value": shown_value,
        }
    )


def add_note(
    site: Site, order: Doc, text: str, *, for_customer: bool = False, author: str = "WooCommerce"
) -> Doc:
    """A note on the order; it neither moves the order's date nor fires a webhook."""
    return site.store.save(
        "notes",
        {
            "id": site.store.next_id("note"),
            "order_id": order["id"],
            "author": author,
            "date_created_gmt": site.time.stamp(),
            "note": text,
            "customer_note": for_customer,
        },
    )


def _count_sale(site: Site, product: Doc, quantity: int) -> None:
    counted = site.table("products").get(product["parent_id"]) or product
    counted["total_sales"] += quantity
    site.store.save("products", counted)
