"""Random orders stand in QuickBooks in their very total, whatever Point of Sale it is."""

from __future__ import annotations

import pytest

from tests.money.run import main, report, shops
from tests.money.trial import Outcome, Trial

ORDERS = 3000


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    whole = Outcome()
    for seed, numbers in shops(ORDERS, 1):
        whole.add(Trial(seed).run(numbers))
    return whole


def _told(outcome: Outcome) -> str:
    return report(outcome, 1, lambda seed, number: f"python -m tests.money.run --seed {seed} --only {number}")


def test_every_receipt_has_the_very_total_tax_and_tenders_of_the_shop(outcome: Outcome) -> None:
    assert outcome.wrong == [], _told(outcome)
    assert outcome.orders == ORDERS
    assert outcome.receipts > 0.9 * (ORDERS - outcome.bad)
    assert outcome.returns > 0.2 * ORDERS


def test_quickbooks_refuses_none(outcome: Outcome) -> None:
    assert not outcome.refused_by_pos, _told(outcome)


def test_only_what_is_bad_on_purpose_is_refused_before_sending_and_each_of_it(outcome: Outcome) -> None:
    assert not outcome.refused, _told(outcome)
    assert outcome.receipts == outcome.orders - outcome.bad
    assert (
        outcome.receipts + outcome.returns + outcome.refused_bad.total() == outcome.orders + outcome.refunds
    )
    assert len(outcome.refused_bad) == 12, _told(outcome)


def test_where_quickbooks_taxes_by_itself_every_total_is_the_shops_too() -> None:
    whole = Outcome()
    for seed in range(500, 512):
        whole.add(Trial(seed, "flavour").run(range(25)))
    assert whole.wrong == [], _told(whole)
    assert not whole.refused_by_pos, _told(whole)
    assert whole.receipts > 200


@pytest.mark.parametrize("mode", ["line", "flavour"])
def test_under_a_wrong_switch_every_total_that_differs_is_noticed(mode: str) -> None:
    whole = Outcome()
    for seed in range(1, 9):
        whole.add(Trial(seed, mode, wrong_switch=True).run(range(20)))
    assert whole.wrong == [], _told(whole)
    assert whole.noticed > 0
    assert whole.noticed >= whole.differing


def test_the_command_ends_with_1_if_an_order_came_out_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--only", "0"]) == 0
    assert "wrong                     0" in capsys.readouterr().out
