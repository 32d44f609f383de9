"""Answers of QuickBooks, read by name."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from qbxml.errors import MalformedResponse, UnknownMessage, WrongType
from qbxml.grammar import load_grammar
from qbxml.reader import Record, read_requests, read_response
from qbxml.writer import message_set, render_request

POS, DESKTOP = load_grammar("qbposxml"), load_grammar("qbxml")

#: As Point of Sale answers: another encoding claimed, no version instruction, attributes and
#: elements in alphabetical order, "True", a negative identity.
RECEIPT = """<?xml version="1.0" encoding="windows-1252"?>
<QBPOSXML><QBPOSXMLMsgsRs>
<SalesReceiptQueryRs iteratorID="{A}" iteratorRemainingCount="37" requestID="1207-dup" retCount="1"
 statusCode="0" statusMessage="Status OK" statusSeverity="Info">
<SalesReceiptRet><TxnID>-9219886962259885823</TxnID>
<TimeCreated>2009-12-17T11:32:31-06:00</TimeCreated><Comments> Größe\u20ac </Comments><Empty/>
<IsWebItem>True</IsWebItem><ItemsCount>2.00</ItemsCount><Total>39.99</Total><TxnDate>2012-03-26</TxnDate>
<SalesReceiptItemRet><ListID>-1</ListID><Qty>4.00</Qty></SalesReceiptItemRet>
<ShippingInformation><City>Concord</City></ShippingInformation>
<SalesReceiptItemRet><ListID>-2</ListID></SalesReceiptItemRet>
</SalesReceiptRet></SalesReceiptQueryRs>
<CustomerQueryRs requestID="1207-cust" statusCode="1" statusMessage="none" statusSeverity="Info"/>
</QBPOSXMLMsgsRs></QBPOSXML>"""


def answer(inner: str) -> str:
    return f"<QBXML><QBXMLMsgsRs>{inner}</QBXMLMsgsRs></QBXML>"


@pytest.fixture
def receipt() -> Record:
    return read_response(RECEIPT, POS).responses[0].records[0]


def test_a_response_says_what_it_answers_and_how_it_went() -> None:
    query, customer = read_response(RECEIPT).responses
    assert (query.name, query.request_id) == ("SalesReceiptQueryRs", "1207-dup")
    assert (query.status_code, query.status_severity, query.status_message) == (0, "Info", "Status OK")
    assert (query.ret_count, query.iterator_remaining, query.iterator_id) == (1, 37, "{A}")
    assert (customer.status_code, customer.ret_count, customer.iterator_id) == (1, None, None)
    assert (customer.iterator_remaining, customer.records) == (None, [])
    assert "1207-dup" in repr(query)


def test_a_record_is_read_by_name(receipt: Record) -> None:
    assert receipt.name == "SalesReceiptRet"
    assert receipt.text("TxnID") == "-9219886962259885823"
    assert receipt.text("Comments") == "Größe€"
    assert receipt.decimal("Total") == Decimal("39.99")
    assert receipt.integer("ItemsCount") == 2
    assert receipt.boolean("IsWebItem") is True
    assert receipt.moment("TimeCreated") == datetime(2009, 12, 17, 17, 32, 31, tzinfo=UTC)
    assert receipt.date("TxnDate") == date(2012, 3, 26)


def test_what_is_absent_is_none_and_what_is_empty_is_no_number(receipt: Record) -> None:
    assert receipt.text("Cashier") is None
    assert receipt.decimal("Cashier") is None
    assert receipt.child("BillingInformation") is None
    assert receipt.children("TenderCashRet") == []
    assert receipt.text("Empty") == ""
    assert receipt.moment("Empty") is None


def test_lines_keep_their_order_though_something_stands_between_them(receipt: Record) -> None:
    lines = receipt.children("SalesReceiptItemRet")
    assert [line.text("ListID") for line in lines] == ["-1", "-2"]
    assert [child.name for child in receipt][-3:] == [
        "SalesReceiptItemRet",
        "ShippingInformation",
        "SalesReceiptItemRet",
    ]


def test_a_name_may_lead_downwards(receipt: Record) -> None:
    assert receipt.text("ShippingInformation/City") == "Concord"
    assert receipt.text("BillingInformation/City") is None
    first = receipt.child("SalesReceiptItemRet")
    assert first is not None
    assert first.decimal("Qty") == 4


def test_fields_are_the_simple_values(receipt: Record) -> None:
    assert set(receipt.fields()) == {
        "TxnID", "TimeCreated", "Comments", "Empty", "IsWebItem", "ItemsCount", "Total", "TxnDate"
    }  # fmt: skip
    assert receipt.fields()["Total"] == "39.99"


def test_of_a_repeated_value_the_first_is_read_and_all_are_at_hand() -> None:
    text = answer('<HostQueryRs statusCode="0"><HostRet><V>1.0</V><V>13.0</V></HostRet></HostQueryRs>')
    host = read_response(text).responses[0].records[0]
    assert host.text("V") == host.fields()["V"] == "1.0"
    assert host.texts("V") == ["1.0", "13.0"]


def test_values_of_repeated_aggregates_are_read_through_them(receipt: Record) -> None:
    assert receipt.texts("SalesReceiptItemRet/ListID") == ["-1", "-2"]
    assert receipt.texts("SalesReceiptItemRet/Qty") == ["4.00"]
    assert receipt.texts("SalesReceiptItemRet/City") == receipt.texts("Tender/Qty") == []


def test_a_value_that_cannot_be_read_is_named(receipt: Record) -> None:
    with pytest.raises(WrongType) as caught:
        receipt.decimal("Comments")
    assert caught.value.path == "SalesReceiptRet/Comments"


def test_a_record_can_be_shown(receipt: Record) -> None:
    line = receipt.children("SalesReceiptItemRet")[1]
    assert line.xml() == "<SalesReceiptItemRet><ListID>-2</ListID></SalesReceiptItemRet>"
    assert line.element.tag == "SalesReceiptItemRet"
    assert line.attribute("none") is None
    assert read_response(RECEIPT).responses[1].xml().startswith("<CustomerQueryRs ")
    assert repr(line) == "<Record SalesReceiptItemRet>"


def test_bytes_and_text_read_the_same() -> None:
    text = read_response(RECEIPT).responses[0].records[0].text("Comments")
    assert read_response(RECEIPT.encode("cp1252")).responses[0].records[0].text("Comments") == text


def test_desktop_echoes_its_message_set() -> None:
    found = read_response(
        '<?xml version="1.0" ?><QBXML><QBXMLMsgsRs newMessageSetID="order1" messageSetStatusCode="9002"/></QBXML>'
    )
    assert (found.status_code, found.message_set_id, found.responses) == (9002, "order1", ())
    assert read_response(RECEIPT).status_code is None


def test_a_request_id_that_occurs_twice_is_kept_and_told() -> None:
    one = '<AccountQueryRs requestID="a" statusCode="0"/>'
    found = read_response(answer(one + one + '<AccountQueryRs statusCode="0"/>' * 2))
    assert [response.request_id for response in found.responses] == ["a", "a", None, None]
    assert found.repeated_ids == {"a"}


def test_comments_and_instructions_are_no_responses() -> None:
    found = read_response(answer('<!-- c --><?x y?><AccountQueryRs statusCode="0"/>'))
    assert len(found.responses) == 1


def test_illegal_references_and_control_characters_are_cleaned_away() -> None:
    text = answer(
        '<AccountQueryRs statusCode="0"><R><N>a&#x1;b\x02&#0;c\ufffed\ud800</N></R></AccountQueryRs>'
    )
    assert read_response(text).responses[0].records[0].text("N") == "abcd"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ('requestID="r7"', "r7.*no statusCode"),
        ('requestID="r7" statusCode="OK"', "statusCode of .*r7.* is not a number"),
        ('requestID="r7" statusCode="0" retCount="many"', "retCount of .*r7"),
    ],
)
def test_a_status_that_cannot_be_read_names_the_request(attributes: str, reason: str) -> None:
    with pytest.raises(MalformedResponse, match=reason):
        read_response(answer(f"<AccountQueryRs {attributes}/>"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        b"",
        "HOSTQUERY/COMPANYQUERY/PREFQUERY is currently not supported in QBPOS.",
        "<QBXML><QBXMLMsgsRs>",
        "<QBXML/>",
        "<html><body/></html>",
        "<QBXML><QBXMLMsgsRq/></QBXML>",
        "<QBXML><QBXMLMsgsRs/><QBXMLMsgsRs/></QBXML>",
        "<QBXML><QBXMLMsgsRs>&unknown;</QBXMLMsgsRs></QBXML>",
        '<!DOCTYPE QBXML [<!ENTITY a SYSTEM "file:///etc/passwd">]><QBXML>&a;</QBXML>',
        "<x:QBXML/>",
    ],
)
def test_what_is_no_answer_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedResponse):
        read_response(text)


def test_a_refusal_shows_the_place_and_the_tags_but_no_values() -> None:
    with pytest.raises(MalformedResponse) as caught:
        read_response(
            '<QBXML>\n<QBXMLMsgsRs><R statusMessage="secret"><Card>4111111111111111</Card><Name>Ann</Nome></R>'
        )
    error = caught.value
    assert error.line == 2
    assert error.column > 10
    assert "<Card></Card><Name>" in str(error)
    assert len(error.excerpt) <= 80
    assert not any(secret in str(error) for secret in ("4111", "secret", "Ann"))


def test_a_grammar_refuses_the_other_dialect_and_unknown_messages() -> None:
    with pytest.raises(MalformedResponse, match="QBPOSXML"):
        read_response(RECEIPT, DESKTOP)
    with pytest.raises(UnknownMessage):
        read_response(answer('<NoSuchRs statusCode="0"/>'), DESKTOP)


def test_our_own_requests_are_read_back_in_order() -> None:
    text = message_set(
        POS,
        [
            render_request(POS, "CompanyQueryRq", {}, {"requestID": "c"}),
            render_request(POS, "TxnReverseRq", {"TxnReverseType": "SalesReceipt", "TxnID": "-5"}),
        ],
    )
    company, reverse = read_requests(text)
    assert (company.name, company.request_id) == ("CompanyQueryRq", "c")
    assert (reverse.name, reverse.request_id, reverse.element.findtext("TxnID")) == (
        "TxnReverseRq",
        None,
        "-5",
    )


def test_a_long_answer_of_many_records_is_taken() -> None:
    row = "<ItemInventoryRet><ListID>-1</ListID><Desc1>Größe</Desc1></ItemInventoryRet>"
    count = 12_000_000 // len(row)
    found = read_response(
        answer(f'<ItemInventoryQueryRs statusCode="0">{row * count}</ItemInventoryQueryRs>')
    )
    assert len(found.responses[0].records) == count


@pytest.mark.parametrize("number", ["2147483648", "-2147483649", "9" * 30])
@pytest.mark.parametrize("name", ["statusCode", "retCount", "iteratorRemainingCount"])
def test_a_number_that_is_no_int_of_32_bits_is_none_of_quickbooks(name, number):
    numbers = {"statusCode": "0"} | {name: number}
    attributes = " ".join(f'{one}="{value}"' for one, value in numbers.items())
    with pytest.raises(MalformedResponse, match=f"{name} of CustomerQueryRs .* is not a number of 32 bits"):
        read_response(answer(f'<CustomerQueryRs requestID="a" {attributes}/>'))
