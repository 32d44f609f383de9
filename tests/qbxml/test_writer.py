"""Requests and message sets as text."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from qbxml.errors import (
    BadCharacter,
    BodyError,
    ChoiceConflict,
    MissingElement,
    NotInEnum,
    OutOfRange,
    RepeatedElement,
    TooPrecise,
    UnknownEdition,
    UnknownElement,
    UnknownMessage,
    ValueTooLong,
    WrongType,
)
from qbxml.grammar import load_grammar
from qbxml.writer import Macro, message_set, render_request

POS, DESKTOP = load_grammar("qbposxml"), load_grammar("qbxml")
LINE: dict[str, Any] = {"ListID": "-7301882273301233407", "Qty": Decimal(2), "Price": Decimal("7.5")}


def receipt(**fields: object) -> str:
    return render_request(POS, "SalesReceiptAddRq", {"SalesReceiptAdd": fields})


def refused(kind: type[BodyError], **fields: object) -> BodyError:
    with pytest.raises(kind) as caught:
        receipt(**fields)
    assert str(caught.value).startswith(caught.value.path)
    return caught.value


def test_a_receipt_is_written_in_the_order_of_the_grammar() -> None:
    text = render_request(
        POS,
        "SalesReceiptAddRq",
        {
            "SalesReceiptAdd": {
                "TenderCashAdd": {"TenderAmount": Decimal("19.9")},
                "SalesReceiptItemAdd": [LINE, {"ListID": "5"}],
                "TxnDate": date(2026, 1, 31),
                "ShippingInformation": {"Shipping": Decimal("4.9"), "City": "Concord"},
                "CustomerListID": Macro("ListID:C1"),
                "Comments": "WEB-1207",
            }
        },
        {"requestID": "1207-add"},
    )
    assert text == (
        '<SalesReceiptAddRq requestID="1207-add"><SalesReceiptAdd><Comments>WEB-1207</Comments>'
        '<CustomerListID useMacro="ListID:C1"/><TxnDate>2026-01-31</TxnDate>'
        "<ShippingInformation><City>Concord</City><Shipping>4.90</Shipping></ShippingInformation>"
        "<SalesReceiptItemAdd><ListID>-7301882273301233407</ListID><Price>7.50</Price><Qty>2</Qty>"
        "</SalesReceiptItemAdd><SalesReceiptItemAdd><ListID>5</ListID></SalesReceiptItemAdd>"
        "<TenderCashAdd><TenderAmount>19.90</TenderAmount></TenderCashAdd>"
        "</SalesReceiptAdd></SalesReceiptAddRq>"
    )


def test_a_macro_is_defined_as_an_attribute_of_its_add() -> None:
    text = render_request(
        POS,
        "CustomerAddRq",
        {"CustomerAdd": {"LastName": "Berg", "@defMacro": "ListID:C1", "EMail": "a@x.y"}},
    )
    assert text == (
        '<CustomerAddRq><CustomerAdd defMacro="ListID:C1"><EMail>a@x.y</EMail><LastName>Berg</LastName>'
        "</CustomerAdd></CustomerAddRq>"
    )


def test_a_macro_is_refused_where_the_grammar_allows_none() -> None:
    assert (
        refused(WrongType, Comments=Macro("ListID:C1")).path == "SalesReceiptAddRq/SalesReceiptAdd/Comments"
    )
    refused(WrongType, CustomerListID=Macro("C1"))


def test_none_is_left_out_and_empty_text_clears() -> None:
    assert "<Comments/>" in receipt(Comments="", Cashier=None, SalesReceiptItemAdd=[])
    assert "Cashier" not in receipt(Comments="", Cashier=None)


def test_an_aggregate_of_nothing_is_left_out_unless_it_needs_something() -> None:
    assert "Shipping" not in receipt(Comments="x", ShippingInformation={"City": None})
    assert "<ShippingInformation/>" in receipt(ShippingInformation={})
    error = refused(MissingElement, TenderCashAdd=[{"TenderAmount": None}])
    assert error.path.endswith("/TenderCashAdd[1]/TenderAmount")


def test_a_required_identity_or_amount_cannot_be_empty() -> None:
    refused(WrongType, SalesReceiptItemAdd=[{"ListID": ""}])
    refused(WrongType, TenderCashAdd={"TenderAmount": ""})


def test_a_request_without_children_is_one_empty_element() -> None:
    assert render_request(POS, "CompanyQueryRq", {}, {"requestID": "c"}) == '<CompanyQueryRq requestID="c"/>'
    assert render_request(POS, "CompanyQueryRq", {"OwnerID": None}) == "<CompanyQueryRq/>"


def test_a_misspelt_name_is_refused_with_its_path() -> None:
    error = refused(UnknownElement, SalesReceiptItemAdd=[LINE, {**LINE, "Quantity": Decimal(1)}])
    assert error.path == "SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptItemAdd[2]/Quantity"
    assert "Quantity" in str(error)
    assert refused(UnknownElement, **{"@macro": "x"}).path.endswith("SalesReceiptAdd/@macro")
    with pytest.raises(UnknownElement):
        render_request(POS, "CompanyQueryRq", {"@requestID": "x"})
    with pytest.raises(UnknownElement):
        render_request(POS, "CompanyQueryRq", {}, {"id": "x"})


def test_a_missing_required_element_is_named() -> None:
    error = refused(MissingElement, SalesReceiptItemAdd={"Qty": Decimal(1)})
    assert error.path == "SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptItemAdd/ListID"
    with pytest.raises(MissingElement, match=r"^SalesReceiptAddRq/SalesReceiptAdd: "):
        render_request(POS, "SalesReceiptAddRq", {})


def test_a_value_is_refused_with_its_path_and_its_facts() -> None:
    long = refused(ValueTooLong, TrackingNumber="x" * 51)
    assert isinstance(long, ValueTooLong)
    assert (long.path, long.limit) == ("SalesReceiptAddRq/SalesReceiptAdd/TrackingNumber", 50)
    assert receipt(TrackingNumber="&" * 50).count("&amp;") == 50
    price = refused(TooPrecise, SalesReceiptItemAdd=[{**LINE, "Price": Decimal("7.505")}])
    assert price.path == "SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptItemAdd[1]/Price"
    refused(WrongType, SalesReceiptItemAdd=[{**LINE, "Price": 7.5}])
    refused(WrongType, Comments=5)
    refused(WrongType, ShippingInformation="Concord")
    word = refused(NotInEnum, SalesReceiptType="sales")
    assert isinstance(word, NotInEnum)
    assert "Return" in word.allowed


def test_an_error_shows_only_the_start_of_a_long_value() -> None:
    assert len(str(refused(ValueTooLong, Comments="x" * 5000))) < 200


def test_what_may_occur_once_is_refused_twice() -> None:
    error = refused(RepeatedElement, Comments=["a", "b"])
    assert error.path == "SalesReceiptAddRq/SalesReceiptAdd/Comments"
    assert "<Comments>a</Comments>" in receipt(Comments=["a"])


def test_two_branches_of_a_choice_are_refused() -> None:
    equal = {"MatchStringCriterion": "Equal", "ALU": "A"}
    with pytest.raises(ChoiceConflict) as caught:
        render_request(
            POS,
            "ItemInventoryQueryRq",
            {"ALURangeFilter": {"FromALU": "A", "ToALU": "B"}, "ALUFilter": equal},
        )
    assert caught.value.names == ("ALUFilter", "ALURangeFilter")
    assert caught.value.path == "ItemInventoryQueryRq"
    with pytest.raises(ChoiceConflict):
        render_request(DESKTOP, "InvoiceQueryRq", {"TxnID": "1-1", "MaxReturned": 5})


def test_a_required_choice_must_be_made() -> None:
    with pytest.raises(MissingElement) as caught:
        render_request(
            DESKTOP,
            "SalesReceiptAddRq",
            {"SalesReceiptAdd": {"CustomerRef": {"FullName": "Berg"}}},
        )
    assert caught.value.path == (
        "SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptLineAdd or SalesReceiptLineGroupAdd"
    )


def test_a_choice_that_repeats_takes_both_kinds() -> None:
    text = render_request(
        DESKTOP,
        "InvoiceAddRq",
        {
            "InvoiceAdd": {
                "CustomerRef": {"FullName": "Berg"},
                "InvoiceLineGroupAdd": {"ItemGroupRef": {"FullName": "Set"}},
                "InvoiceLineAdd": [{"Desc": "a"}, {"Desc": "b"}],
            }
        },
    )
    names = [child.tag for child in etree.fromstring(text)[0]]
    assert names == ["CustomerRef", "InvoiceLineAdd", "InvoiceLineAdd", "InvoiceLineGroupAdd"]


def test_a_nested_choice_belongs_to_its_branch() -> None:
    text = render_request(
        DESKTOP,
        "InvoiceQueryRq",
        {
            "IncludeLineItems": True,
            "ModifiedDateRangeFilter": {"FromModifiedDate": datetime(2026, 1, 31, tzinfo=UTC)},
            "MaxReturned": 20,
        },
    )
    assert text.startswith("<InvoiceQueryRq><MaxReturned>20</MaxReturned><ModifiedDateRangeFilter>")
    assert text.endswith("<IncludeLineItems>true</IncludeLineItems></InvoiceQueryRq>")


def test_a_number_outside_its_bounds_is_refused() -> None:
    with pytest.raises(OutOfRange):
        render_request(DESKTOP, "InvoiceQueryRq", {"MaxReturned": 0})


def test_characters_of_windows_1252_are_written_as_references() -> None:
    assert "<Comments>&#233;&#8364; &lt;&amp;&gt;&quot;</Comments>" in receipt(Comments='é€ <&>"')


@pytest.mark.parametrize("character", ["Ł", "😀", "\ud800", "\x00", "\x1b", "\x7f", "\x85", "\uffff"])
def test_a_character_that_cannot_travel_is_refused_with_its_place(character: str) -> None:
    error = refused(BadCharacter, Comments=f"ab{character}")
    assert isinstance(error, BadCharacter)
    assert (error.character, error.position) == (character, 2)
    assert error.path == "SalesReceiptAddRq/SalesReceiptAdd/Comments"
    assert f"U+{ord(character):04X}" in str(error)


def test_other_characters_pass_on_demand_and_control_characters_never() -> None:
    body = {"CustomerAdd": {"Name": "Łódź"}}
    assert "&#321;" in render_request(DESKTOP, "CustomerAddRq", body, windows_1252=False)
    with pytest.raises(BadCharacter):
        render_request(DESKTOP, "CustomerAddRq", body)
    with pytest.raises(BadCharacter):
        render_request(DESKTOP, "CustomerAddRq", {"CustomerAdd": {"Name": "\x07"}}, windows_1252=False)


def test_a_request_id_has_50_characters_at_most() -> None:
    render_request(POS, "CompanyQueryRq", {}, {"requestID": "x" * 50})
    with pytest.raises(ValueTooLong) as caught:
        render_request(POS, "CompanyQueryRq", {}, {"requestID": "x" * 51})
    assert caught.value.path == "CompanyQueryRq/@requestID"


def test_an_attribute_is_escaped() -> None:
    text = render_request(POS, "CompanyQueryRq", {}, {"requestID": 'a"<&\n'})
    assert etree.fromstring(text).get("requestID") == 'a"<&\n'


def test_an_iterator_is_started_continued_and_stopped_as_it_must_be() -> None:
    def query(body: dict[str, object], **attrs: str) -> str:
        return render_request(POS, "ItemInventoryQueryRq", body, attrs)

    page = {"MaxReturned": 200}
    assert query(page, iterator="Start").startswith('<ItemInventoryQueryRq iterator="Start">')
    assert query(page, iteratorID="{A}", iterator="Continue", requestID="s").startswith(
        '<ItemInventoryQueryRq requestID="s" iterator="Continue" iteratorID="{A}">'
    )
    assert query({}, iteratorID="{A}", iterator="Stop")
    with pytest.raises(ChoiceConflict):
        query(page, iterator="Start", iteratorID="{A}")
    with pytest.raises(MissingElement, match="iteratorID"):
        query(page, iterator="Continue")
    with pytest.raises(MissingElement, match="MaxReturned"):
        query({}, iterator="Start")
    with pytest.raises(NotInEnum):
        query(page, iterator="start")


def test_an_edition_refuses_what_it_does_not_know() -> None:
    body = {"CustomerAdd": {"Name": "Berg", "SalesTaxCountry": "Australia"}}
    assert render_request(DESKTOP, "CustomerAddRq", body)
    with pytest.raises(UnknownElement):
        render_request(DESKTOP, "CustomerAddRq", body, edition="QBD")
    with pytest.raises(UnknownMessage):
        render_request(DESKTOP, "InventorySiteQueryRq", {}, edition="QBAU")
    with pytest.raises(UnknownEdition, match="QBD"):
        render_request(DESKTOP, "CustomerAddRq", body, edition="US")


def test_without_an_edition_the_shortest_limit_holds() -> None:
    body = {"SalesTaxCodeAdd": {"Name": "GST10", "IsTaxable": True}}
    assert render_request(DESKTOP, "SalesTaxCodeAddRq", body, edition="QBAU")
    with pytest.raises(ValueTooLong):
        render_request(DESKTOP, "SalesTaxCodeAddRq", body)


def test_an_older_version_refuses_what_came_later() -> None:
    body = {"SalesReceiptAdd": {"TipReceiver": "Ann"}}
    assert render_request(POS, "SalesReceiptAddRq", body, version="2.0")
    with pytest.raises(UnknownElement):
        render_request(POS, "SalesReceiptAddRq", body, version="1.2")
    with pytest.raises(UnknownMessage):
        render_request(POS, "TxnReverseRq", {}, version="2.0")


@pytest.mark.parametrize("name", ["SalesReceiptAdd", "SalesReceiptAddRs", "PreferencesQueryRq", ""])
def test_only_requests_of_the_grammar_are_written(name: str) -> None:
    with pytest.raises(UnknownMessage):
        render_request(POS, name, {})


def test_a_message_set_of_point_of_sale_has_only_on_error() -> None:
    request = render_request(POS, "CompanyQueryRq", {}, {"requestID": "c"})
    assert message_set(POS, [request, request], "stopOnError") == (
        '<?xml version="1.0" encoding="utf-8"?>\n<?qbposxml version="3.0"?>\n'
        '<QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError"><CompanyQueryRq requestID="c"/>'
        '<CompanyQueryRq requestID="c"/></QBPOSXMLMsgsRq></QBPOSXML>'
    )
    with pytest.raises(UnknownElement) as caught:
        message_set(POS, [], attrs={"newMessageSetID": "x"})
    assert caught.value.path == "QBPOSXMLMsgsRq/@newMessageSetID"
    with pytest.raises(NotInEnum):
        message_set(POS, [], "rollbackOnError")


def test_a_message_set_of_desktop_has_an_id_of_24_characters_at_most() -> None:
    text = message_set(DESKTOP, [], attrs={"newMessageSetID": "order10453a1"})
    assert '<?qbxml version="13.0"?>' in text
    assert '<QBXMLMsgsRq newMessageSetID="order10453a1" onError="continueOnError">' in text
    assert '<?qbxml version="12.0"?>' in message_set(DESKTOP, [], version="12.0")
    with pytest.raises(ValueTooLong):
        message_set(DESKTOP, [], attrs={"newMessageSetID": "x" * 25})
    with pytest.raises(UnknownEdition):
        message_set(DESKTOP, [], version='13"?>')


def test_an_invoice_and_its_payment_are_written_as_desktop_wants_them() -> None:
    berg = {"ListID": "80000A11-1769000000"}
    invoice = render_request(
        DESKTOP,
        "InvoiceAddRq",
        {
            "InvoiceAdd": {
                "@defMacro": "TxnID:I10453",
                "Memo": "Web order 10453",
                "CustomerRef": berg,
                "RefNumber": "W10453",
                "TxnDate": date(2026, 1, 31),
                "PONumber": "10453",
                "ItemSalesTaxRef": {"FullName": "MA Tax"},
                "InvoiceLineAdd": [
                    {
                        "Rate": Decimal("7.50"),
                        "Quantity": 2,
                        "ItemRef": {"FullName": "Tea:Green 50g"},
                        "SalesTaxCodeRef": {"FullName": "Non"},
                    },
                    {"ItemRef": {"FullName": "Shipping"}, "Amount": Decimal("4.90")},
                ],
            }
        },
        {"requestID": "a1"},
        "QBD",
    )
    assert invoice == (
        '<InvoiceAddRq requestID="a1"><InvoiceAdd defMacro="TxnID:I10453"><CustomerRef>'
        "<ListID>80000A11-1769000000</ListID></CustomerRef><TxnDate>2026-01-31</TxnDate>"
        "<RefNumber>W10453</RefNumber><PONumber>10453</PONumber>"
        "<ItemSalesTaxRef><FullName>MA Tax</FullName></ItemSalesTaxRef><Memo>Web order 10453</Memo>"
        "<InvoiceLineAdd><ItemRef><FullName>Tea:Green 50g</FullName></ItemRef><Quantity>2</Quantity>"
        "<Rate>7.50</Rate><SalesTaxCodeRef><FullName>Non</FullName></SalesTaxCodeRef></InvoiceLineAdd>"
        "<InvoiceLineAdd><ItemRef><FullName>Shipping</FullName></ItemRef><Amount>4.90</Amount>"
        "</InvoiceLineAdd></InvoiceAdd></InvoiceAddRq>"
    )
    applied = {"TxnID": Macro("TxnID:I10453"), "PaymentAmount": Decimal("19.90")}
    payment = render_request(
        DESKTOP,
        "ReceivePaymentAddRq",
        {
            "ReceivePaymentAdd": {
                "AppliedToTxnAdd": applied,
                "CustomerRef": berg,
                "TotalAmount": Decimal("19.9"),
            }
        },
    )
    assert '<AppliedToTxnAdd><TxnID useMacro="TxnID:I10453"/><PaymentAmount>19.90</PaymentAmount>' in payment
