"""Customers: added before their first sale, changed when their shop account changes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.needs import CustomerNeed, Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.catalogue import bind, fold, mappings_of, store_customers
from queue_store.payloads import Customer

_decoder = msgspec.json.Decoder(Customer)


def keys_of(customer: Customer) -> list[tuple[int, str]]:
    """Keys under which a customer is mapped, as (1 if per store, key); the surest first."""
    keys = []
    if customer.customer_id:
        keys.append((1, f"customer:{customer.customer_id}"))
    if customer.email:
        keys.append((0, f"email:{fold(customer.email)}"))
    return keys


def bind_customer(run: Run, store_id: int, customer: Customer, list_id: str, source: str) -> None:
    """Remember who `customer` is in QuickBooks."""
    for per_store, key in keys_of(customer):
        bind(
            run.db,
            company_id=run.company.id,
            store_id=store_id if per_store else 0,
            kind="customer",
            key=key[:120],
            list_id=list_id,
            source=source,
            label=f"{customer.first_name} {customer.last_name}".strip(),
        )


def _prepare_add(run: Run, activity: Any, payload: bytes) -> Prepared:
    customer = _decoder.decode(payload)
    return run.spelling.prepare_customer_add(CustomerNeed(customer=customer, customer_id=activity.record_id))


def _learn_add(run: Run, activity: Any, record: Record) -> None:
    store_customers(run.db, [run.spelling.customer_row(record, run.company.id, run.now)])


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    customer = _decoder.decode(payload)
    # Spelt as they are written: whether QuickBooks' filters tell case is not certain.
    asked = [("customer id", activity.record_id)]
    if customer.email:
        asked.append(("customer", customer.email))
    return asked


def _prepare_change(run: Run, activity: Any, payload: bytes) -> Prepared:
    customer = _decoder.decode(payload)
    mapped = mappings_of(run.db, run.company.id, {("customer", f"customer:{customer.customer_id}")})
    list_id = next(iter(mapped.values()), "")
    if not list_id:
        raise NotSendable(
            f"Customer {customer.email or customer.customer_id} is not known in QuickBooks yet: there is nothing "
            "to change. It is added with its next order."
        )
    return run.spelling.prepare_customer_mod(customer, list_id)


def _learn_change(run: Run, activity: Any, record: Record) -> None:
    if record.text("ListID"):
        store_customers(run.db, [run.spelling.customer_row(record, run.company.id, run.now)])


ADD_CUSTOMER = ActivityKind(
    "add_customer",
    is_document=False,
    doubt=Doubt.LOOK_UP,
    prepare=_prepare_add,
    learn=_learn_add,
    asked_as=_asked_as,
    # The named web customer takes the sale.
    is_dispensable=True,
)
CHANGE_CUSTOMER = ActivityKind(
    "change_customer", is_document=False, doubt=Doubt.AGAIN, prepare=_prepare_change, learn=_learn_change
)
