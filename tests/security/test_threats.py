"""Attacks that belong to no single part; `docs/security.md` says which threat each is about."""

from __future__ import annotations

import base64
import hmac
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from qbxml.errors import MalformedResponse
from qbxml.reader import read_response
from queue_store.companies import add_company, add_store, get_company
from queue_store.database import Database
from queue_store.models import Activity, KeptBody, QbwcSession
from queue_store.secrets import SecretBox, new_ticket, ticket_digest
from tests.harness import House, make_house, numbered, recorded_order
from woo_bridge.endpoint import WebhookEndpoint

ROOT = Path(__file__).parents[2]
OTHER_SECRET = "the other store's webhook secret"


@pytest.fixture
def house(sqlite_database: Database, box: SecretBox) -> House:
    """Two companies with a store each, of which "books" has an order to send."""
    house = make_house(sqlite_database, box)
    with sqlite_database.write() as db:
        other = add_company(
            db, name="other", flavour="pos", username="stranger", password="his own password", company_file=""
        )
        add_store(
            db,
            box,
            company=other,
            name="second",
            url="https://second.example",
            consumer_key="ck_other",
            consumer_secret="cs_other",
            webhook_secret=OTHER_SECRET,
        )
    return house


Post = Callable[..., int]


@pytest.fixture
def post(house: House, box: SecretBox) -> Post:
    """Posts a body to the store "main", signed with a secret; gives the status."""
    endpoint = WebhookEndpoint(house.database, box)

    def deliver(body: bytes, secret: str = "whsec", topic: str = "order.updated", store: str = "main") -> int:
        from io import BytesIO

        answer = endpoint.answer(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": f"/webhooks/woocommerce/{store}",
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": "application/json",
                "HTTP_X_WC_WEBHOOK_TOPIC": topic,
                "HTTP_X_WC_WEBHOOK_SIGNATURE": base64.b64encode(
                    hmac.digest(secret.encode(), body, "sha256")
                ).decode(),
                "wsgi.input": BytesIO(body),
            }
        )
        return int(answer.status.split()[0])

    return deliver


def test_a_ticket_is_128_random_bits_of_which_only_a_digest_is_kept(house: House) -> None:
    tickets = {new_ticket() for _ in range(2000)}
    assert len(tickets) == 2000
    assert all(re.fullmatch(r"\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", ticket) for ticket in tickets)
    # Every place takes every digit: no version, no clock, no counter.
    digits = [ticket.strip("{}").replace("-", "") for ticket in tickets]
    assert all(len({one[place] for one in digits}) == 16 for place in range(32))
    house.take(recorded_order("plain"))
    ticket, _ = house.begin()
    house.send(ticket)
    with house.database.read() as db:
        assert db.scalars(select(QbwcSession.ticket_hash)).all() == [ticket_digest(ticket)]
    stored = b"".join(
        path.read_bytes() for path in Path(house.database.engine.url.database or "").parent.glob("qbwoo.db*")
    )
    assert ticket.encode() not in stored
    assert ticket.strip("{}").encode() not in stored


def test_a_ticket_of_one_company_opens_nothing_of_another(house: House) -> None:
    house.take(recorded_order("plain"))
    with house.database.write() as db:
        other = get_company(db, "other").id
        db.add(
            Activity(
                company_id=other, kind="sale", record_id="1", state="failed", payload=b"{}", sentence="x"
            )
        )
    ours, _ = house.begin()
    request = house.send(ours)
    theirs, says = house.conversation.authenticate("stranger", "his own password", "127.0.0.1")[:2]
    assert says == "none"
    assert house.send(theirs) == ""
    for ticket in (
        theirs,
        ours.upper(),
        ours[:-1],
        ours + "}",
        ours.strip("{}"),
        "",
        "%",
        "{" + "0" * 36 + "}",
    ):
        assert house.conversation.receive_response_xml(ticket, "<QBPOSXML/>", "", "") == -1
        assert house.send(ticket) == ""
        assert request not in house.conversation.get_last_error(ticket)
    with house.database.read() as db:
        companies = {one.company_id for one in db.scalars(select(QbwcSession))}
    assert other not in companies


