"""What orders took from the shops and documents from the books, item by item; `queue_store.levels` does the sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from queue_store.activities import SALE
from queue_store.closing import reopen
from queue_store.levels import Move, Taking
from queue_store.models import Activity, Company, OrderTaking, StockMove
from queue_store.states import ABROAD, ActivityState
from queue_store.undo_plan import REVERSAL
from queue_store.upsert import upsert

#: Rows or ids in one statement.
AT_ONCE = 500
#: Of an activity: its document is in QuickBooks. A newer payload may take the place of one that never came to QuickBooks.
IN_BOOKS = or_(
    Activity.state == ActivityState.SUCCEEDED,
    (Activity.state == ActivityState.SUPERSEDED) & Activity.txn_id.is_not(None),
)
#: An undo in one of these states was not done.
_NOT_DONE = (ActivityState.FAILED, ActivityState.CANCELLED)


@dataclass(slots=True)
class Promised:
    """Both sides of one item."""

    takings: list[Taking] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


def promised_of(db: Session, company_id: int, list_ids: Collection[str]) -> Mapping[str, Promised]:
    """Takings and moves of each of these items; an item that has neither is there too, with none.

    A document counts only beside a taking of its record: what took nothing from
    a shop's stock, or belongs to a shop whose stock is its own, is in the books
    alone, and lowers what is there.
    """
    found = {list_id: Promised() for list_id in list_ids}
    ids = iter(sorted(found))
    while some := list(islice(ids, AT_ONCE)):
        takings = select(
            OrderTaking.list_id, OrderTaking.store_id, OrderTaking.record, OrderTaking.quantity
        ).where(
            OrderTaking.company_id == company_id,
            OrderTaking.list_id.in_(some),
            ~OrderTaking.closed,
            ~OrderTaking.booked,
        )
        promised: dict[str, set[tuple[int, str]]] = {list_id: set() for list_id in some}
        for list_id, store_id, record, quantity in db.execute(takings):
            found[str(list_id)].takings.append(Taking((store_id, record), quantity))
            promised[str(list_id)].add((store_id, record))
        moves = (
            select(StockMove)
            .join(Activity, Activity.id == StockMove.activity_id)
            .where(
                StockMove.company_id == company_id,
                StockMove.list_id.in_(some),
                ~StockMove.closed,
                # What is at home again was found not to be in QuickBooks.
                or_(StockMove.settled_turn.is_not(None), Activity.state.in_(ABROAD), IN_BOOKS),
            )
        )
        for move in db.scalars(moves):
            if (move.store_id, move.record) in promised[move.list_id]:
                found[move.list_id].moves.append(
                    Move(
                        (move.store_id, move.record),
                        move.quantity,
                        move.sent_turn,
                        move.settled_turn,
                        move.is_order,
                    )
                )
    return found


def gross_takings(db: Session, store_id: int, product_ids: Collection[int]) -> Mapping[int, Decimal]:
    """All that orders and adjustments ever took of these products of a shop, closed ones too."""
    sums = dict.fromkeys(product_ids, Decimal(0))
    ids = iter(sorted(sums))
    while some := list(islice(ids, AT_ONCE)):
        rows = select(OrderTaking.product_id, OrderTaking.quantity).where(
            OrderTaking.store_id == store_id, OrderTaking.product_id.in_(some)
        )
        for product_id, quantity in db.execute(rows):
            sums[product_id] += quantity
    return sums


def record_moves(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """What documents take that leave now; whatever an earlier attempt of theirs was to take is forgotten.

    `rows` have the columns of StockMove. To be called in the transaction that
    commits the documents as sent.
    """
    if not rows:
        return
    activities = {row["activity_id"] for row in rows}
    _reopen(db, rows)
    db.execute(delete(StockMove).where(StockMove.activity_id.in_(activities)))
    upsert(db, StockMove, rows, ("activity_id", "list_id"))


def _reopen(db: Session, rows: Sequence[dict[str, Any]]) -> None:
    """A document of theirs leaves, or is found: their sides are not what they were."""
    records: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        records[row["store_id"]].add(row["record"])
    for store_id, some in records.items():
        reopen(db, store_id, some)


def settle_moves(db: Session, company: Company) -> None:
    """What is known to be in QuickBooks by now is settled in this turn.

    To be called before the next set is handed out, whose reads see all of it.
    """
    done = select(Activity.id).where(Activity.id == StockMove.activity_id, IN_BOOKS)
    db.execute(
        update(StockMove)
        .where(StockMove.company_id == company.id, StockMove.settled_turn.is_(None), done.exists())
        .values(settled_turn=company.turn)
        .execution_options(synchronize_session=False)
    )


def with_moves(db: Session, activity_ids: Collection[int]) -> set[int]:
    """Those of these activities of which it is kept what they take."""
    if not activity_ids:
        return set()
    return set(db.scalars(select(StockMove.activity_id).where(StockMove.activity_id.in_(activity_ids))))


def moves_of(db: Session, activity_ids: Collection[int]) -> Sequence[StockMove]:
    """All that these activities take."""
    if not activity_ids:
        return []
    return db.scalars(select(StockMove).where(StockMove.activity_id.in_(activity_ids))).all()


def take_back(db: Session, reversal: Activity, original_id: int) -> None:
    """A document was reversed, or deleted, without a request of ours that is known here: its pieces are back.

    When it happened is not known, so that reads asked for until now count it on
    the side that gives the shop less.
    """
    company = db.get(Company, reversal.company_id)
    if company is None or not company.tracks_stock or with_moves(db, [reversal.id]):
        return
    originals = moves_of(db, [original_id])
    reopen(db, reversal.store_id, {move.record for move in originals})
    for move in originals:
        db.add(
            StockMove(
                activity_id=reversal.id,
                list_id=move.list_id,
                company_id=move.company_id,
                store_id=move.store_id,
                record=move.record,
                quantity=-move.quantity,
                is_order=move.is_order,
                sent_turn=0,
                settled_turn=company.turn,
            )
        )
    db.flush()


def reversed_by_hand(
    db: Session, company: Company, store_id: int, record_id: str, generation: int, txn_id: str
) -> None:
    """A person reversed a sale's receipt in QuickBooks: its pieces are back there, and still promised.

    Not where an undo of ours is on its way, which has moves of its own. A return
    that a person reversed stays counted: that is the side that gives the shop less.
    """
    of_record = select(Activity).where(
        Activity.company_id == company.id,
        Activity.store_id == store_id,
        Activity.record_id == record_id,
        Activity.generation == generation,
    )
    activities = db.scalars(of_record).all()
    sale = next((one for one in activities if one.kind == SALE and one.txn_id == txn_id), None)
    undone = any(one.kind == REVERSAL and one.state not in _NOT_DONE for one in activities)
    if sale is None or sale.state != ActivityState.SUCCEEDED or undone:
        return
    moves = moves_of(db, [sale.id])
    reopen(db, store_id, {move.record for move in moves})
    for move in moves:
        if move.quantity:
            # Settled anew, so that the item is read again.
            move.quantity, move.settled_turn = Decimal(0), company.turn
    db.flush()
