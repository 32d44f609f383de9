"""Where a switch does not fit the Point of Sale, documents stop, and a person is told what to do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops_console import handwork
from ops_console.cli import main
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.secrets import SecretBox
from queue_store.tasks import open_tasks
from tests.flows.test_found_in_undo import refunded_order
from tests.harness import House, make_house, numbered, recorded_order

PLAIN = recorded_order("plain")
MAKE = Callable[..., House]


@pytest.fixture
def make(sqlite_database: Database, box: SecretBox) -> MAKE:
    """A house whose Point of Sale has a random dialect, but for these switches."""

    def made(seed: int, **switches: str) -> House:
        dialect = replace(PosDialect.random(random.Random(seed)), empty_company_text="opens_last", **switches)
        return make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))

    return made


def tasks(house: House) -> list[tuple[str, str]]:
    with house.database.read() as db:
        return [(task.kind, task.sentence) for task in open_tasks(db)]


def stopped(house: House) -> bool:
    """True if an order that comes now is not sent, and nothing was lost by it."""
    before = len(house.our_receipts())
    house.take(numbered(PLAIN, 900))
    house.run_until_quiet()
    return len(house.our_receipts()) == before and house.states()[-1] in ("pending", "waiting")


@pytest.mark.parametrize("seed", range(6))
def test_the_first_total_that_differs_stops_the_documents_of_the_company(make: MAKE, seed: int) -> None:
    house = make(seed, unbalanced_tenders="accept")
    house.set("lines.tax_code", "Tax")
    house.take(PLAIN)
    house.run_until_quiet()
    (receipt,) = house.our_receipts()
    assert receipt.total != Decimal(PLAIN["total"])
    assert stopped(house)
    ((kind, sentence),) = tasks(house)
    assert kind == "total differs"
    assert f"a total of {receipt.total} for receipt {receipt.number}, 24.52 was expected" in sentence
    assert sentence.endswith("run: qbwoo company set books documents.stopped false")
    # The setting is mended, and what waited goes.
    house.set("lines.tax_code", "Non")
    house.set("documents.stopped", "false")
    house.run_until_quiet()
    assert [one.total for one in house.our_receipts()][1:] == [Decimal("24.52")]


@pytest.mark.parametrize("seed", range(6))
def test_the_second_document_that_is_refused_as_not_balanced_stops_them_too(make: MAKE, seed: int) -> None:
    house = make(seed, unbalanced_tenders="refuse")
    house.set("lines.tax_code", "Tax")
    house.take(PLAIN)
    house.run_until_quiet()
    ((kind, sentence),) = tasks(house)
    (sale,) = house.activities()
    assert (kind, sale.state, sale.sentence) == ("total refused", "failed", sentence)
    assert sentence.startswith(
        "Order 68: QuickBooks computed another total than 24.52, and refused it (status 20004)."
    )
    assert sentence.endswith(f"qbwoo activity retry {sale.id}")
    house.take(numbered(PLAIN, 700))
    house.run_until_quiet()
    assert tasks(house)[0][1].endswith("run: qbwoo company set books documents.stopped false")
    assert stopped(house)
    assert house.our_receipts() == []
    house.set("lines.tax_code", "Non")
    house.set("documents.stopped", "false")
    retry_failed(house)
    house.run_until_quiet()
    assert house.totals() == [Decimal("24.52")] * 3
    assert tasks(house) == []


def retry_failed(house: House) -> None:
    ids = [one.id for one in house.activities() if one.state == "failed"]
    with house.database.write() as db:
        handwork.retry(db, ids, "test")


def test_one_document_alone_that_is_refused_as_not_balanced_stops_nothing(make: MAKE) -> None:
    house = make(1, unbalanced_tenders="refuse")
    house.set("lines.tax_code", "Tax")
    house.take(PLAIN)
    house.run_until_quiet()
    house.set("lines.tax_code", "Non")
    house.take(numbered(PLAIN, 700))
    house.run_until_quiet()
    assert house.totals() == [Decimal("24.52")]
    # It goes when it is retried, and its task is over; a later one is the first again.
    retry_failed(house)
    house.run_until_quiet()
    assert (house.totals(), tasks(house)) == ([Decimal("24.52")] * 2, [])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [({"returns.signs": "negative"}, "positive"), ({"returns.signs": "positive"}, "negative")],
)
def test_a_return_with_the_wrong_signs_is_refused_or_told(
    make: MAKE, wrong: dict[str, str], right: str
) -> None:
    house = make(3, return_signs=right)
    for key, value in wrong.items():
        house.set(key, value)
    order, refunds = refunded_order()
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    (refund,) = house.activities("return")
    differing = [one for one in house.our_receipts() if one.type == "Return"]
    assert refund.state == "failed" or tasks(house)
    assert not differing or tasks(house)[0][0] == "total differs"


def test_the_commands_show_what_stopped_and_what_to_do(
    make: MAKE, tmp_path: Path, sqlite_database: Database
) -> None:
    house = make(2, unbalanced_tenders="accept")
    house.set("lines.tax_code", "Tax")
    house.take(PLAIN)
    house.run_until_quiet()
    with house.database.write() as db:
        # What `check` looks up must be on this machine.
        get_store(db, "main").url = "http://127.0.0.1:9"
    url = sqlite_database.engine.url.render_as_string(hide_password=False)
    env = {"QBWOO_DATABASE_URL": url, "QBWOO_DATA_DIR": str(tmp_path), "QBWOO_ALLOW_PRIVATE_STORES": "true"}

    def said(*words: str) -> str:
        result = CliRunner().invoke(main, list(words), env=env)
        return result.stdout

    with house.database.read() as db:
        sale = db.query(Activity).filter(Activity.kind == "sale").one()
    deed = "qbwoo company set books documents.stopped false"
    told = " ".join(said("task", "list").split())
    assert "24.52 was expected" in told
    assert deed in told
    assert deed in " ".join(said("activity", "show", str(sale.id)).split())
    assert "documents are stopped" in " ".join(said("check").split())
    assert CliRunner().invoke(main, deed.split()[1:], env=env).exit_code == 0
    assert "documents are stopped" not in " ".join(said("check").split())
