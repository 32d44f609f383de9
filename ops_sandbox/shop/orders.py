"""Orders: created, changed, moved from status to status, trashed.

Which change fires which webhook, moves which date and takes which stock is
what was recorded; the order of the statements is the order of the deliveries.
"""

from __future__ import annotations

import copy
from decimal import Decimal

from ops_sandbox.shop.coupons import apply_coupons, coupon_by_code, unknown_coupon
from ops_sandbox.shop.errors import RestError, invalid_id
from ops_sandbox.shop.order_lines import put_lines
from ops_sandbox.shop.order_view import needs_processing
from ops_sandbox.shop.pricing import recalculate
from ops_sandbox.shop.site import VERSION, Site, set_meta
from ops_sandbox.shop.stock import add_note, adjust_for_edit, reduce_for, restore_for
from ops_sandbox.shop.wire import Doc, as_bool, as_int, as_text

#: As WooCommerce lists them when it refuses another.
STATUSES = (
    "auto-draft",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
)
#: Not among "any".
HIDDEN_STATUSES = {"trash", "auto-draft", "checkout-draft"}

_TAKES_STOCK = {"processing", "completed", "on-hold"}
_GIVES_BACK = {"cancelled", "pending"}
_PAID = {"processing", "completed"}

BILLING_KEYS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "email",
    "phone",
)
SHIPPING_KEYS = tuple(key for key in BILLING_KEYS if key != "email")
_TEXT_KEYS = ("payment_method", "payment_method_title", "transaction_id", "customer_note", "currency")
_LINE_KEYS = ("line_items", "shipping_lines", "fee_lines", "coupon_lines")


def find_order(site: Site, order_id: int) -> Doc:
    """Raises `RestError` 404."""
    order = site.table("orders").get(order_id)
    if order is None:
        raise invalid_id("shop_order")
    return order


def blank_order(site: Site) -> Doc:
    """A new order without anything in it, not yet stored."""
    stamp = site.time.stamp()
    return {
        "id": site.store.next_id("post"),
        "parent_id": 0,
        "status": "pending",
        "currency": "USD",
        "version": VERSION,
        "prices_include_tax": False,
        "date_created_gmt": stamp,
        "date_modified_gmt": stamp,
        "date_completed_gmt": None,
        "date_paid_gmt": None,
        "discount_total": "0",
        "discount_tax": "0",
        "shipping_total": "0",
        "shipping_tax": "0",
        "cart_tax": "0",
        "total": "0",
        "total_tax": "0",
        "customer_id": 0,
        "order_key": f"wc_order_{site.random_key(13)}",
        "billing": dict.fromkeys(BILLING_KEYS, ""),
        "shipping": dict.fromkeys(SHIPPING_KEYS, ""),
        "payment_method": "",
        "payment_method_title": "",
        "transaction_id": "",
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": "rest-api",
        "customer_note": "",
        "cart_hash": "",
        "meta_data": [],
        "line_items": [],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "_refund_ids": [],
        "_stock_reduced": False,
        "_trashed_from": None,
    }


def create_order(site: Site, body: Doc) -> Doc:
    """POST orders: fires order.created, order.updated, then what paying and stock bring."""
    _check_customer(site, body)
    order = blank_order(site)
    _apply(site, order, body)
    put_lines(site, order, body)
    _apply_coupon_codes(site, order, body)
    recalculate(site, order)
    site.store.save("orders", order)
    site.fire("order.created", order["id"])
    site.fire("order.updated", order["id"])
    if as_bool(body.get("set_paid")):
        pay(site, order, as_text(body.get("transaction_id")))
    elif body.get("status"):
        set_status(site, order, _known_status(body["status"]))
    return order


def update_order(site: Site, order: Doc, body: Doc) -> Doc:
    """PUT orders/ID, also with nothing new in it: moves the date and fires order.updated.

    Taking an order out of the trash by its status fires nothing.
    """
    _check_customer(site, body)
    order = copy.deepcopy(order)  # a refusal half-way leaves the stored one as it was
    was_trashed = order["status"] == "trash"
    _apply(site, order, body)
    if any(key in body for key in _LINE_KEYS):
        for line in put_lines(site, order, body):
            if order["_stock_reduced"]:
                adjust_for_edit(site, line)
        _apply_coupon_codes(site, order, body)
        recalculate(site, order)
    _save(site, order, quietly=was_trashed)
    if as_bool(body.get("set_paid")) and order["status"] not in _PAID:
        pay(site, order, as_text(body.get("transaction_id")))
    elif body.get("status"):
        set_status(site, order, _known_status(body["status"]), quietly=was_trashed)
    return order


def touch(site: Site, order: Doc) -> None:
    """Re-save an order as it is."""
    _save(site, order)


