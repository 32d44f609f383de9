"""A person's change of a quantity in the shop becomes one adjustment in QuickBooks, and no till's sale is lost by it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.activities import get_activity
from queue_store.adjustments import order_adjustment
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity, OrderTaking, StockMove
from queue_store.operations import OperationRefused, cancel, release
from queue_store.product_payloads import StockAdjustment, decode_adjustment
from queue_store.secrets import SecretBox
from queue_store.undo_adjustments import undo_adjustment
from tests.flows.stockroom import Stockroom
from tests.flows.test_one_order import copy_database
from tests.harness import AnswerLost, House, make_house, recorded_order

PRODUCTS = {"WID-001": 10, "WID-002": 11}
SKU = "WID-001"


@pytest.fixture
def room(sqlite_database: Database, box: SecretBox) -> Stockroom:
    dialect = PosDialect(sale_moves_item_time_modified=False)
    room = Stockroom(make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect)), PRODUCTS)
    room.read_everything()
    return room


def order(room: Stockroom, difference: int, sku: str = SKU) -> int:
    """The shop's quantity was changed by a person; the id of the activity."""
    with room.database.write() as db:
        store = get_store(db, "main")
        return order_adjustment(
            db,
            company_id=store.company_id,
            store_id=store.id,
            product_id=PRODUCTS[sku],
            adjustment=StockAdjustment(
                list_id=room.list_ids[sku], sku=sku, difference=Decimal(difference), location="1", why="typed"
            ),
            cause="test",
        ).id


def on_hand(room: Stockroom, sku: str = SKU) -> Decimal:
    return room.house.pos.item(room.list_ids[sku]).quantity_on_hand


def adjustments(room: Stockroom) -> list[dict[str, Any]]:
    """As QuickBooks has them, oldest first."""
    return [record.fields for record in room.house.pos._store.all("InventoryQtyAdjustment")]


def assert_right(room: Stockroom, there: int, *, sku: str = SKU) -> None:
    assert on_hand(room, sku) == there
    assert room.shown(sku) == there
    assert set(room.house.states("adjust_stock")) == {"succeeded"}


def is_adjustment(request: str) -> bool:
    return "<InventoryQtyAdjustmentAddRq" in request


def lose(room: Stockroom, late: list[tuple[str, str]] | None = None) -> None:
    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if is_adjustment(request):
            if late is not None:
                late.append((ticket, response))
            raise AnswerLost

    room.house.run(on_answer=on_answer)


@pytest.mark.parametrize("difference", [5, -3])
def test_a_difference_is_put_on_what_was_read_just_before(room: Stockroom, difference: int) -> None:
    room.house.pos.sell_in_store([(room.list_ids[SKU], 2)])
    activity_id = order(room, difference)
    # The shop shows it at once; of the till's sale nothing is known here yet.
    assert room.shown(SKU) == 10 + difference
    asked: list[str] = []
    room.house.run(on_set=lambda number, request: asked.append(request))
    assert_right(room, 8 + difference)
    (one,) = adjustments(room)
    assert one["Comments"].split()[0] == f"WA-{activity_id}"
    assert one["Reason"] == "Web shop"
    (written,) = [number for number, request in enumerate(asked) if is_adjustment(request)]
    assert f"<ListID>{room.list_ids[SKU]}</ListID>" in asked[written - 1]
    assert room.house.begin()[1] == "none"


@pytest.mark.parametrize("pieces", [1, 4])
@pytest.mark.parametrize("difference", [5, -3])
def test_a_sale_between_read_and_adjustment_is_put_right_at_once(
    room: Stockroom, pieces: int, difference: int
) -> None:
    order(room, difference)

    def on_set(number: int, request: str) -> None:
        if is_adjustment(request) and len(adjustments(room)) == 0:
            room.house.pos.sell_in_store([(room.list_ids[SKU], pieces)])

    room.house.run(on_set=on_set)
    assert len(adjustments(room)) == 2
    assert_right(room, 10 + difference - pieces)


