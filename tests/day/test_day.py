"""Days of stock from seeds: no shop oversells by a writing of ours, and in the evening everything agrees.

Longer ones: make day ARGS="--seed 1 --seeds 20". Each by the command, in a process
of its own, so that a seed tells the same story as there.
"""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("seed", [2, 3, 5])
def test_after_a_day_both_shops_show_what_is_there_and_every_document_is_in_the_books_once(seed: int) -> None:
    command = [sys.executable, "-m", "tests.day.run", "--seed", str(seed), "--tiny"]
    played = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
