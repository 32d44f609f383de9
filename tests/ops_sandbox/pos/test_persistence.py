"""The file behind a company, and yesterday's copy of it."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import fields
from decimal import Decimal

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.pos.errors import CompanyFileExists, NotACompanyFile


def state(company):
    return (
        company.receipts(),
        company.items(),
        company.customers(),
        company.departments(),
        company.sales_orders(),
    )


def fill(company):
    tea = company.add_item("Tea \x01", price1=Decimal("7.50"), on_hand={1: 5}, Weight=Decimal("0.5"))
    ann = company.add_customer("Berg", email="ann@x.example", BillAddress={"City": "Concord"})
    company.sell_in_store([(tea.list_id, 2)], customer_list_id=ann.list_id)
    return tea


def test_what_was_done_is_there_when_the_file_is_opened_again(tmp_path, clock):
    dialect = PosDialect.random(random.Random(3))
    with PosCompanyFile.create(
        tmp_path / "pos.db",
        company_name="Leaf",
        dialect=dialect,
        stores=(1, 4),
        clock=clock,
        utc_offset_hours=-6,
    ) as company:
        tea = fill(company)
        session = company.begin_session("Company Data=Leaf")
        session.process(
            '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError">'
            f"<TxnReverseRq><TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{company.receipts()[0].txn_id}</TxnID>"
            "</TxnReverseRq></QBPOSXMLMsgsRq></QBPOSXML>"
        )
        before = state(company)
        assert len(company.receipts()) == 2
    with PosCompanyFile.open(tmp_path / "pos.db", clock=clock) as again:
        assert state(again) == before
        assert (again.name, again.stores, again.dialect, again.utc_offset_hours) == (
            "Leaf",
            (1, 4),
            dialect,
            -6,
        )
        new = again.sell_in_store([(tea.list_id, 1)])
        assert new.number == 3
        assert new.txn_id not in {receipt.txn_id for receipt in before[0]}


def test_what_is_no_company_file_is_not_opened(tmp_path):
    (tmp_path / "text").write_text("hello " * 500)
    for name in ("text", "missing"):
        with pytest.raises(NotACompanyFile):
            PosCompanyFile.open(tmp_path / name)
    with pytest.raises(CompanyFileExists):
        PosCompanyFile.create(tmp_path / "text")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("in_memory", [True, False])
def test_yesterdays_file_can_be_put_back(tmp_path, clock, in_memory):
    with PosCompanyFile.create(None if in_memory else tmp_path / "pos.db", clock=clock) as company:
        tea = fill(company)
        company.backup(tmp_path / "yesterday.db")
        yesterday = state(company)
        lost = company.sell_in_store([(tea.list_id, 1)])
        company.restore(tmp_path / "yesterday.db")
        assert state(company) == yesterday
        again = company.sell_in_store([(tea.list_id, 1)])
        assert again.number == lost.number
        assert again.txn_id != lost.txn_id
        company.restore(tmp_path / "yesterday.db")
        assert company.sell_in_store([(tea.list_id, 1)]).txn_id not in {again.txn_id, lost.txn_id}
    if not in_memory:
        with PosCompanyFile.open(tmp_path / "pos.db", clock=clock) as reopened:
            assert len(reopened.receipts()) == 2


def test_a_backup_is_a_company_file_of_its_own(tmp_path, clock):
    with PosCompanyFile.create(None, clock=clock) as company:
        fill(company)
        company.backup(tmp_path / "copy.db")
        company.backup(tmp_path / "copy.db")
        assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
        with PosCompanyFile.open(tmp_path / "copy.db", clock=clock) as copy:
            assert state(copy) == state(company)


def test_two_openings_of_one_file_see_each_other(tmp_path, clock):
    with PosCompanyFile.create(tmp_path / "pos.db", clock=clock) as service:
        tea = fill(service)
        with PosCompanyFile.open(tmp_path / "pos.db", clock=clock) as operator:
            operator.set_stock(tea.list_id, 1, 100)
            assert service.item(tea.list_id).on_hand[1] == 100
            service.sell_in_store([(tea.list_id, 1)])
            operator.sell_in_store([(tea.list_id, 1)])
            assert [receipt.number for receipt in service.receipts()] == [1, 2, 3]
            assert state(service) == state(operator)


def test_threads_take_turns(tmp_path):
    with PosCompanyFile.create(tmp_path / "pos.db") as company:
        tea = fill(company)
        threads = [
            threading.Thread(target=lambda: [company.sell_in_store([(tea.list_id, 1)]) for _ in range(20)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert company.item(tea.list_id).on_hand[1] == 5 - 2 - 80
        assert len({receipt.number for receipt in company.receipts()}) == 81


def test_random_dialects_work_and_reach_every_switch():
    rng = random.Random(1)
    drawn = [PosDialect.random(rng) for _ in range(100)]
    assert PosDialect.random(random.Random(5)) == PosDialect.random(random.Random(5))
    for switch in fields(PosDialect):
        seen = {getattr(dialect, switch.name) for dialect in drawn}
        kept = switch.name in ("parse_error_executes", "unique_fields")
        assert (len(seen) == 1) is kept, switch.name
    for dialect in drawn[:10]:
        company = PosCompanyFile.create(None, dialect=dialect)
        fill(company)
        assert company.items()[0].on_hand[1] == 3


def test_a_busy_day_takes_seconds(tmp_path):
    with PosCompanyFile.create(tmp_path / "pos.db") as company:
        tea = company.add_item("Tea", price1=Decimal("1.00"), tax_code="Non")
        line = f"<SalesReceiptItemAdd><ListID>{tea.list_id}</ListID></SalesReceiptItemAdd>"
        receipt = (
            f"<SalesReceiptAddRq><SalesReceiptAdd>{line * 3}<TenderCashAdd><TenderAmount>3.00</TenderAmount></TenderCashAdd>"
            "</SalesReceiptAdd></SalesReceiptAddRq>"
        )
        text = (
            '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError">'
            f"{receipt * 50}</QBPOSXMLMsgsRq></QBPOSXML>"
        )
        session = company.begin_session("")
        started = time.perf_counter()
        for _ in range(10):
            assert session.process(text).count('statusCode="0"') == 50
        assert time.perf_counter() - started < 3
        assert company.item(tea.list_id).on_hand[1] == -1500
