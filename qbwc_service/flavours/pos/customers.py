"""Whose receipt it is, and what a person is called in QuickBooks."""

from __future__ import annotations

import hashlib

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.needs import CustomerNeed
from queue_store.payloads import Customer, Order
from queue_store.settings import Settings

#: Longest FirstName and LastName. Source: protocol reference 5.8.
NAME_LENGTH = 30


def customer_need(order: Order, company: Settings, store: Settings, head: str) -> CustomerNeed:
    """Who bought, by `customers.mode`; `head` begins the store's marks. Raises NotSendable.

    A guest without e-mail cannot be told from another: the named customer stands
    in, or the order is refused.
    """
    mode = company["customers.mode"]
    if mode == "one":
        return fallback_customer(company)
    if mode == "store":
        return store_customer(company, store, head)
    email = order.billing.email.strip().lower()
    billing = order.billing
    if not order.customer_id and not email:
        if company["customers.unknown"] == "refuse":
            raise NotSendable(
                f"Order {order.number}: its buyer is a guest without e-mail (billing.email) and cannot be told. Enter "
                "the e-mail in the shop, or let the named customer stand in: "
                f"qbwoo company set {company.owner} customers.unknown fallback"
            )
        return fallback_customer(company)
    customer = Customer(
        customer_id=order.customer_id,
        email=email,
        first_name=billing.first_name,
        last_name=billing.last_name,
        company=billing.company,
        billing=billing,
        shipping=order.shipping,
        modified_at=order.modified_at,
    )
    if order.customer_id:
        return CustomerNeed(customer=customer, customer_id=account_customer_id(order.customer_id, head))
    return CustomerNeed(customer=customer, customer_id=guest_customer_id(email, company))


def account_customer_id(customer_id: int, head: str) -> str:
    """Our CustomerID of a shop account; `head` is the company's prefix and the store's code."""
    return f"{head}-C{customer_id}"


def guest_customer_id(email: str, company: Settings) -> str:
    """Our CustomerID of a guest: the same for every order of one e-mail address."""
    digest = hashlib.sha256(email.encode()).hexdigest()[:20]
    return f"{company['documents.prefix']}G-{digest}"


def fallback_customer(company: Settings) -> CustomerNeed:
    """The named web customer of the company."""
    return _named(company["customers.fallback"], company)


def store_customer(company: Settings, store: Settings, head: str) -> CustomerNeed:
    """The named customer of one shop."""
    code = head.removeprefix(company["documents.prefix"])
    name = store["customers.name"] or f"{company['customers.fallback'][: NAME_LENGTH - 1 - len(code)]} {code}"
    return _named(name, company)


def _named(name: str, company: Settings) -> CustomerNeed:
    """A named customer, told by the name: another name is another customer, and shops of one name share one."""
    digest = hashlib.sha256(name.strip().casefold().encode()).hexdigest()[:20]
    return CustomerNeed(
        customer=Customer(last_name=name),
        customer_id=f"{company['documents.prefix']}N-{digest}",
        fallback=True,
    )


def names_of(customer: Customer, fitting: Fitting) -> tuple[str | None, str | None]:
    """FirstName and LastName, fitted. Where there is no last name, whatever else names the buyer stands there."""
    last = fitting.text("LastName", customer.last_name, NAME_LENGTH)
    if last:
        return fitting.text("FirstName", customer.first_name, NAME_LENGTH), last
    for other in (customer.company, customer.first_name, customer.email):
        last = fitting.text("LastName", other, NAME_LENGTH)
        if last:
            first = None if other == customer.first_name else customer.first_name
            return fitting.text("FirstName", first or "", NAME_LENGTH), last
    return None, "Customer"
