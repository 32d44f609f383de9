"""Reconciliation: what the shop sold against what QuickBooks has, record by record."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ops_console import accepting, reconciliation, undoing
from ops_console.comparing import Row
from ops_console.daily_reconciliation import DAILY, daily_period
from ops_console.reconciliation_report import Report, report_decoder, write_csv
from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store import reconciliations
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import PeriodReceipt, Reconciliation, Store
from queue_store.secrets import SecretBox
from queue_store.tasks import close_tasks, open_tasks
from tests.flows.test_found_by_faults import dearer, unpaid
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order, recorded_refunds
from woo_bridge.client import ShopClient
from woo_bridge.errors import ShopUnreachable
from woo_bridge.scheduler import Scheduler
from woo_bridge.shop_clock import shop_offset

PLAIN = recorded_order("plain")
DAY = date.fromisoformat(PLAIN["date_created"][:10])
TOTAL = Decimal("24.52")


def closed(store: Store) -> ShopClient:
    raise ShopUnreachable("GET orders", "closed")


def ask(house: House, since: date = DAY, until: date = DAY) -> int:
    with house.database.write() as db:
        return reconciliations.ask(db, get_store(db, "main"), since, until, who="test").id


def compared(house: House) -> Report:
    assert reconciliation.compare_due(house.database, closed) == 1
    with house.database.read() as db:
        done = reconciliations.last_done(db, get_store(db, "main"))
        assert done is not None
        assert done.report is not None
        assert db.query(PeriodReceipt).count() == 0
        return report_decoder.decode(done.report)


def reconciled(house: House, **period: date) -> Report:
    ask(house, **period)
    house.run_until_quiet()
    return compared(house)


def verdicts(report: Report) -> dict[str, str]:
    return {row.reference: row.verdict for row in report.rows}


def tasks(house: House) -> list[str]:
    with house.database.read() as db:
        return [task.kind for task in open_tasks(db)]


def request(house: House, text: str) -> str:
    books = house.pos.begin_session("Company Data=Sandbox Goods")
    try:
        return books.process(
            '<?xml version="1.0"?><?qbposxml version="3.0"?><QBPOSXML><QBPOSXMLMsgsRq onError="stopOnError">'
            f"{text}</QBPOSXMLMsgsRq></QBPOSXML>"
        )
    finally:
        books.end()


def sell_at_the_till(house: House, comments: str, price: str, day: date = DAY) -> None:
    """A receipt that nobody here wrote."""
    item = house.pos.add_item("Thing", alu=f"T{comments[-9:]}", tax_code="Non")
    request(
        house,
        f"<SalesReceiptAddRq><SalesReceiptAdd><Comments>{comments}</Comments><TxnDate>{day}</TxnDate>"
        f"<SalesReceiptItemAdd><ListID>{item.list_id}</ListID><Price>{price}</Price><Qty>1</Qty>"
        f"<TaxCode>Non</TaxCode></SalesReceiptItemAdd><TenderCashAdd><TenderAmount>{price}</TenderAmount>"
        "</TenderCashAdd></SalesReceiptAdd></SalesReceiptAddRq>",
    )


def test_an_order_and_its_receipt_agree(house: House) -> None:
    house.take(PLAIN)
    house.run_until_quiet()
    report = reconciled(house)
    (row,) = report.rows
    assert (row.verdict, row.shop_total, row.books_total, row.why) == ("equal", TOTAL, TOTAL, "")
    assert report.shop_problem.startswith("The shop itself could not be asked")
    assert tasks(house) == []


def test_each_kind_of_disagreement_is_told_where_and_by_how_much(house: House) -> None:
    equal, changed, doubled, waiting, failed, gone = (numbered(PLAIN, number) for number in range(801, 807))
    for order in (equal, changed, doubled, gone):
        house.take(order)
    house.run_until_quiet()
    house.take(dearer(changed))
    house.take(unpaid(waiting) | {"date_paid": None, "date_paid_gmt": None})
    house.set("items.missing", "refuse")
    house.take({**failed, "line_items": [{**one, "sku": "NOBODY-KNOWS"} for one in PLAIN["line_items"]]})
    sell_at_the_till(house, "WMAIN-803/1 again", "24.52")
    sell_at_the_till(house, "WMAIN-999/1 of another", "5.00")
    sell_at_the_till(house, "a sale at the till", "7.00")
    (lost,) = [one for one in house.our_receipts() if one.comments.startswith("WMAIN-806/")]
    request(
        house,
        f"<TxnReverseRq><TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{lost.txn_id}</TxnID></TxnReverseRq>",
    )
    house.run_until_quiet()
    report = reconciled(house)
    rows = {row.reference: row for row in report.rows}
    assert verdicts(report) == {
        "801": "equal",
        "802": "differs",
        "803": "doubled",
        "804": "only in the shop",
        "805": "only in the shop",
        "806": "only in the shop",
        "WMAIN-999": "only in QuickBooks",
    }
    assert rows["802"].difference == Decimal("-1.00")
    assert "total 24.52 instead of 25.52" in rows["802"].why
    assert "line 1: " in rows["802"].why
    assert "waits" in rows["804"].why
    assert not rows["804"].alarming
    assert "NOBODY-KNOWS" in rows["805"].why
    assert "was reversed in QuickBooks" in rows["806"].why
    assert rows["806"].alarming
    assert rows["WMAIN-999"].books_total == Decimal("5.00")
    assert len(rows["803"].receipts) == 2
    assert "reconciliation" in tasks(house)
    assert report.counts["equal"] == 1


def test_a_receipt_that_quickbooks_does_not_show_is_an_alarm(house: House) -> None:
    house.take(PLAIN)
    house.run_until_quiet()
    with house.pos.transaction():
        house.pos._store.remove(house.pos._store.find("SalesReceipt", house.our_receipts()[0].txn_id))
    (row,) = reconciled(house).rows
    assert row.verdict == "only in the shop"
    assert "which QuickBooks does not show" in row.why


def test_what_was_undone_is_no_disagreement_whatever_quickbooks_shows(
    sqlite_database: Database, box: SecretBox
) -> None:
    house = make_house(
        sqlite_database,
        box,
        PosCompanyFile.create(None, dialect=PosDialect(reversal_marks_receipts=False)),
    )
    house.take(PLAIN)
    house.run_until_quiet()
    with house.database.write() as db:
        undoing.undo(db, house.activities()[0].id, "test", again=True)
    house.run_until_quiet()
    (row,) = reconciled(house, since=DAY, until=datetime.now(UTC).date()).rows
    assert (row.verdict, row.mark) == ("equal", f"WMAIN-{PLAIN['id']}/2")


def test_only_documents_of_the_period_are_reported(house: House) -> None:
    for number, days in ((801, -2), (802, 0), (803, 2)):
        moved = {
            name: (datetime.fromisoformat(PLAIN[name]) + timedelta(days=days)).isoformat()
            for name in ("date_created", "date_created_gmt", "date_modified_gmt")
        }
        house.take(numbered(PLAIN, number, **moved))
    house.run_until_quiet()
    assert verdicts(reconciled(house)) == {"802": "equal"}


@pytest.mark.parametrize("lost", range(1, 6))
@pytest.mark.parametrize("executed", [True, False])
def test_any_one_answer_of_the_reading_may_be_lost(house: House, lost: int, executed: bool) -> None:
    house.set("pull.page", "10")
    for number in range(801, 825):
        house.take(numbered(PLAIN, number))
    house.run_until_quiet()
    ask(house)

    def broken(number: int) -> None:
        if number == lost:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: broken(number))
    else:
        house.run(on_set=lambda number, request: broken(number))
    house.run_until_quiet()
    assert compared(house).counts["equal"] == 24


def test_a_long_period_goes_in_windows_and_one_that_does_not_fit_is_halved(house: House) -> None:
    house.take(PLAIN)
    house.run_until_quiet()
    asked = ask(house, since=DAY - timedelta(days=200))
    sets: list[str] = []
    house.run(on_set=lambda number, request: sets.append(request))
    windows = [one for one in sets if "<TxnDateRangeFilter" in one]
    assert len(windows) == 7
    assert compared(house).counts["equal"] == 1
    with house.database.read() as db:
        assert db.get_one(Reconciliation, asked).window_days == 31


def test_a_reading_that_quickbooks_refuses_is_given_up_after_three_sessions(house: House) -> None:
    house.take(PLAIN)
    house.run_until_quiet()
    ask(house)
    house.pos.refuse_when = lambda found: (
        (3260, "No permission.") if found.find("TxnDateRangeFilter") is not None else None
    )
    for _ in range(3):
        assert house.run()
    assert house.run() == []
    assert tasks(house) == ["reconciliation"]
    with house.database.read() as db:
        (asked,) = db.query(Reconciliation)
        assert (asked.state, "No permission." in asked.sentence) == ("failed", True)


def test_documents_go_before_a_reconciliation(house: House) -> None:
    house.take(PLAIN)
    ask(house)
    sets: list[str] = []
    house.run(on_set=lambda number, request: sets.append(request))
    sale = next(number for number, one in enumerate(sets) if "<SalesReceiptAddRq" in one)
    period = next(number for number, one in enumerate(sets) if "<TxnDateRangeFilter" in one)
    assert sale < period


@pytest.mark.parametrize("seed", range(6))
def test_it_reads_the_same_under_every_dialect(sqlite_database: Database, box: SecretBox, seed: int) -> None:
    dialect = PosDialect.random(random.Random(seed))
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))
    with house.database.write() as db:
        get_company(db, "books").company_file = "Company Data=Sandbox Goods"
    house.set("pull.page", "10")
    for number in range(801, 813):
        house.take(numbered(PLAIN, number))
    house.run_until_quiet()
    sell_at_the_till(house, "WMAIN-999/1 of another", "5.00")
    report = reconciled(house)
    assert (report.counts["equal"], report.counts["only in QuickBooks"]) == (12, 1)


def test_the_daily_one_is_asked_for_once_at_its_hour_by_the_shops_clock(house: House, box: SecretBox) -> None:
    house.take(PLAIN)
    with house.database.read() as db:
        offset = timedelta(seconds=shop_offset(db, get_store(db, "main")))
    assert offset
    now = datetime.now(UTC)
    scheduler = daily_one(house, box, lambda: now)
    scheduler.run_once()
    tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    hour = tomorrow - offset + timedelta(hours=3)
    now = hour - timedelta(days=1)
    assert scheduler.run_once() == 1
    now = hour - timedelta(minutes=1)
    assert scheduler.run_once() == 0
    now = hour
    assert scheduler.run_once() == 1
    with house.database.read() as db:
        newest = db.query(Reconciliation).order_by(Reconciliation.id.desc()).first()
        assert newest is not None
        assert (newest.since, newest.until, newest.daily) == (
            (tomorrow.date() - timedelta(days=7)).isoformat(),
            (tomorrow.date() - timedelta(days=1)).isoformat(),
            True,
        )
    now = hour + timedelta(hours=1)
    assert scheduler.run_once() == 0
    house.set("reconcile.daily", "false")
    now = hour + timedelta(days=2)
    assert scheduler.run_once() == 0


def test_a_store_that_went_live_today_has_no_day_to_reconcile(house: House) -> None:
    house.take(recorded_order("plain"))
    with house.database.read() as db:
        store = get_store(db, "main")
        live_since = store.live_since
        assert live_since is not None
        assert daily_period(db, store, live_since + timedelta(hours=1)) is None
        assert daily_period(db, store, live_since + timedelta(days=2)) is not None


def daily_one(house: House, box: SecretBox, now: Callable[[], datetime]) -> Scheduler:
    def client(store: Store) -> ShopClient:
        return ShopClient(store.url, "ck", "cs")

    return Scheduler(house.database, box, (DAILY,), open_client=client, now=now)


def test_no_text_of_the_csv_begins_like_a_formula_and_amounts_stay_numbers() -> None:
    rows: list[dict[str, Any]] = [
        {"verdict": "differs", "kind": "sale", "reference": text, "mark": "M", "why": text}
        for text in ("=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain")
    ]
    rows[0]["difference"] = Decimal("-2.20")
    report = Report(
        store="main",
        since="2026-01-01",
        until="2026-01-02",
        read_at=None,
        counts={},
        rows=msgspec.convert(rows, list[Row]),
    )
    file = io.StringIO()
    write_csv(report, file)
    cells = [cell for row in csv.reader(io.StringIO(file.getvalue(), newline="")) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell] == ["-2.20"]
    assert "'=1+1" in cells
    assert "plain" in cells


def test_a_refund_and_its_return_agree_or_it_is_told_where_they_differ(house: House) -> None:
    order = recorded_order("rpart")
    (refund,) = recorded_refunds(order["id"])
    day, back = date.fromisoformat(refund["date_created"][:10]), Decimal(refund["amount"])
    house.take(order)
    house.take_refunds(order, [refund])
    house.run_until_quiet()
    period = {"since": date.fromisoformat(order["date_created"][:10]), "until": day}
    rows = {row.kind: row for row in reconciled(house, **period).rows}
    assert (rows["sale"].verdict, rows["return"].verdict) == ("equal", "equal")
    assert (rows["return"].shop_total, rows["return"].books_total) == (back, back)
    assert rows["return"].mark == f"WMAIN-{order['id']}-R{refund['id']}/1"

    (sent,) = [one for one in house.our_receipts() if one.type == "Return"]
    request(
        house,
        f"<TxnReverseRq><TxnReverseType>SalesReceipt</TxnReverseType><TxnID>{sent.txn_id}</TxnID></TxnReverseRq>",
    )
    rows = {row.kind: row for row in reconciled(house, **period).rows}
    assert rows["sale"].verdict == "equal"
    assert rows["return"].verdict == "only in the shop"
    assert "was reversed in QuickBooks" in rows["return"].why


def test_a_refund_that_waits_says_why_it_is_in_the_shop_alone(house: House) -> None:
    order = recorded_order("rpart")
    refunds = recorded_refunds(order["id"])
    house.take(order)
    house.take_refunds(order, [{**refunds[0], "amount": "9999.00"}])
    house.run_until_quiet()
    period = {name: date.fromisoformat(refunds[0]["date_created"][:10]) for name in ("since", "until")}
    rows = {row.kind: row for row in reconciled(house, **period).rows}
    assert rows["return"].verdict == "only in the shop"
    assert "is larger than its order" in rows["return"].why


def test_what_was_cancelled_or_deleted_in_the_shop_after_it_was_written_is_in_quickbooks_alone(
    house: House,
) -> None:
    order = recorded_order("rpart")
    (refund,) = recorded_refunds(order["id"])
    cancelled = numbered(PLAIN, 801)
    for one in (order, cancelled):
        house.take(one)
    house.take_refunds(order, [refund])
    house.run_until_quiet()
    house.take({**cancelled, "status": "cancelled", "date_modified_gmt": "2026-12-01T00:00:00"})
    house.take({**order, "refunds": [], "date_modified_gmt": "2026-12-01T00:00:00"})
    house.take_refunds({**order, "refunds": [], "date_modified_gmt": "2026-12-01T00:00:00"}, [])
    days = [date.fromisoformat(one["date_created"][:10]) for one in (order, refund, PLAIN)]
    rows = {row.reference: row for row in reconciled(house, since=min(days), until=max(days)).rows}
    assert rows[order["number"]].verdict == "equal"
    for name, what in (
        ("801", "was cancelled"),
        (f"Refund {refund['id']} of order {order['id']}", "was deleted"),
    ):
        row = rows[name]
        assert (row.verdict, row.shop_total) == ("only in QuickBooks", None)
        assert row.books_total is not None
        assert f"{what} in the shop after its " in row.why
        assert f"qbwoo activity undo {row.activity}" in row.why
        # Its own task has told of it.
        assert not row.alarming


def test_what_a_person_leaves_as_it_is_alarms_no_more_until_it_changes(house: House) -> None:
    house.take(PLAIN)
    house.run_until_quiet()
    house.take(dearer(PLAIN))
    report = reconciled(house)
    (row,) = report.rows
    sell_at_the_till(house, "WMAIN-68/1 Order 68", "24.52")
    first = row
    (row,) = reconciled(house).rows
    assert (row.verdict, row.alarming, tasks(house).count("reconciliation")) == ("doubled", True, 1)

    def accept(row: Row) -> None:
        with house.database.write() as db:
            store = get_store(db, "main")
            reconciliations.accept(
                db, store, accepting.record_of(row), accepting.facts_of(row), who="Ann", note="as agreed"
            )
            close_tasks(db, store.company_id, "reconciliation")

    accept(first)
    assert marked(house, reconciled(house)).rows[0].alarming
    accept(row)
    (again,) = marked(house, reconciled(house)).rows
    assert (again.verdict, again.alarming) == ("doubled", False)
    assert again.accepted.startswith("Ann, 2")
    assert again.accepted.endswith(": as agreed")
    assert "reconciliation" not in tasks(house)


def marked(house: House, report: Report) -> Report:
    with house.database.read() as db:
        return accepting.marked(db, get_store(db, "main").id, report)


def test_a_total_with_parts_of_a_cent_is_equal_to_what_was_paid(house: House) -> None:
    house.take({**PLAIN, "total": "24.5249"})
    house.run_until_quiet()
    (row,) = reconciled(house).rows
    assert (row.verdict, row.books_total) == ("equal", TOTAL)


def test_stock_that_left_in_pieces_of_a_cent_is_equal(house: House) -> None:
    (first, *_) = PLAIN["line_items"]
    tiny = {**first, "quantity": 333, "total": "2.23", "subtotal": "2.23", "total_tax": "0.00", "taxes": []}
    house.take(
        {
            **PLAIN,
            "line_items": [tiny],
            "shipping_lines": [],
            "tax_lines": [],
            "total": "2.23",
            "total_tax": "0.00",
        }
    )
    house.run_until_quiet()
    (row,) = reconciled(house).rows
    assert (row.verdict, row.books_total, row.why) == ("equal", Decimal("2.23"), "")
