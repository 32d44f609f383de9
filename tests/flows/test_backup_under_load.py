"""A backup taken while webhooks arrive and a session drains is a database from which work goes on, once each."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from ops_console.backup import back_up
from ops_console.schema import problems
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.harness import House, make_house, numbered, recorded_order

PLAIN = recorded_order("plain")
ORDERS = range(3000, 3060)
TOTAL = Decimal("24.52")


def marks(house: House) -> Counter[str]:
    return Counter(one.comments.split(" ")[0] for one in house.our_receipts())


@pytest.mark.parametrize("sets", [1, 3])
def test_a_backup_under_load_goes_on_without_doubling(
    sqlite_database: Database, box: SecretBox, tmp_path: Path, sets: int
) -> None:
    house = make_house(sqlite_database, box)
    # Small sets, so that the backup falls between many commits.
    house.set("pace.start", "2")
    house.set("pace.most", "4")
    draining, arrived = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def shop() -> None:
        try:
            for number in ORDERS:
                house.take(numbered(PLAIN, number))
                if number == ORDERS[10]:
                    arrived.set()
        except BaseException as error:
            faults.append(error)
            raise

    def connector() -> None:
        written = 0

        def on_answer(number: int, ticket: str, request: str, response: str) -> None:
            nonlocal written
            written += "<SalesReceiptAddRq" in request
            if written >= sets:
                # From here on receipts are in the books, and their answers are being taken in.
                draining.set()

        try:
            for _ in range(60):
                house.run(on_answer=on_answer)
                if not posting.is_alive() and set(house.states()) == {"succeeded"}:
                    break
        except BaseException as error:
            faults.append(error)
            raise
        finally:
            draining.set()

    posting, running = threading.Thread(target=shop), threading.Thread(target=connector)
    posting.start()
    assert arrived.wait(120)
    running.start()
    assert draining.wait(120)
    copy = tmp_path / "copy.db"
    assert back_up(tmp_path / "qbwoo.db", copy) > 0
    posting.join(120)
    running.join(240)
    assert faults == []
    assert not posting.is_alive()
    assert not running.is_alive()
    house.run_until_quiet()
    assert len(house.totals()) == len(ORDERS)

    # The machine is lost; the books are as they are now, the queue is as it was then.
    restored = Database(f"sqlite:///{copy}")
    assert problems(restored) == []
    again = House(restored, house.pos)
    again.conversation.start()
    for number in ORDERS:
        again.take(numbered(PLAIN, number))
    again.run_until_quiet()
    restored.close()
    assert set(marks(again).values()) == {1}
    assert sorted(marks(again)) == [f"WMAIN-{number}/1" for number in ORDERS]
    assert again.totals() == [TOTAL] * len(ORDERS)
