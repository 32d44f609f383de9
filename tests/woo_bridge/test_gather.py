"""Many callers, one transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from woo_bridge.gather import Gathering


class Ledger:
    """Keeps what was committed together; refuses what it is told to."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.bad = bad
        self.kept: list[int] = []
        self.together: list[int] = []
        self.hold = threading.Event()
        self.entered = threading.Event()

    def keep(self, piece: int) -> int:
        self.entered.set()
        self.hold.wait(10)
        if piece in self.bad:
            raise ValueError(piece)
        self.kept.append(piece)
        return piece * 2

    def keep_together(self, pieces):
        if self.bad & set(pieces):
            raise ValueError(pieces)
        self.together.append(len(pieces))
        self.kept.extend(pieces)
        return [piece * 2 for piece in pieces]


def run(ledger: Ledger, pieces: range, most: int = 64):
    """One piece holds the turn; the others gather meanwhile."""
    gathering = Gathering(ledger.keep_together, ledger.keep, most=most)
    with ThreadPoolExecutor(len(pieces) + 1) as threads:
        first = threads.submit(gathering.run, 0)
        ledger.entered.wait(10)
        others = [threads.submit(gathering.run, piece) for piece in pieces]
        while len(gathering._waiting) < len(pieces):
            threading.Event().wait(0.001)
        ledger.hold.set()
        return [first, *others]


def test_what_arrives_while_one_commits_goes_together():
    ledger = Ledger()
    assert [f.result() for f in run(ledger, range(1, 9))] == [piece * 2 for piece in range(9)]
    assert sorted(ledger.kept) == list(range(9))
    assert ledger.together == [8]


def test_a_piece_that_is_refused_spoils_nobody_elses():
    ledger = Ledger(bad=frozenset({3}))
    futures = run(ledger, range(1, 6))
    with pytest.raises(ValueError, match="3"):
        futures[3].result()
    assert sorted(ledger.kept) == [0, 1, 2, 4, 5]


def test_a_transaction_holds_no_more_than_its_bound():
    ledger = Ledger()
    run(ledger, range(1, 11), most=4)
    assert sorted(ledger.kept) == list(range(11))
    assert max(ledger.together) <= 4
