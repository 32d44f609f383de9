"""Text made to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbxml.markup import escaped
from qbxml.transliterate import Fitted, fit


def test_plain_text_passes_untouched() -> None:
    assert fit("Green tea 50g", 30) == Fitted("Green tea 50g")


def test_what_windows_1252_holds_is_kept() -> None:
    assert fit("Café “Größe” — 5 €…") == Fitted("Café “Größe” — 5 €…")


def test_what_it_does_not_hold_is_spelt_in_ascii_and_told() -> None:
    fitted = fit("Łódź 北京 😀")
    assert fitted.text == "Lódz BeiJing :grinning:"
    assert fitted.transliterated == "Łź北京😀"
    assert fitted.lost
    assert "5 kinds of character" in fitted.remark()


def test_an_accent_written_apart_is_joined_without_loss() -> None:
    assert fit("Cafe\u0301", 4) == Fitted("Café")


def test_line_breaks_become_blanks_in_a_single_line() -> None:
    assert fit("a\r\nb\rc\nd\te\u2028f") == Fitted("a b c d e f")


def test_line_breaks_and_tabs_stay_where_text_may_have_them() -> None:
    assert fit("a\r\nb\rc\td\x0be", multiline=True) == Fitted("a\nb\nc\td\ne")


def test_control_characters_and_half_characters_are_dropped_and_counted() -> None:
    fitted = fit("a\x00b\x07c\x81d\ud83d\x7f")
    assert fitted == Fitted("abcd", dropped=5)
    assert "5 control characters" in fitted.remark()


def test_shortening_says_what_was_cut() -> None:
    fitted = fit("Green tea, first flush", 10)
    assert fitted == Fitted("Green tea,", cut="first flush")
    assert fit("Green tea", 6) == Fitted("Green", cut="tea")


def test_the_limit_counts_what_is_written() -> None:
    assert fit("北京市", 7).text == "BeiJing"


@pytest.mark.parametrize("text", ["\u0301", "\x00", "\n", "   \x01", "\ue000"])
def test_text_of_which_nothing_is_left_says_so(text: str) -> None:
    fitted = fit(text)
    assert fitted.emptied
    assert fitted.lost
    assert "nothing left" in fitted.remark()


def test_empty_text_loses_nothing() -> None:
    fitted = fit("", 5)
    assert (fitted.text, fitted.lost, fitted.remark()) == ("", False, "")


@given(st.text(), st.integers(1, 40), st.booleans())
def test_what_was_fitted_can_always_be_written(text: str, limit: int, multiline: bool) -> None:
    fitted = fit(text, limit, multiline=multiline)
    assert len(fitted.text) <= limit
    escaped(fitted.text)  # raises where a character could not travel
    if not multiline:
        assert not set(fitted.text) & set("\r\n\t")


@given(st.text(), st.integers(1, 40))
def test_fitting_twice_changes_nothing(text: str, limit: int) -> None:
    once = fit(text, limit).text
    assert fit(once, limit).text == once


@given(st.text(st.characters(codec="cp1252", categories=["L", "N", "P", "S"]), max_size=40))
def test_text_that_fits_is_never_changed(text: str) -> None:
    assert fit(text, 40).text == text
