"""Every HRESULT means something, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbxml.hresults import HRESULTS, classify_hresult, normal_hresult
from qbxml.outcomes import Outcome

RETRIED = {
    "0x80040401", "0x80040402", "0x80040408", "0x8004040D", "0x80040410", "0x80040414", "0x8004041B",
    "0x8004041C", "0x80040422", "0x80040424", "0x80010105", "0x800706BA",
}  # fmt: skip
ASKED = {
    "0x8004040A", "0x80040416", "0x80040417", "0x80040418", "0x8004041A", "0x8004041D", "0x8004041E",
    "0x8004041F", "0x80040420", "0x80040423", "0x80040427", "0x8004042A", "0x8004042C", "0x80042584",
    "0x80040154",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(HRESULTS))
def test_every_code_has_an_outcome_and_a_sentence_however_it_is_written(code: str) -> None:
    rule = HRESULTS[code]
    number = int(code, 16)
    for text in (
        code,
        code.lower(),
        code.upper(),
        f" {code} ",
        code[2:],
        f"0x00{code[2:]}",
        f"0xFFFFFFFF{code[2:]}",
        str(number),
        str(number - 2**32),
        f"{code}: text behind it",
    ):
        assert classify_hresult(text) is rule, text
    assert rule.is_known
    assert rule.meaning
    assert rule.advice.endswith(".")


def test_who_acts_is_as_expected() -> None:
    by_outcome = {o: {c for c, rule in HRESULTS.items() if rule.outcome is o} for o in Outcome}
    assert by_outcome[Outcome.RETRY] == RETRIED
    assert by_outcome[Outcome.OPERATOR] == ASKED
    assert by_outcome[Outcome.OUR_BUG] == {"0x80040400"}
    assert set(HRESULTS) == RETRIED | ASKED | {"0x80040400"}


def test_only_the_parse_refusal_is_one() -> None:
    assert [code for code, rule in HRESULTS.items() if rule.is_parse_refusal] == ["0x80040400"]
    assert classify_hresult("-2147220480").is_parse_refusal


def test_what_is_retried_says_when_the_operator_is_told() -> None:
    for rule in HRESULTS.values():
        assert (rule.tell_after is not None) == (rule.outcome is Outcome.RETRY)


@pytest.mark.parametrize(("text", "code"), [("0x80049999", "0x80049999"), ("", ""), ("  gone ", "gone")])
def test_an_unknown_code_is_tried_again_and_told_after_three(text: str, code: str) -> None:
    rule = classify_hresult(text)
    assert (rule.code, rule.outcome, rule.tell_after) == (code, Outcome.RETRY, 3)
    assert not rule.is_known
    assert not rule.is_parse_refusal


def test_a_word_that_only_starts_like_a_number_is_none() -> None:
    assert normal_hresult("0x8004zz") == "0x8004zz"
    assert normal_hresult("80040400x") == "80040400x"


@given(st.text())
def test_every_text_is_classified(text: str) -> None:
    assert classify_hresult(text).advice


@given(st.integers(0x80000000, 0xFFFFFFFF))
def test_all_spellings_of_a_number_agree(number: int) -> None:
    wanted = f"0x{number:08X}"
    for text in (f"0x{number:x}", f"{number:X}", str(number - 2**32), str(number)):
        assert normal_hresult(text) == wanted
