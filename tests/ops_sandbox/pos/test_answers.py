"""How answers look. Source of the rules: recordings, protocol reference 5.3."""

from __future__ import annotations

import pytest
from lxml import etree

from qbxml.grammar import Choice, load_grammar


def test_an_answer_is_framed_as_recorded(desk):
    text = desk.session.process(desk.document('<VendorQueryRq requestID="a&amp;b"/>'))
    assert text.startswith('<?xml version="1.0" encoding="windows-1252"?>')
    assert "qbposxml version" not in text
    assert 'requestID="a&amp;b" retCount="0" statusCode="1" statusMessage=' in text


def test_a_request_id_is_echoed_only_if_sent(desk):
    with_id, without = desk.ask('<CompanyQueryRq requestID="1"/><CompanyQueryRq/>')
    assert with_id.get("requestID") == "1"
    assert "requestID" not in without.attrib


def test_ids_and_times_come_first_then_simple_fields_alphabetically_then_aggregates(desk):
    ret = desk.one("<ItemInventoryQueryRq/>")[0]
    names = [child.tag for child in ret]
    assert names[:3] == ["ListID", "TimeCreated", "TimeModified"]
    simple = [child.tag for child in ret if len(child) == 0][3:]
    assert simple == sorted(simple, key=str.casefold)
    assert {child.tag for child in ret[len(simple) + 3 :]} == {"AvailableQty"}


def test_values_are_spelt_as_recorded(desk):
    ret = desk.one("<ItemInventoryQueryRq/>")[0]
    assert ret.findtext("OnHandStore01") == "12.00"
    assert ret.findtext("QuantityOnHand") == "15.00"
    assert ret.findtext("Price1") == "7.50"
    assert ret.findtext("IsWebItem") == "False"
    assert ret.findtext("TimeCreated") == "2026-01-31T10:00:00-05:00"
    assert ret.find("Desc2") is None
    assert ret.find("OnHandStore03") is None
    assert [one.findtext("StoreNumber") for one in ret.findall("AvailableQty")] == ["1", "2"]


def test_ids_are_64_bit_mostly_negative_and_the_same_in_every_run(make_desk):
    runs = []
    for _ in range(2):
        desk = make_desk()
        runs.append([desk.company.add_item(str(number)).list_id for number in range(100)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 100
    assert all(-(2**63) <= int(one) < 2**63 for one in runs[0])
    assert 70 <= sum(int(one) < 0 for one in runs[0]) < 100


def test_times_carry_the_offset_of_the_query(desk):
    desk.company.utc_offset_hours = -4
    ret = desk.one("<ItemInventoryQueryRq/>")[0]
    assert ret.findtext("TimeCreated") == "2026-01-31T11:00:00-04:00"


def test_times_of_the_other_half_of_the_year_may_be_an_hour_off(make_desk):
    desk = make_desk(stamps="wall_clock_kept")
    desk.company.utc_offset_hours = -4
    ret = desk.one("<ItemInventoryQueryRq/>")[0]
    assert ret.findtext("TimeCreated") == "2026-01-31T10:00:00-04:00"
    same = f"""<ItemInventoryQueryRq><TimeCreatedFilter><MatchNumericCriterion>Equal</MatchNumericCriterion>
      <TimeCreated>{ret.findtext("TimeCreated")}</TimeCreated></TimeCreatedFilter></ItemInventoryQueryRq>"""
    assert desk.one(same).get("retCount") == "1"


def test_control_characters_come_back_as_illegal_references(make_desk):
    desk = make_desk()
    desk.company.add_item("bad\x1ftea")
    text = desk.session.process(desk.document("<ItemInventoryQueryRq/>"))
    assert "bad&#x1F;tea" in text
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(text.encode("windows-1252"))
    clean = make_desk(control_characters="dropped")
    clean.company.add_item("bad\x1ftea")
    assert clean.one("<ItemInventoryQueryRq/>")[1].findtext("Desc1") == "badtea"


def test_markup_and_foreign_characters_are_escaped(desk):
    desk.company.add_item('<b> & "山"')
    assert desk.one("<ItemInventoryQueryRq/>")[1].findtext("Desc1") == '<b> & "山"'


def test_company_query_tells_stores_price_levels_and_taxes(desk):
    company = desk.one("<CompanyQueryRq/>").find("CompanyRet")
    assert company.findtext("CompanyName") == "Sandbox Goods"
    assert [store.findtext("StoreNumber") for store in company.findall("Store")] == ["1", "2"]
    assert company.findtext("PriceLevel5/Name")
    taxes = {
        (one.findtext("TaxCategory"), one.findtext("POSTaxCode")): one.findtext("TaxPercent")
        for one in company.findall("TaxRecord")
    }
    assert taxes["Local Sales Tax", "Tax"] == "8.25"
    assert taxes["Local Sales Tax", "Non"] == "0"


def known_names(content):
    names = {}
    for entry in content:
        if isinstance(entry, Choice):
            for branch in entry.branches:
                names.update(known_names(branch))
        else:
            names[entry.name] = entry.content
    return names


def assert_known(element, content):
    names = known_names(content)
    for child in element:
        assert child.tag in names, f"{child.tag} in {element.tag}"
        assert_known(child, names[child.tag])


def test_every_element_answered_is_in_the_grammar(desk):
    tea = desk.tea.list_id
    (added,) = desk.ask(
        "<CustomerAddRq><CustomerAdd><EMail>a@x.example</EMail><LastName>Berg</LastName>"
        "<BillAddress><City>C</City><PostalCode>0123456789012</PostalCode></BillAddress></CustomerAdd></CustomerAddRq>"
    )
    customer = added.findtext("CustomerRet/ListID")
    head = f"<CustomerListID>{customer}</CustomerListID>"
    answers = desk.ask(
        "<CompanyQueryRq/><CustomerQueryRq/><DepartmentQueryRq/><ItemInventoryQueryRq/>"
        + desk.receipt(desk.line("<Discount>1.00</Discount><TaxCode>Non</TaxCode>"), "6.50", head)
        + f"<SalesOrderAddRq><SalesOrderAdd>{head}<SalesOrderItemAdd><ListID>{tea}</ListID></SalesOrderItemAdd>"
        "</SalesOrderAdd></SalesOrderAddRq><SalesReceiptQueryRq/><SalesOrderQueryRq/>"
        "<InventoryQtyAdjustmentAddRq><InventoryQtyAdjustmentAdd><Reason>Count</Reason><InventoryQtyAdjustmentItemAdd>"
        f"<ListID>{tea}</ListID><NewQuantity>9</NewQuantity></InventoryQtyAdjustmentItemAdd></InventoryQtyAdjustmentAdd>"
        "</InventoryQtyAdjustmentAddRq><InventoryQtyAdjustmentQueryRq/>"
        f"<ListDelRq><ListDelType>ItemInventory</ListDelType><ListID>{tea}</ListID></ListDelRq>"
        "<ListDeletedQueryRq><ListDelType>ItemInventory</ListDelType></ListDeletedQueryRq>"
    )
    grammar = load_grammar("qbposxml")
    for answer in answers:
        assert (answer.tag, answer.get("statusCode"), answer.get("statusMessage")) == (
            answer.tag,
            "0",
            "Status OK",
        )
        assert set(answer.attrib) <= set(grammar.messages[answer.tag].attrs)
        assert len(answer) > 0
        assert_known(answer, grammar.messages[answer.tag].content)
