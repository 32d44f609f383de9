"""Items of QuickBooks that become draft products of a shop by hand, whatever the store's rule says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ops_console.by_hand import ASKED, NOT_SENT, WOULD_GO, HandRun, Line
from queue_store.catalogue_choice import items_called, next_items
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.drafts import Proposal, create_products
from queue_store.errors import NotFound
from queue_store.models import Company, Store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: Items in one piece.
_AT_ONCE = 200


def item_ids(database: Database, store_name: str, names: Sequence[str]) -> list[str]:
    """ListIDs of items named by ListID or by a key such as ALU, UPC or item number. Raises NotFound."""
    found: dict[str, None] = {}
    with database.read() as db:
        company_id = get_store(db, store_name).company_id
        for name in names:
            ids = items_called(db, company_id, name)
            if not ids:
                raise NotFound("item", name, "See: qbwoo mapping match --verdict 'not in the shop'")
            found.update(dict.fromkeys(ids))
    return sorted(found)


def pull_products(run: HandRun, list_ids: Sequence[str] = ()) -> Iterator[list[Line]]:
    """One piece of lines after the other: the items named, or all that the store's rule wants."""
    while True:
        with run.database.read() as db:
            store = db.get_one(Store, run.store_id)
            company = db.get_one(Company, run.company_id)
            some, last = next_items(
                db, company, store, after=run.place, ids=list_ids, since=run.selection.since, limit=_AT_ONCE
            )
        if last is None:
            break

        def work(db: Session, store: Store, company: Company, some: Sequence[str] = some) -> list[Line]:
            found = create_products(db, company, store, some, who=run.who, dry_run=run.dry_run)
            return [_line(one, dry_run=run.dry_run) for one in found]

        yield run.piece(work, last, len(some))
    run.finish()


def _line(one: Proposal, *, dry_run: bool) -> Line:
    name = one.drafts[0].called if one.drafts else one.record_id
    what = "; ".join(
        " ".join(
            filter(
                None,
                (
                    draft.called,
                    " ".join(filter(None, (draft.size, draft.attribute))),
                    "" if draft.regular_price is None else f"at {draft.regular_price:f}",
                    "" if draft.quantity is None else f"stock {draft.quantity}",
                ),
            )
        )
        for draft in one.drafts
    )
    if one.is_style and one.drafts:
        what = f"variations of {one.record_id}: {what}"
    outcome = NOT_SENT if not one.drafts else WOULD_GO if dry_run else ASKED
    return Line(name, outcome, what, " ".join(one.problems))
