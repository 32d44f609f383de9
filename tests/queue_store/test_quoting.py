"""Names of people's own in commands."""

from __future__ import annotations

import shlex

import pytest

from queue_store.quoting import quoted


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("books", "books"),
        ("Main Street", '"Main Street"'),
        ("Joe's & Sons", '"Joe\'s & Sons"'),
        ("50% $hop", "'50% $hop'"),
        ("", '""'),
    ],
)
def test_a_name_is_one_word_of_a_command(name: str, expected: str) -> None:
    assert quoted(name) == expected
    assert shlex.split(quoted(name)) == [name]
