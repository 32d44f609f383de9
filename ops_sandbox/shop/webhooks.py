"""Webhooks as a REST resource: registered, changed, listed; their secret is never shown."""

from __future__ import annotations

from urllib.parse import urlsplit

from ops_sandbox.shop.errors import RestError, invalid_id
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, as_text

#: WordPress hooks behind each topic; shown as "hooks".
TOPICS: dict[str, tuple[str, ...]] = {
    "customer.created": ("user_register", "woocommerce_created_customer", "woocommerce_new_customer"),
    "customer.updated": ("profile_update", "woocommerce_update_customer"),
    "customer.deleted": ("delete_user",),
    "order.created": ("woocommerce_new_order",),
    "order.updated": ("woocommerce_update_order", "woocommerce_order_refunded"),
    "order.deleted": ("wp_trash_post", "woocommerce_trash_order"),
    "order.restored": ("untrashed_post", "woocommerce_untrash_order"),
    "product.created": ("woocommerce_new_product", "woocommerce_new_product_variation"),
    "product.updated": (
        "woocommerce_process_product_meta",
        "woocommerce_update_product",
        "woocommerce_update_product_variation",
    ),
    "product.deleted": ("wp_trash_post",),
    "product.restored": ("untrashed_post",),
    "product.published": ("transition_post_status",),
    "coupon.created": ("woocommerce_process_shop_coupon_meta", "woocommerce_new_coupon"),
    "coupon.updated": ("woocommerce_process_shop_coupon_meta", "woocommerce_update_coupon"),
    "coupon.deleted": ("wp_trash_post",),
    "coupon.restored": ("untrashed_post",),
}
STATUSES = ("active", "paused", "disabled")


def find_webhook(site: Site, webhook_id: int) -> Doc:
    """Raises `RestError` 404."""
    webhook = site.table("webhooks").get(webhook_id)
    if webhook is None:
        raise invalid_id("shop_webhook")
    return webhook


def create_webhook(site: Site, body: Doc) -> Doc:
    """POST webhooks, before its ping. Raises `RestError` 400 for an unknown topic or a bad URL."""
    topic, url = as_text(body.get("topic")), as_text(body.get("delivery_url"))
    _check_topic(topic)
    _check_url(url)
    webhook: Doc = {
        "id": site.store.next_id("webhook"),
        "name": as_text(body.get("name")) or f"Webhook created on {site.time.now():%b %d, %Y @ %I:%M %p}",
        "status": body["status"] if body.get("status") in STATUSES else "active",
        "topic": topic,
        "delivery_url": url,
        "secret": as_text(body.get("secret")) or site.random_key(50),
        "date_created_gmt": site.time.stamp(),
        "date_modified_gmt": None,
        "failure_count": 0,
        "ping_wanted": True,
    }
    return site.store.save("webhooks", webhook)


def update_webhook(site: Site, webhook: Doc, body: Doc) -> Doc:
    """PUT webhooks/ID. Setting it active keeps the count of failures (recorded)."""
    if body.get("topic") is not None:
        _check_topic(as_text(body["topic"]))
        webhook["topic"] = as_text(body["topic"])
    if body.get("delivery_url") is not None:
        _check_url(as_text(body["delivery_url"]))
        webhook["delivery_url"] = as_text(body["delivery_url"])
    for key in ("name", "secret"):
        if body.get(key) is not None:
            webhook[key] = as_text(body[key])
    if body.get("status") in STATUSES:
        webhook["status"] = body["status"]
    webhook["date_modified_gmt"] = site.time.stamp()
    return site.store.save("webhooks", webhook)


def delete_webhook(site: Site, webhook: Doc) -> None:
    """Gone, with the actions that waited for it."""
    for action in [a for a in site.table("actions").values() if a["webhook_id"] == webhook["id"]]:
        site.pending.discard((action["webhook_id"], action["resource_id"]))
        site.store.remove("actions", action["id"])
    site.store.remove("webhooks", webhook["id"])


def webhook_body(site: Site, webhook: Doc, home: str) -> Doc:
    """A webhook as GET webhooks/ID gives it: neither its secret nor its failures."""
    resource, event = webhook["topic"].split(".")
    return {
        "id": webhook["id"],
        "name": webhook["name"],
        "status": webhook["status"],
        "topic": webhook["topic"],
        "resource": resource,
        "event": event,
        "hooks": list(TOPICS[webhook["topic"]]),
        "delivery_url": webhook["delivery_url"],
        "date_created": site.time.local(webhook["date_created_gmt"]),
        "date_created_gmt": webhook["date_created_gmt"],
        "date_modified": site.time.local(webhook["date_modified_gmt"]),
        "date_modified_gmt": webhook["date_modified_gmt"],
        "_links": links(home, f"/webhooks/{webhook['id']}", "/webhooks"),
    }


def _check_topic(topic: str) -> None:
    if topic not in TOPICS:
        raise RestError(
            "woocommerce_rest_shop_webhook_invalid_topic", "Webhook topic is required and must be valid.", 400
        )


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise RestError(
            "woocommerce_rest_shop_webhook_invalid_delivery_url",
            "Webhook delivery URL must be a valid URL starting with http:// or https://.",
            400,
        )
