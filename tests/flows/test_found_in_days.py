"""What `make day` has found: each day that went wrong, told in its fewest steps."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.flows.shelves import go_live, item_read, know_products, product, quantity, row
from tests.flows.street import Street


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
    street.shop.before_next(
        "WRITE", "/products/batch", lambda _call: street.shop.place_order([("PEN-1", 2)])
    )
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
