"""Items that must be read again: their stock was moved since they were read, or something tells that they changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, and_, or_, select, update
from sqlalchemy.orm import Session

from queue_store.allocation import AT_ONCE, IN_BOOKS
from queue_store.models import Activity, CatalogueItem, Company, Lookup, PullMark, ShopProduct, StockMove
from queue_store.product_payloads import BookItem, decode_book_item


def want_items(
    db: Session, company_id: int, list_ids: Collection[str], *, matched_only: bool = False
) -> None:
    """These are to be read again by their ListIDs; with `matched_only` those that are products of a shop."""
    item = CatalogueItem
    wanted = update(item).where(item.company_id == company_id)
    if matched_only:
        wanted = wanted.where(_is_matched(company_id, item.list_id))
    ids = iter(sorted(list_ids))
    while some := list(islice(ids, AT_ONCE)):
        _want(db, wanted.where(item.list_id.in_(some)))


def want_unseen(db: Session, company_id: int, *, before_turn: int) -> None:
    """What was last asked for before this turn is to be asked for by its ListID: QuickBooks may have it no more."""
    item = CatalogueItem
    _want(
        db,
        update(item).where(item.company_id == company_id, ~item.deleted, item.asked_turn < before_turn),
    )


def _want(db: Session, statement: Update) -> None:
    db.execute(statement.values(wanted=True).execution_options(synchronize_session=False))


def _is_matched(company_id: int, list_id: Any) -> ColumnElement[bool]:
    return (
        select(ShopProduct.product_id)
        .where(ShopProduct.company_id == company_id, ShopProduct.list_id == list_id)
        .exists()
    )


def items_to_reread(db: Session, company: Company, *, session_id: int, limit: int) -> list[str]:
    """Up to `limit` ListIDs: wanted ones, and of those that a shop shows, what documents touched since the read.

    What QuickBooks could not tell in this session is left for the next.
    """
    in_vain = select(Lookup.key).where(
        Lookup.company_id == company.id,
        Lookup.kind == "item id",
        Lookup.session_id == session_id,
        or_(Lookup.found <= 0, Lookup.problem != ""),
    )
    wanted = (
        select(CatalogueItem.list_id)
        .where(CatalogueItem.company_id == company.id, CatalogueItem.wanted)
        .where(CatalogueItem.list_id.not_in(in_vain.scalar_subquery()))
        .limit(limit)
    )
    found = list(db.scalars(wanted))
    if len(found) >= limit or not company.tracks_stock:
        return found
    touched = _touched(company.id).where(
        or_(StockMove.settled_turn >= company.reread_turn, StockMove.settled_turn.is_(None)),
        StockMove.list_id.not_in(found),
        StockMove.list_id.not_in(in_vain.scalar_subquery()),
        _is_matched(company.id, StockMove.list_id),
    )
    found += db.scalars(touched.limit(limit - len(found)))
    if not found and db.scalars(in_vain.limit(1)).first() is None:
        # All moves ever made need not be gone through again and again.
        company.reread_turn = company.turn
    return found


def _touched(company_id: int) -> Select[Any]:
    item = CatalogueItem
    since_read = or_(
        item.list_id.is_(None),
        and_(~item.deleted, or_(StockMove.settled_turn >= item.asked_turn, _is_unsettled())),
    )
    return (
        select(StockMove.list_id)
        .distinct()
        .outerjoin(item, and_(item.company_id == company_id, item.list_id == StockMove.list_id))
        .where(StockMove.company_id == company_id, ~StockMove.closed, since_read)
        .order_by(StockMove.list_id)
    )


def _is_unsettled() -> ColumnElement[bool]:
    """In the books, but for the turn that the next set begins."""
    done = select(Activity.id).where(Activity.id == StockMove.activity_id, IN_BOOKS)
    return and_(StockMove.settled_turn.is_(None), done.exists())


def changed_items(db: Session, company: Company, rows: Sequence[dict[str, Any]]) -> set[str]:
    """Those of `rows`, not stored yet, that would change what a shop shows: a few statements, however many.

    `rows` have the columns of CatalogueItem. A row that is older than what is known changes nothing.
    """
    new = {row["list_id"]: row for row in rows}
    changed = set(new)
    ids = iter(sorted(new))
    while some := list(islice(ids, AT_ONCE)):
        known = select(
            CatalogueItem.list_id,
            CatalogueItem.content,
            CatalogueItem.deleted,
            CatalogueItem.asked_turn,
        ).where(CatalogueItem.company_id == company.id, CatalogueItem.list_id.in_(some))
        for list_id, content, deleted, asked_turn in db.execute(known):
            row = new[list_id]
            is_older = row["asked_turn"] < asked_turn
            if is_older or (not deleted and not _differ(content, row["content"])):
                changed.discard(list_id)
        if company.tracks_stock:
            # What documents took is seen by this read: that changes the sum, though the item be as it was.
            changed |= set(db.scalars(_touched(company.id).where(StockMove.list_id.in_(some))))
    return changed


def _differ(before: bytes, after: bytes) -> bool:
    return before != after and _shown(decode_book_item(before)) != _shown(decode_book_item(after))


def _shown(item: BookItem) -> tuple[Any, ...]:
    """All of an item on which a shop's stock and prices depend, and whether it has a product of it at all."""
    return (
        item.keeps_stock,
        item.item_type,
        item.is_web,
        item.prices,
        item.on_hand,
        item.on_order,
        item.on_hand_total,
        item.on_order_total,
        (item.alu, item.upc, item.name, item.size, item.attribute),
        (item.department_list_id, item.department_code, item.vendor_code, item.keywords),
    )


def read_everything(db: Session, company: Company) -> None:
    """All items are read in the next sessions, as at a go-live of stock: what was kept so far may be old."""
    db.execute(
        update(PullMark)
        .where(PullMark.company_id == company.id, PullMark.kind == "stock")
        .values(finished_at=None)
        .execution_options(synchronize_session=False)
    )
    company.reread_turn = 0
    db.flush()
