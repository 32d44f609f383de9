"""What a shop should show of an item: a pure function of the last read and of what orders and documents took.

    shop quantity = basis - allocation - buffer

`allocation` is what the shops' orders took from their stock, less what the
books had taken of it when QuickBooks was read. It is recomputed whole each
time; nothing is ever added to a stored quantity. Worked example, buffer 0:

    10 in the store, two ordered online                        10 - 2       = 8
    one of them ships, its receipt is in the books, read anew   9 - (2 - 1) = 8
    one is sold in the store, read anew                         8 - (2 - 1) = 7
    the other order is cancelled                                8 - (1 - 1) = 8
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from queue_store.product_payloads import BookItem

ZERO = Decimal(0)
#: Locations that are all those that the company has.
EVERY_LOCATION: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """What one document takes from QuickBooks' stock of an item."""

    #: The order, or adjustment, that it belongs to.
    record: tuple[int, str]
    #: Negative: pieces come back.
    quantity: Decimal
    #: The company's turn in which it was sent, and by which it was known to be in QuickBooks.
    sent_turn: int
    settled_turn: int | None
    #: A web order, which holds pieces without taking them.
    is_order: bool = False


@dataclass(frozen=True, slots=True)
class Taking:
    """What one order took from a shop's stock of an item."""

    record: tuple[int, str]
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LevelRules:
    """How a store shares in what is there; all of them settings."""

    #: Percent of what is free that this shop may sell.
    share: Decimal = Decimal(100)
    #: Pieces that the shop never sells.
    buffer: Decimal = ZERO
    #: At or below so many pieces the shop shows none.
    threshold: Decimal = ZERO


def counted(move: Move, asked_turn: int) -> Decimal:
    """Pieces of `move` that a read asked for in `asked_turn` had taken.

    A document that was out at that time, sent but not known to be settled,
    counts on whichever side gives the smaller quantity for the shop.
    """
    if move.settled_turn is not None and move.settled_turn < asked_turn:
        return move.quantity
    if move.sent_turn > asked_turn:
        return ZERO
    return min(ZERO, move.quantity)


@dataclass(frozen=True, slots=True)
class Sides:
    """What one order, or adjustment, took from the shop, and what the books had taken for it at a read."""

    taken: Decimal = ZERO
    booked: Decimal = ZERO

    @property
    def promised(self) -> Decimal:
        """Pieces that the books still show as there."""
        return self.taken - self.booked


def by_record(
    takings: Iterable[Taking], moves: Iterable[Move], asked_turn: int, *, holds_orders: bool
) -> dict[tuple[int, str], Sides]:
    """Both sides of each record of an item; see `allocation`."""
    moves = list(moves)
    taken: dict[tuple[int, str], Decimal] = {}
    booked: dict[tuple[int, str], Decimal] = {}
    for taking in takings:
        taken[taking.record] = taken.get(taking.record, ZERO) + taking.quantity
    with_receipt = {move.record for move in moves if not move.is_order and counted(move, asked_turn) != ZERO}
    for move in moves:
        if move.is_order and (not holds_orders or move.record in with_receipt):
            continue
        booked[move.record] = booked.get(move.record, ZERO) + counted(move, asked_turn)
    return {
        record: Sides(taken.get(record, ZERO), booked.get(record, ZERO))
        for record in taken.keys() | booked.keys()
    }


def allocation(
    takings: Iterable[Taking], moves: Iterable[Move], asked_turn: int, *, holds_orders: bool
) -> Decimal:
    """Pieces that are promised to buyers, and that the books still show as there.

    `holds_orders`: the basis is "available", which a web order lowers until its
    receipt takes its place.
    """
    sides = by_record(takings, moves, asked_turn, holds_orders=holds_orders)
    return sum((one.promised for one in sides.values()), ZERO)


def is_over(takings: Iterable[Taking], moves: Iterable[Move], asked_turn: int) -> bool:
    """True if one record's sides of an item come to nothing in each read asked for in `asked_turn` or later.

    Its documents count in all of these reads, whichever the basis is. Without a taking no document counts.
    """
    takings, moves = list(takings), list(moves)
    if any(move.settled_turn is None or move.settled_turn >= asked_turn for move in moves):
        return False
    return not takings or all(
        allocation(takings, moves, asked_turn, holds_orders=holds_orders) == ZERO
        for holds_orders in (False, True)
    )


def basis(item: BookItem, locations: Iterable[str], *, available: bool) -> Decimal | None:
    """Pieces of the chosen locations, or of all of them; None: QuickBooks tells nothing of them."""
    chosen = tuple(locations)
    if not chosen:
        if item.on_hand_total is not None:
            there, ordered = item.on_hand_total, item.on_order_total or ZERO
        elif item.on_hand:
            there, ordered = sum(item.on_hand.values(), ZERO), sum(item.on_order.values(), ZERO)
        else:
            return None
    else:
        known = [item.on_hand[number] for number in chosen if number in item.on_hand]
        if not known:
            return None
        there = sum(known, ZERO)
        ordered = sum((item.on_order.get(number, ZERO) for number in chosen), ZERO)
    return there - ordered if available else there


def shop_quantity(free: Decimal, rules: LevelRules, *, may_be_negative: bool = False) -> int:
    """Whole pieces for one shop, of `free` = basis - allocation. A part of a piece is no piece.

    `may_be_negative`: the product may be backordered, so that the shop may show
    how many are owed. Worked: 7.5 free, share 50, buffer 1: 3.75 - 1, so 2.
    """
    share = free * rules.share / 100 if free > 0 else free
    quantity = int((share - rules.buffer).to_integral_value(rounding=ROUND_FLOOR))
    if quantity <= rules.threshold:
        quantity = min(quantity, 0)
    return quantity if may_be_negative else max(0, quantity)


def locations_of(
    setting: Iterable[str], overrides: Mapping[str, tuple[str, ...]], sku_key: str
) -> tuple[str, ...]:
    """The locations that count for a SKU: its own, else the company's."""
    return overrides.get(sku_key, tuple(setting))
