"""What answers the REST routes of customers, webhooks, taxes and the shop itself."""

from __future__ import annotations

from ops_sandbox.shop import checks, customers, listing, webhooks
from ops_sandbox.shop.batch import run_batch
from ops_sandbox.shop.calls import RestAnswer, RestCall, created, page_answer
from ops_sandbox.shop.errors import RestError, trash_not_supported
from ops_sandbox.shop.order_view import links
from ops_sandbox.shop.seed import recorded
from ops_sandbox.shop.site import VERSION, Site
from ops_sandbox.shop.wire import Doc

# Customers


def get_customers(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "customers")
    found = listing.kept_list(
        site, ("customers",), "customers", call.query, lambda: listing.list_customers(site, call.query)
    )
    return page_answer(call, found, lambda c: customers.customer_body(site, c, call.home))


def get_customer(site: Site, call: RestCall, customer_id: int) -> RestAnswer:
    return RestAnswer(customers.customer_body(site, customers.find_customer(site, customer_id), call.home))


def post_customer(site: Site, call: RestCall) -> RestAnswer:
    customer = customers.create_customer(site, checks.checked(call.body, checks.CUSTOMER))
    return created(customers.customer_body(site, customer, call.home))


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
            call,
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
    return page_answer(
        call,
        listing.in_order(listing.by_ids(found, call.query), call.query),
        lambda w: webhooks.webhook_body(site, w, call.home),
    )


def get_webhook(site: Site, call: RestCall, webhook_id: int) -> RestAnswer:
    return RestAnswer(webhooks.webhook_body(site, webhooks.find_webhook(site, webhook_id), call.home))


def post_webhook(site: Site, call: RestCall) -> RestAnswer:
    webhook = webhooks.create_webhook(site, checks.checked(call.body, checks.WEBHOOK))
    return created(webhooks.webhook_body(site, webhook, call.home))


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
    return page_answer(
        call, found, lambda t: {**t, "_links": links(call.home, f"/taxes/{t['id']}", "/taxes")}
    )


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
