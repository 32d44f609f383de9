"""How alerts leave: over real SMTP and real HTTP."""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ops_console.alerts.mail import MailServer
from ops_console.alerts.message import Message, compose
from ops_console.alerts.post import Poster
from ops_console.errors import NotTold
from queue_store.models import Alert
from tests.receiving import PASSWORD, USER, certificate, mail_server, receiver

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TO = ("ann@example.net", "bob@example.net")


def alert(number: int = 1, sentence: str = "Order 1207: QuickBooks refused it.", over: bool = False) -> Alert:
    return Alert(
        id=number,
        company_id=1,
        cause=f"failed {number}",
        topic="failed",
        sentence=sentence,
        opened_at=NOW,
        closed_at=NOW if over else None,
    )


def message(opened: Sequence[Alert] = (), closed: Sequence[Alert] = ()) -> Message:
    return compose(77, "Main", {"opened": opened or [alert()], "closed": closed}, NOW)


# What is said ---------------------------------------------------------------


def test_one_cause_is_the_subject_and_many_are_counted() -> None:
    assert message().subject == "[qbwoo] Main: Order 1207: QuickBooks refused it."
    many = message([alert(1), alert(2)], [alert(3, over=True)])
    assert many.subject == "[qbwoo] Main: 2 new, 1 over"
    assert "Over:\n- Order 1207: QuickBooks refused it. (It was so from 2026-03-04 05:06 UTC" in many.text


def test_of_five_hundred_causes_the_first_are_written_out_and_the_rest_is_counted() -> None:
    found = message([alert(number) for number in range(500)])
    assert found.text.count("Order 1207") == 25
    assert "- and 475 more" in found.text
    assert (len(found.facts["opened"]), found.facts["counts"]["opened"]) == (25, 500)


def test_what_a_shop_sent_is_neither_a_line_nor_a_header_of_a_message_and_shows_no_secret() -> None:
    evil = "Order 7\r\nBcc: all@example.com\r\n\r\nNew:\n- lies \x1b[2J password=hunter2hunter2"
    found = message([alert(sentence=evil)])
    assert "\n" not in found.subject
    assert "\r" not in found.subject
    assert "\nBcc" not in found.text
    assert "\x1b" not in found.text
    assert "hunter2" not in found.text + found.as_json().decode()


# Mail -----------------------------------------------------------------------


def test_a_mail_goes_to_all_with_an_id_that_stays_the_same() -> None:
    with mail_server() as box:
        server = MailServer("127.0.0.1", "qbwoo@example.net", box.port, "none")
        assert server.send(message(), TO) == ""
        assert server.send(message(), TO) == ""
    first, second = box.mails
    assert first["To"] == ", ".join(TO)
    assert first["Message-ID"] == second["Message-ID"] == "<qbwoo-77@example.net>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert "Order 1207: QuickBooks refused it." in first.get_content()


def test_a_mail_in_other_letters_arrives_as_it_was(tmp_path: Path) -> None:
    sentence = "Bestellung Nr. 7, Müller & Söhne, 東京: abgelehnt."
    with mail_server() as box:
        MailServer("127.0.0.1", "qbwoo@example.net", box.port, "none").send(
            message([alert(sentence=sentence)]), TO
        )
    assert sentence in box.texts()[0]
    assert box.subjects() == [f"[qbwoo] Main: {sentence}"]


def test_starttls_and_a_login_are_used_and_the_certificate_is_checked(tmp_path: Path) -> None:
    shown, trusted = certificate(tmp_path)
    with mail_server(shown) as box:
        server = MailServer("localhost", "q@example.net", box.port, "starttls", USER, PASSWORD, trusted)
        server.send(message(), TO)
        assert (len(box.mails), box.logins) == (1, 1)
        strict = MailServer("localhost", "q@example.net", box.port, "starttls", USER, PASSWORD)
        with pytest.raises(NotTold, match="certificate verify failed"):
            strict.send(message(), TO)
        wrong = MailServer("localhost", "q@example.net", box.port, "starttls", USER, "another", trusted)
        with pytest.raises(NotTold, match="does not take the user or the password") as refused:
            wrong.send(message(), TO)
        assert "another" not in str(refused.value)
        assert PASSWORD not in repr(server)
    assert len(box.mails) == 1


