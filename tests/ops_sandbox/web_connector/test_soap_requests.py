"""What goes out: bytes and headers as .NET's client class sends them, and connections."""

from __future__ import annotations

import socket
import threading

import pytest

from ops_sandbox.web_connector import CallFailed, HttpStatusRefused, ServiceNotReached, SoapClient


@pytest.fixture
def client(service):
    with SoapClient(service.url, 5, continue_wait=0.02) as client:
        yield client


def test_a_call_without_parameters_equals_the_published_capture(service, client):
    assert client.server_version() == "1.0"
    assert service.heard[0].body == (
        b'<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
        b'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        b'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
        b'<serverVersion xmlns="http://developer.intuit.com/" /></soap:Body></soap:Envelope>'
    )


def test_headers_are_those_of_the_client_class(service, client):
    client.server_version()
    heard = service.heard[0]
    headers = dict(heard.headers)
    assert heard.line == "POST /qbwc HTTP/1.1"
    assert headers.pop("User-Agent").startswith("Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client")
    assert headers == {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '"http://developer.intuit.com/serverVersion"',
        "Host": service.base.removeprefix("http://"),
        "Content-Length": str(len(heard.body)),
        "Expect": "100-continue",
        "Connection": "keep-alive",
    }


def test_empty_strings_are_empty_elements_and_none_is_left_out(service, client):
    client.send_request_xml("{A1}", "", None, "US", 13, 0)
    assert (
        b"<ticket>{A1}</ticket><strHCPResponse /><qbXMLCountry>US</qbXMLCountry>"
        b"<qbXMLMajorVers>13</qbXMLMajorVers><qbXMLMinorVers>0</qbXMLMinorVers></sendRequestXML>"
    ) in service.heard[0].body


def test_control_characters_go_out_as_references_and_nothing_is_filtered(service, client):
    client.receive_response_xml("{A1}", "<a>\x01\x1f\ufffe \t\r\n\"'é€\U0001f375&amp;</a>", "", "")
    assert (
        "<response>&lt;a&gt;&#x1;&#x1F;&#xFFFE; \t\r\n\"'é€\U0001f375&amp;amp;&lt;/a&gt;</response>"
        "<hresult /><message />"
    ).encode() in service.heard[0].body


def test_half_a_surrogate_pair_cannot_be_sent(client):
    with pytest.raises(CallFailed, match="surrogates"):
        client.close_connection("\ud83c")


def test_every_method_has_its_parameters_by_name(service, client):
    service.on["receiveResponseXML"] = [55]
    assert client.client_version("2.3.0.215") == ""
    assert client.authenticate("store-1", "secret") == ["{A1}", ""]
    assert client.receive_response_xml("{A1}", "<a/>", "", "") == 55
    assert client.connection_error("{A1}", "0x80040408", "no") == "done"
    assert client.get_last_error("{A1}") == "No error"
    assert client.close_connection("{A1}") == "OK"
    assert [(heard.method, heard.parameters) for heard in service.heard] == [
        ("clientVersion", {"strVersion": "2.3.0.215"}),
        ("authenticate", {"strUserName": "store-1", "strPassword": "secret"}),
        ("receiveResponseXML", {"ticket": "{A1}", "response": "<a/>", "hresult": "", "message": ""}),
        ("connectionError", {"ticket": "{A1}", "hresult": "0x80040408", "message": "no"}),
        ("getLastError", {"ticket": "{A1}"}),
        ("closeConnection", {"ticket": "{A1}"}),
    ]


def test_calls_share_a_connection_and_only_the_first_asks_to_keep_it(service, client):
    client.server_version()
    client.client_version("2")
    assert service.connections == 1
    assert ["Connection" in dict(heard.headers) for heard in service.heard] == [True, False]


def test_a_service_that_closes_after_each_answer_is_harmless(service, say, client):
    service.close_each = True
    service.on["serverVersion"] = [
        say.answer(say.result("serverVersion", "1.0"), framing="close"),
        say.answer(
            say.result("serverVersion", "1.0"), headers={"Content-Type": "text/xml", "Connection": "close"}
        ),
    ]
    assert [client.server_version() for _ in range(3)] == ["1.0"] * 3
    assert service.connections == 3
    assert all("Connection" in dict(heard.headers) for heard in service.heard)


def test_a_connection_closed_while_idle_is_opened_again(service, client):
    service.close_each = True  # without saying so in a header
    assert [client.server_version() for _ in range(4)] == ["1.0"] * 4


def test_the_body_goes_out_without_an_interim_answer_too(service, client):
    service.expect = "silent"
    assert client.server_version() == "1.0"


def test_refusing_the_expectation_breaks_the_call(service, client):
    service.expect = "417 Expectation Failed"
    with pytest.raises(HttpStatusRefused, match="HTTP status 417: Expectation Failed") as refused:
        client.server_version()
    assert refused.value.status == 417
    assert service.heard == []


def test_the_body_waits_for_the_interim_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        parts: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                parts.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                parts.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        # A wait this long would show: the body comes because of the interim answer.
        with SoapClient(url, 50, continue_wait=40) as client, pytest.raises(HttpStatusRefused):
            client.server_version()
        thread.join()
    assert parts[0].endswith(b"\r\n\r\n")
    assert parts[1].startswith(b"<?xml")


def test_calls_come_from_the_given_address(service):
    with SoapClient(service.url, 5, "127.0.0.9") as client:
        client.server_version()
    assert service.heard[0].client == "127.0.0.9"


def test_no_connection_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        SoapClient(f"http://127.0.0.1:{port}/", 5) as client,
        pytest.raises(ServiceNotReached, match="refused"),
    ):
        client.server_version()


def test_a_silent_service_times_out():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with (
            SoapClient(url, 0.05, continue_wait=0.01) as client,
            pytest.raises(ServiceNotReached, match="timed out"),
        ):
            client.server_version()


@pytest.mark.parametrize("framing", ["cut", None])
def test_an_answer_that_breaks_off_is_a_failure_and_not_repeated(service, say, client, framing):
    answer = framing and say.answer(say.result("serverVersion", "1.0"), framing=framing)
    service.on["serverVersion"] = answer
    with pytest.raises(ServiceNotReached, match="closed unexpectedly"):
        client.server_version()
    assert len(service.heard) == 1
