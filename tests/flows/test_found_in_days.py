"""What `make day` has found: each day that went wrong, told in its fewest steps."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from ops_console import going_live
from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET
from queue_store.companies import add_store, get_company, get_store
from queue_store.database import Database
from queue_store.models import Activity, OrderTaking, PullMark
from queue_store.secrets import SecretBox
from tests.catching_up import make_rig
from tests.flows.shelves import edit, go_live, item_read, know_products, product, quantity, row, writes
from tests.flows.stockroom import Stockroom
from tests.flows.street import Street
from tests.harness import make_house, numbered, recorded_order


@pytest.fixture
def adjusting(street: Street) -> Street:
    """A shop whose edits go to QuickBooks, with ten pens that both sides agree on."""
    go_live(street, "orders", "stock")
    street.house.set_store("stock.edits", "adjust")
    product(street, "PEN-1", 50)
    know_products(street)
    item_read(street, "PEN-1", "10")
    street.shop.run_queue()
    street.work()
    street.deliver()
    assert row(street, "PEN-1").agreed_gross == 10
    return street


def test_an_order_that_our_writing_overwrites_is_no_edit(adjusting: Street) -> None:
    street = adjusting
    street.shop.before_next("WRITE", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 2)]))
    item_read(street, "PEN-1", "9", turn=2)
    street.work()
    assert street.house.activities("adjust_stock") == []
    assert quantity(street, "PEN-1") == 7
    assert row(street, "PEN-1").agreed_gross == 9


@pytest.mark.parametrize("with_order", [False, True])
def test_our_writing_whose_answer_was_lost_is_no_edit(adjusting: Street, with_order: bool) -> None:
    street = adjusting
    if with_order:
        street.shop.before_next(
            "WRITE", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 2)])
        )
    street.shop.lose_next_answers("POST", path="/products/batch")
    item_read(street, "PEN-1", "9", turn=2)
    for _ in range(2):
        street.work()
        street.ahead += street.ahead.__class__(minutes=10)
    assert street.house.activities("adjust_stock") == []
    assert quantity(street, "PEN-1") == (7 if with_order else 9)
    assert row(street, "PEN-1").agreed_gross == Decimal(9)


def test_later_pages_of_an_iterator_that_are_as_old_as_its_start_are_not_taken_for_new(
    sqlite_database: Database, box: SecretBox
) -> None:
    """Receipts leave between two pages, and the later one may show the stock of before: nothing more is shown for that."""
    pos = PosCompanyFile.create(None, dialect=PosDialect(iterator_pages="as_started"))
    for number in range(25):
        pos.add_item(f"Filler {number}", alu=f"FILLER-{number}")
    room = Stockroom(make_house(sqlite_database, box, pos), {"WID-001": 10, "WID-002": 11})
    room.read_everything()
    room.house.set("pull.page", "10")
    room.house.set("pull.items_minutes", "60")
    room.house.set("pace.start", "1")
    room.house.set("pace.most", "1")
    with room.database.write() as db:
        db.execute(update(PullMark).values(finished_at=None, complete=False, changed_since=None))
    order = recorded_order("plain")
    for number in range(501, 513):
        room.take(numbered(order, number))
    room.run_until_quiet()


def test_a_shop_that_goes_live_again_lowers_what_the_others_show(street: Street) -> None:
    """Both sell the same ten pens; two were ordered in the first while it was paused."""
    with street.database.write() as db:
        company = get_company(db, "books")
        add_store(
            db,
            street.box,
            company=company,
            name="other",
            url=street.shop.home_url,
            consumer_key=CONSUMER_KEY,
            consumer_secret=CONSUMER_SECRET,
            webhook_secret="whsec",
        )
    number = product(street, "PEN-1", 50)
    item_read(street, "PEN-1", "10")
    go_live(street, "stock", store="other")
    know_products(street, "other")
    street.work()
    assert quantity(street, "PEN-1") == 10
    street.shop.place_order([("PEN-1", 2)])
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", ("orders", "stock"))
    going_live.begin(street.database, "main", ("orders", "stock"), found, (), "test")
    with street.database.read() as db:
        asked = db.scalars(
            select(Activity.record_id).where(
                Activity.kind == "sync_product",
                Activity.store_id == get_store(db, "other").id,
                Activity.state == "pending",
            )
        ).all()
    assert asked == [str(number)]


def test_an_edit_counts_also_where_the_shop_showed_the_right_number_when_it_went_live(street: Street) -> None:
    street.house.set_store("stock.edits", "adjust")
    product(street, "PEN-1", 10)
    item_read(street, "PEN-1", "10")
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", ("orders", "stock"))
    going_live.begin(street.database, "main", ("orders", "stock"), found, (), "test")
    street.work()
    assert row(street, "PEN-1").agreed_gross == 10
    assert writes(street) == []
    edit(street, "PEN-1", stock_quantity=13)
    street.deliver()
    street.work()
    assert len(street.house.activities("adjust_stock")) == 1
    assert quantity(street, "PEN-1") == 13


def test_an_order_of_a_product_that_was_never_agreed_on_has_it_looked_at(street: Street) -> None:
    """The cancellation gave a piece back to a number that is known only as it was before; nothing else tells."""
    street.house.set_store("stock.buffer", "2")
    product(street, "PEN-1", 1)
    order = street.shop.place_order([("PEN-1", 1)], payment_method="cod")
    item_read(street, "PEN-1", "2")
    with street._client() as client:
        found = going_live.read_shop(street.database, client, "main", ("orders", "stock"))
    going_live.begin(street.database, "main", ("orders", "stock"), found, (str(order["id"]),), "test")
    street.work()
    assert quantity(street, "PEN-1") == 0
    street.clock.ahead += timedelta(seconds=3)
    street.shop.cancel(order["id"])
    street.post(street.shop.orders()[-1])
    street.work()
    assert quantity(street, "PEN-1") == 0


def test_an_order_that_was_erased_without_a_word_is_promised_to_nobody(
    sqlite_database: Database, box: SecretBox
) -> None:
    with make_rig(sqlite_database, box) as rig:
        rig.live("orders", "stock")
        order = rig.order(payment_method="bacs")
        rig.read_again("orders")
        rig.shop.erase_order(order["id"])
        rig.pass_time(minutes=30)
        rig.read_again("deleted")
        with rig.database.read() as db:
            (taking,) = db.scalars(select(OrderTaking))
        assert (taking.record, taking.booked) == (str(order["id"]), True)
