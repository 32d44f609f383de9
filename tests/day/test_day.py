"""Days of stock from seeds: no shop oversells by a writing of ours, and in the evening everything agrees.

Longer ones: make day ARGS="--seed 1 --seeds 20 --jobs 2".
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest


def play(seed: int, hash_seed: str) -> str:
    """A brief day in a process of its own; gives the digest of its story."""
    command = [sys.executable, "-m", "tests.day.run", "--seed", str(seed), "--brief"]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    played = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert played.returncode == 0, played.stdout + played.stderr
    (digest,) = re.findall(r"story (\w+)$", played.stdout, re.MULTILINE)
    return str(digest)


@pytest.mark.parametrize("seed", [4, 16])
def test_after_a_day_both_shops_show_what_is_there_and_every_document_is_in_the_books_once(seed: int) -> None:
    play(seed, "random")


def test_a_seed_tells_the_same_story_each_time() -> None:
    assert play(15, "1") == play(15, "2")
