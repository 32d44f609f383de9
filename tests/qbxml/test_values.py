"""Values to text and back."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbxml import values
from qbxml.errors import OutOfRange, TooPrecise, ValueTooLong, WrongType
from qbxml.values import TO_TEXT, WallClock

WINTER = timezone(timedelta(hours=-5))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("19.9"), "19.90"),
        (Decimal("0"), "0.00"),
        (Decimal("-0.00"), "0.00"),
        (Decimal("-7"), "-7.00"),
        (Decimal("1.5000"), "1.50"),
        (Decimal("1E+3"), "1000.00"),
        (3, "3.00"),
    ],
)
def test_an_amount_has_exactly_two_decimals(amount: object, text: str) -> None:
    assert values.amount_text(amount) == text


@pytest.mark.parametrize("amount", [Decimal("0.005"), Decimal("1.001"), Decimal("1E-9"), Decimal("1E-99999")])
def test_an_amount_with_a_third_decimal_is_refused_rather_than_rounded(amount: Decimal) -> None:
    with pytest.raises(TooPrecise):
        values.amount_text(amount)


@pytest.mark.parametrize("write", [values.amount_text, values.price_text, values.float_text])
@pytest.mark.parametrize(
    "number", [Decimal("NaN"), Decimal("Infinity"), Decimal("-sNaN"), 1.5, "1.50", True, None]
)
def test_only_finite_exact_numbers_are_written(write: values.ToText, number: object) -> None:
    with pytest.raises(WrongType):
        write(number)


@pytest.mark.parametrize("write", [values.amount_text, values.price_text, values.float_text])
@pytest.mark.parametrize("number", [Decimal("1E+999999"), Decimal("12345678901234"), 10**14])
def test_a_number_with_too_many_digits_is_refused(write: values.ToText, number: object) -> None:
    with pytest.raises(ValueTooLong):
        write(number)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("7.50"), "7.50"),
        (Decimal("2"), "2"),
        (Decimal("0.33333"), "0.33333"),
        (Decimal("0.3333300"), "0.33333"),
        (Decimal("1E-5"), "0.00001"),
        (Decimal("0E-99"), "0"),
    ],
)
def test_a_price_keeps_up_to_five_decimals(number: Decimal, text: str) -> None:
    assert values.price_text(number) == text


def test_a_price_with_a_sixth_decimal_is_refused() -> None:
    with pytest.raises(TooPrecise):
        values.price_text(Decimal("0.333333"))


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_every_amount_comes_back_as_it_went(amount: Decimal) -> None:
    text = values.amount_text(amount)
    assert values.decimal_value(text) == amount
    assert text[-3] == "."


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=5))
def test_every_price_comes_back_as_it_went(price: Decimal) -> None:
    text = values.price_text(price)
    assert values.decimal_value(text) == price
    assert "E" not in text


@pytest.mark.parametrize("text", ["", "1,50", "1.5E3", "NaN", "Infinity", "0x10", "1_000", "12 3", "٣"])
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    with pytest.raises(WrongType):
        values.decimal_value(text)


def test_numbers_are_read_with_blanks_around() -> None:
    assert values.decimal_value(" 39.99\n") == Decimal("39.99")
    assert values.integer_value(" 4.00 ") == 4
    assert values.integer_value("-9219886962259885823") == -9219886962259885823


@pytest.mark.parametrize("text", ["4.5", "four", "", "4.0.0", "9" * 200])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(WrongType):
        values.integer_value(text)


def test_booleans_are_read_as_point_of_sale_writes_them() -> None:
    assert [values.boolean_value(t) for t in ("True", "true", "1", " TRUE ")] == [True] * 4
    assert [values.boolean_value(t) for t in ("False", "false", "0")] == [False] * 3
    with pytest.raises(WrongType):
        values.boolean_value("yes")


def test_only_booleans_are_written_as_booleans() -> None:
    assert (values.boolean_text(True), values.boolean_text(False)) == ("true", "false")
    for wrong in (1, 0, "true", None):
        with pytest.raises(WrongType):
            values.boolean_text(wrong)


def test_a_boolean_is_no_integer() -> None:
    assert values.integer_text(7) == "7"
    for wrong in (True, "7", Decimal(7), 7.0):
        with pytest.raises(WrongType):
            values.integer_text(wrong)


def test_a_date_is_no_moment() -> None:
    assert values.date_text(date(2026, 1, 31)) == "2026-01-31"
    for wrong in (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31"):
        with pytest.raises(WrongType):
            values.date_text(wrong)
    with pytest.raises(OutOfRange):
        values.date_text(date(1899, 12, 31))


def test_a_moment_is_written_with_its_offset_and_without_fractions() -> None:
    assert values.moment_text(datetime(2026, 1, 31, 13, 5, 0, 999999, UTC)) == "2026-01-31T13:05:00+00:00"
    assert values.moment_text(datetime(2026, 1, 31, 13, 5, tzinfo=WINTER)) == "2026-01-31T13:05:00-05:00"


def test_the_wall_clock_is_written_without_offset() -> None:
    assert values.moment_text(WallClock(datetime(2026, 1, 31, 8, 5, tzinfo=WINTER))) == "2026-01-31T08:05:00"


def test_a_moment_without_a_time_zone_is_refused() -> None:
    naive = datetime(2026, 1, 31)  # noqa: DTZ001
    for wrong in (naive, WallClock(naive), date(2026, 1, 31), "2026-01-31T00:00:00"):
        with pytest.raises(WrongType):
            values.moment_text(wrong)


def test_a_moment_beyond_32_bits_is_refused() -> None:
    assert values.moment_text(datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC))
    for moment in (datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)):
        with pytest.raises(OutOfRange):
            values.moment_text(moment)


def test_moments_are_read_into_utc() -> None:
    noon = datetime(2009, 12, 17, 17, 32, 31, tzinfo=UTC)
    assert values.moment_value("2009-12-17T11:32:31-06:00") == noon
    assert values.moment_value(" 2009-12-17T17:32:31Z ").tzinfo is UTC
    assert values.moment_value("2009-12-17T12:32:31", WINTER) == noon
    for wrong in ("2009-12-17", "", "soon", "0001-01-01T00:00:00+23:00"):
        with pytest.raises(WrongType):
            values.moment_value(wrong)


@given(
    st.datetimes(
        min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - hypothesis puts the zone in
        max_value=datetime(2037, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
def test_every_moment_comes_back_to_the_second(moment: datetime) -> None:
    assert values.moment_value(values.moment_text(moment)) == moment.replace(microsecond=0)


def test_a_date_is_read_from_a_moment_too() -> None:
    assert values.date_value("2012-03-26T23:59:00-05:00") == date(2012, 3, 26)
    with pytest.raises(WrongType):
        values.date_value("26.03.2012")


def test_a_point_of_sale_identity_is_a_64_bit_number_as_text() -> None:
    write = TO_TEXT["qbposxml"]["IDTYPE"]
    assert write("-9219886962259885823") == "-9219886962259885823"
    for wrong in (-9219886962259885823, "", "80000001-1234567890", "+5", "٣", " 5"):
        with pytest.raises(WrongType):
            write(wrong)
    for wrong in (str(2**63), str(-(2**63) - 1)):
        with pytest.raises(OutOfRange):
            write(wrong)


def test_a_desktop_identity_has_36_characters_at_most() -> None:
    write = TO_TEXT["qbxml"]["IDTYPE"]
    assert write("80000001-1234567890") == "80000001-1234567890"
    assert write("-1") == "-1"
    with pytest.raises(ValueTooLong):
        write("8" * 37)
    with pytest.raises(WrongType):
        write("")


def test_guids_macros_and_intervals_have_their_form() -> None:
    guid = "{90A44FB5-33D9-4815-AC85-BC87A7E7D1EB}"
    assert (values.guid_text(guid), values.guid_text("0")) == (guid, "0")
    assert values.macro_text("ListID:C1") == "ListID:C1"
    assert values.interval_text("PT1H30M") == "PT1H30M"
    for write, wrong in (
        (values.guid_text, guid[1:-1]),
        (values.macro_text, "C1"),
        (values.macro_text, 'TxnID:"'),
        (values.interval_text, "PT"),
    ):
        with pytest.raises(WrongType):
            write(wrong)


def test_a_word_of_an_enumeration_class_is_written_as_its_text() -> None:
    class Kind(StrEnum):
        SALES = "Sales"

    text = TO_TEXT["qbposxml"]["ENUMTYPE"](Kind.SALES)
    assert text == "Sales"
    assert type(text) is str
