"""What of an order line a refund gives back: all of it, or the share of some pieces, taxes with it."""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.shop.checkout import find_by_key
from ops_sandbox.shop.errors import NoSuchRecord
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, money


def share(site: Site, order: Doc, key: str | int, quantity: int) -> Doc:
    """The refund line for `quantity` pieces of a product, rounded to cents. Raises `NoSuchRecord`."""
    product = find_by_key(site, key)
    for line in order["line_items"]:
        if product["id"] in (line["product_id"], line["variation_id"]):
            part = Decimal(quantity) / Decimal(line["quantity"])
            return _entry(line, quantity, part)
    raise NoSuchRecord(f"line of order {order['id']} of product", key)


def whole(line: Doc) -> Doc:
    """The refund line for all of a goods, shipping or fee line."""
    return _entry(line, line.get("quantity", 0), Decimal(1))


def _entry(line: Doc, quantity: int, part: Decimal) -> Doc:
    return {
        "id": line["id"],
        "quantity": quantity,
        "refund_total": money(Decimal(line["total"]) * part),
        "refund_tax": [
            {"id": tax["id"], "refund_total": money(Decimal(tax["total"]) * part)} for tax in line["taxes"]
        ],
    }
