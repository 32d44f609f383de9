"""One run against good and bad services: the order of the calls and what ends it."""

from __future__ import annotations

import pytest

from ops_sandbox.request_processor import RequestProcessorError

SET = '<?xml version="1.0" encoding="utf-8"?><QBXML><QBXMLMsgsRq><ARq/><BRq/></QBXMLMsgsRq></QBXML>'
LOCKED = RequestProcessorError("0x80040414", "A modal dialog box is showing.")
BROKEN = RequestProcessorError("0x80040400", "QuickBooks found an error when parsing.")


def test_a_run_goes_from_version_to_close(service, company, connector):
    service.on |= {"sendRequestXML": [SET], "receiveResponseXML": [0, 60, 100], "closeConnection": "2 sent"}
    report = connector.run_once()
    assert service.methods == [
        *("serverVersion", "clientVersion", "authenticate"),
        *("sendRequestXML", "receiveResponseXML") * 3,
        "closeConnection",
    ]
    assert (report.outcome, report.status_text, report.qbwc_code) == ("ok", "2 sent", None)
    assert (report.sets, report.requests, report.percentages) == (3, 6, (0, 60, 100))
    assert report.calls["sendRequestXML"] == 3
    assert report.oddities == ()
    assert company.processed == [SET] * 3
    assert company.open_sessions == 0


def test_the_first_set_is_asked_for_with_the_host_answer_the_next_without(service, connector):
    service.on["receiveResponseXML"] = [50, 100]
    connector.run_once()
    first, second = service.received("sendRequestXML")
    assert first == {
        "ticket": "{A1}",
        "strHCPResponse": "<QBXML><QBXMLMsgsRs><HostQueryRs/></QBXMLMsgsRs></QBXML>",
        "strCompanyFileName": "C:\\Books\\Leaf & Co.QBW",
        "qbXMLCountry": "US",
        "qbXMLMajorVers": "13",
        "qbXMLMinorVers": "0",
    }
    assert second == first | {"strHCPResponse": ""}


def test_a_response_is_posted_with_empty_hresult_and_message(service, connector):
    connector.run_once()
    (received,) = service.received("receiveResponseXML")
    assert received["response"].startswith('<?xml version="1.0" ?>\n<QBXML>')
    assert (received["ticket"], received["hresult"], received["message"]) == ("{A1}", "", "")


def test_user_name_password_and_version_are_those_given(service, make_connector):
    make_connector(client_version="34.0.10028.138").run_once()
    assert service.received("authenticate") == [{"strUserName": "store-1", "strPassword": "secret"}]
    assert service.received("clientVersion") == [{"strVersion": "34.0.10028.138"}]


@pytest.mark.parametrize(
    ("word", "outcome", "text", "code"),
    [
        ("none", "none", "No data exchange required", None),
        ("NONE", "none", "No data exchange required", None),
        ("nvu", "invalid user", "Invalid password for username", "QBWC1040"),
        ("busy", "busy", "Application Busy", None),
    ],
)
def test_without_work_quickbooks_is_not_opened(service, company, connector, word, outcome, text, code):
    service.on["authenticate"] = ["{A1}", word]
    report = connector.run_once()
    assert (report.outcome, report.status_text, report.qbwc_code) == (outcome, text, code)
    assert company.asked_for == []
    assert service.methods[-2:] == ["authenticate", "closeConnection"]


def test_the_company_file_is_the_one_that_authenticate_names(service, company, connector):
    service.on["authenticate"] = ["{A1}", "C:\\Books\\Leaf.QBW", "", ""]
    assert connector.run_once().outcome == "ok"
    assert company.asked_for == ["C:\\Books\\Leaf.QBW"]


def test_a_postponement_acts_whatever_the_company(service, company, connector):
    service.on["authenticate"] = ["{A1}", "", "90", "300"]
    report = connector.run_once()
    assert (report.outcome, report.postponed_seconds, report.minimum_seconds) == ("postponed", 90, 300)
    assert company.asked_for == []


def test_a_postponement_acts_on_scheduled_runs_only(service, connector):
    service.on["authenticate"] = ["{A1}", "", "90", "300"]
    report = connector.run_once(auto_run=False)
    assert (report.outcome, report.postponed_seconds, report.minimum_seconds) == ("ok", 0, 0)


def test_seconds_that_are_none_are_odd(service, connector):
    service.on["authenticate"] = ["{A1}", "", "soon", ""]
    report = connector.run_once()
    assert report.outcome == "ok"
    assert report.oddities == ("authRet[2] is 'soon', no number of seconds",)


def test_an_array_of_one_string_fails_as_index_out_of_range(service, say, connector):
    service.on["authenticate"] = say.answer(say.result("authenticate", ["{A1}"]))
    report = connector.run_once()
    assert (report.outcome, report.qbwc_code) == ("failed", "QBWC1012")
    assert "index out of range" in report.status_text
    assert report.oddities == ("authenticate returned 1 strings; Intuit's services return 2 to 4",)
    assert service.methods[-1] == "authenticate"


