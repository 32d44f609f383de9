"""The .qwc file: what the Web Connector refuses, and with which code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops_sandbox.web_connector import QwcFile, QwcRefused

URL = "https://shop.example/qbwc"
SUPPORT = "https://shop.example/qbwc/support"


@pytest.fixture
def parse(say):
    def parse(url=URL, support=SUPPORT, *, allow_plain_http=False, **changes):
        text = say.qwc(url, support, **changes)
        return QwcFile.parse(text.encode(), allow_plain_http=allow_plain_http)

    return parse


def test_a_full_file_is_read_element_by_element(parse):
    qwc = parse(Scheduler="<RunEveryNMinutes>5</RunEveryNMinutes>", CertURL="https://shop.example/")
    assert (qwc.app_name, qwc.app_id, qwc.app_url, qwc.app_support) == ("Shop Sync", "", URL, SUPPORT)
    assert (qwc.user_name, qwc.qb_type, qwc.cert_url) == ("store-1", "QBFS", "https://shop.example/")
    assert qwc.owner_id == "{5E7B1C3A-6C1D-4F6B-9D52-0B8C2C7E4A11}"
    assert qwc.run_every_seconds == 300
    assert qwc.remarks == ()


def test_a_file_is_read_from_its_path(say, tmp_path: Path):
    path = tmp_path / "shop.qwc"
    path.write_text(say.qwc(URL, SUPPORT))
    assert QwcFile.read(path).run_every_seconds is None


@pytest.mark.parametrize(
    ("scheduler", "seconds"),
    [
        ("<RunEveryNSeconds>30</RunEveryNSeconds>", 30),
        ("<RunEveryNSeconds>30</RunEveryNSeconds><RunEveryNMinutes>5</RunEveryNMinutes>", 30),
        ("<RunEveryNMinutes> 2 </RunEveryNMinutes><RunEveryNSeconds>30</RunEveryNSeconds>", 120),
    ],
)
def test_the_first_interval_of_the_scheduler_wins(parse, scheduler, seconds):
    assert parse(Scheduler=scheduler).run_every_seconds == seconds


@pytest.mark.parametrize(
    "name",
    [
        *("AppName", "AppID", "AppURL", "AppDescription", "AppSupport"),
        *("UserName", "OwnerID", "FileID", "QBType"),
    ],
)
def test_each_required_element_must_be_there(parse, name):
    with pytest.raises(QwcRefused, match=f"QBWC1039: {name} is missing"):
        parse(**{name: None})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"OwnerID": "5E7B1C3A-6C1D-4F6B-9D52-0B8C2C7E4A11"}, "GUID in braces"),
        ({"FileID": "{5E7B1C3A6C1D4F6B9D520B8C2C7E4A11}"}, "GUID in braces"),
        ({"QBType": "QBOE"}, "QBFS, QBPOS"),
        ({"UserName": ""}, "UserName is empty"),
        ({"AppName": "  "}, "AppName is empty"),
        ({"AppURL": "shop.example/qbwc"}, "no http or https URL"),
        ({"AppURL": "https://shop.example:x/qbwc"}, "no http or https URL"),
        ({"CertURL": "ftp://shop.example/"}, "no http or https URL"),
        ({"Style": "RPC"}, "Document"),
        ({"UnattendedModePref": "always"}, "umpRequired"),
        ({"PersonalDataPref": "none"}, "pdpNotNeeded"),
        ({"Scheduler": ""}, "neither"),
        ({"Scheduler": "<RunEveryNMinutes>0</RunEveryNMinutes>"}, "1 or more"),
        ({"Scheduler": "<RunEveryNSeconds>1.5</RunEveryNSeconds>"}, "1 or more"),
    ],
)
def test_a_malformed_element_is_refused(parse, changes, told):
    with pytest.raises(QwcRefused, match=told) as refused:
        parse(**changes)
    assert refused.value.code == "QBWC1039"


@pytest.mark.parametrize(
    ("url", "support", "code"),
    [
        (URL, "https://www.shop.example/support", "QBWC1000"),
        ("https://10.0.0.5/qbwc", "https://10.0.0.5/support", "QBWC1001"),
        ("https://[::1]/qbwc", "https://[::1]/support", "QBWC1001"),
        (URL, "https://10.0.0.5/support", "QBWC1002"),
        ("http://shop.example/qbwc", SUPPORT, "QBWC1010"),
        (URL, "http://shop.example/support", "QBWC1010"),
    ],
)
def test_urls_are_refused_with_the_code_of_their_rule(parse, url, support, code):
    with pytest.raises(QwcRefused) as refused:
        parse(url, support)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


def test_plain_http_is_for_localhost_alone_ports_included(parse):
    assert parse("http://localhost:8000/qbwc", "http://localhost:8000/").app_url.endswith(":8000/qbwc")


def test_hosts_are_compared_without_case_and_without_port(parse):
    parse("https://Shop.Example:8443/qbwc", SUPPORT)


def test_rehearsals_may_use_plain_http_on_an_address(parse):
    parse("http://127.0.0.1:8000/qbwc", "http://127.0.0.1:8000/", allow_plain_http=True)
    with pytest.raises(QwcRefused, match="QBWC1000"):
        parse("http://127.0.0.1/qbwc", "http://127.0.0.2/", allow_plain_http=True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "\n" + text,
        lambda text: "Saved by a form:" + text,
        lambda text: text.replace("</QBWCXML>", ""),
        lambda text: text.replace("/qbwc<", "/qbwc?a=1&b=2<"),
        lambda text: text.replace("QBWCXML", "QBWC"),
    ],
)
def test_what_is_not_a_qwc_document_is_refused(say, spoil):
    with pytest.raises(QwcRefused, match="QBWC1039"):
        QwcFile.parse(spoil(say.qwc(URL, SUPPORT)).encode())


def test_what_is_taken_but_doubtful_is_remarked(parse):
    qwc = parse(AppDescription="x" * 81, IsReadOnly="true", QBType="QBPOS", AuthFlags="0xF", Colour="red")
    assert len(qwc.remarks) == 4


@pytest.fixture
def added(service, say):
    service.on |= {"/qbwc": say.answer("hello"), "/support": say.answer("help")}

    def add(**changes):
        text = say.qwc(service.url, service.base + "/support", **changes)
        QwcFile.parse(text.encode(), allow_plain_http=True).add_checks()

    return add


def test_adding_gets_the_support_page_then_the_service(service, added):
    added()
    assert [heard.line for heard in service.heard] == ["GET /support HTTP/1.1", "GET /qbwc HTTP/1.1"]


def test_adding_prefers_the_certificate_url(service, say, added):
    service.on |= {"/cert": say.answer(""), "/qbwc": say.answer("", "401 Unauthorized")}
    added(CertURL=service.base + "/cert")
    assert service.heard[-1].line.startswith("GET /cert ")


def test_202_is_enough_for_the_support_page(service, say, added):
    service.on["/support"] = say.answer("", "202 Accepted")
    added()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/support", "404 Not Found", "QBWC1003"),
        ("/support", "302 Found", "QBWC1003"),
        ("/support", "204 No Content", "QBWC1003"),
        ("/qbwc", "302 Found", "QBWC1048"),
        ("/qbwc", "401 Unauthorized", "QBWC1048"),
        ("/qbwc", "202 Accepted", "QBWC1048"),
    ],
)
def test_adding_is_refused_when_a_page_answers_otherwise(service, say, added, path, status, code):
    service.on[path] = say.answer("", status, {"Location": "/support"})
    with pytest.raises(QwcRefused, match=code):
        added()


@pytest.mark.parametrize(("path", "code"), [("/support", "QBWC1004"), ("/qbwc", "QBWC1048")])
def test_adding_is_refused_when_a_page_is_not_reached(service, added, path, code):
    service.on[path] = None
    with pytest.raises(QwcRefused, match=code):
        added()
