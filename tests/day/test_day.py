"""Days of stock from seeds: no shop oversells by a writing of ours, and in the evening everything agrees.

Longer ones: make day ARGS="--seed 1 --seeds 20"
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.day.plot import TINY
from tests.day.run import play


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """What goes wrong here is meant to."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_after_a_day_both_shops_show_what_is_there_and_every_document_is_in_the_books_once(seed: int) -> None:
    report = play(seed, TINY)
    assert report.looks > 100
    assert not report.broken, "\n".join(
        [f"replay: python -m tests.day.run --seed {seed} --tiny --verbose", *report.broken[:12]]
    )