def test_more_strings_than_four_are_odd(service, connector):
    service.on["authenticate"] = ["{A1}", "", "", "", ""]
    report = connector.run_once()
    assert report.outcome == "ok"
    assert len(report.oddities) == 1


def test_the_version_calls_are_optional(service, say, connector):
    service.on["serverVersion"] = say.answer(say.fault("unknown method"), "500 Internal Server Error")
    service.on["clientVersion"] = say.answer("", "404 Not Found")
    report = connector.run_once()
    assert report.outcome == "ok"
    assert [oddity.partition(":")[0] for oddity in report.oddities] == [
        "serverVersion failed",
        "clientVersion failed (QBWC1036)",
    ]


@pytest.mark.parametrize(
    ("answer", "code"), [("E:too old", "QBWC1037"), ("Welcome", "QBWC1046"), ("0:2.3", "QBWC1046")]
)
def test_a_refused_client_version_stops_the_run(service, connector, answer, code):
    service.on["clientVersion"] = answer
    report = connector.run_once()
    assert (report.outcome, report.qbwc_code) == ("failed", code)
    assert service.methods == ["serverVersion", "clientVersion"]


def test_an_expected_version_lets_the_run_go_on(service, connector):
    service.on["clientVersion"] = "O:34.0"
    assert connector.run_once().oddities == ()


def test_a_warning_is_for_the_user_to_decide(service, make_connector):
    service.on["clientVersion"] = "W:rather old"
    report = make_connector().run_once()
    assert report.outcome == "ok"
    assert "rather old" in report.oddities[0]
    cancelled = make_connector(go_on_after_warning=False).run_once()
    assert (cancelled.outcome, cancelled.qbwc_code) == ("failed", "QBWC1037")


def test_quickbooks_is_opened_in_two_tries(service, company, connector):
    company.openings = [LOCKED, None]
    assert connector.run_once().outcome == "ok"
    assert "connectionError" not in service.methods


@pytest.mark.parametrize("done", ["done", "DONE"])
def test_connection_error_done_gives_up(service, company, connector, done):
    company.openings = [LOCKED] * 2
    service.on["connectionError"] = done
    report = connector.run_once()
    assert (report.outcome, report.qbwc_code) == ("failed", "QBWC1013")
    assert report.status_text == "0x80040414: A modal dialog box is showing."
    assert service.received("connectionError") == [
        {"ticket": "{A1}", "hresult": "0x80040414", "message": "A modal dialog box is showing."}
    ]
    assert service.methods[-1] == "connectionError"


def test_any_other_answer_to_connection_error_is_the_next_company_file(service, company, connector):
    company.openings = [LOCKED] * 4
    service.on["authenticate"] = ["{A1}", "C:\\A.QBW"]
    service.on["connectionError"] = ["C:\\B.QBW", ""]
    assert connector.run_once().outcome == "ok"
    assert company.asked_for == ["C:\\A.QBW"] * 2 + ["C:\\B.QBW"] * 2 + [""]


def test_connection_error_without_end_is_cut_off(service, company, connector):
    company.openings = [LOCKED] * 100
    service.on["connectionError"] = ""
    report = connector.run_once()
    assert report.calls["connectionError"] == 20
    assert (report.outcome, report.qbwc_code) == ("failed", "QBWC1013")
    assert "given up" in report.oddities[0]


def test_an_error_of_the_request_processor_is_passed_on_and_the_run_goes_on(service, company, connector):
    company.failures = [BROKEN]
    service.on["receiveResponseXML"] = [50, 100]
    report = connector.run_once()
    failed, answered = service.received("receiveResponseXML")
    assert failed == {
        "ticket": "{A1}",
        "response": "",
        "hresult": "0x80040400",
        "message": "QuickBooks found an error when parsing.",
    }
    assert answered["hresult"] == ""
    assert (report.outcome, report.sets) == ("ok", 2)


def test_a_negative_answer_asks_for_the_reason_and_closes(service, company, connector):
    service.on |= {"receiveResponseXML": [-1], "getLastError": "Order 1207: no item"}
    report = connector.run_once()
    assert service.methods[-3:] == ["receiveResponseXML", "getLastError", "closeConnection"]
    assert (report.outcome, report.status_text, report.qbwc_code) == ("failed", "Order 1207: no item", None)
    assert report.percentages == (-1,)
    assert company.open_sessions == 0


@pytest.mark.parametrize("nothing", ["", None])
def test_no_set_asks_for_the_reason_which_is_the_result(service, say, company, connector, nothing):
    wrong = say.answer(say.envelope(""))  # reads as null
    service.on |= {
        "sendRequestXML": [wrong if nothing is None else nothing],
        "getLastError": "All up to date",
    }
    report = connector.run_once()
    assert service.methods[-3:] == ["sendRequestXML", "getLastError", "closeConnection"]
    assert (report.outcome, report.status_text, report.last_error) == ("ok",) + ("All up to date",) * 2
    assert report.sets == 0
    assert len(report.oddities) == (1 if nothing is None else 0)