def pay(site: Site, order: Doc, transaction_id: str = "") -> None:
    """Payment complete: cash on delivery, a zero total and nothing to pack go to completed, all else to processing."""
    if order["date_paid_gmt"] is None:
        order["date_paid_gmt"] = site.time.stamp()
    if transaction_id:
        order["transaction_id"] = transaction_id
    add_note(site, order, "Payment complete.")
    status = _status_when_paid(site, order)
    if Decimal(order["total"]) == 0:
        status = "completed"
    set_status(site, order, status)


def set_status(site: Site, order: Doc, status: str, *, quietly: bool = False) -> None:
    """Move to a status: dates, order.updated, stock taken or given back, the customer marked as paying."""
    before = order["status"]
    order["status"] = status
    order["_trashed_from"] = None
    stamp = site.time.stamp()
    when_paid = _status_when_paid(site, order)
    if status != before and order["date_paid_gmt"] is None and status in {when_paid, "completed"}:
        order["date_paid_gmt"] = stamp
    if status == "completed" and order["date_completed_gmt"] is None:
        order["date_completed_gmt"] = stamp
    _save(site, order, quietly=quietly)
    if status in _TAKES_STOCK:
        reduce_for(site, order)
    elif status in _GIVES_BACK:
        restore_for(site, order)
    customer = site.table("customers").get(order["customer_id"])
    if customer is not None and status in _PAID and before not in _PAID and not quietly:
        # The customer's own date_modified does not move (recorded).
        customer["is_paying_customer"] = True
        site.store.save("customers", customer)
        site.fire("customer.updated", customer["id"])


def trash_order(site: Site, order: Doc) -> None:
    """DELETE orders/ID: to the trash, order.deleted. Raises `RestError` 410 when it is there already."""
    if order["status"] == "trash":
        raise RestError("woocommerce_rest_already_trashed", "The order has already been deleted.", 410)
    order["_trashed_from"] = order["status"]
    order["status"] = "trash"
    _save(site, order, quietly=True)
    site.fire("order.deleted", order["id"])


def untrash_order(site: Site, order: Doc) -> None:
    """What the Restore link of the admin page does: the old status again, order.restored."""
    order["status"] = order["_trashed_from"] or "pending"
    order["_trashed_from"] = None
    _save(site, order, quietly=True)
    site.fire("order.restored", order["id"])


def erase_order(site: Site, order: Doc) -> None:
    """DELETE orders/ID?force=true: gone with its refunds and notes; fires nothing."""
    for refund_id in order["_refund_ids"]:
        site.store.remove("refunds", refund_id)
    for note in [n for n in site.table("notes").values() if n["order_id"] == order["id"]]:
        site.store.remove("notes", note["id"])
    site.store.remove("orders", order["id"])


def _save(site: Site, order: Doc, *, quietly: bool = False) -> None:
    order["date_modified_gmt"] = site.time.stamp()
    site.store.save("orders", order)
    if not quietly:
        site.fire("order.updated", order["id"])


def _status_when_paid(site: Site, order: Doc) -> str:
    if order["payment_method"] == "cod":
        return "completed"
    return "processing" if needs_processing(site, order) else "completed"


def _known_status(status: object) -> str:
    """Single calls are validated before; in a batch an unknown status becomes the default."""
    return str(status) if status in STATUSES else "pending"


def _check_customer(site: Site, body: Doc) -> None:
    customer_id = as_int(body.get("customer_id"))
    if customer_id and customer_id not in site.table("customers"):
        raise RestError("woocommerce_rest_invalid_customer_id", "Customer ID is invalid.", 400)


def _apply(site: Site, order: Doc, body: Doc) -> None:
    for part in ("billing", "shipping"):
        wanted = body.get(part)
        for key, value in wanted.items() if isinstance(wanted, dict) else ():
            if key in order[part]:
                order[part][key] = as_text(value)
    for key in _TEXT_KEYS:
        if body.get(key) is not None:
            order[key] = as_text(body[key])
    if body.get("customer_id") is not None:
        order["customer_id"] = as_int(body["customer_id"])
    if body.get("created_via"):
        order["created_via"] = as_text(body["created_via"])
    set_meta(site, order, body.get("meta_data"))


def _apply_coupon_codes(site: Site, order: Doc, body: Doc) -> None:
    wanted = body.get("coupon_lines")
    if not isinstance(wanted, list) or not (wanted or order["coupon_lines"]):
        return
    coupons = []
    for entry in wanted:
        code = as_text(entry.get("code")) if isinstance(entry, dict) else ""
        coupon = coupon_by_code(site, code)
        if coupon is None:
            if order["id"] not in site.table("orders"):
                order["status"] = "auto-draft"
                site.store.save("orders", order)
            raise unknown_coupon(code, order["id"])
        coupons.append(coupon)
    apply_coupons(site, order, coupons)
