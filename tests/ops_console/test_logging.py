"""Log lines: one event, one line, no secret."""

from __future__ import annotations

import logging
import sys

import pytest

from ops_console.logging import OneLine, redact


def test_an_event_with_a_traceback_is_one_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed:\n%s", ("a\nb",), sys.exc_info())
    line = OneLine().format(record)
    assert "\n" not in line
    assert "ERROR x: failed: | a | b | Traceback" in line
    assert line.endswith("ValueError: first | second")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgresql://qbwoo:hunter2@db/x", "postgresql://qbwoo:***@db/x"),
        (
            "GET /orders?consumer_key=ck_1&consumer_secret=cs_2 HTTP",
            "GET /orders?consumer_key=***&consumer_secret=*** HTTP",
        ),
        ("key ck_0123456789abcdef01", "key ck_***"),
        ("<strPassword>hunter2</strPassword>", "<strPassword>***</strPassword>"),
        ("{'password': 'hunter2'}", "{'password': '***'}"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: Basic ***"),
        ("activity 12 of order 7 was sent", "activity 12 of order 7 was sent"),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(given: str, kept: str) -> None:
    assert redact(given) == kept