def test_no_op_waits_five_seconds_and_asks_again(service, clock, connector):
    service.on |= {"sendRequestXML": ["NoOp", "", SET], "getLastError": ["NoOp"]}
    report = connector.run_once()
    assert service.methods[3:] == [
        *("sendRequestXML", "sendRequestXML", "getLastError", "sendRequestXML"),
        *("receiveResponseXML", "closeConnection"),
    ]
    assert clock.slept == [5.0, 5.0]
    assert [asked["strHCPResponse"] for asked in service.received("sendRequestXML")][1:] == ["", ""]
    assert (report.outcome, report.sets) == ("ok", 1)


def test_no_op_without_end_is_cut_off(service, clock, connector):
    service.on["sendRequestXML"] = "NoOp"
    report = connector.run_once()
    assert report.outcome == "failed"
    assert sum(clock.slept) == 3600
    assert "given up" in report.oddities[0]


def test_interactive_mode_is_not_supported(service, connector):
    service.on |= {"sendRequestXML": [""], "getLastError": "Interactive mode"}
    report = connector.run_once()
    assert report.outcome == "failed"
    assert "Interactive mode" in report.oddities[0]
    assert service.methods[-1] == "closeConnection"


def test_an_empty_reason_is_odd(service, connector):
    service.on |= {"sendRequestXML": [""], "getLastError": ""}
    assert connector.run_once().oddities == ("getLastError answered nothing; the user sees no reason",)


def test_more_than_a_hundred_percent_counts_as_a_hundred(service, connector):
    service.on["receiveResponseXML"] = [250]
    report = connector.run_once()
    assert (report.outcome, report.percentages) == ("ok", (250,))
    assert report.oddities == ("receiveResponseXML answered 250; taken as 100",)


def test_a_set_that_is_not_xml_goes_to_quickbooks_and_is_odd(service, company, connector):
    service.on["sendRequestXML"] = ["Warning: undefined index"]
    report = connector.run_once()
    assert company.processed == ["Warning: undefined index"]
    assert (report.sets, report.requests) == (1, 0)
    assert "not XML" in report.oddities[0]


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("authenticate", "QBWC1012"),
        ("sendRequestXML", "QBWC1041"),
        ("receiveResponseXML", "QBWC1042"),
        ("getLastError", "QBWC1043"),
        ("closeConnection", "QBWC1044"),
        ("connectionError", "QBWC1045"),
    ],
)
@pytest.mark.parametrize("kind", ["fault", "status", "dropped"])
def test_an_error_of_the_service_ends_the_run_at_once(service, say, company, connector, method, code, kind):
    if method == "getLastError":
        service.on["receiveResponseXML"] = [-1]
    if method == "connectionError":
        company.openings = [LOCKED] * 2
    service.on[method] = {
        "fault": say.answer(say.fault("Database is locked"), "500 Internal Server Error"),
        "status": say.answer("", "503 Service Unavailable"),
        "dropped": None,
    }[kind]
    report = connector.run_once()
    assert service.methods[-1] == method
    assert report.calls[method] == 1
    assert (report.outcome, report.qbwc_code) == ("failed", code)
    told = {"fault": "Database is locked", "status": "HTTP status 503", "dropped": "closed unexpectedly"}
    assert told[kind] in report.status_text
    assert company.open_sessions == 0


def test_a_percentage_that_is_no_integer_ends_the_run(service, connector):
    service.on["receiveResponseXML"] = ["33.5"]
    assert connector.run_once().qbwc_code == "QBWC1042"


def test_a_percentage_in_a_wrong_namespace_reads_as_zero_and_is_odd(service, say, connector):
    wrong = say.answer(say.result("receiveResponseXML", 100).replace("intuit.com/", "intuit.com"))
    service.on["receiveResponseXML"] = [wrong, wrong, 100]
    report = connector.run_once()
    assert report.percentages == (0, 0, 100)
    assert len(report.oddities) == 1


def test_a_run_uses_one_connection_and_the_next_another(service, connector):
    connector.run_once()
    assert service.connections == 1
    connector.run_once()
    assert service.connections == 2


def test_the_slowest_call_is_named(service, clock, connector, company):
    original = service.next_answer

    def slow(name):
        clock.sleep({"authenticate": 3.0, "receiveResponseXML": 1.0}.get(name, 0.0))
        return original(name)

    service.next_answer = slow
    report = connector.run_once()
    assert (report.longest_call_seconds, report.slowest_method) == (3.0, "authenticate")


def test_runs_come_from_the_given_address(service, make_connector):
    make_connector(source_address="127.0.0.7").run_once()
    assert {heard.client for heard in service.heard} == {"127.0.0.7"}
