"""`qbwoo activity undo` as a person uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from queue_store.activities import add_activity, list_activities
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.payloads import encode
from tests.harness import recorded_order
from tests.ops_console.conftest import Qbwoo
from woo_bridge.translate_orders import translate_order


@pytest.fixture
def sale(console_database: Database, add_store: Callable[..., str]) -> int:
    """A sale in the books, as receipt 12."""
    name = add_store()
    order = translate_order(json.dumps(recorded_order("plain")).encode())
    with console_database.write() as db:
        store = get_store(db, name)
        return add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind="sale",
                record_id=str(order.order_id),
                order_id=str(order.order_id),
                reference=order.number,
                state="succeeded",
                payload=encode(order),
                txn_id="-12",
                txn_number="12",
                total=Decimal("24.52"),
            ),
            cause="test",
        ).id


def test_a_dry_run_shows_the_plan_and_does_nothing(
    qbwoo: Qbwoo, sale: int, console_database: Database
) -> None:
    said = qbwoo("activity", "undo", sale, "--again", "--dry-run").out
    assert "<TxnID>-12</TxnID>" in said
    assert "/2 Order" in said
    assert "Receipt 12 is reversed (TxnReverse)" in said
    assert qbwoo("activity", "undo", sale, "--dry-run", "--json").data["number"] == "12"
    with console_database.read() as db:
        assert len(list_activities(db)) == 1


def test_an_undo_asks_and_then_stands_in_the_queue(qbwoo: Qbwoo, sale: int) -> None:
    assert "Nothing was done" in qbwoo("activity", "undo", sale, code=1, given="n\n").err
    (row,) = qbwoo("activity", "undo", sale, "--yes", "--json").data
    assert (row["kind"], row["state"], row["reference"]) == ("reversal", "pending", "Reversal of receipt 12")
    said = qbwoo("activity", "undo", sale, "--yes", code=1)
    assert "is pending already" in said.err


def test_an_order_number_names_its_standing_receipt(qbwoo: Qbwoo, sale: int) -> None:
    number = recorded_order("plain")["number"]
    qbwoo("activity", "undo", number, "--yes")
    said = qbwoo("activity", "undo", number, "--done", "--yes", "--json").data
    assert said[0]["state"] == "succeeded"


def test_an_order_number_means_the_receipt_even_where_a_return_hangs_on_it(
    qbwoo: Qbwoo, sale: int, console_database: Database
) -> None:
    number = recorded_order("plain")["number"]
    with console_database.write() as db:
        one = db.get_one(Activity, sale)
        returned = Activity(
            company_id=one.company_id,
            store_id=one.store_id,
            kind="return",
            record_id=f"{number}-R9",
            order_id=number,
            reference=f"Refund 9 of order {number}",
            state="succeeded",
            payload=b"{}",
            txn_id="-13",
            txn_number="13",
        )
        add_activity(db, returned, cause="test")
        returned_id = returned.id
    said = qbwoo("activity", "undo", number, "--dry-run").out
    assert f"Order {number} (activity {sale}): receipt 12, 24.52" in said
    assert "hangs on this receipt, as return 13: undo it first" in said
    assert f"  qbwoo activity undo {returned_id}\n  qbwoo activity undo {sale}\n" in said


def test_what_is_not_in_the_books_cannot_be_undone(
    qbwoo: Qbwoo, sale: int, console_database: Database
) -> None:
    with console_database.write() as db:
        db.get_one(Activity, sale).state = "failed"
    assert "no receipt of it is in QuickBooks" in qbwoo("activity", "undo", sale, "--yes", code=1).err


def test_an_undo_is_shown_like_any_other_activity(qbwoo: Qbwoo, sale: int) -> None:
    (row,) = qbwoo("activity", "undo", sale, "--yes", "--json").data
    said = qbwoo("activity", "show", row["id"]).out
    assert "Reversal of a receipt" in said
    assert "<TxnID>-12</TxnID>" in said
