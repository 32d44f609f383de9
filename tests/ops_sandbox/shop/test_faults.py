"""Faults to order."""

from __future__ import annotations

import random

import pytest

from ops_sandbox.shop import Outcome


@pytest.fixture
def hook(shop, receiver):
    return shop.add_webhook("product.updated", f"{receiver.url}/hook", "s")


def _change(rest, *products):
    for product in products:
        rest.put(f"/products/{product}", {})


def test_lost_deliveries_are_never_seen_and_never_sent_again(shop, rest, receiver, hook):
    shop.lose_next_deliveries(2)
    _change(rest, 11, 12, 13)
    outcomes = [d.outcome for d in shop.run_queue()]
    assert outcomes == [Outcome.LOST, Outcome.LOST, Outcome.DELIVERED]
    assert receiver.fired == [("product.updated", 13)]
    assert shop.run_queue() == []


def test_duplicated_deliveries_are_alike(shop, rest, receiver, hook):
    shop.duplicate_deliveries = True
    _change(rest, 11)
    shop.run_queue()
    first, second = receiver.deliveries
    assert (first.headers, first.body) == (second.headers, second.body)


def test_reordered_deliveries_are_all_there(shop, rest, receiver, hook):
    shop.reorder_deliveries(random.Random(3))
    _change(rest, 11, 12, 13, 14, 15)
    shop.run_queue()
    ids = [number for _, number in receiver.fired]
    assert sorted(ids) == [11, 12, 13, 14, 15] != ids


@pytest.mark.parametrize(("status", "header"), [(429, "7"), (503, "7"), (500, None)])
def test_the_next_requests_are_answered_as_ordered(status, header, shop, rest):
    shop.answer_next_with(status, 2, retry_after_seconds=7)
    for _ in range(2):
        answer = rest("GET", "/orders/68")
        assert (answer.status_code, answer.headers.get("Retry-After")) == (status, header)
        assert answer.json()["data"] == {"status": status}
    assert rest("GET", "/orders/68").status_code == 200


def test_an_ordered_error_changes_nothing(shop, rest):
    shop.answer_next_with(500)
    rest("PUT", "/orders/68", {"status": "cancelled"})
    assert rest.get("/orders/68")["status"] == "completed"


def test_a_shop_that_is_down_neither_answers_nor_delivers(shop, rest, receiver, hook):
    _change(rest, 11)
    shop.down = True
    assert rest("GET", "/orders/68").status_code == 503
    assert shop.run_queue() == []
    shop.down = False
    assert len(shop.run_queue()) == 1
