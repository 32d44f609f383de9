"""What Point of Sale takes for a document, and what a refusal does."""

from __future__ import annotations

import pytest

from ops_sandbox.request_processor import RequestProcessorError

ADD = "<CustomerAddRq><CustomerAdd><LastName>Berg</LastName></CustomerAdd></CustomerAddRq>"


def refused(desk, text, hresult="0x80040400"):
    with pytest.raises(RequestProcessorError) as caught:
        desk.session.process(text)
    assert caught.value.hresult == hresult
    assert desk.company.customers() == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NoOp",
        '<QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        ' <?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><?qbxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq/></QBPOSXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="rollbackOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?>'
        '<QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError" newMessageSetID="1"/></QBPOSXML>',
        '<?xml version="1.0"?><!DOCTYPE QBPOSXML><?qbposxml version="3.0"?>'
        '<QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"/></QBPOSXML>',
        '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML/>',
    ],
)
def test_a_document_with_a_wrong_frame_is_refused(desk, text):
    refused(desk, text)


@pytest.mark.parametrize("encoding", ["", ' encoding="utf-8"', ' encoding="ISO-8859-1"'])
def test_prologs_seen_working_are_taken(desk, encoding):
    text = desk.document(ADD).replace(' encoding="utf-8"', encoding)
    assert 'statusCode="0"' in desk.session.process(text)


@pytest.mark.parametrize(
    "body",
    [
        "<HostQueryRq/>",
        "<CustomerQueryRs/>",
        "stray text",
        '<CustomerQueryRq color="red"/>',
        "<CustomerQueryRq><MaxReturned>many</MaxReturned></CustomerQueryRq>",
        "<CustomerQueryRq><NameFilter/></CustomerQueryRq>",
        "<CustomerQueryRq><EMailFilter><EMail>x</EMail></EMailFilter></CustomerQueryRq>",
        "<CustomerQueryRq><EMailFilter><MatchStringCriterion>Like</MatchStringCriterion><EMail>x</EMail>"
        "</EMailFilter></CustomerQueryRq>",
        "<CustomerQueryRq><EMailFilter><MatchStringCriterion>Equal</MatchStringCriterion><EMail>x</EMail></EMailFilter>"
        "<EMailRangeFilter><FromEMail>a</FromEMail><ToEMail>b</ToEMail></EMailRangeFilter></CustomerQueryRq>",
        "<CustomerQueryRq><ListID>80000001-1234567890</ListID></CustomerQueryRq>",
        "<CustomerQueryRq><ListID>9223372036854775808</ListID></CustomerQueryRq>",
        "<CustomerQueryRq><IsUsingWithQB>True</IsUsingWithQB></CustomerQueryRq>",
        "<CustomerQueryRq><IsUsingWithQB/></CustomerQueryRq>",
        '<CustomerQueryRq iterator="Start"/>',
        '<CustomerQueryRq iterator="Start" iteratorID="x"><MaxReturned>1</MaxReturned></CustomerQueryRq>',
        '<CustomerQueryRq iterator="Continue"><MaxReturned>1</MaxReturned></CustomerQueryRq>',
        '<CustomerQueryRq iteratorID="x"><MaxReturned>1</MaxReturned></CustomerQueryRq>',
        "<CustomerAddRq><CustomerAdd><FirstName>Ann</FirstName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq/>",
        "<CustomerAddRq><CustomerAdd><LastName>A</LastName><LastName>B</LastName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq><CustomerAdd><LastName><b>A</b></LastName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq><CustomerAdd>text<LastName>A</LastName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq><CustomerAdd><LastName>山田</LastName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq><CustomerAdd><LastName>&#x5C71;</LastName></CustomerAdd></CustomerAddRq>",
        "<CustomerAddRq><CustomerAdd><LastName>a&#1;b</LastName></CustomerAdd></CustomerAddRq>",
        '<CustomerAddRq><CustomerAdd defMacro="Cust 1"><LastName>A</LastName></CustomerAdd></CustomerAddRq>',
        "<ItemInventoryAddRq><ItemInventoryAdd><Cost>1.5</Cost><DepartmentListID>1</DepartmentListID>"
        "</ItemInventoryAdd></ItemInventoryAddRq>",
        "<ItemInventoryAddRq><ItemInventoryAdd><DepartmentListID>1</DepartmentListID>"
        "<OnHandStore01>1e3</OnHandStore01></ItemInventoryAdd></ItemInventoryAddRq>",
        "<SalesReceiptAddRq><SalesReceiptAdd><TxnDate>2026-02-30</TxnDate></SalesReceiptAdd></SalesReceiptAddRq>",
        "<SalesReceiptAddRq><SalesReceiptAdd><SalesReceiptType>sales</SalesReceiptType></SalesReceiptAdd>"
        "</SalesReceiptAddRq>",
        "<SalesReceiptAddRq><SalesReceiptAdd><TenderCreditCardAdd><TenderAmount>1.00</TenderAmount>"
        "</TenderCreditCardAdd></SalesReceiptAdd></SalesReceiptAddRq>",
    ],
)
def test_one_request_against_the_grammar_refuses_the_whole_set(desk, body):
    refused(desk, desk.document(ADD + body))
    refused(desk, desk.document(body + ADD))


