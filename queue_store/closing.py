"""Closing what is over: records both of whose sides are equal for good, so that no later sum need go through them.

A record is an order with its documents, or an adjustment. Closed, it is left
out of `queue_store.allocation.promised_of`, of which it was nothing. Whatever
changes either of its sides opens it again, in the same transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import and_, select, tuple_, update
from sqlalchemy.orm import Session

from queue_store.levels import Move, Taking, is_over
from queue_store.models import CatalogueItem, Company, OrderTaking, StockMove, Store

#: Records in one piece, and in one statement.
AT_ONCE = 500


def reopen(db: Session, store_id: int, records: Iterable[str]) -> None:
    """Both sides of these count again. To be called in the transaction that changes either; nobody closes them until it ends."""
    rest = iter(sorted(set(records)))
    while some := list(islice(rest, AT_ONCE)):
        if _lock(db, store_id, some):
            for model in (OrderTaking, StockMove):
                db.execute(
                    update(model)
                    .where(model.store_id == store_id, model.record.in_(some), model.closed)
                    .values(closed=False)
                    .execution_options(synchronize_session="fetch")
                )


def _lock(db: Session, store_id: int, records: Collection[str]) -> bool:
    """Keep other writers from these until the commit; True if anything of them is closed."""
    is_closed = False
    for model in (OrderTaking, StockMove):
        rows = select(model.closed).where(model.store_id == store_id, model.record.in_(records))
        is_closed = any(db.scalars(rows.order_by(model.record).with_for_update())) or is_closed
    return is_closed


def close_orders(db: Session, store: Store, after: str) -> tuple[int, str | None]:
    """Close those records of a store that are over, a piece of them; how many, and where to go on, None at the end.

    `after` is "" at the beginning.
    """
    records = list(
        db.scalars(
            select(OrderTaking.record)
            .distinct()
            .where(OrderTaking.store_id == store.id, OrderTaking.record > after, ~OrderTaking.closed)
            .order_by(OrderTaking.record)
            .limit(AT_ONCE)
        )
    )
    over = _over(db, store, records)
    for model in (OrderTaking, StockMove):
        db.execute(
            update(model)
            .where(model.store_id == store.id, model.record.in_(over))
            .values(closed=True)
            .execution_options(synchronize_session=False)
        )
    db.expire_all()
    return len(over), records[-1] if len(records) == AT_ONCE else None


def _over(db: Session, store: Store, records: Sequence[str]) -> list[str]:
    # First locked, then read: what another writer added while we waited for it is seen.
    _lock(db, store.id, records)
    db.expire_all()
    takings: dict[str, list[OrderTaking]] = defaultdict(list)
    of_store = OrderTaking.store_id == store.id
    for taking in db.scalars(select(OrderTaking).where(of_store, OrderTaking.record.in_(records))):
        takings[taking.record].append(taking)
    moves: dict[str, list[StockMove]] = defaultdict(list)
    of_store = StockMove.store_id == store.id
    for move in db.scalars(select(StockMove).where(of_store, StockMove.record.in_(records))):
        moves[move.record].append(move)
    read = _asked_turns(db, store.company_id, {one.list_id for some in moves.values() for one in some})
    return [record for record in records if all(_are_over(takings[record], moves[record], read))]


def _are_over(
    takings: Sequence[OrderTaking], moves: Sequence[StockMove], read: dict[str, int]
) -> Iterator[bool]:
    """Of each item of one record: True if it is over."""
    counting = [row for row in takings if not row.booked]
    if any(row.list_id is None for row in counting):
        # Which item it is, and so what stands against it, is not known yet.
        yield False
        return
    items = {str(row.list_id) for row in counting} | {move.list_id for move in moves}
    for list_id in items:
        sides = [
            Taking((row.store_id, row.record), row.quantity) for row in counting if row.list_id == list_id
        ]
        documents = [
            Move(
                (move.store_id, move.record), move.quantity, move.sent_turn, move.settled_turn, move.is_order
            )
            for move in moves
            if move.list_id == list_id
        ]
        if documents and list_id not in read:
            yield False
        else:
            yield is_over(sides, documents, read.get(list_id, 0))


def _asked_turns(db: Session, company_id: int, list_ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    rest = iter(sorted(list_ids))
    while some := list(islice(rest, AT_ONCE)):
        rows = db.execute(
            select(CatalogueItem.list_id, CatalogueItem.asked_turn).where(
                CatalogueItem.company_id == company_id, CatalogueItem.list_id.in_(some)
            )
        )
        found.update({row.list_id: row.asked_turn for row in rows})
    return found


def close_documents(db: Session, store: Store, after: int) -> tuple[int, int | None]:
    """Close what documents took that no taking stands beside, as of a shop that has its stock to itself.

    Like `close_orders`; `after` is an activity's id, 0 at the beginning.
    """
    item, beside = CatalogueItem, OrderTaking
    without_taking = ~(
        select(beside.line_id)
        .where(beside.store_id == StockMove.store_id, beside.record == StockMove.record)
        .exists()
    )
    rows = db.execute(
        select(StockMove.activity_id, StockMove.list_id, StockMove.record)
        .join(item, and_(item.company_id == StockMove.company_id, item.list_id == StockMove.list_id))
        .where(
            StockMove.company_id == store.company_id,
            StockMove.store_id == store.id,
            StockMove.activity_id > after,
            ~StockMove.closed,
            StockMove.settled_turn < item.asked_turn,
            without_taking,
        )
        .order_by(StockMove.activity_id)
        .limit(AT_ONCE)
    ).all()
    if not rows:
        return 0, None
    _lock(db, store.id, {row.record for row in rows})
    # Locked, it is looked again whether a taking has come meanwhile.
    closed = db.scalars(
        update(StockMove)
        .where(
            tuple_(StockMove.activity_id, StockMove.list_id).in_(
                [(row.activity_id, row.list_id) for row in rows]
            ),
            StockMove.settled_turn.is_not(None),
            without_taking,
        )
        .values(closed=True)
        .returning(StockMove.activity_id)
        .execution_options(synchronize_session=False)
    ).all()
    db.expire_all()
    # A document may go on behind the piece's end: its other items come with the next one.
    return len(closed), rows[-1].activity_id - 1 if len(rows) == AT_ONCE else None


def tracks_stock(db: Session, store: Store) -> bool:
    """True if the store's company keeps what documents take."""
    return db.get_one(Company, store.company_id).tracks_stock