def test_until_it_is_put_right_the_shop_shows_what_is_there(room: Stockroom) -> None:
    order(room, 5)
    second: list[int] = []

    def on_set(number: int, request: str) -> None:
        if not is_adjustment(request):
            return
        if not adjustments(room):
            room.house.pos.sell_in_store([(room.list_ids[SKU], 4)])
        else:
            second.append(number)
            raise AnswerLost

    room.house.run(on_set=on_set)
    assert second
    assert on_hand(room) == 15
    assert room.shown(SKU) == 11
    room.house.run_until_quiet()
    assert_right(room, 11)


@pytest.mark.parametrize("sold", [0, 2])
@pytest.mark.parametrize("difference", [5, -3])
def test_a_lost_answer_is_looked_up_and_the_adjustment_never_repeated(
    room: Stockroom, difference: int, sold: int
) -> None:
    order(room, difference)
    lose(room)
    if sold:
        room.house.pos.sell_in_store([(room.list_ids[SKU], sold)])
    room.house.run_until_quiet()
    assert len(adjustments(room)) == 1
    room.house.set("pull.items_minutes", "60")
    room.make_pulls_due()
    room.house.run_until_quiet()
    assert on_hand(room) == 10 + difference - sold
    assert room.shown(SKU) == on_hand(room)
    assert set(room.house.states("adjust_stock")) == {"succeeded"}


def test_one_that_did_not_arrive_is_computed_afresh(room: Stockroom) -> None:
    """The quantity of the first attempt would undo what the till sold since."""
    order(room, 5)

    def on_set(number: int, request: str) -> None:
        if is_adjustment(request):
            raise AnswerLost

    room.house.run(on_set=on_set)
    assert adjustments(room) == []
    room.house.pos.sell_in_store([(room.list_ids[SKU], 3)])
    room.house.run_until_quiet()
    assert len(adjustments(room)) == 1
    assert_right(room, 12)


@pytest.mark.parametrize("meanwhile", [0, 1])
def test_a_late_answer_counts_once(room: Stockroom, meanwhile: int) -> None:
    order(room, 5)
    late: list[tuple[str, str]] = []
    lose(room, late)
    for _ in range(meanwhile):
        room.house.run()
    ((ticket, response),) = late
    room.house.conversation.receive_response_xml(ticket, response, "", "")
    room.house.run_until_quiet()
    assert len(adjustments(room)) == 1
    assert_right(room, 15)


@pytest.mark.parametrize("hresult", ["0x80040400", "0x80040402"])
@pytest.mark.parametrize("executed", [True, False])
def test_an_hresult_says_nothing_about_execution(room: Stockroom, hresult: str, executed: bool) -> None:
    room.house.set("retry.base_seconds", "1")
    order(room, 5)
    armed: list[int] = []

    def on_set(number: int, request: str) -> None:
        if is_adjustment(request) and not armed:
            armed.append(number)
            room.house.pos.fail_next(hresult, "An error.", after_executing=executed)

    room.house.run(on_set=on_set)
    assert len(adjustments(room)) == executed
    if executed:
        assert_right(room, 15)
    else:
        (state,) = room.house.states("adjust_stock")
        assert state == ("failed" if hresult == "0x80040400" else "delayed")


def test_a_database_restored_from_before_the_send_finds_the_adjustment(
    room: Stockroom, tmp_path: Path
) -> None:
    order(room, 5)
    backup = tmp_path / "backup.db"
    copy_database(room.database, backup)
    room.house.run()
    room.house = House(Database(f"sqlite:///{backup}"), room.house.pos)
    room.house.run_until_quiet()
    assert len(adjustments(room)) == 1
    assert_right(room, 15)
    room.database.close()


