"""Reading QuickBooks' items and customers into the catalogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from queue_store.companies import get_store, set_live
from queue_store.models import CatalogueCustomer, CatalogueItem, PullMark, QbwcSession
from tests.harness import House, numbered, recorded_order


@pytest.fixture(autouse=True)
def _reads(house: House) -> None:
    house.set("pull.items_minutes", "60")
    house.set("pull.customers_minutes", "60")
    house.set("pull.page", "10")


def fill(house: House, count: int) -> None:
    with house.pos.transaction():
        for number in range(count):
            house.pos.add_item(f"Thing {number}", alu=f"T-{number}", price1=1)


def items(house: House) -> list[str]:
    with house.database.read() as db:
        query = select(CatalogueItem.alu_key).where(~CatalogueItem.deleted)
        return sorted(db.scalars(query))


def mark(house: House) -> PullMark:
    with house.database.read() as db:
        return db.scalars(select(PullMark).where(PullMark.kind == "items")).one()


def make_due(house: House) -> None:
    with house.database.write() as db:
        db.execute(update(PullMark).values(finished_at=datetime.now(UTC) - timedelta(hours=2)))


def test_the_whole_catalogue_is_read_page_by_page(house: House) -> None:
    fill(house, 35)
    house.pos.add_customer("Somebody", email="Some@Body.example")
    house.run()
    assert len(items(house)) == 35
    with house.database.read() as db:
        assert db.scalars(select(CatalogueCustomer.email_key)).all() == ["some@body.example"]
    assert house.begin()[1] == "none"


def test_later_only_what_changed_is_read(house: House) -> None:
    fill(house, 25)
    house.run()
    house.pos.add_item("Late", alu="LATE", price1=1)
    make_due(house)
    asked: list[str] = []
    house.run(on_set=lambda number, request: asked.append(request))
    assert "late" in items(house)
    assert all("<TimeModifiedFilter>" in request for request in asked if "<ItemInventoryQueryRq" in request)


def test_what_was_deleted_in_quickbooks_leaves_the_catalogue(house: House) -> None:
    fill(house, 3)
    house.run()
    house.pos.delete_item(next(item.list_id for item in house.pos.items() if item.alu == "T-1"))
    make_due(house)
    house.run()
    assert items(house) == ["t-0", "t-2"]


def test_a_reading_that_does_not_fit_a_session_goes_on_in_windows(house: House) -> None:
    fill(house, 60)

    def on_set(number: int, request: str) -> None:
        if number == 3:
            with house.database.write() as db:
                db.execute(update(QbwcSession).values(started_at=datetime.now(UTC) - timedelta(minutes=31)))

    asked: list[str] = []
    house.run(on_set=lambda n, request: (on_set(n, request), asked.append(request))[0])
    assert 'iterator="Stop"' in asked[-1]
    assert mark(house).window_days == 365
    assert not mark(house).complete
    house.run()
    assert len(items(house)) == 60
    assert mark(house).complete


def test_an_empty_answer_moves_no_mark(house: House) -> None:
    house.run()
    assert mark(house).changed_since is None


def test_a_mark_never_moves_beyond_tomorrow(house: House) -> None:
    fill(house, 3)
    receive = house.conversation.receive_response_xml
    year = str(datetime.now(UTC).year)

    def ahead(ticket: str, response: str, hresult: str, message: str) -> int:
        return receive(
            ticket, response.replace(f"<TimeModified>{year}", "<TimeModified>2037"), hresult, message
        )

    house.conversation.receive_response_xml = ahead  # type: ignore[method-assign]
    house.run()
    assert mark(house).changed_since is None
    assert len(items(house)) == 3


def test_nothing_is_read_before_a_store_is_live(house: House) -> None:
    with house.database.write() as db:
        set_live(db, get_store(db, "main"), [], who="test")
    assert house.begin()[1] == "none"


def test_a_reading_that_quickbooks_refuses_is_not_asked_again_at_once(house: House) -> None:
    house.pos.refuse_when = lambda request: (
        (3250, "Not in this edition.") if request.tag in ("ItemInventoryQueryRq", "CustomerQueryRq") else None
    )
    house.run()
    assert house.begin()[1] == "none"


def test_a_late_reading_gets_every_fifth_set_while_documents_wait(house: House) -> None:
    fill(house, 200)
    for order_id in range(1000, 1100):
        house.take(numbered(recorded_order("plain"), order_id))
    house.set("pace.most", "5")
    asked: list[str] = []
    house.run(on_set=lambda number, request: asked.append(request))
    reads = [number for number, request in enumerate(asked) if 'ItemInventoryQueryRq requestID="P' in request]
    writes = [number for number, request in enumerate(asked) if "<SalesReceiptAddRq" in request]
    assert reads[0] < writes[-1]
    assert [number % 5 for number in reads if number < writes[-1]] == [4] * len(
        [number for number in reads if number < writes[-1]]
    )
    assert set(house.states()) == {"succeeded"}
    assert len(items(house)) > 200
