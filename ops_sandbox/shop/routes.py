"""The REST routes of the shop and what answers each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ops_sandbox.shop import order_routes, other_routes, product_routes, term_routes
from ops_sandbox.shop.calls import RestAnswer
from ops_sandbox.shop.errors import no_route

Handler = Callable[..., RestAnswer]


@dataclass(frozen=True)
class Route:
    """A path below /wp-json/wc/v3 and its handlers by method: GET, POST, PUT, DELETE."""

    pattern: re.Pattern[str]
    handlers: dict[str, Handler]
    is_item: bool

    @property
    def allow(self) -> str:
        """The Allow header."""
        names = {"GET": "GET", "PUT": "POST, PUT, PATCH", "POST": "POST", "DELETE": "DELETE"}
        return ", ".join(
            names[method] for method in ("GET", "POST", "PUT", "DELETE") if method in self.handlers
        )

    def handler(self, method: str) -> Handler:
        """PUT, PATCH and POST on an item are the same. Raises `RestError` 404."""
        known = {"HEAD": "GET", "PATCH": "PUT"}.get(method, method)
        if known == "POST" and "PUT" in self.handlers:
            known = "PUT"
        if known not in self.handlers:
            raise no_route()
        return self.handlers[known]


def _routes() -> list[Route]:
    table: list[tuple[str, dict[str, Handler]]] = [
        ("/orders", {"GET": order_routes.get_orders, "POST": order_routes.post_order}),
        ("/orders/batch", {"PUT": order_routes.batch_orders}),
        ("/orders/statuses", {"GET": order_routes.get_order_statuses}),
        (
            "/orders/<order_id>",
            {
                "GET": order_routes.get_order,
                "PUT": order_routes.put_order,
                "DELETE": order_routes.delete_order,
            },
        ),
        ("/orders/<order_id>/refunds", {"GET": order_routes.get_refunds, "POST": order_routes.post_refund}),
        (
            "/orders/<order_id>/refunds/<refund_id>",
            {"GET": order_routes.get_refund, "DELETE": order_routes.delete_refund},
        ),
        ("/orders/<order_id>/notes", {"GET": order_routes.get_notes, "POST": order_routes.post_note}),
        ("/refunds", {"GET": order_routes.get_all_refunds}),
        ("/products", {"GET": product_routes.get_products, "POST": product_routes.post_product}),
        ("/products/batch", {"PUT": product_routes.batch_products}),
        (
            "/products/<product_id>",
            {
                "GET": product_routes.get_product,
                "PUT": product_routes.put_product,
                "DELETE": product_routes.delete_product,
            },
        ),
        (
            "/products/<product_id>/variations",
            {"GET": product_routes.get_variations, "POST": product_routes.post_variation},
        ),
        ("/products/<product_id>/variations/batch", {"PUT": product_routes.batch_variations}),
        (
            "/products/<product_id>/variations/<variation_id>",
            {
                "GET": product_routes.get_variation,
                "PUT": product_routes.put_variation,
                "DELETE": product_routes.delete_variation,
            },
        ),
        *term_routes.routes(),
        ("/variations", {"GET": product_routes.get_all_variations}),
        ("/customers", {"GET": other_routes.get_customers, "POST": other_routes.post_customer}),
        ("/customers/batch", {"PUT": other_routes.batch_customers}),
        (
            "/customers/<customer_id>",
            {
                "GET": other_routes.get_customer,
                "PUT": other_routes.put_customer,
                "DELETE": other_routes.delete_customer,
            },
        ),
        ("/webhooks", {"GET": other_routes.get_webhooks, "POST": other_routes.post_webhook}),
        (
            "/webhooks/<webhook_id>",
            {
                "GET": other_routes.get_webhook,
                "PUT": other_routes.put_webhook,
                "DELETE": other_routes.delete_webhook,
            },
        ),
        ("/taxes", {"GET": other_routes.get_taxes}),
        ("/taxes/classes", {"GET": other_routes.get_tax_classes}),
        ("/taxes/<tax_id>", {"GET": other_routes.get_tax}),
        ("/data/currencies/current", {"GET": other_routes.get_current_currency}),
        ("/system_status", {"GET": other_routes.get_system_status}),
    ]
    return [
        Route(re.compile(re.sub(r"<(\w+)>", r"(?P<\1>\\d+)", path) + "/?$"), handlers, path.endswith(">"))
        for path, handlers in table
    ]


ROUTES = _routes()


def find_route(path: str) -> tuple[Route, dict[str, int]]:
    """The route of a path below /wp-json/wc/v3, and the ids in it. Raises `RestError` 404."""
    for route in ROUTES:
        matched = route.pattern.match(path)
        if matched is not None:
            return route, {name: int(value) for name, value in matched.groupdict().items()}
    raise no_route()
