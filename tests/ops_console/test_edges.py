"""Commands at their edges: wrong values, advice that must be true, questions before what sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
