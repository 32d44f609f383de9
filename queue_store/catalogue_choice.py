"""Which items of QuickBooks come next, when a person has many of them gone through."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from queue_store.catalogue import fold
from queue_store.departments import department_names
from queue_store.draft_plan import catalogue_items, own_lines
from queue_store.draft_rules import DraftRules
from queue_store.models import CatalogueItem, Company, Store
from queue_store.settings import company_settings, store_settings


def items_called(db: Session, company_id: int, name: str) -> list[str]:
    """ListIDs of the items that a person means by a ListID, ALU, UPC or item number."""
    item, key = CatalogueItem, fold(name)
    return list(
        db.scalars(
            select(item.list_id)
            .where(
                item.company_id == company_id,
                ~item.deleted,
                or_(item.list_id == name, item.alu_key == key, item.upc_key == key, item.item_number == name),
            )
            .order_by(item.list_id)
            .limit(20)
        )
    )


def next_items(
    db: Session,
    company: Company,
    store: Store,
    *,
    after: str,
    ids: Collection[str] = (),
    since: datetime | None = None,
    limit: int,
) -> tuple[list[str], str | None]:
    """A piece of the items named, or of those that the store's rule wants; and the last one looked at, None at the end."""
    if ids:
        some = [one for one in sorted(ids) if one > after][:limit]
        return some, some[-1] if some else None
    item = CatalogueItem
    query = (
        select(item.list_id)
        .where(item.company_id == company.id, ~item.deleted, item.list_id > after)
        .order_by(item.list_id)
        .limit(limit)
    )
    if since is not None:
        query = query.where(item.time_modified >= since)
    looked = list(db.scalars(query))
    if not looked:
        return [], None
    rules = DraftRules.of(store_settings(db, store), company_settings(db, company))
    departments, lines = department_names(db, company.id), own_lines(db, company.id)
    wanted = [
        list_id
        for list_id, (one, _style) in catalogue_items(db, company.id, looked).items()
        if list_id not in lines and rules.wants(one, departments.get(one.department_list_id, ""))
    ]
    return sorted(wanted), looked[-1]
