"""A .qwc file that the Web Connector takes, or a list of all that it would refuse."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import etree

from ops_sandbox.web_connector import QwcFile
from qbwc_service.guard import Guard
from qbwc_service.qwc import QwcInvalid, render_qwc
from qbwc_service.support import make_support_app
from qbwc_service.wsdl import service_wsdl
from tests.serving import serving

OWNER = "{5E7B1C3A-6C1D-4F6B-9D52-0B8C2C7E4A11}"
FILE = "{0d0f5c86-21b4-4b1e-8a5c-9f3e7a6d2b43}"


def rendered(**changes: Any) -> bytes:
    values: dict[str, Any] = {
        "app_name": "Shop Sync",
        "app_url": "https://shop.example/qbwc",
        "support_url": "https://shop.example/qbwc/support",
        "username": "store-1",
        "owner_guid": OWNER,
        "file_guid": FILE,
        "qb_type": "QBPOS",
        "every_minutes": 5,
        "description": "Web shop to QuickBooks",
    }
    return render_qwc(**{**values, **changes})


def problems(**changes: Any) -> tuple[str, ...]:
    with pytest.raises(QwcInvalid) as caught:
        rendered(**changes)
    for problem in caught.value.problems:
        assert problem in str(caught.value)
    return caught.value.problems


@pytest.mark.parametrize("qb_type", ["QBPOS", "QBFS"])
def test_the_web_connector_takes_the_file(qb_type):
    qwc = QwcFile.parse(rendered(qb_type=qb_type))
    assert (qwc.app_name, qwc.app_url) == ("Shop Sync", "https://shop.example/qbwc")
    assert (qwc.app_support, qwc.user_name) == ("https://shop.example/qbwc/support", "store-1")
    assert (qwc.owner_id, qwc.file_id, qwc.qb_type) == (OWNER, FILE, qb_type)
    assert (qwc.app_id, qwc.run_every_seconds) == ("", 300)
    assert qwc.remarks == ()


def test_only_desktop_gets_what_only_desktop_knows():
    pos, desktop = (
        {element.tag: element.text for element in etree.fromstring(rendered(qb_type=kind))}
        for kind in ("QBPOS", "QBFS")
    )
    assert desktop["AuthFlags"] == "0xF"
    assert desktop["UnattendedModePref"] == "umpRequired"
    assert "AuthFlags" not in pos
    # The Web Connector itself writes into the company: read-only made it fail when adding.
    assert "IsReadOnly" not in {*pos, *desktop}


def test_the_same_values_give_the_same_bytes_and_nothing_before_the_declaration():
    assert rendered() == rendered()
    assert rendered().startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<QBWCXML>')
    assert b"<!--" not in rendered()


def test_values_are_escaped_and_come_back_whole():
    name, url = "Jürgen & Söhne <Shop> 汉", "https://shop.example/qbwc?a=1&b=2"
    data = rendered(app_name=name, app_url=url)
    assert data.isascii()
    assert b"a=1&amp;b=2" in data
    assert (QwcFile.parse(data).app_name, QwcFile.parse(data).app_url) == (name, url)


def test_optional_elements_are_there_only_with_a_value():
    assert b"AppUniqueName" not in rendered()
    data = rendered(unique_name="Shop Sync 1", display_name="Shop", app_id="7")
    for part in (b"<AppUniqueName>Shop Sync 1<", b"<AppDisplayName>Shop<", b"<AppID>7<"):
        assert part in data


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"app_url": "http://shop.example/qbwc"}, "AppURL begins with http:// .*QBWC1010.* Use https."),
        ({"support_url": "http://shop.example/s"}, "AppSupport begins with http://"),
        (
            {"app_url": "https://203.0.113.7/qbwc", "support_url": "https://203.0.113.7/"},
            "IP address.*QBWC1001",
        ),
        ({"app_url": "https://[2001:db8::1]/q", "support_url": "https://[2001:db8::1]/"}, "IP address"),
        ({"app_url": "https://3405803783/q", "support_url": "https://3405803783/"}, "IP address"),
        ({"support_url": "https://www.shop.example/s"}, "QBWC1000.*same host"),
        ({"app_url": "https://u:p@shop.example/qbwc"}, "no user name"),
        ({"app_url": "https://shop.example/qbwc#a"}, "no '#'"),
        ({"app_url": "shop.example/qbwc"}, "is no URL"),
        ({"app_url": "ftp://shop.example/qbwc"}, "is no URL"),
        ({"app_url": "https:///qbwc"}, "is no URL"),
        ({"app_url": "https://shop.example:x/qbwc"}, "is no URL"),
        ({"app_url": "https://shop.example/qb wc"}, "is no URL"),
        ({"owner_guid": OWNER.strip("{}")}, "OwnerID is .* GUID in braces"),
        ({"file_guid": "{12}"}, "FileID is .* GUID in braces"),
        ({"description": "x" * 81}, "AppDescription has 81 characters"),
        ({"app_name": " "}, "AppName is empty"),
        ({"username": ""}, "UserName is empty"),
        ({"username": "store-1 "}, "UserName begins or ends with a blank"),
        ({"app_name": "Shop\nSync"}, "AppName has a line break"),
        ({"app_name": "Shop\x00Sync"}, "AppName has a line break or another control character"),
        ({"qb_type": "QBX"}, "QBType is 'QBX'"),
        ({"every_minutes": 0}, "RunEveryNMinutes is 0"),
        ({"every_minutes": 2.5}, "RunEveryNMinutes is 2.5"),
        ({"every_minutes": True}, "RunEveryNMinutes is True"),
    ],
)
def test_what_the_web_connector_would_refuse_is_refused_here(changes, sentence):
    found = problems(**changes)
    assert any(re.search(sentence, problem) for problem in found), found


def test_everything_wrong_is_told_at_once():
    found = problems(
        app_name="",
        app_url="http://192.0.2.1/qbwc",
        support_url="https://shop.example/s",
        owner_guid="1",
        file_guid="2",
        qb_type="QBX",
        every_minutes=0,
        description="x" * 100,
    )
    assert len(found) == 9
    assert len(set(found)) == 9


def test_what_just_fits_is_taken():
    rendered(description="x" * 80, every_minutes=1)
    rendered(app_url="https://Shop.Example:8443/qbwc", support_url="https://shop.example/qbwc/support")
    for port in ("", ":8000"):
        rendered(app_url=f"http://localhost{port}/qbwc", support_url=f"http://localhost{port}/s")


def test_a_rehearsal_over_plain_http_says_so_in_the_name():
    local = {"app_url": "http://127.0.0.1:8000/qbwc", "support_url": "http://127.0.0.1:8000/qbwc/support"}
    assert len(problems(**local)) == 4
    data = rendered(**local, allow_plain_http=True)
    qwc = QwcFile.parse(data, allow_plain_http=True)
    assert qwc.app_name == "Shop Sync (rehearsal over plain http)"


def test_a_rehearsal_lets_no_other_machine_pass():
    away = {"app_url": "http://shop.example/qbwc", "support_url": "http://shop.example/s"}
    assert len(problems(**away, allow_plain_http=True)) == 2


def test_the_web_connectors_checks_of_both_urls_pass():
    service = Guard(lambda environ, start_response: [], wsdl=service_wsdl)  # nobody calls, all just look
    support = make_support_app()

    def app(environ, start_response):
        wanted = support if environ["PATH_INFO"].endswith("/support") else service
        return wanted(environ, start_response)

    with serving(app, threads=1) as port:
        base = f"http://127.0.0.1:{port}/qbwc"
        data = rendered(app_url=base, support_url=f"{base}/support", allow_plain_http=True)
        QwcFile.parse(data, allow_plain_http=True).add_checks()
