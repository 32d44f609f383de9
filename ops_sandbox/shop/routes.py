"""The REST routes of the shop and what answers each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ops_sandbox.shop import checks, customers, listing, orders, products, refunds, webhooks
from ops_sandbox.shop.batch import run_batch
from ops_sandbox.shop.errors import RestError, no_route, trash_not_supported
from ops_sandbox.shop.order_view import links, note_body, order_body, refund_body
from ops_sandbox.shop.product_view import product_body, variation_body
from ops_sandbox.shop.seed import recorded
from ops_sandbox.shop.site import VERSION, Site
from ops_sandbox.shop.stock import add_note
from ops_sandbox.shop.wire import Doc, as_bool, as_int, as_text


@dataclass(frozen=True)
class RestCall:
    """One call: `body` is the JSON of the request, `home` the address for its links."""

    method: str
    path: str
    query: dict[str, str]
    body: Doc
    home: str

    @property
    def force(self) -> bool:
        """force=true in the query or the body: delete for good."""
        return as_bool(self.query.get("force", self.body.get("force")))

    @property
    def places(self) -> int:
        """Decimals of money, `dp`."""
        return as_int(self.query.get("dp", 2))

    @property
    def url(self) -> str:
        """The address called, without the query."""
        return f"{self.home}{self.path}"


@dataclass(frozen=True)
class RestAnswer:
    """Status, body and the headers beyond the usual ones."""

    body: object
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)


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


def _page(
    call: RestCall, docs: list[Doc], render: Callable[[Doc], Doc], default_per_page: int = 10
) -> RestAnswer:
    page = listing.page_of(docs, call.query, default_per_page=default_per_page)
    headers = listing.page_headers(page, call.url, call.query)
    return RestAnswer([render(doc) for doc in page.docs], headers=headers)


def _created(body: Doc) -> RestAnswer:
    return RestAnswer(body, 201, [("Location", body["_links"]["self"][0]["href"])])


# Orders


def get_orders(site: Site, call: RestCall) -> RestAnswer:
    found = listing.list_orders(site, call.query)
    return _page(call, found, lambda o: order_body(site, o, call.home, call.places))


def get_order(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    return RestAnswer(order_body(site, orders.find_order(site, order_id), call.home, call.places))


def post_order(site: Site, call: RestCall) -> RestAnswer:
    order = orders.create_order(site, checks.checked(call.body, checks.ORDER))
    return _created(order_body(site, order, call.home))


def put_order(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    # Parameters are validated before the record is looked for.
    body = checks.checked(call.body, checks.ORDER)
    order = orders.update_order(site, orders.find_order(site, order_id), body)
    return RestAnswer(order_body(site, order, call.home))


def delete_order(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    order = orders.find_order(site, order_id)
    if not call.force:
        orders.trash_order(site, order)
        return RestAnswer(order_body(site, order, call.home))
    body = order_body(site, order, call.home)
    orders.erase_order(site, order)
    return RestAnswer(body)


def batch_orders(site: Site, call: RestCall) -> RestAnswer:
    def erase(order_id: int) -> Doc:
        order = orders.find_order(site, order_id)
        body = order_body(site, order, call.home)
        orders.erase_order(site, order)
        return body

    return RestAnswer(
        run_batch(
            call.body,
            lambda item: order_body(site, orders.create_order(site, item), call.home),
            lambda order_id, item: order_body(
                site, orders.update_order(site, orders.find_order(site, order_id), item), call.home
            ),
            erase,
        )
    )


def get_refunds(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    orders.find_order(site, order_id)
    listing.check_query(call.query, "refunds")
    found = [r for r in site.table("refunds").values() if r["parent_id"] == order_id]
    found = listing.in_order(listing.by_dates(site, found, call.query), call.query)
    return _page(call, found, lambda r: refund_body(site, r, call.home, places=call.places))


def get_refund(site: Site, call: RestCall, order_id: int, refund_id: int) -> RestAnswer:
    refund = refunds.find_refund(site, orders.find_order(site, order_id), refund_id)
    return RestAnswer(refund_body(site, refund, call.home, places=call.places))


def post_refund(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.REFUND)
    refund = refunds.create_refund(site, orders.find_order(site, order_id), body)
    return _created(refund_body(site, refund, call.home))


def delete_refund(site: Site, call: RestCall, order_id: int, refund_id: int) -> RestAnswer:
    order = orders.find_order(site, order_id)
    refund = refunds.find_refund(site, order, refund_id)
    if not call.force:
        raise trash_not_supported("Refunds")
    body = refund_body(site, refund, call.home)
    refunds.delete_refund(site, order, refund)
    return RestAnswer(body)


def get_all_refunds(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "refunds")
    found = listing.by_dates(site, site.table("refunds").values(), call.query)
    rows = listing.in_order(listing.by_ids(found, call.query), call.query)
    return _page(call, rows, lambda r: refund_body(site, r, call.home, with_parent=True))


def get_notes(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    orders.find_order(site, order_id)
    found = sorted(
        (n for n in site.table("notes").values() if n["order_id"] == order_id), key=lambda n: int(n["id"])
    )
    found.sort(key=lambda n: str(n["date_created_gmt"]), reverse=True)
    kind = call.query.get("type", "any")
    if kind != "any":
        found = [n for n in found if n["customer_note"] == (kind == "customer")]
    # Notes come unpaged, all of them.
    return RestAnswer([note_body(site, n, call.home) for n in found])


def post_note(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.NOTE)
    order = orders.find_order(site, order_id)
    note = add_note(site, order, as_text(body.get("note")), for_customer=as_bool(body.get("customer_note")))
    return _created(note_body(site, note, call.home))


def get_order_statuses(site: Site, call: RestCall) -> RestAnswer:
    return RestAnswer(recorded("site.json")["order_statuses"])


# Products


def get_products(site: Site, call: RestCall) -> RestAnswer:
    found = listing.list_products(site, call.query)
    return _page(call, found, lambda p: product_body(site, p, call.home))


def get_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    return RestAnswer(product_body(site, products.find_product(site, product_id), call.home))


def post_product(site: Site, call: RestCall) -> RestAnswer:
    product = products.create_product(site, checks.checked(call.body, checks.PRODUCT))
    return _created(product_body(site, product, call.home, edit=True))


def put_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.PRODUCT)
    product = products.update_product(site, products.find_product(site, product_id, status=400), body)
    return RestAnswer(product_body(site, product, call.home, edit=True))


def delete_product(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    product = products.find_product(site, product_id)
    if not call.force:
        products.trash_product(site, product)
        return RestAnswer(product_body(site, product, call.home, edit=True))
    body = product_body(site, product, call.home, edit=True)
    products.erase_product(site, product)
    return RestAnswer(body)


def batch_products(site: Site, call: RestCall) -> RestAnswer:
    def update(product_id: int, item: Doc) -> Doc:
        product = products.find_product(site, product_id, status=400)
        return product_body(site, products.update_product(site, product, item), call.home, edit=True)

    def erase(product_id: int) -> Doc:
        product = products.find_product(site, product_id)
        body = product_body(site, product, call.home, edit=True)
        products.erase_product(site, product)
        return body

    def create(item: Doc) -> Doc:
        return product_body(site, products.create_product(site, item), call.home, edit=True)

    return RestAnswer(run_batch(call.body, create, update, erase))


def get_variations(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    found = listing.list_variations(site, call.query, product_id)
    return _page(call, found, lambda v: variation_body(site, v, call.home))


def get_all_variations(site: Site, call: RestCall) -> RestAnswer:
    found = listing.list_variations(site, call.query)
    return _page(call, found, lambda v: variation_body(site, v, call.home))


def get_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    variation = products.find_variation(site, product_id, variation_id)
    return RestAnswer(variation_body(site, variation, call.home))


def post_variation(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.VARIATION)
    variation = products.create_variation(site, products.find_product(site, product_id), body)
    return _created(variation_body(site, variation, call.home, edit=True))


def put_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.VARIATION)
    variation = products.find_variation(site, product_id, variation_id)
    products.update_variation(site, variation, body)
    return RestAnswer(variation_body(site, variation, call.home, edit=True))


def delete_variation(site: Site, call: RestCall, product_id: int, variation_id: int) -> RestAnswer:
    variation = products.find_variation(site, product_id, variation_id)
    body = variation_body(site, variation, call.home, edit=True)
    products.erase_product(site, variation)
    return RestAnswer(body)


def batch_variations(site: Site, call: RestCall, product_id: int) -> RestAnswer:
    def create(item: Doc) -> Doc:
        variation = products.create_variation(site, products.find_product(site, product_id), item)
        return variation_body(site, variation, call.home, edit=True)

    def update(variation_id: int, item: Doc) -> Doc:
        variation = products.find_variation(site, product_id, variation_id)
        return variation_body(site, products.update_variation(site, variation, item), call.home, edit=True)

    def erase(variation_id: int) -> Doc:
        variation = products.find_variation(site, product_id, variation_id)
        body = variation_body(site, variation, call.home, edit=True)
        products.erase_product(site, variation)
        return body

    return RestAnswer(run_batch(call.body, create, update, erase))


# Customers


def get_customers(site: Site, call: RestCall) -> RestAnswer:
    found = listing.list_customers(site, call.query)
    return _page(call, found, lambda c: customers.customer_body(site, c, call.home))


def get_customer(site: Site, call: RestCall, customer_id: int) -> RestAnswer:
    return RestAnswer(customers.customer_body(site, customers.find_customer(site, customer_id), call.home))


def post_customer(site: Site, call: RestCall) -> RestAnswer:
    customer = customers.create_customer(site, checks.checked(call.body, checks.CUSTOMER))
    return _created(customers.customer_body(site, customer, call.home))


def put_customer(site: Site, call: RestCall, customer_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.CUSTOMER)
    customer = customers.update_customer(site, customers.find_customer(site, customer_id), body)
    return RestAnswer(customers.customer_body(site, customer, call.home))


def delete_customer(site: Site, call: RestCall, customer_id: int) -> RestAnswer:
    customer = customers.find_customer(site, customer_id)
    if not call.force:
        raise trash_not_supported("Customers")
    body = customers.customer_body(site, customer, call.home)
    customers.delete_customer(site, customer)
    return RestAnswer(body)


def batch_customers(site: Site, call: RestCall) -> RestAnswer:
    def erase(customer_id: int) -> Doc:
        customer = customers.find_customer(site, customer_id)
        body = customers.customer_body(site, customer, call.home)
        customers.delete_customer(site, customer)
        return body

    return RestAnswer(
        run_batch(
            call.body,
            lambda item: customers.customer_body(site, customers.create_customer(site, item), call.home),
            lambda customer_id, item: customers.customer_body(
                site,
                customers.update_customer(site, customers.find_customer(site, customer_id), item),
                call.home,
            ),
            erase,
        )
    )


# Webhooks. The ping of a new one is sent by the app, which must not hold the shop while it waits.


def get_webhooks(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "webhooks")
    found: list[Doc] = list(site.table("webhooks").values())
    status = call.query.get("status", "all")
    found = [w for w in found if status in ("all", w["status"])]
    return _page(
        call,
        listing.in_order(listing.by_ids(found, call.query), call.query),
        lambda w: webhooks.webhook_body(site, w, call.home),
    )


def get_webhook(site: Site, call: RestCall, webhook_id: int) -> RestAnswer:
    return RestAnswer(webhooks.webhook_body(site, webhooks.find_webhook(site, webhook_id), call.home))


def post_webhook(site: Site, call: RestCall) -> RestAnswer:
    webhook = webhooks.create_webhook(site, checks.checked(call.body, checks.WEBHOOK))
    return _created(webhooks.webhook_body(site, webhook, call.home))


def put_webhook(site: Site, call: RestCall, webhook_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.WEBHOOK)
    webhook = webhooks.update_webhook(site, webhooks.find_webhook(site, webhook_id), body)
    return RestAnswer(webhooks.webhook_body(site, webhook, call.home))


def delete_webhook(site: Site, call: RestCall, webhook_id: int) -> RestAnswer:
    webhook = webhooks.find_webhook(site, webhook_id)
    if not call.force:
        raise trash_not_supported("Webhooks")
    body = webhooks.webhook_body(site, webhook, call.home)
    webhooks.delete_webhook(site, webhook)
    return RestAnswer(body)


# The shop itself


def get_taxes(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "taxes")
    found = sorted(site.table("taxes").values(), key=lambda t: int(t["id"]))
    if call.query.get("class"):
        found = [t for t in found if t["class"] == call.query["class"]]
    return _page(call, found, lambda t: {**t, "_links": links(call.home, f"/taxes/{t['id']}", "/taxes")})


def get_tax(site: Site, call: RestCall, tax_id: int) -> RestAnswer:
    tax = site.table("taxes").get(tax_id)
    if tax is None:
        raise RestError("woocommerce_rest_invalid_id", "Invalid resource ID.", 404)
    return RestAnswer({**tax, "_links": links(call.home, f"/taxes/{tax_id}", "/taxes")})


def get_tax_classes(site: Site, call: RestCall) -> RestAnswer:
    collection = {"collection": [{"href": f"{call.home}/wp-json/wc/v3/taxes/classes"}]}
    return RestAnswer([{**c, "_links": collection} for c in recorded("site.json")["tax_classes"]])


def get_current_currency(site: Site, call: RestCall) -> RestAnswer:
    currency = recorded("site.json")["currency"]
    path = f"/data/currencies/{currency['code']}"
    return RestAnswer({**currency, "_links": links(call.home, path, "/data/currencies", ["GET"])})


def get_system_status(site: Site, call: RestCall) -> RestAnswer:
    return RestAnswer(
        {
            "environment": {"home_url": site.home_url, "site_url": site.home_url, "version": VERSION},
            "settings": {"api_enabled": False, "currency": "USD", "currency_symbol": "&#36;"},
        }
    )


def _routes() -> list[Route]:
    table: list[tuple[str, dict[str, Handler]]] = [
        ("/orders", {"GET": get_orders, "POST": post_order}),
        ("/orders/batch", {"PUT": batch_orders}),
        ("/orders/statuses", {"GET": get_order_statuses}),
        ("/orders/<order_id>", {"GET": get_order, "PUT": put_order, "DELETE": delete_order}),
        ("/orders/<order_id>/refunds", {"GET": get_refunds, "POST": post_refund}),
        ("/orders/<order_id>/refunds/<refund_id>", {"GET": get_refund, "DELETE": delete_refund}),
        ("/orders/<order_id>/notes", {"GET": get_notes, "POST": post_note}),
        ("/refunds", {"GET": get_all_refunds}),
        ("/products", {"GET": get_products, "POST": post_product}),
        ("/products/batch", {"PUT": batch_products}),
        ("/products/<product_id>", {"GET": get_product, "PUT": put_product, "DELETE": delete_product}),
        ("/products/<product_id>/variations", {"GET": get_variations, "POST": post_variation}),
        ("/products/<product_id>/variations/batch", {"PUT": batch_variations}),
        (
            "/products/<product_id>/variations/<variation_id>",
            {"GET": get_variation, "PUT": put_variation, "DELETE": delete_variation},
        ),
        ("/variations", {"GET": get_all_variations}),
        ("/customers", {"GET": get_customers, "POST": post_customer}),
        ("/customers/batch", {"PUT": batch_customers}),
        ("/customers/<customer_id>", {"GET": get_customer, "PUT": put_customer, "DELETE": delete_customer}),
        ("/webhooks", {"GET": get_webhooks, "POST": post_webhook}),
        ("/webhooks/<webhook_id>", {"GET": get_webhook, "PUT": put_webhook, "DELETE": delete_webhook}),
        ("/taxes", {"GET": get_taxes}),
        ("/taxes/classes", {"GET": get_tax_classes}),
        ("/taxes/<tax_id>", {"GET": get_tax}),
        ("/data/currencies/current", {"GET": get_current_currency}),
        ("/system_status", {"GET": get_system_status}),
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
