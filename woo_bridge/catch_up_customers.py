"""Reading the shop's accounts again, page by page, since the shop lists none by date.

Only customers that QuickBooks has are of interest, and of these those whose
content differs from what was last taken from the shop.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from queue_store.intake import Taken
from queue_store.models import Store
from queue_store.payloads import Customer
from queue_store.settings import Settings
from queue_store.shop_marks import mapped_keys, records_with_activity
from queue_store.webhook_log import keep_body
from woo_bridge.answers import decoded
from woo_bridge.errors import Untranslatable
from woo_bridge.job import Found, Job, Keep, Next, Piece, counted, every
from woo_bridge.orders_since import CATCH_UP
from woo_bridge.paging import OVERLAP, PER_PAGE
from woo_bridge.receive import CHANGE_CUSTOMER, keep_customer
from woo_bridge.translate_customers import translate_customer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: The shop's clock and ours need not agree: a change so long before the mapping was made may be one after it.
_CLOCKS = timedelta(days=1)
_rows = msgspec.json.Decoder(list[msgspec.Raw])


def _step(piece: Piece) -> Keep:
    start = int(piece.place.get("start", 0))
    with piece.read() as (_, _, settings):
        if not settings["customers.update"]:
            return lambda db, store, settings: Next(None)
    query = {"order": "asc", "orderby": "id", "role": "all", "per_page": str(PER_PAGE), "offset": str(start)}
    answer = piece.client.call("GET", "customers", query=query)
    bodies = [bytes(row) for row in decoded("GET customers", answer.body, _rows)]
    customers: list[Customer] = []
    refused: list[tuple[bytes, Untranslatable]] = []
    for body in bodies:
        try:
            customers.append(translate_customer(body))
        except Untranslatable as problem:
            refused.append((body, problem))

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        for body, problem in refused:
            keep_body(db, store_id=store.id, topic=CATCH_UP, reason=str(problem), body=body)
        changed = 0
        for customer in _of_interest(db, store, customers):
            outcome = keep_customer(db, store, settings, customer)
            changed += outcome.word in (Taken.NEW, Taken.REPLACED, Taken.BESIDE)
        found = {"read": len(bodies), "changed": changed, "untranslatable": len(refused)}
        if len(bodies) < PER_PAGE:
            return Next(None, found)
        return Next({"start": start + PER_PAGE - OVERLAP}, found)

    return keep


def _of_interest(db: Session, store: Store, customers: list[Customer]) -> list[Customer]:
    """Those in QuickBooks that may differ from what was taken from the shop."""
    mapped = mapped_keys(
        db, store, "customer", [f"customer:{customer.customer_id}" for customer in customers]
    )
    sent = records_with_activity(
        db, store, CHANGE_CUSTOMER, [str(customer.customer_id) for customer in customers]
    )
    return [
        customer
        for customer in customers
        if (at := mapped.get(f"customer:{customer.customer_id}")) is not None
        # Of what was sent before, the content is known and compared.
        and (str(customer.customer_id) in sent or _changed_after(customer, at))
    ]


def _changed_after(customer: Customer, mapped_at: datetime) -> bool:
    return customer.modified_at is not None and customer.modified_at > mapped_at - _CLOCKS


def _tell(found: Found) -> str:
    changed = found.get("changed", 0)
    told = f"{counted(found.get('read', 0), 'account')} read, {changed or 'none'} changed."
    if found.get("untranslatable"):
        told += f" {counted(found['untranslatable'], 'account')} could not be read; the bodies are kept."
    return told


CATCH_UP_CUSTOMERS = Job(
    name="customers",
    title="Accounts of the shop's customers",
    when=every("catch_up.customers_minutes"),
    step=_step,
    tell=_tell,
    live=frozenset({"customers"}),
)
