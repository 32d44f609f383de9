"""Orders that nobody can book as they are: each waits as failed, says where it lies and what to do, and loses nothing.

From the shop's webhook to the activity, and on to the books once the cause is mended.
"""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from ops_console import handwork
from queue_store.catalogue import bind
from queue_store.companies import get_company
from queue_store.models import Activity
from tests.flows.street import Street
from tests.harness import numbered, recorded_order
from woo_bridge.errors import Untranslatable

LATER = "2026-12-01T00:00:00"


def order(order_id: int = 501, **changes: Any) -> dict[str, Any]:
    return numbered(deepcopy(recorded_order("plain")), order_id, **changes)


def first_line(**changes: Any) -> dict[str, Any]:
    body = order()
    body["line_items"][0].update(changes)
    return body


#: What a shop may send although it makes no sense, and what the sentence must name: the field, and its value.
UNREADABLE = {
    "a line's total that is text": (first_line(total="ten"), "line_items[1].total: 'ten' is not an amount"),
    "a quantity that is text": (first_line(quantity="two"), "line_items[1].quantity: it is not a number"),
    "a price that is text": (first_line(price="free"), "line_items[1].price: 'free' is not an amount"),
    "a total that is not there": (order(total=None), "total: it is empty (null), not a number or text"),
    "a total that is not a number": (order(total="NaN"), "total: 'NaN' is not an amount"),
    "a total beyond all bounds": (order(total="1e40"), "total: "),
    "a currency of four letters": (order(currency="USDX"), "currency: 'USDX' is not a currency"),
    "a date that is none": (order(date_paid_gmt="yesterday"), "date_paid_gmt: 'yesterday' is not a date"),
    "no status": (order(status=""), "status: it is empty"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_order_that_cannot_be_read_names_its_field_and_is_kept(street: Street, case: str) -> None:
    body, field = UNREADABLE[case]
    assert street.post(body) == 200
    assert street.post(order(502)) == 200
    street.settle_down()
    failed, other = street.house.activities()
    assert (failed.state, other.state) == ("failed", "succeeded")
    name, _, place = failed.sentence.partition(" cannot be read: ")
    line_id = body["line_items"][0]["id"]
    assert name == "Order 501"
    assert place.startswith(field.replace("line_items[1]", f"line_items[{line_id}]"))
    assert "Mend the order in the shop and save it there, or retry this activity" in failed.sentence
    assert json.loads(failed.payload) == body
    with pytest.raises(Untranslatable, match="Order 501 cannot be read"):
        retry(street, failed)
    assert json.loads(street.house.activities()[0].payload) == body
    # Mended in the shop and saved there: its webhook brings it.
    street.post(order(date_modified_gmt=LATER))
    street.settle_down()
    assert street.house.states() == ["succeeded", "succeeded"]
    assert len(street.house.our_receipts()) == 2


def test_an_order_that_does_not_add_up_shows_the_sum_and_goes_once_the_shop_has_mended_it(
    street: Street,
) -> None:
    street.post(order(total="29.52"))
    street.settle_down()
    (failed,) = street.house.activities()
    assert failed.state == "failed"
    assert "Order 501 does not add up: " in failed.sentence
    assert "is 24.52, the shop says 29.52 (difference 5.00, allowed " in failed.sentence
    assert "Have it recalculated in the shop, or enter it by hand and cancel it here." in failed.sentence
    retry(street, failed)
    street.settle_down()
    assert street.house.states() == ["failed"]
    street.post(order(date_modified_gmt=LATER))
    street.settle_down()
    assert street.house.totals() == [Decimal("24.52")]


def _with_line(name: str) -> dict[str, Any]:
    """An order with a line of 0.00 whose product the shop does not have."""
    body = order()
    gone = {**body["line_items"][0], "id": 77, "product_id": 0, "sku": None, "name": name, "price": 0}
    body["line_items"].append(gone | {"subtotal": "0.00", "total": "0.00", "total_tax": "0.00", "taxes": []})
    return body


def test_a_line_of_an_unknown_product_fails_until_the_shop_has_mended_the_order(street: Street) -> None:
    """WooCommerce takes such an order and writes an empty line of 0.00."""
    street.post(_with_line(""))
    street.settle_down()
    (failed,) = street.house.activities()
    assert failed.state == "failed"
    assert "Order 501: line 77 names no product and has a total of 0.00" in failed.sentence
    assert "Take the line out in the shop, or enter what was sold." in failed.sentence
    street.post(order(date_modified_gmt=LATER))
    street.settle_down()
    assert street.house.totals() == [Decimal("24.52")]


def test_a_line_of_a_deleted_product_fails_until_an_item_is_named_for_it(street: Street) -> None:
    street.house.set("items.fallback", "")
    street.post(_with_line("Enamel mug"))
    street.settle_down()
    (failed,) = street.house.activities()
    assert failed.state == "failed"
    assert (
        "Order 501: line 'Enamel mug' cannot be told: its product was deleted from the shop."
        in failed.sentence
    )
    assert "qbwoo company set books items.fallback ITEM" in failed.sentence
    street.house.set("items.fallback", "Online Item")
    retry(street, failed)
    street.settle_down()
    assert street.house.totals() == [Decimal("24.52")]


def test_a_sku_that_quickbooks_does_not_have_goes_once_it_is_mapped(street: Street) -> None:
    street.house.set("items.missing", "refuse")
    street.post(order())
    street.settle_down()
    (failed,) = street.house.activities()
    assert failed.state == "failed"
    assert 'Order 501: SKU "WID-001" has no QuickBooks item.' in failed.sentence
    assert "qbwoo mapping set item 'WID-001' -- LISTID" in failed.sentence
    street.house.set("items.missing", "create")
    street.post(order(502))
    street.settle_down()
    (item,) = (item for item in street.house.pos.items() if item.alu == "WID-001")
    street.house.set("items.missing", "refuse")
    with street.database.write() as db:
        company_id = get_company(db, "books").id
        bind(db, company_id=company_id, kind="item", key="wid-001", list_id=item.list_id, source="operator")
    retry(street, failed)
    street.settle_down()
    assert street.house.states() == ["succeeded", "succeeded"]


def test_an_order_in_another_currency_goes_once_the_company_is_kept_in_it(street: Street) -> None:
    street.post(order(currency="EUR"))
    street.settle_down()
    (failed,) = street.house.activities()
    assert "Order 501 is in EUR, the company file is kept in USD" in failed.sentence
    street.house.set("currency", "EUR")
    retry(street, failed)
    street.settle_down()
    assert street.house.totals() == [Decimal("24.52")]


@pytest.mark.parametrize("total", [24.52, "24.520000000000000", "24.5200"])
def test_digits_beyond_the_cents_that_mean_nothing_do_no_harm(street: Street, total: object) -> None:
    body = order(total=total)
    # PHP's floats, as WooCommerce writes the price of a piece.
    body["line_items"][0]["price"] = 3.9900000000000002
    street.post(body)
    street.settle_down()
    assert street.house.totals() == [Decimal("24.52")]


@pytest.mark.parametrize(("total", "paid"), [("24.5249", "24.52"), ("24.525", "24.53"), ("24.5151", "24.52")])
def test_a_total_of_a_fraction_of_a_cent_goes_as_what_is_paid(street: Street, total: str, paid: str) -> None:
    """A payment provider charges whole cents, halves up."""
    street.post(order(total=total))
    street.settle_down()
    (receipt,) = street.house.our_receipts()
    assert receipt.total == sum(tender.amount for tender in receipt.tenders) == Decimal(paid)


def retry(street: Street, activity: Activity) -> None:
    with street.database.write() as db:
        handwork.retry(db, [activity.id], "test")
