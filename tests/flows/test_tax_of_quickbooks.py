"""Orders taxed by QuickBooks itself: its rates are asked for first, and again after a difference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from ops_sandbox.pos import PosCompanyFile
from qbwc_service.preparing import prepare_pending
from queue_store.activities import get_activity
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.mappings import set_mapping
from queue_store.models import TaxRate
from queue_store.operations import retry
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting
from tests.harness import House, make_house, numbered, recorded_order, recorded_refunds

CITY = "Local Sales Tax"
RATES = {(CITY, "Tax"): Decimal("9.5"), (CITY, "Sta"): Decimal("8.25"), (CITY, "Non"): Decimal(0)}


@pytest.fixture
def taxing(sqlite_database: Database, box: SecretBox) -> House:
    """A company that taxes by itself; the shop's rates 1+2 and 1 have their codes."""
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, tax_rates=RATES))
    house.set("tax.mode", "flavour")
    house.set("tax.beyond", "refuse")
    with house.database.write() as db:
        for key, value in (("rates:2+1", f"{CITY}/Tax"), ("rates:1", f"{CITY}/Sta")):
            set_mapping(
                db,
                get_company(db, "books"),
                kind="tax",
                key=key,
                list_id=value,
                store_id=get_store(db, "main").id,
                who="test",
            )
    return house


def test_the_rates_are_read_before_the_first_order_and_once(taxing: House) -> None:
    sets: list[str] = []
    taxing.take(recorded_order("plain"))
    taxing.run(on_set=lambda number, request: sets.append(request))
    (receipt,) = taxing.our_receipts()
    assert (receipt.total, receipt.tax_amount, receipt.tax_category) == (
        Decimal("24.52"),
        # 7.98 and 6.99 at 9.5 %, 7.50 at 8.25 %: 0.76 + 0.66 + 0.62. The shop rounds each rate: 2.05.
        Decimal("2.04"),
        CITY,
    )
    assert sum(request.count("<CompanyQueryRq") for request in sets) == 1
    taxing.take(numbered(recorded_order("reg"), 500))
    sets.clear()
    taxing.run(on_set=lambda number, request: sets.append(request))
    assert taxing.states() == ["succeeded", "succeeded"]
    assert not any("<CompanyQueryRq" in request for request in sets)


def test_a_rate_that_changed_in_quickbooks_writes_nothing_wrong_and_is_read_again(taxing: House) -> None:
    taxing.take(recorded_order("plain"))
    taxing.run()
    taxing.pos.set_tax(CITY, "Tax", Decimal("9.6"))
    taxing.take(numbered(recorded_order("plain"), 501))
    taxing.run()
    # Its tenders no longer add up to QuickBooks' total.
    assert "20004" in taxing.activities()[1].sentence
    taxing.set("tax.mode", "flavour")
    sets: list[str] = []
    taxing.take(numbered(recorded_order("reg"), 503))
    taxing.run(on_set=lambda number, request: sets.append(request))
    assert sum(request.count("<CompanyQueryRq") for request in sets) == 1
    assert taxing.activities()[2].state == "succeeded"
    assert taxing.totals()[1] == Decimal("40.93")


def test_rates_are_asked_for_again_after_a_day(taxing: House) -> None:
    taxing.take(recorded_order("plain"))
    taxing.run()
    with taxing.database.write() as db:
        db.execute(update(TaxRate).values(read_at=datetime.now(UTC) - timedelta(hours=25)))
    sets: list[str] = []
    taxing.take(numbered(recorded_order("reg"), 503))
    prepare_pending(taxing.database)
    taxing.run(on_set=lambda number, request: sets.append(request))
    assert sum(request.count("<CompanyQueryRq") for request in sets) == 1
    assert taxing.states() == ["succeeded", "succeeded"]


def test_a_rate_that_nobody_mapped_fails_and_goes_once_it_is(taxing: House) -> None:
    taxing.take(recorded_order("qc"))
    taxing.run()
    (sale,) = taxing.activities()
    assert sale.state == "failed"
    assert "qbwoo mapping set tax rates:5+6 CATEGORY/CODE --store main" in sale.sentence
    with taxing.database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        taxing.pos.set_tax(CITY, "Sta", Decimal("14.975"))
        taxing_rate = {"kind": "tax", "list_id": f"{CITY}/Sta", "store_id": store.id, "who": "test"}
        for key in ("rates:5+6", "rates:5"):
            set_mapping(db, company, key=key, **taxing_rate)
        set_company_setting(db, company, "tax.beyond", "line", who="test")
        retry(db, get_activity(db, sale.id), "test")
    taxing.run()
    assert taxing.states() == ["succeeded"]
    assert taxing.totals() == [Decimal("63.79")]


def test_a_return_is_taxed_as_its_sale_was_whatever_is_set_now(taxing: House) -> None:
    order = recorded_order("rpart")
    taxing.take({**order, "refunds": []})
    taxing.run()
    taxing.set("tax.mode", "line")
    arrived = {**order, "date_modified_gmt": "2026-11-22T01:00:00"}
    taxing.take(arrived)
    taxing.take_refunds(arrived, recorded_refunds(order["id"]))
    taxing.run_until_quiet()
    sale, back = taxing.our_receipts()
    assert (sale.tax_category, back.type, back.tax_category) == (CITY, "Return", CITY)
    # 42.99 at 9.5 % is 4.08 to QuickBooks, 4.09 to the shop.
    assert (back.total, back.tax_amount) == (Decimal("47.08"), Decimal("4.08"))
