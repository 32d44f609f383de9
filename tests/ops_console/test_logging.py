"""Log lines: one event, one line, no secret."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from ops_console.logging import OneLine, OneObject, redact
from queue_store.log_context import about, known, noting


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


def test_a_record_says_what_it_is_about_as_text_and_as_json() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, __file__, 1, 'exchange 7: {"password": "hunter2"}\nb', (), None
    )
    with about(company="Main", session=12):
        with about(exchange=7):
            noting(activity=99)
            line, found = OneLine().format(record), json.loads(OneObject().format(record))
        assert "activity" not in OneLine().format(record)
    assert line.endswith("(company=Main session=12 exchange=7 activity=99)")
    assert "hunter2" not in line + json.dumps(found)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "INFO",
        "logger": "x",
        "message": 'exchange 7: {"password": "***"}\nb',
        "company": "Main",
        "session": "12",
        "exchange": "7",
        "activity": "99",
    }
    assert "company" not in OneLine().format(record)


def test_a_failure_is_one_object_in_one_line_with_its_traceback() -> None:
    try:
        raise ValueError("secret=hunter2\nsecond")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    line = OneObject().format(record)
    assert "\n" not in line
    assert "hunter2" not in line
    assert "Traceback" in json.loads(line)["exc_info"]


def test_outside_of_any_work_nothing_is_noted() -> None:
    noting(activity=1)
    assert known() == {}
