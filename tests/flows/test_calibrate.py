"""Calibration: the switches found in practice mode are those of the Point of Sale."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.calibration_report import CalibrationReport, report_decoder
from qbwc_service.flavours.pos import probes
from qbwc_service.flavours.pos.probes import Taken, TaxRate, World
from queue_store import calibrations
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.models import Calibration
from queue_store.secrets import SecretBox
from queue_store.settings import company_settings
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order

PRACTICE = "Computer Name=TILL;Company Data=Sandbox Goods;Practice=Yes"
MAKE = Callable[..., House]


def ticking() -> Callable[[], datetime]:
    """A clock that goes on a second with each look: Point of Sale takes its time."""
    start, seconds = datetime(2026, 11, 2, 9, tzinfo=UTC), count()
    return lambda: start + timedelta(seconds=next(seconds))


@pytest.fixture
def make(sqlite_database: Database, box: SecretBox) -> MAKE:
    """A house in practice mode whose Point of Sale has this dialect."""

    def made(dialect: PosDialect | None = None, **more: object) -> House:
        pos = PosCompanyFile.create(None, dialect=dialect or PosDialect(), clock=ticking(), **more)
        house = make_house(sqlite_database, box, pos)
        with house.database.write() as db:
            get_company(db, "books").company_file = PRACTICE
        return house

    return made


def ask(house: House) -> None:
    with house.database.write() as db:
        calibrations.ask(db, get_company(db, "books"), who="test")


def newest(house: House) -> Calibration:
    with house.database.read() as db:
        found = calibrations.newest(db, get_company(db, "books").id)
        assert found is not None
        return found


def report_of(house: House) -> CalibrationReport:
    found = newest(house)
    assert found.state == "done", found.sentence
    assert found.report is not None
    return report_decoder.decode(found.report)


def books_of(house: House) -> PosCompanyFile:
    """Where practice writes."""
    return house.pos.practice if house.pos.dialect.practice_is_apart else house.pos


def expected(dialect: PosDialect) -> dict[str, str]:
    per = "off the line" if dialect.line_discount_per == "line" else "off each piece"
    return {
        "plain": "accepted",
        "tenders.unbalanced": "refused" if dialect.unbalanced_tenders == "refuse" else "accepted",
        "lines.negative": "quantity" if dialect.negative_line == "negative_qty" else "price",
        "returns.signs": dialect.return_signs,
        "lines.discount": per if dialect.price_is_before_discount else "price is net of it",
        "lines.extended_price": dialect.extended_price_sent,
        "header.discount": "lowers the total",
        "header.shipping": "taxed at 8.25 %" if dialect.shipping_taxed else "untaxed",
        "tax.omitted_code": "the item's" if dialect.omitted_tax_code == "item" else "untaxed",
        "tax.rounding": dialect.tax_rounding,
        "tax.half": "up" if dialect.tax_half == "half_up" else "even",
        "stock.sales_move_modified": "yes" if dialect.sale_moves_item_time_modified else "no",
        "reversals.shown": "status" if dialect.reversal_marks_receipts else "copy",
    }


def assert_left_clean(house: House) -> None:
    """Every receipt of the calibration is met by one that reverses it, once."""
    books = books_of(house)
    ours = [one for one in books.receipts() if one.comments.startswith("qbwoo-calibration-")]
    assert ours
    assert sum((one.total for one in ours), Decimal(0)) == 0
    assert len(books.reversals()) * 2 == len(ours)
    assert all(quantity == 0 for item in books.items() for quantity in item.on_hand.values())


@pytest.mark.parametrize("seed", range(50))
def test_the_switches_found_are_those_of_the_dialect(make: MAKE, seed: int) -> None:
    dialect = PosDialect.random(random.Random(seed))
    house = make(dialect)
    ask(house)
    house.run_until_quiet()
    report = report_of(house)
    assert {one.question: one.answer for one in report.findings} == expected(dialect)
    assert report.left == []
    assert_left_clean(house)
    with house.database.read() as db:
        settings = company_settings(db, get_company(db, "books"))
        assert settings["lines.negative"] == expected(dialect)["lines.negative"]
        assert settings["reversals.shown"] == expected(dialect)["reversals.shown"]
        assert settings["stock.sales_move_modified"] == expected(dialect)["stock.sales_move_modified"]


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(
    ("marks", "lost"),
    [(True, number) for number in range(1, 13)] + [(False, number) for number in range(9, 13)],
)
def test_any_one_answer_may_be_lost(make: MAKE, lost: int, executed: bool, marks: bool) -> None:
    dialect = PosDialect(reversal_marks_receipts=marks)
    house = make(dialect)
    ask(house)

    def broken(number: int) -> None:
        if number == lost:
            raise AnswerLost

    if executed:
        house.run(on_answer=lambda number, ticket, request, response: broken(number))
    else:
        house.run(on_set=lambda number, request: broken(number))
    house.run_until_quiet()
    report = report_of(house)
    found = {one.question: one.answer for one in report.findings}
    assert {name: found[name] for name in found if name != "reversals.shown"} == {
        name: answer for name, answer in expected(dialect).items() if name != "reversals.shown"
    }
    books = books_of(house)
    ours = [one for one in books.receipts() if one.comments.startswith("qbwoo-calibration-")]
    # At most the one whose reversal cannot be told stands; none was reversed or written twice.
    assert len(books.reversals()) == report.receipts - len(report.left)
    assert len(ours) == 2 * report.receipts - len(report.left)
    assert len(report.left) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_many_answers_may_be_lost(make: MAKE, seed: int) -> None:
    rng = random.Random(seed)
    dialect = PosDialect.random(rng)
    house = make(dialect)
    ask(house)

    def lose(*_: object) -> None:
        if rng.random() < 0.2:
            raise AnswerLost

    for _ in range(6):
        house.run(on_set=lose, on_answer=lose)
    house.run_until_quiet()
    report = report_of(house)
    found = {one.question: one.answer for one in report.findings}
    assert found["tax.rounding"] == dialect.tax_rounding
    assert found["returns.signs"] == dialect.return_signs
    comments = [one.comments.split()[0] for one in books_of(house).receipts()]
    assert all(comments.count(one) <= 2 for one in comments)


def test_a_receipt_that_spoils_its_set_is_found_and_left_out(make: MAKE) -> None:
    house = make()
    house.pos.practice.poison = lambda request: (
        request.tag == "SalesReceiptAddRq" and request.find(".//ExtendedPrice") is not None
    )
    ask(house)
    house.run_until_quiet()
    found = {one.question: one for one in report_of(house).findings}
    assert found["lines.extended_price"].answer == ""
    assert "could not read it" in found["lines.extended_price"].why
    assert found["tax.rounding"].answer == "line"


def test_without_practice_mode_nothing_is_sent(make: MAKE) -> None:
    house = make()
    ask(house)
    with house.database.write() as db:
        get_company(db, "books").company_file = "Company Data=Sandbox Goods"
    house.run_until_quiet()
    found = newest(house)
    assert (found.state, found.sentence) == (
        "failed",
        "The company is not in practice mode any more: nothing was sent.",
    )
    assert house.pos.receipts() == []


def test_a_company_that_taxes_nothing_says_what_cannot_be_told(make: MAKE) -> None:
    rates = {("Local Sales Tax", "Tax"): Decimal(0), ("Local Sales Tax", "Non"): Decimal(0)}
    house = make(tax_rates=rates)
    ask(house)
    house.run_until_quiet()
    found = {one.question: one for one in report_of(house).findings}
    assert found["tax.rounding"].answer == ""
    assert "taxes anything" in found["tax.rounding"].why
    assert found["lines.negative"].answer == "price"


def test_a_plain_receipt_that_is_refused_ends_it_and_sets_nothing(make: MAKE) -> None:
    house = make()
    house.pos.practice.refuse_when = lambda request: (
        (3260, "No permission.") if request.tag == "SalesReceiptAddRq" else None
    )
    ask(house)
    house.run_until_quiet()
    found = newest(house)
    assert found.state == "failed"
    assert "No permission." in found.sentence


def test_orders_are_sent_after_a_calibration_as_if_there_had_been_none(make: MAKE) -> None:
    house = make()
    house.take(numbered(recorded_order("plain"), 801))
    ask(house)
    house.run_until_quiet()
    assert house.states() == ["succeeded"]
    assert report_of(house).left == []


@pytest.mark.parametrize("percent", ["8.25", "7", "5", "8.875", "6.625", "0.5"])
def test_prices_are_found_that_tell_roundings_apart(percent: str) -> None:
    world = World(taxes=(TaxRate("Local", "Tax", Decimal(percent)),))
    asked = [probe.question for probe in probes.probes(world)]
    assert asked.count("tax.rounding") == 2
    assert asked.count("tax.half") == 2
    assert probes.probes(world) == probes.probes(world)


def test_a_rate_that_never_ends_on_half_a_cent_says_so() -> None:
    world = World(taxes=(TaxRate("Local", "Tax", Decimal(20)),))
    answers = [Taken(txn_id="-1", total=probe.tender) for probe in probes.probes(world)]
    found = {one.question: one for one in probes.findings(world, answers)}
    assert found["tax.half"].answer == ""
    assert "at 20 % no price shows it" in found["tax.half"].why
