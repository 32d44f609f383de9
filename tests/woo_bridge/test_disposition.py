"""What an order asks of the books."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import msgspec.structs
import pytest

from queue_store.setting_tables import read_documents
from queue_store.states import ActivityState as S
from woo_bridge.disposition import OrderRules, decide
from woo_bridge.translate_orders import translate_order

RULES = OrderRules(
    store="main",
    documents=read_documents("processing=receipt, completed=receipt"),
    paid_later=("cod", "bacs", "cheque"),
    live=True,
    since=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def make(order):
    base = translate_order(json.dumps(order(number="71", id=71)).encode())

    def changed(**fields):
        return msgspec.structs.replace(base, **fields)

    return changed


def test_a_paid_order_in_a_trigger_status_goes(make):
    assert decide(make(), RULES).state is S.PENDING


@pytest.mark.parametrize("status", ["cancelled", "failed", "trash"])
@pytest.mark.parametrize(
    "rules", [RULES, replace(RULES, live=False), replace(RULES, since=datetime.max.replace(tzinfo=UTC))]
)
def test_what_ended_in_the_shop_is_cancelled_whatever_else_holds(make, status, rules):
    decided = decide(make(status=status), rules)
    assert (decided.state, decided.reason) == (S.CANCELLED, "")
    assert decided.sentence.startswith("Order 71 ")
    assert decided.sentence.endswith(": nothing to send.")


@pytest.mark.parametrize("status", ["pending", "on-hold", "checkout-draft", "shipped"])
def test_another_status_waits_and_names_it(make, status):
    decided = decide(make(status=status), RULES)
    assert (decided.state, decided.reason) == (S.WAITING, "status")
    assert decided.sentence == (
        f"Order 71 waits: its status is {status}; receipts are sent for processing, completed."
    )


def test_a_refunded_order_goes_if_money_was_taken(make):
    assert decide(make(status="refunded"), RULES).state is S.PENDING
    assert decide(make(status="refunded"), replace(RULES, live=False)).reason == "not live"


def test_a_refunded_order_that_was_never_paid_is_cancelled(make):
    decided = decide(make(status="refunded", paid_at=None, completed_at=None), RULES)
    assert decided.state is S.CANCELLED
    assert decided.sentence == (
        "Order 71 was refunded in full, and no money had been taken: nothing to send."
    )


def test_neither_sale_nor_refund_goes_where_the_store_says_so(make):
    decided = decide(make(status="refunded"), replace(RULES, sends_refunded=False))
    assert decided.state is S.CANCELLED
    assert decided.sentence == (
        "Order 71 was refunded in full, before its receipt was sent: neither is sent, as orders.refunded_unsent says."
    )


def test_money_paid_later_is_waited_for_by_name(make):
    decided = decide(
        make(paid_at=None, payment_method="cod", payment_title="Cash on delivery", status="processing"), RULES
    )
    assert (decided.state, decided.reason) == (S.WAITING, "money")
    assert "Cash on delivery (cod) is paid later" in decided.sentence


def test_another_gateway_without_money_waits_too(make):
    decided = decide(make(paid_at=None, payment_method="stripe", payment_title="Card"), RULES)
    assert (decided.state, decided.reason) == (S.WAITING, "money")
    assert "no date of payment by Card" in decided.sentence


@pytest.mark.parametrize("fields", [{"status": "completed"}, {"total": 0}, {"paid_at": datetime.now(UTC)}])
def test_money_is_a_date_of_payment_or_completion_or_a_total_of_0(make, fields):
    assert decide(make(**({"paid_at": None, "payment_method": "cod"} | fields)), RULES).state is S.PENDING


def test_a_store_that_is_not_live_holds(make):
    decided = decide(make(), replace(RULES, live=False))
    assert (decided.state, decided.reason) == (S.HELD, "not live")
    assert "store main is not live for orders" in decided.sentence
    assert "It goes when you run: qbwoo store live main" in decided.sentence


def test_before_the_first_go_live_the_sentence_does_not_promise_that_it_goes(make):
    decided = decide(make(), replace(RULES, live=False, since=None))
    assert decided.reason == "not live"
    assert "go only by push" in decided.sentence


@pytest.mark.parametrize("live", [True, False])
def test_an_order_from_before_goes_only_by_push(make, live):
    rules = replace(RULES, since=datetime(2027, 1, 1, tzinfo=UTC), live=live)
    decided = decide(make(), rules)
    assert (decided.state, decided.reason) == (S.HELD, "before since")
    assert decided.sentence.endswith("it goes only by push. Run: qbwoo push orders --store main --ids 71")
    assert "before 2027-01-01 00:00 UTC" in decided.sentence


def test_a_push_asks_neither_for_go_live_nor_for_the_date_but_for_status_and_money(make):
    rules = replace(RULES, live=False, since=datetime(2027, 1, 1, tzinfo=UTC))
    assert decide(make(), rules, pushed=True).state is S.PENDING
    assert decide(make(status="on-hold"), rules, pushed=True).reason == "status"
    assert decide(make(paid_at=None), rules, pushed=True).reason == "money"


def test_status_and_money_are_told_before_the_stores_own_switch(make):
    rules = replace(RULES, live=False)
    assert decide(make(status="on-hold"), rules).reason == "status"
    assert decide(make(paid_at=None), rules).reason == "money"
