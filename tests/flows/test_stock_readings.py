"""What the tills do reaches the shop, whether or not a sale moves an item's TimeModified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.database import Database
from queue_store.models import CatalogueItem, PullMark
from queue_store.secrets import SecretBox
from tests.flows.stockroom import Stockroom
from tests.harness import make_house

PRODUCTS = {"WID-001": 10, "WID-002": 11}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(params=[True, False], ids=["a sale moves TimeModified", "a sale moves nothing"])
def room(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> Stockroom:
    dialect = PosDialect(sale_moves_item_time_modified=request.param)
    return make_room(sqlite_database, box, dialect)


@pytest.fixture
def still_room(sqlite_database: Database, box: SecretBox) -> Stockroom:
    """A sale at the till moves no TimeModified, and the operator believes that it does."""
    room = make_room(sqlite_database, box, PosDialect(sale_moves_item_time_modified=False))
    room.house.set("stock.sales_move_modified", "yes")
    return room


def make_room(database: Database, box: SecretBox, dialect: PosDialect) -> Stockroom:
    room = Stockroom(make_house(database, box, PosCompanyFile.create(None, dialect=dialect)), PRODUCTS)
    room.read_everything()
    room.house.set("pull.items_minutes", "60")
    return room


def finished(room: Stockroom, kind: str, at: datetime) -> None:
    with room.database.write() as db:
        db.execute(update(PullMark).where(PullMark.kind == kind).values(finished_at=at))


def changed_until(room: Stockroom, moment: datetime) -> None:
    """What changed up to then was read: without this, the overlap of two hours covers a whole test."""
    with room.database.write() as db:
        db.execute(update(PullMark).where(PullMark.kind == "items").values(changed_since=moment))


def mark(room: Stockroom, kind: str) -> PullMark | None:
    with room.database.read() as db:
        return db.scalars(select(PullMark).where(PullMark.kind == kind)).first()


def asked_of_quickbooks(room: Stockroom) -> list[str]:
    asked: list[str] = []
    room.house.run(on_set=lambda number, request: asked.append(request))
    return asked


def test_a_sale_at_the_till_is_seen_after_minutes(room: Stockroom) -> None:
    """As long as it is not known that a sale moves TimeModified, receipts tell what was sold."""
    room.house.pos.sell_in_store([(room.list_ids["WID-001"], 3)])
    assert room.house.begin()[1] == "none"
    for kind in ("items", "sales"):
        finished(room, kind, datetime.now(UTC) - timedelta(minutes=16))
    asked = asked_of_quickbooks(room)
    assert room.shown("WID-001") == room.free("WID-001") == 7
    assert room.asked() == ["10"]
    # Nothing but what changed, or was sold, is read.
    assert not any(
        "ItemInventoryQueryRq" in one and "Filter" not in one and "ListID" not in one for one in asked
    )


def test_what_was_sold_and_is_no_product_of_a_shop_is_not_read(still_room: Stockroom) -> None:
    still_room.house.set("stock.sales_move_modified", "unknown")
    other = still_room.house.pos.add_item("Unmatched", alu="U-1", price1=1, on_hand={1: 5})
    still_room.make_pulls_due()
    still_room.run()
    still_room.house.pos.sell_in_store([(other.list_id, 1)])
    finished(still_room, "sales", LONG_AGO)
    assert not any(other.list_id in one for one in asked_of_quickbooks(still_room))


def test_at_the_latest_the_full_reading_sees_a_sale(still_room: Stockroom) -> None:
    still_room.house.pos.sell_in_store([(still_room.list_ids["WID-001"], 3)])
    finished(still_room, "items", LONG_AGO)
    changed_until(still_room, datetime.now(UTC) + timedelta(hours=1))
    still_room.house.run()
    assert still_room.shown("WID-001") == 10
    finished(still_room, "stock", datetime.now(UTC) - timedelta(hours=25))
    still_room.house.run()
    assert still_room.shown("WID-001") == 7
    assert still_room.asked() == ["10"]


def test_everything_is_read_once_a_night(still_room: Stockroom) -> None:
    assert still_room.house.begin()[1] == "none"
    now = datetime.now(UTC)
    still_room.house.set("stock.full_hour", str(now.hour))
    finished(still_room, "stock", now - timedelta(hours=2))
    asked = asked_of_quickbooks(still_room)
    assert any("ItemInventoryQueryRq" in one for one in asked)
    assert still_room.house.begin()[1] == "none"


def test_one_reading_is_the_first_of_the_items_and_of_their_stock(still_room: Stockroom) -> None:
    for kind in ("items", "stock"):
        found = mark(still_room, kind)
        assert found is not None
        assert found.complete
    with still_room.database.read() as db:
        assert set(db.scalars(select(CatalogueItem.asked_turn))) == {1}


def test_a_change_at_the_desk_is_seen_after_minutes(still_room: Stockroom) -> None:
    still_room.house.pos.set_stock(still_room.list_ids["WID-002"], 1, 4)
    still_room.house.pos.change_item(still_room.list_ids["WID-001"], Desc2="Only a text")
    finished(still_room, "items", LONG_AGO)
    still_room.house.run()
    assert still_room.shown("WID-002") == 4
    # A text changes nothing that a shop shows of it.
    assert still_room.asked() == ["11"]


def test_a_deletion_is_told_to_the_shop(still_room: Stockroom) -> None:
    still_room.house.pos.delete_item(still_room.list_ids["WID-002"])
    finished(still_room, "items", LONG_AGO)
    still_room.house.run()
    assert still_room.asked() == ["11"]


def test_a_deletion_that_nobody_told_is_found_by_the_full_reading(still_room: Stockroom) -> None:
    room = still_room
    room.house.pos.delete_item(room.list_ids["WID-002"])
    finished(room, "stock", LONG_AGO)
    asked = asked_of_quickbooks(room)
    # It is asked for by its own id before it counts as deleted.
    assert any(f"<ListID>{room.list_ids['WID-002']}</ListID>" in one for one in asked)
    assert not any("ListDeletedQueryRq" in one for one in asked)
    with room.database.read() as db:
        deleted = select(CatalogueItem.list_id).where(CatalogueItem.deleted)
        assert db.scalars(deleted).all() == [room.list_ids["WID-002"]]
    assert room.asked() == ["11"]
    assert room.house.begin()[1] == "none"


def test_a_page_that_quickbooks_left_short_deletes_nothing(still_room: Stockroom) -> None:
    """Items that a faulty answer leaves out are asked for, and found."""
    room = still_room
    finished(room, "stock", LONG_AGO)
    receive = room.house.conversation.receive_response_xml

    def short(ticket: str, response: str, hresult: str, message: str) -> int:
        if 'requestID="P.' in response:
            head, _, rest = response.partition("<ItemInventoryRet>")
            response = head + rest.rpartition("</ItemInventoryRet>")[2]
        return receive(ticket, response, hresult, message)

    room.house.conversation.receive_response_xml = short  # type: ignore[method-assign]
    room.house.run()
    with room.database.read() as db:
        assert db.scalars(select(CatalogueItem.list_id).where(CatalogueItem.deleted)).all() == []
        assert db.scalars(select(CatalogueItem.list_id).where(CatalogueItem.wanted)).all() == []
    assert room.asked() == []


def test_a_full_reading_goes_on_over_sessions_and_finds_what_is_gone(still_room: Stockroom) -> None:
    room = still_room
    with room.house.pos.transaction():
        for number in range(60):
            room.house.pos.add_item(f"Thing {number}", alu=f"T-{number}", price1=1)
    finished(room, "items", LONG_AGO)
    room.house.run()
    room.house.set("pull.page", "10")
    finished(room, "stock", LONG_AGO)
    gone = next(item.list_id for item in room.house.pos.items() if item.alu == "T-30")

    def on_set(number: int, request: str) -> None:
        if number == 3:
            room.let_session_age()

    room.house.run(on_set=on_set)
    found = mark(room, "stock")
    assert found is not None
    assert (found.complete, found.window_days) == (False, 365)
    room.house.pos.delete_item(gone)
    room.house.run_until_quiet()
    found = mark(room, "stock")
    assert found is not None
    assert found.complete
    with room.database.read() as db:
        query = select(CatalogueItem.deleted, CatalogueItem.wanted).where(CatalogueItem.list_id == gone)
        assert db.execute(query).one() == (True, False) or db.execute(query).one() == (False, False)


def test_what_changed_while_a_long_first_reading_went_on_is_read_later(still_room: Stockroom) -> None:
    """Its mark lies before its beginning, not before its end."""
    room = still_room
    began = datetime.now(UTC) - timedelta(days=3)
    with room.database.write() as db:
        db.execute(
            update(PullMark).where(PullMark.kind == "items").values(complete=False, changed_since=None)
        )
        db.execute(
            update(PullMark)
            .where(PullMark.kind == "stock")
            .values(complete=False, changed_since=None, finished_at=None, begun_at=began)
        )
    room.house.run()
    found = mark(room, "items")
    assert found is not None
    assert found.changed_since is not None
    assert found.changed_since <= began


@pytest.mark.parametrize(("shows", "minutes"), [(True, 15), (False, 1440)])
def test_changed_items_are_read_often_only_for_shops_that_show_them(
    still_room: Stockroom, shows: bool, minutes: int
) -> None:
    room = still_room
    room.house.set("pull.items_minutes", "1440")
    if not shows:
        room.show_nothing()
    finished(room, "items", datetime.now(UTC) - timedelta(minutes=minutes - 1))
    assert room.house.begin()[1] == "none"
    finished(room, "items", datetime.now(UTC) - timedelta(minutes=minutes + 1))
    assert room.house.begin()[1] != "none"