def test_documents_leave_before_the_stock_is_read_for_an_adjustment(room: Stockroom) -> None:
    order(room, 5)
    room.take(recorded_order("plain"))
    asked: list[str] = []
    room.house.run(on_set=lambda number, request: asked.append(request))
    kinds = [
        "adjustment" if is_adjustment(one) else "sale"
        for one in asked
        if ("AddRq" in one and "SalesReceipt" in one) or is_adjustment(one)
    ]
    assert kinds == ["sale", "adjustment"]
    assert_right(room, 13)


def test_two_adjustments_of_one_item_follow_each_other(room: Stockroom) -> None:
    order(room, 5)
    order(room, -2)
    order(room, 1, "WID-002")
    room.house.run_until_quiet()
    assert len(adjustments(room)) == 3
    assert_right(room, 13)
    assert_right(room, 11, sku="WID-002")


def test_an_item_that_is_gone_fails_with_a_sentence(room: Stockroom) -> None:
    order(room, 5)
    room.house.pos.delete_item(room.list_ids[SKU])
    room.house.run()
    (one,) = room.house.activities("adjust_stock")
    assert one.state == "failed"
    assert "does not have this item any more" in one.sentence


def test_without_a_location_it_must_be_plain_which_one_is_meant(
    sqlite_database: Database, box: SecretBox
) -> None:
    room = Stockroom(make_house(sqlite_database, box, PosCompanyFile.create(None, stores=(1, 2))), PRODUCTS)
    room.read_everything()
    with room.database.write() as db:
        store = get_store(db, "main")
        adjustment = StockAdjustment(list_id=room.list_ids[SKU], sku=SKU, difference=Decimal(1))
        order_adjustment(
            db, company_id=store.company_id, store_id=store.id, adjustment=adjustment, cause="test"
        )
    room.house.run()
    (one,) = room.house.activities("adjust_stock")
    assert one.state == "failed"
    assert "documents.store_number" in one.sentence


def test_an_undo_is_an_opposite_adjustment(room: Stockroom) -> None:
    activity_id = order(room, 5)
    with room.database.write() as db, pytest.raises(OperationRefused, match="no adjustment of it"):
        undo_adjustment(db, get_activity(db, activity_id), "test")
    room.house.run()
    room.house.pos.sell_in_store([(room.list_ids[SKU], 3)])
    with room.database.write() as db:
        undo_adjustment(db, get_activity(db, activity_id), "test")
    assert room.shown(SKU) == 10
    with room.database.write() as db, pytest.raises(OperationRefused, match="undone already"):
        undo_adjustment(db, get_activity(db, activity_id), "test")
    room.house.run()
    assert [one["QtyDifference"] for one in adjustments(room)] == [5, -5]
    assert_right(room, 7)


def test_one_that_is_cancelled_is_promised_no_more(room: Stockroom) -> None:
    activity_id = order(room, 5)
    assert room.shown(SKU) == 15
    with room.database.write() as db:
        cancel(db, get_activity(db, activity_id), "test")
    assert room.shown(SKU) == 10
    with room.database.write() as db:
        release(db, get_activity(db, activity_id), "test")
    assert room.shown(SKU) == 15
    room.house.run()
    assert_right(room, 15)


def test_a_correction_leaves_the_shops_own_quantity_alone(room: Stockroom) -> None:
    """It is no edit of a person: its taking names no product."""
    first = order(room, 5)

    def on_set(number: int, request: str) -> None:
        if is_adjustment(request) and not adjustments(room):
            room.house.pos.sell_in_store([(room.list_ids[SKU], 1)])

    room.house.run(on_set=on_set)
    with room.database.read() as db:
        takings = db.scalars(select(OrderTaking).order_by(OrderTaking.record)).all()
        assert {(one.product_id, one.quantity) for one in takings} == {(10, -5), (0, 1)}
        moves = db.scalars(select(StockMove)).all()
        assert sorted(move.quantity for move in moves) == [-5, 1]
        correction = db.scalars(select(Activity).where(Activity.record_id == f"{first}C")).one()
        assert decode_adjustment(correction.payload).difference == -1
