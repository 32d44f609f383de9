"""Commands at their edges: wrong values, advice that must be true, questions before what sends."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.models import AuditEntry
from queue_store.secrets import password_fits
from tests.ops_console.conftest import Qbwoo

BAD_ADDRESSES = [
    *("nonsense", "qbwoo.example.com", "ftp://qbwoo.example.com", "https://", "https:///x", "https://?x"),
    *("https://qbwoo.example.com/a&b/", "https://qbwoo.example.com/?store=1", "https://qbwoo.example.com/#x"),
    *("https://qbwoo.example.com?", "https://qbwoo example.com", "https://qbwoo.example.com/a b"),
    *("https://qbwoo.example.com/a//b", "https://qbwoo.example.com/../x", "https://qbwoo.example.com/%41"),
    *("https://u:p@qbwoo.example.com", "https://qbwoo.example.com:0", "https://qbwoo.example.com:99999"),
    *("https://qbwoo..example.com", "https://-.example.com", "https://büro.example.com", "https://[::1"),
    *("https://qbwoo.example.com/" + "x" * 300, "https://" + "x" * 64 + ".example.com", ""),
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=range(len(BAD_ADDRESSES)))
def test_an_address_that_would_lead_nowhere_is_wrong_usage_wherever_it_is_typed(
    qbwoo: Qbwoo, add_store: Callable[..., str], address: str, tmp_path: Path
) -> None:
    add_store()
    said = qbwoo("qwc", "write", "Main", "--url", address, "-o", "main.qwc", code=2)
    assert "--url" in said.err
    assert len(said.err) < 400
    assert not (tmp_path / "main.qwc").exists()
    assert "--url" in qbwoo("store", "connect", "shop", "--url", address, code=2).err
    if address:
        assert "QBWOO_PUBLIC_URL" in qbwoo("company", "list", code=1, QBWOO_PUBLIC_URL=address).err


@pytest.mark.parametrize(
    "address",
    ["https://qbwoo.example.com:8443/shops/one", "https://QBWOO.example.com//", "http://localhost:8000"],
)
def test_an_address_with_port_and_plain_path_is_taken(qbwoo: Qbwoo, company: str, address: str) -> None:
    said = qbwoo("qwc", "write", company, "--url", address, "-o", "-")
    assert f"<AppURL>{address.rstrip('/')}/qbwc</AppURL>" in said.out


def test_a_backup_into_a_folder_that_is_not_there_names_the_folder(qbwoo: Qbwoo, tmp_path: Path) -> None:
    said = qbwoo("db", "backup", tmp_path / "none" / "backup.db", code=1).err
    assert said == f"There is no folder {tmp_path / 'none'}. Make it, or name a file in another one.\n"
    (tmp_path / "file").touch()
    assert "no folder" in qbwoo("db", "backup", tmp_path / "file" / "backup.db", code=1).err


def test_a_backup_replaces_no_device_or_pipe(qbwoo: Qbwoo, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no plain file" in qbwoo("db", "backup", tmp_path / "pipe", "--yes", code=1).err


@pytest.mark.parametrize(
    "url",
    [
        "shop.example.com",
        "ftp://shop.example.com",
        "http://127.0.0.1",
        "http://u:p@127.0.0.1",
        "https://",
        "",
    ],
)
def test_a_bad_address_of_a_store_is_wrong_usage(
    qbwoo: Qbwoo, company: str, tmp_path: Path, url: str
) -> None:
    (tmp_path / "secret").write_text("x\n")
    said = qbwoo(
        *("store", "add", "shop", "--company", company, "--url", url, "--consumer-key", "ck"),
        *("--consumer-secret-file", tmp_path / "secret", "--webhook-secret-file", tmp_path / "secret"),
        code=2,
        QBWOO_ALLOW_PRIVATE_STORES="false",
    )
    assert "--url" in said.err
    assert qbwoo("store", "list", "--json").data == []


def test_a_shop_may_be_entered_before_its_name_is_known_here(
    qbwoo: Qbwoo, company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_name(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    (tmp_path / "secret").write_text("x\n")
    said = qbwoo(
        *(
            "store",
            "add",
            "shop",
            "--company",
            company,
            "--url",
            "https://shop.invalid/",
            "--consumer-key",
            "ck",
        ),
        *("--consumer-secret-file", tmp_path / "secret", "--webhook-secret-file", tmp_path / "secret"),
        QBWOO_ALLOW_PRIVATE_STORES="false",
    )
    assert "names a host that is not known: shop.invalid. Check the spelling." in said.err
    assert [store["url"] for store in qbwoo("store", "list", "--json").data] == ["https://shop.invalid"]
    assert "shop.invalid" in qbwoo("store", "check", "shop", code=1).err


def test_going_live_always_asks_since_from_then_on_orders_flow(
    qbwoo: Qbwoo, add_store: Callable[..., str]
) -> None:
    add_store()
    said = qbwoo("store", "live", "shop", code=1, given="n\n").err
    assert "Customers and orders of store shop will flow to company Main. Go on?" in said
    assert "Add --yes" in qbwoo("store", "live", "shop", code=1, given="").err
    assert qbwoo("store", "list", "--json").data[0]["live"] == []
    assert "customers" in qbwoo("store", "live", "shop", "--only", "customers", given="y\n").out
    said = qbwoo("store", "live", "shop", "--only", "orders,reviews", code=2).err
    assert "reviews is not known" in said
    assert "Go on?" not in said
    qbwoo("store", "live", "none", "--yes", code=1)


UNFIT = ["", "   ", " x", "x ", "a\nb", "a\tb", "a\u200bb", "x" * 65]


@pytest.mark.parametrize("text", UNFIT)
def test_a_name_or_user_that_the_web_connector_could_not_use_is_wrong_usage(
    qbwoo: Qbwoo, tmp_path: Path, text: str
) -> None:
    (tmp_path / "pw").write_text("p\n")
    qbwoo("company", "add", text, "--username", "u", "--password-file", "pw", code=2)
    qbwoo("company", "add", "Main", "--username", text, "--password-file", "pw", code=2)
    assert qbwoo("company", "list", "--json").data == []


def test_a_name_may_hold_what_people_write(qbwoo: Qbwoo, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("p\n")
    name = "Zoë's / Läden & <Co> 汉"
    qbwoo("company", "add", name, "--username", "wc/ö", "--password-file", "pw", "--company-file", "C=1;D=ü")
    assert qbwoo("company", "list", "--json").data[0]["name"] == name
    assert "wc/&#246;" in qbwoo("qwc", "write", name, "--url", "https://q.example.com", "-o", "-").out
    for file in ("a\nb", "x" * 501):
        words = ("--username", "v", "--password-file", "pw", "--company-file", file)
        qbwoo("company", "add", "B", *words, code=2)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a\0b\n", b"\xff\xfea\0", b"\xef\xbb\xbf", b"x" * 256, b"a\x1bb"]
)
def test_a_password_that_nobody_can_type_is_wrong_usage(qbwoo: Qbwoo, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pw").write_bytes(content)
    said = qbwoo("company", "add", "Main", "--username", "u", "--password-file", "pw", code=2).err
    assert "password" in said


def test_the_mark_of_an_editor_is_no_part_of_a_password(
    qbwoo: Qbwoo, tmp_path: Path, console_database: Database
) -> None:
    (tmp_path / "pw").write_bytes("\ufeffpässwört\r\nnotes\n".encode())
    qbwoo("company", "add", "Main", "--username", "u", "--password-file", "pw")
    with console_database.read() as db:
        assert password_fits("pässwört", get_company(db, "Main").password_hash)


def test_a_key_or_address_longer_than_is_kept_is_wrong_usage(
    qbwoo: Qbwoo, company: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("x\n")
    good = {"--url": "http://127.0.0.1:9", "--consumer-key": "ck"}
    for bad in (
        {"--consumer-key": ""},
        {"--consumer-key": "x" * 201},
        {"--url": "http://127.0.0.1/" + "x" * 500},
    ):
        said = qbwoo(
            *("store", "add", "shop", "--company", company),
            *(word for pair in (good | bad).items() for word in pair),
            *("--consumer-secret-file", "secret", "--webhook-secret-file", "secret"),
            code=2,
        )
        assert len(said.err) < 300


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00", " "]
)
def test_a_moment_that_is_none_is_wrong_usage(
    qbwoo: Qbwoo, add_store: Callable[..., str], moment: str
) -> None:
    add_store()
    assert "--since" in qbwoo("push", "orders", "--store", "shop", "--since", moment, "--dry-run", code=2).err


@pytest.mark.parametrize("name", ["", "x" * 300], ids=["empty", "long"])
def test_a_name_that_no_file_can_have_is_wrong_usage(qbwoo: Qbwoo, company: str, name: str) -> None:
    qbwoo("db", "backup", name, code=2)
    qbwoo("qwc", "write", company, "--url", "https://qbwoo.example.com", "-o", name, code=2)
    qbwoo("sandbox", "pos", name, code=2)
    assert "no folder none" in qbwoo("sandbox", "pos", "none/company.pos", code=1).err


def test_a_mapping_is_replaced_only_by_a_person_who_knows_it(qbwoo: Qbwoo, company: str) -> None:
    qbwoo("mapping", "set", "item", "TS-RED", "7")
    qbwoo("mapping", "set", "item", "ts-red ", "7")
    said = qbwoo("mapping", "set", "item", "ts-red", "8", code=1, given="n\n").err
    assert "is 7 now. Replace it?" in said
    assert [row["list_id"] for row in qbwoo("mapping", "list", "--json").data] == ["7"]
    qbwoo("mapping", "set", "item", "ts-red", "8", "--yes")
    assert [row["list_id"] for row in qbwoo("mapping", "list", "--json").data] == ["8"]


def test_a_host_that_is_not_known_is_one_sentence(qbwoo: Qbwoo) -> None:
    said = qbwoo("serve", "--host", "", "--port", "0", code=1).err
    assert said.splitlines()[-1].startswith("Cannot listen at ")
    assert ".." not in said


@pytest.mark.parametrize(
    "words",
    [
        *(("db", "upgrade"), ("db", "check"), ("db", "backup", "copy.db"), ("check",), ("company", "list")),
        *(("serve", "--port", "0"), ("worker", "--once")),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    "content", [b"no database at all, but some text\n" * 50, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_database_is_a_sentence(
    qbwoo: Qbwoo, tmp_path: Path, words: tuple[str, ...], content: bytes
) -> None:
    (tmp_path / "notes.txt").write_bytes(content)
    said = qbwoo(*words, code=1, QBWOO_DATABASE_URL=f"sqlite:///{tmp_path / 'notes.txt'}")
    assert "not a database" in said.out + said.err
    assert (tmp_path / "notes.txt").read_bytes() == content


def test_a_key_file_that_holds_no_key_is_a_problem_before_it_is_needed(qbwoo: Qbwoo, data_dir: Path) -> None:
    (data_dir / "secret.key").write_text("short\n")
    said = qbwoo("check", code=1)
    assert "holds no key" in said.out
    assert "short" not in said.out


def test_the_account_and_the_company_file_can_be_corrected(
    qbwoo: Qbwoo, company: str, tmp_path: Path, console_database: Database
) -> None:
    (tmp_path / "new").write_text("another password\n")
    said = qbwoo("company", "change", company, "--company-file", "Company Data=Other", "--json")
    assert said.data["company_file"] == "Company Data=Other"
    assert "Type the new password" in qbwoo("company", "change", company, "--password-file", "new").err
    assert "qbwoo qwc write Main" in qbwoo("company", "change", company, "--username", "till").err
    with console_database.read() as db:
        found = get_company(db, company)
        assert (found.username, found.company_file) == ("till", "Company Data=Other")
        assert password_fits("another password", found.password_hash)
        noted = [(entry.what, entry.before, entry.after) for entry in db.query(AuditEntry)]
    assert noted == [
        ("company: company file", "", "Company Data=Other"),
        ("company: password", "", ""),
        ("company: username", "connector", "till"),
    ]
    assert qbwoo("company", "change", company, "--company-file", "", "--json").data["company_file"] == ""


def test_a_correction_is_checked_as_a_new_company_is(qbwoo: Qbwoo, company: str, tmp_path: Path) -> None:
    qbwoo("company", "add", "B", "--username", "b", "--password-file", tmp_path / "password")
    qbwoo("company", "change", "B", code=2)
    qbwoo("company", "change", "B", "--username", "", code=2)
    qbwoo("company", "change", "B", "--company-file", "x" * 501, code=2)
    assert "already" in qbwoo("company", "change", "B", "--username", "connector", code=1).err
    qbwoo("company", "change", "B", "--username", "b")
    qbwoo("company", "change", "C", "--username", "c", code=1)
