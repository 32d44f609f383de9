"""The wire of every method, over real HTTP: names, namespaces, empty and missing values, faults."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from ops_sandbox.web_connector import FaultReceived, SoapClient
from qbwc_service.guard import Guard
from qbwc_service.soap import make_soap_app
from qbwc_service.wsdl import service_wsdl
from tests.serving import serving

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
TNS = "http://developer.intuit.com/"


class Recording:
    """A conversation that keeps what it was asked and answers what the test has set."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.answers: dict[str, object] = {}

    def _answer(self, method: str, *values: object, default: object = "fine") -> object:
        self.calls.append((method, *values))
        answer = self.answers.get(method, default)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def server_version(self):
        return self._answer("server_version")

    def client_version(self, version):
        return self._answer("client_version", version, default="")

    def authenticate(self, username, password, address):
        return self._answer("authenticate", username, password, address, default=["{t}", ""])

    def send_request_xml(self, ticket, hcp_response, company_file_name, country, major, minor):
        return self._answer(
            "send_request_xml", ticket, hcp_response, company_file_name, country, major, minor
        )

    def receive_response_xml(self, ticket, response, hresult, message):
        return self._answer("receive_response_xml", ticket, response, hresult, message, default=100)

    def connection_error(self, ticket, hresult, message):
        return self._answer("connection_error", ticket, hresult, message)

    def get_last_error(self, ticket):
        return self._answer("get_last_error", ticket)

    def close_connection(self, ticket):
        return self._answer("close_connection", ticket)

    def get_interactive_url(self, ticket, session_id):
        return self._answer("get_interactive_url", ticket, session_id)

    def interactive_rejected(self, ticket, reason):
        return self._answer("interactive_rejected", ticket, reason)

    def interactive_done(self, ticket):
        return self._answer("interactive_done", ticket)


@pytest.fixture
def conversation() -> Recording:
    return Recording()


@pytest.fixture
def port(conversation: Recording) -> Iterator[int]:
    with serving(Guard(make_soap_app(conversation), wsdl=service_wsdl)) as port:
        yield port


