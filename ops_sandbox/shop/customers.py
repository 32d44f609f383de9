"""Customers: created, changed, deleted, and how they look."""

from __future__ import annotations

import hashlib

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.site import Site, set_meta
from ops_sandbox.shop.wire import Doc, as_text

#: A customer's addresses have the state after the country, an order's before the postcode.
BILLING_KEYS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "postcode",
    "country",
    "state",
    "email",
    "phone",
)
SHIPPING_KEYS = tuple(key for key in BILLING_KEYS if key != "email")


def find_customer(site: Site, customer_id: int) -> Doc:
    """Raises `RestError` 404."""
    customer = site.table("customers").get(customer_id)
    if customer is None:
        raise RestError("wc_user_invalid_id", "Invalid user ID.", 404)
    return customer


def customer_by_email(site: Site, email: str) -> Doc | None:
    """Exact but for case."""
    wanted = email.lower()
    return next((c for c in site.table("customers").values() if c["email"].lower() == wanted), None)


def create_customer(site: Site, body: Doc) -> Doc:
    """POST customers: customer.created and customer.updated. Raises `RestError` 400 for a known email."""
    email = as_text(body.get("email"))
    if not email:
        raise RestError(
            "rest_missing_callback_param", "Missing parameter(s): email", 400, extra={"params": ["email"]}
        )
    if customer_by_email(site, email) is not None:
        raise RestError(
            "registration-error-email-exists",
            f"An account is already registered with {email}. Please log in or use a different email address.",
            400,
        )
    stamp = site.time.stamp()
    customer: Doc = {
        "id": site.store.next_id("user"),
        "date_created_gmt": stamp,
        "date_modified_gmt": stamp,
        "email": email,
        "first_name": "",
        "last_name": "",
        "role": "customer",
        "username": as_text(body.get("username")) or email.split("@")[0],
        "billing": dict.fromkeys(BILLING_KEYS, ""),
        "shipping": dict.fromkeys(SHIPPING_KEYS, ""),
        "is_paying_customer": False,
        "meta_data": [],
    }
    _apply(site, customer, body)
    site.store.save("customers", customer)
    site.fire("customer.created", customer["id"])
    site.fire("customer.updated", customer["id"])
    return customer


def update_customer(site: Site, customer: Doc, body: Doc) -> Doc:
    """PUT customers/ID, also with nothing new in it: customer.updated."""
    email = as_text(body.get("email"))
    if email:
        owner = customer_by_email(site, email)
        if owner is not None and owner["id"] != customer["id"]:
            raise RestError("woocommerce_rest_customer_invalid_email", "Email address is invalid.", 400)
        customer["email"] = email
    _apply(site, customer, body)
    customer["date_modified_gmt"] = site.time.stamp()
    site.store.save("customers", customer)
    site.fire("customer.updated", customer["id"])
    return customer


def delete_customer(site: Site, customer: Doc) -> None:
    """DELETE customers/ID?force=true: customer.deleted; the customer's orders become guests' orders."""
    for order in site.table("orders").values():
        if order["customer_id"] == customer["id"]:
            order["customer_id"] = 0
            site.store.save("orders", order)
    site.store.remove("customers", customer["id"])
    site.fire("customer.deleted", customer["id"])


def customer_body(site: Site, customer: Doc, home: str) -> Doc:
    """A customer as GET customers/ID gives it."""
    digest = hashlib.sha256(customer["email"].strip().lower().encode()).hexdigest()
    return {
        "id": customer["id"],
        "date_created": site.time.local(customer["date_created_gmt"]),
        "date_created_gmt": customer["date_created_gmt"],
        "date_modified": site.time.local(customer["date_modified_gmt"]),
        "date_modified_gmt": customer["date_modified_gmt"],
        "email": customer["email"],
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "role": customer["role"],
        "username": customer["username"],
        "billing": dict(customer["billing"]),
        "shipping": dict(customer["shipping"]),
        "is_paying_customer": customer["is_paying_customer"],
        "avatar_url": f"https://secure.gravatar.com/avatar/{digest}?s=96&d=mm&r=g",
        "meta_data": [dict(m) for m in customer["meta_data"]],
        "_links": links(home, f"/customers/{customer['id']}", "/customers"),
    }


def _apply(site: Site, customer: Doc, body: Doc) -> None:
    for key in ("first_name", "last_name"):
        if body.get(key) is not None:
            customer[key] = as_text(body[key])
    for part in ("billing", "shipping"):
        wanted = body.get(part)
        for key, value in wanted.items() if isinstance(wanted, dict) else ():
            if key in customer[part]:
                customer[part][key] = as_text(value)
    set_meta(site, customer, body.get("meta_data"))
