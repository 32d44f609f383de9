"""Refunds as the shop writes them, and which goods each of them put back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec.structs
import pytest

from queue_store.payloads import Refund, RefundLine
from woo_bridge.errors import Untranslatable
from woo_bridge.translate_orders import translate_order
from woo_bridge.translate_refunds import allocate_restocked, restocked_units, translate_refund


@pytest.fixture
def rpart(recorded):
    return translate_order(json.dumps(recorded("order_rpart")).encode())


@pytest.fixture
def body(recorded):
    return recorded("get_orders_103_refunds")[0]


def translated(body, order):
    return translate_refund(json.dumps(body).encode(), order)


def test_what_the_buyer_gets_is_positive(rpart, body):
    refund = translated(body, rpart)
    assert (refund.refund_id, refund.order_id, refund.number) == (110, 103, "103")
    assert (refund.amount, refund.total_tax) == (Decimal("47.08"), Decimal("4.09"))
    assert refund.created_at == datetime(2026, 11, 22, 0, 26, 27, tzinfo=UTC)
    (line,) = refund.lines
    assert (line.line_id, line.sku, line.quantity) == (208, "WID-014", 1)
    assert (line.total, line.total_tax) == (Decimal("42.99"), Decimal("4.09"))
    assert [tax.amount for tax in line.taxes] == [Decimal("3.55"), Decimal("0.54")]


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"amount": "much"}, "amount"),
        ({"amount": None}, "amount"),
        ({"date_created_gmt": None}, "date_created_gmt: there is no date"),
        ({"line_items": [{"id": 1, "quantity": 1, "total": "x"}]}, "line_items[1].total"),
        ({"line_items": [{"id": 1, "total": "1"}]}, "line_items"),
    ],
)
def test_what_cannot_be_read_says_where(rpart, body, changes, place):
    with pytest.raises(Untranslatable, match="Refund 110 of order 103 cannot be read: ") as caught:
        translated({**body, **changes}, rpart)
    assert place in str(caught.value)


def test_what_is_no_json_is_told_so(rpart):
    with pytest.raises(Untranslatable, match="A refund of order 103 cannot be read: it is not JSON"):
        translate_refund(b"<html>", rpart)


@pytest.fixture
def refunds(rpart):
    """Makes refunds of line 208, one a minute, with so many pieces each."""

    def make(*pieces):
        start = datetime(2026, 11, 22, tzinfo=UTC)
        return [
            Refund(
                refund_id=number,
                created_at=start + timedelta(minutes=number),
                amount=Decimal(10),
                total_tax=Decimal(0),
                lines=(
                    RefundLine(
                        line_id=208, sku="A", quantity=Decimal(count), total=Decimal(10), total_tax=Decimal(0)
                    ),
                ),
                order=rpart,
            )
            for number, count in enumerate(pieces, start=1)
        ]

    return make


def put_back(order, pieces, refunds, taken=None):
    lines = tuple(
        msgspec.structs.replace(line, restocked=Decimal(pieces if line.line_id == 208 else 0))
        for line in order.lines
    )
    order = msgspec.structs.replace(order, lines=lines)
    found = allocate_restocked(order, refunds, taken or {})
    return {refund.refund_id: restocked_units(refund)[208] for refund in found}


def test_what_came_back_belongs_to_the_oldest_refund_first(rpart, refunds):
    assert put_back(rpart, 0, refunds(1, 2)) == {1: 0, 2: 0}
    assert put_back(rpart, 2, refunds(1, 2)) == {1: 1, 2: 1}
    assert put_back(rpart, 3, refunds(1, 2)) == {1: 1, 2: 2}
    assert put_back(rpart, 3, reversed(refunds(1, 2))) == {1: 1, 2: 2}


def test_a_refund_takes_no_more_than_its_own_pieces(rpart, refunds):
    assert put_back(rpart, 9, refunds(1, 2)) == {1: 1, 2: 2}


def test_what_was_sent_keeps_what_it_took(rpart, refunds):
    nothing, one = {208: Decimal(0)}, {208: Decimal(1)}
    assert put_back(rpart, 1, refunds(1, 1), {1: nothing}) == {1: 0, 2: 1}
    assert put_back(rpart, 1, refunds(1, 1), {1: one}) == {1: 1, 2: 0}


def test_what_the_return_of_a_deleted_refund_took_is_gone(rpart, refunds):
    assert put_back(rpart, 1, refunds(1), {99: {208: Decimal(1)}}) == {1: 0}
