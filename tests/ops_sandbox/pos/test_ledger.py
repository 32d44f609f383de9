"""Whatever staff and messages do, no piece appears or vanishes without a document that says so."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.pos.errors import RequestRefused


def deeds(company, rng, items, buyer, ledger):
    """One deed by chance, written into the ledger by (item, store)."""
    item, store, qty = rng.choice(items), rng.choice((1, 2)), rng.randint(1, 4)

    def sell():
        receipt = company.sell_in_store([(item, qty)], store=store)
        ledger[item, store] -= qty
        if rng.random() < 0.3:
            company.reverse_receipt(receipt.txn_id)
            ledger[item, store] += qty

    def bring_back():
        company.return_in_store([(item, qty)], store=store)
        ledger[item, store] += qty

    def receive():
        company.receive([(item, qty)], store=store)
        ledger[item, store] += qty

    def carry():
        company.transfer([(item, qty)], source=store, target=3 - store)
        ledger[item, store] -= qty
        ledger[item, 3 - store] += qty

    def count():
        company.count_stock({item: qty}, store=store)
        ledger[item, store] = qty

    def order():
        txn_id = company.take_order([(item, qty)], buyer).txn_id
        if rng.random() < 0.6:
            company.hand_out_order(txn_id, [(item, 1)], store=store)
            ledger[item, store] -= 1

    rng.choice((sell, sell, bring_back, receive, carry, count, order))()


@pytest.mark.parametrize("seed", range(12))
def test_stock_is_what_the_documents_say_under_any_dialect(seed):
    rng = random.Random(seed)
    company = PosCompanyFile.create(None, dialect=PosDialect.random(rng))
    items = [one.list_id for one in company.add_items(5, on_hand={1: 20, 2: 20})]
    buyer = company.add_customer("Berg").list_id
    ledger = Counter({(item, store): 20 for item in items for store in (1, 2)})
    for _ in range(120):
        deeds(company, rng, items, buyer, ledger)
    for item in items:
        shown = company.item(item)
        assert shown.on_hand == {1: ledger[item, 1], 2: ledger[item, 2]}
        assert shown.fields["QuantityOnHand"] == sum(shown.on_hand.values())
        wanted = Decimal(0)
        for order in company.sales_orders():
            fields = company._store.find("SalesOrder", order.txn_id).fields
            if order.status != "Closed":
                wanted += sum(
                    line["Qty"] - line["QtySold"]
                    for line in fields["SalesOrderItemRet"]
                    if line["ListID"] == item
                )
        assert shown.on_customer_order == wanted
        kept = {one["StoreNumber"]: one["QuantityOnCustomerOrder"] for one in shown.fields["AvailableQty"]}
        assert kept == {1: wanted, 2: 0}


def test_the_items_of_a_style_are_alike_but_for_size_and_attribute():
    company = PosCompanyFile.create(None)
    vendor = company.add_vendor("Hats Inc").list_id
    red, blue = company.add_style(
        "Hat",
        [
            {"alu": "HAT-R", "Attribute": "Red", "Size": "S", "on_hand": {1: 4}},
            {"alu": "HAT-B", "Attribute": "Blue", "Size": "M"},
        ],
        price1=Decimal("20.00"),
        VendorListID=vendor,
    )
    assert (red.desc1, red.department_list_id) == (blue.desc1, blue.department_list_id)
    assert (red.attribute, blue.size, red.on_hand[1]) == ("Red", "M", 4)
    assert red.fields["VendorCode"] == "HAT"


def test_a_set_of_deeds_that_is_refused_leaves_the_ledger_alone():
    company = PosCompanyFile.create(None)
    (item,) = company.add_items(1, on_hand={1: 5})
    with pytest.raises(RequestRefused):
        company.receive([(item.list_id, -3)])
    assert company.stock(item.list_id) == 5
