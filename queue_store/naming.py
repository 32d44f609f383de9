"""What people call the things behind QuickBooks' ids: from the mappings, and from the catalogue."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import CatalogueCustomer, CatalogueItem, Mapping
from queue_store.product_payloads import decode_book_item


def names_of_ids(db: Session, company_id: int, list_ids: Collection[str]) -> dict[str, str]:
    """A name for each of these ids that is known here: our own item's name, a SKU, a person, a department."""
    if not list_ids:
        return {}
    names: dict[str, str] = {}
    item, person = CatalogueItem, CatalogueCustomer
    items = select(item.list_id, item.content, item.name, item.item_number)
    for list_id, content, name, number in db.execute(
        items.where(item.company_id == company_id, item.list_id.in_(list_ids))
    ):
        known = decode_book_item(content)
        names[list_id] = known.alu or known.upc or name or f"item {number}"
    people = select(person.list_id, person.first_name, person.last_name, person.email_key)
    for list_id, first, last, email in db.execute(
        people.where(person.company_id == company_id, person.list_id.in_(list_ids))
    ):
        name = f"{first} {last}".strip()
        names[list_id] = f"{name} <{email}>" if name and email else name or email
    for list_id, key, label in db.execute(
        select(Mapping.list_id, Mapping.key, Mapping.label)
        .where(
            Mapping.company_id == company_id,
            Mapping.list_id.in_(list_ids),
            Mapping.kind.in_(("line", "department")),
        )
        .order_by(Mapping.id)
    ):
        # The name by which our own lines are known here goes before the one that somebody typed there.
        names[list_id] = label if label.casefold() == key else key
    return {list_id: name for list_id, name in names.items() if name}