def test_the_secret_of_one_store_signs_nothing_for_another(house: House, post: Post) -> None:
    body = json.dumps(recorded_order("plain")).encode()
    assert post(body, secret=OTHER_SECRET) == 401
    assert post(body, store="second") == 401
    assert house.activities(None) == []


def test_old_states_come_again_and_doubled_in_any_order_and_the_newest_stays(
    house: House, post: Post
) -> None:
    """A recorded delivery may be sent again by whoever has it: it is rightly signed for ever."""
    states = [
        numbered(
            recorded_order("plain"),
            501,
            date_modified_gmt=f"2026-11-2{day}T10:00:0{second}",
            customer_note=f"{day}{second}",
        )
        for day in (3, 4)
        for second in (1, 2)
    ]
    bodies = [json.dumps(state).encode() for state in states]
    rng = Random(1)
    for _ in range(6):
        mixed = bodies * 2
        rng.shuffle(mixed)
        assert {post(body) for body in mixed} == {200}
        (sale,) = house.activities()
        assert b'"42"' in sale.payload
    house.run_until_quiet()
    assert len(house.our_receipts()) == 1
    assert {post(body) for body in bodies} == {200}
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert len(house.our_receipts()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"id":' + b"9" * 100_000 + b"}",
        b'{"id":1e999999999}',
        b'{"id":-0.' + b"0" * 100_000 + b"1}",
        b'{"line_items":[' + b"{}," * 400_000 + b"{}]}",
        b'{"id":"' + b"\\u0041" * 300_000 + b'"}',
        b'{"id": 5, "meta_data": ' + b'[{"key":"a","value":' * 50_000 + b"1" + b"}]" * 50_000 + b"}",
        b" " * 9_999_990 + b"{}",
    ],
    ids=[
        "lists",
        "objects",
        "digits",
        "exponent",
        "fraction",
        "many",
        "escapes",
        "in what is passed over",
        "spaces",
    ],
)
def test_a_json_bomb_is_refused_or_kept_and_no_fault_of_ours(
    house: House, post: Post, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert post(body) in (200, 400)
    assert not [record for record in caplog.records if record.exc_info]
    with house.database.read() as db:
        kept = db.scalars(select(KeptBody)).all()
        assert all(len(one.body) <= 1_000_000 for one in kept)


def test_of_a_doubled_key_every_reader_here_takes_the_same(house: House, post: Post) -> None:
    """Else a check would look at one value and the books get the other."""
    order = json.dumps(numbered(recorded_order("plain"), 501))
    doubled = (
        order[:-1]
        + ', "id": 777, "id": 501, "total": "1.00", "total": '
        + json.dumps(recorded_order("plain")["total"])
        + "}"
    )
    assert post(doubled.encode()) == 200
    (sale,) = house.activities()
    assert (sale.record_id, sale.reference) == ("501", "501")
    house.run_until_quiet()
    assert [str(total) for total in house.totals()] == [recorded_order("plain")["total"]]


_SET = '<QBPOSXML><QBPOSXMLMsgsRs><CustomerQueryRs requestID="1" statusCode="0">{}</CustomerQueryRs></QBPOSXMLMsgsRs></QBPOSXML>'


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + _SET.format("&b;"),
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + _SET.format(""),
        '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]>' + _SET.format("&x;"),
        _SET.format("&x;"),
        _SET.format("<a>" * 50_000 + "</a>" * 50_000),
        _SET.format('<CustomerRet a="' + "x" * 11_000_000 + '"/>'),
        _SET.format("<CustomerRet>" + "x" * 11_000_000 + "</CustomerRet>"),
        "<?xml version='1.0'?><!--" + "-" * 100 + ">",
    ],
    ids=["entities", "external", "network", "unknown", "deep", "attribute", "text", "comment"],
)
def test_an_xml_bomb_in_an_answer_is_refused(text: str) -> None:
    with pytest.raises(MalformedResponse):
        read_response(text)


def test_every_dependency_is_bounded_and_the_one_we_replace_parts_of_is_pinned() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for wanted in project["dependencies"] + project["optional-dependencies"]["dev"]:
        assert re.search(r"[>=]=\d", wanted), wanted
        assert "@" not in wanted
        assert "://" not in wanted
    assert [one for one in project["dependencies"] if one.startswith("spyne")] == ["spyne==2.14.0"]