def envelope(call: str, *, soap: str = SOAP) -> bytes:
    """As .NET writes it, `call` being the element in soap:Body."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{soap}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
        f"<soap:Body>{call}</soap:Body></soap:Envelope>"
    ).encode()


@pytest.fixture
def post(port: int) -> Callable[..., tuple[int, dict[str, str], etree._Element]]:
    def post(call: str, *, action: str = "", soap: str = SOAP) -> tuple[int, dict[str, str], etree._Element]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{TNS}{action}"'}
        connection.request("POST", "/qbwc", envelope(call, soap=soap), headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        assert data.startswith(b"<?xml")
        assert int(answer.headers["Content-Length"]) == len(data)
        return answer.status, dict(answer.headers), etree.fromstring(data)

    return post


def result_of(root: etree._Element, method: str) -> etree._Element:
    """The result element, found as .NET finds it: by its whole name."""
    found = root.find(f"{{{SOAP}}}Body/{{{TNS}}}{method}Response/{{{TNS}}}{method}Result")
    assert found is not None, etree.tostring(root)
    return found


CALLS = [
    ("serverVersion", "", ("server_version",)),
    ("clientVersion", "<strVersion>2.3.0.215</strVersion>", ("client_version", "2.3.0.215")),
    (
        "sendRequestXML",
        "<ticket>t</ticket><strHCPResponse>h</strHCPResponse><strCompanyFileName>c</strCompanyFileName>"
        "<qbXMLCountry>US</qbXMLCountry><qbXMLMajorVers>13</qbXMLMajorVers><qbXMLMinorVers>0</qbXMLMinorVers>",
        ("send_request_xml", "t", "h", "c", "US", 13, 0),
    ),
    (
        "connectionError",
        "<ticket>t</ticket><hresult>0x80040408</hresult><message>m</message>",
        ("connection_error", "t", "0x80040408", "m"),
    ),
    ("getLastError", "<ticket>t</ticket>", ("get_last_error", "t")),
    ("closeConnection", "<ticket>t</ticket>", ("close_connection", "t")),
    (
        "getInteractiveURL",
        "<wcTicket>t</wcTicket><sessionID>s</sessionID>",
        ("get_interactive_url", "t", "s"),
    ),
    (
        "interactiveRejected",
        "<wcTicket>t</wcTicket><reason>r</reason>",
        ("interactive_rejected", "t", "r"),
    ),
    ("interactiveDone", "<wcTicket>t</wcTicket>", ("interactive_done", "t")),
    ("isInteractiveDone", "<wcTicket>t</wcTicket>", ("interactive_done", "t")),
]


@pytest.mark.parametrize(("method", "parameters", "call"), CALLS, ids=[row[0] for row in CALLS])
def test_a_call_reaches_its_method_and_the_text_comes_back(conversation, post, method, parameters, call):
    conversation.answers[call[0]] = "a <b> & ünï 汉 \N{GRINNING FACE}"
    status, headers, root = post(f'<{method} xmlns="{TNS}">{parameters}</{method}>', action=method)
    assert status == 200
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert conversation.calls == [call]
    assert result_of(root, method).text == "a <b> & ünï 汉 \N{GRINNING FACE}"


@pytest.mark.parametrize(
    ("method", "names", "recorded"),
    [
        ("clientVersion", ["strVersion"], ("client_version", "")),
        ("authenticate", ["strUserName", "strPassword"], ("authenticate", "", "", "127.0.0.1")),
        (
            "sendRequestXML",
            [
                "ticket",
                "strHCPResponse",
                "strCompanyFileName",
                "qbXMLCountry",
                "qbXMLMajorVers",
                "qbXMLMinorVers",
            ],
            ("send_request_xml", "", "", "", "", 0, 0),
        ),
        (
            "receiveResponseXML",
            ["ticket", "response", "hresult", "message"],
            ("receive_response_xml", "", "", "", ""),
        ),
        ("connectionError", ["ticket", "hresult", "message"], ("connection_error", "", "", "")),
        ("closeConnection", ["ticket"], ("close_connection", "")),
    ],
)
def test_missing_empty_and_nil_parameters_are_all_empty_text(conversation, post, method, names, recorded):
    forms = ("", "<{name} />", "<{name}></{name}>", '<{name} xsi:nil="true" />')
    for form in forms:
        inside = "".join(form.format(name=name) for name in names)
        status, _, _ = post(f'<{method} xmlns="{TNS}">{inside}</{method}>')
        assert status == 200
    assert conversation.calls == [recorded] * len(forms)


def test_authenticate_answers_strings_in_intuits_namespace_and_at_least_two(conversation, post):
    for given, sent in (
        (["{t}", ""], ["{t}", ""]),
        (["{t}"], ["{t}", ""]),
        ([], ["", ""]),
        (["{t}", None], ["{t}", ""]),
        (["{t}", "", "60", "300"], ["{t}", "", "60", "300"]),
    ):
        conversation.answers["authenticate"] = given
        _, _, root = post(f'<authenticate xmlns="{TNS}"><strUserName>u</strUserName></authenticate>')
        items = list(result_of(root, "authenticate"))
        assert [item.tag for item in items] == [f"{{{TNS}}}string"] * len(sent)
        assert [item.text or "" for item in items] == sent
        assert all(not item.attrib for item in items)


def test_authenticate_learns_the_clients_address(conversation, post):
    post(
        f'<authenticate xmlns="{TNS}"><strUserName>u</strUserName><strPassword>p</strPassword></authenticate>'
    )
    assert conversation.calls == [("authenticate", "u", "p", "127.0.0.1")]


@pytest.mark.parametrize(("given", "sent"), [(0, "0"), (57, "57"), (100, "100"), (101, "100"), (-1, "-1")])
def test_percent_done_is_a_whole_number_of_at_most_100(conversation, post, given, sent):
    conversation.answers["receive_response_xml"] = given
    _, _, root = post(f'<receiveResponseXML xmlns="{TNS}"><ticket>t</ticket></receiveResponseXML>')
    assert result_of(root, "receiveResponseXML").text == sent


def test_a_percentage_that_is_none_is_a_fault_and_never_read_as_go_on(conversation, post):
    conversation.answers["receive_response_xml"] = None
    status, _, root = post(f'<receiveResponseXML xmlns="{TNS}"><ticket>t</ticket></receiveResponseXML>')
    assert status == 500
    assert "receiveResponseXML" in root.findtext(".//faultstring")


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("sendRequestXML", "send_request_xml"),
        ("closeConnection", "close_connection"),
        ("getLastError", "get_last_error"),
        ("clientVersion", "client_version"),
    ],
)
def test_a_result_is_there_even_when_it_is_empty_or_none(conversation, post, method, name):
    for answer in ("", None):
        conversation.answers[name] = answer
        _, _, root = post(f'<{method} xmlns="{TNS}"><ticket>t</ticket></{method}>')
        result = result_of(root, method)
        assert (result.text or "", dict(result.attrib)) == ("", {})


def test_documents_arrive_as_they_were_sent(conversation, post):
    document = '<?xml version="1.0" ?>\n<?qbposxml version="3.0"?><QBPOSXML>  Jürgen &amp; Co\t</QBPOSXML>'
    escaped = document.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for inside in (
        escaped,
        f"<![CDATA[{document}]]>",
        escaped.replace("QBPOSXML&gt;", "QBPOSXML<!-- x -->&gt;"),
    ):
        post(f'<receiveResponseXML xmlns="{TNS}"><response>{inside}</response></receiveResponseXML>')
    assert [call[2] for call in conversation.calls] == [document] * 3


def test_names_count_and_neither_order_nor_prefix_nor_strangers(conversation, post):
    status, _, _ = post(
        f'<q:receiveResponseXML xmlns:q="{TNS}"><q:message>m</q:message><q:stranger>s</q:stranger>'
        '<q:response xsi:type="xsd:string" ticket="not this">r</q:response><q:ticket>t</q:ticket>'
        "</q:receiveResponseXML>"
    )
    assert status == 200
    assert conversation.calls == [("receive_response_xml", "t", "r", "", "m")]


@pytest.mark.parametrize(
    "inside",
    ["<response>a<b/>c</response>", "<response>a</response><response>b</response>"],
    ids=["elements", "twice"],
)
def test_a_parameter_that_would_be_cut_is_refused(conversation, post, inside):
    status, _, root = post(f'<receiveResponseXML xmlns="{TNS}">{inside}</receiveResponseXML>')
    assert status == 500
    assert "as text without elements" in root.findtext(".//faultstring")
    assert conversation.calls == []


def test_a_version_that_is_no_number_is_refused(conversation, post):
    for number in ("3.0", "x", "9" * 5000):
        status, _, root = post(
            f'<sendRequestXML xmlns="{TNS}"><qbXMLMajorVers>{number}</qbXMLMajorVers></sendRequestXML>'
        )
        assert (status, root.findtext(".//faultstring")) == (500, "qbXMLMajorVers must be a whole number.")
    assert conversation.calls == []


def test_what_fails_inside_is_a_readable_fault_and_the_log_has_the_cause(conversation, post, caplog):
    ticket = "{7d9a1f40-0000-4000-8000-1234567890ab}"
    conversation.answers["send_request_xml"] = RuntimeError(f"the disk is full, session {ticket}")
    with caplog.at_level(logging.DEBUG):
        status, headers, root = post(
            f'<sendRequestXML xmlns="{TNS}"><ticket>{ticket}</ticket></sendRequestXML>'
        )
    sentence = root.findtext(".//faultstring")
    assert status == 500
    assert headers["Content-Type"] == "text/xml; charset=utf-8"
    assert sentence.startswith("The service could not answer sendRequestXML. Try again;")
    assert "disk" not in sentence
    assert "Traceback" not in sentence
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.name == "qbwc_service.soap"
    assert sentence.rstrip(".").rpartition(" ")[2] in record.getMessage()
    assert "RuntimeError: the disk is full, session {7d9a1f4\n" in record.getMessage()
    assert ticket not in caplog.text


def test_a_password_is_not_in_the_log_even_if_the_exception_quotes_it(conversation, post, caplog):
    conversation.answers["authenticate"] = ValueError(r"no user with 'correct\\horse'")
    with caplog.at_level(logging.DEBUG):
        status, _, root = post(
            f'<authenticate xmlns="{TNS}"><strUserName>u</strUserName>'
            r"<strPassword>correct\horse</strPassword></authenticate>"
        )
    assert status == 500
    assert "horse" not in etree.tostring(root, encoding="unicode")
    assert "no user with '[password]'" in caplog.text
    assert "horse" not in caplog.text


def test_sentences_lose_characters_that_xml_forbids(conversation, post):
    conversation.answers["get_last_error"] = "Item \x0bA\x00\ufffe\ud800 is unknown\n"
    _, _, root = post(f'<getLastError xmlns="{TNS}"><ticket>t</ticket></getLastError>')
    assert result_of(root, "getLastError").text == "Item A is unknown\n"


def test_a_document_with_characters_that_xml_forbids_is_a_fault_and_logged(conversation, post, caplog):
    conversation.answers["send_request_xml"] = "<x>\x0b</x>"
    status, _, root = post(f'<sendRequestXML xmlns="{TNS}"><ticket>0123456789</ticket></sendRequestXML>')
    assert status == 500
    assert "could not answer sendRequestXML" in root.findtext(".//faultstring")
    assert "failed in session 01234567, error" in caplog.text


def test_a_client_of_soap_1_2_is_answered_in_it(conversation, post):
    _, headers, root = post(f'<getLastError xmlns="{TNS}"><ticket>t</ticket></getLastError>', soap=SOAP_12)
    assert headers["Content-Type"] == "application/soap+xml; charset=utf-8"
    assert root.findtext(f"{{{SOAP_12}}}Body/*/{{{TNS}}}getLastErrorResult") == "fine"
    conversation.answers["get_last_error"] = RuntimeError("x")
    for call, code in (("getLastError", "soap:Receiver"), ("unknown", "soap:Sender")):
        status, _, root = post(f'<{call} xmlns="{TNS}"><ticket>t</ticket></{call}>', soap=SOAP_12)
        assert status == 500
        assert root.findtext(f".//{{{SOAP_12}}}Value") == code
        assert root.findtext(f".//{{{SOAP_12}}}Text")


def test_two_services_in_one_process_keep_apart(conversation, port):
    other = Recording()
    other.answers["server_version"] = "other"
    with serving(Guard(make_soap_app(other), wsdl=service_wsdl)) as other_port:
        with SoapClient(f"http://127.0.0.1:{other_port}/qbwc") as client:
            assert client.server_version() == "other"
        with SoapClient(f"http://127.0.0.1:{port}/qbwc") as client:
            assert client.server_version() == "fine"


def test_a_web_connector_walks_a_session(conversation, port):
    document = "<QBPOSXML>" + "<Name>Jürgen &amp; Söhne</Name>" * 5000 + "</QBPOSXML>"
    conversation.answers["send_request_xml"] = document
    conversation.answers["receive_response_xml"] = 40
    with SoapClient(f"http://127.0.0.1:{port}/qbwc") as client:
        assert client.server_version() == "fine"
        assert client.client_version("34.0.10034.87") == ""
        assert client.authenticate("u", "p") == ["{t}", ""]
        assert client.send_request_xml("{t}", "", "Books", "US", 3, 0) == document
        assert client.receive_response_xml("{t}", document, "", "") == 40
        assert client.connection_error("{t}", "0x80040408", "no") == "fine"
        assert client.get_last_error("{t}") == "fine"
        assert client.close_connection("{t}") == "fine"
        conversation.answers["close_connection"] = RuntimeError("x")
        with pytest.raises(FaultReceived, match="operator finds the cause"):
            client.close_connection("{t}")
        assert not client.remarks
    assert conversation.calls[4] == ("receive_response_xml", "{t}", document, "", "")