def test_elements_have_to_stand_in_their_order(make_desk):
    swapped = "<CustomerAddRq><CustomerAdd><LastName>Berg</LastName><FirstName>Ann</FirstName></CustomerAdd></CustomerAddRq>"
    strict = make_desk(strict_order=True)
    refused(strict, strict.document(swapped))
    loose = make_desk(strict_order=False)
    assert loose.one(swapped).get("statusCode") == "0"
    refused_again = (
        "<CustomerAddRq><CustomerAdd><LastName>B</LastName><Nick>A</Nick></CustomerAdd></CustomerAddRq>"
    )
    with pytest.raises(RequestProcessorError):
        loose.session.process(loose.document(refused_again))


def test_text_that_is_too_long_costs_its_request_only(desk):
    long = f"<CustomerAddRq><CustomerAdd><LastName>{'x' * 31}</LastName></CustomerAdd></CustomerAddRq>"
    first, second = desk.ask(long + ADD)
    assert (first.get("statusCode"), first.get("statusSeverity")) == ("3070", "Error")
    assert second.get("statusCode") == "0"
    assert [one.last_name for one in desk.company.customers()] == ["Berg"]


def test_characters_of_windows_1252_come_back(desk):
    answer = desk.one(
        "<CustomerAddRq><CustomerAdd><LastName>Žižek ™ €</LastName></CustomerAdd></CustomerAddRq>"
    )
    assert answer.findtext("CustomerRet/LastName") == "Žižek ™ €"


def test_other_characters_may_be_stored_as_question_marks(make_desk):
    desk = make_desk(outside_windows_1252="question_marks")
    answer = desk.one("<CustomerAddRq><CustomerAdd><LastName>山田</LastName></CustomerAdd></CustomerAddRq>")
    assert answer.findtext("CustomerRet/LastName") == "??"


def test_a_malformed_id_may_cost_its_request_only(make_desk):
    desk = make_desk(malformed_id="status_3000")
    assert desk.one("<CustomerQueryRq><ListID>8000-1</ListID></CustomerQueryRq>").get("statusCode") == "3000"


def test_a_version_that_is_not_known_is_refused(make_desk):
    desk = make_desk()
    refused(desk, desk.document(ADD, version="4.0"), "0x80040423")
    assert "Berg" in make_desk(highest_version="4.0").session.process(desk.document(ADD, version="4.0"))


def test_an_older_version_knows_no_newer_elements(desk):
    web = "<ItemInventoryQueryRq><IsWebItem>true</IsWebItem></ItemInventoryQueryRq>"
    refused(desk, desk.document(web, version="2.5"))
    assert "Status OK" in desk.session.process(desk.document(ADD, version="2.5"))


def test_a_refused_document_may_have_done_what_came_before(make_desk):
    desk = make_desk(parse_error_executes="requests_before")
    with pytest.raises(RequestProcessorError):
        desk.session.process(desk.document(ADD + "<NonsenseRq/>" + ADD))
    assert len(desk.company.customers()) == 1


def test_a_request_of_another_edition_is_answered_with_3250(desk):
    for name in ("EmployeeQueryRq", "PriceDiscountQueryRq", "DataExtDefQueryRq"):
        answer = desk.one(f'<{name} requestID="7"/>')
        assert answer.tag == name.replace("Rq", "Rs")
        assert (answer.get("statusCode"), answer.get("requestID")) == ("3250", "7")
