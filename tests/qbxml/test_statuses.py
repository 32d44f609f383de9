"""Every known status code means something, and the unknown ones too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbxml.outcomes import Outcome
from qbxml.statuses import STATUSES, StatusRule, classify_status

EXPECTED = {
    Outcome.DONE: {0, 501, 510, 550},
    Outcome.EMPTY: {1, 500},
    Outcome.RETRY: {1000, 3175, 3176, 3231},
    Outcome.STALE: {3120, 3200},
    Outcome.DUPLICATE: {3100},
    Outcome.IN_DOUBT: {9001, 9002, 9003, 9005},
    Outcome.OUR_BUG: {530, 531, 3000, 3070, 3150, 3290, 9004, 20004},
    Outcome.OPERATOR: {600, 3130, 3140, 3170, 3171, 3180, 3210, 3250, 3260, 3261, 3263, 3270},
}


@pytest.mark.parametrize("code", sorted(STATUSES))
def test_every_code_has_an_outcome_and_a_sentence(code: int) -> None:
    rule = classify_status(code, "Info" if code < 500 else "Error", "text")
    assert rule.code == code
    assert code in EXPECTED[rule.outcome]
    assert rule.meaning
    assert rule.advice.endswith(".")


def test_the_table_holds_what_is_expected_and_no_more() -> None:
    assert set(STATUSES) == set().union(*EXPECTED.values())


def test_every_outcome_occurs() -> None:
    assert {rule.outcome for rule in STATUSES.values()} == set(Outcome)
    assert [outcome for outcome in Outcome if outcome.is_success] == [Outcome.DONE, Outcome.EMPTY]


@pytest.mark.parametrize("code", [3170, 3180])
@pytest.mark.parametrize(
    "message",
    [
        "The object was Modified by another user.",
        "The list could not be locked",
        "Failed to acquire the lock for this list",
        "The element in use cannot be saved",
    ],
)
def test_a_record_that_somebody_has_open_is_tried_again(code: int, message: str) -> None:
    assert classify_status(code, "Error", message).outcome is Outcome.RETRY
    assert classify_status(code, "Error", "Balance is off").outcome is Outcome.OPERATOR


def test_an_internal_error_is_tried_once_more() -> None:
    assert classify_status(1000, "Error").tell_after == 2


@pytest.mark.parametrize(
    ("code", "severity", "outcome"),
    [
        (2, "Info", Outcome.DONE),
        (499, "", Outcome.DONE),
        (502, "Warn", Outcome.DONE),
        (999, "warn", Outcome.DONE),
        (502, "Error", Outcome.OPERATOR),
        (1001, "Error", Outcome.OPERATOR),
        (3199, "Error", Outcome.OPERATOR),
        (3199, "Warn", Outcome.OPERATOR),
        (99999, "Info", Outcome.OPERATOR),
        (-1, "Info", Outcome.OPERATOR),
    ],
)
def test_an_unknown_code_goes_by_its_range(code: int, severity: str, outcome: Outcome) -> None:
    rule = classify_status(code, severity, "What QuickBooks says")
    assert (rule.code, rule.outcome, rule.meaning) == (code, outcome, "What QuickBooks says")


def test_an_error_that_claims_to_be_fine_is_in_doubt() -> None:
    assert classify_status(0, "Error", "?").outcome is Outcome.IN_DOUBT
    assert classify_status(0, "Info").outcome is Outcome.DONE


@given(st.integers(), st.text(), st.text())
def test_every_status_is_classified(code: int, severity: str, message: str) -> None:
    rule = classify_status(code, severity, message)
    assert isinstance(rule, StatusRule)
    assert rule.meaning
    assert rule.advice
    assert not (code >= 1000 and rule.outcome.is_success)
