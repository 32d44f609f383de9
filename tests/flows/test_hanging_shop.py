"""A shop that takes calls and never answers: everything of it waits, and nothing of any other shop does."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_console.settings import ProcessSettings
from ops_console.wiring import Work
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET
from queue_store.companies import add_store, get_company, get_store, set_live
from queue_store.models import Store
from queue_store.schedules import find_schedule, list_schedules
from queue_store.shop_work import ask_shop
from tests.flows.shelves import go_live, item_read, know_products, product, quantity
from tests.flows.street import Street
from woo_bridge.catch_up_orders import CATCH_UP_ORDERS
from woo_bridge.client import ShopClient
from woo_bridge.reach import Reach
from woo_bridge.scheduler import Scheduler
from woo_bridge.worker import Worker


@pytest.fixture
def hang(street: Street) -> Iterator[Callable[[], None]]:
    """A second store whose shop hangs until this is called."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=50))
        with street.database.write() as db:
            store = add_store(
                db,
                street.box,
                company=get_company(db, "books"),
                name="hanging",
                url=f"http://127.0.0.1:{listening.getsockname()[1]}",
                consumer_key=CONSUMER_KEY,
                consumer_secret=CONSUMER_SECRET,
                webhook_secret="other",
            )
            set_live(db, store, ("orders", "stock"), who="test")
            main = get_store(db, "main")
            main.consumer_key, main.consumer_secret = CONSUMER_KEY, street.box.seal(CONSUMER_SECRET)
        product(street, "PEN-1", 50)
        go_live(street, "orders", "stock")
        know_products(street)
        street.shop.run_queue()
        street.work()
        yield opened.close


def ask(street: Street, order_id: int) -> int:
    with street.database.write() as db:
        store = get_store(db, "hanging")
        return ask_shop(
            db,
            company_id=store.company_id,
            store_id=store.id,
            kind="reread_order",
            record_id=str(order_id),
            payload=b'{"order_id": %d}' % order_id,
            cause="test",
        ).id


def states(street: Street) -> list[str]:
    return [one.state for one in street.house.activities("reread_order")]


def test_another_shops_stock_goes_on_within_seconds(
    street: Street, hang: Callable[[], None], tmp_path: Path
) -> None:
    ask(street, 71)
    settings = ProcessSettings(data_dir=tmp_path, database_url=street.database.url, allow_private_stores=True)
    work = Work(settings, street.database, street.box)
    item_read(street, "PEN-1", "10")
    begun = time.monotonic()
    for _ in range(5):
        work()
        if quantity(street, "PEN-1") == 10:
            break
    assert quantity(street, "PEN-1") == 10
    # The hanging one is still waited for: its time is 30 s for one answer alone.
    assert states(street) == ["sent"]
    assert time.monotonic() - begun < 25
    hang()
    work.wait(60)


def test_another_shops_schedules_go_on_while_one_hangs(
    street: Street, hang: Callable[[], None], tmp_path: Path
) -> None:
    settings = ProcessSettings(data_dir=tmp_path, database_url=street.database.url, allow_private_stores=True)
    work = Work(settings, street.database, street.box)
    work()
    while due(street, "main") and not has_failed(street, "hanging"):
        work()
    assert not due(street, "main")
    # The hanging one is still at its first call.
    assert not has_failed(street, "hanging")
    assert due(street, "hanging")
    hang()
    work.wait(60)


def due(street: Street, store_name: str) -> list[str]:
    """Schedules of a store that are due, or at work."""
    with street.database.read() as db:
        rows = list_schedules(db, [get_store(db, store_name).id])
        return [
            row.name
            for row in rows
            if row.running_since is not None or (row.next_at is not None and row.next_at <= datetime.now(UTC))
        ]


def has_failed(street: Street, store_name: str) -> bool:
    with street.database.read() as db:
        return any(row.failures for row in list_schedules(db, [get_store(db, store_name).id]))


def test_all_of_a_shop_waits_after_one_call_without_answer_and_drains_when_it_is_back(
    street: Street, hang: Callable[[], None]
) -> None:
    now = datetime.now(UTC)
    called: list[str] = []
    is_back = False

    def impatient(store: Store, _box: object = None) -> ShopClient:
        called.append(store.name)
        url = street.shop.home_url if is_back else store.url
        return ShopClient(url, CONSUMER_KEY, CONSUMER_SECRET, timeout=(1, 0.2), max_tries=1)

    reach = Reach()
    worker = Worker(street.database, street.box, make_client=impatient, now=lambda: now, reach=reach)
    scheduler = Scheduler(
        street.database,
        street.box,
        [CATCH_UP_ORDERS],
        open_client=impatient,
        public_url=None,
        now=lambda: now,
        reach=reach,
    )
    for number in range(3):
        ask(street, number + 900)
    assert worker.run_once()
    # One was called, and the others are put off with it.
    assert (called, states(street)) == (["hanging"], ["delayed"] * 3)
    ask(street, 990)
    called.clear()
    for _ in range(6):
        scheduler.run_once()
        worker.run_once()
    assert set(called) == {"main"}
    assert states(street) == ["delayed"] * 3 + ["pending"]
    with street.database.read() as db:
        row = find_schedule(db, get_store(db, "hanging"), "orders")
        assert row is not None
        assert row.began_at is None
    is_back = True
    now += timedelta(minutes=11)
    for _ in range(6):
        scheduler.run_once()
        worker.run_once()
    assert states(street) == ["succeeded"] * 4
    with street.database.read() as db:
        row = find_schedule(db, get_store(db, "hanging"), "orders")
        assert row is not None
        assert row.began_at is not None
