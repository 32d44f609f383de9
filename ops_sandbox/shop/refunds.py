"""Refunds of an order: of an amount, of lines, with or without putting the goods back."""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.shop.errors import RestError, invalid_id
from ops_sandbox.shop.orders import set_status, touch
from ops_sandbox.shop.pricing import ZERO, line_price
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.stock import restock_line, set_line_meta
from ops_sandbox.shop.wire import Doc, as_bool, as_int, as_text, decimal_or


def find_refund(site: Site, order: Doc, refund_id: int) -> Doc:
    """Raises `RestError` 404."""
    refund = site.table("refunds").get(refund_id)
    if refund is None or refund["parent_id"] != order["id"]:
        raise invalid_id("shop_order_refund")
    return refund


def create_refund(site: Site, order: Doc, body: Doc) -> Doc:
    """POST orders/ID/refunds.

    Fires one order.updated, and product.updated before it for what is put
    back. A refund of all that is left makes the order "refunded"; its total
    stays. An amount beyond what is left is answered with a bare 500.
    """
    wanted = [entry for entry in body.get("line_items") or [] if isinstance(entry, dict)]
    amount = decimal_or(body.get("amount"), sum((_with_tax(entry) for entry in wanted), ZERO))
    left = Decimal(order["total"]) - refunded_so_far(site, order)
    if amount <= 0:
        raise RestError(
            "woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.", 400
        )
    if amount > left:
        raise _refused("Invalid refund amount.")
    if as_bool(body.get("api_refund", True)):
        raise _refused("The payment gateway for this order does not support automatic refunds.")
    is_full = amount == left
    refund = _refund(site, order, amount, as_text(body.get("reason")), is_full=is_full)
    for entry in wanted:
        _add_line(site, order, refund, entry)
    refund["tax_lines"] = _tax_lines(site, order, refund)
    site.store.save("refunds", refund)
    order["_refund_ids"].append(refund["id"])
    if as_bool(body.get("api_restock", True)):
        lines = {line["id"]: line for line in order["line_items"]}
        for entry in wanted:
            if as_int(entry.get("id")) in lines:
                restock_line(site, lines[as_int(entry.get("id"))], as_int(entry.get("quantity")))
    if is_full:
        set_status(site, order, "refunded")
    else:
        touch(site, order)
    return refund


def delete_refund(site: Site, order: Doc, refund: Doc) -> None:
    """DELETE orders/ID/refunds/ID?force=true: fires nothing, and the order's date stays."""
    order["_refund_ids"].remove(refund["id"])
    site.store.remove("refunds", refund["id"])
    site.store.save("orders", order)


def refunded_so_far(site: Site, order: Doc) -> Decimal:
    """What the order's refunds come to."""
    return sum((Decimal(site.table("refunds")[r]["amount"]) for r in order["_refund_ids"]), ZERO)


def _refused(message: str) -> RestError:
    return RestError("woocommerce_rest_cannot_create_order_refund", message, 500, data=500)


def _refund(site: Site, order: Doc, amount: Decimal, reason: str, *, is_full: bool) -> Doc:
    return {
        "id": site.store.next_id("post"),
        "parent_id": order["id"],
        "date_created_gmt": site.time.stamp(),
        "amount": str(amount),
        "reason": reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [
            {
                "id": site.store.next_id("meta"),
                "key": "_refund_type",
                "value": "full" if is_full else "partial",
            }
        ],
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
    }


def _with_tax(entry: Doc) -> Decimal:
    return _total(entry) + sum((tax for _, tax in _taxes(entry)), ZERO)


def _total(entry: Doc) -> Decimal:
    return decimal_or(entry.get("refund_total"), ZERO)


def _taxes(entry: Doc) -> list[tuple[int, Decimal]]:
    taxes = entry.get("refund_tax")
    return [
        (as_int(tax.get("id")), decimal_or(tax.get("refund_total"), ZERO))
        for tax in (taxes if isinstance(taxes, list) else [])
    ]


def _add_line(site: Site, order: Doc, refund: Doc, entry: Doc) -> None:
    """The negative twin of an order's line; an id that the order does not have is passed over."""
    for kind in ("line_items", "shipping_lines", "fee_lines"):
        for original in order[kind]:
            if original["id"] == as_int(entry.get("id")):
                refund[kind].append(_negative(site, original, entry, kind))
                return


def _negative(site: Site, original: Doc, entry: Doc, kind: str) -> Doc:
    total, taxes = _total(entry), _taxes(entry)
    tax_sum = sum((tax for _, tax in taxes), ZERO)
    line: Doc = {
        **original,
        "id": site.store.next_id("line"),
        "total": str(-total),
        "total_tax": str(-tax_sum),
        "taxes": [{"id": rate, "total": str(-tax), "subtotal": str(-tax)} for rate, tax in taxes],
        "meta_data": [],
    }
    if kind == "line_items":
        line.update(quantity=-as_int(entry.get("quantity")), subtotal=str(-total), subtotal_tax=str(-tax_sum))
        line["price"] = line_price(line)
    set_line_meta(site, line, "_refunded_item_id", str(original["id"]))
    return line


def _tax_lines(site: Site, order: Doc, refund: Doc) -> list[Doc]:
    goods: dict[int, Decimal] = {}
    shipping: dict[int, Decimal] = {}
    for kind, sums in (("line_items", goods), ("fee_lines", goods), ("shipping_lines", shipping)):
        for line in refund[kind]:
            for tax in line["taxes"]:
                sums[tax["id"]] = sums.get(tax["id"], ZERO) + Decimal(tax["total"])
    return [
        {
            **tax_line,
            "id": site.store.next_id("line"),
            "tax_total": str(goods.get(tax_line["rate_id"], ZERO)),
            "shipping_tax_total": str(shipping.get(tax_line["rate_id"], ZERO)),
        }
        for tax_line in order["tax_lines"]
        if tax_line["rate_id"] in goods or tax_line["rate_id"] in shipping
    ]
