"""What comes back: what .NET's client class takes, what it misreads, and what it refuses."""

from __future__ import annotations

import gzip

import pytest

from ops_sandbox.web_connector import AnswerUnreadable, FaultReceived, HttpStatusRefused, SoapClient

TYPE = "Content-Type"


@pytest.fixture
def client(service):
    with SoapClient(service.url, 5) as client:
        yield client


@pytest.fixture
def get_last_error(service, say, client):
    """getLastError's result after an answer of this body, status and headers."""

    def call(body, status="200 OK", headers=None, framing="length"):
        headers = {TYPE: "text/xml; charset=utf-8"} if headers is None else headers
        service.on["getLastError"] = say.answer(body, status, headers, framing)
        return client.get_last_error("{A1}")

    return call


@pytest.mark.parametrize(
    "content_type",
    [
        "text/xml",
        "text/xml; charset=utf-8",
        'Text/XML;charset="UTF-8"',
        "application/soap+xml; charset=utf-8",
    ],
)
def test_xml_content_types_are_taken(say, get_last_error, content_type):
    assert get_last_error(say.result("getLastError", "fine"), headers={TYPE: content_type}) == "fine"


@pytest.mark.parametrize("headers", [{TYPE: "text/html"}, {TYPE: "application/xml; charset=utf-8"}, {}])
def test_other_content_types_are_refused(say, get_last_error, headers):
    told = f"content type of '{headers.get(TYPE, '')}', but expected 'text/xml'"
    with pytest.raises(AnswerUnreadable, match=told):
        get_last_error(say.result("getLastError", "fine"), headers=headers)


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "500 Internal Server Error"])
@pytest.mark.parametrize("framing", ["length", "close"])
def test_an_empty_body_is_refused(get_last_error, status, framing):
    with pytest.raises(AnswerUnreadable, match="failed with an empty response"):
        get_last_error("", status, framing=framing)


@pytest.mark.parametrize("status", ["500 Internal Server Error", "200 OK", "400 Bad Request"])
def test_a_fault_raises_with_its_faultstring(say, get_last_error, status):
    with pytest.raises(FaultReceived) as raised:
        get_last_error(say.fault("No such ticket <x>"), status)
    assert (raised.value.faultcode, raised.value.faultstring) == ("s:Server", "No such ticket <x>")


@pytest.mark.parametrize(
    "status",
    [
        *("301 Moved", "302 Found", "307 Temporary Redirect", "400 Bad Request", "401 Unauthorized"),
        *("403 Forbidden", "404 Not Found", "503 Service Unavailable"),
    ],
)
def test_redirects_and_http_errors_are_refused(service, get_last_error, status):
    with pytest.raises(HttpStatusRefused, match=f"HTTP status {status[:3]}: {status[4:]}."):
        get_last_error("<p>x</p>", status, {TYPE: "text/html", "Location": service.url})
    assert len(service.heard) == 1


def test_compressed_answers_are_not_well_formed(say, get_last_error):
    body = gzip.compress(say.result("getLastError", "fine").encode())
    headers = {TYPE: "text/xml; charset=utf-8", "Content-Encoding": "gzip"}
    with pytest.raises(AnswerUnreadable, match="not well-formed XML"):
        get_last_error(body, headers=headers)


@pytest.mark.parametrize("before", ["\n", " ", "\ufeff\n", "Warning: x"])
def test_nothing_may_stand_before_the_declaration(say, get_last_error, before):
    with pytest.raises(AnswerUnreadable, match="not well-formed XML"):
        get_last_error(before + say.result("getLastError", "fine"))


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_any_framing_is_taken(say, get_last_error, framing):
    assert get_last_error(say.result("getLastError", "fine"), framing=framing) == "fine"


def test_a_byte_order_mark_no_declaration_single_quotes_and_prefixes_are_taken(say, get_last_error):
    inner = f"""
      <q:getLastErrorResponse xmlns:q='{say.tns}'>
        <q:getLastErrorResult>fine</q:getLastErrorResult>
      </q:getLastErrorResponse>
    """
    assert get_last_error("\ufeff" + say.envelope(inner, declaration="")) == "fine"
    assert get_last_error(say.envelope(inner, declaration="<?xml version='1.0'?>\n")) == "fine"


def test_cdata_decodes_and_raw_children_do_not(say, get_last_error):
    right = say.result("getLastError", "X")
    assert get_last_error(right.replace("X<", "<![CDATA[<a>&</a>]]><")) == "<a>&</a>"
    with pytest.raises(AnswerUnreadable, match="markup"):
        get_last_error(right.replace("X<", "<a/><"))


