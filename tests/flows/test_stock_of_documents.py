"""What our documents take from QuickBooks' stock: no shop ever shows more than there is, whatever is lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from ops_console import undoing
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.database import Database
from queue_store.models import Company, StockMove
from queue_store.rereading import want_items
from queue_store.secrets import SecretBox
from tests.flows.stockroom import Stockroom
from tests.flows.test_one_order import copy_database, is_sale
from tests.flows.test_refunds import later
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order, recorded_refunds

ORDER = recorded_order("plain")
PRODUCTS = {"WID-001": 10, "WID-002": 11}


@pytest.fixture(params=[True, False], ids=["a sale moves TimeModified", "a sale moves nothing"])
def room(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> Stockroom:
    dialect = PosDialect(sale_moves_item_time_modified=request.param)
    room = Stockroom(make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect)), PRODUCTS)
    room.read_everything()
    assert room.shown("WID-001") == 10
    return room


def moves(room: Stockroom) -> list[StockMove]:
    with room.database.read() as db:
        return list(db.scalars(select(StockMove).order_by(StockMove.activity_id, StockMove.list_id)))


def test_the_items_of_a_receipt_are_read_again_in_its_session(room: Stockroom) -> None:
    room.take(ORDER)
    assert room.shown("WID-001") == 8
    room.run()
    assert room.house.pos.item(room.list_ids["WID-001"]).quantity_on_hand == 8
    assert room.shown("WID-001") == 8
    assert {move.settled_turn is None for move in moves(room)} == {False}
    assert room.house.begin()[1] == "none"
    assert room.asked() == ["10", "11"]


def test_only_items_with_stock_have_moves(room: Stockroom) -> None:
    room.take(ORDER)
    room.run()
    assert {move.list_id for move in moves(room)} == set(room.list_ids.values())


def test_the_worked_example(room: Stockroom) -> None:
    """10 in the store, two ordered: 8; one ships: 8; one is sold in the store: 7; the other is cancelled: 8."""
    shipped, other = numbered(ORDER, 501), numbered(ORDER, 502)
    room.takings(other)
    room.take(shipped)
    assert room.shown("WID-002") == 8
    room.run_until_quiet()
    assert room.house.pos.item(room.list_ids["WID-002"]).quantity_on_hand == 9
    assert room.shown("WID-002") == 8
    room.house.pos.sell_in_store([(room.list_ids["WID-002"], 1)])
    with room.database.write() as db:
        want_items(db, db.scalars(select(Company.id)).one(), [room.list_ids["WID-002"]])
    room.house.run_until_quiet()
    assert room.shown("WID-002") == 7
    room.takings(other, WID_001=0, WID_002=0)
    assert room.shown("WID-002") == 8


def lose(room: Stockroom, late: list[tuple[str, str]] | None = None, what: Any = is_sale) -> None:
    """A session whose answer to the documents is lost, or kept in `late`."""

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if what(request):
            if late is not None:
                late.append((ticket, response))
            raise AnswerLost

    room.run(on_answer=on_answer)


def test_a_lost_answer(room: Stockroom) -> None:
    room.take(ORDER)
    lose(room)
    assert room.shown("WID-001") == 8
    room.run_until_quiet()
    assert len(room.house.our_receipts()) == 1


@pytest.mark.parametrize("meanwhile", [0, 1, 2])
def test_a_late_answer(room: Stockroom, meanwhile: int) -> None:
    room.take(ORDER)
    late: list[tuple[str, str]] = []
    lose(room, late)
    for _ in range(meanwhile):
        room.run()
    ((ticket, response),) = late
    room.house.conversation.receive_response_xml(ticket, response, "", "")
    room.check()
    room.run_until_quiet()


def test_an_item_that_is_read_while_the_receipt_is_in_doubt(room: Stockroom) -> None:
    room.take(ORDER)
    late: list[tuple[str, str]] = []
    lose(room, late)
    room.house.set("documents.stopped", "true")
    room.house.set("pull.items_minutes", "60")
    room.make_pulls_due()
    room.run()
    room.check()
    room.house.set("documents.stopped", "false")
    room.house.set("pull.items_minutes", "0")
    room.run_until_quiet()


@pytest.mark.parametrize("hresult", ["0x80040400", "0x80040402"])
@pytest.mark.parametrize("executed", [True, False])
def test_an_hresult(room: Stockroom, hresult: str, executed: bool) -> None:
    room.house.set("retry.base_seconds", "1")
    room.take(ORDER)
    armed: list[int] = []

    def on_set(number: int, request: str) -> None:
        if is_sale(request) and not armed:
            armed.append(number)
            room.house.pos.fail_next(hresult, "An error.", after_executing=executed)

    room.run(on_set=on_set)
    room.run()
    assert armed
    for sku in room.list_ids:
        assert room.shown(sku) == room.free(sku)


def test_a_database_restored_from_before_the_send(room: Stockroom, tmp_path: Path) -> None:
    room.take(ORDER)
    backup = tmp_path / "backup.db"
    copy_database(room.database, backup)
    room.run()
    room.house = House(Database(f"sqlite:///{backup}"), room.house.pos)
    assert room.shown("WID-001") == 8
    room.check()
    room.run_until_quiet()
    assert {(move.sent_turn, move.settled_turn is None) for move in moves(room)} == {(0, False)}
    assert len(room.house.our_receipts()) == 1
    room.database.close()


def test_a_late_answer_of_an_attempt_whose_order_changed_meanwhile(room: Stockroom) -> None:
    """What counts is what the bound attempt took, not the content that waits."""
    room.take(ORDER)
    late: list[tuple[str, str]] = []
    lose(room, late)
    lines = [{**line, "quantity": line["quantity"]} for line in ORDER["line_items"]]
    room.take(later(ORDER, line_items=lines, status="completed"))
    ((ticket, response),) = late
    room.house.conversation.receive_response_xml(ticket, response, "", "")
    room.run_until_quiet()
    assert sum(move.quantity for move in moves(room)) == 3


def refunded(room: Stockroom) -> None:
    order = recorded_order("rpart")
    room.take(order, WID_014=2)
    room.house.take_refunds(order, recorded_refunds(103))


@pytest.fixture
def refund_room(sqlite_database: Database, box: SecretBox) -> Stockroom:
    room = Stockroom(make_house(sqlite_database, box), {"WID-014": 23, "WID-015": 24})
    room.read_everything()
    return room


def test_a_return_puts_back_what_the_shop_has_put_back(refund_room: Stockroom) -> None:
    refunded(refund_room)
    refund_room.run_until_quiet()
    assert {receipt.type for receipt in refund_room.house.our_receipts()} == {"Sales", "Return"}
    assert -1 in {move.quantity for move in moves(refund_room)}


def test_a_return_whose_answer_is_lost(refund_room: Stockroom) -> None:
    refunded(refund_room)
    lose(refund_room, what=lambda request: "<SalesReceiptType>Return<" in request)
    refund_room.check()
    refund_room.run_until_quiet()


@pytest.mark.parametrize("lost", [True, False])
def test_a_reversal_puts_back_what_its_receipt_took(room: Stockroom, lost: bool) -> None:
    room.take(ORDER)
    room.run_until_quiet()
    (sale,) = room.house.activities()
    with room.database.write() as db:
        undoing.undo(db, sale.id, "test", again=False, done=False)
    if lost:
        lose(room, what=lambda request: "<TxnReverseRq" in request)
    room.run_until_quiet()
    assert room.house.pos.item(room.list_ids["WID-001"]).quantity_on_hand == 10
    assert room.shown("WID-001") == 8
    assert sum(move.quantity for move in moves(room)) == 0


def test_a_reversal_by_hand_puts_back_what_its_receipt_took(room: Stockroom) -> None:
    room.take(ORDER)
    room.run_until_quiet()
    (sale,) = room.house.activities()
    with room.database.write() as db:
        undoing.undo(db, sale.id, "test", again=False, done=False)
        undoing.undo(db, sale.id, "test", again=False, done=True)
    room.check()
    assert sum(move.quantity for move in moves(room)) == 0


def test_a_receipt_that_a_person_reversed_takes_nothing_any_more(room: Stockroom) -> None:
    room.take(ORDER)
    room.run_until_quiet()
    (receipt,) = room.house.our_receipts()
    books = room.house.pos.begin_session("")
    books.process(
        '<?xml version="1.0" encoding="utf-8"?><?qbposxml version="3.0"?><QBPOSXML>'
        '<QBPOSXMLMsgsRq onError="stopOnError"><TxnReverseRq requestID="1"><TxnReverseType>SalesReceipt'
        f"</TxnReverseType><TxnID>{receipt.txn_id}</TxnID></TxnReverseRq></QBPOSXMLMsgsRq></QBPOSXML>"
    )
    books.end()
    assert room.house.our_receipts() == []
    room.check()
    # The next look-back comes with the next document.
    room.take(numbered(ORDER, 777))
    room.run_until_quiet()
    assert room.shown("WID-001") == 6


def test_a_company_that_does_not_track_stock_keeps_no_moves_and_asks_nothing_more(house: House) -> None:
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(house.database.engine, "before_cursor_execute", note)
    house.take(ORDER)
    house.run()
    event.remove(house.database.engine, "before_cursor_execute", note)
    assert not [one for one in statements if "stock_moves" in one or "shop_products" in one]
    assert house.states() == ["succeeded"]
    with house.database.read() as db:
        assert db.scalars(select(Company.turn)).one() == 0
