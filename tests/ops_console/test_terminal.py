"""Text of strangers on the operator's terminal: a shopper's name, a message of QuickBooks, a host's answer."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import select

from ops_console.logging import set_up_logging
from ops_console.terminal import visible
from qbwc_service.preparing import prepare_pending
from queue_store.database import Database
from queue_store.models import QbwcSession
from queue_store.secrets import SecretBox
from tests.conftest import SECRET_KEY
from tests.harness import House, make_house, numbered, recorded_order
from tests.ops_console.conftest import Qbwoo, Said

#: Colour, cleared screen, window title, a link that hides where it goes, C1, turned direction, and rich's own markup.
NASTY = "\x1b[31mX\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x07a\x9b1m\u202egnp\u2028 [red]r[/] [link=http://evil.example]l[/link]"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def nasty_house(console_database: Database, box: SecretBox) -> House:
    """A queue in which every text that a stranger writes steers terminals."""
    house = make_house(console_database, box)
    house.pos.refuse_when = lambda request: (3000, NASTY) if request.tag == "SalesReceiptAddRq" else None
    order = numbered(recorded_order("plain"), 501, customer_note=NASTY)
    order["billing"] |= {"first_name": NASTY, "last_name": NASTY, "address_1": NASTY}
    order["line_items"][0] |= {"name": NASTY, "sku": "\x1b[1mSKU"}
    house.take(order)
    house.take(numbered(recorded_order("plain"), 502, currency="EUR", number=NASTY))
    prepare_pending(console_database)
    house.run()
    house.take(numbered(recorded_order("plain"), 503))
    prepare_pending(console_database)
    ticket, _ = house.begin()
    house.conversation.send_request_xml(ticket, "", NASTY, "US", 3, 0)
    house.conversation.receive_response_xml(ticket, "", "0x80040400", NASTY)
    return house


@pytest.fixture
def say(qbwoo: Qbwoo, nasty_house: House) -> Callable[..., Said]:
    return lambda *words: qbwoo(*words, QBWOO_SECRET_KEY=SECRET_KEY)


def test_no_command_lets_a_strangers_text_steer_the_terminal(say: Callable[..., Said]) -> None:
    activities = say("activity", "list", "--json").data
    sessions = say("session", "list", "--json").data
    said = [
        say(*words, *form)
        for words in (
            *(
                ("activity", "list"),
                ("session", "list"),
                ("task", "list"),
                ("mapping", "list"),
                ("company", "list"),
            ),
            *(("activity", "show", one["id"]) for one in activities),
            *(("session", "show", one["id"]) for one in sessions),
            ("store", "list"),
        )
        for form in ((), ("--json",))
    ]
    text = "".join(one.out + one.err for one in said)
    assert "\\x1b[31mX" in text
    assert "\\u202e" in text
    assert not STEERING.findall(text)
    # What is JSON stays JSON, with the very text.
    shown = [json.loads(one.out) for one in said[1::2] if one.out]
    assert any("\u202e" in json.dumps(one, ensure_ascii=False) for one in shown)


def test_a_table_on_a_terminal_takes_brackets_as_brackets(nasty_house: House, data_dir: Path) -> None:
    with nasty_house.database.read() as db:
        session_id = db.scalars(select(QbwcSession.id).order_by(QbwcSession.id.desc())).first()
    command = [
        sys.executable,
        "-c",
        "from ops_console.cli import main; main()",
        "session",
        "show",
        str(session_id),
    ]
    master, slave = pty.openpty()
    env = {
        "PATH": os.environ["PATH"],
        "QBWOO_DATA_DIR": str(data_dir),
        "QBWOO_SECRET_KEY": SECRET_KEY,
        "COLUMNS": "400",
        "TERM": "xterm-256color",
    }
    with subprocess.Popen(command, stdout=slave, stderr=slave, env=env) as process:
        os.close(slave)
        written = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            written += piece
        process.wait(60)
    os.close(master)
    text = written.decode()
    assert "[red]r[/]" in text
    assert "\\x1b[31mX" in text
    assert "\x1b]" not in text
    assert "\x1b[31m" not in text
    assert "\u202e" not in text


def test_a_line_of_the_log_does_not_steer_either(nasty_house: House) -> None:
    stream = StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    set_up_logging("INFO", stream)
    nasty_house.conversation.authenticate(NASTY, NASTY, NASTY)
    ticket, _ = nasty_house.begin()
    nasty_house.send(ticket)
    nasty_house.conversation.receive_response_xml(ticket, "", NASTY, NASTY)
    root.handlers[:] = before
    root.setLevel(level)
    lines = stream.getvalue()
    assert "owned" in lines
    assert not STEERING.findall(lines)


def test_ordinary_text_of_any_language_stays_as_it_is() -> None:
    for text in ("Zoë's / Läden & <Co> 汉字", "שלום", "a\tb\nc", "😀 é", ""):
        assert visible(text) == text
    assert visible("a\r\x1b\u202e\udc80") == "a\\x0d\\x1b\\u202e\\udc80"
