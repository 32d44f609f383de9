"""What a shop should show: a pure function of the last read, what orders took and what documents took."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queue_store.levels import LevelRules, Move, Taking, allocation, basis, counted, shop_quantity
from queue_store.product_payloads import BookItem

ONE, TWO = (1, "71"), (1, "72")


def taking(record: tuple[int, str], quantity: int) -> Taking:
    return Taking(record, Decimal(quantity))


def receipt(record: tuple[int, str], quantity: int, sent: int, settled: int | None) -> Move:
    return Move(record, Decimal(quantity), sent, settled)


def web_order(record: tuple[int, str], quantity: int, sent: int, settled: int | None) -> Move:
    return Move(record, Decimal(quantity), sent, settled, is_order=True)


def shown(on_hand: int, takings: list[Taking], moves: list[Move], asked: int) -> int:
    return shop_quantity(
        Decimal(on_hand) - allocation(takings, moves, asked, holds_orders=False), LevelRules()
    )


def test_the_worked_example_comes_out() -> None:
    both = [taking(ONE, 1), taking(TWO, 1)]
    assert shown(10, both, [], 1) == 8
    shipped = [receipt(ONE, 1, 2, 2)]
    assert shown(9, both, shipped, 3) == 8, "its receipt was settled before the read"
    assert shown(8, both, shipped, 4) == 7, "one sold in the store"
    assert shown(8, [taking(ONE, 1)], shipped, 4) == 8, "the other one is cancelled"


def test_a_receipt_settled_after_the_read_does_not_count_in_it() -> None:
    assert shown(10, [taking(ONE, 1)], [receipt(ONE, 1, 5, 5)], 4) == 9


@pytest.mark.parametrize("settled", [None, 7, 6])
def test_a_receipt_that_was_out_at_the_read_counts_on_the_smaller_side(settled: int | None) -> None:
    assert counted(receipt(ONE, 3, 4, settled), 6) == 0
    assert counted(receipt(ONE, -3, 4, settled), 6) == -3


def test_a_return_not_yet_posted_is_a_negative_term() -> None:
    # The buyer brought it back, the shop has it on the shelf again; QuickBooks does not know yet.
    sold = receipt(ONE, 1, 2, 2)
    assert shown(9, [taking(ONE, 0)], [sold], 3) == 10
    assert shown(10, [taking(ONE, 0)], [sold, receipt(ONE, -1, 4, 4)], 5) == 10


def test_a_web_order_counts_only_where_the_basis_is_available_and_until_its_receipt_counts() -> None:
    placed = [web_order(ONE, 2, 1, 1)]
    takings = [taking(ONE, 2)]
    assert allocation(takings, placed, 3, holds_orders=True) == 0
    assert allocation(takings, placed, 3, holds_orders=False) == 2
    fulfilled = [*placed, receipt(ONE, 2, 4, 4)]
    assert allocation(takings, fulfilled, 5, holds_orders=True) == 0
    out = [*placed, receipt(ONE, 2, 4, None)]
    assert allocation(takings, out, 5, holds_orders=True) == 0, "available is the same before and after"


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 9), st.none() | st.integers(1, 9)), max_size=6),
    st.integers(1, 10),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_whatever_the_read_had_taken_of_what_was_out_never_too_much_is_shown(
    drawn: list[tuple[int, int, int | None]], asked: int, was_in: list[bool]
) -> None:
    """Each document may or may not have been in QuickBooks at the read, unless that is certain."""
    moves = [
        receipt((1, str(number)), quantity, sent, settled if settled is None else max(sent, settled))
        for number, (quantity, sent, settled) in enumerate(drawn)
    ]
    true_stock, on_hand = Decimal(100), Decimal(100)
    for move, lucky in zip(moves, was_in, strict=False):
        certain = move.settled_turn is not None and move.settled_turn < asked
        impossible = move.sent_turn > asked
        if certain or (lucky and not impossible):
            on_hand -= move.quantity
        true_stock -= move.quantity
    takings = [Taking(move.record, move.quantity) for move in moves]
    assert on_hand - allocation(takings, moves, asked, holds_orders=False) <= true_stock


@pytest.mark.parametrize(
    ("free", "rules", "quantity"),
    [
        ("7.5", LevelRules(), 7),
        ("7.5", LevelRules(share=Decimal(50), buffer=Decimal(1)), 2),
        ("3", LevelRules(threshold=Decimal(3)), 0),
        ("4", LevelRules(threshold=Decimal(3)), 4),
        ("-2", LevelRules(), 0),
        ("0.9", LevelRules(), 0),
    ],
)
def test_share_buffer_and_threshold_leave_whole_pieces(free: str, rules: LevelRules, quantity: int) -> None:
    assert shop_quantity(Decimal(free), rules) == quantity


def test_what_may_be_backordered_may_be_owed() -> None:
    assert shop_quantity(Decimal(-2), LevelRules(), may_be_negative=True) == -2
    assert shop_quantity(Decimal(-2), LevelRules(share=Decimal(50)), may_be_negative=True) == -2


def test_the_basis_is_that_of_the_chosen_locations() -> None:
    item = BookItem(
        list_id="1",
        on_hand={"1": Decimal(5), "2": Decimal(3)},
        on_order={"2": Decimal(1)},
        on_hand_total=Decimal(9),
        on_order_total=Decimal(2),
    )
    assert basis(item, ("1", "2"), available=False) == 8
    assert basis(item, ("2",), available=True) == 2
    assert basis(item, (), available=True) == 7
    assert basis(item, ("7",), available=False) is None


def test_what_a_receipt_left_open_of_a_web_order_is_held_until_a_person_closes_it() -> None:
    """Nothing tells when he does so; given back before, it would be shown once more from that moment on."""
    edited = [taking(ONE, 1)]
    moves = [web_order(ONE, 2, 2, 2), receipt(ONE, 1, 4, 4)]
    # 10 there, 2 on order; then 9 there and 1 on order; then the order is closed.
    assert Decimal(8) - allocation(edited, moves[:1], 3, holds_orders=True) == 9
    assert Decimal(8) - allocation(edited, moves, 5, holds_orders=True) == 8
    assert Decimal(9) - allocation(edited, moves, 6, holds_orders=True) == 9