def test_a_document_type_is_refused(say, get_last_error):
    with pytest.raises(AnswerUnreadable, match="DTD is prohibited"):
        get_last_error("<!DOCTYPE x>" + say.result("getLastError", "x").partition("?>")[2])


@pytest.mark.parametrize(
    "body",
    ["<html/>", '<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"/>'],
)
def test_what_is_no_soap_1_1_envelope_is_refused(get_last_error, body):
    with pytest.raises(AnswerUnreadable, match="SOAP version mismatch"):
        get_last_error(body)


def test_an_envelope_without_body_is_refused(say, get_last_error):
    with pytest.raises(AnswerUnreadable, match="no Body"):
        get_last_error(say.envelope("").replace("s:Body", "s:Torso"))


def test_without_charset_the_answer_is_ascii(say, client, get_last_error):
    assert get_last_error(say.result("getLastError", "Größe"), headers={TYPE: "text/xml"}) == "Gr????e"
    assert any("without charset" in remark for remark in client.remarks)


def test_the_charset_counts_and_not_the_declaration(say, get_last_error):
    latin = say.result("getLastError", "Größe").replace("utf-8", "utf-16").encode("latin-1")
    assert get_last_error(latin, headers={TYPE: "text/xml; charset=iso-8859-1"}) == "Größe"


@pytest.mark.parametrize("spoil", ["namespace", "result", "response", "body"])
def test_a_result_that_is_not_found_reads_as_null_or_zero(service, say, client, spoil):
    for method in ("getLastError", "receiveResponseXML", "authenticate"):
        right = say.result(method, "100")
        wrong = {
            "namespace": right.replace(say.tns, "http://developer.intuit.com"),
            "result": right.replace(f"{method}Result>", "return>"),
            "response": right.replace(f"{method}Response", "Response"),
            "body": say.envelope(""),
        }[spoil]
        service.on[method] = say.answer(wrong)
    assert client.get_last_error("{A1}") is None
    assert client.receive_response_xml("{A1}", "", "", "") == 0
    assert "no receiveResponseXMLResult" in client.remarks[0]
    assert client.authenticate("store-1", "secret") == []


def test_an_empty_result_is_no_null_but_nil_is(say, get_last_error):
    right = say.result("getLastError", "")
    assert get_last_error(right) == ""
    nil = '<getLastErrorResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    assert get_last_error(right.replace("<getLastErrorResult></getLastErrorResult>", nil)) is None


def test_array_items_of_another_namespace_are_ignored(service, say, client):
    arrays = 'xmlns="http://schemas.microsoft.com/2003/10/Serialization/Arrays"'
    right = say.result("authenticate", ["{A1}", "none"])
    service.on["authenticate"] = say.answer(right.replace("<string>", f"<string {arrays}>"))
    assert client.authenticate("store-1", "secret") == []
    assert len(client.remarks) == 2


def test_a_nil_array_item_reads_as_empty(service, say, client):
    nil = '<string xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    right = say.result("authenticate", ["{A1}", ""])
    service.on["authenticate"] = say.answer(right.replace("<string></string>", nil))
    assert client.authenticate("store-1", "secret") == ["{A1}", ""]


@pytest.mark.parametrize(("text", "number"), [(" 33\n", 33), ("-1", -1), ("+100", 100), ("0", 0)])
def test_integers_may_have_blanks_and_a_sign(service, client, text, number):
    service.on["receiveResponseXML"] = [text]
    assert client.receive_response_xml("{A1}", "", "", "") == number


@pytest.mark.parametrize("text", ["33.5", "", "33 %", "1 0", "2147483648", "٣"])
def test_what_is_no_integer_is_refused(service, client, text):
    service.on["receiveResponseXML"] = [text]
    with pytest.raises(AnswerUnreadable, match="correct format"):
        client.receive_response_xml("{A1}", "", "", "")


def test_cookies_are_ignored(service, say, client):
    headers = {TYPE: "text/xml; charset=utf-8", "Set-Cookie": "sid=1"}
    service.on["serverVersion"] = say.answer(say.result("serverVersion", "1"), headers=headers)
    client.server_version()
    client.server_version()
    assert all("Cookie" not in dict(heard.headers) for heard in service.heard)


def test_a_right_answer_leaves_no_remark(client):
    client.authenticate("store-1", "secret")
    assert client.remarks == ()
