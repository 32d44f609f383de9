"""Customers that are to be made in QuickBooks because a person says so, not because an order needs them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.activities import add_activity, newest_of_record
from queue_store.catalogue import KnownCustomer, customers_by_keys, fold, mappings_of
from queue_store.fingerprint import content_digest
from queue_store.models import Activity, CatalogueCustomer, PullMark
from queue_store.payloads import Customer, encode
from queue_store.states import ActivityState

ADD_CUSTOMER = "add_customer"


def are_customers_read(db: Session, company_id: int) -> bool:
    """True if QuickBooks' customers were read to their end once, so that who is not known is not there."""
    mark = db.get(PullMark, (company_id, "customers"))
    return mark is not None and mark.complete


def order_customer(
    db: Session, *, company_id: int, record_id: str, customer: Customer, cause: str
) -> tuple[Activity, bool]:
    """Let QuickBooks have this customer; with False: it is on its way, or was added, already."""
    known = newest_of_record(db, company_id=company_id, store_id=0, kind=ADD_CUSTOMER, record_id=record_id)
    if known is not None and known.state not in (ActivityState.CANCELLED, ActivityState.SUPERSEDED):
        return known, False
    payload = encode(customer)
    added = add_activity(
        db,
        Activity(
            company_id=company_id,
            kind=ADD_CUSTOMER,
            record_id=record_id,
            generation=1 if known is None else known.generation + 1,
            state=ActivityState.PENDING,
            payload=payload,
            digest=content_digest(payload),
            reference=(customer.email or customer.last_name or record_id)[:120],
        ),
        cause=cause,
    )
    return added, True


def list_ids_of(
    db: Session, company_id: int, store_id: int, customers: Collection[Customer]
) -> dict[int, str]:
    """ListIDs that shop accounts are mapped to, by account or by e-mail; by the account's id."""
    keys = {("customer", f"customer:{one.customer_id}") for one in customers}
    keys |= {("customer", f"email:{fold(one.email)}") for one in customers if one.email}
    mapped = mappings_of(db, company_id, keys)
    found: dict[int, str] = {}
    for one in customers:
        by_account = mapped.get((store_id, "customer", f"customer:{one.customer_id}"))
        list_id = by_account or mapped.get((0, "customer", f"email:{fold(one.email)}"))
        if list_id:
            found[one.customer_id] = list_id
    return found


def same_email(db: Session, company_id: int, emails: Collection[str]) -> dict[str, list[KnownCustomer]]:
    """QuickBooks' customers of these e-mail addresses, by folded address."""
    found: dict[str, list[KnownCustomer]] = {}
    for person in customers_by_keys(db, company_id, sorted({fold(one) for one in emails if one}), ()):
        found.setdefault(person.email_key, []).append(person)
    return found


def customers_with_email(
    db: Session, company_id: int, *, after: str = "", limit: int = 500
) -> list[CatalogueCustomer]:
    """A piece of QuickBooks' customers that have an e-mail address, by ListID."""
    person = CatalogueCustomer
    return list(
        db.scalars(
            select(person)
            .where(
                person.company_id == company_id,
                person.email_key != "",
                ~person.deleted,
                person.list_id > after,
            )
            .order_by(person.list_id)
            .limit(limit)
        )
    )
