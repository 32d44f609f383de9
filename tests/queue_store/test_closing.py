"""What is over is closed: that changes no sum, then or later, and whatever changes it opens it again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from queue_store.activities import add_activity
from queue_store.adjustments import count, order_adjustment
from queue_store.allocation import promised_of, record_moves, reversed_by_hand, settle_moves, take_back
from queue_store.closing import close_documents, close_orders
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.ids import new_ids
from queue_store.levels import Move, Taking, allocation, is_over
from queue_store.models import Activity, CatalogueItem, Company, OrderTaking, StockMove, table_of
from queue_store.product_payloads import StockAdjustment
from queue_store.states import ActivityState
from queue_store.takings import begin_takings
from tests.making_orders import MOMENT
from tests.queue_store.test_takings import house, keep, read_item, taken

__all__ = ["house"]

RECORD = (1, "71")

small = st.integers(-2, 2).map(Decimal)
moves = st.lists(
    st.builds(
        Move, st.just(RECORD), small, st.integers(0, 6), st.none() | st.integers(0, 6), is_order=st.booleans()
    ),
    max_size=4,
)


@given(
    st.lists(st.builds(Taking, st.just(RECORD), small), max_size=3),
    moves,
    st.integers(0, 8),
    st.integers(0, 4),
    st.booleans(),
)
def test_what_is_over_is_nothing_of_any_later_read(
    takings: list[Taking], moves: list[Move], asked: int, later: int, holds_orders: bool
) -> None:
    if not is_over(takings, moves, asked):
        return
    other = [Taking((1, "72"), Decimal(3))]
    beside = [Move((1, "72"), Decimal(1), 0, 0)]
    counting = moves if takings else []
    with_it = allocation(takings + other, counting + beside, asked + later, holds_orders=holds_orders)
    assert with_it == allocation(other, beside, asked + later, holds_orders=holds_orders)


def test_what_is_even_is_over_and_what_is_on_its_way_is_not() -> None:
    two = [Taking(RECORD, Decimal(2))]
    there = Move(RECORD, Decimal(2), 3, 4)
    assert is_over(two, [there], 5)
    assert not is_over(two, [there], 4)
    assert not is_over(two, [Move(RECORD, Decimal(2), 3, None)], 5)
    assert not is_over([Taking(RECORD, Decimal(1))], [there], 5)
    # A web order alone is even by one basis, and not by the other.
    assert not is_over([Taking(RECORD, Decimal(0))], [Move(RECORD, Decimal(2), 3, 4, is_order=True)], 5)


def written(
    database: Database, record: str = "71", *, quantity: int = 2, settled: int | None = 2, list_id: str = "-1"
) -> int:
    """A sale whose document took `quantity`; gives its activity."""
    with database.write() as db:
        store = get_store(db, "main")
        db.get_one(Company, store.company_id).tracks_stock = True
        sale = add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind="sale",
                record_id=record,
                order_id=record,
                state=ActivityState.SUCCEEDED,
                txn_id=f"T{record}",
                payload=b"{}",
            ),
            cause="test",
        )
        left(db, sale, record, quantity, settled, list_id)
        return sale.id


def left(
    db: Session, activity: Activity, record: str, quantity: int, settled: int | None, list_id: str = "-1"
) -> None:
    row = {
        "activity_id": activity.id,
        "list_id": list_id,
        "company_id": activity.company_id,
        "store_id": activity.store_id,
        "record": record,
        "quantity": Decimal(quantity),
        "is_order": False,
        "sent_turn": 1,
        "settled_turn": settled,
        "closed": False,
    }
    record_moves(db, [row])


def read_in(database: Database, turn: int) -> None:
    with database.write() as db:
        db.execute(update(CatalogueItem).values(asked_turn=turn))
        db.execute(update(Company).values(turn=turn))


def close(database: Database) -> tuple[int, int]:
    with database.write() as db:
        store = get_store(db, "main")
        orders, after = close_orders(db, store, "")
        documents, last = close_documents(db, store, 0)
    assert (after, last) == (None, None)
    return orders, documents


def sides(database: Database, list_id: str = "-1") -> tuple[int, int]:
    """How many takings and moves are gone through."""
    with database.read() as db:
        found = promised_of(db, get_store(db, "main").company_id, [list_id])[list_id]
    return len(found.takings), len(found.moves)


@pytest.fixture
def shipped(house: Database) -> int:
    """An order that took two and whose receipt is in the books, closed; gives its sale."""
    read_item(house)
    keep(house, taken("2"))
    sale = written(house)
    assert close(house) == (0, 0), "its item was not read since"
    read_in(house, 3)
    assert close(house) == (1, 0)
    assert sides(house) == (0, 0)
    assert close(house) == (0, 0)
    return sale


def test_an_order_that_is_not_shipped_and_one_of_an_unknown_item_stay_open(house: Database) -> None:
    keep(house, taken("2"))
    written(house)
    read_item(house)
    read_in(house, 3)
    assert close(house) == (0, 0)


def test_more_is_taken_and_it_counts_again(house: Database, shipped: int) -> None:
    keep(house, taken("2", reduced="3", at=5))
    assert sides(house) == (1, 1)


def test_a_new_document_opens_it(house: Database, shipped: int) -> None:
    with house.write() as db:
        sale = db.get_one(Activity, shipped)
        refund = Activity(
            company_id=sale.company_id,
            store_id=sale.store_id,
            kind="return",
            record_id="71-R1",
            order_id="71",
            state=ActivityState.SENT,
            payload=b"{}",
        )
        left(db, add_activity(db, refund, cause="test"), "71", -1, None)
    assert sides(house) == (1, 2)
    assert close(house) == (0, 0)


def test_a_receipt_reversed_in_quickbooks_opens_it(house: Database, shipped: int) -> None:
    with house.write() as db:
        sale = db.get_one(Activity, shipped)
        company = db.get_one(Company, sale.company_id)
        reversed_by_hand(db, company, sale.store_id, "71", sale.generation, "T71")
    assert sides(house) == (1, 1)
    assert close(house) == (0, 0)


def test_pieces_that_are_found_to_be_back_open_it(house: Database, shipped: int) -> None:
    with house.write() as db:
        sale = db.get_one(Activity, shipped)
        undoing = Activity(
            company_id=sale.company_id,
            store_id=sale.store_id,
            kind="reversal",
            record_id="71",
            order_id="71",
            state=ActivityState.SUCCEEDED,
            payload=b"{}",
        )
        take_back(db, add_activity(db, undoing, cause="test"), shipped)
    assert sides(house) == (1, 2)


def test_a_go_live_looks_at_it_anew(house: Database, shipped: int) -> None:
    with house.write() as db:
        begin_takings(db, get_store(db, "main"), [taken("2")], (), MOMENT)
    assert sides(house) == (1, 1)


def test_documents_of_orders_that_took_nothing_are_closed_and_opened_by_the_first_taking(
    house: Database,
) -> None:
    read_item(house)
    written(house)
    read_in(house, 3)
    assert close(house) == (0, 1)
    keep(house, taken("2"))
    assert sides(house) == (1, 1)


def test_an_adjustment_that_is_let_go_again_counts_again(house: Database) -> None:
    read_item(house)
    with house.write() as db:
        store = get_store(db, "main")
        db.get_one(Company, store.company_id).tracks_stock = True
        adjustment = StockAdjustment(list_id="-1", sku="S1", difference=Decimal(5), why="test")
        activity = order_adjustment(
            db, company_id=store.company_id, store_id=store.id, adjustment=adjustment, cause="test"
        )
        count(db, activity, counts=False)
    assert close(house) == (1, 0)
    with house.write() as db:
        count(db, db.get_one(Activity, activity.id), counts=True)
    assert sides(house) == (1, 0)


def test_a_move_that_is_settled_later_waits_for_the_next_read(house: Database) -> None:
    read_item(house)
    keep(house, taken("2"))
    written(house, settled=None)
    read_in(house, 3)
    assert close(house) == (0, 0)
    with house.write() as db:
        settle_moves(db, db.get_one(Company, get_store(db, "main").company_id))
    assert close(house) == (0, 0)
    read_in(house, 4)
    assert close(house) == (1, 0)


def test_an_item_with_twenty_thousand_closed_orders_has_only_its_open_ones_gone_through(
    house: Database,
) -> None:
    read_item(house)
    many = 20_000 if house.is_sqlite else 2_000
    with house.write() as db:
        store = get_store(db, "main")
        both = {"store_id": store.id, "company_id": store.company_id, "list_id": "-1", "closed": False}
        connection = db.connection()
        takings = [
            both
            | {"record": str(number), "line_id": 1, "product_id": 1, "sku_key": "s1"}
            | {"quantity": Decimal(1), "modified_at": MOMENT, "booked": False}
            for number in range(1000, 1000 + many)
        ]
        connection.execute(insert(table_of(OrderTaking)), takings)
        sales = [
            {"id": number, "company_id": store.company_id, "store_id": store.id, "kind": "sale"}
            | {"record_id": str(record), "state": ActivityState.SUCCEEDED, "payload": b"{}", "digest": ""}
            | {"created_at": MOMENT, "updated_at": MOMENT}
            for record, number in enumerate(new_ids(many), 1000)
        ]
        connection.execute(insert(table_of(Activity)), sales)
        documents = [
            both
            | {"activity_id": sale["id"], "record": sale["record_id"], "quantity": Decimal(1)}
            | {"is_order": False, "sent_turn": 1, "settled_turn": 1}
            for sale in sales
        ]
        connection.execute(insert(table_of(StockMove)), documents)
    read_in(house, 3)
    keep(house, taken("2"))

    assert sides(house) == (many + 1, many)
    closed, after, rounds = 0, "", 0
    while after is not None:
        rounds += 1
        assert rounds < 60
        with house.write() as db:
            number, after = close_orders(db, get_store(db, "main"), after)
        closed += number
    assert closed == many
    assert sides(house) == (1, 0)
    with house.read() as db:
        assert db.scalars(select(OrderTaking.record).where(~OrderTaking.closed)).all() == ["71"]
