"""A refund is one return in QuickBooks, after its sale, whatever is lost on the way."""

from __future__ import annotations

import logging
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ops_console import handwork, undoing
from qbwc_service.preparing import prepare_pending
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.operations import OperationRefused
from queue_store.secrets import SecretBox
from queue_store.tasks import open_tasks
from tests.flows.test_one_order import copy_database
from tests.harness import AnswerLost, House, make_house, recorded_order, recorded_refunds
from woo_bridge.receive import withdraw_order

SALE, BACK = Decimal("297.14"), Decimal("47.08")
ORDER = recorded_order("rpart")
REFUNDS = recorded_refunds(103)


def arrive(house: House, order: dict[str, Any] = ORDER, refunds: list[dict[str, Any]] = REFUNDS) -> None:
    house.take(order)
    house.take_refunds(order, refunds)


def later(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A newer state of an order."""
    return {**order, "date_modified_gmt": "2026-11-22T01:00:00", **changes}


def unpaid(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**order, "status": "processing", "date_paid_gmt": None, "date_completed_gmt": None, **changes}


def is_return(request: str) -> bool:
    return "<SalesReceiptType>Return<" in request


def the_return(house: House) -> Activity:
    (one,) = house.activities("return")
    return one


def tasks(house: House) -> list[tuple[str, str]]:
    with house.database.read() as db:
        return [(task.kind, task.sentence) for task in open_tasks(db)]


def assert_sale_and_return(house: House) -> None:
    assert sorted((receipt.type, receipt.total) for receipt in house.our_receipts()) == [
        ("Return", BACK),
        ("Sales", SALE),
    ]
    assert house.states() == house.states("return") == ["succeeded"]
    sale, back = sorted(house.our_receipts(), key=lambda receipt: str(receipt.type), reverse=True)
    assert house.activities()[0].txn_id == sale.txn_id
    assert the_return(house).txn_id == back.txn_id


def lose_returns(house: House, *, late: list[tuple[str, str]] | None = None) -> None:
    """A session whose answer to the returns is lost, or kept in `late` as (ticket, response)."""

    def on_answer(number: int, ticket: str, request: str, response: str) -> None:
        if is_return(request):
            if late is not None:
                late.append((ticket, response))
            raise AnswerLost

    house.run(on_answer=on_answer)


# Once each ------------------------------------------------------------------


def test_a_refund_goes_after_its_sale_in_the_same_session(house: House) -> None:
    arrive(house)
    assert house.states("return") == ["waiting"]
    assert "goes after its order" in the_return(house).sentence
    house.run()
    assert_sale_and_return(house)
    assert house.begin()[1] == "none"


def test_a_refund_made_later_goes_by_itself(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    arrive(house, later(ORDER))
    house.run()
    assert_sale_and_return(house)
    assert tasks(house) == []


def test_a_lost_answer_is_looked_up_before_the_return_is_sent_again(house: House) -> None:
    arrive(house)
    lose_returns(house)
    assert house.states("return") == ["sent"]
    house.run()
    assert_sale_and_return(house)


@pytest.mark.parametrize("lost", range(1, 12))
@pytest.mark.parametrize("executed", [True, False])
def test_any_one_answer_or_set_may_be_lost(house: House, lost: int, executed: bool) -> None:
    arrive(house)

    def lose(number: int, *_: str) -> None:
        if number == lost:
            raise AnswerLost

    if executed:
        house.run(on_answer=lose)
    else:
        house.run(on_set=lose)
    house.run_until_quiet()
    assert_sale_and_return(house)


def test_a_late_answer_binds(house: House) -> None:
    arrive(house)
    late: list[tuple[str, str]] = []
    lose_returns(house, late=late)
    ticket, _ = house.begin()
    ((old_ticket, response),) = late
    assert house.conversation.receive_response_xml(old_ticket, response, "", "") == 100
    assert house.states("return") == ["succeeded"]
    house.conversation.close_connection(ticket)
    house.run_until_quiet()
    assert_sale_and_return(house)


class Killed(BaseException):
    """The process is gone between two commits."""


def test_the_service_may_be_killed_after_any_commit(house: House) -> None:
    arrive(house)
    for kill_at in range(1, 40):
        calls, write_again = 0, house.database.write_again

        def killed_after(work, kill_at=kill_at, write_again=write_again, **named):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            result = write_again(work, **named)
            if calls == kill_at:
                raise Killed
            return result

        house.database.write_again = killed_after  # type: ignore[method-assign]
        try:
            house.run()
            break
        except Killed:
            continue
        finally:
            del house.database.write_again  # type: ignore[method-assign]
    house.run_until_quiet()
    assert_sale_and_return(house)


def test_a_database_restored_from_before_the_send_finds_sale_and_return(house: House, tmp_path: Path) -> None:
    arrive(house)
    copy_database(house.database, tmp_path / "backup.db")
    house.run()
    restored = House(Database(f"sqlite:///{tmp_path / 'backup.db'}"), house.pos)
    assert restored.states("return") == ["waiting"]
    restored.run_until_quiet()
    assert_sale_and_return(restored)
    restored.database.close()


def test_a_second_instance_finds_sale_and_return(
    house: House, box: SecretBox, sqlite_template: Path, tmp_path: Path
) -> None:
    arrive(house)
    house.run()
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = make_house(Database(f"sqlite:///{tmp_path / 'other.db'}"), box, house.pos)
    arrive(other)
    other.run_until_quiet()
    assert_sale_and_return(other)
    other.database.close()


def test_a_refund_of_a_sale_that_only_look_back_knows_goes(
    house: House, box: SecretBox, sqlite_template: Path, tmp_path: Path
) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = make_house(Database(f"sqlite:///{tmp_path / 'other.db'}"), box, house.pos)
    arrive(other)
    other.run_until_quiet()
    assert_sale_and_return(other)
    other.database.close()


# With its sale --------------------------------------------------------------


def test_a_refund_of_an_order_that_waits_for_money_waits_with_it(house: House) -> None:
    arrive(house, unpaid(ORDER))
    house.run()
    assert house.states("return") == ["waiting"]
    assert "waits for its money" in the_return(house).sentence
    house.take(later(ORDER))
    house.run()
    assert_sale_and_return(house)


def test_a_refund_is_cancelled_with_its_order_and_revived_with_it(house: House) -> None:
    arrive(house)
    house.take(later(ORDER, status="cancelled"))
    assert house.states() == house.states("return") == ["cancelled"]
    assert "is cancelled with its order: Order 103 was cancelled in the shop" in the_return(house).sentence
    house.take({**ORDER, "date_modified_gmt": "2026-11-22T02:00:00"})
    assert house.states("return") == ["waiting"]
    house.run()
    assert_sale_and_return(house)


def test_an_order_cancelled_while_its_sale_is_in_doubt_cancels_its_refund(house: House) -> None:
    arrive(house)

    def on_set(number: int, request: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    house.run(on_set=on_set)
    house.take(later(ORDER, status="cancelled"))
    house.run_until_quiet()
    assert house.our_receipts() == []
    assert house.states() == house.states("return") == ["cancelled"]


def test_an_order_refunded_in_full_before_it_was_sent_goes_with_its_return(house: House) -> None:
    arrive(house, recorded_order("rfull"), recorded_refunds(101))
    house.run()
    assert sorted(receipt.type for receipt in house.our_receipts()) == ["Return", "Sales"]
    assert {receipt.total for receipt in house.our_receipts()} == {SALE}


def test_neither_goes_where_the_store_says_so(house: House) -> None:
    house.set_store("orders.refunded_unsent", "neither")
    arrive(house, recorded_order("rfull"), recorded_refunds(101))
    assert house.begin()[1] == "none"
    assert house.states() == house.states("return") == ["cancelled"]
    assert "orders.refunded_unsent" in the_return(house).sentence


def test_a_sale_in_the_books_gets_its_return_even_where_unsent_ones_get_neither(house: House) -> None:
    house.set_store("orders.refunded_unsent", "neither")
    order = recorded_order("rfull")
    house.take({**order, "status": "processing", "refunds": []})
    house.run()
    arrive(house, later(order), recorded_refunds(101))
    house.run()
    assert sorted(receipt.type for receipt in house.our_receipts()) == ["Return", "Sales"]
    assert tasks(house) == []


def test_an_order_never_paid_and_refunded_in_full_sends_nothing(house: House) -> None:
    arrive(house, unpaid(recorded_order("rfull"), status="refunded"), recorded_refunds(101))
    assert house.begin()[1] == "none"
    assert house.states() == house.states("return") == ["cancelled"]
    assert "no money had been taken" in the_return(house).sentence


def test_a_refund_of_an_order_from_before_is_held_with_its_sentence_and_goes_with_a_push(
    house: House,
) -> None:
    house.set_store("orders.since", "2027-01-01")
    arrive(house)
    assert house.states() == house.states("return") == ["held"]
    assert "it goes only by push" in the_return(house).sentence
    house.set_store("orders.since", "2020-01-01")
    handwork.decide_anew(house.database, "main")
    assert house.states() == ["pending"]
    assert house.states("return") == ["waiting"]
    house.run()
    assert_sale_and_return(house)


def test_a_pause_holds_refunds_too_and_the_next_go_live_sends_them(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    arrive(house, later(ORDER))
    with house.database.write() as db:
        handwork.pause(db, get_store(db, "main"), "test")
    assert house.states("return") == ["held"]
    assert the_return(house).sentence.startswith("Refund 110 of order 103 is held: store main is paused")
    assert house.begin()[1] == "none"
    handwork.go_live(house.database, "main", ["orders"], "test")
    house.run()
    assert_sale_and_return(house)


def test_a_refund_that_arrives_in_a_pause_is_held(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    with house.database.write() as db:
        handwork.pause(db, get_store(db, "main"), "test")
    arrive(house, later(ORDER))
    assert house.states("return") == ["held"]
    assert "is not live for orders" in the_return(house).sentence


def test_a_refund_fails_with_its_sale_and_is_retried_with_it(house: House) -> None:
    house.set("items.missing", "refuse")
    arrive(house)
    house.run()
    assert house.states() == house.states("return") == ["failed"]
    assert the_return(house).sentence.startswith("Refund 110 of order 103 cannot be sent: ")
    house.set("items.missing", "create")
    with house.database.write() as db:
        handwork.retry(db, [house.activities()[0].id], "test")
    house.run()
    assert_sale_and_return(house)


def test_cancelling_the_sale_by_hand_cancels_its_refund_and_releasing_brings_both_back(house: House) -> None:
    arrive(house)
    sale = house.activities()[0].id
    with house.database.write() as db:
        handwork.cancel(db, [sale], "test")
    assert house.states() == house.states("return") == ["cancelled"]
    assert "was cancelled by hand" in the_return(house).sentence
    with house.database.write() as db:
        handwork.release(db, [sale], "test")
    assert house.states("return") == ["waiting"]
    house.run()
    assert_sale_and_return(house)


def test_a_refund_that_a_person_holds_stays_held_and_goes_after_its_release(house: House) -> None:
    arrive(house)
    back = the_return(house).id
    with house.database.write() as db:
        handwork.hold(db, [back], "test")
    house.run()
    assert (house.states(), house.states("return")) == (["succeeded"], ["held"])
    with house.database.write() as db:
        handwork.release(db, [back], "test")
    house.run()
    assert_sale_and_return(house)


def test_a_refund_deleted_while_a_person_held_it_is_cancelled_when_it_is_released(house: House) -> None:
    arrive(house)
    back = the_return(house).id
    with house.database.write() as db:
        handwork.hold(db, [back], "test")
    arrive(house, later(ORDER, refunds=[]), [])
    assert house.states("return") == ["held"]
    with house.database.write() as db:
        handwork.release(db, [back], "test")
    assert house.states("return") == ["cancelled"]
    assert "was deleted in the shop" in the_return(house).sentence


def test_a_return_retried_before_its_sale_waits_again(house: House) -> None:
    arrive(house)
    with house.database.write() as db:
        handwork.hold(db, [house.activities()[0].id], "test")
    with house.database.write() as db, pytest.raises(OperationRefused):
        handwork.retry(db, [the_return(house).id], "test")
    assert house.run() == []
    assert house.states("return") == ["waiting"]


# Decisions ------------------------------------------------------------------


def test_a_refund_deleted_in_the_shop_before_it_was_sent_is_cancelled(house: House) -> None:
    arrive(house)
    arrive(house, later(ORDER, refunds=[]), [])
    house.run()
    assert house.states("return") == ["cancelled"]
    assert the_return(house).sentence == "Refund 110 of order 103 was deleted in the shop: nothing to send."
    assert house.totals() == [SALE]


def test_a_refund_deleted_in_the_shop_after_it_was_sent_is_for_a_decision(house: House) -> None:
    arrive(house)
    house.run()
    arrive(house, {**ORDER, "refunds": []}, [])
    ((kind, sentence),) = tasks(house)
    assert kind == "changed after sent"
    assert sentence.startswith("Refund 110 of order 103 was deleted in the shop after its return ")
    assert "reverse receipt" in sentence
    assert_sale_and_return(house)


def test_an_order_cancelled_after_it_was_sent_is_for_a_decision(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    house.take(later(ORDER, refunds=[], status="cancelled"))
    ((kind, sentence),) = tasks(house)
    assert kind == "changed after sent"
    assert "was cancelled in the shop" in sentence
    assert "Decide: reverse receipt" in sentence


def test_an_order_deleted_in_the_shop_cancels_its_refunds_with_it(house: House) -> None:
    arrive(house)
    with house.database.write() as db:
        withdraw_order(db, get_store(db, "main"), 103)
    assert house.states() == house.states("return") == ["cancelled"]


# Money ----------------------------------------------------------------------


def test_a_refund_larger_than_its_order_is_refused_with_the_arithmetic(house: House) -> None:
    big = {**REFUNDS[0], "amount": "300.00"}
    arrive(house, {**ORDER, "refunds": [{"id": 110, "reason": "", "total": "-300.00"}]}, [big])
    house.run()
    prepare_pending(house.database)
    assert house.states("return") == ["failed"]
    assert the_return(house).sentence == (
        "Refund 110 of order 103 is larger than its order: 300.00, of an order of 297.14. Correct it in the shop, "
        "or enter it by hand and cancel this activity."
    )


def by_item(house: House, receipt: Any) -> dict[str, Decimal]:
    """What a receipt's lines come to, by the ALU of their items."""
    alus = {item.list_id: item.alu for item in house.pos.items()}
    amounts: dict[str, Decimal] = {}
    for line in receipt.lines:
        amounts[alus[line.list_id]] = amounts.get(alus[line.list_id], Decimal(0)) + line.extended_price
    return amounts


def test_a_refund_of_less_than_its_lines_takes_the_difference_back_by_the_item_for_refunds(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    small = {**REFUNDS[0], "amount": "40.00"}
    arrive(house, {**ORDER, "refunds": [{"id": 110, "reason": "", "total": "-40.00"}]}, [small])
    house.run()
    (back,) = [receipt for receipt in house.our_receipts() if receipt.type == "Return"]
    assert back.total == sum(tender.amount for tender in back.tenders) == Decimal("40.00")
    assert by_item(house, back) == {
        "WID-014": Decimal("42.99"),
        "Online Sales Tax": Decimal("4.09"),
        "Online Refund": Decimal("-7.08"),
    }
    assert (
        "Refund 110 of order 103: its lines and tax come to 47.08, the shop gave back 40.00: -7.08 went to Online Refund"
        in caplog.text
    )


def test_after_an_amount_alone_the_rest_of_the_order_leaves_nothing_on_the_item_for_refunds(
    house: House,
) -> None:
    """30.00 for goodwill, then everything: the shop lists the goods whole, and gives back what was left."""
    order, (full,) = recorded_order("rfull"), recorded_refunds(101)
    goodwill = {
        **full,
        "id": full["id"] - 1,
        "amount": "30.00",
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "date_created_gmt": order["date_created_gmt"],
    }
    rest = {**full, "amount": "267.14"}
    summaries = [
        {"id": one["id"], "reason": "", "total": f"-{one['amount']}", "total_tax": "0.00"}
        for one in (rest, goodwill)
    ]
    arrive(house, {**order, "refunds": summaries}, [rest, goodwill])
    house.run_until_quiet()
    backs = [receipt for receipt in house.our_receipts() if receipt.type == "Return"]
    assert sorted(back.total for back in backs) == [Decimal("30.00"), Decimal("267.14")]
    booked: dict[str, Decimal] = {}
    for back in backs:
        for item, amount in by_item(house, back).items():
            booked[item] = booked.get(item, Decimal(0)) + amount
    assert booked == {
        "WID-014": Decimal("171.96"),
        "WID-015": Decimal("91.98"),
        "Online Sales Tax": Decimal("25.70"),
        # Shipping: the goodwill of 30.00 is gone again.
        "Online Refund": Decimal("7.50"),
    }


def test_a_refund_that_lists_more_than_was_sold_is_refused_with_both_sums(house: House) -> None:
    line = {**REFUNDS[0]["line_items"][0], "total": "-400.00", "subtotal": "-400.00"}
    odd = {**REFUNDS[0], "amount": "40.00", "line_items": [line]}
    arrive(house, {**ORDER, "refunds": [{"id": 110, "reason": "", "total": "-40.00"}]}, [odd])
    house.run()
    assert house.states("return") == ["failed"]
    assert the_return(house).sentence == (
        "Refund 110 of order 103 lists more than was sold: its lines and tax come to 404.09, those of the order to "
        "297.14. Delete the refund in the shop and make it anew, or enter it by hand and cancel this activity."
    )


def test_what_was_typed_beyond_the_lines_goes_to_the_item_for_refunds(house: House) -> None:
    more = {**REFUNDS[0], "amount": "50.00"}
    arrive(house, {**ORDER, "refunds": [{"id": 110, "reason": "", "total": "-50.00"}]}, [more])
    house.run()
    (back,) = [receipt for receipt in house.our_receipts() if receipt.type == "Return"]
    assert back.total == Decimal("50.00")
    assert sorted(line.extended_price for line in back.lines) == [
        Decimal("2.92"),
        Decimal("4.09"),
        Decimal("42.99"),
    ]


def test_a_refund_is_tendered_as_its_sale_was_whatever_is_set_now(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run()
    house.set("documents.tender", "Cash")
    arrive(house, later(ORDER))
    house.run()
    assert {receipt.tenders[0].kind for receipt in house.our_receipts()} == {"CreditCard"}


def test_goods_put_back_are_on_the_shelf_again_and_others_are_not(house: House) -> None:
    arrive(house, recorded_order("rfull"), recorded_refunds(101))
    arrive(house, recorded_order("rfullnr"), recorded_refunds(102))
    house.run()
    shelf = {item.alu: sum(item.on_hand.values()) for item in house.pos.items() if item.alu.startswith("WID")}
    # Four and two were sold twice, and came back once.
    assert shelf == {"WID-014": -4, "WID-015": -2}


# Beside an undo --------------------------------------------------------------


def undo(house: House, kind: str = "sale", *, again: bool = False) -> int:
    (activity,) = house.activities(kind)
    with house.database.write() as db:
        return undoing.undo(db, activity.id, "test", again=again).id


def sold(house: House) -> None:
    house.take({**ORDER, "refunds": []})
    house.run_until_quiet()
    assert house.states() == ["succeeded"]


def test_a_refund_that_comes_while_its_sale_is_undone_goes_after_the_sale_that_takes_its_place(
    house: House,
) -> None:
    sold(house)
    undo(house, again=True)
    arrive(house, later(ORDER))
    assert house.states("return") == ["waiting"]
    house.run_until_quiet()
    assert house.states() == ["superseded", "succeeded"]
    assert house.states("return") == ["succeeded"]
    assert sorted((receipt.type, receipt.total) for receipt in house.our_receipts()) == [
        ("Return", BACK),
        ("Sales", SALE),
    ]


def test_a_refund_of_a_sale_that_was_undone_for_good_is_cancelled_with_it(house: House) -> None:
    sold(house)
    undo(house)
    arrive(house, later(ORDER))
    house.run_until_quiet()
    assert house.states() == ["superseded", "cancelled"]
    assert house.states("return") == ["cancelled"]
    assert house.our_receipts() == []


def test_a_refund_goes_after_the_receipt_that_stands_when_the_undo_is_called_off(house: House) -> None:
    sold(house)
    reversal = undo(house)
    arrive(house, later(ORDER))
    with house.database.write() as db:
        handwork.cancel(db, [reversal], "test")
    house.run_until_quiet()
    assert_sale_and_return_stand(house)


def assert_sale_and_return_stand(house: House) -> None:
    assert sorted((receipt.type, receipt.total) for receipt in house.our_receipts()) == [
        ("Return", BACK),
        ("Sales", SALE),
    ]
    assert house.states("return") == ["succeeded"]


def test_a_refund_that_failed_is_not_sent_by_a_retry_once_its_sale_is_gone(house: House) -> None:
    too_much = [{**REFUNDS[0], "amount": "9999.00"}, *REFUNDS[1:]]
    arrive(house, refunds=too_much)
    house.run_until_quiet()
    assert (house.states(), house.states("return")) == (["succeeded"], ["failed"])
    undo(house)
    house.run_until_quiet()
    with house.database.write() as db:
        handwork.retry(db, [the_return(house).id], "test")
    house.run_until_quiet()
    assert house.states("return") == ["cancelled"]
    assert "cancelled by hand" in the_return(house).sentence
    assert house.our_receipts() == []


def test_a_sale_is_undone_after_its_return_was(house: House) -> None:
    arrive(house)
    house.run_until_quiet()
    with pytest.raises(OperationRefused, match=r"Refund \d+ of order \d+ hangs on this receipt"):
        undo(house)
    undo(house, "return")
    house.run_until_quiet()
    assert house.states("return") == ["superseded", "cancelled"]
    undo(house)
    house.run_until_quiet()
    assert house.states() == ["superseded", "cancelled"]
    assert house.our_receipts() == []


def test_a_return_that_is_undone_again_is_sent_anew_with_its_next_generation(house: House) -> None:
    arrive(house)
    house.run_until_quiet()
    undo(house, "return", again=True)
    house.run_until_quiet()
    assert house.states("return") == ["superseded", "succeeded"]
    (back,) = [one for one in house.our_receipts() if one.type == "Return"]
    mark, _, generation = (back.comments or "").split()[0].partition("/")
    assert (mark, generation) == (f"WMAIN-103-R{REFUNDS[0]['id']}", "2")
    assert back.total == BACK
