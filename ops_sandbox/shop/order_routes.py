"""What answers the REST routes of orders, refunds and notes."""

from __future__ import annotations

from ops_sandbox.shop import checks, listing, orders, refunds
from ops_sandbox.shop.batch import run_batch
from ops_sandbox.shop.calls import RestAnswer, RestCall, created, page_answer
from ops_sandbox.shop.errors import trash_not_supported
from ops_sandbox.shop.order_view import note_body, order_body, refund_body
from ops_sandbox.shop.seed import recorded
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.stock import add_note
from ops_sandbox.shop.wire import Doc, as_bool, as_text


def get_orders(site: Site, call: RestCall) -> RestAnswer:
    listing.check_query(call.query, "orders")
    found = listing.kept_list(
        site, ("orders",), "orders", call.query, lambda: listing.list_orders(site, call.query)
    )
    return page_answer(call, found, lambda o: order_body(site, o, call.home, call.places))


def get_order(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    return RestAnswer(order_body(site, orders.find_order(site, order_id), call.home, call.places))


def post_order(site: Site, call: RestCall) -> RestAnswer:
    order = orders.create_order(site, checks.checked(call.body, checks.ORDER))
    return created(order_body(site, order, call.home))


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
            call,
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
    return page_answer(call, found, lambda r: refund_body(site, r, call.home, places=call.places))


def get_refund(site: Site, call: RestCall, order_id: int, refund_id: int) -> RestAnswer:
    refund = refunds.find_refund(site, orders.find_order(site, order_id), refund_id)
    return RestAnswer(refund_body(site, refund, call.home, places=call.places))


def post_refund(site: Site, call: RestCall, order_id: int) -> RestAnswer:
    body = checks.checked(call.body, checks.REFUND)
    refund = refunds.create_refund(site, orders.find_order(site, order_id), body)
    return created(refund_body(site, refund, call.home))


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
    return page_answer(call, rows, lambda r: refund_body(site, r, call.home, with_parent=True))


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
    return created(note_body(site, note, call.home))


def get_order_statuses(site: Site, call: RestCall) -> RestAnswer:
    return RestAnswer(recorded("site.json")["order_statuses"])
