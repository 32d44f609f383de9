"""Sets: onError, macros, sessions, faults to order."""

from __future__ import annotations

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.request_processor import RequestProcessorError

ADD = "<CustomerAddRq><CustomerAdd><LastName>{}</LastName></CustomerAdd></CustomerAddRq>"
BAD = "<CustomerModRq><CustomerMod><ListID>-7</ListID></CustomerMod></CustomerModRq>"


def codes(answers):
    return [answer.get("statusCode") for answer in answers]


def names(desk):
    return [customer.last_name for customer in desk.company.customers()]


def test_stop_on_error_leaves_the_rest_undone_and_what_was_done_done(desk):
    answers = desk.ask(ADD.format("A") + BAD + ADD.format("B"), "stopOnError")
    assert codes(answers) == ["0", "3120", "3231"]
    assert names(desk) == ["A"]


def test_after_stop_the_rest_may_not_be_answered(make_desk):
    desk = make_desk(after_stop="left_out")
    assert codes(desk.ask(ADD.format("A") + BAD + ADD.format("B"), "stopOnError")) == ["0", "3120"]


def test_continue_on_error_goes_on_and_no_match_is_no_error(desk):
    assert codes(desk.ask(ADD.format("A") + BAD + ADD.format("B"))) == ["0", "3120", "0"]
    assert codes(desk.ask("<VendorQueryRq/>" + ADD.format("C"), "stopOnError")) == ["1", "0"]


MACRO_ADD = (
    '<CustomerAddRq><CustomerAdd defMacro="ListID:C1"><LastName>{}</LastName></CustomerAdd></CustomerAddRq>'
)
MACRO_USE = '<CustomerListID useMacro="ListID:C1"/>'


def test_a_macro_stands_for_the_id_made_before_it(desk):
    sale = desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", MACRO_USE)
    assert codes(desk.ask(MACRO_ADD.format("Berg") + sale)) == ["0", "0"]
    assert desk.company.receipts()[0].customer_list_id == desk.company.customers()[0].list_id


def test_a_macro_lives_in_its_set_and_only_if_its_add_went_well(desk):
    sale = desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", MACRO_USE)
    assert codes(desk.ask(MACRO_ADD.format("x" * 31) + sale)) == ["3070", "3120"]
    desk.ask(MACRO_ADD.format("Berg"))
    assert codes(desk.ask(sale)) == ["3120"]


def test_an_empty_set_is_answered_with_an_empty_set(desk):
    assert desk.ask("") == []


# Sessions


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Computer Name=TILL1;Company Data=Sandbox Goods;Version=19",
        "Company Data=sandbox goods",
        "Computer Name=TILL1;Company Data=Sandbox Goods;Version=19;Practice=Yes",
    ],
)
def test_the_company_opens_by_its_name(desk, text):
    session = desk.company.begin_session(text)
    assert session.hcp_response == "HOSTQUERY/COMPANYQUERY/PREFQUERY is currently not supported in QBPOS."
    assert session.company_file_name == "Sandbox Goods"
    assert (session.country, session.major_version, session.minor_version) == ("US", 3, 0)


@pytest.mark.parametrize(
    "text", ["Computer Name=TILL1;Company Data=Other;Version=19", "Computer Name=TILL1", r"C:\books.qbw"]
)
def test_another_company_is_refused(desk, text):
    with pytest.raises(RequestProcessorError) as caught:
        desk.company.begin_session(text)
    assert caught.value.hresult == "0x8004040A"


def test_no_company_name_may_be_refused(clock):
    company = PosCompanyFile.create(None, dialect=PosDialect(empty_company_text="refused"), clock=clock)
    with pytest.raises(RequestProcessorError) as caught:
        company.begin_session("")
    assert caught.value.hresult == "0x80040416"


def test_the_name_of_the_company_may_not_be_told(make_desk):
    assert make_desk(company_file_name="empty").session.company_file_name == ""


@pytest.mark.parametrize(("apart", "live"), [(True, []), (False, ["A"])])
def test_practice_mode_may_work_on_a_copy(make_desk, apart, live):
    desk = make_desk(practice_is_apart=apart)
    desk.session = desk.company.begin_session("Company Data=Sandbox Goods;Practice=Yes")
    assert codes(desk.ask(ADD.format("A") + "<ItemInventoryQueryRq/>")) == ["0", "0"]
    assert names(desk) == live
    if apart:
        assert [one.last_name for one in desk.company.practice.customers()] == ["A"]


def test_an_ended_session_takes_nothing(desk):
    desk.session.end()
    desk.session.end()
    with pytest.raises(RequestProcessorError) as caught:
        desk.session.process(desk.document(ADD.format("A")))
    assert caught.value.hresult == "0x8004040D"


# Faults to order


def test_requests_are_refused_to_order(desk):
    def busy(request):
        return (3175, "in use") if request.findtext("CustomerAdd/LastName") == "B" else None

    desk.company.refuse_when = busy
    answers = desk.ask(ADD.format("A") + ADD.format("B") + ADD.format("C"))
    assert codes(answers) == ["0", "3175", "0"]
    assert (answers[1].get("statusMessage"), answers[1].get("statusSeverity")) == ("in use", "Error")
    assert names(desk) == ["A", "C"]


@pytest.mark.parametrize(("after", "done"), [(False, []), (True, ["A"])])
def test_the_next_process_fails_before_or_after_its_work(desk, after, done):
    desk.company.fail_next("0x80040402", "Unexpected error.", after_executing=after)
    with pytest.raises(RequestProcessorError) as caught:
        desk.ask(ADD.format("A"))
    assert (caught.value.hresult, caught.value.message) == ("0x80040402", "Unexpected error.")
    assert names(desk) == done
    assert codes(desk.ask(ADD.format("B"))) == ["0"]


def test_a_poisoned_request_refuses_the_whole_set(desk):
    desk.company.poison = lambda request: request.findtext("CustomerAdd/LastName") == "B"
    with pytest.raises(RequestProcessorError) as caught:
        desk.ask(ADD.format("A") + ADD.format("B"))
    assert caught.value.hresult == "0x80040400"
    assert names(desk) == []
    assert codes(desk.ask(ADD.format("A"))) == ["0"]


def test_the_next_session_fails_to_order(desk):
    desk.company.fail_next_session("0x80040414", "A modal dialog box is showing.")
    with pytest.raises(RequestProcessorError):
        desk.company.begin_session("")
    desk.company.begin_session("")


def test_latency_is_waited_for_once_per_request(desk):
    waited = []
    desk.company.sleep = waited.append
    desk.company.latency_seconds_per_request = 0.02
    desk.ask(ADD.format("A") + ADD.format("B"))
    assert waited == [0.02, 0.02]
