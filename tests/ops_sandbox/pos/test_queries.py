"""Filters, limits, iterators."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest


def string_filter(field, criterion, text, kind="ItemInventory"):
    return (
        f"<{kind}QueryRq><{field}Filter><MatchStringCriterion>{criterion}</MatchStringCriterion>"
        f"<{field}>{text}</{field}></{field}Filter></{kind}QueryRq>"
    )


def number_filter(field, criterion, text, kind="ItemInventory", more=""):
    return (
        f"<{kind}QueryRq><{field}Filter><MatchNumericCriterion>{criterion}</MatchNumericCriterion>"
        f"<{field}>{text}</{field}></{field}Filter>{more}</{kind}QueryRq>"
    )


def alus(answer):
    return [ret.findtext("ALU") for ret in answer]


@pytest.fixture
def shelf(desk):
    """TEA-50 and a hundred more, numbered from 00."""
    for number in range(100):
        desk.company.add_item(
            f"Cup {number:02d}",
            alu=f"CUP-{number:02d}",
            upc=f"{number:03d}9",
            price1=Decimal(number),
            on_hand={1: number},
        )
    return desk


@pytest.mark.parametrize(
    ("criterion", "text", "expected"),
    [
        ("Equal", "CUP-07", ["CUP-07"]),
        ("Equal", "cup-07", ["CUP-07"]),
        ("Equal", "CUP-0", []),
        ("StartsWith", "TEA", ["TEA-50"]),
        ("StartsWith", "CUP-9", [f"CUP-9{digit}" for digit in range(10)]),
        ("Contains", "P-50", ["CUP-50"]),
        ("EndsWith", "-50", ["TEA-50", "CUP-50"]),
    ],
)
def test_text_filters(shelf, criterion, text, expected):
    assert alus(shelf.one(string_filter("ALU", criterion, text))) == expected


def test_case_may_matter(make_desk):
    desk = make_desk(filter_ignores_case=False)
    assert desk.one(string_filter("ALU", "Equal", "tea-50")).get("retCount") == "0"
    assert desk.one(string_filter("ALU", "Equal", "TEA-50")).get("retCount") == "1"


@pytest.mark.parametrize(
    ("criterion", "expected"),
    [
        ("LessThan", ["CUP-00", "CUP-01"]),
        ("LessThanEqual", ["CUP-00", "CUP-01", "CUP-02"]),
        ("Equal", ["CUP-02"]),
    ],
)
def test_number_filters(shelf, criterion, expected):
    assert alus(shelf.one(number_filter("Price1", criterion, "2.00"))) == expected


def test_greater_than_is_open_and_greater_than_equal_is_not(shelf):
    assert shelf.one(number_filter("Price1", "GreaterThan", "90.00")).get("retCount") == "9"
    assert shelf.one(number_filter("Price1", "GreaterThanEqual", "90.00")).get("retCount") == "10"


def test_ranges_include_both_ends(shelf):
    ranged = (
        "<ItemInventoryQueryRq><OnHandStore01RangeFilter><FromOnHandStore01>3</FromOnHandStore01>"
        "<ToOnHandStore01>5.00</ToOnHandStore01></OnHandStore01RangeFilter></ItemInventoryQueryRq>"
    )
    assert alus(shelf.one(ranged)) == ["CUP-03", "CUP-04", "CUP-05"]


def test_several_filters_hold_together(shelf):
    both = (
        "<ItemInventoryQueryRq><ALUFilter><MatchStringCriterion>StartsWith</MatchStringCriterion><ALU>CUP-1</ALU></ALUFilter>"
        "<Price1Filter><MatchNumericCriterion>LessThan</MatchNumericCriterion><Price1>12.00</Price1></Price1Filter>"
        "</ItemInventoryQueryRq>"
    )
    assert alus(shelf.one(both)) == ["CUP-10", "CUP-11"]


def test_only_the_first_of_several_filters_may_be_heeded(make_desk):
    desk = make_desk(several_filters="first_only")
    desk.company.add_item("Other", alu="TEA-60", item_type="Service")
    both = (
        "<ItemInventoryQueryRq><ALUFilter><MatchStringCriterion>StartsWith</MatchStringCriterion><ALU>TEA</ALU></ALUFilter>"
        "<ItemType>Service</ItemType></ItemInventoryQueryRq>"
    )
    assert alus(desk.one(both)) == ["TEA-50", "TEA-60"]


def test_bare_elements_select_by_id_enumeration_and_truth(desk):
    web = desk.company.add_item("Gift wrap", alu="WRAP", item_type="Service", IsWebItem=True)
    for bare in (
        f"<ListID>{web.list_id}</ListID>",
        "<ItemType>Service</ItemType>",
        "<IsWebItem>true</IsWebItem>",
    ):
        assert alus(desk.one(f"<ItemInventoryQueryRq>{bare}</ItemInventoryQueryRq>")) == ["WRAP"]
    department = f"<DepartmentListID>{web.department_list_id}</DepartmentListID>"
    assert desk.one(f"<ItemInventoryQueryRq>{department}</ItemInventoryQueryRq>").get("retCount") == "2"


def test_filters_follow_what_changes(shelf):
    shelf.one(number_filter("OnHandStore01", "Equal", "7"))
    shelf.one(string_filter("ALU", "Equal", "CUP-07"))
    cup = next(item for item in shelf.company.items() if item.alu == "CUP-07")
    shelf.company.set_stock(cup.list_id, 1, 500)
    shelf.company.change_item(cup.list_id, ALU="MUG")
    assert alus(shelf.one(number_filter("OnHandStore01", "Equal", "500"))) == ["MUG"]
    assert alus(shelf.one(number_filter("OnHandStore01", "Equal", "7"))) == []
    assert alus(shelf.one(string_filter("ALU", "Equal", "CUP-07"))) == []
    shelf.company.delete_item(cup.list_id)
    assert alus(shelf.one(string_filter("ALU", "Equal", "MUG"))) == []


def test_changed_since_compares_instants(shelf):
    shelf.clock.forward(minutes=5)
    cup = next(item for item in shelf.company.items() if item.alu == "CUP-07")
    shelf.company.set_stock(cup.list_id, 1, 1)
    for since in ("2026-01-31T10:05:00-05:00", "2026-01-31T15:05:00+00:00", "2026-01-31T10:05:00"):
        assert alus(shelf.one(number_filter("TimeModified", "GreaterThanEqual", since))) == ["CUP-07"]
    assert alus(shelf.one(number_filter("TimeModified", "GreaterThan", "2026-01-31T10:05:00-05:00"))) == []


@pytest.mark.parametrize(
    ("no_match", "code", "count"),
    [
        ("status_1", "1", "0"),
        ("status_1_no_retcount", "1", None),
        ("status_0", "0", "0"),
        ("status_0_no_retcount", "0", None),
    ],
)
def test_no_match_has_several_forms(make_desk, no_match, code, count):
    desk = make_desk(no_match=no_match)
    answer = desk.one(string_filter("ALU", "Equal", "none"))
    assert (answer.get("statusCode"), answer.get("retCount")) == (code, count)
    assert answer.get("statusSeverity") == "Info"
    assert len(answer) == 0


def test_a_query_by_an_unknown_id_may_warn(make_desk):
    query = "<ItemInventoryQueryRq><ListID>-5</ListID></ItemInventoryQueryRq>"
    assert make_desk().one(query).get("statusCode") == "1"
    answer = make_desk(unknown_id_query="status_500").one(query)
    assert (answer.get("statusCode"), answer.get("statusSeverity")) == ("500", "Warn")


def test_max_returned_without_iterator_cuts_off(shelf):
    answer = shelf.one("<ItemInventoryQueryRq><MaxReturned>2</MaxReturned></ItemInventoryQueryRq>")
    assert alus(answer) == ["TEA-50", "CUP-00"]
    assert answer.get("retCount") == "2"
    assert "iteratorID" not in answer.attrib


def test_meta_data_only_counts(shelf):
    answer = shelf.one('<ItemInventoryQueryRq metaData="MetaDataOnly"/>')
    assert (answer.get("retCount"), len(answer)) == ("101", 0)


def test_include_ret_element_leaves_the_rest_out_in_queries_and_adds(desk):
    ret = desk.one(
        "<ItemInventoryQueryRq><IncludeRetElement>OnHandStore01</IncludeRetElement>"
        "<IncludeRetElement>AvailableQty</IncludeRetElement></ItemInventoryQueryRq>"
    )[0]
    assert [child.tag for child in ret] == ["OnHandStore01", "AvailableQty", "AvailableQty"]
    added = desk.one(
        "<CustomerAddRq><CustomerAdd><LastName>B</LastName></CustomerAdd><IncludeRetElement>ListID</IncludeRetElement>"
        "</CustomerAddRq>"
    )
    assert [child.tag for child in added[0]] == ["ListID"]


def page(kind, iterator_id="", size=40, inner=""):
    attrs = f'iterator="{kind}"' + (f' iteratorID="{iterator_id}"' if iterator_id else "")
    return f"<ItemInventoryQueryRq {attrs}><MaxReturned>{size}</MaxReturned>{inner}</ItemInventoryQueryRq>"


def test_an_iterator_gives_everything_once_in_pages(shelf):
    answer = shelf.one(page("Start"))
    seen, left = alus(answer), [answer.get("iteratorRemainingCount")]
    while answer.get("iteratorRemainingCount") != "0":
        answer = shelf.one(page("Continue", answer.get("iteratorID"), 35))
        seen += alus(answer)
        left.append(answer.get("iteratorRemainingCount"))
    assert left == ["61", "26", "0"]
    assert seen == [item.alu for item in shelf.company.items()]


def test_continue_has_to_repeat_the_request(shelf):
    started = shelf.one(page("Start"))
    other = page("Continue", started.get("iteratorID"), inner="<IncludeRetElement>ALU</IncludeRetElement>")
    assert shelf.one(other).get("statusSeverity") == "Error"


def test_an_iterator_ends_with_stop_and_belongs_to_its_session(shelf):
    started = shelf.one(page("Start"))
    iterator_id = started.get("iteratorID")
    first_session, shelf.session = shelf.session, shelf.company.begin_session("")
    assert shelf.one(page("Continue", iterator_id)).get("statusSeverity") == "Error"
    shelf.session = first_session
    stopped = shelf.one(f'<ItemInventoryQueryRq iterator="Stop" iteratorID="{iterator_id}"/>')
    assert (stopped.get("statusCode"), len(stopped)) == ("0", 0)
    assert shelf.one(page("Continue", iterator_id)).get("statusSeverity") == "Error"
    assert shelf.one(page("Continue", "nonsense")).get("statusSeverity") == "Error"


def test_receipts_are_found_by_what_can_carry_an_order_number(desk):
    head = "<Comments>WEB-10452 online order</Comments><PromoCode>W10452</PromoCode><TrackingNumber>WEB-10452</TrackingNumber>"
    desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", head))
    desk.one(desk.receipt(desk.line("<TaxCode>Non</TaxCode>"), "7.50", head.replace("10452", "10453")))
    for query in (
        string_filter("TrackingNumber", "Equal", "WEB-10452", "SalesReceipt"),
        string_filter("Comments", "StartsWith", "WEB-10452 ", "SalesReceipt"),
        string_filter("PromoCode", "Equal", "W10452", "SalesReceipt"),
        number_filter("SalesReceiptNumber", "Equal", "1", "SalesReceipt"),
    ):
        answer = desk.one(query)
        assert [ret.findtext("TrackingNumber") for ret in answer] == ["WEB-10452"]
    assert desk.one(number_filter("TxnDate", "Equal", "2026-01-31", "SalesReceipt")).get("retCount") == "2"
    assert (
        desk.one(string_filter("Comments", "StartsWith", "x" * 301, "SalesReceipt")).get("statusCode")
        == "3070"
    )


def test_indexed_look_ups_give_what_reading_everything_gives(shelf):
    """The same questions to a company too small for indexes, one item at a time."""
    rng = random.Random(1)
    everything = shelf.company.items()
    for _ in range(50):
        low, high = sorted((rng.randrange(-5, 105), rng.randrange(-5, 105)))
        asked = shelf.one(
            f"<ItemInventoryQueryRq><Price1RangeFilter><FromPrice1>{low}.00</FromPrice1><ToPrice1>{high}.00</ToPrice1>"
            "</Price1RangeFilter></ItemInventoryQueryRq>"
        )
        assert alus(asked) == [item.alu for item in everything if low <= item.price1 <= high]