def test_a_server_without_starttls_gets_no_password(tmp_path: Path) -> None:
    with mail_server() as box:
        server = MailServer("127.0.0.1", "q@example.net", box.port, "starttls", USER, PASSWORD)
        with pytest.raises(NotTold, match="cannot do what is asked of it: STARTTLS"):
            server.send(message(), TO)
    plain = MailServer("mail.example.net", "q@example.net", 25, "none", USER, PASSWORD)
    with pytest.raises(NotTold, match="for all to read"):
        plain.send(message(), TO)


def test_addresses_that_are_refused_are_named_and_the_others_get_it() -> None:
    with mail_server() as box:
        server = MailServer("127.0.0.1", "qbwoo@example.net", box.port, "none")
        box.refuse_recipients = TO[1:]
        assert server.send(message(), TO) == "The mail server takes no mail for bob@example.net."
        box.refuse_recipients = TO
        with pytest.raises(NotTold, match=r"takes no mail for ann@example\.net, bob@example\.net"):
            server.send(message(), TO)
        box.refuse_recipients, box.refuse_data = (), "452 mailbox full"
        with pytest.raises(NotTold, match="answered 452 mailbox full"):
            server.send(message(), TO)
    assert len(box.mails) == 1


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer("127.0.0.1", "q@example.net", silent.getsockname()[1], "none", seconds=0.05)
        with pytest.raises(NotTold, match="cannot be reached"):
            server.send(message(), TO)


# POST -----------------------------------------------------------------------


def test_a_post_carries_the_facts_and_is_signed_over_its_raw_body() -> None:
    with receiver() as found:
        Poster("a secret that signs", allow_private=True).send(message(), found.url)
    ((headers, body),) = found.posts
    facts = json.loads(body)
    assert facts["company"] == "Main"
    assert facts["opened"][0]["cause"] == "failed 1"
    assert facts["opened"][0]["opened_at"] == "2026-03-04T05:06:07Z"
    assert "Order 1207" in facts["text"]
    assert headers["x-qbwoo-delivery"] == facts["id"] == "77"
    wanted = hmac.new(b"a secret that signs", body, "sha256").hexdigest()
    assert headers["x-qbwoo-signature"] == f"sha256={wanted}"


def test_without_a_secret_nothing_is_signed() -> None:
    with receiver() as found:
        Poster(allow_private=True).send(message(), found.url)
    assert "x-qbwoo-signature" not in found.posts[0][0]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://localhost:9/x", "http://[::1]:9/"])
def test_no_address_of_a_private_network_is_posted_to_unless_that_is_allowed(url: str) -> None:
    with pytest.raises(NotTold, match="an address of a private network"):
        Poster().send(message(), url)


def test_a_post_goes_to_the_address_that_was_looked_at_and_to_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who rules a name may answer the look with a public address and the call with one inside."""
    tried: list[str] = []

    def getaddrinfo(_host: Any, port: Any, *_rest: Any, **_named: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]

    def connect(address: tuple[str, int], *_rest: Any, **_named: Any) -> socket.socket:
        tried.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(NotTold, match=r"alerts\.example cannot be reached"):
        Poster().send(message(), "https://alerts.example/hook")
    assert tried == ["93.184.216.34"]


def test_a_redirect_is_not_followed_and_the_address_is_in_no_sentence() -> None:
    with receiver() as found, receiver() as other:
        found.status, found.headers = "302 Found", [("Location", other.url)]
        with pytest.raises(NotTold, match="answered 302") as refused:
            Poster(allow_private=True).send(message(), found.url)
        assert "s3cret" not in str(refused.value)
    assert (len(found.posts), other.posts) == (1, [])
    with pytest.raises(NotTold, match="cannot be reached") as gone:
        Poster(allow_private=True).send(message(), found.url)
    assert "s3cret" not in str(gone.value)
