"""Back in the shop: what became of an order stands on the order, once, and nothing goes round in circles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from ops_console import undoing
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET
from queue_store.activities import events_of, move
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.secrets import SecretBox
from queue_store.states import ActivityState as S
from queue_store.tasks import open_tasks
from tests.flows.street import Street, make_street
from tests.harness import House, numbered, recorded_order
from woo_bridge.client import ShopClient

WRITES = ("POST", "PUT", "DELETE")


def place(street: Street, **more: Any) -> int:
    return int(street.shop.place_order([("WID-001", 2)], **more)["id"])


def refuse_sales(request: Any) -> tuple[int, str] | None:
    return (3140, "There was an error.") if request.tag == "SalesReceiptAddRq" else None


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    seen: list[str] = []

    def keep(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", keep)
    yield seen
    event.remove(database.engine, "before_cursor_execute", keep)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_receipt_is_noted_with_its_number_and_amount(
    kind: str, request: pytest.FixtureRequest, box: SecretBox
) -> None:
    with make_street(request.getfixturevalue(f"{kind}_database"), box) as street:
        street.house.set_store("orders.notes", "all")
        order_id = place(street)
        street.settle_down()
        (receipt,) = street.house.our_receipts()
        assert street.notes(order_id) == [
            f"In QuickBooks: sales receipt {receipt.number}, total {receipt.total} (WMAIN-{order_id}/1)"
        ]
        assert street.meta(order_id) == {
            "_qbwoo_receipt_number": str(receipt.number),
            "_qbwoo_txn_id": receipt.txn_id,
            "_qbwoo_state": "succeeded",
        }
        (told,) = street.told()
        assert (told.state, told.target, told.reference) == ("succeeded", "shop", f"for order {order_id}")


def test_by_default_nothing_is_written_to_the_shop(street: Street) -> None:
    place(street)
    place(street, currency="EUR")
    street.settle_down()
    assert sorted(street.house.states()) == ["failed", "succeeded"]
    assert street.told() == []
    assert not [call for call in street.calls if call.startswith(WRITES)]


def test_our_own_writing_comes_back_as_a_webhook_and_ends_there(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()
    street.house.run()
    assert street.work() == 1
    (sale,) = street.house.activities()
    before = history(street, sale)
    # The meta data fire order.updated, as every PUT does; a note fires nothing.
    assert ("order.updated", order_id) in street.shop.pending_actions
    assert street.deliver() == 1
    assert street.work() == 0
    assert street.house.run() == []
    assert street.shop.pending_actions == []
    (sale,) = street.house.activities()
    assert (sale.state, sale.sentence, history(street, sale)) == ("succeeded", "", before)
    with street.database.read() as db:
        assert open_tasks(db) == []
    assert len(street.told()) == 1


def test_our_writing_on_a_refused_order_does_not_send_it_again(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    order_id = place(street, currency="EUR")
    street.deliver()
    street.work()
    (sale,) = street.house.activities()
    assert (sale.state, street.notes(order_id)) == (
        "failed",
        [f"Not in QuickBooks. {sale.sentence} (WMAIN-{order_id}/1)"],
    )
    assert street.meta(order_id) == {"_qbwoo_state": "failed"}
    before = history(street, sale)
    for _ in range(3):
        street.shop.touch_order(order_id)
        street.settle_down()
    (after,) = street.house.activities()
    assert (after.state, history(street, after)) == ("failed", before)
    assert after.modified_at > sale.modified_at
    assert len([call for call in street.calls if call.startswith("PUT")]) == 1
    assert len(street.told()) == 1


def test_content_that_changes_with_our_writing_is_taken_in(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    order_id = place(street, currency="EUR")
    street.settle_down()
    assert street.house.states() == ["failed"]
    with street._client() as client:
        client.call("PUT", f"orders/{order_id}", {"currency": "USD"})
    street.settle_down()
    assert street.house.states() == ["succeeded"]
    # A refusal was told, so its end is told too, also where only failures are.
    first, second = street.notes(order_id)
    assert first.startswith("Not in QuickBooks. ")
    assert second.startswith("In QuickBooks: sales receipt ")
    assert street.meta(order_id)["_qbwoo_state"] == "succeeded"


def test_with_failures_a_receipt_that_was_never_refused_is_not_told(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    place(street)
    street.settle_down()
    assert street.house.states() == ["succeeded"]
    assert street.told() == []


def test_what_quickbooks_itself_refuses_is_noted_and_the_same_refusal_only_once(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    street.house.pos.refuse_when = refuse_sales
    order_id = place(street)
    street.settle_down()
    (sale,) = street.house.activities()
    assert "status 3140" in sale.sentence
    assert street.notes(order_id) == [f"Not in QuickBooks. {sale.sentence} (WMAIN-{order_id}/1)"]
    retry(street, sale)
    street.settle_down()
    assert street.house.states() == ["failed"]
    assert len(street.notes(order_id)) == 1
    street.house.pos.refuse_when = None
    retry(street, sale)
    street.settle_down()
    assert len(street.notes(order_id)) == 2


def test_an_order_that_fails_with_an_item_it_needs_is_noted(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    street.house.pos.refuse_when = lambda request: (
        (3140, "No more items.") if request.tag == "ItemInventoryAddRq" else None
    )
    order_id = place(street)
    street.settle_down()
    (note,) = street.notes(order_id)
    assert "No more items." in note


def test_an_order_that_cannot_be_read_is_noted_too(street: Street) -> None:
    street.house.set_store("orders.notes", "failures")
    order_id = place(street, currency="EURO")
    street.settle_down()
    (note,) = street.notes(order_id)
    assert "currency: 'EURO' is not a currency" in note
    assert len([call for call in street.calls if call.startswith("PUT")]) == 1


def test_a_receipt_that_look_back_finds_is_noted(street: Street) -> None:
    """Its answer was lost, so that only look-back can tell."""
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()

    def lose(_number: int, _ticket: str, request: str, _response: str) -> None:
        from tests.harness import AnswerLost

        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    street.house.run(on_answer=lose)
    assert street.told() == []
    street.settle_down()
    (receipt,) = street.house.our_receipts()
    assert f"sales receipt {receipt.number}," in street.notes(order_id)[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_lost_answer_makes_no_second_note(street: Street, method: str) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()
    street.house.run()
    street.shop.lose_next_answers(method)
    street.work()
    (told,) = street.told()
    assert told.state == "delayed"
    assert "It is tried again by itself." in told.sentence
    street.ahead = timedelta(minutes=5)
    street.settle_down()
    assert street.told()[0].state == "succeeded"
    assert len(street.notes(order_id)) == 1
    assert len(street.meta(order_id)) == 3


def test_a_worker_that_dies_after_writing_makes_no_second_note(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()
    street.house.run()
    street.work()
    with street.database.write() as db:
        activity = db.get_one(Activity, street.told()[0].id)
        activity.state = S.SENT
        move(db, activity, S.PENDING, cause="as if its worker had never settled it")
    street.calls.clear()
    assert street.work() == 1
    assert not [call for call in street.calls if call.startswith(WRITES)]
    assert len(street.notes(order_id)) == 1


def test_a_shop_that_is_down_holds_up_nothing_and_is_not_called_for_each_note(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    orders = [place(street) for _ in range(5)]
    street.deliver()
    street.work()
    street.shop.down = True
    street.house.run()
    street.house.run_until_quiet()
    assert street.house.states() == ["succeeded"] * 5
    street.calls.clear()
    assert street.work() == 5
    assert len(street.calls) == 2
    assert {told.state for told in street.told()} == {"delayed"}
    assert street.work() == 0
    street.shop.down = False
    street.ahead = timedelta(minutes=5)
    street.settle_down()
    assert [len(street.notes(order_id)) for order_id in orders] == [1] * 5


def test_a_deleted_order_ends_its_note_with_a_sentence(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()
    street.house.run()
    with street._client() as client:
        client.call("DELETE", f"orders/{order_id}", query={"force": "true"})
    street.work()
    (told,) = street.told()
    assert told.state == "succeeded"
    assert told.sentence == (
        f"The shop has no order {order_id} any more: there was nothing to write the note on."
    )


def test_an_order_deleted_between_two_calls_is_no_failure(street: Street) -> None:
    """WooCommerce answers a PUT of an unknown record with 400."""

    class Deleting(ShopClient):
        def get_order_meta(self, order_id: int) -> dict[str, str]:
            found = super().get_order_meta(order_id)
            self.call("DELETE", f"orders/{order_id}", query={"force": "true"})
            return found

    street.house.set_store("orders.notes", "all")
    place(street)
    street.deliver()
    street.work()
    street.house.run()
    worker = street.worker()
    worker._make_client = lambda store, _box: Deleting(store.url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)
    assert worker.run_once() == 1
    assert street.told()[0].state == "succeeded"


def test_notes_that_are_switched_off_meanwhile_are_not_written(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.deliver()
    street.work()
    street.house.run()
    street.house.set_store("orders.notes", "off")
    street.work()
    (told,) = street.told()
    assert told.state == "cancelled"
    assert "orders.notes is off" in told.sentence
    assert street.notes(order_id) == []


def test_a_key_that_may_not_write_is_told_and_the_receipt_stands(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    street.shop.add_key("ck_reader", "cs_reader", "read")
    place(street)
    street.deliver()
    street.work()
    street.house.run()
    worker = street.worker()
    worker._make_client = lambda store, _box: ShopClient(store.url, "ck_reader", "cs_reader", max_tries=1)
    worker.run_once()
    (told,) = street.told()
    assert told.state == "failed"
    assert "Read/Write permission" in told.sentence
    assert f"qbwoo activity retry {told.id}" in told.sentence
    assert street.house.states() == ["succeeded"]


def test_a_note_does_not_answer_to_the_order_s_number(street: Street) -> None:
    """`qbwoo activity retry 71` means the order, not the note on it."""
    from queue_store.activities import find_activities

    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.settle_down()
    with street.database.read() as db:
        assert [found.kind for found in find_activities(db, str(order_id))] == ["sale"]


def test_settling_costs_no_statement_while_no_store_wants_notes(house: House) -> None:
    take_many(house, 1000, 5)
    with statements(house.database) as plain:
        house.run_until_quiet()
    assert house.states() == ["succeeded"] * 5
    assert not [text for text in plain if "orders.notes" in text or "note_order" in text]


def test_a_whole_set_is_noted_by_a_handful_of_statements(house: House) -> None:
    house.set("pace.start", "50")
    house.take(recorded_order("plain"))
    house.run_until_quiet()
    house.set_store("orders.notes", "all")
    counts = []
    for first, many in ((2000, 5), (3000, 45)):
        take_many(house, first, many)
        with statements(house.database) as seen:
            house.run_until_quiet()
        notes = [text for text in seen if "store_settings" in text and "activities" in text]
        counts.append(
            (len(notes), len([text for text in seen if text.startswith("INSERT INTO activities ")]))
        )
    assert counts[0] == counts[1]
    assert len(house.activities("note_order")) == 50


def take_many(house: House, first: int, many: int) -> None:
    order = recorded_order("plain")
    for number in range(first, first + many):
        house.take(numbered(order, number))


def retry(street: Street, activity: Activity) -> None:
    from ops_console import handwork

    with street.database.write() as db:
        handwork.retry(db, [activity.id], "test")


def history(street: Street, activity: Activity) -> list[tuple[str, str]]:
    with street.database.read() as db:
        return [(event.to_state, event.cause) for event in events_of(db, activity.id)]


def test_a_return_is_noted_beside_its_sale_and_leaves_the_order_s_meta_data_alone(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.settle_down()
    before = street.meta(order_id)
    refund = street.shop.refund(order_id)
    street.settle_down()
    back = next(one for one in street.house.our_receipts() if one.type == "Return")
    assert street.notes(order_id)[1:] == [
        f"In QuickBooks: return receipt {back.number}, total {back.total} (WMAIN-{order_id}-R{refund['id']}/1)"
    ]
    assert street.meta(order_id) == before
    assert [one.reference for one in street.told()] == [
        f"for order {order_id}",
        f"for refund {refund['id']} of order {order_id}",
    ]


def test_a_web_order_is_noted_and_then_its_receipt(street: Street) -> None:
    street.house.set_store("orders.notes", "all")
    street.house.set_store("orders.documents", "on-hold=sales order, completed=receipt")
    order_id = place(street, payment_method="bacs", paid=False)
    street.shop.set_status(order_id, "on-hold")
    street.settle_down()
    (web_order,) = street.house.pos.sales_orders()
    mark = f"WMAIN-{order_id}/1"
    assert street.notes(order_id) == [f"In QuickBooks: web order {mark}, total {web_order.total} ({mark})"]
    assert street.meta(order_id) == {}
    street.shop.set_status(order_id, "completed")
    street.settle_down()
    (receipt,) = street.house.our_receipts()
    assert street.notes(order_id)[1:] == [
        f"In QuickBooks: sales receipt {receipt.number}, total {receipt.total} ({mark})"
    ]


@pytest.mark.parametrize("again", [False, True])
def test_an_undo_is_noted_and_the_order_bears_the_number_of_a_receipt_that_stands(
    street: Street, again: bool
) -> None:
    street.house.set_store("orders.notes", "all")
    order_id = place(street)
    street.settle_down()
    (first,) = street.house.our_receipts()
    (sale,) = street.house.activities()
    with street.database.write() as db:
        undoing.undo(db, sale.id, "test", again=again)
    street.settle_down()
    assert f"In QuickBooks: reversal of receipt {first.number} (WMAIN-{order_id}/1)" in street.notes(order_id)
    if again:
        (second,) = street.house.our_receipts()
        assert street.meta(order_id)["_qbwoo_receipt_number"] == str(second.number)
        assert street.meta(order_id)["_qbwoo_state"] == "succeeded"
    else:
        assert {key: value for key, value in street.meta(order_id).items() if value} == {
            "_qbwoo_state": "reversed"
        }
